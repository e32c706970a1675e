//! Errors in Azure OpenAI's format.

use std::time::Duration;

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// An error response.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ApiError {
    status: StatusCode,
    error: Value,
    retry_after: Option<Duration>,
}

impl ApiError {
    fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            error: json!({ "code": code, "message": message.into() }),
            retry_after: None,
        }
    }

    /// The key is missing or wrong.
    pub(crate) fn key() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "401",
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to \
             provide a valid key for an active subscription and use a correct regional API \
             endpoint for your resource.",
        )
    }

    /// The request names another server, as it does after DNS rebinding.
    pub(crate) fn host() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "403",
            "This server only answers requests to localhost or to the address that it listens on, \
             but the Host header of this request names another server.",
        )
    }

    /// No such path, or no such api-version. Azure does not distinguish the two.
    pub(crate) fn resource() -> Self {
        Self::new(StatusCode::NOT_FOUND, "404", "Resource not found")
    }

    /// The path takes no such api-version.
    pub(crate) fn version() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "BadRequest",
            "API version not supported",
        )
    }

    /// No such deployment.
    pub(crate) fn deployment() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "DeploymentNotFound",
            "The API deployment for this resource does not exist. If you created the deployment \
             within the last 5 minutes, please wait a moment and try again.",
        )
    }

    /// The path exists for another method.
    pub(crate) fn method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "405",
            "Method not allowed for this path",
        )
    }

    /// The body is larger than this server accepts.
    pub(crate) fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "413",
            "The request body is larger than 1 MB",
        )
    }

    /// The body is invalid; `parameter` names the invalid part.
    pub(crate) fn bad(parameter: Option<&str>, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error: json!({
                "message": message.into(),
                "type": "invalid_request_error",
                "param": parameter,
                "code": null,
            }),
            retry_after: None,
        }
    }

    /// The deployment does not take the parameter; `instead` says what it takes.
    pub(crate) fn unsupported_parameter(parameter: &str, instead: &str) -> Self {
        let message = format!(
            "Unsupported parameter: '{parameter}' is not supported with this model.{instead}"
        );
        let mut refusal = Self::bad(Some(parameter), message);
        refusal.error["code"] = json!("unsupported_parameter");
        refusal
    }

    /// The deployment takes the parameter with other values; `supported` says which.
    pub(crate) fn unsupported_value(parameter: &str, value: &Value, supported: &str) -> Self {
        let value = match value {
            Value::String(value) => format!("'{value}'"),
            value => value.to_string(),
        };
        let message = format!(
            "Unsupported value: '{parameter}' does not support {value} with this model. {supported}"
        );
        let mut refusal = Self::bad(Some(parameter), message);
        refusal.error["code"] = json!("unsupported_value");
        refusal
    }

    /// No answer of the deployment is so long.
    pub(crate) fn too_many_tokens(parameter: &str, asked: u64, most: u64) -> Self {
        let message = format!(
            "max_tokens is too large: {asked}. This model supports at most {most} completion \
             tokens, whereas you provided {asked}."
        );
        let mut refusal = Self::bad(Some(parameter), message);
        refusal.error["code"] = json!("invalid_value");
        refusal
    }

    /// The prompt and the answer do not fit into the model's context.
    pub(crate) fn too_long(message: &str) -> Self {
        let mut refusal = Self::bad(Some("messages"), message);
        refusal.error["code"] = json!("context_length_exceeded");
        refusal
    }

    /// The quota is used up; `limit` is Azure's name for the exceeded limit.
    pub(crate) fn quota(limit: &str, api_version: &str, tier: &str, wait: Duration) -> Self {
        let seconds = whole_seconds(wait);
        let mut refusal = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "429",
            format!(
                "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version \
                 {api_version} have exceeded {limit} of your current {tier} pricing tier. Please \
                 retry after {seconds} second{}.",
                if seconds == 1 { "" } else { "s" },
            ),
        );
        refusal.retry_after = Some(wait);
        refusal
    }

    /// The local model is not available, at the moment or for good.
    pub(crate) fn engine(message: impl Into<String>, retry_after: Option<Duration>) -> Self {
        let mut refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, "503", message);
        refusal.retry_after = retry_after;
        refusal
    }

    /// The local model did not answer in time.
    pub(crate) fn timeout() -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "504",
            "The local model did not answer in time: ask for fewer tokens, or fewer requests at once.",
        )
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(json!({ "error": self.error }))).into_response();
        if let Some(wait) = self.retry_after {
            let milliseconds = whole(wait, Duration::from_millis(1)).max(1);
            let headers = response.headers_mut();
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
            headers.insert("retry-after-ms", HeaderValue::from(milliseconds));
        }
        response
    }
}

/// Whole seconds for headers, rounded up.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    whole(wait, Duration::from_secs(1))
}

/// A duration in whole units, rounded up, so that a client that waits this long has waited enough.
fn whole(wait: Duration, unit: Duration) -> u64 {
    u64::try_from(wait.as_nanos().div_ceil(unit.as_nanos())).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_refusal_says_when_to_come_back() {
        // A client that waits as long as the message says has waited enough.
        let wait = Duration::from_nanos(6_199_000_001);
        let refusal = ApiError::quota("token rate limit", "2024-10-21", "local", wait);
        assert_eq!(
            refusal.error,
            json!({
                "code": "429",
                "message": "Requests to the ChatCompletions_Create Operation under Azure OpenAI \
                    API version 2024-10-21 have exceeded token rate limit of your current local \
                    pricing tier. Please retry after 7 seconds.",
            })
        );
        let response = refusal.into_response();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], "7");
        assert_eq!(response.headers()["retry-after-ms"], "6200");
    }

    #[test]
    fn bad_requests_name_the_parameter() {
        let refusal = ApiError::bad(Some("messages"), "'messages' is a required property");
        assert_eq!(
            refusal.error,
            json!({
                "message": "'messages' is a required property",
                "type": "invalid_request_error",
                "param": "messages",
                "code": null,
            })
        );
        assert!(
            !refusal
                .into_response()
                .headers()
                .contains_key("retry-after")
        );
    }

    #[test]
    fn seconds_are_rounded_up() {
        assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(2)), 2);
        assert_eq!(whole_seconds(Duration::ZERO), 0);
    }
}
