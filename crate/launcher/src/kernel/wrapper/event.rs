//! The events that the wrapper handles, from either side.

use super::evcxr_side::EvcxrSide;
use crate::error::{Failure, Result};
use crate::jupyter::Message;
use crate::kernel::sideband::Stream;

/// Something that happened.
pub enum Event {
    /// A message from Jupyter on one of its channels: a request, or the answer to an input request.
    Request(Channel, Message),
    /// evcxr is running, or could not be started.
    Started(Result<Box<EvcxrSide>>),
    /// What a cell printed.
    Printed(Stream, Vec<u8>),
    /// A message from evcxr.
    Evcxr(EvcxrMessage),
    /// evcxr has ended; if unexpectedly, with the reason.
    EvcxrEnded(Option<Failure>),
    /// The process that started this kernel wants it to end, or is gone itself.
    End,
}

/// A message from evcxr, by its channel.
#[derive(Debug)]
pub enum EvcxrMessage {
    Reply(Message),
    Published(Message),
    InputRequest(Message),
}

/// One of the routed sockets that Jupyter sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    Shell,
    Control,
    Stdin,
}
