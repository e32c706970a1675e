//! What a rejection complains about, to recognize the same complaint after a change that was meant to
//! help.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Profile;
use super::attempt::Attempt;
use super::field::Field;
use super::fields::Fields;
use crate::error::Error;
use crate::openai::ChatRequest;

/// A change of the profile because of a complaint.
pub(super) struct TakenBack {
    /// The profile before, what it had accepted, and the version after. `None` if only the request's
    /// own profile has changed.
    pub(super) before: Option<(Arc<Profile>, Fields, u32)>,
    pub(super) complaint: Complaint,
}

impl TakenBack {
    /// A change of the request's own profile.
    pub(super) fn own(complaint: Complaint) -> Self {
        Self {
            before: None,
            complaint,
        }
    }
}

/// What an error is about, without the numbers and IDs that differ each time.
pub(super) struct Complaint {
    status: Option<u16>,
    field: Option<Field>,
    words: BTreeSet<String>,
}

impl Complaint {
    pub(super) fn from_attempt(attempt: &Attempt, wanted: &ChatRequest) -> Self {
        let error = attempt.outcome.as_ref().err();
        let text = error.map(Error::message).unwrap_or_default();
        let words = text.split(|c: char| !c.is_alphanumeric());
        let is_word = |word: &&str| !word.is_empty() && !word.contains(|c: char| c.is_numeric());
        let rejection = attempt.rejection.as_ref();
        Self {
            status: error.and_then(Error::status),
            field: rejection.and_then(|rejection| rejection.field(wanted)),
            words: words.filter(is_word).map(str::to_lowercase).collect(),
        }
    }

    /// Do both say the same? At least three quarters of their words are the same.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let common = self.words.intersection(&other.words).count();
        let all = self.words.union(&other.words).count();
        self.status == other.status && self.field == other.field && 4 * common >= 3 * all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn complaint(message: &str) -> Complaint {
        let error = Error::new(ErrorKind::BadRequest, message.to_owned()).with_status(400);
        let attempt = Attempt {
            outcome: Err(error),
            limits: Default::default(),
            retry: crate::http::retry::Retry::NO,
            rejection: None,
            is_sent: true,
        };
        Complaint::from_attempt(&attempt, &ChatRequest::from("x"))
    }

    #[test]
    fn the_same_complaint_is_recognized_whatever_its_ids() {
        let first = complaint("Bad prompt for this model. Request id 7f3a2, 12:00:01");
        let again = complaint("Bad prompt for this model. Request id 99b1c, 12:00:02");
        assert!(first.is_same(&again));
        assert!(!first.is_same(&complaint("The context is too long: 9000 tokens.")));
    }
}
