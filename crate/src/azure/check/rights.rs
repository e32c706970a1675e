//! What the user may do, and which providers are registered.

use reqwest::Method;
use serde::Deserialize;

use super::super::{Azure, PROVIDER, compute, group, workspace};
use super::{Finding, SetupPlan};

const VERSION: &str = "2022-04-01";

const WHAT: &str = "rights";

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Permission {
    actions: Vec<String>,
    not_actions: Vec<String>,
}

impl Permission {
    fn allows(&self, action: &str) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, action));
        any(&self.actions) && !any(&self.not_actions)
    }
}

/// Whether an action such as `Microsoft.X/y/write` fits a pattern such as `*/write`.
fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| action.strip_prefix(first)) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

impl Azure {
    pub(super) async fn rights(&self, plan: &SetupPlan) -> Vec<Finding> {
        let name = self.resource_group();
        let has_group = match self.has_group(name).await {
            Ok(has_group) => has_group,
            Err(error) => return vec![Finding::unknown(WHAT, &error)],
        };
        let authorization = ["providers", "Microsoft.Authorization", "permissions"];
        let mut path = match has_group {
            true => vec![group::PATH, name],
            false => Vec::new(),
        };
        path.extend(authorization);
        let call = self.call(Method::GET, &path, VERSION, "list your rights");
        let permissions: Vec<Permission> = match self.arm().list(&call, self.polling()).await {
            Ok(permissions) => permissions,
            Err(error) => return vec![Finding::unknown(WHAT, &error)],
        };
        let mut wanted = vec!["Microsoft.CognitiveServices/accounts/write"];
        if plan.databricks.is_some() {
            wanted.push("Microsoft.Databricks/workspaces/write");
        }
        if !has_group {
            wanted.push("Microsoft.Resources/subscriptions/resourceGroups/write");
        }
        let lacks = |action: &&&str| !permissions.iter().any(|it| it.allows(action));
        let missing: Vec<&str> = wanted.iter().filter(lacks).copied().collect();
        let place = match has_group {
            true => format!("the resource group {name}"),
            false => "the subscription".to_owned(),
        };
        vec![match missing.is_empty() {
            true => Finding::works(WHAT, format!("you may make what is needed in {place}")),
            false => Finding::fails(WHAT, format!("you may not {} in {place}", missing.join(", ")))
                .hint(format!(
                    "ask an owner of {place} to give you the role Contributor, or name a resource group \
                     that is yours: AZURE_RESOURCE_GROUP"
                )),
        }]
    }

    pub(super) async fn registrations(&self, plan: &SetupPlan) -> Vec<Finding> {
        let mut providers = vec![PROVIDER];
        if plan.databricks.is_some() {
            providers.extend([workspace::PROVIDER, compute::PROVIDER]);
        }
        let what = "providers";
        let mut missing = Vec::new();
        for provider in providers {
            match self.provider_state(provider).await {
                Ok(state) if state.eq_ignore_ascii_case("Registered") => {}
                Ok(_) => missing.push(provider),
                Err(error) => return vec![Finding::unknown(what, &error)],
            }
        }
        vec![match missing.is_empty() {
            true => Finding::works(what, "all are registered"),
            false => {
                let detail = format!(
                    "{} will be registered, which takes minutes",
                    missing.join(", ")
                );
                Finding::doubtful(what, detail).hint(
                    "nothing, if you have the role Contributor on the subscription; otherwise ask \
                     someone who has to run `az provider register --namespace NAME` for each",
                )
            }
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_rights_are_read_as_azure_does() {
        let action = "Microsoft.CognitiveServices/accounts/write";
        for pattern in [
            "*",
            "*/write",
            "microsoft.cognitiveservices/*",
            "Microsoft.*/accounts/*",
            action,
        ] {
            assert!(matches(pattern, action), "{pattern}");
        }
        for pattern in [
            "",
            "*/read",
            "Microsoft.Databricks/*",
            "Microsoft.CognitiveServices/accounts",
        ] {
            assert!(!matches(pattern, action), "{pattern}");
        }
        let permission = Permission {
            actions: vec!["*".to_owned()],
            not_actions: vec!["Microsoft.CognitiveServices/*/write".to_owned()],
        };
        assert!(!permission.allows(action) && permission.allows("x/write"));
    }
}
