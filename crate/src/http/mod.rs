//! The way to a service over HTTP: connections, time limits, bodies of a bounded size, and
//! whether a failed exchange is made again. It knows no service.
//!
//! - `transport`: one exchange; `retry`: what to do about one that failed; `redact`: no key comes
//!   back in an answer; `proxy`: what stands in between.

mod proxy;
pub(crate) mod redact;
pub(crate) mod retry;
pub(crate) mod transport;
