//! How a session begins.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use super::connected::Connected;
use super::engine::{self, Place};
use super::grpc::Channel;
use super::remote::Remote;
use super::session::Session;
use super::{uuid, workspace};
use crate::databricks::Compute;
use crate::error::Result;
use crate::runtime;
use crate::settings::{self, ALLOW_HTTP_VARIABLE, CONNECT_TIMEOUT};
use crate::sideband::is_local_master;

/// The variable with the server's address.
const REMOTE_VARIABLE: &str = "SPARK_REMOTE";

/// Where a session's tables are kept.
const TABLES: &str = "spark.sql.warehouse.dir";

/// Makes a [`Session`].
///
/// # Default
/// The server of `SPARK_REMOTE`, from the environment or a `.env` file. Without it, Databricks, if
/// `DATABRICKS_CLUSTER_ID` or `DATABRICKS_SERVERLESS_COMPUTE_ID`, or the default profile of
/// `~/.databrickscfg`, names compute there. Without that, the local engine, which evenhand's own
/// kernel starts with the first session, and which forgets its tables when the kernel ends.
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until a session is made"]
pub struct SessionBuilder {
    remote: Option<String>,
    profile: Option<String>,
    compute: Option<Compute>,
    settings: Vec<(String, String)>,
    allow_http: bool,
    /// Whatever the settings name.
    is_local: bool,
}

impl Session {
    /// How to begin a session.
    pub fn builder() -> SessionBuilder {
        SessionBuilder::default()
    }
}

impl SessionBuilder {
    /// A session on the local engine, whatever the settings name.
    pub(super) fn on_local_engine() -> Self {
        Self {
            is_local: true,
            ..Self::default()
        }
    }

    /// Sets the server's address: `sc://HOST:PORT/;NAME=VALUE;..`, such as `sc://localhost:15002` or
    /// `sc://HOST:443/;use_ssl=true;token=..;x-databricks-cluster-id=..`.
    ///
    /// The parameters are `use_ssl`, `token`, `user_id` and `session_id`. All others are sent as
    /// headers. A connection to another machine is encrypted with TLS, and a token is sent to no
    /// other machine without it.
    ///
    /// A master on this machine, such as `local[*]`, asks for Apache Spark instead of Sail.
    /// evenhand's own kernel installs and starts it, and it needs Java 17.
    ///
    /// # Default
    /// `SPARK_REMOTE`; else the cluster or serverless compute that the settings of Databricks name; else
    /// the local engine.
    pub fn remote(mut self, address: impl Into<String>) -> Self {
        self.remote = Some(address.into());
        self
    }

    /// A session on this cluster of Databricks, which is started if it is not running.
    ///
    /// The workspace and the identity are those of `DATABRICKS_HOST` with `DATABRICKS_TOKEN`, or with
    /// `DATABRICKS_CLIENT_ID` and `DATABRICKS_CLIENT_SECRET`, or else those of a
    /// [`profile`](Self::profile). With a host of Azure alone, the identity is that of
    /// [`Client`](crate::Client): a service principal, the machine's, or that of `az login`.
    ///
    /// # Default
    /// `DATABRICKS_CLUSTER_ID`.
    pub fn cluster(mut self, id: impl Into<String>) -> Self {
        self.compute = Some(Compute::Cluster(id.into()));
        self
    }

    /// A session on serverless compute of Databricks. The workspace and the identity are those of
    /// [`cluster`](Self::cluster).
    ///
    /// # Default
    /// `DATABRICKS_SERVERLESS_COMPUTE_ID`.
    pub fn serverless(mut self) -> Self {
        self.compute = Some(Compute::Serverless);
        self
    }

    /// The profile of `~/.databrickscfg` that names the workspace of Databricks and the identity.
    ///
    /// # Default
    /// `DATABRICKS_CONFIG_PROFILE`; else the environment's `DATABRICKS_HOST`; else the file's default.
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// Sets a setting of the session, such as `spark.sql.session.timeZone`.
    ///
    /// # Default
    /// The server's own.
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
    /// The address is malformed or unsafe; the server can't be reached, is not a Spark Connect server,
    /// or refuses the session; there is neither an address nor a local engine.
    pub fn get_or_create(self) -> Result<Session> {
        runtime::wait(self.get_or_create_async())
    }

    /// The same as [`get_or_create`](Self::get_or_create) for async code.
    ///
    /// # Errors
    /// As [`get_or_create`](Self::get_or_create).
    pub fn get_or_create_async(self) -> impl Future<Output = Result<Session>> + Send + use<> {
        runtime::run(self.begin(true))
    }

    /// A new session, even if there is one: with its own temporary views and settings.
    ///
    /// # Errors
    /// As [`get_or_create`](Self::get_or_create).
    pub fn create(self) -> Result<Session> {
        runtime::wait(self.create_async())
    }

    /// The same as [`create`](Self::create) for async code.
    ///
    /// # Errors
    /// As [`get_or_create`](Self::get_or_create).
    pub fn create_async(self) -> impl Future<Output = Result<Session>> + Send + use<> {
        runtime::run(self.begin(false))
    }

    async fn begin(mut self, may_be_active: bool) -> Result<Session> {
        let target = self.target()?;
        let address = match &target {
            Target::Server(place) => place.address.clone(),
            Target::Databricks(target) => target.address(),
        };
        if may_be_active && let Some(active) = Connected::active(&address) {
            if let Target::Databricks(target) = &target {
                target.wake().await?;
            }
            if !self.settings.is_empty() {
                active.configure(self.settings).await?;
            }
            return Ok(Session::from_connected(active));
        }
        let session = match target {
            Target::Databricks(target) => target.connect(self.settings).await?,
            Target::Server(place) => {
                if let Some(tables) = place.tables {
                    self.settings.insert(0, (TABLES.to_owned(), tables));
                }
                let remote = Remote::parse(&address, self.allow_http || allows_http()?)?;
                let channel = Channel::new(&remote, connect_time(&remote))?;
                let user = remote.user_id.unwrap_or_else(|| "evenhand".to_owned());
                let id = remote.session_id.unwrap_or_else(uuid::random);
                let session = Connected::new(channel, user, id, address);
                session.greet(self.settings).await?;
                session
            }
        };
        session.activate();
        Ok(Session::from_connected(session))
    }

    fn target(&self) -> Result<Target> {
        if self.is_local {
            let place = runtime::run_caller_code(|| engine::place(None))?;
            return Ok(Target::Server(place));
        }
        let asks_for_databricks = self.profile.is_some() || self.compute.is_some();
        let named = match &self.remote {
            Some(address) => Some(address.clone()),
            None if asks_for_databricks => None,
            None => settings::variable(Path::new(""), REMOTE_VARIABLE)?,
        };
        let named = named.map(|address| address.trim().to_owned());
        if let Some(address) = named.clone().filter(|address| !is_local_master(address)) {
            let tables = None;
            return Ok(Target::Server(Place { address, tables }));
        }
        if named.is_none()
            && let Some(target) = workspace::target(self.profile.as_deref(), self.compute.as_ref())?
        {
            return Ok(Target::Databricks(target));
        }
        // It blocks until the engine answers, which may have to be installed first.
        let place = runtime::run_caller_code(|| engine::place(named.as_deref()))?;
        Ok(Target::Server(place))
    }
}

/// Where a session is to be.
enum Target {
    Server(Place),
    Databricks(workspace::Target),
}

impl fmt::Debug for SessionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a token, and a setting a key.
        let names: Vec<_> = self.settings.iter().map(|(name, _)| name).collect();
        f.debug_struct("SessionBuilder")
            .field("has_remote", &self.remote.is_some())
            .field("profile", &self.profile)
            .field("compute", &self.compute)
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
