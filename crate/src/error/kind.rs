//! The kinds of errors.

/// What went wrong, to match on. The names follow the OpenAI clients where those have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting is missing or malformed, or settings contradict each other (several subscriptions and
    /// none chosen); nothing was sent that would have changed anything.
    Settings,
    /// An argument is invalid (an empty deployment name, a reversed range).
    Argument,
    /// 400: the service rejected the request; also 413 or 429 for a request that alone is larger than
    /// the limit, so that no wait helps; also a control plane that says so of its work later (a
    /// model that is retired, a region without a service).
    BadRequest,
    /// 400 with `error.code = "content_filter"`: the prompt was filtered.
    ContentFilter,
    /// 401: the key or token is wrong, or nobody can sign in.
    Authentication,
    /// 403: the key or identity is valid, but not allowed to do this; also a policy or a kind of
    /// subscription that forbids it.
    PermissionDenied,
    /// 404: no such deployment, path, resource, cluster or run.
    NotFound,
    /// 409: something else changes it, or has its name.
    Conflict,
    /// 422: the request is well-formed, and its content is not accepted.
    UnprocessableEntity,
    /// 429: the quota is used up, of a deployment's tokens and requests or of what a subscription may
    /// have; or a service is asked too often.
    RateLimit,
    /// 500 and above; also work of a service that has failed there: a cluster that did not start, a run
    /// that failed, a query of Spark.
    Server,
    /// Another status, or a redirect (which is never followed, because that would send the key to
    /// another host).
    UnexpectedStatus,
    /// No answer in time, or work of a service that takes longer than is waited for.
    Timeout,
    /// The connection could not be established, or was lost.
    Connection,
    /// The answer could not be understood.
    Response,
    /// Thinking took all the tokens of an answer, so the answer is empty.
    TokenLimit,
    /// The work was stopped before this part was done.
    Cancelled,
    /// A file or another part of the operating system failed.
    Io,
    /// A file is not the expected journal: it has another format, or belongs to other requests.
    Journal,
    /// The content of a file of data is malformed: the message names the line and the column.
    Data,
    /// The data do not support the analysis: too few units, no variation, or not a number.
    Statistics,
    /// A table or a chart could not be created.
    Display,
    /// An error from code outside of this library: see [`Error::other`](super::Error::other).
    Other,
}

impl ErrorKind {
    /// The kind's name as written in tables, such as `rate_limit`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Argument => "argument",
            Self::BadRequest => "bad_request",
            Self::ContentFilter => "content_filter",
            Self::Authentication => "authentication",
            Self::PermissionDenied => "permission_denied",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::UnprocessableEntity => "unprocessable_entity",
            Self::RateLimit => "rate_limit",
            Self::Server => "server",
            Self::UnexpectedStatus => "unexpected_status",
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::Response => "response",
            Self::TokenLimit => "token_limit",
            Self::Cancelled => "cancelled",
            Self::Io => "io",
            Self::Journal => "journal",
            Self::Data => "data",
            Self::Statistics => "statistics",
            Self::Display => "display",
            Self::Other => "other",
        }
    }
}
