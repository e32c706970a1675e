//! The practice cloud: Microsoft Entra's tokens, Azure Resource Manager, Azure OpenAI and a Databricks
//! workspace on this machine, for whoever has no subscription or wants to break one. Nothing costs anything.
//!
//! `cloud` decides what is answered, `server` listens, and `file` keeps what there is in the home. Prompts are
//! answered by the local model, by the same code as for `evenhand serve`. Its clusters run nothing: Spark
//! sessions use the local engine. `lab`, `run` and `cloud` start it with `--practice`, or join the one that runs.

pub(crate) mod cloud;
mod file;
mod server;

use std::net::SocketAddr;

use self::cloud::SUBSCRIPTION;
pub(crate) use self::cloud::{Fault, Identity};
pub(crate) use self::file::DEFAULT_PORT;
use self::file::{Holder, StateFile};
use self::server::Server;
use crate::error::Result;
use crate::local_model::listen;
use crate::paths::home::Home;

/// How the practice cloud behaves.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Behavior {
    /// What goes wrong (repeatable); the names are listed below
    #[arg(long = "fault", value_name = "NAME", value_parser = parse_fault)]
    pub(crate) faults: Vec<Fault>,
    /// For how many deployments of the lab each region has quota [default: a hundred]
    #[arg(long, value_name = "N")]
    pub(crate) room: Option<u64>,
    /// How many milliseconds a minute of the real services takes
    #[arg(long, value_name = "MS", default_value_t = 200)]
    pub(crate) minute: u64,
}

impl Default for Behavior {
    fn default() -> Self {
        Self {
            faults: Vec::new(),
            room: None,
            minute: 200,
        }
    }
}

/// Which cloud a command works in.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(crate) struct Place {
    /// Use the practice cloud on this machine, which needs no subscription and costs nothing; at this port, if
    /// it does not run already
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true,
        default_missing_value = DEFAULT)]
    pub(crate) practice: Option<u16>,
}

/// `DEFAULT_PORT` as text.
const DEFAULT: &str = "8090";
const _: () = assert!(DEFAULT_PORT == 8090);

/// What a command says when it begins to work in the practice cloud.
pub(crate) const NOTICE: &str = "this is practice: nothing is real, and nothing costs anything";

fn parse_fault(name: &str) -> std::result::Result<Fault, String> {
    Fault::named(name).ok_or_else(|| format!("expected one of {}", names().join(", ")))
}

fn names() -> Vec<&'static str> {
    Fault::ALL.iter().map(|(_, name, _)| *name).collect()
}

/// The faults, for `--help`.
pub(crate) fn list_of_faults() -> String {
    let lines = Fault::ALL
        .iter()
        .map(|(_, name, words)| format!("  {name:<16}{words}"));
    format!("Faults:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// The practice cloud: started here, or running in another process.
pub(crate) enum Practice {
    Here(Server),
    Elsewhere { origin: String, identity: Identity },
}

impl Practice {
    /// Takes the practice cloud of this home that runs already, or else starts it, with the model if one is
    /// given.
    pub(crate) fn open(home: &Home, port: u16, model: Option<&Home>) -> Result<Self> {
        match StateFile::hold(home, false)? {
            Holder::Here(file) => {
                let place = listen(address(port)).map_err(|failure| {
                    failure.hint("`--practice=0` takes any free port; `--practice=PORT` this one")
                })?;
                let behavior = Behavior::default();
                let server = Server::start(*file, place, &behavior, model.cloned())?;
                Ok(Self::Here(server))
            }
            Holder::Elsewhere { origin, identity } => Ok(Self::Elsewhere { origin, identity }),
        }
    }

    /// Starts the practice cloud, with the model if there is a home that has it.
    pub(crate) fn start(
        home: &Home,
        port: u16,
        behavior: &Behavior,
        with_model: bool,
        is_new: bool,
    ) -> Result<Self> {
        let file = StateFile::alone(home, is_new)?;
        let model = with_model.then(|| home.clone());
        let server = Server::start(file, listen(address(port))?, behavior, model)?;
        Ok(Self::Here(server))
    }

    /// Where it answers.
    pub(crate) fn origin(&self) -> &str {
        match self {
            Self::Here(server) => server.origin(),
            Self::Elsewhere { origin, .. } => origin,
        }
    }

    /// How many things there were in it at its start, if it was started here.
    pub(crate) fn found(&self) -> usize {
        match self {
            Self::Here(server) => server.found(),
            Self::Elsewhere { .. } => 0,
        }
    }

    /// The variables with which the clients of Azure and Databricks, and evenhand, mean this cloud.
    pub(crate) fn variables(&self) -> [(&'static str, String); 8] {
        let identity = match self {
            Self::Here(server) => server.identity(),
            Self::Elsewhere { identity, .. } => identity,
        };
        let origin = self.origin().to_owned();
        [
            ("AZURE_RESOURCE_MANAGER_URL", origin.clone()),
            ("AZURE_AUTHORITY_HOST", origin.clone()),
            ("AZURE_TENANT_ID", "practice".to_owned()),
            ("AZURE_CLIENT_ID", "practice".to_owned()),
            ("AZURE_CLIENT_SECRET", identity.client_secret.clone()),
            ("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION.to_owned()),
            ("DATABRICKS_HOST", origin),
            ("DATABRICKS_TOKEN", identity.workspace_token.clone()),
        ]
    }
}

/// Only this machine can reach it.
fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}
