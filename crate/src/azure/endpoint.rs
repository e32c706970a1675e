//! Where Azure Resource Manager is, and what its tokens are for.

use reqwest::Url;

use crate::databricks::{AZURE_HOSTS, PriceList};
use crate::error::{Error, ErrorKind, Result};
use crate::loopback_host::is_loopback;
use crate::settings::cloud::{ENVIRONMENT, MANAGER};
use crate::settings::{CloudSettings, IdentitySettings};

/// Clouds by the names of `ARM_ENVIRONMENT`: the manager's address, the resource of the older service
/// management API, and the endings of Databricks' hosts.
const CLOUDS: [(&[&str], &str, &str, &str); 3] = [
    (
        &["", "public", "azurecloud", "azurepubliccloud"],
        "https://management.azure.com",
        "https://management.core.windows.net/",
        AZURE_HOSTS[0],
    ),
    (
        &["usgovernment", "usgov", "azureusgovernment"],
        "https://management.usgovcloudapi.net",
        "https://management.core.usgovcloudapi.net/",
        AZURE_HOSTS[1],
    ),
    (
        &["china", "azurechinacloud"],
        "https://management.chinacloudapi.cn",
        "https://management.core.chinacloudapi.cn/",
        AZURE_HOSTS[2],
    ),
];

/// The address of Azure Resource Manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ManagerEndpoint {
    pub(super) url: Url,
    /// What its tokens are for.
    pub(super) resource: String,
    /// What the tokens of the older management API are for.
    pub(super) management: &'static str,
    databricks: &'static str,
    /// It is a practice cloud on this machine.
    pub(super) is_practice: bool,
}

impl ManagerEndpoint {
    /// # Errors
    /// The address is malformed or would send tokens unencrypted; the cloud is unknown; or a practice
    /// cloud would get the tokens of a real identity.
    pub(super) fn new(settings: &CloudSettings, identity: &IdentitySettings) -> Result<Self> {
        let name = settings.environment.as_deref().unwrap_or_default();
        let name = name.to_ascii_lowercase();
        let cloud = CLOUDS.iter().find(|(names, ..)| names.contains(&&*name));
        let (_, usual, management, databricks) = *cloud.ok_or_else(|| {
            refused(format!("{ENVIRONMENT} names no cloud of Azure"))
                .with_hint("set it to public, usgovernment or china, or unset it")
        })?;
        let address = settings.manager.as_deref().unwrap_or(usual);
        let url = checked(address)?;
        let is_practice = url.host_str().is_some_and(is_loopback);
        if is_practice && !is_of_practice(identity) {
            return Err(refused(format!(
                "{MANAGER} names a program on this machine, but you sign in to the real Azure: that \
                 program would get your token"
            ))
            .with_hint(format!(
                "unset {MANAGER} to work in Azure; or practice: {}. The variables that belong to it, which it \
                 prints, are AZURE_AUTHORITY_HOST, AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET",
                practice!()
            )));
        }
        let is_usual = is_practice || settings.manager.is_none();
        let resource = match is_usual {
            true => usual.to_owned(),
            // Its own tokens: none of them is good for another service.
            false => url.as_str().trim_end_matches('/').to_owned(),
        };
        Ok(Self {
            url,
            resource,
            management,
            databricks,
            is_practice,
        })
    }

    /// The prices of a region, if Azure has one list with them: China has another one, and practice costs
    /// nothing.
    pub(super) fn prices(&self, region: &str) -> Option<PriceList> {
        let is_listed = self.databricks != AZURE_HOSTS[2] && !self.is_practice;
        is_listed.then(|| PriceList::of_azure(region)).flatten()
    }

    /// The address of a Databricks workspace that the manager names, if a token may go there.
    ///
    /// # Errors
    /// It is not an address of Databricks.
    pub(super) fn databricks_host(&self, host: &str) -> Result<Url> {
        let unexpected_response = || {
            let message =
                "Azure names an unexpected address of the Databricks workspace".to_owned();
            Error::new(ErrorKind::Response, message).with_hint(
                "open the workspace in the portal, and set DATABRICKS_HOST to its address",
            )
        };
        let is_local = host.split(':').next().is_some_and(is_loopback);
        let scheme = if is_local { "http" } else { "https" };
        let url = Url::parse(&format!("{scheme}://{host}/")).map_err(|_| unexpected_response())?;
        let name = url.host_str().unwrap_or_default();
        let is_known = match self.is_practice {
            true => is_loopback(name),
            false => name.ends_with(self.databricks),
        };
        let is_bare = url.path() == "/" && url.query().is_none() && url.username().is_empty();
        match is_known && is_bare && url.fragment().is_none() {
            true => Ok(url),
            false => Err(unexpected_response()),
        }
    }
}

/// Whether this identity is one of a practice cloud: an application whose tokens come from this
/// machine.
fn is_of_practice(identity: &IdentitySettings) -> bool {
    let authority = identity.authority.as_deref().unwrap_or_default();
    let host = Url::parse(authority).ok();
    let host = host.as_ref().and_then(Url::host_str);
    host.is_some_and(is_loopback) && identity.client_secret.is_some()
}

fn checked(address: &str) -> Result<Url> {
    let malformed = || {
        refused(format!(
            "{MANAGER} is not the address of Azure Resource Manager"
        ))
        .with_hint(format!(
            "unset {MANAGER}, or set it to an address such as https://management.azure.com"
        ))
    };
    let mut url = Url::parse(address).map_err(|_| malformed())?;
    let is_bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    url.set_path("/");
    match url.scheme() {
        "https" if is_bare => Ok(url),
        "http" if is_bare && url.host_str().is_some_and(is_loopback) => Ok(url),
        _ => Err(malformed()),
    }
}

fn refused(what: String) -> Error {
    Error::new(ErrorKind::Settings, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn endpoint(manager: Option<&str>, environment: Option<&str>) -> Result<ManagerEndpoint> {
        let settings = CloudSettings {
            manager: manager.map(str::to_owned),
            environment: environment.map(str::to_owned),
            ..CloudSettings::default()
        };
        ManagerEndpoint::new(&settings, &IdentitySettings::default())
    }

    #[test]
    fn each_cloud_has_its_own_manager() {
        for (environment, url) in [
            (None, "https://management.azure.com/"),
            (Some("Public"), "https://management.azure.com/"),
            (
                Some("usgovernment"),
                "https://management.usgovcloudapi.net/",
            ),
            (Some("china"), "https://management.chinacloudapi.cn/"),
        ] {
            let endpoint = endpoint(None, environment).unwrap();
            assert_eq!(endpoint.url.as_str(), url);
            assert_eq!(format!("{}/", endpoint.resource), url);
        }
        assert!(endpoint(None, Some("moon")).unwrap_err().is_settings());
    }

    #[test]
    fn no_token_goes_unencrypted_or_with_a_password_or_to_a_path() {
        for address in [
            "http://management.azure.com",
            "https://me:Hunter2@management.azure.com",
            "https://management.azure.com/path",
            "https://management.azure.com?x=1",
            "ftp://127.0.0.1",
            "nonsense",
        ] {
            let error = endpoint(Some(address), None).unwrap_err();
            assert!(error.message().contains(MANAGER), "{error}");
            assert!(!format!("{error:?}").contains("Hunter2"));
        }
    }

    #[test]
    fn practice_never_gets_the_token_of_a_real_identity() {
        let settings = CloudSettings {
            manager: Some("http://127.0.0.1:9".to_owned()),
            ..CloudSettings::default()
        };
        let real = IdentitySettings {
            client_secret: Some(Secret::new("of-the-real-azure")),
            ..IdentitySettings::default()
        };
        let error = ManagerEndpoint::new(&settings, &real).unwrap_err();
        assert!(error.hint().unwrap().contains(MANAGER), "{error}");
        let practice = IdentitySettings {
            authority: Some("http://127.0.0.1:9".to_owned()),
            ..real
        };
        assert!(
            ManagerEndpoint::new(&settings, &practice)
                .unwrap()
                .is_practice
        );
    }

    #[test]
    fn a_workspace_is_at_databricks() {
        let azure = endpoint(None, None).unwrap();
        let url = azure
            .databricks_host("adb-1.2.azuredatabricks.net")
            .unwrap();
        assert_eq!(url.as_str(), "https://adb-1.2.azuredatabricks.net/");
        for host in [
            "evil.example",
            "azuredatabricks.net.evil.example",
            "127.0.0.1:80",
            "a@adb-1.2.azuredatabricks.net",
            "adb-1.2.azuredatabricks.net/x",
            "",
        ] {
            assert!(azure.databricks_host(host).is_err(), "{host}");
        }
    }
}
