//! The practice cloud itself: requests in, answers and a changed state out. It opens no connection, reads no
//! file and no clock, and imports nothing of the launcher, so that the tests of the library and of the
//! launcher include these same files.
//!
//! The shapes of answers and errors are those of the recorded tests of azure-cli (MIT), of the published
//! contracts of Azure Resource Manager, and of databricks-sdk-py (Apache-2.0). What differs from a service:
//! times are shorter, all accounts and workspaces have one address, and nothing costs anything.
//!
//! - `state` is what is saved, `fields` reads and sets fields of it, `fault` what can be made to go wrong.
//! - `azure` has subscriptions, providers and groups, `regions` where they are, `lists` all of
//!   one kind; `accounts`, `deployments`, `catalog` and `workspaces`
//!   are what is in them.
//! - `databricks` is a workspace: `clusters`, and notebooks, files, runs and endpoints.

mod accounts;
mod azure;
mod catalog;
mod clusters;
mod databricks;
mod deployments;
mod fault;
mod fields;
mod lists;
mod regions;
mod state;
mod workspaces;

use std::collections::BTreeSet;

use serde_json::{Value, json};

pub(crate) use fault::Fault;
pub(crate) use state::{Identity, State};

/// The one subscription.
pub(crate) const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000000";
/// Whoever asks.
const USER: &str = "me@example.org";

/// A request.
pub(crate) struct CloudRequest<'a> {
    pub(crate) method: &'a str,
    /// Path and query.
    pub(crate) target: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) bearer: Option<&'a str>,
    /// The workspace's ID in Azure, if a header names it.
    pub(crate) workspace: Option<&'a str>,
    /// Where the cloud answers: `http://127.0.0.1:8090`.
    pub(crate) origin: &'a str,
    /// Milliseconds since 1970.
    pub(crate) now: u64,
}

impl CloudRequest<'_> {
    /// The path, decoded.
    fn path(&self) -> String {
        decoded(self.target.split('?').next().unwrap_or_default())
    }

    /// A parameter of the query, decoded.
    fn query(&self, name: &str) -> String {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let mut values = pairs.filter(|(key, _)| *key == name);
        let value = values.next().map_or("", |(_, value)| value);
        decoded(&value.replace('+', " "))
    }

    /// The body, which is an object.
    fn json(&self) -> Result<Value, CloudResponse> {
        let read: Option<Value> = serde_json::from_slice(self.body).ok();
        read.filter(Value::is_object).ok_or_else(|| {
            let words = "The request content was invalid and could not be deserialized.";
            match self.path().starts_with("/api/") {
                true => databricks_error(400, "MALFORMED_REQUEST", words),
                false => arm_error(400, "InvalidRequestContent", words),
            }
        })
    }
}

/// The text without percent-encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let pair = more
            .get(..2)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        let byte = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = more.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct CloudResponse {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl CloudResponse {
    fn json(status: u16, body: &Value) -> Self {
        Self::text(status, body.to_string())
    }

    fn text(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    fn ok(body: &Value) -> Self {
        Self::json(200, body)
    }

    fn list(items: Vec<Value>) -> Self {
        Self::ok(&json!({"value": items}))
    }

    fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// An error of Azure Resource Manager.
fn arm_error(status: u16, code: &str, message: &str) -> CloudResponse {
    CloudResponse::json(
        status,
        &json!({"error": {"code": code, "message": message}}),
    )
}

/// An error of a workspace.
fn databricks_error(status: u16, code: &str, message: &str) -> CloudResponse {
    CloudResponse::json(status, &json!({"error_code": code, "message": message}))
}

/// A workspace has no such path.
fn no_such_route() -> CloudResponse {
    databricks_error(404, "ENDPOINT_NOT_FOUND", "no such endpoint")
}

fn not_found() -> CloudResponse {
    arm_error(404, "ResourceNotFound", "The Resource was not found.")
}

/// The cloud.
#[derive(Debug)]
pub(crate) struct Cloud {
    pub(crate) state: State,
    pub(crate) faults: BTreeSet<Fault>,
    /// How long a minute of the real services takes, in milliseconds.
    pub(crate) minute: u64,
    /// For how many deployments of the lab each region has quota.
    pub(crate) room: Option<u64>,
    /// How many requests there were.
    asked: u64,
}

impl Cloud {
    pub(crate) fn new(state: State) -> Self {
        Self {
            state,
            faults: BTreeSet::new(),
            minute: 0,
            room: None,
            asked: 0,
        }
    }

    pub(crate) fn answer(&mut self, request: &CloudRequest<'_>) -> CloudResponse {
        let path = request.path();
        self.asked = self.asked.wrapping_add(1);
        if path.ends_with("/oauth2/v2.0/token") {
            return self.token(request);
        }
        // The Databricks SDK asks there what kind of host this is, and takes a 404.
        if path.starts_with("/.well-known/") {
            return not_found();
        }
        self.settle(request.now);
        let answer = match path.starts_with("/api/") {
            true => self.databricks(request),
            false => self.azure(request),
        };
        answer.unwrap_or_else(|told| told)
    }

    fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    /// When work that takes so many seconds in the real services is done.
    fn after(&self, now: u64, seconds: u64) -> u64 {
        now.saturating_add(seconds.saturating_mul(self.minute) / 60)
    }

    /// Whether this token may ask. One token is enough: the only user is the reader.
    pub(crate) fn knows(&self, bearer: Option<&str>) -> bool {
        let identity = &self.state.identity;
        bearer.is_some_and(|it| it == identity.token || it == identity.workspace_token)
    }

    /// A token for the application of the practice cloud, as Microsoft's identity platform documents it.
    fn token(&self, request: &CloudRequest<'_>) -> CloudResponse {
        let form = String::from_utf8_lossy(request.body);
        let secret = format!("client_secret={}", self.state.identity.client_secret);
        match form.split('&').any(|pair| pair == secret) {
            true => CloudResponse::ok(&json!({
                "token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599,
                "access_token": self.state.identity.token,
            })),
            false => CloudResponse::json(
                401,
                &json!({
                    "error": "invalid_client", "error_codes": [7_000_215],
                    "error_description": "AADSTS7000215: Invalid client secret provided.",
                }),
            ),
        }
    }

    /// Removes what has been deleted long enough.
    fn settle(&mut self, now: u64) {
        let is_gone = |gone: Option<u64>| gone.is_some_and(|at| at <= now);
        let groups = self.state.groups.iter();
        let groups: Vec<String> = groups
            .filter(|(_, group)| is_gone(group.gone_at))
            .map(|(name, _)| name.clone())
            .collect();
        for name in groups {
            self.remove_group(&name, now);
        }
        let things = self.state.things.iter();
        let things: Vec<String> = things
            .filter(|(_, thing)| is_gone(thing.gone_at))
            .map(|(path, _)| path.clone())
            .collect();
        for path in things {
            self.remove_thing(&path, now);
        }
    }
}
