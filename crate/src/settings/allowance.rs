//! The quota from the settings, as numbers.

use super::{Settings, clean};
use crate::error::{Error, ErrorKind, Result};

/// The deployment's quota per minute; `None` if not set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(crate) tokens_per_minute: Option<u64>,
    pub(crate) requests_per_minute: Option<u64>,
}

impl Allowance {
    /// # Errors
    /// A number is zero.
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        let (tokens, requests) = (settings.tokens_per_minute, settings.requests_per_minute);
        for (number, name) in [(tokens, "tokens"), (requests, "requests")] {
            if number == Some(0) {
                let message =
                    format!("the quota is 0 {name} per minute, and no request would ever pass");
                return Err(Error::new(ErrorKind::Settings, message).with_hint(
                    "give the deployment's quota, or leave it out where there is none",
                ));
            }
        }
        Ok(Self {
            tokens_per_minute: tokens,
            requests_per_minute: requests,
        })
    }
}

/// # Errors
/// The text is not a whole number; the message names its variable and where that was found.
pub(super) fn number(
    variable: &str,
    place: impl Fn(&str) -> String,
    text: Option<String>,
) -> Result<Option<u64>> {
    let Some(text) = text else {
        return Ok(None);
    };
    match clean(&text) {
        "" => Ok(None),
        digits => digits.parse().map(Some).map_err(|_| {
            let message = format!("{variable}{} is not a whole number", place(variable));
            Error::new(ErrorKind::Settings, message)
                .with_hint("write the quota in digits alone, such as 5000 for 5K")
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    fn allowance(tokens: &str) -> Result<Allowance> {
        let settings =
            Settings::from_lookup(|name| (name == "AZURE_OPENAI_TPM").then(|| tokens.to_owned()));
        Allowance::new(&settings?)
    }

    #[test]
    fn numbers_are_read() {
        let expected = Allowance {
            tokens_per_minute: Some(5_000),
            requests_per_minute: None,
        };
        assert_eq!(allowance(" \"5000\" ").unwrap(), expected);
        assert_eq!(allowance("").unwrap(), Allowance::default());
    }

    #[test]
    fn what_is_no_quota_is_named() {
        assert_snapshot!(allowance("5K").unwrap_err(), @r"
        AZURE_OPENAI_TPM is not a whole number
          hint: write the quota in digits alone, such as 5000 for 5K
        ");
        assert_snapshot!(allowance("0").unwrap_err(), @r"
        the quota is 0 tokens per minute, and no request would ever pass
          hint: give the deployment's quota, or leave it out where there is none
        ");
        for text in ["-1", "5.5", "99999999999999999999", "5 000", "NaN"] {
            assert!(allowance(text).unwrap_err().is_settings(), "{text}");
        }
    }
}
