//! Processes: their CPU time, their memory, and the machine that they share.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::de::DeserializeOwned;

use crate::Result;

/// The CPU time of this process, over all its threads.
pub(crate) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// The peak memory of a process, in MB, as reported by Linux.
pub(crate) fn peak_memory(process: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes / 1024.0)
}

/// A child process that is killed when dropped.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        child
            .map(Self)
            .map_err(|error| format!("{command:?}: {error}").into())
    }

    /// Waits for the process, and parses the last line that it prints as JSON.
    pub(crate) fn report<T: DeserializeOwned>(mut self) -> Result<T> {
        let out = self.0.stdout.take().ok_or("its output is taken")?;
        let last = BufReader::new(out)
            .lines()
            .map_while(|line| line.ok())
            .last();
        let status = self.0.wait()?;
        let line = last.filter(|_| status.success());
        let line = line.ok_or_else(|| format!("a client failed: {status}"))?;
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The machine and its load, in one line.
pub(crate) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, |cores| cores.get());
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown").to_owned();
    format!("machine: {cores} cores {model}, load before the run {load}")
}
