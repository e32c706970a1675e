//! The table of a check.

use std::fmt;

use crate::error::Error;

/// Whether something will work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FindingStatus {
    /// It will.
    Works,
    /// It may not, or can't be known.
    Doubtful,
    /// It won't.
    Fails,
}

impl FindingStatus {
    fn word(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Doubtful => "doubtful",
            Self::Fails => "fails",
        }
    }
}

/// What is known of one part of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The part.
    pub what: String,
    /// Whether it will work.
    pub status: FindingStatus,
    /// Why.
    pub detail: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Finding {
    fn new(what: &str, status: FindingStatus, detail: impl Into<String>) -> Self {
        Self {
            what: what.to_owned(),
            status,
            detail: detail.into(),
            hint: None,
        }
    }

    pub(super) fn works(what: &str, detail: impl Into<String>) -> Self {
        Self::new(what, FindingStatus::Works, detail)
    }

    pub(super) fn doubtful(what: &str, detail: impl Into<String>) -> Self {
        Self::new(what, FindingStatus::Doubtful, detail)
    }

    pub(super) fn fails(what: &str, detail: impl Into<String>) -> Self {
        Self::new(what, FindingStatus::Fails, detail)
    }

    /// What could not be found out.
    pub(super) fn unknown(what: &str, error: &Error) -> Self {
        let finding = Self::doubtful(what, error.message());
        match error.hint() {
            Some(hint) => finding.hint(hint),
            None => finding,
        }
    }

    /// What an error says will not work.
    pub(super) fn refused(what: &str, error: &Error) -> Self {
        Self {
            status: FindingStatus::Fails,
            ..Self::unknown(what, error)
        }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}

/// What of a plan will work, as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// The parts, in the order in which they are needed.
    pub findings: Vec<Finding>,
}

impl Check {
    /// Whether nothing is known to fail.
    pub fn is_ready(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.status != FindingStatus::Fails)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |of: fn(&Finding) -> usize| self.findings.iter().map(of).max().unwrap_or(0);
        let (first, second) = (
            width(|it| it.what.len()),
            width(|it| it.status.word().len()),
        );
        for (at, finding) in self.findings.iter().enumerate() {
            let (what, status) = (&finding.what, finding.status.word());
            let end = if at == 0 { "" } else { "\n" };
            write!(
                f,
                "{end}{what:<first$}  {status:<second$}  {}",
                finding.detail
            )?;
            if let Some(hint) = &finding.hint {
                write!(f, "\n{:<first$}  {:<second$}  hint: {hint}", "", "")?;
            }
        }
        Ok(())
    }
}

#[cfg(feature = "notebook")]
mod show {
    use super::{Check, FindingStatus};
    use crate::display::{MimeBundle, Show, escaped};
    use crate::text::terminal::sanitize;

    impl Show for Check {
        /// The table. A part that fails is told by its word, not by color alone.
        fn mime_bundle(&self) -> MimeBundle {
            let mut html = String::from(
                "<div class=\"evenhand tex2jax_ignore mathjax_ignore\"><table><thead><tr><th scope=\"col\">\
                 part</th><th scope=\"col\">status</th><th scope=\"col\">why</th><th scope=\"col\">hint</th>\
                 </tr></thead><tbody>",
            );
            for finding in &self.findings {
                let status = match finding.status {
                    FindingStatus::Works => "✓ works",
                    FindingStatus::Doubtful => "? doubtful",
                    FindingStatus::Fails => "✗ fails",
                };
                html.push_str(&format!(
                    "<tr><th scope=\"row\" style=\"text-align:left\">{}</th><td>{status}</td>\
                     <td style=\"text-align:left\">{}</td><td style=\"text-align:left\">{}</td></tr>",
                    escaped(&finding.what),
                    escaped(&finding.detail),
                    escaped(finding.hint.as_deref().unwrap_or_default()),
                ));
            }
            html.push_str("</tbody></table></div>");
            MimeBundle {
                html,
                text: sanitize(&self.to_string()).into_owned(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn a_check_is_a_table_of_verdicts_and_mends() {
        let check = Check {
            findings: vec![
                Finding::works("subscription", "Lab (1)"),
                Finding::fails("quota", "0 tokens are left").hint("choose another region"),
            ],
        };
        assert!(!check.is_ready());
        assert_snapshot!(check, @r"
        subscription  works  Lab (1)
        quota         fails  0 tokens are left
                             hint: choose another region
        ");
    }
}
