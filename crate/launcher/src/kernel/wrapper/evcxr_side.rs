//! The conversation with evcxr.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::error::{Context, Result};
use crate::jupyter::zmtp::Sender;
use crate::jupyter::{Channel, Message, Session};
use crate::paths::evcxr::VERSION as KERNEL_VERSION;

/// How long evcxr may take to acknowledge a shutdown.
const ACKNOWLEDGEMENT: Duration = Duration::from_secs(2);

/// The way to send requests to a running evcxr. Its messages arrive as events.
pub struct EvcxrSide {
    pub(super) session: Session,
    pub(super) shell: Sender,
    pub(super) control: Channel,
    pub(super) stdin: Sender,
    pub(super) end: oneshot::Sender<()>,
    /// The id of its process.
    pub process: Option<u32>,
    /// Its reply to `kernel_info_request`.
    pub info: Value,
}

impl EvcxrSide {
    /// Passes on a request, to which evcxr's answers will refer.
    pub fn forward(&self, request: &Message) -> Result<()> {
        self.shell
            .send(&self.session.forward(request))
            .with_context(|| "cannot reach evcxr".to_owned())
    }

    /// Passes on what the reader typed.
    pub fn answer(&self, reply: &Message) {
        // If evcxr is gone, `Event::EvcxrEnded` reports it.
        let _ = self.stdin.send(&self.session.forward(reply));
    }

    /// Ends the process that runs the cells; evcxr starts another one.
    pub fn kill_cells(&mut self) {
        let (_, request) = self.session.request("interrupt_request", &json!({}));
        let _ = self.control.0.send(&request);
    }

    /// Ends evcxr. `Event::EvcxrEnded` comes when nothing of it is left.
    pub async fn shut_down(mut self) {
        let request = json!({"restart": false});
        let (_, request) = self.session.request("shutdown_request", &request);
        let (control, answers) = &mut self.control;
        if control.send(&request).is_ok() {
            // The content of the answer does not matter, and the answer may not come at all.
            let _ = timeout(ACKNOWLEDGEMENT, answers.recv()).await;
        }
        let _ = self.end.send(());
    }
}

/// A warning about this version of evcxr, if it is not the one that evenhand was tested with.
pub fn note_on(info: &Value) -> Option<String> {
    let version = info["implementation_version"].as_str().unwrap_or("unknown");
    (version != KERNEL_VERSION).then(|| {
        format!(
            "this is evcxr {version}, but evenhand was tested with {KERNEL_VERSION} only: a cell \
             that panics may count as successful, and an interrupt may lose the variables"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_evcxr_is_named_and_ours_is_not() {
        let note = |version: &str| note_on(&json!({ "implementation_version": version }));
        assert_eq!(note(KERNEL_VERSION), None);
        assert!(note("0.21.9").is_some_and(|note| note.contains("this is evcxr 0.21.9")));
        assert!(note_on(&json!({})).is_some());
    }
}
