//! The quota of a deployment, as its owner knows it.

use std::path::PathBuf;

use crate::error::{Error, ErrorKind, Result};
use crate::openai::Client;

/// Azure grants six requests per minute with every thousand tokens.
const REQUESTS_PER_THOUSAND_TOKENS: u64 = 6;

/// The requests per minute that Azure grants along with tokens.
pub(super) fn requests_with_tokens(tokens: u64) -> u64 {
    (tokens.saturating_mul(REQUESTS_PER_THOUSAND_TOKENS) / 1000).max(1)
}

/// The quota of a deployment, per minute. A batch uses all of it and does not exceed it, so
/// that the service never has to refuse a request.
///
/// Without a quota, a batch starts with a single request and learns the quota from the
/// response headers.
///
/// ```
/// use evenhand::Quota;
///
/// // The portal shows 'Tokens per Minute Rate Limit: 5K'. 30 requests a minute come with it.
/// let quota = Quota::tpm(5_000);
/// assert_eq!(quota.requests_per_minute(), Some(30));
/// assert_eq!(quota.with_rpm(20).requests_per_minute(), Some(20));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Quota {
    tokens: Option<u64>,
    requests: Option<u64>,
    shared_path: Option<PathBuf>,
}

impl Quota {
    /// A quota of this many tokens per minute, prompts and answers together, and six requests
    /// per thousand tokens, but at least one: the ratio of most of Azure's chat models. For
    /// other models, set the requests as well with [`with_rpm`](Self::with_rpm).
    pub fn tpm(tokens: u64) -> Self {
        Self {
            tokens: Some(tokens),
            requests: None,
            shared_path: None,
        }
    }

    /// A quota of this many requests per minute, of any size.
    pub fn rpm(requests: u64) -> Self {
        Self::unlimited().with_rpm(requests)
    }

    /// No quota: no request waits, and limits in response headers are ignored. For your own
    /// server.
    pub fn unlimited() -> Self {
        Self {
            tokens: None,
            requests: None,
            shared_path: None,
        }
    }

    /// Sets the requests per minute, replacing the number derived from the tokens.
    ///
    /// # Default
    /// Six per thousand tokens per minute.
    pub fn with_rpm(mut self, requests: u64) -> Self {
        self.requests = Some(requests);
        self
    }

    /// Shares the quota with the other processes on this machine that name the same file or
    /// folder, such as the kernels of a class on one server: together they keep to it.
    ///
    /// In a folder, each deployment has its own file. The file holds times and token counts but
    /// no prompts. Every user of the machine may write to it, because the kernels of a class
    /// belong to different users. It must not be on a network drive that several machines use.
    ///
    /// # Default
    /// The quota is not shared with other processes.
    pub fn shared(mut self, path: impl Into<PathBuf>) -> Self {
        self.shared_path = Some(path.into());
        self
    }

    /// Tokens per minute, if they are limited.
    pub fn tokens_per_minute(&self) -> Option<u64> {
        self.tokens
    }

    /// Requests per minute, if they are limited.
    pub fn requests_per_minute(&self) -> Option<u64> {
        self.requests.or(self.tokens.map(requests_with_tokens))
    }

    /// The file or folder in which the processes of the machine record what they used.
    pub(super) fn shared_path(&self) -> Option<&PathBuf> {
        self.shared_path.as_ref()
    }

    /// Whether neither tokens nor requests are limited.
    pub(super) fn is_unlimited(&self) -> bool {
        self.tokens.is_none() && self.requests.is_none()
    }

    /// # Errors
    /// A quota of zero, or a path for a quota without limits.
    pub(super) fn check(&self) -> Result<()> {
        let refused = |what: &str, hint: &str| {
            Err(Error::new(ErrorKind::Argument, what).with_hint(hint.to_owned()))
        };
        if self.tokens == Some(0) {
            return refused(
                "a quota of 0 tokens a minute lets no request pass",
                "give the deployment's tokens per minute, such as Quota::tpm(5_000); the portal shows them",
            );
        }
        if self.requests == Some(0) {
            return refused(
                "a quota of 0 requests a minute lets no request pass",
                "give the deployment's requests per minute, such as Quota::rpm(30)",
            );
        }
        if self.is_unlimited() && self.shared_path.is_some() {
            return refused(
                "a quota without limits can't be shared",
                "give the quota to share, such as Quota::tpm(5_000).shared(..)",
            );
        }
        Ok(())
    }
}

impl Client {
    /// The quota from the settings.
    pub(crate) fn quota(&self) -> Option<Quota> {
        let allowance = self.allowance();
        let quota = Quota {
            tokens: allowance.tokens_per_minute,
            requests: allowance.requests_per_minute,
            shared_path: None,
        };
        (!quota.is_unlimited()).then_some(quota)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use insta::assert_snapshot;

    #[test]
    fn requests_come_with_tokens_unless_given() {
        assert_eq!(Quota::tpm(5_000).requests_per_minute(), Some(30));
        assert_eq!(Quota::tpm(1).requests_per_minute(), Some(1));
        assert_eq!(
            Quota::tpm(u64::MAX).requests_per_minute(),
            Some(u64::MAX / 1000)
        );
        assert_eq!(Quota::rpm(7).tokens_per_minute(), None);
        assert_eq!(Quota::unlimited().requests_per_minute(), None);
    }

    #[test]
    fn the_settings_name_a_quota() {
        let quota = |tokens: Option<u64>, requests: Option<u64>| {
            let settings = Settings {
                endpoint: Some("https://x.openai.azure.com".to_owned()),
                api_key: Some(crate::Secret::new("key")),
                tokens_per_minute: tokens,
                requests_per_minute: requests,
                ..Settings::default()
            };
            Client::new(settings).map(|client| client.quota())
        };
        assert_eq!(quota(None, None).unwrap(), None);
        assert_eq!(quota(Some(5_000), None).unwrap(), Some(Quota::tpm(5_000)));
        let both = Quota::tpm(5_000).with_rpm(9);
        assert_eq!(quota(Some(5_000), Some(9)).unwrap(), Some(both));
        assert!(quota(None, Some(0)).unwrap_err().is_settings());
    }

    #[test]
    fn nothing_a_minute_is_an_error_with_a_hint() {
        assert_snapshot!(Quota::tpm(0).check().unwrap_err(), @r"
        a quota of 0 tokens a minute lets no request pass
          hint: give the deployment's tokens per minute, such as Quota::tpm(5_000); the portal shows them
        ");
        assert_snapshot!(Quota::tpm(1).with_rpm(0).check().unwrap_err(), @r"
        a quota of 0 requests a minute lets no request pass
          hint: give the deployment's requests per minute, such as Quota::rpm(30)
        ");
        assert_snapshot!(Quota::unlimited().shared("x").check().unwrap_err(), @r"
        a quota without limits can't be shared
          hint: give the quota to share, such as Quota::tpm(5_000).shared(..)
        ");
        assert!(Quota::unlimited().check().is_ok());
    }
}
