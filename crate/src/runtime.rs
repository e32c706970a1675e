//! The library's Tokio runtime.
//!
//! A notebook cell must not need `.await` (in evcxr such a cell takes three seconds longer), so
//! cells block while the work runs here. The runtime is a static of the shared library, created
//! once per kernel.
//!
//! The async versions run here too. A connection is driven by the runtime that opened it, so if
//! one runtime opened connections that another used, a blocking call could wait for the very
//! thread that it blocks.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};
use tokio::task::{JoinHandle, JoinSet};
use tracing::Instrument as _;
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

use crate::error::{Error, ErrorKind, Result};

static RUNTIME: SharedRuntime = SharedRuntime::new();

/// Work on the library's own threads. It may be awaited on any executor. Dropping it ends the work.
pub(crate) struct Work<T>(JoinHandle<T>);

/// Starts the future on the library's own threads. Its `tracing` events go to the caller's
/// subscriber.
pub(crate) fn spawn<F>(future: F) -> Result<Work<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let future = future.in_current_span().with_current_subscriber();
    Ok(Work(runtime()?.spawn(future)))
}

/// Starts a task of the current work. Its `tracing` events go to the subscriber of that work; without
/// one, nothing is done for that at each poll.
pub(crate) fn spawn_into(tasks: &mut JoinSet<()>, task: impl Future<Output = ()> + Send + 'static) {
    let is_observed = tracing::dispatcher::get_default(|current| !current.is::<NoSubscriber>());
    match is_observed {
        true => tasks.spawn(task.in_current_span().with_current_subscriber()),
        false => tasks.spawn(task),
    };
}

/// Runs the future on the library's own threads once it is awaited.
pub(crate) async fn run<F, T>(future: F) -> Result<T>
where
    F: Future<Output = Result<T>> + Send + 'static,
    T: Send + 'static,
{
    spawn(future)?.await?
}

/// Runs code that computes or blocks on a thread of its own once it is awaited.
pub(crate) async fn run_blocking<T: Send + 'static>(
    code: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let span = tracing::Span::current();
    let events = tracing::dispatcher::get_default(Clone::clone);
    let code = move || tracing::dispatcher::with_default(&events, || span.in_scope(code));
    Work(runtime()?.spawn_blocking(code)).await?
}

/// Runs the future to its end on the library's own threads, and waits for nothing.
#[cfg(feature = "spark")]
pub(crate) fn detach(future: impl Future<Output = ()> + Send + 'static) {
    // Without threads there is nothing that the future could finish.
    if let Ok(runtime) = runtime() {
        runtime.spawn(future);
    }
}

/// The same, but waits for at most this long, so that a program that ends right after it has done
/// it. Async code is not held up.
#[cfg(feature = "spark")]
pub(crate) fn finish_within(
    time: std::time::Duration,
    future: impl Future<Output = ()> + Send + 'static,
) {
    let is_async = Handle::try_current().is_ok();
    let (done, ended) = std::sync::mpsc::sync_channel(1);
    detach(async move {
        future.await;
        // Nobody waits any more after that time.
        let _ = done.send(());
    });
    if !is_async {
        let _ = ended.recv_timeout(time);
    }
}

impl<T> Future for Work<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0)
            .poll(context)
            .map(|ended| match ended {
                Ok(output) => Ok(output),
                // The caller's code panicked within the work: pass the panic on to the caller.
                Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
                Err(_) => Err(Error::new(
                    ErrorKind::Cancelled,
                    "the work stopped before it was done",
                )
                .with_hint("run it again: answers in the journal are not requested again")),
            })
    }
}

impl<T> Drop for Work<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Waits on this thread. It may be called from anywhere, including from within another runtime.
/// That runtime is then blocked, so programs that have one should await the `_async` function
/// instead.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    struct Parked(Thread);

    impl Wake for Parked {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Parked(thread::current())));
    let mut context = Context::from_waker(&waker);
    // Within a task of the caller's, tokio's budget of polls would never be refilled.
    let mut future = pin!(tokio::task::unconstrained(future));
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
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
    RUNTIME.get()
}

/// A runtime that starts when it is first used.
struct SharedRuntime {
    started: OnceLock<Runtime>,
    /// Held while it starts. Of two that were started at once, one would be dropped, and Tokio panics
    /// where that happens in async code.
    starting: Mutex<()>,
}

impl SharedRuntime {
    const fn new() -> Self {
        Self {
            started: OnceLock::new(),
            starting: Mutex::new(()),
        }
    }

    /// # Errors
    /// The threads could not be started.
    fn get(&self) -> Result<&Runtime> {
        if let Some(runtime) = self.started.get() {
            return Ok(runtime);
        }
        let _alone = self.starting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = self.started.get() {
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
        Ok(self.started.get_or_init(|| made))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn async_callers_that_come_first_at_once_share_one_runtime() {
        let callers = 8;
        for _ in 0..20 {
            let (shared, together) = (SharedRuntime::new(), Barrier::new(callers));
            thread::scope(|scope| {
                for _ in 0..callers {
                    scope.spawn(|| {
                        let own = Builder::new_current_thread().build().unwrap();
                        own.block_on(async {
                            together.wait();
                            assert!(shared.get().is_ok());
                        });
                    });
                }
            });
        }
    }
}
