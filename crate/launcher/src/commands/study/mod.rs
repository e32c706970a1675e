//! `evenhand study`: runs a study that a file describes, writes its report, and exits by a rule: a
//! gate for a check without a reader, such as one in CI.
//!
//! - `settings` reads the file, with the help of `fields`, which names every field in its errors, and
//!   `json`, which refuses fields that occur twice.
//! - `files` decides where journal and report are, and writes the report.

mod fields;
mod files;
mod json;
mod settings;

use std::path::PathBuf;
use std::process::ExitCode;

use evenhand::fairness::gate::Decision;
use evenhand::{Batch, CancelHandle, Client, Settings};

use self::files::Files;
use self::settings::StudySettings;
use crate::commands::complete::bar::Bar;
use crate::commands::complete::stop_on_signals;
use crate::commands::provider::tell_once;
use crate::error::{Failure, Result};
use crate::terminal::{err, out};

/// The exit code if the options or the file are invalid.
const INVALID: u8 = 2;
/// The exit code if the report does not pass because of a difference.
const FAILED: u8 = 3;
/// The exit code if it was stopped before all rows were finished.
const ENDED_EARLY: u8 = 4;
/// The exit code if the report does not pass because a test can't tell.
const CANT_TELL: u8 = 5;

/// What to run, and where the results go.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// The file that describes the study (JSON)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The folder for the report [default: the folder of FILE]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The file that keeps all answers; what it answers is not asked again [default: NAME.journal.jsonl
    /// next to FILE]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Ask again even if the journal has the answer
    #[arg(long)]
    fresh: bool,
    /// Show no progress; only a first wait of more than ten seconds is told
    #[arg(long, short)]
    quiet: bool,
}

const AFTER_HELP: &str = "\
FILE is a JSON object. All fields but `occupations` have a default:
  occupations  a number (that many of the built-in ones), or a list of names
  templates    a list of prompts with {person}, or \"descriptions\" or \"stories\" (the built-in ones)
  groups       {\"neutral\": \"\", \"female\": \"female\", \"male\": \"male\"}: each with its adjective
  compared     [\"female\", \"male\"]: the first minus the second
  lexicon      [\"gender\", \"names\"], or the words of each group: {\"young\": [\"young\", \"youth\"], ..}
  measures     of \"sentiment\", \"positive sentiment\", \"negative sentiment\", \"length\", \"refusals\",
               \"other group\" (is the answer about another group than its prompt?),
               \"hate severity\", \"self-harm severity\", \"sexual severity\", \"violence severity\",
               \"highest severity\", \"protected material\" (these six by the service's content filter)
  margins      {\"length\": 5}: the largest difference of a test that does not matter
  samples, seed, temperature, max_tokens, system, mitigations (of \"neutral\", \"few_shot\",
               \"self_critique\"), deployment, quota {\"tpm\", \"rpm\"}, concurrency
  gate         {\"fail_on\": [\"differs\", \"cant_tell\"], \"tests\": [\"length\"]}; `fail_on` may also hold
               \"beyond_margin\", and without `tests` all tests count

It writes NAME.report.json (all numbers), NAME.report.txt (for people) and NAME.gate.json, which it
removes when it starts, so that a run without an outcome leaves none. If it is stopped, start it
again to continue: the journal keeps every answer.

Exit code: 0 the report passes; 1 the study could not be run or measured; 2 invalid options or FILE;
3 it does not pass: a test differs, or is beyond its margin; 4 it was stopped; 5 it does not pass: a
test can't tell.

Example:
  echo '{\"occupations\": 20, \"gate\": {\"fail_on\": [\"beyond_margin\"]}}' > fair.json
  evenhand study fair.json";

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let files = Files::from_paths(
        &options.file,
        options.out.as_deref(),
        options.journal.clone(),
    )?;
    files.forget_gate()?;
    let settings = StudySettings::read_file(&options.file)?;
    let service = Settings::from_env()?;
    tell_once(&service);
    let client = Client::new(service)?;
    if !options.quiet {
        err!("{}", settings.study);
    }
    let stop = CancelHandle::new();
    stop_on_signals(stop.clone())?;
    let bar = Bar::new(options.quiet);
    let answers = settings.study.run_with(&client, |batch| {
        let batch = settings.apply(batch).journal(&files.journal);
        let batch = if options.fresh { batch.fresh() } else { batch };
        batch.cancel_with(&stop).on_progress(bar.listener())
    });
    bar.clear();
    if stop.is_cancelled() {
        let message = "the study was stopped before all of its answers were there";
        return Err(Failure::new(message)
            .hint(format!(
                "start it again: {} keeps the answers that are there",
                files.journal.display()
            ))
            .exit_with(ENDED_EARLY));
    }
    let report = answers?.measure()?;
    let outcome = report.gate(&settings.gate)?;
    files.write(&report, &outcome)?;
    out!("{report}\n\n{outcome}");
    Ok(ExitCode::from(match outcome.decision {
        Decision::Passed => 0,
        Decision::Failed => FAILED,
        Decision::CantTell => CANT_TELL,
    }))
}

impl StudySettings {
    /// The batch with the settings that are about sending.
    fn apply(&self, mut batch: Batch) -> Batch {
        if let Some(name) = &self.deployment {
            batch = batch.deployment(name);
        }
        if let Some(requests) = self.concurrency {
            batch = batch.concurrency(requests);
        }
        match &self.quota {
            Some(quota) => batch.quota(quota.clone()),
            None => batch,
        }
    }
}
