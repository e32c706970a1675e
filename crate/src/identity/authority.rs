//! The identity provider: Microsoft's public cloud, or another one.

use reqwest::Url;

use crate::error::{Error, ErrorKind, Result};
use crate::loopback_host::is_loopback;
use crate::settings::IdentitySettings;
use crate::settings::identity::{AUTHORITY_HOST, TENANT_ID};

/// Microsoft's public cloud.
const PUBLIC: &str = "https://login.microsoftonline.com";
/// Any tenant with work or school accounts.
const ANY_TENANT: &str = "organizations";

/// A tenant of an identity provider.
#[derive(Clone)]
pub(super) struct Authority {
    pub(super) url: Url,
    tenant: Option<String>,
}

impl Authority {
    pub(super) fn new(settings: &IdentitySettings) -> Result<Self> {
        let url = match &settings.authority {
            Some(address) => checked(address)?,
            None => checked(PUBLIC)?,
        };
        let tenant = settings.tenant.clone();
        let is_tenant = |name: &String| {
            name.chars()
                .all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
        };
        match tenant {
            Some(name) if !is_tenant(&name) => Err(refused(format!("{TENANT_ID} is not a tenant"))
                .with_hint(
                    "set it to the directory's ID or its domain, such as contoso.onmicrosoft.com",
                )),
            tenant => Ok(Self { url, tenant }),
        }
    }

    /// The configured tenant, otherwise that of the user who signs in.
    pub(super) fn tenant(&self) -> &str {
        self.tenant.as_deref().unwrap_or(ANY_TENANT)
    }

    /// The tenant's address for this OAuth endpoint.
    pub(super) fn oauth(&self, part: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/oauth2/v2.0/{part}", self.tenant()));
        url
    }
}

/// The address, if a secret may be sent to it.
fn checked(address: &str) -> Result<Url> {
    let whole = match address.contains("://") {
        true => address.to_owned(),
        false => format!("https://{address}"),
    };
    let malformed = || {
        refused(format!(
            "{AUTHORITY_HOST} is not the address of an identity provider"
        ))
        .with_hint(format!(
            "set it to an address such as {PUBLIC}, or leave it unset"
        ))
    };
    let url = Url::parse(&whole).map_err(|error| malformed().with_source(error))?;
    let is_bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    match url.scheme() {
        "https" if is_bare => Ok(url),
        "http" if is_bare && url.host_str().is_some_and(is_loopback) => Ok(url),
        _ => Err(malformed()),
    }
}

/// Host and port for messages.
pub(super) fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    }
}

fn refused(what: String) -> Error {
    Error::new(ErrorKind::Settings, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(address: &str, tenant: &str) -> Result<String> {
        let settings = IdentitySettings {
            authority: Some(address.to_owned()),
            tenant: Some(tenant.to_owned()),
            ..IdentitySettings::default()
        };
        Ok(Authority::new(&settings)?.oauth("token").to_string())
    }

    #[test]
    fn an_address_is_taken_with_and_without_its_scheme() {
        for address in [
            "login.microsoftonline.us",
            "https://login.microsoftonline.us/",
        ] {
            assert_eq!(
                authority(address, "contoso.com").unwrap(),
                "https://login.microsoftonline.us/contoso.com/oauth2/v2.0/token"
            );
        }
        let nobody = Authority::new(&IdentitySettings::default()).unwrap();
        assert_eq!(
            nobody.oauth("devicecode").as_str(),
            "https://login.microsoftonline.com/organizations/oauth2/v2.0/devicecode"
        );
    }

    #[test]
    fn no_secret_goes_where_it_can_be_read_or_elsewhere_on_a_server() {
        for address in [
            "http://login.microsoftonline.com",
            "https://me:Hunter2@login.example",
            "https://login.example/path",
            "https://login.example?a=b",
            "ftp://login.example",
            "https://",
        ] {
            let error = authority(address, "contoso").unwrap_err();
            let reported = format!("{error:?}");
            assert!(
                reported.contains("AZURE_AUTHORITY_HOST") && !reported.contains("Hunter2"),
                "{reported}"
            );
        }
        for tenant in ["../other", "a b", "a/b", "a?b"] {
            let error = authority("https://login.example", tenant).unwrap_err();
            assert!(error.message().contains("AZURE_TENANT_ID"), "{error:?}");
        }
    }
}
