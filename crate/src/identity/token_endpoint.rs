//! Reads the responses of a token endpoint: tokens, and errors with their AADSTS numbers.

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;

use crate::http::redact::Redactor;
use crate::http::retry::sent_at;
use crate::json::{Json, deserialize, fields, plain_text};
use crate::secret::Secret;
use crate::text::{message, sanitize_line};

/// The lifetime of a token whose expiry is missing, or past because clocks differ.
const UNKNOWN: Duration = Duration::from_secs(60);
/// The longest excerpt of a rejection, in characters.
const EXCERPT: usize = 300;

/// A token response.
pub(super) struct Grant {
    pub(super) token: Secret,
    pub(super) lifetime: Duration,
    /// Renews the token without user interaction.
    pub(super) refresh_token: Option<Secret>,
}

/// An error response.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ErrorResponse {
    /// The OAuth error code, such as `invalid_client`.
    pub(super) code: String,
    /// The service's message, on one line and without secrets.
    pub(super) message: String,
}

/// Reads a successful response; `None` if it contains no bearer token.
pub(super) fn grant(headers: &HeaderMap, body: &[u8]) -> Option<Grant> {
    let json = Json::new(String::from_utf8(body.to_vec()).ok()?).ok()?;
    let [token, kind, expires_in, expires_on, refresh_token] = fields(
        json.raw(),
        [
            "access_token",
            "token_type",
            "expires_in",
            "expires_on",
            "refresh_token",
        ],
    );
    let text = |json: Option<&_>| json.and_then(deserialize::<String>);
    if text(kind).is_some_and(|kind| !kind.trim().eq_ignore_ascii_case("bearer")) {
        return None;
    }
    let number = |json: Option<&_>| json.and_then(plain_text)?.parse::<f64>().ok();
    let seconds = number(expires_in).or_else(|| {
        let ends = number(expires_on)?;
        // The server's own clock if it sends the date, because this machine's may be wrong.
        let now = sent_at(headers).unwrap_or_else(SystemTime::now);
        Some(ends - seconds_since_1970(now))
    });
    Some(Grant {
        token: usable(text(token)?)?,
        lifetime: lifetime(seconds),
        refresh_token: text(refresh_token).map(Secret::new),
    })
}

/// A token that can be sent in a header.
pub(super) fn usable(token: String) -> Option<Secret> {
    let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    is_token.then(|| Secret::new(token))
}

/// The lifetime of a token with so many seconds left. A new token that seems to have expired
/// already means that clocks differ.
pub(super) fn lifetime(seconds: Option<f64>) -> Duration {
    let seconds = seconds.filter(|seconds| *seconds > 0.0);
    let lifetime = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    lifetime.unwrap_or(UNKNOWN)
}

pub(super) fn seconds_since_1970(time: SystemTime) -> f64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}

/// Reads an error response.
pub(super) fn error_response(body: &[u8], redactor: &Redactor) -> ErrorResponse {
    let text = String::from_utf8_lossy(body);
    let Ok(json) = Json::new(text.clone().into_owned()) else {
        return ErrorResponse {
            code: String::new(),
            message: excerpt(&message::of_html(&text), redactor),
        };
    };
    let [error, description, reason] =
        fields(json.raw(), ["error", "error_description", "message"]);
    let code = error.and_then(deserialize::<String>);
    // Some gateways have an object there, with a message of its own.
    let inside = error.and_then(|error| fields(error, ["message"])[0]);
    let message = [description, reason, inside]
        .into_iter()
        .flatten()
        .find_map(plain_text);
    ErrorResponse {
        message: excerpt(&message.or(code.clone()).unwrap_or_default(), redactor),
        code: code
            .map(|code| excerpt(&code, redactor))
            .unwrap_or_default(),
    }
}

/// The shortest run of a token's characters that is taken for one. IDs are shorter, words have no
/// digits.
const MIN_TOKEN: usize = 40;

/// The text without anything that looks like a token.
fn without_tokens(text: &str) -> String {
    let is_part =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '~' | '+' | '=');
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end.max(c.len_utf8()));
        let is_token = run.len() >= MIN_TOKEN
            && run.contains(|c: char| c.is_ascii_digit())
            && run.contains(|c: char| c.is_ascii_alphabetic());
        clean.push_str(if is_token { "[token]" } else { run });
        rest = after;
    }
    clean
}

/// A message on one line, without secrets, tokens, and the trace IDs that Entra appends.
pub(super) fn excerpt(text: &str, redactor: &Redactor) -> String {
    let reason = text.split("Trace ID:").next().unwrap_or_default();
    // Before the text is cut, because a part of a secret would not be recognized.
    sanitize_line(without_tokens(&redactor.message(reason)).trim(), EXCERPT)
}

/// Hints by AADSTS number.
const HINTS: [(&str, &str); 13] = [
    (
        "AADSTS7000215",
        "set AZURE_CLIENT_SECRET to the secret's value, not its ID",
    ),
    (
        "AADSTS7000222",
        "the application's secret has expired: create a new one and set AZURE_CLIENT_SECRET",
    ),
    (
        "AADSTS700016",
        "check AZURE_CLIENT_ID, and that AZURE_TENANT_ID is the tenant of that application",
    ),
    (
        "AADSTS90002",
        "check AZURE_TENANT_ID: the directory's ID or domain",
    ),
    (
        "AADSTS900023",
        "check AZURE_TENANT_ID: the directory's ID or domain",
    ),
    (
        "AADSTS500011",
        "the tenant does not know the service: check AZURE_TENANT_ID, and that it is the resource's",
    ),
    (
        "AADSTS53003",
        "the tenant does not allow this kind of sign-in: run `az login` and try again",
    ),
    (
        "AADSTS50076",
        "a second factor is required: run `az login` and try again",
    ),
    (
        "AADSTS50079",
        "a second factor is required: run `az login` and try again",
    ),
    (
        "AADSTS50173",
        "the sign-in has expired: run `az login` and try again",
    ),
    (
        "AADSTS70043",
        "the sign-in has expired: run `az login` and try again",
    ),
    (
        "AADSTS700082",
        "the sign-in has expired: run `az login` and try again",
    ),
    (
        "AADSTS50020",
        "the user belongs to another tenant: run `az login --tenant TENANT`",
    ),
];

/// The hint for a message that contains a known AADSTS number.
pub(super) fn hint(reason: &str) -> Option<&'static str> {
    let number_is = |number: &str| {
        let rest = reason.split(number).nth(1);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    HINTS
        .iter()
        .find(|(number, _)| number_is(number))
        .map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use reqwest::header::DATE;

    fn seconds(body: &str) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
        grant(&headers, body.as_bytes()).map(|grant| grant.lifetime.as_secs())
    }

    #[test]
    fn how_long_a_token_holds_is_read_in_every_form() {
        assert_eq!(
            seconds(r#"{"access_token":"a.b","expires_in":3599}"#),
            Some(3599)
        );
        assert_eq!(
            seconds(r#"{"access_token":"a.b","expires_in":"86399","token_type":"bearer"}"#),
            Some(86_399)
        );
        // App Service names the end alone; the server's clock is in its own answer.
        assert_eq!(
            seconds(r#"{"access_token":"a.b","expires_on":"784112577"}"#),
            Some(800)
        );
        for odd in [
            "\"expires_in\":0",
            "\"expires_in\":-7",
            "\"expires_in\":\"soon\"",
            "\"expires_on\":1",
            "\"x\":1",
        ] {
            assert_eq!(
                seconds(&format!(r#"{{"access_token":"a.b",{odd}}}"#)),
                Some(60),
                "{odd}"
            );
        }
    }

    #[test]
    fn what_is_no_token_is_none() {
        for body in [
            "<html>",
            "{}",
            "[]",
            "",
            "null",
            r#"{"access_token":""}"#,
            r#"{"access_token":7}"#,
            r#"{"access_token":"two words"}"#,
            r#"{"access_token":"a","token_type":"pop"}"#,
        ] {
            assert_eq!(seconds(body), None, "{body}");
        }
    }

    fn nothing() -> Redactor {
        Redactor::new([])
    }

    #[test]
    fn a_rejection_is_told_in_a_line_without_the_secret() {
        let secret = Secret::new("Hunter2-Hunter2");
        let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret Hunter2-hunter2 provided.\r\nTrace ID: 1\r\nCorrelation ID: 2","error_codes":[7000215]}"#;
        let error = super::error_response(body.as_bytes(), &Redactor::new([secret]));
        insta::assert_snapshot!(format!("{}: {}", error.code, error.message), @"invalid_client: AADSTS7000215: Invalid client secret … provided.");
        assert!(
            hint(&error.message)
                .unwrap()
                .contains("AZURE_CLIENT_SECRET")
        );
        let page = super::error_response(b"<html><title>Sign in to the hotel</title>", &nothing());
        assert_eq!(page.message, "Sign in to the hotel");
    }

    #[test]
    fn a_number_is_not_taken_for_a_longer_one() {
        assert!(hint("AADSTS70001: x").is_none());
        assert!(hint("AADSTS900020: x").is_none());
        assert!(
            hint("error AADSTS53003: blocked")
                .unwrap()
                .contains("az login")
        );
    }

    proptest! {
        #[test]
        fn any_answer_is_read_or_refused(body in any::<Vec<u8>>()) {
            let _ = grant(&HeaderMap::new(), &body);
            let error = error_response(&body, &nothing());
            prop_assert!(error.message.chars().count() <= EXCERPT);
        }
    }
}
