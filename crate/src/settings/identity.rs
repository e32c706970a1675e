//! The settings for signing in with Microsoft Entra, with the variable names of Azure's own tools.

use std::path::{Path, PathBuf};

use super::clean;
use crate::secret::Secret;

pub(crate) const AUTHORITY_HOST: &str = "AZURE_AUTHORITY_HOST";
pub(crate) const TENANT_ID: &str = "AZURE_TENANT_ID";
pub(crate) const CLIENT_ID: &str = "AZURE_CLIENT_ID";
pub(crate) const CLIENT_SECRET: &str = "AZURE_CLIENT_SECRET";
pub(crate) const IDENTITY_ENDPOINT: &str = "IDENTITY_ENDPOINT";
pub(crate) const IDENTITY_HEADER: &str = "IDENTITY_HEADER";
pub(crate) const IMDS_HOST: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";

/// The variables of a service principal, which all come from one source.
pub(super) const OF_APPLICATIONS: [&str; 4] = [TENANT_ID, CLIENT_ID, CLIENT_SECRET, AUTHORITY_HOST];

/// The variables that describe the machine: never read from a file.
pub(super) const OF_THE_MACHINE: [&str; 4] =
    [IDENTITY_ENDPOINT, IDENTITY_HEADER, IMDS_HOST, "PATH"];

/// The settings for signing in, not yet checked.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct IdentitySettings {
    /// The identity provider. Default: Microsoft's public cloud.
    pub(crate) authority: Option<String>,
    pub(crate) tenant: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<Secret>,
    /// The token endpoint of App Service and similar hosts.
    pub(crate) identity_endpoint: Option<String>,
    pub(crate) identity_header: Option<Secret>,
    /// The address of the instance metadata service, if not the usual one.
    pub(crate) imds_host: Option<String>,
    /// The path of `az`.
    pub(crate) azure_cli: Option<PathBuf>,
    /// Whether this machine is in Azure, if known.
    pub(crate) is_azure_machine: Option<bool>,
    /// A user is present who wants to sign in in a browser.
    pub(crate) asks_reader: bool,
    /// The endpoint is from a `.env` file, but the identity is not.
    pub(crate) is_apart: bool,
}

impl IdentitySettings {
    pub(crate) fn from_lookup(lookup: &impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| {
            lookup(name)
                .map(|value| clean(&value).to_owned())
                .filter(|value| !value.is_empty())
        };
        Self {
            authority: text(AUTHORITY_HOST),
            tenant: text(TENANT_ID),
            client_id: text(CLIENT_ID),
            client_secret: text(CLIENT_SECRET).map(Secret::new),
            identity_endpoint: text(IDENTITY_ENDPOINT),
            identity_header: text(IDENTITY_HEADER).map(Secret::new),
            imds_host: text(IMDS_HOST),
            azure_cli: lookup("PATH").and_then(|path| azure_cli(&path)),
            is_azure_machine: None,
            asks_reader: false,
            is_apart: false,
        }
    }

    /// Whether any setting suggests that signing in works here. If not, a missing key is reported at
    /// once.
    pub(crate) fn is_configured(&self) -> bool {
        self.client_id.is_some()
            || self.client_secret.is_some()
            || self.identity_endpoint.is_some()
            || self.imds_host.is_some()
            || self.azure_cli.is_some()
            || self.is_azure_machine == Some(true)
            || self.asks_reader
    }
}

/// Whether this machine is in Azure, according to the asset tag of all Azure machines; `None` if
/// the system shows no tag.
pub(super) fn is_azure_machine() -> Option<bool> {
    const TAG: &str = "7783-7084-3265-9085-8269-3286-77";
    if !cfg!(target_os = "linux") {
        return Some(false);
    }
    let tag = std::fs::read_to_string("/sys/class/dmi/id/chassis_asset_tag").ok()?;
    Some(tag.trim() == TAG)
}

/// Finds `az` in `PATH`. Relative folders are not searched.
fn azure_cli(path: &str) -> Option<PathBuf> {
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join("az"))
        .find(|program| is_executable(program))
}

#[cfg(unix)]
fn is_executable(program: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let found = program.metadata();
    found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Only Unix is supported.
#[cfg(not(unix))]
fn is_executable(_program: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_program_in_a_folder_with_a_full_path_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("az");
        std::fs::write(&program, "").unwrap();
        let path = format!(".::bin:{}", folder.path().display());
        assert_eq!(azure_cli(&path), None, "it can't be run");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(&program, mode).unwrap();
            assert_eq!(azure_cli(&path), Some(program));
        }
    }

    #[test]
    fn nothing_set_is_nothing_configured() {
        let nothing = IdentitySettings::from_lookup(&|_: &str| None);
        assert!(!nothing.is_configured());
        let tenant = IdentitySettings::from_lookup(&|name: &str| {
            (name == TENANT_ID).then(|| "contoso".to_owned())
        });
        assert!(!tenant.is_configured(), "a tenant alone signs nobody in");
        let identity = IdentitySettings::from_lookup(&|name: &str| {
            (name == CLIENT_ID).then(|| " 'an-identity' ".to_owned())
        });
        assert_eq!(identity.client_id.as_deref(), Some("an-identity"));
        assert!(identity.is_configured());
    }
}
