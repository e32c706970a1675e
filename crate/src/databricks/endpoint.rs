//! Endpoints that serve a model from elsewhere: queries in SQL (`ai_query`) and Python ask it by name.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::workspace::Workspace;
use crate::error::{Error, ErrorKind, Result};
use crate::json::AnyObject;
use crate::runtime;
use crate::secret::Secret;
use crate::text::sanitize_line;

const TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// Where the keys of endpoints are kept in the workspace.
const SCOPE: &str = "evenhand";

/// A deployment of Azure OpenAI that an endpoint asks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExternalModel {
    /// The resource's address, such as `https://NAME.openai.azure.com/`.
    pub endpoint: String,
    /// The API version, such as `2024-10-21`.
    pub api_version: String,
    /// The deployment's name.
    pub deployment: String,
    /// The model's name, such as `gpt-5-mini`.
    pub model: String,
    /// The resource's key.
    pub key: Secret,
}

impl ExternalModel {
    /// A deployment, of the model of the same name.
    pub fn new(
        endpoint: impl Into<String>,
        deployment: impl Into<String>,
        key: impl Into<Secret>,
    ) -> Self {
        let deployment = deployment.into();
        Self {
            endpoint: endpoint.into(),
            api_version: "2024-10-21".to_owned(),
            model: deployment.clone(),
            deployment,
            key: key.into(),
        }
    }
}

/// An endpoint of a workspace. Clones mean the same endpoint.
#[derive(Clone, Debug)]
pub struct ServingEndpoint {
    workspace: Workspace,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct EndpointResponse {
    state: State,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct State {
    ready: String,
    config_update: String,
}

/// Makes or finds a [`ServingEndpoint`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ServingEndpointBuilder {
    endpoint: ServingEndpoint,
    model: ExternalModel,
}

impl Workspace {
    /// An endpoint of this name that asks the model.
    pub fn serving_endpoint(
        &self,
        name: impl Into<String>,
        model: &ExternalModel,
    ) -> ServingEndpointBuilder {
        ServingEndpointBuilder {
            endpoint: ServingEndpoint {
                workspace: self.clone(),
                name: name.into(),
            },
            model: model.clone(),
        }
    }
}

impl ServingEndpointBuilder {
    /// Makes the endpoint, or returns the one of this name that exists, and waits until it is ready. The
    /// key goes into the workspace's store of secrets, in the scope `evenhand`.
    ///
    /// # Errors
    /// The name is malformed; the user may not make endpoints or secrets; or the workspace refuses the
    /// model.
    pub fn create(&self) -> Result<ServingEndpoint> {
        runtime::wait(self.create_async())
    }

    /// Async version of [`create`](Self::create).
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_async(&self) -> impl Future<Output = Result<ServingEndpoint>> + Send + 'static {
        let Self { endpoint, model } = self.clone();
        runtime::run(async move {
            check(&endpoint.name)?;
            match endpoint.look().await {
                Err(error) if error.is_not_found() => endpoint.make(&model).await?,
                found => drop(found?),
            }
            endpoint.ready().await?;
            Ok(endpoint)
        })
    }

    /// The endpoint of this name; `None` if there is none. Nothing is made.
    ///
    /// # Errors
    /// The name is malformed, or the workspace refuses or can't be reached.
    pub fn get(&self) -> Result<Option<ServingEndpoint>> {
        runtime::wait(self.get_async())
    }

    /// Async version of [`get`](Self::get).
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_async(
        &self,
    ) -> impl Future<Output = Result<Option<ServingEndpoint>>> + Send + 'static {
        let endpoint = self.endpoint.clone();
        runtime::run(async move {
            check(&endpoint.name)?;
            match endpoint.look().await {
                Err(error) if error.is_not_found() => Ok(None),
                found => found.map(|_| Some(endpoint)),
            }
        })
    }
}

impl ServingEndpoint {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Deletes the endpoint. It is no error if it is gone.
    ///
    /// # Errors
    /// The user may not delete it, or the workspace can't be reached.
    pub fn delete(&self) -> Result<()> {
        runtime::wait(self.delete_async())
    }

    /// Async version of [`delete`](Self::delete).
    ///
    /// # Errors
    /// As [`delete`](Self::delete).
    pub fn delete_async(&self) -> impl Future<Output = Result<()>> + Send + 'static {
        let endpoint = self.clone();
        runtime::run(async move {
            match endpoint.workspace.rest.delete(&endpoint.path()).await {
                Err(error) if error.is_not_found() => Ok(()),
                deleted => deleted,
            }
        })
    }

    fn path(&self) -> String {
        format!("/api/2.0/serving-endpoints/{}", self.name)
    }

    async fn look(&self) -> Result<EndpointResponse> {
        self.workspace.rest.get(&self.path(), &[]).await
    }

    async fn make(&self, model: &ExternalModel) -> Result<()> {
        let rest = &self.workspace.rest;
        let scope = json!({"scope": SCOPE});
        let made: Result<AnyObject> = rest.post("/api/2.0/secrets/scopes/create", &scope).await;
        if let Err(error) = made
            && error.code() != Some("RESOURCE_ALREADY_EXISTS")
        {
            return Err(error);
        }
        let secret = json!({"scope": SCOPE, "key": self.name, "string_value": model.key.expose()});
        let _: AnyObject = rest.post("/api/2.0/secrets/put", &secret).await?;
        let key = format!("{{{{secrets/{SCOPE}/{}}}}}", self.name);
        let body = json!({
            "name": self.name,
            "config": {"name": self.name, "served_entities": [{"external_model": {
                "provider": "openai",
                "task": "llm/v1/chat",
                "name": model.model,
                "openai_config": {
                    "openai_api_type": "azure",
                    "openai_api_base": model.endpoint,
                    "openai_api_version": model.api_version,
                    "openai_deployment_name": model.deployment,
                    "openai_api_key": key,
                },
            }}]},
        });
        let _: AnyObject = rest.post("/api/2.0/serving-endpoints", &body).await?;
        Ok(())
    }

    async fn ready(&self) -> Result<()> {
        let what = format!("the endpoint {}", self.name);
        let mut wait = self.workspace.rest.polling.begin(what.clone(), TIMEOUT);
        loop {
            let State {
                ready,
                config_update,
            } = self.look().await?.state;
            match (&*ready, &*config_update) {
                (_, "UPDATE_FAILED" | "UPDATE_CANCELED") => {
                    return Err(Error::new(
                        ErrorKind::Server,
                        format!("{what} could not be set up"),
                    )
                    .with_hint("its page in the workspace, under Serving, says why"));
                }
                ("READY", _) => {
                    wait.end("ready");
                    return Ok(());
                }
                (state, _) => wait.report(state),
            }
            wait.pause(None).await?;
        }
    }
}

fn check(name: &str) -> Result<()> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if (1..=63).contains(&name.len()) && name.chars().all(is_part) {
        return Ok(());
    }
    let name = sanitize_line(name, 80);
    let message = format!("{name:?} can't be the name of an endpoint");
    Err(Error::new(ErrorKind::Argument, message)
        .with_hint("it has 1 to 63 characters: letters, digits, `-` and `_`"))
}
