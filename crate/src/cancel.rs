//! Asking running work to wind down, and return what it has.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Names a file that is there while whoever runs this process wants its work to end. The
/// kernel wrapper makes it when the reader presses the stop button, since the only signal
/// that evcxr knows would take all variables along.
const FILE: &str = "EVENHAND_STOP_FILE";

/// A handle that stops a batch from another thread. Clones are the same handle.
///
/// A stopped batch sends no further requests, gives those under way a second to end, and
/// returns: each row that was not answered says that it was cancelled.
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
    /// A handle that has not been used yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the work that holds this handle to wind down. There is no way back.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Was it asked for?
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Does whoever runs this process want its work to end?
pub(crate) fn kernel_requested_stop() -> bool {
    static PATH: OnceLock<Option<OsString>> = OnceLock::new();
    PATH.get_or_init(|| std::env::var_os(FILE))
        .as_deref()
        .is_some_and(|path| Path::new(path).exists())
}
