//! A step of the setup: runs its commands, shows progress, logs their output, and on failure
//! reports the command, the end of its output, and what to do.

use std::fs::File;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::{Context, DISK_IS_FULL, Failure, Result, is_full_disk};
use crate::paths::home::Home;
use crate::terminal::{self, err};

const POLL_INTERVAL: Duration = Duration::from_millis(200);
const LINE_EVERY: Duration = Duration::from_secs(30);
const LINES_OF_OUTPUT: usize = 20;
const LETTERS_OF_A_LINE: usize = 200;

/// A step of the setup, as it is shown to the user.
pub struct Step {
    title: String,
    log: PathBuf,
    started: Instant,
    last_line: Instant,
    done: bool,
}

impl Step {
    /// Begins a step, and prints what it `takes`. The output of its commands goes to
    /// `logs/<name>.log`.
    pub fn begin(home: &Home, name: &str, title: impl Into<String>, takes: &str) -> Self {
        let now = Instant::now();
        let title = title.into();
        err!("  {title}: {takes} …");
        Self {
            title,
            log: home.logs().join(format!("{name}.log")),
            started: now,
            last_line: now,
            done: false,
        }
    }

    /// Runs the command until it ends. At intervals, `progress` summarizes what the command has
    /// printed so far.
    pub fn run(&mut self, command: &mut Command, progress: impl Fn(&str) -> String) -> Result<()> {
        let (out, err) = self.open_log().with_context(|| self.log_failure())?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .with_context(|| format!("could not start `{}`", words(command)))?;
        loop {
            match child
                .try_wait()
                .with_context(|| format!("lost track of `{}`", words(command)))?
            {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(self.failed(command, &status.to_string())),
                None => std::thread::sleep(POLL_INTERVAL),
            }
            self.tick(|step| progress(&step.output()));
        }
    }

    /// Shows the progress of the step, if it is time to.
    pub fn tick(&mut self, progress: impl Fn(&Self) -> String) {
        let terminal = std::io::stderr().is_terminal();
        if self.last_line.elapsed() < if terminal { POLL_INTERVAL } else { LINE_EVERY } {
            return;
        }
        self.last_line = Instant::now();
        let line = format!("  {} … {} {}", self.title, self.time(), progress(self));
        if terminal {
            terminal::replace_line(std::io::stderr(), &line);
        } else {
            err!("{line}");
        }
    }

    /// Reports that the step is done.
    pub fn done(mut self) {
        self.done = true;
        if std::io::stderr().is_terminal() {
            terminal::replace_line(std::io::stderr(), "");
        }
        err!("✓ {} ({})", self.title, self.time());
    }

    fn time(&self) -> String {
        let seconds = self.started.elapsed().as_secs();
        match seconds / 60 {
            0 => format!("{seconds} s"),
            minutes => format!("{minutes} min {:02} s", seconds % 60),
        }
    }

    fn open_log(&self) -> std::io::Result<(File, File)> {
        let log = File::create(&self.log)?;
        Ok((log.try_clone()?, log))
    }

    /// What the step's command has printed so far.
    fn output(&self) -> String {
        let output = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&output).into_owned()
    }

    fn log_failure(&self) -> String {
        format!("could not write {}", self.log.display())
    }

    fn disk_is_full(&self) -> bool {
        let written = std::fs::write(&self.log, [b'\n'; 4096]);
        written.is_err_and(|error| is_full_disk(&error.to_string()))
    }

    fn failed(&self, command: &Command, status: &str) -> Failure {
        let output = self.output();
        let lines: Vec<_> = output.lines().map(beginning).collect();
        let tail = lines[lines.len().saturating_sub(LINES_OF_OUTPUT)..].join("\n    ");
        let failed = format!("{}: `{}` failed ({status})", self.title, words(command));
        // On a full disk, the command's own message about it could not be logged.
        if output.is_empty() && self.disk_is_full() {
            return Failure::new(failed).hint(DISK_IS_FULL);
        }
        Failure::new(format!("{failed}. The end of its output:\n    {tail}"))
            .hint(advice(&output, &self.log.display().to_string()))
    }
}

impl Drop for Step {
    /// Ends the progress line of a step that failed, so that what follows has a line of its own.
    fn drop(&mut self) {
        if !self.done && std::io::stderr().is_terminal() {
            err!("");
        }
    }
}

/// The beginning of a line: pip names a hundred packages in one.
fn beginning(line: &str) -> String {
    match line.char_indices().nth(LETTERS_OF_A_LINE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// How many packages cargo has begun to compile, according to its output.
pub fn compiled(output: &str) -> usize {
    output
        .lines()
        .filter(|line| line.trim_start().starts_with("Compiling "))
        .count()
}

/// What to do about a failure with this output.
fn advice(output: &str, log: &str) -> String {
    let says = |words: &[&str]| words.iter().any(|word| output.contains(word));
    if is_full_disk(output) {
        DISK_IS_FULL.to_owned()
    } else if says(&["DO NOT MATCH THE HASHES"]) {
        "what arrived is not what was published: try another network. If this does not help, tell \
         the administrator of the network between you and the package index"
            .to_owned()
    } else if says(&[
        "Temporary failure in name resolution",
        "Could not resolve host",
        "Couldn't resolve host",
        "Failed to establish a new connection",
        "failed to download",
        "Network is unreachable",
        "No matching distribution found",
        "error sending request",
        "Could not connect",
    ]) {
        "there seems to be no network, or a proxy is in the way (HTTPS_PROXY is honored). \
         Start again when it is back; it continues where it stopped"
            .to_owned()
    } else {
        format!("the whole output is in {log}; start again when the cause is fixed")
    }
}

fn words(command: &Command) -> String {
    let mut words = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        words.push(' ');
        words.push_str(&argument.to_string_lossy());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_fits_the_cause() {
        assert!(
            advice("write: No space left on device (os error 28)", "x").contains("disk is full")
        );
        assert!(advice("Could not resolve host: example.org", "x").contains("network"));
        assert_eq!(
            advice("boom", "a.log"),
            "the whole output is in a.log; start again when the cause is fixed"
        );
    }
}
