//! The quotas of a region: how much of what the subscription may use, and does.

use reqwest::Method;
use serde::Deserialize;

use super::{Azure, COGNITIVE, PROVIDER, Region, names};
use crate::error::Result;
use crate::runtime;
use crate::text::sanitize_line;

/// A quota. Those of models count thousands of tokens per minute.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct QuotaUsage {
    /// Its name, such as `OpenAI.GlobalStandard.gpt-5-mini`.
    pub name: String,
    /// What it is, in words.
    pub description: String,
    /// How much is used.
    pub used: u64,
    /// How much there is.
    pub limit: u64,
}

impl QuotaUsage {
    /// How much is left.
    pub fn left(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct UsageResponse {
    name: Option<Name>,
    current_value: Option<f64>,
    limit: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Name {
    value: Option<String>,
    localized_value: Option<String>,
}

impl UsageResponse {
    pub(super) fn into_usage(self) -> Option<QuotaUsage> {
        let shown = |text: Option<String>| sanitize_line(&text.unwrap_or_default(), 120);
        // A cast saturates, and takes what is no number for zero.
        let number = |number: Option<f64>| number.unwrap_or_default() as u64;
        let name = self.name?;
        Some(QuotaUsage {
            name: shown(name.value),
            description: shown(name.localized_value),
            used: number(self.current_value),
            limit: number(self.limit),
        })
    }
}

impl Azure {
    /// The quotas of Azure OpenAI in a region.
    ///
    /// # Errors
    /// Azure knows no such region, refuses, or can't be reached.
    pub fn usages(&self, region: &str) -> Result<Vec<QuotaUsage>> {
        runtime::wait(self.usages_async(region))
    }

    /// Async version of [`usages`](Self::usages).
    ///
    /// # Errors
    /// As [`usages`](Self::usages).
    pub fn usages_async(
        &self,
        region: &str,
    ) -> impl Future<Output = Result<Vec<QuotaUsage>>> + Send + 'static {
        let (azure, region) = (self.clone(), Region::named(region));
        runtime::run(async move { azure.usages_of(&region.names().concat()).await })
    }

    pub(super) async fn usages_of(&self, region: &str) -> Result<Vec<QuotaUsage>> {
        names::REGION.check(region)?;
        let path = ["providers", PROVIDER, "locations", region, "usages"];
        let doing = format!("list the quotas of {region}");
        let call = self.call(Method::GET, &path, COGNITIVE, &doing);
        let answers: Vec<UsageResponse> = self.arm().list(&call, self.polling()).await?;
        Ok(answers
            .into_iter()
            .filter_map(UsageResponse::into_usage)
            .collect())
    }
}
