//! The quota from the settings, as numbers.

use super::{RPM_VARIABLE, Settings, TPM_VARIABLE};
use crate::error::{Error, ErrorKind, Result};

/// The deployment's quota per minute; `None` if not set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(crate) tokens_per_minute: Option<u64>,
    pub(crate) requests_per_minute: Option<u64>,
}

impl Allowance {
    /// # Errors
    /// A value is not a number, or is zero; the message names its variable.
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        Ok(Self {
            tokens_per_minute: number(TPM_VARIABLE, settings.tokens_per_minute.as_deref())?,
            requests_per_minute: number(RPM_VARIABLE, settings.requests_per_minute.as_deref())?,
        })
    }
}

fn number(variable: &str, text: Option<&str>) -> Result<Option<u64>> {
    let Some(text) = text else {
        return Ok(None);
    };
    let refused = |what: &str, hint: &str| {
        let message = format!("{variable} {what}");
        Err(Error::new(ErrorKind::Settings, message).with_hint(hint.to_owned()))
    };
    match text.trim().parse() {
        Ok(0) => refused(
            "is 0, and no request would ever pass",
            "give the deployment's quota, or leave the variable out where there is none",
        ),
        Ok(number) => Ok(Some(number)),
        Err(_) => refused(
            "is not a whole number",
            "write the quota in digits alone, such as 5000 for 5K",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    fn allowance(tokens: &str) -> Result<Allowance> {
        Allowance::new(&Settings::from_lookup(|name| {
            (name == "AZURE_OPENAI_TPM").then(|| tokens.to_owned())
        }))
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
        AZURE_OPENAI_TPM is 0, and no request would ever pass
          hint: give the deployment's quota, or leave the variable out where there is none
        ");
        for text in ["-1", "5.5", "99999999999999999999", "5 000", "NaN"] {
            assert!(allowance(text).unwrap_err().is_settings(), "{text}");
        }
    }
}
