//! Sail from PyPI, the release that the launcher installs, run by the launcher's own script.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

use evenhand::spark::Session;

use crate::support::python::environment;
use crate::support::{artifact, skip};

const SCRIPT: &str = include_str!("../../crate/launcher/src/commands/spark/engine.py");
const REQUIREMENTS: &str = include_str!("../../crate/launcher/requirements-spark.txt");
/// Apache Spark's own client, without its server.
const CLIENT: &str = "pyspark-client==4.2.0";

/// A running engine. It ends when this is dropped, and with the test program.
pub(super) struct Sail {
    pub(super) child: Child,
    /// Where it keeps its tables.
    _folder: tempfile::TempDir,
    _stdin: Option<ChildStdin>,
    pub(super) port: u16,
}

impl Sail {
    pub(super) fn start(python: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(python)
            .current_dir(folder.path())
            .args(["-I", "-c", SCRIPT, "0"])
            .arg(artifact("sail.log"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        let port = address
            .trim()
            .strip_prefix("sc://127.0.0.1:")
            .expect("an address");
        Self {
            port: port.parse().unwrap(),
            _stdin: child.stdin.take(),
            child,
            _folder: folder,
        }
    }

    pub(super) fn remote(&self) -> String {
        format!("sc://127.0.0.1:{}", self.port)
    }
}

impl Drop for Sail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A Python with the engine and Apache Spark's client, or `None` where there is no network.
pub(super) fn python() -> Option<PathBuf> {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = PYTHON.get_or_init(|| {
        let mut lines = REQUIREMENTS.lines();
        let engine = lines.find(|line| line.starts_with("pysail==")).unwrap();
        let engine = engine.split(' ').next().unwrap();
        environment("spark-python", Path::new("python3"), &[engine, CLIENT])
            .map(|bin| bin.join("python"))
    });
    match found {
        Ok(python) => Some(python.clone()),
        Err(why) => {
            skip(&format!("no engine from PyPI: {why}"));
            None
        }
    }
}

/// The engine that the tests share.
pub(super) fn sail() -> Option<&'static Sail> {
    static SAIL: OnceLock<Option<Sail>> = OnceLock::new();
    SAIL.get_or_init(|| python().map(|python| Sail::start(&python)))
        .as_ref()
}

/// A new session on the shared engine.
pub(super) fn session() -> Option<Session> {
    let remote = sail()?.remote();
    Some(Session::builder().remote(remote).create().unwrap())
}
