//! The outcome of a call, as gRPC's headers and trailers tell it.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;
use prost::Message;

use super::messages::{ErrorInfo, RpcStatus};
use crate::http::redact::Redactor;

/// Standard base 64, with or without padding: servers send both.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A code of gRPC with the service's text and, from Spark, the class of the error.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status {
    pub(crate) code: i32,
    pub(crate) message: String,
    /// Such as `TABLE_OR_VIEW_NOT_FOUND`.
    pub(crate) class: Option<String>,
    pub(crate) sql_state: Option<String>,
    /// By which the service tells more of a message that it has cut off.
    pub(crate) error_id: Option<String>,
}

pub(crate) const CANCELLED: i32 = 1;
pub(crate) const UNKNOWN: i32 = 2;
pub(crate) const DEADLINE_EXCEEDED: i32 = 4;
pub(crate) const NOT_FOUND: i32 = 5;
pub(crate) const PERMISSION_DENIED: i32 = 7;
pub(crate) const RESOURCE_EXHAUSTED: i32 = 8;
pub(crate) const OUT_OF_RANGE: i32 = 11;
pub(crate) const UNIMPLEMENTED: i32 = 12;
pub(crate) const UNAVAILABLE: i32 = 14;
pub(crate) const UNAUTHENTICATED: i32 = 16;

impl Status {
    /// The outcome, if these headers or trailers hold one, without any key.
    pub(crate) fn of_headers(headers: &HeaderMap, redactor: &Redactor) -> Option<Self> {
        let code = headers.get("grpc-status")?.to_str().ok()?;
        let mut status = Self {
            code: code.trim().parse().unwrap_or(UNKNOWN),
            ..Self::default()
        };
        if status.is_ok() {
            return Some(status);
        }
        let details = headers
            .get("grpc-status-details-bin")
            .and_then(|value| BASE64.decode(value.as_bytes()).ok())
            .and_then(|bytes| RpcStatus::decode(&*bytes).ok())
            .unwrap_or_default();
        let message = headers
            .get("grpc-message")
            .map(|text| decoded(text.as_bytes()));
        let message = message
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| details.message.clone());
        status.message = redactor.message(&message);
        let mut info = details.error_info().unwrap_or_default();
        for text in info.metadata.values_mut() {
            *text = redactor.message(text);
        }
        status.class = class(&status.message, &info);
        status.sql_state = info
            .metadata
            .get("sqlState")
            .cloned()
            .or_else(|| sql_state(&status.message));
        status.error_id = info.metadata.get("errorId").cloned();
        Some(status)
    }

    pub(crate) fn is_ok(&self) -> bool {
        self.code == 0
    }

    /// Whether the error is of this class or of one below it.
    pub(crate) fn is_of_class(&self, class: &str) -> bool {
        self.class.as_deref().is_some_and(|found| {
            let rest = found.strip_prefix(class);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

/// The class of the error: from the details, or as Spark writes it before its text, `[CLASS]`.
fn class(message: &str, info: &ErrorInfo) -> Option<String> {
    let class = info.metadata.get("errorClass").cloned();
    class.or_else(|| {
        let (_, after) = message.split_once('[')?;
        let (class, _) = after.split_once(']')?;
        is_class(class).then(|| class.to_owned())
    })
}

fn is_class(text: &str) -> bool {
    (4..=200).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"_.".contains(&byte))
}

/// The state that Spark writes after its text, `SQLSTATE: 42P01`.
fn sql_state(message: &str) -> Option<String> {
    let (_, after) = message.split_once("SQLSTATE: ")?;
    let state = after.get(..5)?;
    state
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric())
        .then(|| state.to_owned())
}

/// The text without gRPC's percent encoding. What is malformed stays as it is.
fn decoded(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let digits = text.get(at + 1..at + 3).filter(|_| *byte == b'%');
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) => {
                bytes.push(decoded);
                at += 3;
            }
            None => {
                bytes.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn status(pairs: &[(&'static str, &str)]) -> Option<Status> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        Status::of_headers(&headers, &Redactor::new([]))
    }

    #[test]
    fn the_class_and_the_state_are_found_in_the_text() {
        let text = "analysis error: [TABLE_OR_VIEW_NOT_FOUND] The table `%C3%A4` .. SQLSTATE: 42P01; line 1";
        let status = status(&[("grpc-status", "13"), ("grpc-message", text)]).unwrap();
        assert_eq!(status.code, 13);
        assert!(status.message.contains("`ä`"));
        assert!(status.is_of_class("TABLE_OR_VIEW_NOT_FOUND"));
        assert!(!status.is_of_class("TABLE"));
        assert_eq!(status.sql_state.as_deref(), Some("42P01"));
    }

    #[test]
    fn what_is_not_there_or_malformed_does_no_harm() {
        assert!(status(&[]).is_none());
        assert!(status(&[("grpc-status", "0")]).unwrap().is_ok());
        let odd = status(&[
            ("grpc-status", "many"),
            ("grpc-message", "100 % [not a class]%f"),
            ("grpc-status-details-bin", "!!!"),
        ]);
        let odd = odd.unwrap();
        assert_eq!((odd.code, odd.class), (UNKNOWN, None));
        assert_eq!(odd.message, "100 % [not a class]%f");
    }

    #[test]
    fn the_details_tell_more() {
        let mut info = ErrorInfo::default();
        for (name, value) in [
            ("errorClass", "DIVIDE_BY_ZERO"),
            ("sqlState", "22012"),
            ("errorId", "id"),
        ] {
            info.metadata.insert(name.to_owned(), value.to_owned());
        }
        let details = RpcStatus {
            code: 13,
            message: "of the details".to_owned(),
            details: vec![crate::spark::messages::any(
                "type.googleapis.com/google.rpc.ErrorInfo",
                &info,
            )],
        };
        let encoded = BASE64.encode(details.encode_to_vec());
        for text in [encoded.as_str(), encoded.trim_end_matches('=')] {
            let status =
                status(&[("grpc-status", "13"), ("grpc-status-details-bin", text)]).unwrap();
            assert_eq!(status.message, "of the details");
            assert_eq!(status.class.as_deref(), Some("DIVIDE_BY_ZERO"));
            assert_eq!(status.sql_state.as_deref(), Some("22012"));
            assert_eq!(status.error_id.as_deref(), Some("id"));
        }
    }

    proptest! {
        #[test]
        fn any_header_has_an_answer(message in "[ -~]{0,60}", details in "[ -~]{0,60}") {
            let _ = status(&[
                ("grpc-status", "2"),
                ("grpc-message", &message),
                ("grpc-status-details-bin", &details),
            ]);
        }
    }
}
