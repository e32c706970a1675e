//! The API version: a date, or one of the words for the undated v1 path.

use super::model_versions::model_of;
use crate::error::{Error, ErrorKind, Result};

/// The last dated version that is generally available, for hints.
pub(in crate::openai) const GENERALLY_AVAILABLE: &str = "2024-10-21";

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    Preview,
    Dated(String),
}

impl Version {
    pub(super) fn parse(text: Option<&str>) -> Result<Self> {
        match text.map(str::to_ascii_lowercase).as_deref() {
            None | Some("v1") => Ok(Self::V1),
            Some("preview") => Ok(Self::Preview),
            Some(date) if model_of(date).is_some() => Err(of_a_model(date)),
            Some(date) if is_date(date) => Ok(Self::Dated(date.to_owned())),
            Some(_) => Err(Error::new(
                ErrorKind::Settings,
                "AZURE_OPENAI_API_VERSION is not an API version",
            )
            .with_hint(format!(
                "set it to a date such as {GENERALLY_AVAILABLE} (or 2025-04-01-preview), to v1, \
                 or leave it out for v1"
            ))),
        }
    }
}

fn of_a_model(date: &str) -> Error {
    let model = model_of(date).unwrap_or_default();
    Error::new(
        ErrorKind::Settings,
        format!(
            "AZURE_OPENAI_API_VERSION is {date}, which is the version of a model ({model}), not of \
             the API"
        ),
    )
    .with_hint(format!(
        "leave it out, or set it to {GENERALLY_AVAILABLE}; what the portal shows as 'Model \
         version' needs no setting, since the deployment has it"
    ))
}

/// Whether it is `YYYY-MM-DD` or `YYYY-MM-DD-preview`.
fn is_date(text: &str) -> bool {
    let mut parts = text.strip_suffix("-preview").unwrap_or(text).split('-');
    let mut number = |digits: usize| {
        let part = parts.next().filter(|part| part.len() == digits)?;
        part.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| part.parse::<u16>().ok())?
    };
    let date = (number(4), number(2), number(2));
    matches!(date, (Some(2000..), Some(1..=12), Some(1..=31))) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_words_are_told_apart() {
        assert_eq!(Version::parse(None).unwrap(), Version::V1);
        assert_eq!(Version::parse(Some("V1")).unwrap(), Version::V1);
        assert_eq!(Version::parse(Some("preview")).unwrap(), Version::Preview);
        for date in ["2024-10-21", "2023-03-15-preview"] {
            assert_eq!(
                Version::parse(Some(date)).unwrap(),
                Version::Dated(date.to_owned())
            );
        }
    }

    #[test]
    fn what_is_no_version_is_refused_by_name() {
        for text in [
            "2024-13-01",
            "2024-1-1",
            "24-10-21",
            "2024-10-21-beta",
            "2024-10-21-",
            "v2",
            "2024-10-21&x=1",
        ] {
            let error = Version::parse(Some(text)).unwrap_err();
            assert!(error.is_settings(), "{text}");
        }
        insta::assert_snapshot!(format!("{:?}", Version::parse(Some("2024-11-20")).unwrap_err()), @r"
        AZURE_OPENAI_API_VERSION is 2024-11-20, which is the version of a model (gpt-4o), not of the API
          hint: leave it out, or set it to 2024-10-21; what the portal shows as 'Model version' needs no setting, since the deployment has it
        ");
        insta::assert_snapshot!(format!("{:?}", Version::parse(Some("latest")).unwrap_err()), @r"
        AZURE_OPENAI_API_VERSION is not an API version
          hint: set it to a date such as 2024-10-21 (or 2025-04-01-preview), to v1, or leave it out for v1
        ");
    }
}
