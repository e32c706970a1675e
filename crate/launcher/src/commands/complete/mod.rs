//! `evenhand complete`: reads requests and writes answers as lines of JSON, in the same order.
//! This is the batch engine for a shell, a cron job or a cluster's executor.

pub(super) mod bar;
mod hints;
mod input;
mod money;

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use evenhand::batch::Requests;
use evenhand::{Batch, CancelHandle, Client, ErrorKind, Quota, Settings, Totals};
use tokio::signal::unix::{SignalKind, signal};

use self::bar::Bar;
use self::hints::Hints;
use self::input::Names;
use self::money::Money;
use crate::commands::provider::tell_once;
use crate::error::{Context, Failure, Result};
use crate::terminal::err;

/// The exit code if some rows failed.
const SOME_FAILED: u8 = 3;
/// The exit code if it was stopped, or the deadline or the budget ended it, before all lines were
/// read and all rows were finished.
const ENDED_EARLY: u8 = 4;

/// How requests are sent.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
#[command(group = clap::ArgGroup::new("quota").args(["tpm", "rpm"]).multiple(true))]
pub(crate) struct Options {
    /// The deployment for requests that name no model [default: AZURE_OPENAI_DEPLOYMENT]
    #[arg(long, value_name = "NAME")]
    deployment: Option<String>,
    /// The system message for requests that have none
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,
    /// The maximum length of an answer, in tokens, for requests that don't set one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_tokens: Option<u32>,
    /// The tokens that a reasoning model may spend on thinking, in addition to the answer
    /// [default: as many as it is known to need]
    #[arg(long, value_name = "N")]
    thinking_allowance: Option<u32>,
    /// The sampling temperature, from 0 to 2, for requests that don't set one
    #[arg(long, value_name = "T")]
    temperature: Option<f64>,
    /// The maximum number of requests in flight at once [default: 8]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    concurrency: Option<usize>,
    /// The deployment's tokens per minute [default: AZURE_OPENAI_TPM, or as its answers report]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    tpm: Option<u64>,
    /// The deployment's requests per minute [default: 6 for every 1,000 tokens per minute]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    rpm: Option<u64>,
    /// A file through which several processes on this machine share the quota
    #[arg(long, value_name = "FILE", requires = "quota")]
    shared_quota: Option<PathBuf>,
    /// How often a request is retried after a transient failure. A rejection because of the quota does
    /// not count: the request waits and is sent again, up to ten times [default: 2]
    #[arg(long, value_name = "N")]
    retries: Option<u32>,
    /// The file that keeps all answers; requests that it already answers are not sent again
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Send requests again even if the journal answers them
    #[arg(long, requires = "journal")]
    fresh: bool,
    /// Stop after this time, such as 90s, 10m or 2h
    #[arg(long, value_name = "TIME", value_parser = time)]
    deadline: Option<Duration>,
    #[command(flatten)]
    money: Money,
    /// Show no progress, except for the first wait of more than ten seconds
    #[arg(long, short)]
    quiet: bool,
}

const AFTER_HELP: &str = "\
A line of the input is a request of the Azure OpenAI Batch API,
  {\"custom_id\": \"1\", \"method\": \"POST\", \"url\": \"/chat/completions\", \"body\": {\"messages\": [...]}}
or {\"prompt\": \"Describe a nurse.\"} with an optional \"system\" and \"custom_id\", or a JSON string.
Each line that is read gets one line of output, in the Batch API's output format.

Exit code: 0 all rows were answered; 1 nothing could be sent, or the rows or the journal could not
be written; 2 invalid options; 3 some rows failed; 4 it was stopped, or the deadline or the budget
ended it, before all lines were read and all rows were finished.

Example:
  printf '\"Describe a nurse.\"\\n\"Describe a doctor.\"\\n' | evenhand complete --max-tokens 60";

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a whole number of at least 1".to_owned()),
        Ok(number) => Ok(number),
    }
}

fn time(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.find(|c: char| !(c.is_ascii_digit() || c == '.')) {
        Some(place) => text.split_at(place),
        None => (text, "s"),
    };
    let seconds = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err("expected a number with s, m or h, such as 10m".to_owned()),
    };
    let number: f64 = number.parse().map_err(|_| "the number is missing")?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| "that is too long".to_owned())
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let mut settings = Settings::from_env()?;
    tell_once(&settings);
    if options.deployment.is_some() {
        settings.deployment.clone_from(&options.deployment);
    }
    let client = Client::new(settings)?;
    if let Some(price) = options.money.estimated_at() {
        let system = options.system.clone();
        let apply = |batch| options.apply(batch);
        money::estimate(&client, apply, io::stdin(), system, price, options.quiet)?;
        return Ok(ExitCode::SUCCESS);
    }
    let stop = CancelHandle::new();
    stop_on_signals(stop.clone())?;
    let bar = Bar::new(options.quiet);
    let input_is_over = Arc::new(AtomicBool::new(false));
    let system = options.system.clone();
    let names = Names::default();
    let is_over = Arc::clone(&input_is_over);
    let requests = input::requests(std::io::stdin(), system, is_over, names.clone());
    let batch = options
        .apply(client.batch_requests(requests))
        .cancel_with(&stop);
    let batch = batch.on_progress(bar.listener());
    // Standard output is flushed after each line: another program may be waiting for it.
    let mut out = std::io::stdout();
    let mut hints = Hints::default();
    let totals = batch.for_each(|mut row| {
        if row.custom_id.is_empty() {
            row.custom_id = names.next();
        }
        hints.add(&row);
        row.write_json(&mut out)
    });
    bar.clear();
    let totals = match totals {
        Ok(totals) => totals,
        // The reader of the output has closed it, as `head` does.
        Err(error) if is_broken_pipe(&error) => return Ok(ExitCode::from(ENDED_EARLY)),
        Err(error) if error.kind() == ErrorKind::Cancelled => {
            return Err(Failure::from(error).exit_with(ENDED_EARLY));
        }
        Err(error) => return Err(error.into()),
    };
    if !options.quiet {
        let profile = client.deployment_profile();
        if let Some((profile, name)) = profile.as_ref().zip(client.deployment()) {
            err!("{name} {profile}");
        }
        totals.notes.iter().for_each(|note| err!("{note}"));
        hints.to_lines().for_each(|hint| err!("{hint}"));
        err!("{totals}");
    }
    Ok(exit_code(&totals, input_is_over.load(Ordering::Relaxed)))
}

impl Options {
    fn apply(&self, mut batch: Batch<Requests>) -> Batch<Requests> {
        if let Some(name) = &self.deployment {
            batch = batch.deployment(name);
        }
        if let Some(tokens) = self.max_tokens {
            batch = batch.max_tokens(tokens);
        }
        if let Some(tokens) = self.thinking_allowance {
            batch = batch.thinking_allowance(tokens);
        }
        if let Some(temperature) = self.temperature {
            batch = batch.temperature(temperature);
        }
        if let Some(requests) = self.concurrency {
            batch = batch.concurrency(requests);
        }
        if let Some(quota) = self.quota() {
            batch = batch.quota(quota);
        }
        if let Some(retries) = self.retries {
            batch = batch.max_retries(retries);
        }
        if let Some(file) = &self.journal {
            batch = batch.journal(file);
        }
        if let Some(time) = self.deadline {
            batch = batch.deadline(time);
        }
        batch = self.money.apply(batch);
        if self.fresh { batch.fresh() } else { batch }
    }

    fn quota(&self) -> Option<Quota> {
        let quota = match (self.tpm, self.rpm) {
            (Some(tokens), None) => Quota::tpm(tokens),
            (Some(tokens), Some(requests)) => Quota::tpm(tokens).with_rpm(requests),
            (None, Some(requests)) => Quota::rpm(requests),
            (None, None) => return None,
        };
        Some(match &self.shared_quota {
            Some(file) => quota.shared(file),
            None => quota,
        })
    }
}

fn is_broken_pipe(error: &evenhand::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref());
    cause.is_some_and(|cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe)
}

fn exit_code(totals: &Totals, input_is_over: bool) -> ExitCode {
    if totals.cancelled > 0 || !input_is_over {
        ExitCode::from(ENDED_EARLY)
    } else if totals.failed > 0 {
        ExitCode::from(SOME_FAILED)
    } else {
        ExitCode::SUCCESS
    }
}

/// The first Ctrl-C or SIGTERM lets requests in flight finish; the second ends the process.
pub(super) fn stop_on_signals(stop: CancelHandle) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .with_context(|| "could not listen for signals".to_owned())?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            let signals = (
                signal(SignalKind::interrupt()),
                signal(SignalKind::terminate()),
            );
            let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
                return;
            };
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if stop.is_cancelled() {
                    std::process::exit(130);
                }
                stop.cancel();
            }
        });
    });
    Ok(())
}
