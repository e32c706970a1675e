//! The words with which code in a cell and the kernel's wrapper understand each other. The launcher
//! uses them from here; they are no part of the library's API.

/// The variable with the token that marks the beginning of a line as a message for the kernel's
/// wrapper. The token is generated anew for each kernel, so that no text from a model can contain it.
pub const TOKEN_VARIABLE: &str = "EVENHAND_OUTPUTS";

/// What follows the token before a Jupyter message in JSON: `{"msg_type": .., "content": ..}`.
pub const SHOW: &str = "show ";

/// The variable that names a file whose existence asks the work in this process to stop. The
/// wrapper creates the file when the user presses the stop button, because the only signal that
/// evcxr handles would discard all variables.
pub const STOP_FILE_VARIABLE: &str = "EVENHAND_STOP_FILE";
