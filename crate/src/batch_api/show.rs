//! A submission in a notebook.

use super::Submission;
use crate::display::{Bundle, Show, card};

impl Show for Submission {
    /// How far it was when it was made.
    fn bundle(&self) -> Bundle {
        card("Submission", &[("when made", self.to_string())])
    }
}
