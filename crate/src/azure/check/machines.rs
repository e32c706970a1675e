//! The workspace's leftovers, and the cores that its cluster needs.

use super::super::Azure;
use super::{Finding, MACHINE, SetupPlan};
use crate::error::Result;
use crate::runtime;

impl Azure {
    pub(super) async fn workspace_finding(&self, plan: &SetupPlan) -> Vec<Finding> {
        let Some(name) = &plan.databricks else {
            return Vec::new();
        };
        let what = "workspace";
        let found = async {
            let builder = self.databricks(name);
            if let Some(workspace) = builder.get_async().await? {
                return Ok(Finding::works(
                    what,
                    format!("{workspace} exists and will be used"),
                ));
            }
            let managed = builder.managed_group();
            Result::Ok(match self.has_group(&managed).await? {
                false => Finding::works(what, format!("{name} is free")),
                true => Finding::fails(
                    what,
                    format!("the resource group {managed} is left over from a deleted workspace"),
                )
                .with_hint(format!(
                    "delete it (az group delete --name {managed}), or choose another name"
                )),
            })
        };
        vec![
            found
                .await
                .unwrap_or_else(|error| Finding::unknown(what, &error)),
        ]
    }

    pub(super) async fn machines(&self, plan: &SetupPlan) -> Vec<Finding> {
        if plan.databricks.is_none() {
            return Vec::new();
        }
        let what = "cluster";
        let regions = plan.region.names().iter().map(|region| {
            let (azure, region) = (self.clone(), region.clone());
            runtime::spawn(async move {
                let lacks = azure.lacks(&region).await;
                (region, lacks)
            })
        });
        let regions: Vec<_> = regions.collect();
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for region in regions {
            let looked = match region {
                Ok(work) => work.await,
                Err(error) => Err(error),
            };
            match looked {
                Ok((region, Ok(None))) => good.push(region),
                Ok((_, Ok(Some(lacks)))) => bad.push(lacks),
                Ok((_, Err(error))) | Err(error) => return vec![Finding::unknown(what, &error)],
            }
        }
        let (machine, _, cores) = MACHINE;
        let hint = "take another region, or another kind of machine, or serverless compute; \
                    the portal takes requests for more cores";
        vec![match (good.is_empty(), bad.is_empty()) {
            (true, _) => Finding::fails(what, bad.join("; ")).with_hint(hint),
            (false, true) => {
                let detail = format!("{cores} cores of {machine} are free in {}", good.join(", "));
                Finding::works(what, detail)
            }
            (false, false) => {
                let detail = format!(
                    "{machine} is free in {} alone: {}",
                    good.join(", "),
                    bad.join("; ")
                );
                Finding::works(what, detail)
                    .with_hint(format!("name only these regions: {}", good.join(", ")))
            }
        }]
    }

    /// What a region lacks for the lab's cluster, if it does.
    pub(super) async fn lacks(&self, region: &str) -> Result<Option<String>> {
        let (machine, family, cores) = MACHINE;
        let usages = self.cores(region).await?;
        for name in ["cores", family] {
            let usage = usages
                .iter()
                .find(|usage| usage.name.eq_ignore_ascii_case(name));
            if let Some(usage) = usage.filter(|usage| usage.left() < cores) {
                return Ok(Some(format!(
                    "{region} has {} of {} cores of {name} left, and the cluster needs {cores}",
                    usage.left(),
                    usage.limit
                )));
            }
        }
        match self.sells(region, machine).await? {
            true => Ok(None),
            false => Ok(Some(format!(
                "{region} does not have {machine} for this subscription"
            ))),
        }
    }
}
