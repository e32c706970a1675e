//! The library's Tokio runtime.
//!
//! A notebook cell must not need `.await` (in evcxr such a cell takes three seconds longer), so
//! cells block while the work runs here. The runtime is a static of the shared library, created
//! once per kernel.

use std::future::Future;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};

use crate::error::{Error, ErrorKind, Result};

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// Runs the future on the library's own threads and waits for it. It may be called from
/// anywhere, including from within another runtime. That runtime is then blocked, so programs
/// that have one should await the `_async` function instead.
pub(crate) fn block_on<F>(future: F) -> Result<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    let work = runtime()?.spawn(future);
    runtime()?.spawn(async move {
        // The receiver is gone only if the waiting thread is, and then the value is not needed.
        let _ = sender.send(work.await);
    });
    match receiver.recv() {
        Ok(Ok(output)) => Ok(output),
        // The caller's code panicked within the work: pass the panic on to the caller.
        Ok(Err(ended)) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
        Ok(Err(_)) | Err(_) => Err(Error::new(
            ErrorKind::Cancelled,
            "the work stopped before it was done",
        )
        .with_hint("run it again: answers in the journal are not requested again")),
    }
}

/// Runs the caller's code, such as a closure that takes rows. That code may block, and it may
/// call this library again, which then waits for this same runtime. `block_in_place` therefore
/// lets the runtime continue without this worker.
pub(crate) fn run_caller_code<T>(code: impl FnOnce() -> T) -> T {
    let flavor = Handle::try_current().map(|handle| handle.runtime_flavor());
    match flavor {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(code),
        _ => code(),
    }
}

/// Whether this process runs the cells of a kernel: evcxr sets this variable for it.
pub(crate) fn in_kernel() -> bool {
    std::env::var_os("EVCXR_IS_RUNTIME").is_some()
}

fn runtime() -> Result<&'static Runtime> {
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let made = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("evenhand")
        .enable_all()
        .build()
        .map_err(|error| {
            Error::new(
                ErrorKind::Io,
                "could not start the threads for network work",
            )
            .with_source(error)
        })?;
    Ok(RUNTIME.get_or_init(|| made))
}
