//! A learner with a home and a folder of notebooks, who types `evenhand cloud ..`.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use crate::support::evenhand;
use crate::support::server::Cloud;

const VARIABLES: [&str; 5] = [
    "AZURE_RESOURCE_MANAGER_URL",
    "AZURE_AUTHORITY_HOST",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
];

pub(super) struct Learner {
    home: TempDir,
    pub(super) folder: TempDir,
}

impl Learner {
    pub(super) fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(super) fn home(&self) -> PathBuf {
        self.home.path().join("home")
    }

    pub(super) fn settings(&self) -> PathBuf {
        self.folder.path().join(".env")
    }

    /// The ledger of a practice cloud.
    pub(super) fn ledger(&self) -> PathBuf {
        self.home().join("cloud/practice.json")
    }

    /// An entry of the ledger.
    pub(super) fn entry(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.ledger()).unwrap();
        let ledger: serde_json::Value = serde_json::from_str(&text).unwrap();
        ledger["entries"][name].as_str().unwrap().to_owned()
    }

    /// `evenhand` with these arguments, in no cloud.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = evenhand();
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("EVENHAND_HOME", self.home())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for name in VARIABLES {
            command.env_remove(name);
        }
        for name in ["AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP"] {
            command.env_remove(name);
        }
        command
    }

    /// `evenhand cloud` with these arguments, in this cloud.
    pub(super) fn in_cloud(&self, cloud: &Cloud, arguments: &[&str]) -> Command {
        let mut command = self.command(&[&["cloud"], arguments].concat());
        for name in VARIABLES {
            command.env(name, cloud.variable(name).unwrap());
        }
        command
    }

    pub(super) fn types(&self, cloud: &Cloud, arguments: &[&str]) -> Output {
        self.in_cloud(cloud, arguments).output().unwrap()
    }

    /// The same, which has to succeed.
    pub(super) fn succeeds(&self, cloud: &Cloud, arguments: &[&str]) -> String {
        let output = self.types(cloud, arguments);
        assert!(output.status.success(), "{arguments:?}: {}", told(&output));
        told(&output)
    }

    pub(super) fn begins(&self, cloud: &Cloud, arguments: &[&str]) -> Child {
        self.in_cloud(cloud, arguments).spawn().unwrap()
    }
}

/// Everything that was printed.
pub(super) fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}
