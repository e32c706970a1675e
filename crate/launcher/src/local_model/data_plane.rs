//! Many deployments behind one engine: each has its own quota and behaves like its own model. Who may ask
//! which of them is decided by the caller.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::body::Bytes;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};

use super::api_error::ApiError;
use super::engine::{Engine, Supervision};
use super::http_server::{self, FrontEnd};
use super::key::Key;
use super::quota::{Limits, Quota};
use super::{Like, like};
use crate::error::{Context, Result};
use crate::paths::home::Home;

/// A deployment to answer for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deployed {
    /// Whose it is: deployments of the same name in two accounts have two quotas.
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) model: String,
    pub(crate) tokens_per_minute: u64,
}

/// The deployments that have been asked so far, and the engine behind them.
pub(crate) struct DataPlane {
    address: SocketAddr,
    engine: Arc<Engine>,
    http: reqwest::Client,
    started: Instant,
    fronts: Mutex<BTreeMap<Deployed, Arc<FrontEnd>>>,
}

impl DataPlane {
    /// Starts the engine, if there is a home that has the model.
    pub(crate) async fn start(
        home: Option<&Home>,
        address: SocketAddr,
    ) -> Result<(Self, Option<Supervision>)> {
        let http = http_server::http_client()
            .with_context(|| "could not make an HTTP client".to_owned())?;
        let (engine, supervision) = match home {
            Some(home) => {
                let (engine, supervision) = Engine::start(home, 1).await?;
                (engine, Some(supervision))
            }
            None => (Engine::absent("it was left out"), None),
        };
        let plane = Self {
            address,
            engine: Arc::new(engine),
            http,
            started: Instant::now(),
            fronts: Mutex::default(),
        };
        Ok((plane, supervision))
    }

    /// The answer to a chat completion. The path names the deployment unless `is_v1`.
    pub(crate) async fn answer(
        &self,
        deployed: Deployed,
        is_v1: bool,
        uri: &Uri,
        body: Bytes,
    ) -> Response {
        let name = (!is_v1).then(|| deployed.name.clone());
        match self.front(deployed) {
            Ok(front) => http_server::chat(front, name, uri, body).await,
            Err(failure) => ApiError::engine(failure.message(), None).into_response(),
        }
    }

    fn front(&self, deployed: Deployed) -> Result<Arc<FrontEnd>> {
        let mut fronts = self.fronts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(front) = fronts.get(&deployed) {
            return Ok(Arc::clone(front));
        }
        let limits = Limits::new(Some(deployed.tokens_per_minute), None);
        let like = match like::parse(&deployed.model) {
            Ok(Like::Deployment(deployment)) => Some(deployment),
            _ => None,
        };
        let front = Arc::new(FrontEnd {
            key: Key::made()?,
            address: self.address,
            deployments: Vec::new(),
            like,
            limits,
            quota: Mutex::new(Quota::new(limits)),
            started: self.started,
            engine: Arc::clone(&self.engine),
            http: self.http.clone(),
        });
        fronts.insert(deployed, Arc::clone(&front));
        Ok(front)
    }
}

/// The answer to a request whose key is nobody's.
pub(crate) fn unknown_key() -> Response {
    ApiError::key().into_response()
}

/// The answer to a request for a deployment that does not exist.
pub(crate) fn unknown_deployment() -> Response {
    ApiError::deployment().into_response()
}

/// The answer to a request for anything else.
pub(crate) fn unknown_resource() -> Response {
    ApiError::resource().into_response()
}

/// The answer to a request that means another server.
pub(crate) fn another_host() -> Response {
    ApiError::host().into_response()
}
