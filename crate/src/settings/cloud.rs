//! The settings of Azure's control plane, with the variable names of other tools.

use std::path::Path;

use super::{clean, variable};
use crate::error::Result;

/// The address of Azure Resource Manager, as in the test environments of Azure's SDKs.
pub(crate) const MANAGER: &str = "AZURE_RESOURCE_MANAGER_URL";
/// `public`, `usgovernment` or `china`, as for Terraform and Databricks' tools.
pub(crate) const ENVIRONMENT: &str = "ARM_ENVIRONMENT";
/// As for Azure's SDKs and `azd`.
pub(crate) const SUBSCRIPTION: &str = "AZURE_SUBSCRIPTION_ID";
/// As for `azd`.
pub(crate) const GROUP: &str = "AZURE_RESOURCE_GROUP";

/// The settings, not yet checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CloudSettings {
    pub(crate) manager: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) subscription: Option<String>,
    pub(crate) group: Option<String>,
}

impl CloudSettings {
    /// The settings of the environment. Where tokens go is never read from a file: whoever wrote it
    /// would get them.
    ///
    /// # Errors
    /// A `.env` file exists but can't be read.
    pub(crate) fn from_env() -> Result<Self> {
        let here = Self::from_lookup(&|name: &str| std::env::var(name).ok());
        Ok(Self {
            subscription: variable(Path::new(""), SUBSCRIPTION)?,
            group: variable(Path::new(""), GROUP)?,
            ..here
        }
        .without_empty())
    }

    /// The settings of any source.
    pub(crate) fn from_lookup(lookup: &impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| lookup(name).map(|value| clean(&value).to_owned());
        Self {
            manager: text(MANAGER),
            environment: text(ENVIRONMENT),
            subscription: text(SUBSCRIPTION),
            group: text(GROUP),
        }
        .without_empty()
    }

    fn without_empty(self) -> Self {
        let full = |value: Option<String>| value.filter(|value| !value.is_empty());
        Self {
            manager: full(self.manager),
            environment: full(self.environment),
            subscription: full(self.subscription),
            group: full(self.group),
        }
    }
}
