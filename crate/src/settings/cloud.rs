//! The settings of Azure's control plane, with the variable names of other tools.

use std::path::Path;

use super::clean;
use super::sources::{Sources, sources};
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
    /// The settings of the environment and, for variables it lacks, of the `.env` file. The manager's
    /// address, to which tokens go, is never read from a file: whoever wrote it would get them.
    ///
    /// # Errors
    /// A `.env` file exists but can't be read.
    pub(crate) fn from_env() -> Result<Self> {
        Self::from_env_in(Path::new(""))
    }

    fn from_env_in(folder: &Path) -> Result<Self> {
        Ok(Self::from_sources(&sources(folder)?))
    }

    fn from_sources<E: Fn(&str) -> Option<String>>(sources: &Sources<E>) -> Self {
        Self::from_lookup(&|name: &str| match name {
            MANAGER => sources.of_environment(name),
            name => sources.value(name),
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::sources::tests::of_pairs;

    #[test]
    fn the_file_gives_what_the_environment_lacks_but_not_where_tokens_go() {
        let file = [
            (MANAGER, "https://evil.example"),
            (ENVIRONMENT, "china"),
            (SUBSCRIPTION, "files"),
            (GROUP, "\"lab\""),
        ];
        let read = CloudSettings::from_sources(&of_pairs(&[(SUBSCRIPTION, "own")], &file));
        let expected = CloudSettings {
            manager: None,
            environment: Some("china".to_owned()),
            subscription: Some("own".to_owned()),
            group: Some("lab".to_owned()),
        };
        assert_eq!(read, expected);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_write_is_skipped() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        std::fs::write(&path, format!("{GROUP}=lab")).unwrap();
        let read = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            CloudSettings::from_env_in(folder.path()).unwrap().group
        };
        assert_eq!(read(0o600).as_deref(), Some("lab"));
        assert_eq!(read(0o666), None);
    }
}
