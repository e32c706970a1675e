//! The one runtime that the library owns.
//!
//! A notebook cell must not need `.await` (evcxr pays three seconds for it), so
//! cells block while the work runs here. The runtime is a static of the shared
//! library, made once per kernel.
//!
//! All network work runs here, that of the `_async` twins too: connections are kept by the
//! runtime that opened them, so a blocking call that met one of another runtime would wait for
//! the very thread that it blocks.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};
use tokio::task::JoinHandle;
use tracing::Instrument as _;
use tracing::instrument::WithSubscriber as _;

use crate::error::{Error, ErrorKind, Result};

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// Work on the library's own threads. It may be awaited in any runtime, or in none; dropping it
/// ends the work.
pub(crate) struct Work<T>(JoinHandle<T>);

/// Starts the future on the library's own threads. What it tells of itself goes to the
/// subscriber of whoever started it.
pub(crate) fn spawn<F>(future: F) -> Result<Work<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let future = future.in_current_span().with_current_subscriber();
    Ok(Work(runtime()?.spawn(future)))
}

/// Runs the future on the library's own threads once it is awaited.
pub(crate) async fn run<F, T>(future: F) -> Result<T>
where
    F: Future<Output = Result<T>> + Send + 'static,
    T: Send + 'static,
{
    spawn(future)?.await?
}

impl<T> Future for Work<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0)
            .poll(context)
            .map(|ended| match ended {
                Ok(output) => Ok(output),
                // Code of the caller's that runs within the work has panicked: the panic is the caller's.
                Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
                Err(_) => Err(Error::new(
                    ErrorKind::Cancelled,
                    "the work stopped before it was done",
                )
                .with_hint("run it again; what a journal holds is not asked twice")),
            })
    }
}

impl<T> Drop for Work<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Waits on this thread. It may be called from anywhere, also from within another runtime (which
/// is then blocked: programs that have one should await the `async` twin instead).
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    struct Parked(Thread);

    impl Wake for Parked {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Parked(thread::current())));
    let mut context = Context::from_waker(&waker);
    // A task of the caller's has a budget of polls, after which it would wait for ever.
    let mut future = pin!(tokio::task::unconstrained(future));
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Runs code of the caller's, such as one that is told of progress. It may block, and it may call
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
