//! The answers behind a report.

use std::fmt;
use std::sync::Arc;

use super::StudyAnswers;

/// The answers from which a report was made, shared by its clones. They are not part of what a
/// report says: they are neither saved nor compared.
#[derive(Clone, Default)]
pub(in crate::fairness) struct KeptAnswers(Option<Arc<StudyAnswers>>);

impl KeptAnswers {
    pub(in crate::fairness) fn new(answers: &StudyAnswers) -> Self {
        Self(Some(Arc::new(answers.clone())))
    }

    pub(in crate::fairness) fn get(&self) -> Option<&StudyAnswers> {
        self.0.as_deref()
    }
}

impl PartialEq for KeptAnswers {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for KeptAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "kept" } else { "none" })
    }
}
