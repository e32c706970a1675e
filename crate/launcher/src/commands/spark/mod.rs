//! `evenhand spark`: a Spark engine on this machine, for notebooks and for other programs that speak
//! Spark Connect.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Context, Failure, Result};
use crate::paths::checkout::Checkout;
use crate::paths::home::{Home, private};
use crate::setup;
use crate::supervise::block_on;
use crate::terminal::out;
use crate::tool;
use evenhand::sideband::is_local_master;

const SAIL: &str = include_str!("engine.py");
const APACHE_SPARK: &str = include_str!("apache.py");

/// The size from which the engine's log is started again.
const MAX_LOG: u64 = 1 << 20;

/// The options of `evenhand spark`.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// The port of the loopback interface to listen on; 0 means any free one
    #[arg(long, default_value_t = 15_002)]
    port: u16,
    /// Run Apache Spark instead of Sail, on this master: local, local[N], local[*], or
    /// local-cluster[WORKERS,CORES,MEGABYTES]. It needs Java 17
    #[arg(long, value_parser = master)]
    master: Option<String>,
    /// Take any free port, print the address alone, and end with standard input
    #[arg(long, hide = true)]
    for_parent: bool,
}

/// A master on this machine. Another machine's cluster has its own server.
fn master(text: &str) -> std::result::Result<String, String> {
    match is_local_master(text) {
        true => Ok(text.to_owned()),
        false => Err("expected a master on this machine, such as local[*]".to_owned()),
    }
}

/// Installs the engine if it is missing, and runs it until Ctrl-C.
pub fn run(options: &Options, project: &Checkout, home: &Home) -> Result<()> {
    // Relative paths of a query begin where the caller is.
    let folder =
        std::env::current_dir().with_context(|| "the current folder is gone".to_owned())?;
    match &options.master {
        None => setup::spark(project, home)?,
        Some(_) => setup::apache_spark(project, home)?,
    }
    let master = options.master.as_deref();
    let log = log(home)?;
    if options.for_parent {
        // The caller's pipes are the engine's own from here on.
        let failed = engine(home, master, 0, &log, &folder).exec();
        return Err(Failure::new("could not start the Spark engine").because(failed));
    }
    let mut child = engine(home, master, options.port, &log, &folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .with_context(|| "could not start the Spark engine".to_owned())?;
    let stdin = child.stdin.take();
    let mut address = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout)
            .read_line(&mut address)
            .with_context(|| "could not read the Spark engine's address".to_owned())?;
    }
    if !address.starts_with("sc://") {
        let _ = child.wait();
        return Err(Failure::new("the Spark engine did not start").hint(format!(
            "another program may use port {}: choose another one with --port; the engine's output is \
             above and in {}",
            options.port,
            log.display()
        )));
    }
    // What follows is where it keeps its tables.
    let address = address.split_whitespace().next().unwrap_or_default();
    match master {
        None => {
            out!("Sail, a Spark engine, answers at {address}\n");
            out!("export SPARK_REMOTE={address}\n");
            out!("It reads and writes files as you, and answers every program on this machine.");
        }
        Some(master) => {
            out!("Apache Spark answers, on the master {master}\n");
            out!("export SPARK_REMOTE='{address}'\n");
            out!("Anyone with the token can use it to read and write files as you.");
        }
    }
    out!("Stop it with Ctrl-C.");
    let ended = block_on(async {
        tokio::select! {
            ended = tokio::task::spawn_blocking(move || child.wait()) => Ok::<_, Failure>(Some(ended)),
            _ = tokio::signal::ctrl_c() => {
                // This ends the engine, and with it the waiting thread.
                drop(stdin);
                Ok(None)
            }
        }
    })?;
    match ended {
        None => Ok(()),
        Some(_) => Err(Failure::new("the Spark engine ended")
            .hint(format!("its output is in {}", log.display()))),
    }
}

/// The engine's command. It gets no key of the user's.
fn engine(home: &Home, master: Option<&str>, port: u16, log: &Path, folder: &Path) -> Command {
    let mut command = tool::python(home.python());
    command
        .args(["-c", if master.is_some() { APACHE_SPARK } else { SAIL }])
        .arg(port.to_string())
        .arg(log)
        .args(master)
        .current_dir(folder);
    if let Some(java) = std::env::var_os("JAVA_HOME").filter(|_| master.is_some()) {
        command.env("JAVA_HOME", java);
    }
    command
}

fn log(home: &Home) -> Result<PathBuf> {
    let logs = home.logs();
    private::create_folder(&logs).with_context(|| format!("could not make {}", logs.display()))?;
    let log = logs.join("spark-engine.log");
    let failed = || format!("could not write {}", log.display());
    if std::fs::metadata(&log).is_ok_and(|log| log.len() > MAX_LOG) {
        File::create(&log).with_context(failed)?;
    }
    File::options()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&log)
        .with_context(failed)?;
    Ok(log)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masters_of_other_machines_are_refused() {
        for text in ["spark://host:7077", "yarn", "k8s://host", "local[", ""] {
            assert!(master(text).is_err(), "{text}");
        }
        assert_eq!(master("local[*]").as_deref(), Ok("local[*]"));
    }
}
