//! How a session begins.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use super::connected::Connected;
use super::grpc::Channel;
use super::remote::Remote;
use super::session::Session;
use super::{engine, uuid};
use crate::error::Result;
use crate::runtime;
use crate::settings::{self, ALLOW_HTTP_VARIABLE, CONNECT_TIMEOUT};

/// The variable with the server's address.
const REMOTE_VARIABLE: &str = "SPARK_REMOTE";

/// Makes a [`Session`].
///
/// # Default
/// The server of `SPARK_REMOTE`, from the environment or a `.env` file. Without it, the local
/// engine, which evenhand's own kernel starts with the first session.
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until a session is made"]
pub struct SessionBuilder {
    remote: Option<String>,
    settings: Vec<(String, String)>,
    allow_http: bool,
}

impl Session {
    /// How to begin a session.
    pub fn builder() -> SessionBuilder {
        SessionBuilder::default()
    }
}

impl SessionBuilder {
    /// Sets the server's address: `sc://HOST:PORT/;NAME=VALUE;..`, such as `sc://localhost:15002` or
    /// `sc://HOST:443/;use_ssl=true;token=..;x-databricks-cluster-id=..`.
    ///
    /// The parameters are `use_ssl`, `token`, `user_id` and `session_id`. All others are sent as
    /// headers. A connection to another machine is encrypted with TLS, and a token is sent to no
    /// other machine without it.
    pub fn remote(mut self, address: impl Into<String>) -> Self {
        self.remote = Some(address.into());
        self
    }

    /// Sets a setting of the session, such as `spark.sql.session.timeZone`.
    pub fn config(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.settings.push((name.into(), value.to_string()));
        self
    }

    /// Allows an unencrypted connection to another machine, as long as no token is sent over it.
    ///
    /// # Default
    /// `EVENHAND_ALLOW_HTTP`, else `false`.
    pub fn allow_http(mut self, allow: bool) -> Self {
        self.allow_http = allow;
        self
    }

    /// The session that this process already has with the server, or a new one. The builder's
    /// settings apply to either.
    ///
    /// # Errors
    /// The address is malformed or unsafe; the server can't be reached, is no Spark Connect server,
    /// or refuses the session; there is neither an address nor a local engine.
    pub fn get_or_create(self) -> Result<Session> {
        runtime::wait(self.get_or_create_async())
    }

    /// The same as [`get_or_create`](Self::get_or_create) for async code.
    ///
    /// # Errors
    /// As [`get_or_create`](Self::get_or_create).
    pub async fn get_or_create_async(self) -> Result<Session> {
        runtime::run(self.begin(true)).await
    }

    /// A new session, even if there is one: with its own temporary views and settings.
    ///
    /// # Errors
    /// As [`get_or_create`](Self::get_or_create).
    pub fn create(self) -> Result<Session> {
        runtime::wait(runtime::run(self.begin(false)))
    }

    async fn begin(self, may_be_active: bool) -> Result<Session> {
        let address = self.address()?;
        if may_be_active && let Some(active) = Connected::active(&address) {
            if !self.settings.is_empty() {
                active.configure(self.settings).await?;
            }
            return Ok(Session::of(active));
        }
        let remote = Remote::parse(&address, self.allow_http || allows_http()?)?;
        let channel = Channel::new(&remote, connect_time(&remote))?;
        let user = remote.user_id.unwrap_or_else(|| "evenhand".to_owned());
        let id = remote.session_id.unwrap_or_else(uuid::random);
        let session = Connected::new(channel, user, id, address);
        session.greet(self.settings).await?;
        session.activate();
        Ok(Session::of(session))
    }

    fn address(&self) -> Result<String> {
        if let Some(address) = &self.remote {
            return Ok(address.trim().to_owned());
        }
        match settings::variable(Path::new(""), REMOTE_VARIABLE)? {
            Some(address) => Ok(address),
            // It blocks until the engine answers, which may have to be installed first.
            None => runtime::run_caller_code(engine::address),
        }
    }
}

impl fmt::Debug for SessionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a token, and a setting a key.
        let names: Vec<_> = self.settings.iter().map(|(name, _)| name).collect();
        f.debug_struct("SessionBuilder")
            .field("has_remote", &self.remote.is_some())
            .field("settings", &names)
            .field("allow_http", &self.allow_http)
            .finish()
    }
}

fn allows_http() -> Result<bool> {
    let value = settings::variable(Path::new(""), ALLOW_HTTP_VARIABLE)?;
    Ok(value.is_some_and(|value| settings::is_on(Some(&value))))
}

fn connect_time(remote: &Remote) -> Duration {
    match remote.is_loopback() {
        true => CONNECT_TIMEOUT,
        // A cluster may be far away, behind a proxy.
        false => CONNECT_TIMEOUT * 3,
    }
}
