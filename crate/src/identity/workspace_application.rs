//! A service principal of a Databricks workspace, which issues its tokens itself.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderValue};

use super::AccessToken;
use super::error_mapping::Failure;
use super::token_cache::Issuer;
use super::token_service::TokenService;
use crate::base64_encoding::base64;
use crate::error::Result;
use crate::http::retry::Retry;
use crate::http::transport::Failed;
use crate::secret::Secret;

const CONNECT: Duration = Duration::from_secs(15);
const HINT: &str = "check DATABRICKS_HOST, DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET";

/// OAuth's client credentials grant at the workspace.
pub(crate) struct WorkspaceApplication {
    url: Url,
    client_id: String,
    secret: Secret,
    service: TokenService,
}

impl WorkspaceApplication {
    /// # Errors
    /// The system's certificates can't be read.
    pub(crate) fn new(workspace: &Url, client_id: &str, secret: Secret) -> Result<Self> {
        let mut url = workspace.clone();
        // Not asked of the workspace's metadata: the secret goes nowhere else.
        url.set_path("/oidc/v1/token");
        Ok(Self {
            service: TokenService::new(&url, Some(secret.clone()), CONNECT, HINT)?,
            url,
            client_id: client_id.to_owned(),
            secret,
        })
    }

    async fn token(&self) -> Result<AccessToken, Failure> {
        let pair = format!("{}:{}", self.client_id, self.secret.expose());
        let basic = format!("Basic {}", base64(pair.as_bytes()));
        let mut basic = HeaderValue::from_str(&basic)
            .map_err(|_| Failure::refused("the secret can't be sent", HINT))?;
        basic.set_sensitive(true);
        let form = [("grant_type", "client_credentials"), ("scope", "all-apis")];
        let request = self.service.post(self.url.clone(), &form);
        let reply = self
            .service
            .request_token(&request.header(AUTHORIZATION, basic))
            .await?;
        let who = format!("the application {} in Databricks", self.client_id);
        let (token, _) = self.service.token(&reply, &who)?;
        Ok(token)
    }
}

impl Issuer for WorkspaceApplication {
    async fn issue(&self) -> Result<AccessToken, Failed> {
        self.token().await.map_err(|failure| match failure {
            Failure::Unavailable(why) => {
                let error = crate::error::Error::new(crate::error::ErrorKind::Authentication, why);
                (error.with_hint(HINT), Retry::NO)
            }
            Failure::Refused(error) => (error, Retry::NO),
            Failure::Transient(error, retry) => (error, retry),
        })
    }
}
