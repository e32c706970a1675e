//! What a status says about an operation: whether the server still knows it, and how far it came.

use super::status::{NOT_FOUND, Status, UNAVAILABLE};

/// Whether the next attempt may succeed. Sail says so while it takes leave of the broken connection.
pub(super) fn is_passing(status: &Status) -> bool {
    status.code == UNAVAILABLE
        || status.is_of_class("INVALID_CURSOR.DISCONNECTED")
        || ["task is being paused", "task is already running"]
            .iter()
            .any(|words| status.message.contains(words))
}

/// Whether the server knows no such operation.
pub(super) fn is_unknown(status: &Status) -> bool {
    status.code == NOT_FOUND
        || never_arrived(status)
        || status.message.contains("operation not found")
}

/// Whether the server is sure that it has never seen the operation, and would refuse to run it
/// twice. Spark keeps account of that, and may first notice that it knows no session.
pub(super) fn never_arrived(status: &Status) -> bool {
    status.is_of_class("INVALID_HANDLE.OPERATION_NOT_FOUND")
        || status.is_of_class("INVALID_HANDLE.SESSION_NOT_FOUND")
}

/// Whether the operation has run to its end without an error, and the server holds nothing of it any
/// more: Sail drops what it has handed to a connection, even if the connection broke.
pub(super) fn is_finished(status: &Status) -> bool {
    status
        .message
        .contains("task context not found for operation")
}

/// Whether the server no longer has the response after which the rest was asked for.
pub(super) fn is_too_far_back(status: &Status) -> bool {
    status.is_of_class("INVALID_CURSOR.POSITION_NOT_FOUND")
        || status.is_of_class("INVALID_CURSOR.POSITION_NOT_AVAILABLE")
}

/// Whether the server has closed the session, after idle time or a restart.
pub(super) fn is_closed(status: &Status) -> bool {
    ["SESSION_CLOSED", "SESSION_CHANGED", "SESSION_NOT_FOUND"]
        .iter()
        .any(|class| status.is_of_class(&format!("INVALID_HANDLE.{class}")))
        || (status.message.contains("session") && status.message.contains("is not running"))
}
