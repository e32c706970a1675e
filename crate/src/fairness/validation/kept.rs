//! The answers behind a report.

use std::fmt;
use std::sync::Arc;

use crate::fairness::study::StudyAnswers;

/// The answers from which a report was made, shared by its clones. They are not part of what a
/// report says: they are neither saved nor compared.
#[derive(Clone, Default)]
pub(in crate::fairness) struct Kept(Option<Arc<StudyAnswers>>);

impl Kept {
    pub(in crate::fairness) fn new(answers: &StudyAnswers) -> Self {
        Self(Some(Arc::new(answers.clone())))
    }

    pub(super) fn get(&self) -> Option<&StudyAnswers> {
        self.0.as_deref()
    }
}

impl PartialEq for Kept {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "kept" } else { "none" })
    }
}
