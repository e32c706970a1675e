//! `evenhand practice` as a program, and `evenhand cloud check`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};

use evenhand::azure::Azure;
use evenhand::databricks::Workspace;
use rustix::process::{Pid, Signal, kill_process};

use super::learner::{Learner, told};
use crate::support::server::Cloud;
use crate::support::server::practice::Fault;

/// A running practice cloud, and the variables that it prints.
struct Running {
    process: Child,
    variables: Vec<(String, String)>,
}

impl Running {
    fn start(learner: &Learner, arguments: &[&str]) -> Self {
        let arguments = [
            &[
                "practice",
                "--without-model",
                "--port",
                "0",
                "--minute",
                "0",
            ],
            arguments,
        ]
        .concat();
        let mut process = learner
            .command(&arguments)
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.as_mut().unwrap()).lines();
        let mut variables = Vec::new();
        for line in lines.map_while(Result::ok) {
            if let Some((name, value)) = line
                .strip_prefix("export ")
                .and_then(|it| it.split_once('='))
            {
                variables.push((name.to_owned(), value.to_owned()));
            }
            if line.contains("Ctrl-C") {
                break;
            }
        }
        Self { process, variables }
    }

    fn variable(&self, name: &str) -> Option<String> {
        let mut all = self.variables.iter();
        all.find(|(own, _)| own == name)
            .map(|(_, value)| value.clone())
    }

    fn url(&self) -> String {
        self.variable("AZURE_RESOURCE_MANAGER_URL").unwrap()
    }

    fn stop(mut self) {
        let id = Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap();
        kill_process(id, Signal::TERM).unwrap();
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
    }
}

#[test]
fn the_practice_cloud_keeps_what_there_is_and_its_file_is_private() {
    let learner = Learner::new();
    let running = Running::start(&learner, &[]);
    let azure = Azure::from_lookup(|name| running.variable(name)).unwrap();
    assert!(azure.is_practice());
    let workspace = Workspace::from_lookup(|name| running.variable(name)).unwrap();
    assert!(workspace.is_practice());
    let account = azure
        .openai("even-lab")
        .region("swedencentral")
        .create()
        .unwrap();
    let model = account.deploy("gpt-35-turbo").create().unwrap();
    // Without its model it says so, and to others nothing.
    let client = model.client().unwrap();
    let error = client.complete("Hello.").unwrap_err();
    assert!(error.to_string().contains("local model"), "{error}");
    let state = learner.home().join("practice/state.json");
    assert_eq!(
        fs::metadata(&state).unwrap().permissions().mode() & 0o777,
        0o600
    );
    // Whoever wants the same home uses the one that runs.
    let second = learner
        .command(&["practice", "--without-model", "--port", "0"])
        .output()
        .unwrap();
    assert!(told(&second).contains("runs already"), "{}", told(&second));
    let output = learner
        .command(&["cloud", "up", "--yes", "--without-databricks", "--practice"])
        .output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let settings = fs::read_to_string(learner.settings()).unwrap();
    assert!(settings.contains(&running.url()), "{settings}");
    running.stop();

    let running = Running::start(&learner, &[]);
    let azure = Azure::from_lookup(|name| running.variable(name)).unwrap();
    assert!(azure.openai("even-lab").get().unwrap().is_some());
    running.stop();
    let running = Running::start(&learner, &["--reset"]);
    let azure = Azure::from_lookup(|name| running.variable(name)).unwrap();
    assert!(azure.openai("even-lab").get().unwrap().is_none());
    running.stop();
}

#[test]
fn without_a_practice_cloud_one_runs_as_long_as_the_command() {
    let learner = Learner::new();
    for arguments in [
        &["cloud", "up", "--yes", "--practice=0"][..],
        &["cloud", "status", "--practice=0"],
        &["cloud", "down", "--yes", "--purge", "--practice=0"],
    ] {
        let output = learner.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", told(&output));
        assert!(told(&output).contains("nothing is real, and nothing costs anything"));
    }
    let state = fs::read_to_string(learner.home().join("practice/state.json")).unwrap();
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    for part in ["groups", "things", "clusters"] {
        assert_eq!(state["state"][part], serde_json::json!({}), "{part}");
    }
    let output = learner.command(&["practice", "--help"]).output().unwrap();
    for (_, name, _) in Fault::ALL {
        assert!(told(&output).contains(name), "{name}");
    }
}

#[test]
fn check_finds_each_pain_that_can_be_known() {
    let check = |fault: Option<Fault>| {
        let (learner, cloud) = (Learner::new(), Cloud::start());
        if let Some(fault) = fault {
            cloud.fail(fault);
        }
        let output = learner.types(&cloud, &["check"]);
        assert_eq!(cloud.changes(), [""; 0], "a check makes nothing");
        (output.status.success(), told(&output))
    };
    let (is_ready, told) = check(None);
    assert!(is_ready && !told.contains("fails"), "{told}");
    for (fault, is_ready, words) in [
        (Fault::ModelRetired, false, "model"),
        (
            Fault::NoQuota,
            false,
            "2,000 tokens per minute of GlobalStandard",
        ),
        (Fault::WrongSku, false, "model"),
        (Fault::NameTaken, false, "is taken"),
        (Fault::Reader, false, "Contributor"),
        (Fault::NoCores, false, "cores of"),
        (Fault::Disabled, false, "activate it"),
        (Fault::FreeTrial, true, "free trial"),
        (Fault::NotRegistered, true, "az provider register"),
    ] {
        let (was_ready, told) = check(Some(fault));
        assert_eq!(was_ready, is_ready, "{fault:?}: {told}");
        assert!(told.contains(words), "{fault:?}: {told}");
    }
}
