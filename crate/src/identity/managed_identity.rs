//! Managed identity: tokens from App Service and similar hosts (`IDENTITY_ENDPOINT`), otherwise
//! from the instance metadata service (IMDS) of virtual machines.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{RequestBuilder, Url};

use super::AccessToken;
use super::error_mapping::Failure;
use super::token_service::{TokenResponse, TokenService};
use crate::error::{Error, ErrorKind, Result};
use crate::http::retry::pause_unless_stopped;
use crate::loopback_host::is_loopback;
use crate::secret::Secret;
use crate::settings::IdentitySettings;
use crate::settings::identity::{IDENTITY_ENDPOINT, IDENTITY_HEADER, IMDS_HOST};

/// The address of IMDS.
const IMDS: &str = "http://169.254.169.254";
const IMDS_PATH: &str = "/metadata/identity/oauth2/token";
const IMDS_VERSION: &str = "2018-02-01";
const APP_SERVICE_VERSION: &str = "2019-08-01";
/// The waits, in milliseconds, after which a request is sent again that was answered with 404 or 410: the
/// service is starting or is being updated, which takes up to 70 s according to its documentation. A
/// machine without an identity is also answered with 404, and says so soon.
const AFTER_404: [u64; 3] = [500, 1_000, 2_000];
const AFTER_410: [u64; 8] = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000];
/// Outside of Azure, connections to IMDS usually time out.
const CONNECT: Duration = Duration::from_secs(1);
const HINT: &str = "give this machine an identity (in the Azure portal: the machine, 'Identity'), \
                    and set AZURE_CLIENT_ID if it has several";

/// The managed identity of this machine.
pub(super) struct ManagedIdentity {
    url: Url,
    version: &'static str,
    header: Option<HeaderValue>,
    client_id: Option<String>,
    service: TokenService,
    /// No setting says that this machine has an identity.
    is_guess: bool,
    /// This machine is known not to be in Azure.
    is_elsewhere: bool,
    /// It has provided a token, so a later failure does not mean that there is no identity.
    has_issued: AtomicBool,
}

impl ManagedIdentity {
    /// The identity according to the settings, by default that of IMDS.
    pub(super) fn new(settings: &IdentitySettings) -> Result<Self> {
        let (url, version) = match &settings.identity_endpoint {
            Some(endpoint) => {
                if settings.identity_header.is_none() {
                    return Err(refused(format!(
                        "{IDENTITY_ENDPOINT} is set, but {IDENTITY_HEADER} is not"
                    ))
                    .with_hint(format!(
                        "set both, as App Service does, or unset {IDENTITY_ENDPOINT}; \
                             machines with Azure Arc sign in with `az login`"
                    )));
                }
                (checked(endpoint, IDENTITY_ENDPOINT)?, APP_SERVICE_VERSION)
            }
            None => {
                let host = settings.imds_host.as_deref().unwrap_or(IMDS);
                let mut url = checked(host, IMDS_HOST)?;
                url.set_path(IMDS_PATH);
                (url, IMDS_VERSION)
            }
        };
        let header = settings
            .identity_header
            .clone()
            .filter(|_| settings.identity_endpoint.is_some());
        Ok(Self {
            header: header.as_ref().map(header_value).transpose()?,
            service: TokenService::new(&url, header, CONNECT, HINT)?,
            url,
            version,
            client_id: settings.client_id.clone(),
            is_guess: settings.identity_endpoint.is_none()
                && settings.imds_host.is_none()
                && settings.is_azure_machine != Some(true),
            is_elsewhere: settings.is_azure_machine == Some(false),
            has_issued: AtomicBool::new(false),
        })
    }

    pub(super) async fn token(&self, resource: &str) -> Result<AccessToken, Failure> {
        if self.is_guess && self.is_elsewhere {
            return Err(unavailable("it is not in Azure"));
        }
        let is_guess = self.is_guess && !self.has_issued.load(Ordering::Relaxed);
        match self.ask(resource, is_guess).await {
            // Whatever answers in place of IMDS, such as a hotel's network, is not an identity.
            Err(Failure::Transient(error, _) | Failure::Refused(error)) if is_guess => {
                Err(unavailable(error.message()))
            }
            Ok(token) => {
                self.has_issued.store(true, Ordering::Relaxed);
                Ok(token)
            }
            failed => failed,
        }
    }

    async fn ask(&self, resource: &str, is_guess: bool) -> Result<AccessToken, Failure> {
        let request = self.request(resource);
        let reply = match is_guess {
            true => self.service.ask_once(&request).await?,
            false => self.ask_while_starting(&request).await?,
        };
        // IMDS answers 400 if the machine has no such identity; what emulates it, 404.
        let has_issued = self.has_issued.load(Ordering::Relaxed);
        if self.version == IMDS_VERSION && matches!(reply.status, 400 | 404) && !has_issued {
            let why = self.service.error_response(&reply).message;
            return Err(unavailable(&match why.is_empty() {
                true => format!(
                    "{} answered with status {}",
                    self.service.host(),
                    reply.status
                ),
                false => why,
            }));
        }
        let (token, _) = self.service.token(&reply, &self.who())?;
        Ok(token)
    }

    /// The reply, which is waited for while the service says that it is starting.
    async fn ask_while_starting(&self, request: &RequestBuilder) -> Result<TokenResponse, Failure> {
        let mut asked = 0;
        loop {
            let reply = self.service.request_token(request).await?;
            let waits: &[u64] = match reply.status {
                404 => &AFTER_404,
                410 => &AFTER_410,
                _ => return Ok(reply),
            };
            let Some(wait) = waits.get(asked) else {
                return Ok(reply);
            };
            let error = Error::new(ErrorKind::Authentication, "the sign-in failed");
            let error = error.with_status(reply.status);
            let wait = Duration::from_millis(*wait);
            let retries = u32::try_from(asked).unwrap_or(u32::MAX);
            let pause = pause_unless_stopped(wait, retries, &error, None);
            pause.await.map_err(Failure::Refused)?;
            asked += 1;
        }
    }

    fn request(&self, resource: &str) -> RequestBuilder {
        let mut url = self.url.clone();
        let mut query = vec![("api-version", self.version), ("resource", resource)];
        query.extend(self.client_id.as_deref().map(|id| ("client_id", id)));
        url.query_pairs_mut().extend_pairs(query);
        let request = self.service.get(url).header("metadata", "true");
        match &self.header {
            Some(header) => request.header("x-identity-header", header),
            None => request,
        }
    }

    pub(super) fn who(&self) -> String {
        match &self.client_id {
            Some(id) => format!("the managed identity {id}"),
            None => "the managed identity of this machine".to_owned(),
        }
    }
}

fn unavailable(why: &str) -> Failure {
    Failure::Unavailable(format!("this machine has no managed identity ({why})"))
}

/// The address, if it is loopback, link-local or HTTPS.
fn checked(address: &str, variable: &str) -> Result<Url> {
    let malformed = || {
        refused(format!(
            "{variable} is neither an address of this machine nor HTTPS"
        ))
        .with_hint(format!("unset {variable}, or set it as Azure does"))
    };
    let url = Url::parse(address).map_err(|error| malformed().with_source(error))?;
    let is_beside = url
        .host_str()
        .and_then(|name| name.parse::<Ipv4Addr>().ok())
        .is_some_and(|address| address.is_link_local());
    match url.scheme() {
        "https" => Ok(url),
        "http" if url.host_str().is_some_and(is_loopback) || is_beside => Ok(url),
        _ => Err(malformed()),
    }
}

fn header_value(secret: &Secret) -> Result<HeaderValue> {
    let mut value = HeaderValue::try_from(secret.expose()).map_err(|_| {
        refused(format!("{IDENTITY_HEADER} can't be sent as a header"))
            .with_hint(format!("set {IDENTITY_HEADER} as Azure does"))
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn refused(what: String) -> Error {
    Error::new(ErrorKind::Settings, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loopback::{Reply, Server};

    fn of(server: &Server) -> ManagedIdentity {
        let settings = IdentitySettings {
            imds_host: Some(server.url()),
            ..IdentitySettings::default()
        };
        ManagedIdentity::new(&settings).unwrap()
    }

    async fn sign_in(identity: &ManagedIdentity) -> Result<AccessToken, Failure> {
        identity.token("https://cognitiveservices.azure.com").await
    }

    fn token() -> Reply {
        Reply::new(
            200,
            "application/json",
            r#"{"access_token": "a.b", "expires_in": 3600}"#,
        )
    }

    fn empty(status: u16) -> Reply {
        Reply::new(status, "text/plain", "")
    }

    #[tokio::test]
    async fn a_service_that_is_starting_is_waited_for() {
        for status in [404, 410] {
            let server = Server::new([empty(status), empty(status), token()]);
            assert!(sign_in(&of(&server)).await.is_ok(), "{status}");
            assert_eq!(server.requests().len(), 3);
        }
    }

    #[tokio::test]
    async fn a_machine_without_an_identity_says_so_within_seconds() {
        for (status, requests) in [(400, 1), (404, 4)] {
            let server = Server::new([empty(status)]);
            let Err(Failure::Unavailable(why)) = sign_in(&of(&server)).await else {
                panic!("{status}")
            };
            let port = server.port();
            let expected = format!(
                "this machine has no managed identity (127.0.0.1:{port} answered with status {status})"
            );
            assert_eq!(why, expected);
            assert_eq!(server.requests().len(), requests);
        }
    }

    #[tokio::test]
    async fn one_that_has_issued_tokens_is_not_called_missing() {
        let server = Server::new([token(), empty(400)]);
        let identity = of(&server);
        assert!(sign_in(&identity).await.is_ok());
        let Err(Failure::Refused(error)) = sign_in(&identity).await else {
            panic!("not refused")
        };
        assert!(error.message().contains("with status 400"), "{error}");
    }
}
