//! `evenhand cloud`: makes what the lab needs in Azure, shows it, and removes it again.
//!
//! - `session`: who is signed in, to the real Azure or to the practice cloud.
//! - `ledger`: what was made, written down before it is made.
//! - `plan` says what will be made, `up` makes it, `status` shows it, `down` removes it.

mod down;
pub(super) mod ledger;
mod plan;
mod session;
mod status;
mod up;

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use evenhand::azure::{Region, SetupPlan};

use self::ledger::Ledger;
use self::session::Session;
use crate::error::{Failure, Result};
use crate::paths::home::Home;
use crate::practice::Place;
use crate::terminal::{err, out};

/// Makes what the lab needs in your Azure subscription, and removes it again.
///
/// `up` makes a resource group, an OpenAI account with a deployment, and a Databricks workspace with a
/// cluster of one machine. It shows its plan first, writes each thing into a ledger before it makes it, and
/// may be interrupted at any moment: the same command goes on. `down` removes what the ledger holds, and
/// nothing else. With `--practice`, all of it happens in a cloud on this machine, and nothing costs anything.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Say what will work in the subscription, and what to do about the rest; nothing is made
    Check(CheckOptions),
    /// Make what is missing, after showing what, where and what is charged
    Up(UpOptions),
    /// Show what was made and how it stands
    Status(Place),
    /// Remove what `up` made, and prove that nothing is left
    Down(DownOptions),
}

/// The lab's model.
const DEFAULT_MODEL: &str = "gpt-35-turbo";
/// The lab's quota.
const DEFAULT_TOKENS_PER_MINUTE: u64 = 5_000;

/// What is wanted.
#[derive(Clone, Debug, clap::Args)]
struct Wanted {
    /// A region that will do (repeatable) [default: any of the lab's four]
    #[arg(long = "region", value_name = "NAME")]
    regions: Vec<String>,
    /// The model; one that is retired is replaced by today's
    #[arg(long, default_value = DEFAULT_MODEL)]
    model: String,
    /// The deployment's quota
    #[arg(long, value_name = "N", default_value_t = DEFAULT_TOKENS_PER_MINUTE,
        value_parser = clap::value_parser!(u64).range(1..))]
    tokens_per_minute: u64,
    /// Leave out the Databricks workspace and its cluster
    #[arg(long)]
    without_databricks: bool,
}

#[derive(Debug, clap::Args)]
struct CheckOptions {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    wanted: Wanted,
}

#[derive(Debug, clap::Args)]
struct UpOptions {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    wanted: Wanted,
    /// The file for the settings
    #[arg(long = "env", value_name = "FILE", default_value = ".env")]
    settings: PathBuf,
    /// Don't ask
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, clap::Args)]
struct DownOptions {
    #[command(flatten)]
    place: Place,
    /// Also purge the OpenAI account, which otherwise keeps its name for 48 hours
    #[arg(long)]
    purge: bool,
    /// Don't ask
    #[arg(long)]
    yes: bool,
}

impl Wanted {
    fn region(&self) -> Region {
        match self.regions.is_empty() {
            true => Region::any_of_the_lab(),
            false => Region::any_of(&self.regions),
        }
    }

    fn plan(&self) -> SetupPlan {
        let plan = SetupPlan::lab()
            .model(&self.model)
            .tokens_per_minute(self.tokens_per_minute)
            .region(self.region());
        match self.without_databricks {
            true => plan.without_databricks(),
            false => plan,
        }
    }
}

/// Runs the command.
pub fn run(options: &Options, home: &Home) -> Result<ExitCode> {
    match &options.action {
        Action::Check(options) => check(options, home),
        Action::Up(options) => {
            let (session, ledger) = open(&options.place, home)?;
            up::run(options, &session, ledger).map(|()| ExitCode::SUCCESS)
        }
        Action::Status(place) => {
            let (session, ledger) = open(place, home)?;
            status::run(&session, &ledger).map(|()| ExitCode::SUCCESS)
        }
        Action::Down(options) => {
            let (session, ledger) = open(&options.place, home)?;
            down::run(options, &session, ledger).map(|()| ExitCode::SUCCESS)
        }
    }
}

fn open(place: &Place, home: &Home) -> Result<(Session, Ledger)> {
    let session = Session::open(place.practice, home)?;
    let ledger = Ledger::open(home, session.azure.is_practice())?;
    ledger.check_subscription(session.azure.subscription().id())?;
    Ok((session, ledger))
}

fn check(options: &CheckOptions, home: &Home) -> Result<ExitCode> {
    let session = Session::open(options.place.practice, home)?;
    let ledger = Ledger::open(home, session.azure.is_practice())?;
    let entries = match ledger.is_empty() {
        true => up::new_entries(&session.azure, &options.wanted)?,
        false => ledger.entries,
    };
    let azure = session.azure.in_resource_group(&entries.resource_group)?;
    let mut wanted = options.wanted.plan().openai(plan::account(&entries.suffix));
    if !options.wanted.without_databricks {
        wanted = wanted.databricks(plan::workspace(&entries.suffix));
    }
    let found = azure.check(&wanted)?;
    out!("{found}");
    Ok(match found.is_ready() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// # Errors
/// The user says no, or is not there.
fn confirm(question: &str, yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(
            "the answer can only be typed in a terminal, so nothing was changed",
        )
        .hint("`--yes` agrees without being asked"));
    }
    err!("{question} [y/N]");
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    match (read, answer.trim().to_lowercase().as_str()) {
        (Ok(_), "y" | "yes") => Ok(()),
        _ => Err(Failure::new("nothing was changed, as you said")),
    }
}
