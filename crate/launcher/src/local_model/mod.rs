//! A small but real model behind Azure OpenAI's protocol, on this machine.
//!
//! So notebooks have one code path, whether they use Azure or this model. The engine is
//! llama.cpp's server (`engine`). A front end (`http_server`) checks requests (`request`), charges a
//! quota if there is one (`quota`), passes requests on (`forward`) and answers in Azure's format
//! (`response`, `api_error`). `data_plane` puts many deployments in front of one engine, for the practice cloud. `weights` says which model it is. `key` and `host` decide which requests are accepted, and
//! `connections` limits their number and time.

mod api_error;
pub(crate) mod connections;
pub(crate) mod data_plane;
mod engine;
mod forward;
pub(crate) mod host;
pub(crate) mod http_server;
pub(crate) mod key;
pub(crate) mod like;
mod messages;
mod quota;
mod request;
mod response;
mod response_format;
pub(crate) mod weights;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use self::engine::Engine;
use self::http_server::FrontEnd;
use self::key::Key;
pub(crate) use self::like::Like;
pub(crate) use self::quota::Limits;
use self::quota::Quota;
use crate::error::{Context, Failure, Result};
use crate::paths::home::Home;
use crate::supervise::block_on;

/// The API version to use in settings: the last dated one.
pub(crate) const API_VERSION: &str = "2024-10-21";

/// How the local model behaves, like a deployment in Azure: its quota, and the model it imitates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct ModelBehavior {
    /// The local model's quota in tokens per minute [default: no limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) tpm: Option<u64>,
    /// Its quota in requests per minute [default: 6 for every 1,000 tokens per minute]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rpm: Option<u64>,
    /// The deployment whose words and limits the local model takes on, such as gpt-5-mini; `list`
    /// shows all. The text stays its own
    #[arg(long, value_name = "MODEL", value_parser = like::parse)]
    pub(crate) like: Option<Like>,
}

impl ModelBehavior {
    /// The deployment that the local model imitates.
    pub(crate) fn deployment(self) -> Option<&'static like::Deployment> {
        match self.like {
            Some(Like::Deployment(deployment)) => Some(deployment),
            _ => None,
        }
    }
}

/// How the local model is served.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// The port to listen on; 0 chooses any free port
    #[arg(long, default_value_t = 8089)]
    pub(crate) port: u16,
    /// The address to listen on; any but a loopback address can be reached from the network
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(crate) host: IpAddr,
    #[command(flatten)]
    pub(crate) behavior: ModelBehavior,
    /// The key that clients must send; all users of this machine can see it on the command line
    /// [default: EVENHAND_SERVE_KEY, or a new one at each start]
    #[arg(long, value_name = "KEY", conflicts_with = "key_file")]
    pub(crate) key: Option<String>,
    /// A file whose first line is the key
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// The only deployment names that exist (repeatable) [default: any name]
    #[arg(long = "deployment", value_name = "NAME")]
    pub(crate) deployments: Vec<String>,
    /// The number of threads for the model; more threads than idle cores make it slower
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) threads: u32,
}

impl Default for Options {
    /// The options for the launcher's own notebooks: any free port, no quota.
    fn default() -> Self {
        Self {
            port: 0,
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            behavior: ModelBehavior::default(),
            key: None,
            key_file: None,
            deployments: Vec::new(),
            threads: 1,
        }
    }
}

/// The running local model. Dropping it stops the server.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    key: Key,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts the engine and the front end, and returns when both answer. The address is bound
    /// before `prepare`, which makes sure that the model is installed, so that an address in use is
    /// reported at once.
    pub(crate) fn start(
        options: Options,
        home: &Home,
        prepare: impl FnOnce() -> Result<()>,
    ) -> Result<Self> {
        let key = Key::choose(options.key.as_deref(), options.key_file.as_deref())?;
        let (listener, address) = listen(SocketAddr::new(options.host, options.port))?;
        prepare()?;
        let asked = Asked {
            key: key.clone(),
            address,
        };
        let home = home.clone();
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = mpsc::sync_channel(1);
        // A separate thread and runtime, since the caller may or may not run in one.
        let thread = std::thread::Builder::new()
            .name("evenhand-serve".to_owned())
            .spawn(move || {
                let served = block_on(serve(options, asked, listener, &home, &ready, stopped));
                if let Err(failure) = served {
                    let _ = ready.send(Err(failure));
                }
            })
            .with_context(|| "could not start a thread for the local model".to_owned())?;
        started
            .recv()
            .with_context(|| "the local model's thread ended".to_owned())??;
        Ok(Self {
            address,
            key,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The endpoint, for `AZURE_OPENAI_ENDPOINT`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The key, for `AZURE_OPENAI_API_KEY`.
    pub(crate) fn key(&self) -> &str {
        self.key.expose()
    }

    /// The key in shell syntax, or an expression for a key that the user keeps elsewhere.
    pub(crate) fn key_in_shell(&self) -> String {
        self.key.in_shell()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when the thread has ended already.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The address and the key of the server.
#[derive(Debug)]
struct Asked {
    key: Key,
    address: SocketAddr,
}

/// Starts the server, reports when it is ready, and runs it until it is told to stop.
async fn serve(
    options: Options,
    asked: Asked,
    listener: std::net::TcpListener,
    home: &Home,
    ready: &mpsc::SyncSender<Result<()>>,
    stopped: oneshot::Receiver<()>,
) -> Result<()> {
    let listener = TcpListener::from_std(listener)
        .with_context(|| "could not listen for requests".to_owned())?;
    let http =
        http_server::http_client().with_context(|| "could not make an HTTP client".to_owned())?;
    let (engine, supervision) = Engine::start(home, options.threads).await?;
    let limits = Limits::new(options.behavior.tpm, options.behavior.rpm);
    let router = http_server::router(Arc::new(FrontEnd {
        key: asked.key,
        address: asked.address,
        deployments: options.deployments,
        like: options.behavior.deployment(),
        limits,
        quota: Mutex::new(Quota::new(limits)),
        started: Instant::now(),
        engine: Arc::new(engine),
        http,
    }));
    let _ = ready.send(Ok(()));
    tokio::select! {
        () = connections::serve(listener, router, connections::Bounds::default()) => {}
        _ = stopped => {}
    }
    supervision.stop().await;
    Ok(())
}

/// Listens on this address, or says why not.
pub(crate) fn listen(wanted: SocketAddr) -> Result<(std::net::TcpListener, SocketAddr)> {
    let bind = || {
        let listener = std::net::TcpListener::bind(wanted)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    bind().map_err(|error: std::io::Error| {
        let taken = error.kind() == std::io::ErrorKind::AddrInUse;
        let failure = Failure::new(format!("could not listen on {wanted}")).because(error);
        match taken {
            true => failure.hint("another program uses the port: choose another one with --port, or any free one with --port 0"),
            false => failure.hint("choose another address with --host or another port with --port"),
        }
    })
}
