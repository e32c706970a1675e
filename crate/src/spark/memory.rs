//! How much memory the system has left, so that a large result ends with an error and not with the
//! kernel.

/// How many bytes may arrive between two looks.
const STEP: usize = 64 * 1024 * 1024;

/// Below this much available memory, a result ends. Converting what is here takes some too.
const RESERVE_MB: u64 = 384;

/// Watches the memory while a result arrives.
#[derive(Default)]
pub(super) struct Headroom {
    since_last_look: usize,
}

impl Headroom {
    /// Whether too little is left, after so many more bytes have arrived.
    pub(super) fn is_used_up(&mut self, arrived: usize) -> bool {
        self.since_last_look += arrived;
        if self.since_last_look < STEP {
            return false;
        }
        self.since_last_look = 0;
        let found = std::fs::read_to_string("/proc/meminfo").ok();
        found
            .and_then(|text| available_mb(&text))
            .is_some_and(|available| available < RESERVE_MB)
    }
}

/// The available memory that Linux reports. Other systems do not have this file.
fn available_mb(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_reports_is_read() {
        let text = "MemTotal:        8000000 kB\nMemFree:          100000 kB\nMemAvailable:    2097152 kB\n";
        assert_eq!(available_mb(text), Some(2048));
        assert_eq!(available_mb("MemTotal: 1 kB"), None);
        assert_eq!(available_mb("MemAvailable: many"), None);
    }
}
