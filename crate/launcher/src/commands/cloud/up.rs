//! `evenhand cloud up`: makes what is missing, one thing after another. Each is in the ledger before it is
//! made, so that the same command goes on wherever it was interrupted, and `down` knows all of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use evenhand::ErrorKind;
use evenhand::azure::{Azure, Deployment, Placement, Region};

use super::ledger::{Entries, Kind, Ledger, Progress};
use super::plan::{Choice, settings_file};
use super::session::Session;
use super::{UpOptions, Wanted, confirm, down, plan};
use crate::error::{Context, Failure, Result};
use crate::local_model::key::Key;
use crate::terminal::{err, out};

/// The resource group's name without a suffix, unless the user names one.
const GROUP: &str = "evenhand-lab";

/// How many times another region is tried after somebody else was faster.
const MAX_ATTEMPTS: u32 = 8;
/// The longest pause before that, so that a class does not come again all at once.
const MAX_PAUSE: Duration = Duration::from_millis(500);

/// Why something was not made.
struct Refused {
    failure: Failure,
    why: Why,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// Somebody else took the quota.
    Quota,
    /// It will be refused again.
    Final,
    /// It may work the next time: the network, a stop, a service that is down.
    Interrupted,
}

impl From<evenhand::Error> for Refused {
    fn from(error: evenhand::Error) -> Self {
        let why = match error.kind() {
            ErrorKind::RateLimit if error.status() != Some(429) => Why::Quota,
            ErrorKind::PermissionDenied
            | ErrorKind::BadRequest
            | ErrorKind::NotFound
            | ErrorKind::UnprocessableEntity
            | ErrorKind::Argument => Why::Final,
            ErrorKind::Server if error.code().is_some_and(|code| code.contains("QUOTA")) => {
                Why::Final
            }
            _ => Why::Interrupted,
        };
        let why = match error.code() {
            Some("InsufficientQuota") => Why::Quota,
            Some("CustomDomainInUse" | "FlagMustBeSetForRestore") => Why::Final,
            Some("ManagedResourceGroupAlreadyExists" | "ReadOnlyDisabledSubscription") => {
                Why::Final
            }
            _ => why,
        };
        Self {
            why,
            failure: error.into(),
        }
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        let why = Why::Interrupted;
        Self { failure, why }
    }
}

pub(super) fn run(options: &UpOptions, session: &Session, mut ledger: Ledger) -> Result<()> {
    let azure = &session.azure;
    let settings = absolute(&options.settings)?;
    if ledger
        .entries
        .things
        .iter()
        .any(|thing| thing.progress == Progress::Removing)
    {
        err!("! finishing what was being removed");
        down::remove_all(azure, &mut ledger, &|_| false)?;
    }
    if ledger.entries.things.is_empty() && !ledger.entries.settings.is_empty() {
        down::remove_settings(&mut ledger);
        down::no_settings_are_left(&ledger)?;
        ledger.save()?;
    }
    // What an earlier `down` kept is not this command's to purge.
    let kept = ledger.entries.deleted.clone();
    let mut is_asked = false;
    for attempt in 1.. {
        let was_complete = ledger.entries.is_complete;
        let choice = prepare(options, azure, &mut ledger)?;
        settings_file(&settings, &ledger.entries.suffix).check()?;
        if !ledger.entries.settings.contains(&settings) {
            ledger.entries.settings.push(settings.clone());
        }
        if !is_asked {
            plan::show(options, &ledger.entries, azure, &choice);
            if lacks(options, &ledger, &choice) {
                confirm("Make it?", options.yes)?;
            }
            is_asked = true;
        }
        let refused = match make(options, azure, &mut ledger) {
            Ok(deployment) => return finish(&settings, session, &ledger, &deployment),
            Err(refused) => refused,
        };
        match (refused.why, was_complete) {
            (Why::Interrupted, _) => {
                return Err(refused
                    .failure
                    .at("not everything is there yet; the same command continues"));
            }
            (_, true) => {
                return Err(refused
                    .failure
                    .at("what is missing could not be made again")
                    .hint(
                        "`evenhand cloud down --purge` removes the rest, and `evenhand cloud up` then begins \
                         anew",
                    ));
            }
            _ => {}
        }
        err!("! {}", refused.failure.message());
        err!("! what was made so far is removed again");
        down::remove_all(azure, &mut ledger, &|deleted| !kept.contains(deleted))?;
        if refused.why == Why::Final || attempt == MAX_ATTEMPTS {
            return Err(refused.failure);
        }
        pause();
    }
    Ok(())
}

fn pause() {
    let bytes = Key::made().map(|key| key.expose().as_bytes().first().copied());
    let part = bytes
        .ok()
        .flatten()
        .map_or(0.5, |byte| f64::from(byte & 0xf) / 16.0);
    std::thread::sleep(MAX_PAUSE.mul_f64(part));
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("there is no file {}", path.display()))
}

/// What a new ledger begins with: names that nobody else has.
pub(super) fn new_entries(azure: &Azure, wanted: &Wanted) -> Result<Entries> {
    let key = Key::made()?;
    let suffix = key.expose().get(..6).unwrap_or_default().to_owned();
    let group = match azure.resource_group() {
        GROUP => format!("{GROUP}-{suffix}"),
        named => named.to_owned(),
    };
    Ok(Entries {
        subscription: azure.subscription().id().to_owned(),
        resource_group: group,
        model: wanted.model.clone(),
        suffix,
        ..Entries::default()
    })
}

/// Chooses names, a region and a model, unless the ledger has them.
fn prepare(options: &UpOptions, azure: &Azure, ledger: &mut Ledger) -> Result<Choice> {
    let wanted = options.wanted.tokens_per_minute;
    if !ledger.entries.things.is_empty() {
        let azure = azure.in_resource_group(&ledger.entries.resource_group)?;
        let deployment = ledger.find_deployment(&azure)?;
        let existing = existing(&azure, ledger, deployment.is_some())?;
        return Ok(Choice {
            old_model: None,
            tokens_per_minute: deployment
                .and_then(|it| it.tokens_per_minute())
                .unwrap_or(wanted),
            existing,
        });
    }
    let deleted = std::mem::take(&mut ledger.entries.deleted);
    let mut entries = new_entries(azure, &options.wanted)?;
    let placement: Placement = azure.place(&options.wanted.plan())?;
    entries.region = placement.region;
    entries.model = placement.model;
    entries.deleted = deleted;
    ledger.entries = entries;
    let azure = azure.in_resource_group(&ledger.entries.resource_group)?;
    Ok(Choice {
        old_model: placement.replaces,
        tokens_per_minute: placement.tokens_per_minute,
        existing: match azure.has_resource_group()? {
            true => vec![Kind::ResourceGroup],
            false => Vec::new(),
        },
    })
}

/// What there is now of what the ledger has: whatever it says, something may be gone.
fn existing(azure: &Azure, ledger: &Ledger, has_deployment: bool) -> Result<Vec<Kind>> {
    let mut existing = Vec::new();
    if azure.has_resource_group()? {
        existing.push(Kind::ResourceGroup);
    }
    for thing in &ledger.entries.things {
        let name = thing.name.as_str();
        let is_there = match thing.kind {
            Kind::ResourceGroup => false,
            Kind::Account => azure.openai(name).get()?.is_some(),
            Kind::Deployment => has_deployment,
            Kind::Workspace => azure.databricks(name).get()?.is_some(),
            Kind::Cluster => ledger.find_cluster(azure)?.is_some(),
        };
        if is_there {
            existing.push(thing.kind);
        }
    }
    Ok(existing)
}

/// Whether anything is to be made.
fn lacks(options: &UpOptions, ledger: &Ledger, choice: &Choice) -> bool {
    let wanted = plan::wanted(&ledger.entries, !options.wanted.without_databricks);
    let mut kinds = wanted.iter().map(|(kind, _)| kind);
    kinds.any(|kind| !choice.existing.contains(kind))
}

/// Makes what is missing. Each thing is looked for first, and never made twice.
fn make(options: &UpOptions, azure: &Azure, ledger: &mut Ledger) -> Result<Deployment, Refused> {
    let entries = ledger.entries.clone();
    let azure = azure.in_resource_group(&entries.resource_group)?;
    let region = || Region::named(&entries.region);
    let with_databricks = !options.wanted.without_databricks;
    let names = plan::wanted(&entries, with_databricks);
    let name = |kind: Kind| {
        let found = names.iter().find(|(own, _)| *own == kind);
        found.map(|(_, name)| name.clone()).unwrap_or_default()
    };
    // A group that others made is used, and never in the ledger.
    let group = entries.resource_group.clone();
    if ledger.find(Kind::ResourceGroup).is_none() && !azure.has_resource_group()? {
        ledger.set_progress(Kind::ResourceGroup, &group, Progress::Making)?;
    }
    let builder = azure.openai(name(Kind::Account)).region(region());
    begin(ledger, Kind::Account, &name(Kind::Account), || {
        Ok(builder.get()?.is_some())
    })?;
    let account = builder.create()?;
    if ledger.find(Kind::ResourceGroup).is_some() {
        ledger.set_progress(Kind::ResourceGroup, &group, Progress::Made)?;
    }
    ledger.set_progress(Kind::Account, account.name(), Progress::Made)?;

    let model = name(Kind::Deployment);
    // The account is new and ours, and so is all that is in it.
    begin(ledger, Kind::Deployment, &model, || Ok(false))?;
    let deployment = account
        .deploy(&entries.model)
        .name(&model)
        .tokens_per_minute(options.wanted.tokens_per_minute)
        .create()?;
    ledger.set_progress(Kind::Deployment, &model, Progress::Made)?;
    if with_databricks {
        make_workspace(&azure, ledger, &name, region())?;
    }
    if !ledger.entries.is_complete {
        ledger.entries.is_complete = true;
        ledger.save()?;
    }
    Ok(deployment)
}

fn make_workspace(
    azure: &Azure,
    ledger: &mut Ledger,
    name: &impl Fn(Kind) -> String,
    region: Region,
) -> Result<(), Refused> {
    let builder = azure.databricks(name(Kind::Workspace)).region(region);
    begin(ledger, Kind::Workspace, &name(Kind::Workspace), || {
        Ok(builder.get()?.is_some())
    })?;
    let workspace = builder.create()?;
    ledger.set_progress(Kind::Workspace, workspace.name(), Progress::Made)?;
    let cluster = workspace.cluster().single_node().name(name(Kind::Cluster));
    let is_made = ledger
        .find(Kind::Cluster)
        .is_some_and(|it| it.progress == Progress::Made);
    // One that has ended by itself is left so: whoever needs it starts it.
    if is_made && ledger.find_cluster(azure)?.is_some() {
        return Ok(());
    }
    begin(ledger, Kind::Cluster, &name(Kind::Cluster), || Ok(false))?;
    let cluster = cluster.create()?;
    ledger.set_id(Kind::Cluster, cluster.id())?;
    ledger.set_progress(Kind::Cluster, &name(Kind::Cluster), Progress::Made)?;
    Ok(())
}

/// Writes down that something is about to be made, unless it is written already.
///
/// # Errors
/// Somebody else made something of this name.
fn begin(
    ledger: &mut Ledger,
    kind: Kind,
    name: &str,
    exists: impl FnOnce() -> Result<bool, evenhand::Error>,
) -> Result<(), Refused> {
    if ledger.find(kind).is_some() {
        return Ok(());
    }
    if exists()? {
        let words = format!(
            "there is a {} {name} that is not in the ledger",
            kind.words()
        );
        return Err(Failure::new(words)
            .hint("it is not touched; run the command again, which chooses another name")
            .into());
    }
    ledger.set_progress(kind, name, Progress::Making)?;
    Ok(())
}

fn finish(
    settings: &Path,
    session: &Session,
    ledger: &Ledger,
    deployment: &Deployment,
) -> Result<()> {
    // Another file than the last time is in the ledger before the key is in the file.
    ledger.save()?;
    let written = deployment
        .settings()
        .and_then(|it| settings_file(settings, &ledger.entries.suffix).write(&it));
    written.map_err(|error| {
        Failure::from(error)
            .at("everything is there but the settings, which the same command writes")
    })?;
    out!(
        "\n✓ everything is there. The settings, with a key, are in {}",
        settings.display()
    );
    if session.ends_with_us() {
        out!("  `evenhand practice` starts the practice cloud that answers there");
    }
    out!(
        "  `evenhand cloud down` removes all {} resources",
        ledger.entries.things.len()
    );
    Ok(())
}
