//! The front end: Azure OpenAI's paths, keys, headers and quota in front of the engine.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::api_error::{ApiError, whole_seconds};
use super::engine::{Engine, random};
use super::key::Key;
use super::like::Deployment;
use super::quota::{Admission, Limits, Quota, WindowUsage};
use super::request::EngineRequest;
use super::weights::NAME;
use super::{connections, forward, host};

/// The size limit of a body, about a hundred times the model's context.
const MAX_BODY: usize = 1 << 20;

/// Everything that the handlers share.
pub(crate) struct FrontEnd {
    pub(crate) key: Key,
    /// Where the server listens.
    pub(crate) address: SocketAddr,
    /// The names of the deployments; if empty, any name is accepted.
    pub(crate) deployments: Vec<String>,
    /// The deployment that it imitates, if any.
    pub(crate) like: Option<&'static Deployment>,
    pub(crate) limits: Limits,
    pub(crate) quota: Mutex<Quota>,
    pub(crate) started: Instant,
    pub(crate) engine: Arc<Engine>,
    pub(crate) http: reqwest::Client,
}

/// The paths.
pub(crate) fn router(front: Arc<FrontEnd>) -> Router {
    Router::new()
        .route(
            "/openai/deployments/{deployment}/chat/completions",
            post(dated),
        )
        .route("/openai/v1/chat/completions", post(v1))
        .route("/openai/models", get(dated_models))
        .route("/openai/v1/models", get(models))
        .fallback(async || ApiError::resource())
        .method_not_allowed_fallback(async || ApiError::method())
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&front), guard))
        .with_state(front)
}

/// Checks the request's host and key before anything else, and adds Azure's headers to every
/// response.
async fn guard(State(front): State<Arc<FrontEnd>>, request: Request, next: Next) -> Response {
    let mut response = match front.lets_in(&request) {
        Ok(()) => {
            let in_time = |body| connections::in_time(body, connections::BODY);
            next.run(request.map(in_time)).await
        }
        Err(refusal) => refusal.into_response(),
    };
    add_names(response.headers_mut());
    response
}

/// The headers that Azure adds to every response.
fn add_names(headers: &mut HeaderMap) {
    for name in ["x-request-id", "apim-request-id"] {
        if let Ok(id) = HeaderValue::from_str(&request_id()) {
            headers.insert(HeaderName::from_static(name), id);
        }
    }
    headers.insert("x-ms-region", HeaderValue::from_static("local"));
}

/// The answer to a request for a chat completion that has been let in already. The path names the
/// deployment, or else the body does.
pub(crate) async fn chat(
    front: Arc<FrontEnd>,
    deployment: Option<String>,
    uri: &Uri,
    body: Bytes,
) -> Response {
    let uri = uri.clone();
    let answer = match deployment {
        Some(name) => dated(State(front), Path(name), uri, Ok(body)).await,
        None => v1(State(front), uri, Ok(body)).await,
    };
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    add_names(response.headers_mut());
    response
}

/// The first of the two headers that may hold a key, as text.
pub(crate) fn given_key(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = || text(AUTHORIZATION.as_str())?.strip_prefix("Bearer ");
    text("api-key").or_else(bearer)
}

fn holds_key(headers: &HeaderMap, key: &str) -> bool {
    let bearer = |value: &HeaderValue| {
        let (scheme, token) = value.as_bytes().split_at_checked(7)?;
        scheme
            .eq_ignore_ascii_case(b"bearer ")
            .then(|| token.trim_ascii().to_owned())
    };
    let given = headers
        .get("api-key")
        .map(|value| value.as_bytes().to_owned())
        .or_else(|| headers.get(AUTHORIZATION).and_then(bearer))
        .unwrap_or_default();
    // Compared in constant time.
    given.len() == key.len()
        && given
            .iter()
            .zip(key.as_bytes())
            .fold(0, |differ, (a, b)| differ | (a ^ b))
            == 0
}

async fn dated(
    State(front): State<Arc<FrontEnd>>,
    Path(deployment): Path<String>,
    uri: Uri,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let version = api_version(&uri).ok_or_else(ApiError::resource)?;
    front.exists(&deployment)?;
    Ok(front
        .answer(
            received(body).and_then(|body| EngineRequest::parse(&body, front.like)),
            version,
        )
        .await)
}

async fn v1(
    State(front): State<Arc<FrontEnd>>,
    uri: Uri,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    // This path has no dates.
    if api_version(&uri).is_some() {
        return Err(ApiError::version());
    }
    let ask = received(body)
        .and_then(|body| EngineRequest::parse(&body, front.like))
        .and_then(|ask| match &ask.model {
            Some(_) => Ok(ask),
            None => Err(ApiError::bad(
                Some("model"),
                "you must provide a model parameter",
            )),
        });
    if let Ok(EngineRequest {
        model: Some(model), ..
    }) = &ask
    {
        front.exists(model)?;
    }
    Ok(front.answer(ask, "v1").await)
}

async fn dated_models(
    State(front): State<Arc<FrontEnd>>,
    uri: Uri,
) -> Result<Json<Value>, ApiError> {
    api_version(&uri).ok_or_else(ApiError::resource)?;
    Ok(Json(front.models()))
}

async fn models(State(front): State<Arc<FrontEnd>>) -> Json<Value> {
    Json(front.models())
}

fn received(body: Result<Bytes, BytesRejection>) -> Result<Bytes, ApiError> {
    body.map_err(|rejection| match rejection.status().as_u16() {
        413 => ApiError::too_large(),
        _ => ApiError::bad(None, "The body of the request could not be read"),
    })
}

impl FrontEnd {
    fn lets_in(&self, request: &Request) -> Result<(), ApiError> {
        if !host::is_ours(request.headers(), request.uri(), self.address) {
            return Err(ApiError::host());
        }
        match holds_key(request.headers(), self.key.expose()) {
            true => Ok(()),
            false => Err(ApiError::key()),
        }
    }

    /// What there is, and who it really is.
    fn models(&self) -> Value {
        let model = match self.like {
            None => json!({ "id": NAME, "object": "model", "owned_by": "local" }),
            Some(like) => json!({
                "id": like.answers_as, "object": "model", "owned_by": "local",
                "stand_in": format!("{NAME} answers in its place"),
            }),
        };
        json!({ "data": [model], "object": "list" })
    }

    fn exists(&self, deployment: &str) -> Result<(), ApiError> {
        let known = self.deployments.is_empty()
            || self
                .deployments
                .iter()
                .any(|known| known.eq_ignore_ascii_case(deployment));
        if known {
            Ok(())
        } else {
            Err(ApiError::deployment())
        }
    }

    /// Charges the quota, then asks the engine. An invalid request also counts as a request.
    async fn answer(&self, ask: Result<EngineRequest, ApiError>, version: &str) -> Response {
        let tokens = ask.as_ref().map_or(0, EngineRequest::estimate);
        let admission = self
            .quota
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .admit(self.started.elapsed(), tokens);
        let answer = match admission.refused {
            Some(refused) => {
                let tier = self.tier();
                Err(ApiError::quota(
                    refused.by.name(),
                    version,
                    &tier,
                    refused.retry_after,
                ))
            }
            None => match ask {
                Ok(ask) => forward::answer(&self.http, &self.engine, &ask, self.like).await,
                Err(refusal) => Err(refusal),
            },
        };
        let mut response = answer.unwrap_or_else(IntoResponse::into_response);
        add_quota_headers(&admission, response.headers_mut());
        response
    }

    /// The pricing tier for the message of a 429: the configured limits.
    fn tier(&self) -> String {
        let limit = |name, limit: Option<u64>| limit.map(|limit| format!("{limit} {name}"));
        let limits = [
            limit("TPM", self.limits.tokens),
            limit("RPM", self.limits.requests),
        ];
        format!(
            "local ({})",
            limits.into_iter().flatten().collect::<Vec<_>>().join(", ")
        )
    }
}

fn add_quota_headers(admission: &Admission, headers: &mut HeaderMap) {
    let mut add = |names: [&'static str; 3], usage: Option<WindowUsage>| {
        if let Some(WindowUsage {
            limit,
            remaining,
            reset,
        }) = usage
        {
            for (name, value) in names
                .into_iter()
                .zip([limit, remaining, whole_seconds(reset)])
            {
                headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
            }
        }
    };
    add(
        [
            "x-ratelimit-limit-requests",
            "x-ratelimit-remaining-requests",
            "x-ratelimit-reset-requests",
        ],
        admission.requests,
    );
    add(
        [
            "x-ratelimit-limit-tokens",
            "x-ratelimit-remaining-tokens",
            "x-ratelimit-reset-tokens",
        ],
        admission.tokens,
    );
}

/// The api-version, when it has the form of one: `2024-10-21`, `2025-01-01-preview`.
fn api_version(uri: &Uri) -> Option<&str> {
    let version = uri
        .query()?
        .split('&')
        .find_map(|pair| pair.strip_prefix("api-version="))?;
    let date = version.strip_suffix("-preview").unwrap_or(version);
    let dated = date.len() == 10
        && date.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    dated.then_some(version)
}

/// A request id in the form of a UUID, like Azure's.
fn request_id() -> String {
    let (high, low) = (random(), random());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | ((low >> 48) & 0x3fff),
        low & 0xffff_ffff_ffff,
    )
}

/// The HTTP client for the engine and nothing else: it uses no proxy, follows no redirects, and
/// trusts no certificates.
pub(crate) fn http_client() -> reqwest::Result<reqwest::Client> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        // The engine may close idle connections at any time, and new ones are cheap here.
        .pool_max_idle_per_host(0)
        .timeout(Duration::from_secs(600));
    // reqwest would otherwise require a crypto provider for the whole process.
    match rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
    {
        Ok(tls) => builder
            .tls_backend_preconfigured(
                tls.with_root_certificates(rustls::RootCertStore::empty())
                    .with_no_client_auth(),
            )
            .build(),
        Err(_) => builder.build(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// A server with this key whose model is gone, asked with these request heads.
    async fn status(heads: &str) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let limits = Limits::new(None, None);
        let front = FrontEnd {
            key: Key::choose(Some("s3cret"), None).unwrap(),
            address,
            deployments: Vec::new(),
            like: None,
            limits,
            quota: Mutex::new(Quota::new(limits)),
            started: Instant::now(),
            engine: Arc::new(Engine::absent("it was never started")),
            http: http_client().unwrap(),
        };
        let serving = connections::serve(listener, router(Arc::new(front)), Default::default());
        let asking = async {
            let body = r#"{"messages": [{"role": "user", "content": "Say yes."}]}"#;
            let request = format!(
                "POST /openai/deployments/any/chat/completions?api-version=2024-10-21 HTTP/1.1\r\n\
                 {heads}connection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer.split(' ').nth(1).unwrap().parse().unwrap()
        };
        tokio::select! {
            status = asking => status,
            () = serving => panic!("it serves until it is dropped"),
        }
    }

    #[tokio::test]
    async fn only_who_means_this_server_and_has_its_key_is_heard() {
        let heard = "host: localhost:1\r\napi-key: s3cret\r\n";
        assert_eq!(status(heard).await, 503);
        assert_eq!(status("host: localhost:1\r\n").await, 401);
        assert_eq!(
            status("host: evil.example\r\napi-key: s3cret\r\n").await,
            403
        );
        assert_eq!(status("api-key: s3cret\r\n").await, 403);
        assert_eq!(status("host: evil.example\r\n").await, 403);
        let known_to_all = "host: localhost\r\napi-key: evenhand-local\r\n";
        assert_eq!(status(known_to_all).await, 401);
    }
}
