//! Passes requests to the engine and its answers back, as a whole or as a stream.
//!
//! If the client disconnects, the handler's future and its connection to the engine are dropped,
//! and the engine stops generating.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::future::try_join_all;
use futures_util::stream::try_unfold;
use serde_json::{Value, json};

use super::api_error::ApiError;
use super::engine::Engine;
use super::like::Deployment;
use super::request::EngineRequest;
use super::response::{self, SimulatedDeployment};

/// Sends the request to the engine and returns its answer.
pub(crate) async fn answer(
    http: &reqwest::Client,
    engine: &Engine,
    ask: &EngineRequest,
    like: Option<&'static Deployment>,
) -> Result<Response, ApiError> {
    let played = SimulatedDeployment {
        like,
        thinking: ask.thinking.clone(),
        most: ask.most_tokens,
    };
    let bodies = ask.for_engine();
    if let ([body], true) = (bodies.as_slice(), ask.stream) {
        let response = send(http, engine, body).await?;
        return Ok(event_stream(pieces(response, played)));
    }
    let answers = try_join_all(bodies.iter().map(|body| whole(http, engine, body))).await?;
    Ok(Json(response::join(answers, &played)).into_response())
}

/// A streamed response.
fn event_stream(body: Body) -> Response {
    ([(CONTENT_TYPE, "text/event-stream; charset=utf-8")], body).into_response()
}

async fn whole(http: &reqwest::Client, engine: &Engine, body: &Value) -> Result<Value, ApiError> {
    let response = send(http, engine, body).await?;
    let bytes = response.bytes().await.map_err(|error| lost(&error))?;
    serde_json::from_slice(&bytes)
        .map_err(|_| ApiError::engine("The local model's answer could not be understood.", None))
}

/// Sends one request. An error status becomes an error.
async fn send(
    http: &reqwest::Client,
    engine: &Engine,
    body: &Value,
) -> Result<reqwest::Response, ApiError> {
    let address = engine.address()?;
    let response = http
        .post(format!("{address}/v1/chat/completions"))
        .bearer_auth(engine.key())
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await
        .map_err(|error| lost(&error))?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = response.bytes().await.unwrap_or_default();
    Err(response::refusal(status, &body))
}

/// The error when the engine ended or was too slow.
fn lost(error: &reqwest::Error) -> ApiError {
    if error.is_timeout() {
        return ApiError::timeout();
    }
    ApiError::engine(
        "The local model stopped while it was answering; it is being restarted.",
        Some(std::time::Duration::from_secs(1)),
    )
}

/// The engine's events as they arrive, with each line rewritten.
fn pieces(response: reqwest::Response, played: SimulatedDeployment) -> Body {
    let start = (Some(response), Vec::new(), played);
    Body::from_stream(try_unfold(
        start,
        async |(response, mut pending, played): (_, Vec<u8>, SimulatedDeployment)| {
            let Some(mut response): Option<reqwest::Response> = response else {
                return Ok::<_, std::convert::Infallible>(None);
            };
            // Bounded: the answer ends, or the HTTP client's timeout ends it.
            loop {
                match response.chunk().await {
                    Ok(Some(chunk)) => {
                        pending.extend_from_slice(&chunk);
                        let Some(end) = pending.iter().rposition(|byte| *byte == b'\n') else {
                            continue;
                        };
                        let rest = pending.split_off(end + 1);
                        let lines = rewrite(&pending, &played);
                        return Ok(Some((lines, (Some(response), rest, played))));
                    }
                    Ok(None) if pending.is_empty() => return Ok(None),
                    Ok(None) => {
                        let lines = rewrite(&pending, &played);
                        return Ok(Some((lines, (None, Vec::new(), played))));
                    }
                    Err(_) => {
                        let error = json!({ "error": {
                            "code": "503",
                            "message": "The local model stopped while it was answering.",
                        }});
                        let event = Bytes::from(format!("\n\ndata: {error}\n\n"));
                        return Ok(Some((event, (None, Vec::new(), played))));
                    }
                }
            }
        },
    ))
}

fn rewrite(lines: &[u8], played: &SimulatedDeployment) -> Bytes {
    let text = String::from_utf8_lossy(lines);
    let lines: Vec<_> = text
        .split('\n')
        .map(|line| response::line(line, played))
        .collect();
    Bytes::from(lines.join("\n"))
}
