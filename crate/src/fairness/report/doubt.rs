//! Why a test allows no conclusion although it has a p-value.

use serde::{Deserialize, Serialize};

/// Why a test allows no conclusion, or not all conclusions, whatever its p-value is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Doubt {
    /// Nothing can be concluded: a difference may have another cause than the groups.
    Everything(String),
    /// A difference that is not shown may have been missed, so the groups are neither alike nor
    /// without a difference; and no change can be shown.
    Absence(String),
    /// A change from this report to another one can't be told from chance.
    Change(String),
}

impl Doubt {
    /// The reason.
    pub fn reason(&self) -> &str {
        match self {
            Self::Everything(reason) | Self::Absence(reason) | Self::Change(reason) => reason,
        }
    }

    /// The reason if nothing can be concluded, given whether a difference is shown.
    pub(super) fn prevents(&self, is_shown: bool) -> Option<&str> {
        match self {
            Self::Everything(reason) => Some(reason),
            Self::Absence(reason) => (!is_shown).then_some(reason),
            Self::Change(_) => None,
        }
    }
}
