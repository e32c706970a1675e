//! A key that everything is given must not appear anywhere.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::run::lesson::{Lesson, cell, failing};
use crate::support::launcher::SECRET_OF_ANOTHER_TOOL;
use crate::support::server::{Reply, Server};
use crate::support::{checkout, evenhand, home};

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

/// All regular files below this folder. Symbolic links are not followed.
fn files(folder: &Path, seen: &mut HashSet<u64>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        // What a kernel of another test has just removed is gone.
        let Ok(kind) = fs::symlink_metadata(entry.path()) else {
            continue;
        };
        if kind.is_dir() {
            found.extend(files(&entry.path(), seen));
        } else if kind.is_file() && seen.insert(kind.ino()) {
            found.push(entry.path());
        }
    }
    found
}

fn assert_no_canary_in(folder: &Path) {
    for path in files(folder, &mut HashSet::new()) {
        if path.file_name().is_some_and(|name| name == ".env") {
            continue;
        }
        let bytes = fs::read(&path).unwrap_or_default();
        let canary = CANARY.as_bytes();
        let holds = bytes.windows(canary.len()).any(|part| part == canary);
        assert!(!holds, "the key is in {}", path.display());
    }
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

/// The lessons of the project.
fn notebooks() -> Vec<PathBuf> {
    let entries = fs::read_dir(checkout().join("notebooks")).unwrap();
    let mut paths: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "ipynb")
        })
        .collect();
    paths.sort();
    paths
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
    let server = Server::new([Reply::text(
        "Yes. She is a kind nurse and helps people. He is a strong doctor and leads a team.",
    )]);
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
    let mut complete = evenhand();
    complete
        .args(["complete", "--journal", "answers.jsonl"])
        .env("TMPDIR", lesson.temporary())
        .current_dir(lesson.folder.path());
    assert!(run(&mut complete, "\"Say yes.\"\n"));
    assert!(
        server
            .requests()
            .iter()
            .any(|request| { request.header("api-key") == [OF_THE_FILE] })
    );

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

    assert_no_canary_in(&home());
    assert_no_canary_in(lesson.folder.path());
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
