//! This process's memory as reported by Linux, and the machine.

use std::fs;

use crate::Result;

/// The current memory of the process, in MB. Resets the peak.
pub(crate) fn now_and_forget_the_peak() -> Result<f64> {
    fs::write("/proc/self/clear_refs", "5")?;
    field("VmRSS:")
}

/// The peak memory since the last reset, in MB.
pub(crate) fn peak() -> Result<f64> {
    field("VmHWM:")
}

fn field(name: &str) -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"));
    let kilobytes: f64 = kilobytes.ok_or("no such line")?.parse()?;
    Ok(kilobytes / 1e3)
}

/// The machine and its load, in one line.
pub(crate) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, |cores| cores.get());
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown").to_owned();
    format!("machine: {cores} cores, load before the run {load}")
}
