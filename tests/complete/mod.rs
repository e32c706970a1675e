//! `evenhand complete` as a shell, a cron job or a cluster's executor runs it.

mod input;
mod killed;
mod memory;
mod money;
mod outcomes;
mod signals;
mod streams;

use std::io::Write;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::support::poll;
use crate::support::server::{Reply, Server};

/// A key that must not appear anywhere.
const KEY: &str = "Hunter2-Hunter2-Hunter2";

/// Long enough for a busy machine.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The command, in this folder, without a service.
fn command(folder: &Path) -> Command {
    let mut command = crate::support::evenhand();
    command
        .arg("complete")
        .current_dir(folder)
        .env("EVENHAND_HOME", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The command with this server as its service.
fn complete(folder: &Path, url: &str) -> Command {
    let mut command = command(folder);
    command
        .env("AZURE_OPENAI_ENDPOINT", url)
        .env("AZURE_OPENAI_API_KEY", KEY)
        .env("AZURE_OPENAI_DEPLOYMENT", "gpt");
    command
}

/// A server that gives each prompt its own answer.
fn good() -> Server {
    Server::by_prompt(|prompt, _| answer(prompt))
}

fn answer(prompt: &str) -> Reply {
    Reply::text(&format!("answer to {prompt}"))
}

/// This many prompts, one per line.
fn prompts(count: usize) -> String {
    (0..count)
        .map(|number| format!("\"number {number}\"\n"))
        .collect()
}

/// How it ended.
struct Ended {
    code: Option<i32>,
    rows: Vec<Value>,
    told: String,
}

impl Ended {
    fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (out, told) = (text(&output.stdout), text(&output.stderr));
        assert!(!out.contains(KEY) && !told.contains(KEY));
        assert!(out.is_empty() || out.ends_with('\n'), "{out}");
        Self {
            code: output.status.code(),
            rows: out
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect(),
            told,
        }
    }

    /// Asserts how it ended, and with how many rows.
    #[track_caller]
    fn assert(&self, code: i32, rows: usize) {
        let ended = (self.code, self.rows.len());
        assert_eq!(ended, (Some(code), rows), "{}", self.told);
    }

    /// The model's answers, or the errors, by the names of the rows.
    fn texts(&self) -> Vec<(&str, &str)> {
        let text = |row: &'_ Value| {
            let content = &row["response"]["body"]["choices"][0]["message"]["content"];
            content.as_str().is_some()
        };
        self.rows
            .iter()
            .map(|row| {
                let said = match text(row) {
                    true => &row["response"]["body"]["choices"][0]["message"]["content"],
                    false => &row["error"]["message"],
                };
                (row["custom_id"].as_str().unwrap(), said.as_str().unwrap())
            })
            .collect()
    }

    /// Its messages, without the parts that vary.
    fn told(&self, server: Option<&Server>) -> String {
        let told = match server {
            Some(server) => self.told.replace(&format!(":{}", server.port()), ":PORT"),
            None => self.told.clone(),
        };
        let words = told.split_inclusive(' ');
        let mut plain = String::new();
        for word in words {
            let is_time = word.contains('.') && word.trim_end().parse::<f64>().is_ok();
            plain.push_str(if is_time { "T " } else { word });
        }
        plain.trim_end().to_owned()
    }
}

/// Runs it with this input until it ends.
fn run(command: &mut Command, input: impl Into<Vec<u8>>) -> Ended {
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.into();
    // It may end before it has read everything.
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    let ended = Ended::new(&child.wait_with_output().unwrap());
    writer.join().unwrap();
    ended
}

/// Starts it with this input, which stays open.
fn begin(command: &mut Command, input: &str) -> (Child, ChildStdin) {
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    (child, stdin)
}

/// Waits for its end, which must come soon.
fn ends(mut child: Child) -> Ended {
    if poll(TIMEOUT, || child.try_wait().unwrap()).is_none() {
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        panic!(
            "it does not end: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ended::new(&child.wait_with_output().unwrap())
}

/// Waits until this many requests have arrived.
fn wait_for(server: &Server, requests: usize) {
    let came = poll(TIMEOUT, || {
        (server.requests().len() >= requests).then_some(())
    });
    came.unwrap_or_else(|| panic!("not {requests} requests: {}", server.requests().len()));
}
