//! The library's error type: a kind to match on, a message, a hint that the user can act on,
//! and the chain of causes.
//!
//! `Display` shows this layer and its hint, because that is what evcxr prints when `?` ends a
//! cell. `source()` returns the cause, so that a program can print the chain in its own format,
//! with [`Error::message`] for this layer alone. `Debug` prints the chain, because that is what a
//! `main` that returns an error shows to people, and with `{:#?}` all fields, for programmers. A
//! message may quote a service or a file, so it is sanitized: it can't control a terminal.

mod content_filter;
mod kind;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::json::Json;
use crate::text::terminal::sanitize;

pub use content_filter::{ContentFilter, FilterResult, PromptFilter};
pub use kind::ErrorKind;

/// The result of every fallible function in this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error with a kind, a message and, if there is one, a hint.
///
/// ```
/// let error = evenhand::Client::builder().build().unwrap_err();
/// assert!(error.is_settings());
/// assert!(error.hint().is_some_and(|hint| hint.contains("AZURE_OPENAI_ENDPOINT")));
/// ```
///
/// Cloning is cheap: clones share the same error.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    status: Option<u16>,
    code: Option<String>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    content_filter: Option<ContentFilter>,
    body: Option<Json>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            message: legible(message.into()),
            hint: None,
            status: None,
            code: None,
            request_id: None,
            retry_after: None,
            content_filter: None,
            body: None,
            source: None,
        }))
    }

    /// An error of your own code, from a message or from any other error, for the closures and
    /// measures that this library calls. Its kind is [`ErrorKind::Other`].
    ///
    /// ```
    /// use evenhand::Error;
    ///
    /// let error = Error::other("the list of jobs is empty").with_hint("add a job");
    /// assert_eq!(error.to_string(), "the list of jobs is empty\n  hint: add a job");
    ///
    /// let error = "twelve".parse::<u32>().map_err(Error::other).unwrap_err();
    /// assert_eq!(error.message(), "invalid digit found in string");
    /// ```
    pub fn other(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let error = error.into();
        let message = error.to_string();
        // A bare message becomes an error that holds nothing else.
        let is_message = error.source().is_none() && format!("{error:?}") == format!("{message:?}");
        let other = Self::new(ErrorKind::Other, message);
        match is_message {
            true => other,
            false => other.with_source(error),
        }
    }

    /// Sets the hint, which the user can act on.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.0).hint = Some(legible(hint.into()));
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        Arc::make_mut(&mut self.0).status = Some(status);
        self
    }

    pub(crate) fn with_code(mut self, code: Option<String>) -> Self {
        Arc::make_mut(&mut self.0).code = code;
        self
    }

    pub(crate) fn with_request_id(mut self, id: Option<String>) -> Self {
        Arc::make_mut(&mut self.0).request_id = id;
        self
    }

    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        Arc::make_mut(&mut self.0).retry_after = wait;
        self
    }

    pub(crate) fn with_content_filter(mut self, filter: ContentFilter) -> Self {
        Arc::make_mut(&mut self.0).content_filter = Some(filter);
        self
    }

    /// Sets the response body.
    pub(crate) fn with_body(mut self, body: Json) -> Self {
        Arc::make_mut(&mut self.0).body = Some(body);
        self
    }

    /// Also says why the response's text, which may explain the error, could not be read.
    pub(crate) fn with_unread_body(mut self, why: &Self) -> Self {
        let inner = Arc::make_mut(&mut self.0);
        inner.message = format!("{}; its text is unknown: {}", inner.message, why.message());
        if let Some(hint) = why.hint().filter(|_| inner.hint.is_none()) {
            inner.hint = Some(hint.to_owned());
        }
        self
    }

    /// The response body, or its beginning.
    pub(crate) fn body(&self) -> Option<&Json> {
        self.0.body.as_ref()
    }

    /// Sets the cause of this error.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Arc::make_mut(&mut self.0).source = Some(Arc::from(source.into()));
        self
    }

    /// The kind of this error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message, without causes and hint.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    fn write_hint(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hint() {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The HTTP status, if the service returned one.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The service's error code, such as `DeploymentNotFound`.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The service's ID of the request, which its support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How long the service asked to wait, unmodified: it may be a day.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The content filter's findings in the prompt, if the prompt was refused because of them.
    pub fn content_filter(&self) -> Option<&ContentFilter> {
        self.0.content_filter.as_ref()
    }

    /// Whether a setting is missing or malformed, or settings contradict each other.
    pub fn is_settings(&self) -> bool {
        self.kind() == ErrorKind::Settings
    }

    /// Whether the content filter refused the prompt.
    pub fn is_content_filter(&self) -> bool {
        self.kind() == ErrorKind::ContentFilter
    }

    /// Whether the key or token is wrong, or nobody can sign in.
    pub fn is_authentication(&self) -> bool {
        self.kind() == ErrorKind::Authentication
    }

    /// Whether the key or identity is valid, but not allowed to do this.
    pub fn is_permission_denied(&self) -> bool {
        self.kind() == ErrorKind::PermissionDenied
    }

    /// Whether there is no such deployment, path or resource.
    pub fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound
    }

    /// Whether something else changes it, or has its name.
    pub fn is_conflict(&self) -> bool {
        self.kind() == ErrorKind::Conflict
    }

    /// Whether the service failed.
    pub fn is_server(&self) -> bool {
        self.kind() == ErrorKind::Server
    }

    /// Whether the quota is used up.
    pub fn is_rate_limit(&self) -> bool {
        self.kind() == ErrorKind::RateLimit
    }

    /// Whether there was no answer, or no result, in time.
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::Timeout
    }

    /// Whether the connection could not be established, or was lost.
    pub fn is_connection(&self) -> bool {
        self.kind() == ErrorKind::Connection
    }

    /// Whether thinking took all the tokens of an answer.
    pub fn is_token_limit(&self) -> bool {
        self.kind() == ErrorKind::TokenLimit
    }

    /// Whether the work was stopped before this part was done.
    pub fn is_cancelled(&self) -> bool {
        self.kind() == ErrorKind::Cancelled
    }
}

/// The text, made safe for a terminal. Most texts are safe already and are not copied.
fn legible(text: String) -> String {
    match sanitize(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(shown) => shown,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        self.write_hint(f)
    }
}

impl Error {
    /// All fields but the response body, which may be a megabyte.
    fn write_fields(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            kind,
            message,
            hint,
            status,
            code,
            request_id,
            retry_after,
            content_filter,
            body: _,
            source,
        } = &*self.0;
        f.debug_struct("Error")
            .field("kind", kind)
            .field("message", message)
            .field("hint", hint)
            .field("status", status)
            .field("code", code)
            .field("request_id", request_id)
            .field("retry_after", retry_after)
            .field("content_filter", content_filter)
            .field("source", source)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return self.write_fields(f);
        }
        f.write_str(&self.0.message)?;
        let mut shown = self.0.message.clone();
        let mut cause = self.source();
        while let Some(error) = cause {
            let text = legible(error.to_string());
            // An error made from another one has its message.
            if text != shown {
                write!(f, "\n  because: {text}")?;
            }
            shown = text;
            cause = error.source();
        }
        if let Some(id) = self.request_id() {
            write!(f, "\n  request id: {id}")?;
        }
        self.write_hint(f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| &**source as _)
    }
}

/// Allows `?` in a closure that writes a file. The kind is [`ErrorKind::Io`].
impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::new(ErrorKind::Io, error.to_string()).with_source(error)
    }
}

/// Allows `?` in a closure that reads or writes JSON. The kind is [`ErrorKind::Data`], or
/// [`ErrorKind::Io`] if reading or writing failed.
impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        let kind = match error.is_io() {
            true => ErrorKind::Io,
            false => ErrorKind::Data,
        };
        Self::new(kind, error.to_string()).with_source(error)
    }
}

/// Allows `?` in a closure or a function that uses polars. The kind is [`ErrorKind::Other`].
#[cfg(feature = "notebook")]
impl From<polars::error::PolarsError> for Error {
    fn from(error: polars::error::PolarsError) -> Self {
        Self::other(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_other_libraries_keep_their_words_and_their_type() {
        let number = || -> Result<u32> { Ok(serde_json::from_str("\"x\"")?) };
        let error = number().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        insta::assert_snapshot!(format!("{error:?}"), @r#"invalid type: string "x", expected u32 at line 1 column 3"#);
        assert!(
            error
                .source()
                .is_some_and(|source| source.is::<serde_json::Error>())
        );
        let outer = Error::other(Error::other("inner").with_source(std::fmt::Error));
        insta::assert_snapshot!(format!("{outer:?}"), @"
        inner
          because: an error occurred when formatting an argument
        ");
        assert!(Error::other(String::from("said \"so\"")).source().is_none());
    }

    #[test]
    fn all_fields_are_shown_to_programmers() {
        let error = Error::new(ErrorKind::RateLimit, "too many requests")
            .with_status(429)
            .with_retry_after(Some(Duration::from_secs(2)));
        insta::assert_snapshot!(format!("{error:#?}"), @r#"
        Error {
            kind: RateLimit,
            message: "too many requests",
            hint: None,
            status: Some(
                429,
            ),
            code: None,
            request_id: None,
            retry_after: Some(
                2s,
            ),
            content_filter: None,
            source: None,
            ..
        }
        "#);
    }

    #[test]
    fn no_terminal_obeys_an_error() {
        let cause = std::io::Error::other("\u{1b}[2Jgone");
        let error = Error::new(ErrorKind::Response, "it said \u{9b}31m\rok\u{202e}")
            .with_hint("ask \u{1b}]0;x\u{7}")
            .with_source(cause);
        insta::assert_snapshot!(format!("{error:?}"), @"
        it said �31m�ok�
          because: �[2Jgone
          hint: ask �]0;x�
        ");
        assert_eq!(error.message(), "it said �31m�ok�");
        assert!(
            !error
                .to_string()
                .contains(|c: char| c.is_control() && c != '\n')
        );
    }
}
