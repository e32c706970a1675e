//! `evenhand serve`: the real program with the real model, used over HTTP.

mod keys;

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::http::{self, Reply};
use crate::support::process_table::children;
use crate::support::{evenhand, home};

/// The key of servers in tests that are not about keys.
pub(crate) const KEY: (&str, &str) = ("api-key", "evenhand-test");
const DATED: &str = "/openai/deployments/any/chat/completions?api-version=2024-10-21";
const V1: &str = "/openai/v1/chat/completions";

/// A running `evenhand serve`.
pub(crate) struct Serve {
    child: Child,
    pub(crate) address: String,
    /// What it printed at startup.
    said: Vec<String>,
}

impl Serve {
    /// A server with the tests' key, passed in a way that no list of processes shows.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(evenhand().env("EVENHAND_SERVE_KEY", KEY.1), arguments)
    }

    fn start_with(command: &mut Command, arguments: &[&str]) -> Self {
        let mut child = command
            .env("EVENHAND_HOME", home())
            .args(["serve", "--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let said: Vec<_> = lines
            .take_while(|line| !line.starts_with("Stop it"))
            .collect();
        let address = said
            .iter()
            .find_map(|line| line.strip_prefix("export AZURE_OPENAI_ENDPOINT=http://"));
        match address {
            Some(address) => Self {
                address: address.to_owned(),
                child,
                said,
            },
            None => panic!(
                "`evenhand serve` did not start: {said:?}, {:?}",
                child.wait()
            ),
        }
    }

    /// The value of the key in the printed `export` line.
    fn key(&self) -> &str {
        let mut lines = self.said.iter();
        lines
            .find_map(|line| line.strip_prefix("export AZURE_OPENAI_API_KEY="))
            .unwrap()
    }

    fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        http::send(&self.address, "POST", path, headers, body)
    }

    fn ask(&self, body: &Value) -> Reply {
        self.post(DATED, &[KEY], &body.to_string())
    }

    /// The process that runs the model.
    fn engine(&self) -> u32 {
        let children = children(self.child.id());
        *children.first().expect("the engine is a child process")
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A shell starts a program in the background with this signal ignored.
#[test]
fn a_signal_ends_it_while_it_starts() {
    let mut child = Command::new("sh")
        .args([
            "-c",
            "trap '' INT; echo ignored; exec \"$0\" serve --port 0",
        ])
        .arg(evenhand().get_program())
        .env("EVENHAND_HOME", home())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Before this line, the signal would end the shell.
    let mut ignored = [0; "ignored\n".len()];
    let output = child.stdout.as_mut().unwrap();
    output.read_exact(&mut ignored).unwrap();
    let id = child.id();
    let ending = std::thread::spawn(move || child.wait_with_output().unwrap());
    while !ending.is_finished() {
        // It fails as soon as the program has ended.
        let _ = Command::new("kill")
            .args(["-INT", &id.to_string()])
            .status();
        std::thread::sleep(Duration::from_millis(10));
    }
    let output = ending.join().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}");
    assert!(!told.contains("AZURE_OPENAI_ENDPOINT"), "{told}");
}

fn question(name: &str, most: u64) -> Value {
    json!({
        "messages": [{ "role": "user", "content": format!("Describe a {name}.") }],
        "max_tokens": most,
        "seed": 7,
    })
}

fn text(reply: &Reply) -> String {
    reply.json()["choices"][0]["message"]["content"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn signal(name: &str, process: u32) {
    let sent = Command::new("kill")
        .args([name, &process.to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

/// Waits until the process is gone. A zombie also counts as gone.
fn is_gone(process: u32) -> bool {
    until(Duration::from_secs(10), || {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    })
}

fn until(most: Duration, done: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < most {
        if done() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

/// Runs `evenhand serve` in a way in which it cannot start. Returns what it prints.
fn fails(home: &Path, arguments: &[&str]) -> String {
    let output = evenhand()
        .env("EVENHAND_HOME", home)
        .arg("serve")
        .args(arguments)
        .output()
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn answers_as_azure_does_and_alike_under_load() {
    let serve = Serve::start(&[]);
    let reply = serve.ask(&question("nurse", 12));
    assert_eq!(reply.status, 200, "{reply:?}");
    let answer = reply.json();
    assert_eq!(answer["model"], "SmolLM2-135M-Instruct");
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
    assert_eq!(answer["choices"][0]["message"]["role"], "assistant");
    assert_eq!(answer["usage"]["completion_tokens"], 12);
    assert!(answer.get("timings").is_none() && !reply.body.contains("content_filter"));
    assert!(reply.header("x-request-id").is_some() && reply.header("apim-request-id").is_some());
    assert_eq!(reply.header("x-ms-region"), Some("local"));
    assert_eq!(reply.header("x-ratelimit-limit-tokens"), None);

    // The same seed gives the same answer, whatever other requests are being processed.
    let expected = text(&reply);
    std::thread::scope(|scope| {
        let names = ["nurse", "doctor", "pilot", "nurse", "chef", "nurse"];
        let asked = names.map(|name| (name, scope.spawn(|| serve.ask(&question(name, 12)))));
        for (name, reply) in asked {
            assert_eq!(text(&reply.join().unwrap()) == expected, name == "nurse");
        }
    });

    // The other path, the other credential, the other name of the limit, several answers.
    let body = json!({
        "model": "any", "n": 2, "max_completion_tokens": 3, "seed": 1,
        "messages": [{ "role": "user", "content": "Say something." }],
    });
    let reply = serve.post(
        V1,
        &[("authorization", "Bearer evenhand-test")],
        &body.to_string(),
    );
    let answer = reply.json();
    assert_eq!(answer["choices"].as_array().unwrap().len(), 2, "{answer}");
    assert_eq!(answer["choices"][1]["index"], 1);
    assert_eq!(answer["usage"]["completion_tokens"], 6);
}

#[test]
fn streams_the_same_answer_piece_by_piece() {
    let serve = Serve::start(&[]);
    let mut body = question("nurse", 10);
    let whole = text(&serve.ask(&body));
    body["stream"] = true.into();
    let reply = serve.ask(&body);
    assert_eq!(
        reply.header("content-type"),
        Some("text/event-stream; charset=utf-8")
    );
    let events: Vec<_> = reply
        .body
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .collect();
    let (last, pieces) = events.split_last().unwrap();
    assert_eq!(*last, "[DONE]");
    assert!(pieces.len() > 5, "{pieces:?}");
    let pieces: Vec<Value> = pieces
        .iter()
        .map(|piece| serde_json::from_str(piece).unwrap())
        .collect();
    let said: String = pieces
        .iter()
        .filter_map(|piece| piece["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(said, whole);
    assert!(
        pieces.iter().all(
            |piece| piece["model"] == "SmolLM2-135M-Instruct" && piece.get("timings").is_none()
        )
    );
    assert_eq!(
        pieces.last().unwrap()["choices"][0]["finish_reason"],
        "length"
    );
}

#[test]
fn refuses_in_azures_words() {
    let serve = Serve::start(&["--deployment", "one", "--deployment", "two"]);
    let ask = question("nurse", 1).to_string();
    let known = "/openai/deployments/two/chat/completions";
    let good = format!("{known}?api-version=2024-10-21");
    let check = |reply: Reply, status: u16, code: Value, words: &str| {
        let error = reply.json()["error"].clone();
        assert_eq!((reply.status, &error["code"]), (status, &code), "{reply:?}");
        assert!(
            error["message"].as_str().unwrap().contains(words),
            "{error}"
        );
        assert!(reply.header("x-request-id").is_some());
    };
    check(
        serve.post(&good, &[], &ask),
        401,
        json!("401"),
        "Access denied due to invalid subscription key",
    );
    check(
        serve.post(&good, &[("api-key", "evenhand-tesT")], &ask),
        401,
        json!("401"),
        "Access denied",
    );
    check(
        serve.post(&good, &[("authorization", "Basic x")], &ask),
        401,
        json!("401"),
        "Access denied",
    );
    check(
        serve.post(known, &[KEY], &ask),
        404,
        json!("404"),
        "Resource not found",
    );
    check(
        serve.post(&format!("{V1}?api-version=2024-10-21"), &[KEY], &ask),
        400,
        json!("BadRequest"),
        "API version not supported",
    );
    let image = json!({ "messages": [{ "role": "user", "content": [{ "type": "image_url",
        "image_url": { "url": "data:image/png;base64,AAAA" } }] }] });
    check(
        serve.post(&good, &[KEY], &image.to_string()),
        400,
        json!(null),
        "image_url is only supported by certain models",
    );
    check(
        serve.post(&format!("{known}?api-version=latest"), &[KEY], &ask),
        404,
        json!("404"),
        "Resource",
    );
    check(
        serve.post("/v1/chat/completions", &[KEY], &ask),
        404,
        json!("404"),
        "Resource not found",
    );
    check(
        serve.post(DATED, &[KEY], &ask),
        404,
        json!("DeploymentNotFound"),
        "does not exist",
    );
    check(
        http::send(&serve.address, "GET", &good, &[KEY], ""),
        405,
        json!("405"),
        "Method",
    );
    check(serve.post(&good, &[KEY], "{"), 400, Value::Null, "not JSON");
    check(
        serve.post(&good, &[KEY], "{}"),
        400,
        Value::Null,
        "'messages' is a required property",
    );
    check(
        serve.post(V1, &[KEY], &ask),
        400,
        Value::Null,
        "model parameter",
    );
    check(
        serve.post(&good, &[KEY], &" ".repeat(1 << 21)),
        413,
        json!("413"),
        "1 MB",
    );
    let long = json!({ "messages": [{ "role": "user", "content": "word ".repeat(3_000) }] });
    check(
        serve.post(&good, &[KEY], &long.to_string()),
        400,
        json!("context_length_exceeded"),
        "context size",
    );
    assert_eq!(serve.post(&good, &[KEY], &ask).status, 200);
    let models = http::send(&serve.address, "GET", "/openai/v1/models", &[KEY], "").json();
    assert_eq!(models["data"][0]["id"], "SmolLM2-135M-Instruct");
}

#[test]
fn a_used_up_quota_is_a_429_that_says_when_to_come_back() {
    let serve = Serve::start(&["--tpm", "5000"]);
    let started = Instant::now();
    let first = serve.ask(&question("nurse", 1));
    assert_eq!(first.status, 200);
    assert_eq!(first.number("x-ratelimit-limit-requests"), 30);
    assert_eq!(first.number("x-ratelimit-remaining-requests"), 29);
    assert_eq!(first.number("x-ratelimit-limit-tokens"), 5_000);
    // "user" and the question are 21 characters, six tokens, and one to write.
    assert_eq!(first.number("x-ratelimit-remaining-tokens"), 4_993);
    assert!((55..=60).contains(&first.number("x-ratelimit-reset-tokens")));

    let larger_than_all = serve.ask(&question("nurse", 5_000));
    assert_eq!(larger_than_all.status, 429);
    assert!(
        larger_than_all.body.contains("exceeded token rate limit"),
        "{larger_than_all:?}"
    );

    let replies: Vec<_> = (0..4).map(|_| serve.ask(&question("nurse", 1))).collect();
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "too slow to fill ten seconds"
    );
    let statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [200, 200, 200, 429]);
    let refused = &replies[3];
    assert_eq!(refused.json()["error"]["code"], "429");
    assert!(
        refused.body.contains("exceeded call rate limit"),
        "{refused:?}"
    );
    let (seconds, milliseconds) = (
        refused.number("retry-after"),
        refused.number("retry-after-ms"),
    );
    assert!((1..=10).contains(&seconds) && milliseconds.div_ceil(1000) == seconds);
    std::thread::sleep(Duration::from_millis(milliseconds));
    assert_eq!(serve.ask(&question("nurse", 1)).status, 200);
}

#[cfg(target_os = "linux")]
#[test]
fn the_model_ends_with_its_parent_however_that_ends() {
    let mut killed = Serve::start(&[]);
    let engine = killed.engine();
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    assert!(is_gone(engine), "{engine} is an orphan");

    // Nobody reads its output any more, which must not disturb it either.
    let mut told = Serve::start(&[]);
    let engine = told.engine();
    signal("-TERM", told.child.id());
    assert!(told.child.wait().unwrap().success());
    assert!(is_gone(engine), "{engine} is an orphan");
}

#[cfg(target_os = "linux")]
#[test]
fn a_model_that_died_is_started_again() {
    let serve = Serve::start(&[]);
    let engine = serve.engine();
    let interrupted = std::thread::scope(|scope| {
        let asked = scope.spawn(|| serve.ask(&question("nurse", 2_000)));
        std::thread::sleep(Duration::from_millis(500));
        signal("-KILL", engine);
        asked.join().unwrap()
    });
    assert_eq!(interrupted.status, 503, "{interrupted:?}");
    assert_eq!(interrupted.json()["error"]["code"], "503");
    assert!(interrupted.body.contains("The local model stopped"));
    let back = until(Duration::from_secs(30), || {
        let reply = serve.ask(&question("nurse", 1));
        assert!(matches!(reply.status, 200 | 503), "{reply:?}");
        reply.status == 200
    });
    assert!(back);
    assert_ne!(serve.engine(), engine);
}

#[test]
fn a_port_that_is_taken_is_said_so() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    // It fails before it needs the home.
    let folder = tempfile::tempdir().unwrap();
    let said = fails(folder.path(), &["--port", &port.to_string()]);
    assert!(
        said.contains(&format!("could not listen on 127.0.0.1:{port}")),
        "{said}"
    );
    assert!(
        said.contains("hint: another program uses the port"),
        "{said}"
    );
}

#[cfg(unix)]
#[test]
fn a_model_that_does_not_start_shows_what_it_printed() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let (bin, model) = (folder.path().join("venv/bin"), folder.path().join("model"));
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::create_dir_all(&model).unwrap();
    std::fs::write(model.join("SmolLM2-135M-Instruct.Q4_1.gguf"), "").unwrap();
    let python = bin.join("python");
    std::fs::write(
        &python,
        "#!/bin/sh\necho 'No module named xllamacpp' >&2\nexit 3\n",
    )
    .unwrap();
    std::fs::set_permissions(&python, PermissionsExt::from_mode(0o755)).unwrap();
    // With these the folder counts as the launcher's, and the environment as complete.
    for stamp in [".evenhand-home", "venv/evenhand-requirements.txt"] {
        std::fs::copy(home().join(stamp), folder.path().join(stamp)).unwrap();
    }
    let said = fails(folder.path(), &["--port", "0"]);
    assert!(
        said.contains("the local model did not start: it ended with exit status: 3"),
        "{said}"
    );
    assert!(said.contains("| No module named xllamacpp"), "{said}");
    assert!(said.contains("engine.log"), "{said}");
}
