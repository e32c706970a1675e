//! The practice cloud's server: on loopback alone, with the parts of `evenhand serve` that decide who is
//! heard and for how long. What was changed is on disk before the answer is sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::Behavior;
use super::cloud::{Cloud, CloudRequest, CloudResponse, Identity};
use super::file::StateFile;
use crate::error::{Context, Result};
use crate::local_model::data_plane::{self, DataPlane, Deployed};
use crate::local_model::{connections, host, http_server};
use crate::paths::home::Home;
use crate::supervise::block_on;

/// The largest body: a notebook of 10 MB in base64.
const MAX_BODY: usize = 15 << 20;

const WELCOME: &str = "This is evenhand's practice cloud. It behaves like Azure and Databricks, and nothing \
                       here is real or costs anything.\n";

/// The running cloud. Dropping it stops it.
pub(crate) struct Server {
    origin: String,
    identity: Identity,
    /// How many things there were at the start.
    found: usize,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the handlers share.
struct Shared {
    address: SocketAddr,
    origin: String,
    cloud: Mutex<Cloud>,
    file: StateFile,
    plane: DataPlane,
}

impl Server {
    /// Starts the cloud at this place, with the model of this home if there is one.
    pub(super) fn start(
        file: StateFile,
        (listener, address): (std::net::TcpListener, SocketAddr),
        behavior: &Behavior,
        model: Option<Home>,
    ) -> Result<Self> {
        let origin = format!("http://{address}");
        let identity = file.state.identity.clone();
        let found = file.state.left().len();
        let mut cloud = Cloud::new(file.state.clone());
        cloud.faults = behavior.faults.iter().copied().collect();
        cloud.minute = behavior.minute;
        cloud.room = behavior.room;
        file.save(&origin, &cloud.state)?;
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = mpsc::sync_channel(1);
        let place = origin.clone();
        // A separate thread and runtime, since the caller may or may not run in one.
        let serve = move || {
            let served = block_on(async {
                let (plane, supervision) = DataPlane::start(model.as_ref(), address).await?;
                let listener = TcpListener::from_std(listener)
                    .with_context(|| "could not listen for requests".to_owned())?;
                let shared = Arc::new(Shared {
                    address,
                    origin: place,
                    cloud: Mutex::new(cloud),
                    file,
                    plane,
                });
                let router = Router::new().fallback(answer).with_state(shared);
                let _ = ready.send(Ok(()));
                tokio::select! {
                    () = connections::serve(listener, router, connections::Bounds::default()) => {}
                    _ = stopped => {}
                }
                if let Some(supervision) = supervision {
                    supervision.stop().await;
                }
                Ok(())
            });
            if let Err(failure) = served {
                let _ = ready.send(Err(failure));
            }
        };
        let thread = std::thread::Builder::new()
            .name("evenhand-practice".to_owned())
            .spawn(serve)
            .with_context(|| "could not start a thread for the practice cloud".to_owned())?;
        started
            .recv()
            .with_context(|| "the practice cloud's thread ended".to_owned())??;
        Ok(Self {
            origin,
            identity,
            found,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    pub(super) fn found(&self) -> usize {
        self.found
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when the thread has ended already.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let mut response = shared.respond(request).await;
    let practice = HeaderValue::from_static("nothing here is real or costs anything");
    response
        .headers_mut()
        .insert("x-evenhand-practice", practice);
    response
}

impl Shared {
    async fn respond(&self, request: Request) -> Response {
        if !host::is_ours(request.headers(), request.uri(), self.address) {
            return data_plane::another_host();
        }
        let (head, body) = request.into_parts();
        let body = to_bytes(connections::in_time(body, connections::BODY), MAX_BODY).await;
        let Ok(body) = body else {
            let words = "The body of the request is too large, or did not arrive in time.";
            return (StatusCode::PAYLOAD_TOO_LARGE, words).into_response();
        };
        let path = head.uri.path();
        if path == "/" {
            return WELCOME.into_response();
        }
        if path.starts_with("/openai/") {
            return self.chat(&head.headers, &head.uri, body).await;
        }
        let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let target = head.uri.path_and_query().map_or(path, |it| it.as_str());
        self.control(&CloudRequest {
            method: head.method.as_str(),
            target,
            body: &body,
            bearer: text("authorization").and_then(|value| value.strip_prefix("Bearer ")),
            workspace: text("x-databricks-azure-workspace-resource-id"),
            origin: &self.origin,
            now: now(),
        })
    }

    /// The control planes.
    fn control(&self, ask: &CloudRequest<'_>) -> Response {
        let mut cloud = self.cloud.lock().unwrap_or_else(PoisonError::into_inner);
        let before = cloud.state.left().len();
        let told = cloud.answer(ask);
        // What was being deleted may be gone since the last request, whichever this one is.
        let is_changed = ask.method != "GET" || cloud.state.left().len() != before;
        if is_changed && let Err(failure) = self.file.save(&self.origin, &cloud.state) {
            return (StatusCode::INTERNAL_SERVER_ERROR, failure.to_string()).into_response();
        }
        response(told)
    }

    /// The data plane: the deployment that the key and the name mean, with the quota that it was given.
    async fn chat(&self, headers: &HeaderMap, uri: &axum::http::Uri, body: Bytes) -> Response {
        let key = http_server::given_key(headers).unwrap_or_default();
        let parts: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
        let (name, is_v1) = match parts.as_slice() {
            ["openai", "deployments", name, "chat", "completions"] => ((*name).to_owned(), false),
            ["openai", "v1", "chat", "completions"] => (named_in(&body), true),
            _ => return data_plane::unknown_resource(),
        };
        let served = {
            let cloud = self.cloud.lock().unwrap_or_else(PoisonError::into_inner);
            if !cloud.has_key(key) {
                return data_plane::unknown_key();
            }
            cloud.served(key, &name, now())
        };
        let Some(served) = served else {
            return data_plane::unknown_deployment();
        };
        let deployed = Deployed {
            account: served.account,
            name: served.name,
            model: served.model,
            tokens_per_minute: served.tokens_per_minute,
        };
        self.plane.answer(deployed, is_v1, uri, body).await
    }
}

/// The model that a body names.
fn named_in(body: &[u8]) -> String {
    let read: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let name = read.as_ref().and_then(|body| body.get("model"));
    let name = name.and_then(serde_json::Value::as_str);
    name.unwrap_or_default().to_owned()
}

fn response(told: CloudResponse) -> Response {
    let status = StatusCode::from_u16(told.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Body::from(told.body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in told.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.unwrap_or(Duration::ZERO).as_millis();
    u64::try_from(since).unwrap_or(u64::MAX)
}
