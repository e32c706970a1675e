//! HTTP access, independent of any particular service: connections, time limits, bodies of a
//! bounded size, and retries.
//!
//! - `transport` sends one request and reads its response; `retry` decides whether a failed
//!   request is sent again; `redact` removes keys from responses; `proxy` checks the proxies that
//!   the environment names.

pub(crate) mod proxy;
pub(crate) mod redact;
pub(crate) mod retry;
pub(crate) mod transport;
