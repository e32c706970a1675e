//! Whether a 403 refuses the key or the role, or one request.

use crate::error::{Error, ErrorKind};
use crate::json::{Json, deserialize};

/// Words of a service that refuses the key, its role or the network, whatever the request.
const WORDS: [&str; 22] = [
    "access denied",
    "access key",
    "accessdenied",
    "access to this resource",
    "api key",
    "api_key",
    "authoriz",
    "country",
    "credential",
    "disabled",
    "firewall",
    "invalid token",
    "no access",
    "not have access",
    "permission",
    "principal",
    "private endpoint",
    "public access",
    "subscription",
    "suspended",
    "the role",
    "virtual network",
];

/// Does a 403 refuse the key, its role or the network itself? Anything else, such as the page of a firewall
/// that a prompt has set off, may concern one request.
pub(crate) fn refuses_the_key(error: &Error) -> bool {
    if error.kind() != ErrorKind::PermissionDenied || error.body().is_some_and(is_page) {
        return false;
    }
    let code = error.code().unwrap_or_default();
    let text = format!("{code} {}", error.message()).to_ascii_lowercase();
    WORDS.iter().any(|words| text.contains(words))
}

fn is_page(body: &Json) -> bool {
    let text: Option<String> = deserialize(body.raw());
    text.is_some_and(|text| text.trim_start().starts_with('<'))
}
