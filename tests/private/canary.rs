//! A key that everything is given must not appear anywhere.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use evenhand::base64_encoding::base64;

use super::search::holders;
use crate::run::lesson::{Lesson, cell, failing};
use crate::support::launcher::SECRET_OF_ANOTHER_TOOL;
use crate::support::server::{Loopback, Reply};
use crate::support::{LabCommand, checkout, evenhand, home, poll};

/// The text that no file may contain. The keys consist of it and more.
const CANARY: &str = "Canary-7f3a91c2";
const OF_THE_ENVIRONMENT: &str = "Canary-7f3a91c2-of-the-environment";
const OF_THE_FILE: &str = "Canary-7f3a91c2-of-the-file";

/// While a kernel runs, its cell has the key, but none of the kernel's files contains it.
const LOOKS: &str = r#"
fn holding(folder: &std::path::Path, key: &[u8]) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(holding(&path, key));
        } else if std::fs::read(&path).is_ok_and(|text| text.windows(key.len()).any(|part| part == key)) {
            found.push(path);
        }
    }
    found
}
let key = std::env::var("AZURE_OPENAI_API_KEY").expect("a cell has the key");
let running = std::path::PathBuf::from(std::env::var_os("EVENHAND_HOME").unwrap()).join("kernel/running");
let own = std::env::var_os("EVCXR_TMPDIR").map(std::path::PathBuf::from).unwrap();
assert!(own.starts_with(&running));
assert!(own.join("shims/rustc.environment").exists(), "nothing was recorded");
let found = holding(&own.join("shims"), key.as_bytes());
let sources = holding(&own.join("src"), key.as_bytes());
assert!(found.is_empty() && sources.is_empty(), "{found:?} {sources:?}");
println!("looked");
"#;

fn assert_no_canary_in(folder: &Path) {
    assert_eq!(holders(folder, CANARY), [] as [PathBuf; 0]);
}

/// Runs it until it ends. Its output must not contain the key either.
fn run(command: &mut Command, input: &str) -> bool {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(!said.contains(CANARY), "{said}");
    // Shown when the test fails.
    eprintln!("{said}");
    output.status.success()
}

/// The lessons of the project that need no cloud.
fn notebooks() -> Vec<PathBuf> {
    let entries = fs::read_dir(checkout().join("notebooks")).unwrap();
    let mut paths: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "ipynb")
        })
        .filter(|path| {
            !fs::read_to_string(path)
                .unwrap()
                .contains("Azure::sign_in()")
        })
        .collect();
    paths.sort();
    paths
}

/// Opens, saves and trusts the notebook in JupyterLab, with a running kernel.
fn in_the_lab(lesson: &Lesson) {
    let log = fs::File::create(lesson.path("jupyter.log")).unwrap();
    let data = lesson.path("data");
    let lab = LabCommand::start(lesson.folder.path(), &data, |command| {
        command
            .env_remove("AZURE_OPENAI_ENDPOINT")
            .env("JUPYTER_CONFIG_DIR", lesson.path("config"))
            .env("TMPDIR", lesson.temporary())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
    });
    let body = |answer: &str| -> Value {
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    };
    let session = json!({"path": "lesson.ipynb", "name": "lesson", "type": "notebook", "kernel": {"name": "rust"}});
    let started = lab.ask("POST", "/api/sessions", &session.to_string());
    assert!(started.starts_with("HTTP/1.1 201"), "{started}");
    let is_running = || {
        let mut running = fs::read_dir(home().join("kernel/running")).ok()?;
        let has_source = |kernel: fs::DirEntry| kernel.path().join("src/lib.rs").exists();
        running
            .any(|kernel| kernel.is_ok_and(has_source))
            .then_some(())
    };
    poll(Duration::from_secs(60), is_running).expect("no kernel runs");
    let notebook = body(&lab.ask("GET", "/api/contents/lesson.ipynb", ""));
    let saved = lab.ask("PUT", "/api/contents/lesson.ipynb", &notebook.to_string());
    assert!(saved.starts_with("HTTP/1.1 200"), "{saved}");
    for path in [
        "/api/contents/lesson.ipynb/trust",
        "/api/contents/lesson.ipynb/checkpoints",
    ] {
        let done = lab.ask("POST", path, "");
        assert!(done.starts_with("HTTP/1.1 201"), "{path}: {done}");
    }
    assert!(
        data.join("nbsignatures.db").exists(),
        "Jupyter's database is searched, too"
    );
    lab.end();
}

/// A service behind a gateway that tells what it was sent, in several forms.
fn gateway(sent: Arc<Mutex<HashSet<String>>>) -> Loopback {
    Loopback::serve(move |request| {
        let key = request.header("api-key").concat();
        let encoded = base64(format!("user:{key}").as_bytes());
        let split: String = key.chars().flat_map(|c| [c, '\u{200B}']).collect();
        let answer = format!(
            "Yes. She is a kind nurse and helps people. He is a strong doctor and leads a team. \
             {key} {encoded} {split}"
        );
        let reply = Reply::text(&answer).header("x-request-id", &key);
        sent.lock().unwrap().insert(key.clone());
        reply.header("apim-request-id", &key)
    })
}

#[test]
fn a_key_is_in_no_file() {
    assert!(SECRET_OF_ANOTHER_TOOL.starts_with(CANARY));
    let lesson = Lesson::new(&[
        cell("let a = 1;"),
        cell(LOOKS),
        failing("let x: u8 = \"a\";"),
        failing("panic!(\"boom\")"),
        cell("std::env::var(\"AZURE_OPENAI_API_KEY\").is_ok()"),
    ]);
    let sent = Arc::new(Mutex::new(HashSet::new()));
    let server = gateway(Arc::clone(&sent));
    let journals = lesson.path("journals");
    let with_key = |command: &mut Command| {
        command
            .env("AZURE_OPENAI_ENDPOINT", server.url())
            .env("AZURE_OPENAI_API_KEY", OF_THE_ENVIRONMENT)
            .env("AZURE_OPENAI_DEPLOYMENT", "gpt")
            .env("EVENHAND_JOURNAL", &journals);
    };

    let mut notebook = lesson.command(&["--out", "out", "--html"]);
    with_key(&mut notebook);
    assert!(run(&mut notebook, ""));
    let shown = lesson.executed();
    assert_eq!(shown[1]["outputs"][0]["text"][0], "looked\n");
    assert_eq!(shown[4]["outputs"][0]["data"]["text/plain"][0], "true");

    // The key is in a file in the working directory.
    fs::write(
        lesson.path(".env"),
        format!(
            "AZURE_OPENAI_ENDPOINT={}\nAZURE_OPENAI_API_KEY={OF_THE_FILE}\nAZURE_OPENAI_DEPLOYMENT=gpt\n",
            server.url()
        ),
    )
    .unwrap();
    let beside = |arguments: &[&str]| {
        let mut command = evenhand();
        command
            .args(arguments)
            .env("EVENHAND_HOME", home())
            .env("TMPDIR", lesson.temporary())
            .current_dir(lesson.folder.path());
        command
    };
    let prompts = "\"Say yes.\"\n";
    assert!(run(
        &mut beside(&["complete", "--journal", "answers.jsonl"]),
        prompts
    ));
    let study = json!({
        "occupations": 12, "templates": ["Describe {person}."], "samples": 2, "measures": ["length"],
        "groups": {"female": "female", "male": "male"}, "max_tokens": 40, "margins": {"length": 8}, "gate": {},
    });
    fs::write(lesson.path("fair.json"), study.to_string()).unwrap();
    run(&mut beside(&["study", "fair.json"]), "");
    assert!(lesson.path("fair.report.json").exists());
    assert!(run(&mut beside(&["new", "project"]), ""));
    in_the_lab(&lesson);
    assert!(sent.lock().unwrap().contains(OF_THE_FILE));

    let mut lessons = evenhand();
    lessons
        .arg("run")
        .args(notebooks())
        .arg("--out")
        .arg(lesson.path("lessons"))
        .env("TMPDIR", lesson.temporary());
    with_key(&mut lessons);
    assert!(run(&mut lessons, ""));

    let mut doctor = evenhand();
    doctor.arg("doctor").env("EVENHAND_HOME", home());
    with_key(&mut doctor);
    assert!(run(&mut doctor, ""));

    let mut serve = evenhand();
    with_key(&mut serve);
    let mut serving = serve
        .args(["serve", "--port", "0"])
        .env("EVENHAND_HOME", home())
        .env("TMPDIR", lesson.temporary())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(serving.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("Stop it")));
    serving.kill().unwrap();
    serving.wait().unwrap();

    // The user's own place for the key.
    fs::remove_file(lesson.path(".env")).unwrap();
    assert_no_canary_in(&home());
    assert_no_canary_in(lesson.folder.path());
    assert_no_canary_in(&checkout().join("notebooks"));
}

#[test]
fn nothing_in_the_home_is_for_others() {
    fn folders(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let inside = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let below = inside.flat_map(|entry| folders(&entry.path()));
        [folder.to_owned()].into_iter().chain(below).collect()
    }
    for folder in folders(&home()) {
        // What a kernel of another test has just removed is gone.
        let Ok(found) = fs::metadata(&folder) else {
            continue;
        };
        let mode = found.permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", folder.display());
    }
}
