//! The errors of a workspace in the user's words.

use crate::error::{Error, ErrorKind};
use crate::json::{Json, fields, plain_text};
use crate::text::{message, sanitize_line};

/// The longest text of the service that is shown, in characters.
const MAX_LENGTH: usize = 500;

/// The error for a response with an error status. `path` is what was asked; `sign_in` is the hint for a token that was refused.
pub(super) fn error(host: &str, path: &str, sign_in: &str, status: u16, body: &[u8]) -> Error {
    let (code, reason) = code_and_reason(body);
    // A missing cluster, job or run is a bad request in their words.
    let is_missing =
        reason.contains("does not exist") || reason.contains("doesn't exist") || status == 404;
    let subject = Subject::from_path(path);
    let (kind, hint) = match status {
        _ if is_missing => (ErrorKind::NotFound, subject.missing_hint()),
        401 => (ErrorKind::Authentication, sign_in),
        403 => (ErrorKind::PermissionDenied, subject.forbidden()),
        409 => (
            ErrorKind::Conflict,
            "it exists already, or something else changes it: make the call again",
        ),
        429 => (
            ErrorKind::RateLimit,
            "the workspace is busy: try again in a minute",
        ),
        500.. => (
            ErrorKind::Server,
            "try again; the workspace's status page may say more",
        ),
        _ => (
            ErrorKind::BadRequest,
            "change what the message names, and make the call again",
        ),
    };
    let message = match (status, reason.is_empty()) {
        (429 | 500.., true) => format!("{host} could not answer {path} (HTTP status {status})"),
        (429 | 500.., false) => {
            format!("{host} could not answer {path} (HTTP status {status}): {reason}")
        }
        (_, true) => format!("{host} refused, with the HTTP status {status}"),
        (_, false) => format!("{host} refused: {reason}"),
    };
    Error::new(kind, message)
        .with_status(status)
        .with_code(code.map(|code| sanitize_line(&code, 80)))
        .with_hint(hint)
}

/// The code and the words of an error: `{error_code, message}`, `{error}`, SCIM's `{detail}`, or a page.
fn code_and_reason(body: &[u8]) -> (Option<String>, String) {
    let text = String::from_utf8_lossy(body);
    let (code, reason) = match Json::new(text.clone().into_owned()) {
        Ok(json) => {
            let names = ["error_code", "message", "error", "detail"];
            let [code, reason, error, detail] = fields(json.raw(), names);
            let mut reason = [reason, error, detail].into_iter().flatten();
            let reason = reason.find_map(plain_text);
            (code.and_then(plain_text), reason.unwrap_or_default())
        }
        Err(_) => (None, message::of_html(&text)),
    };
    (code, sanitize_line(&reason, MAX_LENGTH))
}

/// What a path is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    Cluster,
    File,
    Run,
    Endpoint,
    Other,
}

impl Subject {
    fn from_path(path: &str) -> Self {
        let is = |part: &str| path.contains(part);
        if is("/jobs/") {
            Self::Run
        } else if is("/clusters/") || is("/libraries/") {
            Self::Cluster
        } else if is("/workspace/") || is("/fs/") {
            Self::File
        } else if is("/serving-endpoints") {
            Self::Endpoint
        } else {
            Self::Other
        }
    }

    fn missing_hint(self) -> &'static str {
        match self {
            Self::Cluster => {
                "check DATABRICKS_CLUSTER_ID and DATABRICKS_HOST: the cluster's page shows both in its \
                 address"
            }
            Self::File => {
                "check the path: `/Users/NAME/..` for a notebook, `/Volumes/CATALOG/SCHEMA/VOLUME/..` for a \
                 file"
            }
            Self::Run => "check the run's number: the workspace keeps runs for 60 days",
            Self::Endpoint => "check the endpoint's name",
            Self::Other => "check DATABRICKS_HOST: it is the address of the workspace",
        }
    }

    fn forbidden(self) -> &'static str {
        match self {
            Self::Cluster => {
                "ask the cluster's owner for the permission 'Can Restart', or, if it runs, 'Can Attach To'; \
                 to make one, ask an admin for the entitlement 'Unrestricted cluster creation'"
            }
            Self::File => {
                "ask its owner for the permission 'Can Edit', or use a folder of your own"
            }
            _ => {
                "ask an admin of the workspace for the permission; in a new workspace, open it once in the \
                 portal ('Launch Workspace')"
            }
        }
    }
}
