//! What can happen to the wrapper, from either side.

use super::evcxr_side::EvcxrSide;
use crate::error::{Failure, Result};
use crate::jupyter::Message;

/// What has happened.
pub enum Event {
    /// Jupyter asks, on one of its channels.
    Asked(Channel, Message),
    /// evcxr runs, or can't be had.
    Started(Result<Box<EvcxrSide>>),
    /// evcxr says something.
    Inner(Said),
    /// evcxr has ended; if that was not wanted, why.
    Gone(Option<Failure>),
    /// Whoever started this kernel wants its end, or is gone itself.
    End,
}

/// What evcxr says, and where.
#[derive(Debug)]
pub enum Said {
    Reply(Message),
    Published(Message),
    Asks(Message),
}

/// Which of the routed sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    Shell,
    Control,
    Stdin,
}
