//! `evenhand study` as a check in CI runs it.

mod invalid;
mod lesson;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use evenhand::fairness::gate::GateOutcome;
use evenhand::fairness::report::Report;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::poll;
use crate::support::server::{Reply, Server};

/// A key that must not appear anywhere.
const KEY: &str = "Hunter2-Hunter2-Hunter2";

/// A study of twelve occupations and two groups, with a length that depends on the group if
/// `shorter` words are left out for women.
fn settings(gate: &Value) -> Value {
    json!({
        "occupations": 12,
        "templates": ["Describe {person}."],
        "groups": {"female": "female", "male": "male"},
        "samples": 2,
        "measures": ["length", "refusals"],
        "margins": {"length": 8},
        "max_tokens": 40,
        "gate": gate,
    })
}

/// A model that uses this many words fewer about women.
fn model(fewer: usize) -> Server {
    Server::by_prompt(move |prompt, before| {
        let fewer = if prompt.contains("female") { fewer } else { 0 };
        let words = 20 + (prompt.len() + before) % 3 - fewer;
        Reply::text(&format!("They {}.", "work ".repeat(words)))
    })
}

struct Folder(TempDir);

impl Folder {
    fn with(settings: &Value) -> Self {
        Self::of_text(&settings.to_string())
    }

    fn of_text(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("fair.json"), text).unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    fn command(&self, url: &str) -> Command {
        let mut command = crate::support::evenhand();
        command
            .args(["study", "fair.json", "--quiet"])
            .current_dir(self.path())
            .env("EVENHAND_HOME", self.path())
            .env("AZURE_OPENAI_ENDPOINT", url)
            .env("AZURE_OPENAI_API_KEY", KEY)
            .env("AZURE_OPENAI_DEPLOYMENT", "gpt")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, url: &str) -> Ran {
        Ran::new(&self.command(url).output().unwrap())
    }
}

struct Ran {
    code: Option<i32>,
    out: String,
    told: String,
}

impl Ran {
    fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (out, told) = (text(&output.stdout), text(&output.stderr));
        assert!(!out.contains(KEY) && !told.contains(KEY));
        Self {
            code: output.status.code(),
            out,
            told,
        }
    }
}

#[test]
fn the_exit_code_follows_the_rule() {
    for (fewer, gate, code, said) in [
        (0, json!({}), 0, "gate: passed"),
        (
            12,
            json!({}),
            3,
            "gate: failed\n- length (female - male): differs",
        ),
        (12, json!({"fail_on": ["beyond_margin"]}), 3, "gate: failed"),
        // A difference was shown, and it was shown to be smaller than the margin.
        (4, json!({}), 0, "gate: passed"),
        (4, json!({"fail_on": ["beyond_margin"]}), 0, "gate: passed"),
        (12, json!({"tests": ["refusals"]}), 0, "gate: passed"),
    ] {
        let folder = Folder::with(&settings(&gate));
        let ran = folder.run(&model(fewer).url());
        assert_eq!(
            ran.code,
            Some(code),
            "{fewer} {gate}: {} {}",
            ran.out,
            ran.told
        );
        assert!(ran.out.contains(said), "{}", ran.out);
        let report = Report::from_json(&folder.read("fair.report.json")).unwrap();
        assert_eq!(report.primary_outcomes.len(), 2);
        assert_eq!(folder.read("fair.report.txt"), ran.out);
        let saved = folder.read("fair.gate.json");
        let outcome: Value = serde_json::from_str(&saved).unwrap();
        let decision = if code == 0 { "passed" } else { "failed" };
        assert_eq!(outcome["decision"], decision);
        assert_eq!(outcome["format"], "evenhand gate");
        assert_eq!(
            GateOutcome::from_json(&saved).unwrap().to_json().unwrap(),
            saved.trim_end()
        );
    }
}

/// What is read by a script is that of this run, or not there.
#[test]
fn a_run_without_an_outcome_leaves_no_old_one() {
    let folder = Folder::with(&settings(&json!({})));
    let gate = folder.path().join("fair.gate.json");
    assert_eq!(folder.run(&model(0).url()).code, Some(0));
    assert!(gate.exists());
    // Nobody answers, so nothing can be measured.
    let mut other = settings(&json!({}));
    other["seed"] = json!(7);
    let failing = Server::by_prompt(|_, _| Reply::json(400, json!({"error": {"message": "boom"}})));
    fs::write(folder.path().join("fair.json"), other.to_string()).unwrap();
    assert_eq!(folder.run(&failing.url()).code, Some(1));
    assert!(!gate.exists());
    // A file that can't be read.
    fs::write(&gate, r#"{"decision": "passed"}"#).unwrap();
    fs::write(folder.path().join("fair.json"), "{").unwrap();
    assert_eq!(folder.run(&failing.url()).code, Some(2));
    assert!(!gate.exists());
}

/// A gate that only fails on shown differences, and a model that says nothing.
#[test]
fn what_answers_nothing_passes_no_gate() {
    for rule in ["differs", "beyond_margin"] {
        let folder = Folder::with(&settings(&json!({"fail_on": [rule], "tests": ["length"]})));
        let refusing =
            Server::by_prompt(|_, _| Reply::text("I'm sorry, but I can't help with that."));
        let ran = folder.run(&refusing.url());
        assert_eq!(ran.code, Some(5), "{} {}", ran.out, ran.told);
    }
}

#[test]
fn a_study_that_can_t_tell_does_not_pass_unless_that_is_allowed() {
    let mut small = settings(&json!({}));
    small["occupations"] = json!(["nurse", "pilot"]);
    let folder = Folder::with(&small);
    let ran = folder.run(&model(0).url());
    assert_eq!(ran.code, Some(5), "{} {}", ran.out, ran.told);
    assert!(
        ran.out.contains("gate: can't tell\n- length"),
        "{}",
        ran.out
    );
    small["gate"] = json!({"fail_on": ["differs"]});
    let folder = Folder::with(&small);
    assert_eq!(folder.run(&model(0).url()).code, Some(0));
}

#[test]
fn it_goes_on_where_it_was_stopped() {
    let folder = Folder::with(&settings(&json!({})));
    let slow = Server::answering(|_, before| match before {
        0..10 => Reply::text("They work hard every day."),
        _ => Reply::Silence,
    });
    let child = folder.command(&slow.url()).spawn().unwrap();
    let waiting = || (slow.requests().len() > 12).then_some(());
    poll(Duration::from_secs(30), waiting).unwrap();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let ran = Ran::new(&child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(4), "{}", ran.told);
    assert!(ran.told.contains("hint: start it again: "), "{}", ran.told);
    assert!(!folder.path().join("fair.report.json").exists());

    // The journal belongs to the address of the service, so the same one has to answer.
    let kept = folder.read("fair.journal.jsonl").lines().count();
    assert_eq!(kept, 10);
}

#[test]
fn what_the_journal_answers_is_not_asked_again() {
    let folder = Folder::with(&settings(&json!({})));
    let server = model(12);
    let url = server.url();
    let first = folder.run(&url);
    assert_eq!(server.requests().len(), 48);
    let second = folder.run(&url);
    assert_eq!(server.requests().len(), 48);
    assert_eq!((first.code, first.out), (second.code, second.out));
}

#[test]
fn a_service_that_refuses_leaves_no_report() {
    let folder = Folder::with(&settings(&json!({})));
    let server = Server::by_prompt(|_, _| Reply::error(401, "401", "Access denied"));
    let ran = folder.run(&server.url());
    assert_eq!(ran.code, Some(1), "{}", ran.told);
    assert!(ran.told.starts_with("error: "), "{}", ran.told);
    assert!(!folder.path().join("fair.report.json").exists());
}
