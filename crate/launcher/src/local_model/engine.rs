//! The engine: llama.cpp's server in a Python process, which is supervised and restarted when it
//! dies.
//!
//! The front end decides which requests are answered and how. The engine listens on a random port
//! of the loopback interface, with a key that only the front end knows.

use std::collections::hash_map::RandomState;
use std::fs::{File, OpenOptions};
use std::hash::BuildHasher;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::api_error::ApiError;
use super::weights::{self, NAME};
use crate::error::{Context, Failure, Result};
use crate::paths::home::{Home, private};
use crate::terminal::err;
use crate::tool;

const SCRIPT: &str = include_str!("engine.py");

/// How many requests are answered in parallel. Measured on one thread: under load, eight are 10 %
/// faster than four, but a single request is slower, and they need 200 MB more memory.
const SLOTS: u32 = 4;

/// The number of tokens of prompt and answer together, for each slot.
const CONTEXT: u32 = 2048;

/// How long the model may take to load. It takes half a second, but longer on a busy laptop.
const LOADING: Duration = Duration::from_secs(120);

/// The size from which the engine's log is truncated at a start.
const MAX_LOG: u64 = 1 << 20;

/// The number of deaths in a row after which the engine is not restarted.
const MAX_DEATHS: u32 = 5;

/// After this time, a death is not counted as one in a row.
const SETTLED: Duration = Duration::from_secs(60);

/// A running engine, as its clients see it.
#[derive(Debug)]
pub(crate) struct Engine {
    key: String,
    state: watch::Receiver<State>,
}

/// The task that supervises the engine's process.
#[derive(Debug)]
pub(crate) struct Supervision {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

#[derive(Clone, Debug)]
enum State {
    Ready { address: String },
    Restarting,
    Stopped { why: String },
}

impl Engine {
    /// Starts the engine and waits until the model is loaded.
    pub(crate) async fn start(home: &Home, threads: u32) -> Result<(Self, Supervision)> {
        let launch = Launch::new(home, threads)?;
        let running = launch.start().await?;
        let (set_state, state) = watch::channel(State::Ready {
            address: running.address.clone(),
        });
        let (stop, stopped) = oneshot::channel();
        let key = launch.key.clone();
        let task = tokio::spawn(watch_over(launch, running, set_state, stopped));
        Ok((Self { key, state }, Supervision { stop, task }))
    }

    /// The engine's address, or what to answer while it is down.
    pub(crate) fn address(&self) -> Result<String, ApiError> {
        match &*self.state.borrow() {
            State::Ready { address } => Ok(address.clone()),
            State::Restarting => Err(ApiError::engine(
                "The local model stopped and is being restarted.",
                Some(Duration::from_secs(1)),
            )),
            State::Stopped { why } => Err(ApiError::engine(
                format!("The local model stopped and could not be restarted: {why}"),
                None,
            )),
        }
    }

    /// An engine that never answers.
    pub(crate) fn absent(why: &str) -> Self {
        let why = why.to_owned();
        Self {
            key: String::new(),
            state: watch::channel(State::Stopped { why }).1,
        }
    }

    /// The key that the engine requires.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }
}

impl Supervision {
    /// Ends the process and waits until it is gone.
    pub(crate) async fn stop(self) {
        // Both fail only when the task has ended already.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

/// A number that nobody can guess: the standard library's hash keys come from the
/// operating system.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(Instant::now())
}

async fn watch_over(
    launch: Launch,
    mut running: Running,
    state: watch::Sender<State>,
    mut stop: oneshot::Receiver<()>,
) {
    let mut deaths = 0;
    loop {
        let since = Instant::now();
        let ended = tokio::select! {
            ended = running.child.wait() => ended,
            // An error means that the engine's owner is gone, which also means to stop.
            _ = &mut stop => return running.end().await,
        };
        state.send_replace(State::Restarting);
        let why = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
        deaths = if since.elapsed() > SETTLED {
            1
        } else {
            deaths + 1
        };
        running = loop {
            if deaths > MAX_DEATHS {
                err!(
                    "the local model stopped ({why}) too many times; see {}",
                    launch.log.display()
                );
                state.send_replace(State::Stopped { why });
                return;
            }
            err!("the local model stopped ({why}); restarting it");
            let pause = Duration::from_millis(250) * 2u32.pow(deaths - 1);
            let restart = async {
                sleep(pause).await;
                launch.start().await
            };
            let restarted = tokio::select! {
                restarted = restart => restarted,
                _ = &mut stop => return,
            };
            match restarted {
                Ok(running) => break running,
                Err(failure) => err!("{failure}"),
            }
            deaths += 1;
        };
        state.send_replace(State::Ready {
            address: running.address.clone(),
        });
    }
}

/// What is needed to start and restart the process.
#[derive(Debug)]
struct Launch {
    python: PathBuf,
    model: PathBuf,
    log: PathBuf,
    key: String,
    threads: u32,
}

/// A process whose model is loaded.
#[derive(Debug)]
struct Running {
    child: Child,
    /// The process ends when this is closed.
    stdin: ChildStdin,
    address: String,
}

impl Running {
    async fn end(self) {
        let Self {
            mut child, stdin, ..
        } = self;
        drop(stdin);
        if timeout(Duration::from_secs(2), child.wait()).await.is_err() {
            let _ = child.kill().await;
        }
    }
}

impl Launch {
    fn new(home: &Home, threads: u32) -> Result<Self> {
        for (path, what) in [
            (home.python(), "Python environment"),
            (weights::path(home), "model's file"),
        ] {
            if !path.is_file() {
                return Err(Failure::new(format!(
                    "the local model can't start: its {what} is missing at {}",
                    path.display()
                ))
                .hint("run `evenhand lab` once: it sets up what is missing"));
            }
        }
        let logs = home.logs();
        private::create_folder(&logs)
            .with_context(|| format!("could not make {}", logs.display()))?;
        let log = logs.join("engine.log");
        // Other servers on this machine may be writing to it too, so it is rarely truncated.
        if std::fs::metadata(&log).is_ok_and(|log| log.len() > MAX_LOG) {
            File::create(&log).with_context(|| format!("could not write {}", log.display()))?;
        }
        Ok(Self {
            python: home.python(),
            model: weights::path(home),
            log,
            key: format!("{:016x}{:016x}", random(), random()),
            threads: threads.max(1),
        })
    }

    async fn start(&self) -> Result<Running> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.log)
            .with_context(|| format!("could not write {}", self.log.display()))?;
        let before = log.metadata().map_or(0, |log| log.len());
        let mut command = Command::from(tool::python(&self.python));
        command
            .args(["-c", SCRIPT])
            // It has a key of its own.
            .env_remove(super::key::VARIABLE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true);
        // Ctrl-C in the terminal is meant for the launcher, which then ends the engine.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().with_context(|| {
            format!(
                "could not start the local model with {}",
                self.python.display()
            )
        })?;
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Failure::new(
                "the local model's process has no standard input or output",
            ));
        };
        let settings = json!({
            "model": self.model,
            "label": NAME,
            "key": self.key,
            "threads": self.threads,
            "slots": SLOTS,
            "context": CONTEXT,
        });
        // A process that died before reading is reported below, with its output.
        let _ = stdin.write_all(format!("{settings}\n").as_bytes()).await;

        let mut line = String::new();
        let mut stdout = BufReader::new(stdout.take(4096));
        let read = timeout(LOADING, stdout.read_line(&mut line)).await;
        match (read, serde_json::from_str(&line)) {
            (Ok(_), Ok(Loaded { address })) => Ok(Running {
                child,
                stdin,
                address,
            }),
            (Ok(_), Err(_)) => {
                let ended = timeout(Duration::from_secs(2), child.wait()).await;
                let how = match ended {
                    Ok(Ok(status)) => format!("it ended with {status}"),
                    _ => format!("it printed {line:?} where an address was expected"),
                };
                Err(self.failed(&how, before))
            }
            (Err(_), _) => {
                let how = format!("the model was not loaded after {} s", LOADING.as_secs());
                Err(self.failed(&how, before))
            }
        }
    }

    /// The failure to start, with the end of the process's output, which is what the log has
    /// grown by.
    fn failed(&self, how: &str, before: u64) -> Failure {
        let printed = tail(&self.log, before, 12);
        let _ = OpenOptions::new()
            .append(true)
            .open(&self.log)
            .and_then(|mut log| writeln!(log, "evenhand: {how}"));
        Failure::new(format!("the local model did not start: {how}\n{printed}")).hint(format!(
            "the whole output is in {}; `evenhand clean` and then `evenhand lab` reinstall it",
            self.log.display()
        ))
    }
}

/// What the process prints when it is ready.
#[derive(Deserialize)]
struct Loaded {
    address: String,
}

fn tail(path: &Path, from: u64, lines: usize) -> String {
    let log = std::fs::read(path).unwrap_or_default();
    let text = log
        .get(usize::try_from(from).unwrap_or(0)..)
        .unwrap_or(&log);
    let text = String::from_utf8_lossy(text);
    let all: Vec<_> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = all
        .get(all.len().saturating_sub(lines)..)
        .unwrap_or_default();
    last.iter()
        .map(|line| format!("  | {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}
