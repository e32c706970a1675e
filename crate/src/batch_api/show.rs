//! A submission in a notebook.

use super::Submission;
use crate::display::{MimeBundle, Show, card};

impl Show for Submission {
    /// The progress at the time when the handle was created.
    fn mime_bundle(&self) -> MimeBundle {
        card("Submission", &[("when made", self.to_string())])
    }
}
