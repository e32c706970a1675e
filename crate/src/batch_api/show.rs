//! A submission in a notebook.

use super::Submission;
use crate::display::{MimeBundle, Show, card};

impl Show for Submission {
    /// How far it was when it was made.
    fn mime_bundle(&self) -> MimeBundle {
        card("Submission", &[("when made", self.to_string())])
    }
}
