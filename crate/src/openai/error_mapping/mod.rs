//! Converts an unsuccessful response to an error with its kind, the service's message, and a hint that
//! names what the user can change.

mod hint;
mod refused_key;
mod too_large;

use std::time::SystemTime;

use reqwest::Url;
use reqwest::header::{HeaderMap, LOCATION};
use serde_json::value::RawValue;

use super::credential::Credential;
use super::embedded_error;
use super::endpoint::Endpoint;
use super::limits::RateLimits;
use super::wrapped_error;
use crate::error::ContentFilter;
use crate::error::{Error, ErrorKind};
use crate::http::retry::Retry;
use crate::json::{Json, deserialize, field, fields, is_null, plain_text};
use crate::text::message;

pub(crate) use refused_key::refuses_the_key;
pub(super) use too_large::Excess;

/// The longest excerpt of a service's message, in characters.
pub(super) const EXCERPT: usize = 300;

/// How much of an HTML page is searched, in bytes.
const MAX_PAGE: usize = 256 * 1024;

/// The code of a prompt that the content filter refused, in `innererror`.
const POLICY_VIOLATION: &str = "ResponsibleAIPolicyViolation";

/// The codes of an account that can't pay. Some services use them for a quota as well, and then ask to
/// wait.
const NO_CREDIT: [&str; 4] = [
    "insufficient_quota",
    "insufficient_credits",
    "billing_hard_limit_reached",
    "billing_not_active",
];

/// The status with which a proxy wants a password; a service has no use for it.
const PROXY_AUTHENTICATION: u16 = 407;

/// The longest part of a body that is kept with its error, in bytes.
pub(super) const MAX_BODY: usize = 4 * 1024;

/// Where the request was sent.
pub(super) struct RequestContext<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) credential: &'a Credential,
    pub(super) deployment: &'a str,
}

/// The contents of an error body.
#[derive(Default)]
struct ServiceMessage {
    code: Option<String>,
    message: Option<String>,
    param: Option<String>,
    filter: ContentFilter,
    /// The content filter refused the prompt, even if it does not say what it found.
    is_filtered: bool,
    /// It is a web page, and not the error of an API.
    is_page: bool,
    /// The request alone is larger than a limit that the service states.
    excess: Option<Excess>,
}

/// Codes that say nothing of their own, in lower case and without `_`.
const GENERIC_CODES: [&str; 4] = [
    "badrequest",
    "error",
    "invalidrequest",
    "invalidrequesterror",
];

impl ServiceMessage {
    /// With what the error inside says.
    fn with(self, inside: Self) -> Self {
        let is_generic = |code: &String| {
            let code = code.to_ascii_lowercase().replace('_', "");
            code.chars().all(|c| c.is_ascii_digit()) || GENERIC_CODES.contains(&code.as_str())
        };
        let code = self
            .code
            .filter(|code| !(is_generic(code) && inside.code.is_some()));
        let message = match (self.message, inside.message) {
            (Some(outside), Some(inside)) if !outside.contains(&inside) => {
                Some(format!("{outside}: {inside}"))
            }
            (outside, inside) => outside.or(inside),
        };
        Self {
            code: code.or(inside.code),
            message,
            param: self.param.or(inside.param),
            is_filtered: self.is_filtered || inside.is_filtered,
            is_page: self.is_page,
            excess: self.excess.or(inside.excess),
            filter: match self.filter.is_filtered() {
                true => self.filter,
                false => inside.filter,
            },
        }
    }
}

impl RequestContext<'_> {
    /// The error for an answer with a status other than success.
    pub(super) fn refused(
        &self,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
        limits: &RateLimits,
    ) -> Error {
        let id = request_id(headers, self.credential);
        if (300..400).contains(&status) {
            return self.redirected(status, headers).with_request_id(id);
        }
        let service_message = self.service_message(body);
        let kind = kind(status, &service_message);
        let who = match status {
            PROXY_AUTHENTICATION => "a proxy on the way",
            _ => "the service",
        };
        let answered = format!("{who} answered {}", named(status));
        self.error(kind, status, &answered, service_message, limits)
            .with_request_id(id)
            .with_body(Json::of_body(body, MAX_BODY))
    }

    /// The error inside a successful response, if there is one, and whether to retry.
    pub(super) fn embedded_error(
        &self,
        answer: (u16, &HeaderMap, &[u8]),
        limits: &RateLimits,
        now: SystemTime,
    ) -> Option<(Error, Retry)> {
        let (outside, headers, body) = answer;
        let json = embedded_error::json_with_error(body)?;
        let found = embedded_error::find(json.raw())?;
        let broken_off = found.finish_reason();
        let service_message = match broken_off {
            Some(_) => ServiceMessage::default(),
            None => self.service_message_of(found.object),
        };
        // An error without a status may be transient.
        let meant = found.status.unwrap_or(500);
        let kind = kind(meant, &service_message);
        let status = found.status.unwrap_or(outside);
        let answered = match (found.status, broken_off) {
            (Some(status), _) => format!(
                "the service answered {outside} with an error, {}",
                named(status)
            ),
            (None, Some(reason)) => {
                let reason = self.credential.excerpt(&reason, EXCERPT);
                format!("the service broke off its answer (finish reason {reason})")
            }
            (None, None) => format!("the service answered {outside} with an error"),
        };
        let error = self.error(kind, status, &answered, service_message, limits);
        let error = error
            .with_request_id(request_id(headers, self.credential))
            .with_body(Json::of_body(body, MAX_BODY));
        let retry = retry(&error, meant, headers, now);
        Some((error, retry))
    }

    /// The error for a successful response that has no answer, because the content filter refused the
    /// prompt.
    pub(super) fn refused_prompt(
        &self,
        status: u16,
        filter: ContentFilter,
        limits: &RateLimits,
    ) -> Error {
        let service_message = ServiceMessage {
            filter: self.cleaned(filter),
            ..ServiceMessage::default()
        };
        let answered = format!(
            "the content filter refused the prompt: {}",
            service_message.filter
        );
        self.error(
            ErrorKind::ContentFilter,
            status,
            &answered,
            service_message,
            limits,
        )
    }

    fn error(
        &self,
        kind: ErrorKind,
        status: u16,
        answered: &str,
        service_message: ServiceMessage,
        limits: &RateLimits,
    ) -> Error {
        let message = match &service_message.message {
            Some(message) => format!("{answered}: {message}"),
            None => answered.to_owned(),
        };
        let hint = self.hint((kind, status), &service_message, limits.retry_after);
        let mut error = Error::new(kind, message)
            .with_status(status)
            .with_code(service_message.code)
            .with_retry_after(limits.retry_after);
        if kind == ErrorKind::ContentFilter {
            error = error.with_content_filter(service_message.filter);
        }
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    /// A redirect: only its host is shown, since the rest may be secret.
    fn redirected(&self, status: u16, headers: &HeaderMap) -> Error {
        let host = headers
            .get(LOCATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|location| Url::parse(location).ok())
            .and_then(|url| {
                url.host_str()
                    .map(|host| self.credential.excerpt(host, 100))
            });
        let place = match &host {
            Some(host) => format!("the host {host}"),
            None => "another path".to_owned(),
        };
        Error::new(
            ErrorKind::UnexpectedStatus,
            format!(
                "the service answered {status}: it redirects to {place}, and the key is not \
                 sent there"
            ),
        )
        .with_status(status)
        .with_hint(format!(
            "if that is right, set {} to the final address",
            self.endpoint.address_variable()
        ))
    }

    fn service_message(&self, body: &[u8]) -> ServiceMessage {
        let text = String::from_utf8_lossy(body);
        let excerpt = |text: &str| {
            Some(self.credential.excerpt(text, EXCERPT)).filter(|text| !text.is_empty())
        };
        let Ok(json) = Json::new(text.clone().into_owned()) else {
            let beginning = beginning(&text);
            let is_page = beginning.trim_start().starts_with('<');
            let plain = match is_page {
                true => &message::of_html(beginning),
                false => beginning,
            };
            return ServiceMessage {
                message: excerpt(plain),
                is_page,
                excess: Excess::stated_in(plain),
                ..ServiceMessage::default()
            };
        };
        let error = field(json.raw(), "error").filter(|error| !is_null(error));
        self.service_message_of(error.unwrap_or(json.raw()))
    }

    /// Reads the error from an object, or from a text in its place, and the error inside of it.
    fn service_message_of(&self, error: &RawValue) -> ServiceMessage {
        let outside = self.outer_message_of(error);
        let Some(inside) = wrapped_error::inside(error) else {
            return outside;
        };
        let inside = field(inside.raw(), "error")
            .filter(|error| !is_null(error))
            .unwrap_or(inside.raw());
        outside.with(self.outer_message_of(inside))
    }

    fn outer_message_of(&self, error: &RawValue) -> ServiceMessage {
        let excerpt = |text: &str| {
            Some(self.credential.excerpt(text, EXCERPT)).filter(|text| !text.is_empty())
        };
        let [
            code,
            kind,
            message,
            detail,
            param,
            target,
            inner,
            also_inner,
            of_provider,
        ] = fields(
            error,
            [
                "code",
                "type",
                "message",
                "detail",
                "param",
                "target",
                "innererror",
                "inner_error",
                "provider_specific_fields",
            ],
        );
        let field = |json: Option<&RawValue>| json.and_then(plain_text);
        let short = |text: Option<String>| {
            text.map(|text| self.credential.excerpt(&text, 100))
                .filter(|text| !text.is_empty())
        };
        let message = deserialize(error)
            .or_else(|| field(message))
            .or_else(|| field(detail))
            .or_else(|| Some(beginning(error.get()).to_owned()).filter(|_| !is_bare(error)));
        let of_provider = of_provider.and_then(|gateway| fields(gateway, ["innererror"])[0]);
        let inner = inner.or(also_inner).or(of_provider);
        let of_inner = inner.and_then(|inner| fields(inner, ["code"])[0]);
        let filter = inner.map(ContentFilter::inside).unwrap_or_default();
        ServiceMessage {
            is_page: false,
            excess: message.as_deref().and_then(Excess::stated_in),
            is_filtered: filter.is_filtered()
                || wrapped_error::is_moderated(error)
                || field(of_inner).as_deref() == Some(POLICY_VIOLATION),
            code: short(field(code).or_else(|| field(kind))),
            message: message.as_deref().and_then(excerpt),
            param: short(field(param).or_else(|| field(target))),
            filter: self.cleaned(filter),
        }
    }

    /// The filter's results, with every word made safe for an error message.
    fn cleaned(&self, filter: ContentFilter) -> ContentFilter {
        let categories = filter.categories.into_iter().map(|(name, mut result)| {
            result.severity = result
                .severity
                .map(|text| self.credential.excerpt(&text, 40));
            (self.credential.excerpt(&name, 60), result)
        });
        ContentFilter {
            categories: categories.collect(),
        }
    }
}

/// The part of a text that is searched for an excerpt.
fn beginning(text: &str) -> &str {
    let end = text.floor_char_boundary(MAX_PAGE);
    text.get(..end).unwrap_or_default()
}

fn is_bare(json: &RawValue) -> bool {
    matches!(json.get(), "null" | "{}")
}

/// A status with its reason phrase.
fn named(status: u16) -> String {
    let known = reqwest::StatusCode::from_u16(status).ok();
    match known.and_then(|status| status.canonical_reason()) {
        Some(phrase) => format!("{status} {phrase}"),
        None => status.to_string(),
    }
}

fn kind(status: u16, service_message: &ServiceMessage) -> ErrorKind {
    match status {
        400 | 403 | 422 | 500.. if service_message.is_about_filter() => ErrorKind::ContentFilter,
        413 | 429 | 500.. if service_message.excess.is_some() => ErrorKind::BadRequest,
        400 | 403 if service_message.is_about_quota() => match service_message.excess {
            Some(_) => ErrorKind::BadRequest,
            None => ErrorKind::RateLimit,
        },
        400 | 403 if service_message.is_about_tenant() || service_message.is_about_expiry() => {
            ErrorKind::Authentication
        }
        400 | 404 | 410 if service_message.is_about_retirement() => ErrorKind::NotFound,
        400 => ErrorKind::BadRequest,
        401 => ErrorKind::Authentication,
        403 => ErrorKind::PermissionDenied,
        404 | 410 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
        409 => ErrorKind::Conflict,
        422 => ErrorKind::UnprocessableEntity,
        429 => ErrorKind::RateLimit,
        500.. => ErrorKind::Server,
        _ => ErrorKind::UnexpectedStatus,
    }
}

/// What to do about an error whose response had this status. Some gateways refuse because of the quota or
/// of the filter with another one.
pub(super) fn retry(error: &Error, status: u16, headers: &HeaderMap, now: SystemTime) -> Retry {
    let status = match error.kind() {
        _ if is_out_of_credit(error) => return Retry::NO,
        ErrorKind::RateLimit => 429,
        ErrorKind::ContentFilter => 400,
        // Whatever its status and headers: the same request will never pass.
        ErrorKind::BadRequest if status != 400 => return Retry::NO,
        _ => status,
    };
    Retry::after_status(status, headers, now)
}

/// Whether the account can't pay: no row will be answered, however long the batch waits.
pub(crate) fn is_out_of_credit(error: &Error) -> bool {
    error.retry_after().is_none() && lacks_credit(error.status(), error.code())
}

fn lacks_credit(status: Option<u16>, code: Option<&str>) -> bool {
    status == Some(402)
        || code.is_some_and(|code| {
            NO_CREDIT
                .iter()
                .any(|known| known.eq_ignore_ascii_case(code))
        })
}

/// The service's ID of the request, on one line and without a key.
pub(super) fn request_id(headers: &HeaderMap, credential: &Credential) -> Option<String> {
    ["apim-request-id", "x-request-id", "x-ms-request-id"]
        .iter()
        .find_map(|name| headers.get(*name))
        .and_then(|value| value.to_str().ok())
        .map(|id| credential.excerpt(id, 100))
}

#[cfg(test)]
mod tests;
