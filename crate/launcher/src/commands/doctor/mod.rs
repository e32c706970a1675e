//! `evenhand doctor`: checks what is installed, what is missing, and how to fix it.

mod measure;

use std::process::ExitCode;

use evenhand::openai::RateLimits;
use evenhand::text::sanitize_line;
use evenhand::{ChatRequest, Client, Settings};

use crate::commands::provider::tell_once;
use crate::error::{Failure, Result};
use crate::local_model::weights;
use crate::paths::checkout::Checkout;
use crate::paths::evcxr;
use crate::paths::home::Home;
use crate::paths::toolchain;
use crate::paths::warm_build;
use crate::setup;
use crate::terminal::out;

/// The options of `evenhand doctor`.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Measure how fast the kernel starts and answers, compared with evcxr without the wrapper
    #[arg(long)]
    kernel: bool,
}

/// The length limit for showing the name that a service gives its model.
const MAX_NAME: usize = 100;

/// The result of one check.
enum Finding {
    Good(String),
    /// Not there yet; `cargo run` installs it.
    Missing(String),
    Bad(Failure),
}

/// Prints the findings, and fails if one is bad.
pub fn run(options: &Options, project: &Checkout, home: &Home) -> Result<ExitCode> {
    if options.kernel {
        return measure::run(project, home).map(|()| ExitCode::SUCCESS);
    }
    out!("evenhand's folder: {}", home.root().display());
    let mut healthy = true;
    for finding in parts(project, home).into_iter().chain(service(project)) {
        healthy &= !matches!(finding, Finding::Bad(_));
        print_finding(&finding);
    }
    Ok(if healthy {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn print_finding(finding: &Finding) {
    match finding {
        Finding::Good(what) => out!("✓ {what}"),
        Finding::Missing(what) => out!("· {what}: not there yet, `cargo run` installs it"),
        Finding::Bad(failure) => out!("✗ {failure}"),
    }
}

/// Checks what the launcher needs and creates on this machine.
fn parts(project: &Checkout, home: &Home) -> Vec<Finding> {
    let there = |what: String, there: bool| {
        if there {
            Finding::Good(what)
        } else {
            Finding::Missing(what)
        }
    };
    let home_is_ours = home.state().err().map(Finding::Bad);
    let parts = vec![
        checked(toolchain::find()),
        checked(setup::python()),
        there(
            "Python environment with JupyterLab".to_owned(),
            home.python().exists(),
        ),
        match evcxr::kernel_program(home) {
            Some(program) => Finding::Good(format!("Rust kernel {}", program.display())),
            None => Finding::Missing("Rust kernel".to_owned()),
        },
        match warm_build::find(project, home) {
            Ok(warm) => there(
                "compiled dependencies of notebooks".to_owned(),
                warm.is_some(),
            ),
            Err(failure) => Finding::Bad(failure),
        },
        there("local model".to_owned(), weights::path(home).exists()),
        Finding::Good(match home.spark_stamp().exists() {
            true => "local Spark engine".to_owned(),
            false => "local Spark engine: the first Spark session installs it".to_owned(),
        }),
        Finding::Good(match home.apache_spark_stamp().exists() {
            true => "Apache Spark".to_owned(),
            false => {
                "Apache Spark: SPARK_REMOTE=local[*] installs it, and needs Java 17".to_owned()
            }
        }),
    ];
    home_is_ours.into_iter().chain(parts).collect()
}

fn checked(found: Result<String>) -> Finding {
    found.map_or_else(Finding::Bad, Finding::Good)
}

/// Checks whether a service or model answers the notebooks.
fn service(project: &Checkout) -> Vec<Finding> {
    let settings = match Settings::from_env_in(&project.notebooks()) {
        Ok(settings) => settings,
        Err(error) => return vec![Finding::Bad(error.into())],
    };
    tell_once(&settings);
    if !settings.names_a_service() {
        return vec![Finding::Good(
            "no Azure settings: the local model will answer".to_owned(),
        )];
    }
    let asked = Client::new(settings).and_then(|client| {
        let host = client.host().to_owned();
        // Older models accept the first limit, newer ones the second.
        let question = || ChatRequest::from("Say yes.");
        client
            .complete(question().max_tokens(16))
            .or_else(|_| client.complete(question().max_completion_tokens(16)))
            .map(|answer| (host, answer))
    });
    match asked {
        Err(error) => vec![Finding::Bad(error.into())],
        Ok((host, answer)) => {
            let model = sanitize_line(&answer.model, MAX_NAME);
            let model = Finding::Good(format!("{host} answers, with the model {model}"));
            vec![model, quota(answer.rate_limits())]
        }
    }
}

fn quota(limits: &RateLimits) -> Finding {
    let per_minute =
        |limit: Option<u64>, unit: &str| limit.map(|limit| format!("{limit} {unit} a minute"));
    let limits: Vec<_> = [
        per_minute(limits.limit_tokens, "tokens"),
        per_minute(limits.limit_requests, "requests"),
    ]
    .into_iter()
    .flatten()
    .collect();
    Finding::Good(match limits.is_empty() {
        true => "it reports no quota".to_owned(),
        false => format!("its quota: {}", limits.join(", ")),
    })
}
