//! The one runtime that the library owns.
//!
//! A notebook cell must not need `.await` (evcxr pays three seconds for it), so
//! cells block while the work runs here. The runtime is a static of the shared
//! library, made once per kernel.

use std::future::Future;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};

use crate::error::{Error, ErrorKind, Result};

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// Runs the future on the library's own threads and waits for it. It may be called
/// from anywhere, also from within another runtime (which is then blocked: programs
/// that have one should await the `async` twin instead).
pub(crate) fn block_on<F>(future: F) -> Result<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    let work = runtime()?.spawn(future);
    runtime()?.spawn(async move {
        // The receiver is gone only when the waiting thread is, and then nobody wants the value.
        let _ = sender.send(work.await);
    });
    match receiver.recv() {
        Ok(Ok(output)) => Ok(output),
        // Code of the caller's that runs within the work has panicked: the panic is the caller's.
        Ok(Err(ended)) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
        Ok(Err(_)) | Err(_) => Err(Error::new(
            ErrorKind::Cancelled,
            "the work stopped before it was done",
        )
        .with_hint("run it again; what a journal holds is not asked twice")),
    }
}

/// Runs code of the caller's, such as a closure that takes rows. It may block, and it may call
/// this library again, which then waits for this very runtime: so its worker is taken out of
/// those that the runtime counts on.
pub(crate) fn run_caller_code<T>(code: impl FnOnce() -> T) -> T {
    let flavor = Handle::try_current().map(|handle| handle.runtime_flavor());
    match flavor {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(code),
        _ => code(),
    }
}

/// Does a kernel run this process? evcxr sets this for the one that runs the cells.
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
