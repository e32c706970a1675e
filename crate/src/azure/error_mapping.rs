//! The errors of Azure Resource Manager in the user's words.

use serde::Deserialize;

use crate::error::{Error, ErrorKind};
use crate::text::{message, sanitize_line};

/// The longest text of the service that is shown, in characters.
const MAX_LENGTH: usize = 600;

/// How many of an error's details are shown.
const MAX_DETAILS: usize = 3;

/// What Azure says about an error.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(super) struct ArmError {
    #[serde(alias = "Code")]
    pub(super) code: Option<String>,
    #[serde(alias = "Message")]
    message: Option<String>,
    target: Option<String>,
    details: Option<Vec<ArmError>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Enclosed {
    error: Option<ArmError>,
}

impl ArmError {
    /// The error in a body: inside `error`, flat, or a page of a gateway.
    pub(super) fn from_body(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let enclosed: Enclosed = serde_json::from_str(&text).unwrap_or_default();
        let flat = || serde_json::from_str::<Self>(&text).ok();
        let error = enclosed.error.or_else(flat).unwrap_or_else(|| Self {
            message: Some(message::of_html(&text)),
            ..Self::default()
        });
        error.shown()
    }

    /// The same, fit to be shown.
    fn shown(self) -> Self {
        let line = |text: Option<String>| {
            let line = sanitize_line(&text?, MAX_LENGTH);
            Some(line).filter(|line| !line.is_empty())
        };
        let details = self.details.unwrap_or_default().into_iter();
        Self {
            code: line(self.code),
            message: line(self.message),
            target: line(self.target),
            details: Some(details.take(MAX_DETAILS).map(Self::shown).collect()),
        }
    }

    /// The code, or one of a detail.
    fn has_code(&self, code: &str) -> bool {
        let own = self
            .code
            .as_deref()
            .is_some_and(|own| own.eq_ignore_ascii_case(code));
        let mut details = self.details.iter().flatten();
        own || details.any(|detail| detail.has_code(code))
    }

    /// Another change is under way: Azure makes one at a time.
    pub(super) fn is_busy(&self) -> bool {
        [
            "RequestConflict",
            "AnotherOperationInProgress",
            "ConcurrentUpdateError",
        ]
        .iter()
        .any(|code| self.has_code(code))
    }

    fn words(&self) -> String {
        let mut words = self.message.clone().unwrap_or_default();
        if let Some(target) = &self.target {
            words = format!("{words} (about {target})");
        }
        let details = self.details.iter().flatten();
        for detail in details.filter_map(|detail| detail.message.as_ref()) {
            if !words.contains(&**detail) {
                words = format!("{words}; {detail}");
            }
        }
        words.trim().to_owned()
    }

    /// The error. `doing` is what was asked, such as `create the OpenAI account x`.
    pub(super) fn into_error(self, doing: &str, place: &str, status: Option<u16>) -> Error {
        let (kind, hint) = self.kind_and_hint(status);
        let words = self.words();
        let words = match (words.as_str(), status) {
            ("", Some(status)) => format!("HTTP status {status}"),
            ("", None) => "no reason is given".to_owned(),
            _ => words,
        };
        // What fails for a while says nothing about what was asked for.
        let message = match status.filter(|status| matches!(status, 429 | 500..)) {
            Some(status) => format!("{place} could not {doing} (HTTP status {status}): {words}"),
            None => format!("{place} did not {doing}: {words}"),
        };
        let error = Error::new(kind, message)
            .with_code(self.code)
            .with_hint(hint);
        match status {
            Some(status) => error.with_status(status),
            None => error,
        }
    }

    fn kind_and_hint(&self, status: Option<u16>) -> (ErrorKind, String) {
        let known = HINTS.iter().find(|(code, ..)| self.has_code(code));
        if let Some((_, kind, hint)) = known {
            return (*kind, (*hint).to_owned());
        }
        let (kind, hint) = match status {
            Some(401) => (ErrorKind::Authentication, SIGN_IN),
            Some(403) => return (ErrorKind::PermissionDenied, self.missing_role()),
            Some(404) => (
                ErrorKind::NotFound,
                "check the name, the resource group and the subscription: AZURE_RESOURCE_GROUP, \
                 AZURE_SUBSCRIPTION_ID",
            ),
            Some(409) => (
                ErrorKind::Conflict,
                "something else changes it, or has its name: wait a minute, or choose another name",
            ),
            Some(422) => (
                ErrorKind::UnprocessableEntity,
                "change what the message names, and make the call again",
            ),
            Some(429) => (
                ErrorKind::RateLimit,
                "there were too many requests to Azure: wait a few minutes",
            ),
            Some(500..) | None => (
                ErrorKind::Server,
                "try again; status.azure.com may say more",
            ),
            Some(400) => (
                ErrorKind::BadRequest,
                "change what the message names, and make the call again",
            ),
            Some(_) => (
                ErrorKind::UnexpectedStatus,
                "check AZURE_RESOURCE_MANAGER_URL, and the proxy if there is one",
            ),
        };
        (kind, hint.to_owned())
    }

    /// The hint for someone who may not do this.
    fn missing_role(&self) -> String {
        let words = self.words();
        let part = |before: &str| {
            let rest = words.split_once(before)?.1;
            rest.split_once('\'').map(|(part, _)| part.to_owned())
        };
        let action = part("action '").unwrap_or_default();
        let scope = part("scope '").unwrap_or_else(|| "the subscription".to_owned());
        let role = match action.to_ascii_lowercase() {
            action if action.starts_with("microsoft.cognitiveservices/") => {
                "Cognitive Services Contributor"
            }
            _ => "Contributor",
        };
        format!(
            "the role {role} is missing: ask an owner of {scope} to give it to you (az role assignment \
             create --role \"{role}\" --scope .. --assignee YOU), or name a resource group that is yours"
        )
    }
}

const SIGN_IN: &str = "sign in again: `az login`, with `--tenant TENANT` if the subscription belongs to \
                       another tenant";
const REGISTER: &str = "someone with the role Contributor has to register it once: az provider register \
                        --namespace NAMESPACE (Microsoft.CognitiveServices, Microsoft.Databricks, \
                        Microsoft.Compute)";
const RETIRED: &str =
    "the model is retired or not offered there: `azure.models(region)` in a notebook lists what is";
const QUOTA: &str = "ask for fewer tokens per minute, delete a deployment that is not needed, or choose \
                     another region; `azure.usages(region)` in a notebook lists the quotas";
const SOFT_DELETED: &str = "an account of this name was deleted in the last 48 hours: \
                            `azure.purge_deleted_account(..)` in a notebook removes it for good; or choose another name";
const NAME_TAKEN: &str = "this name is taken in all of Azure: choose another one";
const NO_SUCH_REGION: &str = "there is no such region, or it does not have this service: choose another one, such as swedencentral";
const POLICY: &str =
    "a policy of your organization forbids it: choose a region or a kind that it allows";

/// Codes with the kind and the hint for them. The first that an error has counts.
const HINTS: [(&str, ErrorKind, &str); 28] = [
    ("ServiceModelDeprecated", ErrorKind::BadRequest, RETIRED),
    ("ServiceModelDeprecating", ErrorKind::BadRequest, RETIRED),
    (
        "DeploymentModelNotSupported",
        ErrorKind::BadRequest,
        RETIRED,
    ),
    ("InsufficientQuota", ErrorKind::RateLimit, QUOTA),
    ("QuotaExceeded", ErrorKind::RateLimit, QUOTA),
    (
        "InvalidResourceProperties",
        ErrorKind::BadRequest,
        "the sku or the version does not exist in this region: choose another region, or, in a \
         notebook, leave out `.sku(..)`",
    ),
    ("FlagMustBeSetForRestore", ErrorKind::Conflict, SOFT_DELETED),
    ("CustomDomainInUse", ErrorKind::Conflict, NAME_TAKEN),
    ("AccountNameAlreadyInUse", ErrorKind::Conflict, NAME_TAKEN),
    (
        "SpecialFeatureOrQuotaIdRequired",
        ErrorKind::PermissionDenied,
        concat!(
            "this kind of subscription (free, student or reseller) may not have Azure OpenAI: use a \
             pay-as-you-go subscription; or practice: ",
            practice!()
        ),
    ),
    (
        "MissingSubscriptionRegistration",
        ErrorKind::Conflict,
        REGISTER,
    ),
    ("SubscriptionNotRegistered", ErrorKind::Conflict, REGISTER),
    (
        "RequestConflict",
        ErrorKind::Conflict,
        "another change of the same account is under way: wait a minute, and make the call again",
    ),
    ("SubscriptionNotFound", ErrorKind::NotFound, SIGN_IN),
    (
        "InvalidAuthenticationTokenTenant",
        ErrorKind::Authentication,
        SIGN_IN,
    ),
    (
        "ExpiredAuthenticationToken",
        ErrorKind::Authentication,
        "the token had expired when it arrived: check this machine's clock, then sign in again with \
         `az login`",
    ),
    (
        "InvalidAuthenticationToken",
        ErrorKind::Authentication,
        SIGN_IN,
    ),
    (
        "ReadOnlyDisabledSubscription",
        ErrorKind::PermissionDenied,
        "the subscription is disabled (an expired trial, or a bill): activate it in the portal, or set \
         AZURE_SUBSCRIPTION_ID to another one",
    ),
    (
        "ResourceGroupNotFound",
        ErrorKind::NotFound,
        "the resource group does not exist: `create` makes it; AZURE_RESOURCE_GROUP names another one",
    ),
    (
        "ResourceGroupBeingDeleted",
        ErrorKind::Conflict,
        "the resource group is being deleted: wait until it is gone, or name another one",
    ),
    (
        "RequestDisallowedByPolicy",
        ErrorKind::PermissionDenied,
        POLICY,
    ),
    ("DisallowedLocation", ErrorKind::PermissionDenied, POLICY),
    (
        "ScopeLocked",
        ErrorKind::Conflict,
        "a lock prevents changes and deletion: remove the lock in the portal",
    ),
    (
        "LocationNotAvailableForResourceType",
        ErrorKind::BadRequest,
        NO_SUCH_REGION,
    ),
    (
        "LocationNotAvailableForResourceGroup",
        ErrorKind::BadRequest,
        NO_SUCH_REGION,
    ),
    (
        "SkuNotAvailable",
        ErrorKind::BadRequest,
        "the region has none left of this kind of machine: choose another kind or region",
    ),
    (
        "NoRegisteredProviderFound",
        ErrorKind::BadRequest,
        NO_SUCH_REGION,
    ),
    (
        "CanNotDeleteResource",
        ErrorKind::Conflict,
        "something inside it has to be deleted first: the deployments of an account, for instance",
    ),
];

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    fn error(status: u16, body: &str) -> Error {
        ArmError::from_body(body.as_bytes()).into_error(
            "create the account x",
            "Azure",
            Some(status),
        )
    }

    #[test]
    fn a_missing_right_names_the_role_and_the_scope() {
        let body = r#"{"error":{"code":"AuthorizationFailed","message":"The client 'me@x' with object id '1' does not have authorization to perform action 'Microsoft.CognitiveServices/accounts/write' over scope '/subscriptions/1/resourceGroups/lab' or the scope is invalid."}}"#;
        assert_snapshot!(error(403, body).hint().unwrap(), @r#"the role Cognitive Services Contributor is missing: ask an owner of /subscriptions/1/resourceGroups/lab to give it to you (az role assignment create --role "Cognitive Services Contributor" --scope .. --assignee YOU), or name a resource group that is yours"#);
    }

    #[test]
    fn details_and_targets_are_told_in_one_line() {
        let body = r#"{"error":{"code":"InvalidTemplateDeployment","message":"It failed.","target":"sku","details":[{"code":"InsufficientQuota","message":"This operation require 5 new capacity in quota Tokens Per Minute (thousands) - GPT-4o, which is bigger than the current available capacity 2.\u001b[31m"}]}}"#;
        let error = error(400, body);
        assert_eq!(error.kind(), ErrorKind::RateLimit);
        assert_eq!(error.code(), Some("InvalidTemplateDeployment"));
        assert_snapshot!(error, @r"
        Azure did not create the account x: It failed. (about sku); This operation require 5 new capacity in quota Tokens Per Minute (thousands) - GPT-4o, which is bigger than the current available capacity 2.�[31m
          hint: ask for fewer tokens per minute, delete a deployment that is not needed, or choose another region; `azure.usages(region)` in a notebook lists the quotas
        ");
    }

    #[test]
    fn pages_and_flat_errors_are_read_too() {
        let page = error(502, "<html><title>Bad Gateway</title>");
        assert_eq!(
            page.message(),
            "Azure could not create the account x (HTTP status 502): Bad Gateway"
        );
        assert_eq!(page.kind(), ErrorKind::Server);
        let flat = error(409, r#"{"Code":"CustomDomainInUse","Message":"taken"}"#);
        assert_eq!(
            (flat.kind(), flat.code()),
            (ErrorKind::Conflict, Some("CustomDomainInUse"))
        );
        assert!(error(418, "").message().ends_with("HTTP status 418"));
    }

    proptest! {
        #[test]
        fn any_body_is_an_error(body in any::<Vec<u8>>(), status in 300_u16..600) {
            let error = ArmError::from_body(&body).into_error("x", "y", Some(status));
            prop_assert!(error.hint().is_some());
            prop_assert!(error.message().chars().count() < 4 * MAX_LENGTH);
        }
    }
}
