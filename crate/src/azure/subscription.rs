//! Subscriptions: what belongs to whom, and what it may be used for.

use std::fmt;

use reqwest::Method;
use serde::Deserialize;

use super::arm::Arm;
use super::{Azure, names};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime;
use crate::settings::cloud::SUBSCRIPTION;
use crate::text::sanitize_line;
use crate::waiting::PollOptions;

const VERSION: &str = "2022-12-01";

/// How many subscriptions a message lists.
const MAX_LISTED: usize = 10;

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subscription {
    id: String,
    name: String,
    state: String,
    /// What kind of offer it is, such as `FreeTrial_2014-09-01`.
    offer: String,
}

/// A subscription in Azure's words.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SubscriptionResponse {
    subscription_id: Option<String>,
    display_name: Option<String>,
    state: Option<String>,
    subscription_policies: Option<Policies>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Policies {
    quota_id: Option<String>,
}

impl Subscription {
    /// Its ID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its name, as the portal shows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its state: `Enabled`, `Warned`, `PastDue`, `Disabled` or `Deleted`.
    pub fn state(&self) -> &str {
        &self.state
    }

    /// Whether something can be made in it.
    pub fn is_enabled(&self) -> bool {
        ["", "Enabled", "Warned", "PastDue"].contains(&&*self.state)
    }

    /// Why this kind of subscription may lack Azure OpenAI or cores for a cluster, if it may.
    pub(super) fn limits(&self) -> Option<&'static str> {
        let is = |word: &str| self.offer.to_ascii_lowercase().contains(word);
        if is("freetrial") {
            Some("it is a free trial, which has 4 cores and no Azure OpenAI")
        } else if is("student") {
            Some("it is a student subscription, which may lack Azure OpenAI")
        } else if is("csp") {
            Some("it is a reseller's subscription (CSP), which may lack Azure OpenAI")
        } else {
            None
        }
    }

    fn from_answer(answer: SubscriptionResponse) -> Option<Self> {
        let shown = |text: Option<String>| sanitize_line(&text.unwrap_or_default(), 120);
        let id = answer.subscription_id?;
        names::SUBSCRIPTION.check(&id).ok()?;
        let policies = answer.subscription_policies.unwrap_or_default();
        Some(Self {
            id,
            name: shown(answer.display_name),
            state: shown(answer.state),
            offer: shown(policies.quota_id),
        })
    }
}

impl fmt::Display for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.is_empty() {
            true => f.write_str(&self.id),
            false => write!(f, "{} ({})", self.name, self.id),
        }
    }
}

impl Azure {
    /// The subscriptions that the user may work in.
    ///
    /// # Errors
    /// Azure refuses or can't be reached.
    pub fn subscriptions(&self) -> Result<Vec<Subscription>> {
        runtime::wait(self.subscriptions_async())
    }

    /// Async version of [`subscriptions`](Self::subscriptions).
    ///
    /// # Errors
    /// As [`subscriptions`](Self::subscriptions).
    pub fn subscriptions_async(
        &self,
    ) -> impl Future<Output = Result<Vec<Subscription>>> + Send + 'static {
        let azure = self.clone();
        runtime::run(async move { all(azure.arm(), azure.polling()).await })
    }
}

async fn all(arm: &Arm, polling: &PollOptions) -> Result<Vec<Subscription>> {
    let call = arm.call(
        Method::GET,
        &["subscriptions"],
        VERSION,
        "list your subscriptions",
    );
    let answers: Vec<SubscriptionResponse> = arm.list(&call, polling).await?;
    Ok(answers
        .into_iter()
        .filter_map(Subscription::from_answer)
        .collect())
}

/// The subscription of this ID, or else the only one that is enabled.
///
/// # Errors
/// There is none, or more than one and none is named; the message lists them.
pub(super) async fn chosen(
    arm: &Arm,
    polling: &PollOptions,
    id: Option<&str>,
) -> Result<Subscription> {
    if let Some(id) = id {
        names::SUBSCRIPTION.check(id)?;
        let doing = format!("look up the subscription {id}");
        let call = arm.call(Method::GET, &["subscriptions", id], VERSION, &doing);
        let answer: SubscriptionResponse = arm.send_and_parse(&call, polling).await?;
        let nameless = SubscriptionResponse {
            subscription_id: answer.subscription_id.or_else(|| Some(id.to_owned())),
            ..answer
        };
        return Subscription::from_answer(nameless).ok_or_else(|| nobodys(arm));
    }
    let all = all(arm, polling).await?;
    let (enabled, others): (Vec<_>, Vec<_>) = all.into_iter().partition(Subscription::is_enabled);
    match &enabled[..] {
        [one] => Ok(one.clone()),
        [] if others.is_empty() => Err(nobodys(arm)),
        [] => Err(Error::new(
            ErrorKind::PermissionDenied,
            format!("no subscription is enabled: {}", listed(&others)),
        )
        .with_hint(concat!(
            "a trial that has expired or a bill that is unpaid disables a subscription: reactivate it in the portal; or practice: ",
            practice!()
        ))),
        several => Err(Error::new(
            ErrorKind::Settings,
            format!("you have {} subscriptions: {}", several.len(), listed(several)),
        )
        .with_hint(format!("set {SUBSCRIPTION} to the ID of one of them"))),
    }
}

fn nobodys(arm: &Arm) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!("there is no subscription for {}", arm.who()),
    )
    .with_hint(concat!(
        "if it belongs to another tenant, sign in there with `az login --tenant TENANT`; otherwise make \
         one at portal.azure.com; or practice: ",
        practice!()
    ))
}

fn listed(subscriptions: &[Subscription]) -> String {
    let names = subscriptions
        .iter()
        .take(MAX_LISTED)
        .map(Subscription::to_string);
    let names: Vec<String> = names.collect();
    match subscriptions.len().saturating_sub(MAX_LISTED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}
