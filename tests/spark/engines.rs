//! The engines that the suite runs on: Sail and Apache Spark from PyPI, the releases that the
//! launcher installs, run by the launcher's own scripts.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

use evenhand::spark::Session;

use crate::support::process_table::children;
use crate::support::python::environment;
use crate::support::{artifact, skip};

const SAIL_SCRIPT: &str = include_str!("../../crate/launcher/src/commands/spark/engine.py");
const SPARK_SCRIPT: &str = include_str!("../../crate/launcher/src/commands/spark/apache.py");
const SAIL: &str = include_str!("../../crate/launcher/requirements-spark.txt");
const SPARK: &str = include_str!("../../crate/launcher/requirements-pyspark.txt");
/// Apache Spark's own client, without its server.
const CLIENT: &str = "pyspark-client==4.2.0";

/// A running engine. It ends when this is dropped, and with the test program.
pub(super) struct Engine {
    name: &'static str,
    pub(super) child: Child,
    /// Where it keeps its tables.
    _folder: tempfile::TempDir,
    _stdin: Option<ChildStdin>,
    address: String,
    /// The folder for tables of an engine that wants to be told.
    tables: Option<String>,
}

impl Engine {
    fn start(name: &'static str, command: &mut Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = command
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        assert!(
            address.starts_with("sc://"),
            "{name} did not start: its log is in the target folder's tmp"
        );
        let mut words = address.split_whitespace().map(str::to_owned);
        Self {
            name,
            _stdin: child.stdin.take(),
            child,
            _folder: folder,
            address: words.next().unwrap(),
            tables: words.next(),
        }
    }

    pub(super) fn start_sail(python: &Path) -> Self {
        let mut command = Command::new(python);
        command
            .args(["-I", "-c", SAIL_SCRIPT, "0"])
            .arg(artifact("sail.log"));
        Self::start("Sail", &mut command)
    }

    /// Apache Spark on this master, such as `local[2]`.
    pub(super) fn start_spark(python: &Path, master: &str) -> Self {
        let mut command = Command::new(python);
        command
            .args(["-I", "-c", SPARK_SCRIPT, "0"])
            .arg(artifact("spark.log"))
            .arg(master);
        Self::start("Apache Spark", &mut command)
    }

    /// Apache Spark with two executors that are processes of their own, and have these variables.
    pub(super) fn start_cluster(python: &Path, variables: &[(&str, String)]) -> Self {
        let mut command = Command::new(python);
        command
            .args(["-I", "-c", SPARK_SCRIPT, "0"])
            .arg(artifact("spark-cluster.log"))
            .arg("local-cluster[2,1,768]")
            .envs(variables.iter().map(|(name, value)| (name, value)));
        Self::start("Apache Spark", &mut command)
    }

    /// The processes of a cluster's executors: children of its server, which is our child's.
    pub(super) fn executors(&self) -> Vec<u32> {
        let servers = children(self.child.id()).into_iter();
        servers.flat_map(children).collect()
    }

    pub(super) fn is_sail(&self) -> bool {
        self.name == "Sail"
    }

    pub(super) fn remote(&self) -> String {
        self.address.clone()
    }

    pub(super) fn port(&self) -> u16 {
        let (_, rest) = self.address.rsplit_once(':').unwrap();
        rest.split('/').next().unwrap().parse().unwrap()
    }

    /// The address by way of another port.
    pub(super) fn remote_at(&self, port: u16) -> String {
        let ours = format!(":{}", self.port());
        self.address.replace(&ours, &format!(":{port}"))
    }

    /// The address with another parameter.
    pub(super) fn remote_with(&self, parameter: &str) -> String {
        match self.address.contains(';') {
            true => format!("{};{parameter}", self.address),
            false => format!("{}/;{parameter}", self.address),
        }
    }

    /// A new session, with what the library sets for an engine that it has started.
    pub(super) fn session(&self) -> Session {
        let builder = Session::builder().remote(self.remote());
        let builder = match &self.tables {
            Some(tables) => builder.config("spark.sql.warehouse.dir", tables),
            None => builder,
        };
        builder.create().unwrap()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Each of these functions, which take an engine, as a test on each engine.
macro_rules! on_each_engine {
    ($($name:ident),* $(,)?) => {
        mod on_sail {
            $(#[test]
            fn $name() {
                if let Some(engine) = crate::spark::engines::sail() {
                    super::$name(engine);
                }
            })*
        }
        mod on_spark {
            $(#[test]
            fn $name() {
                if let Some(engine) = crate::spark::engines::spark() {
                    super::$name(engine);
                }
            })*
        }
    };
}
pub(super) use on_each_engine;

/// The Sail that the tests share.
pub(super) fn sail() -> Option<&'static Engine> {
    static ENGINE: OnceLock<Option<Engine>> = OnceLock::new();
    ENGINE
        .get_or_init(|| client_python().map(|python| Engine::start_sail(&python)))
        .as_ref()
}

/// The Apache Spark that the tests share.
pub(super) fn spark() -> Option<&'static Engine> {
    static ENGINE: OnceLock<Option<Engine>> = OnceLock::new();
    ENGINE
        .get_or_init(|| spark_python().map(|python| Engine::start_spark(&python, "local[2]")))
        .as_ref()
}

/// A Python with Sail and Apache Spark's client, or `None` where there is no network.
pub(super) fn client_python() -> Option<PathBuf> {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    installed(PYTHON.get_or_init(|| {
        let packages = [pinned(SAIL, "pysail"), CLIENT.to_owned()];
        bin("spark-python", &packages)
    }))
}

/// A Python with Apache Spark, or `None` where there is no network or no Java.
pub(super) fn spark_python() -> Option<PathBuf> {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    installed(PYTHON.get_or_init(|| {
        let java = Command::new("java").arg("-version").output();
        java.map_err(|error| format!("no Java: {error}"))?;
        // Its server needs no other package.
        bin(
            "spark-server",
            &["--no-deps".to_owned(), pinned(SPARK, "pyspark")],
        )
    }))
}

fn bin(name: &str, packages: &[String]) -> Result<PathBuf, String> {
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
    environment(name, Path::new("python3"), &packages).map(|bin| bin.join("python"))
}

fn installed(found: &Result<PathBuf, String>) -> Option<PathBuf> {
    let python = found.as_ref();
    python
        .map_err(|why| skip(&format!("no engine from PyPI: {why}")))
        .ok()
        .cloned()
}

/// The package with its version, as in `pysail==0.7.2`.
fn pinned(requirements: &str, package: &str) -> String {
    let mut lines = requirements.lines();
    let line = lines.find(|line| line.starts_with(&format!("{package}==")));
    line.and_then(|line| line.split(' ').next())
        .unwrap()
        .to_owned()
}

/// What both engines say on a port that is taken.
pub(super) fn refused_port(sail: &Path, spark: &Path, port: u16) -> [String; 2] {
    let said = |python: &Path, script: &str, more: &[&str]| {
        let mut child = Command::new(python)
            .args(["-I", "-c", script, &port.to_string()])
            .arg(artifact("refused.log"))
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It would end without a word.
        let _stdin = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        assert!(output.stdout.is_empty() && !output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    [
        said(sail, SAIL_SCRIPT, &[]),
        said(spark, SPARK_SCRIPT, &["local[1]"]),
    ]
}
