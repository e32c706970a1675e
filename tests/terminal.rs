//! Printed text cannot control the terminal, and the program does not depend on a reader.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::run::{cell, lesson};
use crate::support::evenhand;
use crate::support::server::{Reply, Server};

/// Titles, the clipboard, colors, deletions, carriage returns, C1 controls, bidirectional overrides
/// and tag characters.
const HOSTILE: &str = "\u{1b}]0;mine\u{7}\u{1b}]52;c;cHduZWQ=\u{1b}\\\u{1b}[2J\u{1b}[8mx\rok\u{8}\u{9b}31m\u{202e}txt\u{e0041} 👩‍⚕️ é";

/// Asserts that the text has no control sequences and no invisible characters.
#[track_caller]
fn assert_legible(text: &str) {
    let is_obeyed = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{202e}' | '\u{e0041}')
    };
    assert!(!text.contains(is_obeyed), "{text:?}");
}

fn asking(command: &str, server: &Server) -> Command {
    let mut asking = evenhand();
    asking
        .arg(command)
        .env("AZURE_OPENAI_ENDPOINT", server.url())
        .env("AZURE_OPENAI_API_KEY", "Hunter2-Hunter2")
        .env("AZURE_OPENAI_DEPLOYMENT", "gpt");
    asking
}

fn texts(output: &Output) -> [String; 2] {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8(bytes.clone()).unwrap())
}

#[test]
fn the_name_that_a_service_gives_its_model_is_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::by_prompt(|_, _| {
        let name = format!("{HOSTILE}\n✓ all is well");
        Reply::json(
            200,
            json!({"model": name, "choices": [{"message": {"content": "yes"}}]}),
        )
    });
    let mut doctor = asking("doctor", &server);
    let output = doctor.env("EVENHAND_HOME", folder.path()).output().unwrap();
    let [out, err] = texts(&output);
    assert!(out.contains("answers, with the model �]0;mine�"), "{out}");
    assert!(out.contains("👩‍⚕️ é ✓ all is well"), "{out}");
    assert!(!out.contains("\n✓ all is well"), "{out}");
    assert_legible(&out);
    assert_legible(&err);
}

#[test]
fn what_a_service_says_is_no_order_in_a_message_or_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let complete = |server: &Server| {
        let mut command = asking("complete", server);
        command.current_dir(folder.path());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"\"Describe a nurse.\"\n").unwrap();
        drop(input);
        texts(&child.wait_with_output().unwrap())
    };
    let refusing = Server::by_prompt(|_, _| Reply::error(401, "401", HOSTILE));
    let [out, err] = complete(&refusing);
    assert!(err.contains("�]0;mine�"), "{err}");
    assert_legible(&out);
    assert_legible(&err);

    let answering = Server::by_prompt(|_, _| Reply::text(HOSTILE));
    let [out, err] = complete(&answering);
    assert_legible(&out);
    assert_legible(&err);
    // Escaped, but still the model's text.
    let row: Value = serde_json::from_str(&out).unwrap();
    let said = &row["response"]["body"]["choices"][0]["message"]["content"];
    assert_eq!(said, HOSTILE);
    assert!(out.contains("👩‍⚕️ é"), "{out}");
}

#[test]
fn a_cell_that_fails_with_an_answer_steers_no_terminal() {
    let source =
        format!("let answer = {HOSTILE:?};\nprintln!(\"{{answer}}\");\npanic!(\"{{answer}}\");");
    let lesson = lesson::Lesson::new(&[cell(&source)]);
    let ran = lesson.run(&["--out", "out"]);
    assert_eq!(ran.code, Some(1));
    assert_legible(&ran.stdout);
    assert_legible(&ran.stderr);
    let last = ran
        .stderr
        .lines()
        .find(|line| line.starts_with("error: "))
        .unwrap();
    assert!(last.contains("failed: panic: �]0;mine�"), "{last}");
    // Programs that print the notebook's traceback unchanged are just as safe.
    let error = lesson.executed()[0]["outputs"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_legible(error["evalue"].as_str().unwrap());
    let traceback = error["traceback"]
        .to_string()
        .replace("\\u001b[91m", "")
        .replace("\\u001b[0m", "");
    assert!(!traceback.contains("\\u001b"), "{traceback}");
}

#[test]
fn a_reader_that_has_gone_ends_nothing_with_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["doctor"][..],
        &["clean"],
        &["--help"],
        &["--version"],
        &["complete"],
        &["run", "none.ipynb"],
    ] {
        let mut child = evenhand()
            .args(arguments)
            .env("EVENHAND_HOME", folder.path().join("none"))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut err = String::new();
        let mut stderr = child.stderr.take().unwrap();
        std::io::Read::read_to_string(&mut stderr, &mut err).unwrap();
        let status = child.wait().unwrap();
        assert!(!err.contains("panicked"), "{arguments:?}: {err}");
        assert!(
            matches!(status.code(), Some(0..=4)),
            "{arguments:?}: {status}"
        );
    }
}
