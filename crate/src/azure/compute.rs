//! The machines that a cluster needs: how many cores a region has left, and which kinds it sells.

use reqwest::Method;
use serde::Deserialize;

use super::{Azure, quota};
use crate::azure::QuotaUsage;
use crate::error::Result;

pub(super) const PROVIDER: &str = "Microsoft.Compute";

/// The api-version of quotas of cores.
const USAGES: &str = "2026-04-01";
/// The api-version of kinds of machines.
const SKUS: &str = "2021-07-01";

/// A kind of machine in Azure's words.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Kind {
    name: Option<String>,
    resource_type: Option<String>,
    restrictions: Option<Vec<Restriction>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Restriction {
    r#type: Option<String>,
}

impl Azure {
    /// The quotas of cores in a region: `cores` of all machines, and one for each family.
    pub(super) async fn cores(&self, region: &str) -> Result<Vec<QuotaUsage>> {
        let path = ["providers", PROVIDER, "locations", region, "usages"];
        let doing = format!("list the cores of {region}");
        let call = self.call(Method::GET, &path, USAGES, &doing);
        let answers: Vec<quota::UsageResponse> = self.arm().list(&call, self.polling()).await?;
        Ok(answers
            .into_iter()
            .filter_map(quota::UsageResponse::into_usage)
            .collect())
    }

    /// Whether the subscription may have this kind of machine in the region.
    pub(super) async fn sells(&self, region: &str, machine: &str) -> Result<bool> {
        let path = ["providers", PROVIDER, "skus"];
        let doing = format!("list the machines of {region}");
        let mut call = self.call(Method::GET, &path, SKUS, &doing);
        let filter = format!("location eq '{region}'");
        call.url.query_pairs_mut().append_pair("$filter", &filter);
        let kinds: Vec<Kind> = self.arm().list(&call, self.polling()).await?;
        let is_it = |kind: &Kind| {
            kind.resource_type.as_deref() == Some("virtualMachines")
                && kind
                    .name
                    .as_deref()
                    .is_some_and(|name| name.eq_ignore_ascii_case(machine))
        };
        let is_closed = |kind: &Kind| {
            let restrictions = kind.restrictions.iter().flatten();
            restrictions
                .filter_map(|it| it.r#type.as_deref())
                .any(|kind| kind == "Location")
        };
        Ok(kinds.iter().any(|kind| is_it(kind) && !is_closed(kind)))
    }
}
