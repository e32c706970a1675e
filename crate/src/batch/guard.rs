//! What a defect may not cost: a panic ends the step that it happens in, and no more.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use crate::error::{Error, ErrorKind};

/// It panicked, and has said so on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Panicked;

impl Panicked {
    /// The error of the row that it happened to.
    pub(super) fn error(self) -> Error {
        Error::new(
            ErrorKind::Response,
            "the row broke off in a defect of evenhand",
        )
        .with_hint("run it again, and please report what was printed: only this row is asked")
    }
}

/// What a step gives that something of worth is done with whether or not it succeeds. State that
/// it left half-changed is as it is: what shares it takes locks that were poisoned.
pub(super) fn guarded<T>(step: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(step)).map_err(|_| Panicked)
}

/// The same for what has to be waited for.
pub(super) async fn guarded_async<T>(step: impl Future<Output = T>) -> Result<T, Panicked> {
    let mut step = pin!(step);
    poll_fn(|context| match guarded(|| step.as_mut().poll(context)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Err(panicked) => Poll::Ready(Err(panicked)),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_its_step_alone() {
        assert_eq!(guarded(|| 7), Ok(7));
        assert_eq!(guarded(|| panic!("on purpose")), Err::<(), _>(Panicked));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        assert_eq!(runtime.block_on(guarded_async(async { 7 })), Ok(7));
        let late = guarded_async(async {
            tokio::task::yield_now().await;
            panic!("on purpose")
        });
        assert_eq!(runtime.block_on(late), Err::<(), _>(Panicked));
    }
}
