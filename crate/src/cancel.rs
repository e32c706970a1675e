//! Asks running work to stop early and return its results so far.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::sideband::STOP_FILE_VARIABLE;

/// How often a sleep looks whether it is to end.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A handle that stops a batch, or a wait for Azure or Databricks, from another thread. Clones refer to
/// the same handle.
///
/// A stopped batch sends no further requests, gives those in flight a second to finish, and
/// returns. Each row that was not answered has an error of the kind
/// [`Cancelled`](crate::ErrorKind::Cancelled).
///
/// ```
/// use evenhand::{CancelHandle, Client};
///
/// let client = Client::builder()
///     .endpoint("http://127.0.0.1:9")
///     .api_key("key")
///     .deployment("any")
///     .build()?;
/// let stop = CancelHandle::new();
/// stop.cancel();
/// let answers = client.batch(["Describe a nurse."]).cancel_with(&stop).run()?;
/// assert_eq!(answers.totals().cancelled, 1);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CancelHandle(Arc<AtomicBool>);

impl CancelHandle {
    /// A handle that has not been cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the work that holds this handle to stop. This can't be undone.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether [`cancel`](Self::cancel) has been called.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Whether the kernel asks this process to stop its work.
pub(crate) fn kernel_requested_stop() -> bool {
    static PATH: OnceLock<Option<OsString>> = OnceLock::new();
    PATH.get_or_init(|| std::env::var_os(STOP_FILE_VARIABLE))
        .as_deref()
        .is_some_and(|path| Path::new(path).exists())
}

/// Sleeps for this long. Ends early, and returns `true`, if the kernel asks this process to stop or
/// this handle is cancelled.
pub(crate) async fn sleep(time: Duration, stop: Option<&CancelHandle>) -> bool {
    let until = Instant::now() + time;
    loop {
        if kernel_requested_stop() || stop.is_some_and(CancelHandle::is_cancelled) {
            return true;
        }
        match until.checked_duration_since(Instant::now()) {
            Some(left) if !left.is_zero() => tokio::time::sleep(POLL_INTERVAL.min(left)).await,
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_ends_with_its_handle() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let stop = CancelHandle::new();
        let was_stopped = |time| runtime.block_on(sleep(time, Some(&stop)));
        assert!(!was_stopped(Duration::from_millis(1)));
        stop.cancel();
        assert!(was_stopped(Duration::from_secs(500)));
    }
}
