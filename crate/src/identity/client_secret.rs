//! A service principal with a client secret: OAuth's client credentials grant.

use std::time::Duration;

use super::AccessToken;
use super::authority::Authority;
use super::error_mapping::Failure;
use super::token_service::TokenService;
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;
use crate::settings::IdentitySettings;
use crate::settings::identity::{CLIENT_ID, CLIENT_SECRET, TENANT_ID};

const CONNECT: Duration = Duration::from_secs(5);
const HINT: &str = "check AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, the network, and \
                    AZURE_AUTHORITY_HOST if it is set";

/// The service principal.
pub(super) struct ClientSecret {
    authority: Authority,
    client_id: String,
    secret: Secret,
    service: TokenService,
}

impl ClientSecret {
    /// The service principal of the settings, if there is one.
    pub(super) fn new(settings: &IdentitySettings) -> Result<Option<Self>> {
        let Some(secret) = settings.client_secret.clone() else {
            return Ok(None);
        };
        let missing = |name: &str| {
            let what = format!("{CLIENT_SECRET} is set, but {name} is not");
            Error::new(ErrorKind::Settings, what).with_hint(format!(
                "set {TENANT_ID}, {CLIENT_ID} and {CLIENT_SECRET} in one place, or unset all three"
            ))
        };
        if settings.tenant.is_none() {
            return Err(missing(TENANT_ID));
        }
        let client_id = settings
            .client_id
            .clone()
            .ok_or_else(|| missing(CLIENT_ID))?;
        let authority = Authority::new(settings)?;
        Ok(Some(Self {
            service: TokenService::new(&authority.url, Some(secret.clone()), CONNECT, HINT)?,
            authority,
            client_id,
            secret,
        }))
    }

    pub(super) async fn token(&self, scope: &str) -> Result<AccessToken, Failure> {
        let form = [
            ("client_id", self.client_id.as_str()),
            ("client_info", "1"),
            ("client_secret", self.secret.expose()),
            ("grant_type", "client_credentials"),
            ("scope", scope),
        ];
        let request = self.service.post(self.authority.oauth("token"), &form);
        let reply = self.service.request_token(&request).await?;
        let (token, _) = self.service.token(&reply, &self.who())?;
        Ok(token)
    }

    pub(super) fn who(&self) -> String {
        let tenant = self.authority.tenant();
        format!("the application {} in the tenant {tenant}", self.client_id)
    }
}
