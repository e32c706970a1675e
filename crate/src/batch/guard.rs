//! Limits the damage of a bug: a panic ends only the step in which it happens.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

use crate::error::{Error, ErrorKind};

/// A step panicked. The panic message has gone to standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Panicked;

impl Panicked {
    /// The error of the row whose step panicked.
    pub(super) fn error(self) -> Error {
        Error::new(
            ErrorKind::Response,
            "a bug in evenhand interrupted this row",
        )
        .with_hint("please report what was printed, and run it again: only this row is sent again")
    }
}

/// Runs a step whose panic must not lose the rest of the work. State that the step leaves
/// half-changed stays so, and the code that shares it ignores poisoned locks.
pub(super) fn guarded<T>(step: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(step)).map_err(|_| Panicked)
}

/// Async version of [`guarded`]. The caller pins the step: the future of a row takes kilobytes, which
/// would be copied for each row if they were passed by value.
pub(super) async fn guarded_async<T>(
    mut step: Pin<&mut impl Future<Output = T>>,
) -> Result<T, Panicked> {
    poll_fn(|context| match guarded(|| step.as_mut().poll(context)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Err(panicked) => Poll::Ready(Err(panicked)),
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    #[test]
    fn a_panic_ends_its_step_alone() {
        assert_eq!(guarded(|| 7), Ok(7));
        assert_eq!(guarded(|| panic!("on purpose")), Err::<(), _>(Panicked));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        assert_eq!(runtime.block_on(guarded_async(pin!(async { 7 }))), Ok(7));
        let late = pin!(async {
            tokio::task::yield_now().await;
            panic!("on purpose")
        });
        assert_eq!(
            runtime.block_on(guarded_async(late)),
            Err::<(), _>(Panicked)
        );
    }
}
