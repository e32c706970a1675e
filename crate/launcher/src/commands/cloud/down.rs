//! `evenhand cloud down`: removes what the ledger holds and nothing else, the last first, and asks Azure
//! afterwards whether each thing is gone.

use evenhand::azure::{Azure, DeletedAccount};

use super::ledger::{Deleted, Kind, Ledger, Progress};
use super::plan::settings_file;
use super::session::Session;
use super::{DownOptions, confirm};
use crate::error::{Failure, Result};
use crate::terminal::{err, out};

/// How many things that are not in the ledger a message names.
const MAX_SHOWN: usize = 8;

pub(super) fn run(options: &DownOptions, session: &Session, mut ledger: Ledger) -> Result<()> {
    if ledger.is_empty() {
        return Err(Failure::new("there is no ledger: `evenhand cloud up` made nothing here").hint(
            "what you made in another way is removed in the portal, or in a notebook by `.delete()?`; \
             with `--practice`, the ledger is another one",
        ));
    }
    for thing in ledger.entries.things.iter().rev() {
        let more = match thing.kind {
            Kind::Workspace => ", with its secrets, tables and volumes",
            _ => "",
        };
        out!("  {:<21}{}{more}", thing.kind.words(), thing.name);
    }
    for deleted in ledger.entries.deleted.iter().filter(|_| options.purge) {
        out!("  {:<21}{}", "deleted account", deleted.name);
    }
    confirm("Remove it, with all that is in it?", options.yes)?;
    remove_all(&session.azure, &mut ledger, &|_| options.purge)?;
    no_settings_are_left(&ledger)?;
    let kept: Vec<&str> = ledger
        .entries
        .deleted
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    match kept.is_empty() {
        true => out!("✓ nothing is left: Azure confirms that all of it is gone"),
        false if options.purge => out!(
            "✓ nothing is left that costs anything. {} could not be purged, and keeps its name for 48 hours",
            kept.join(", ")
        ),
        false => out!(
            "✓ nothing is left that costs anything. {} keeps its name for 48 hours; `evenhand cloud down \
             --purge` ends that",
            kept.join(", ")
        ),
    }
    Ok(())
}

/// Removes all that is in the ledger. One that was interrupted does the same again.
pub(super) fn remove_all(
    azure: &Azure,
    ledger: &mut Ledger,
    is_purged: &dyn Fn(&Deleted) -> bool,
) -> Result<()> {
    remove_settings(ledger);
    ledger.entries.is_complete = false;
    let azure = match ledger.entries.things.is_empty() {
        true => azure.clone(),
        false => azure.in_resource_group(&ledger.entries.resource_group)?,
    };
    for thing in ledger.entries.things.clone().into_iter().rev() {
        ledger.set_progress(thing.kind, &thing.name, Progress::Removing)?;
        match thing.kind {
            Kind::Cluster => remove_cluster(&azure, ledger, &thing.name)?,
            Kind::Workspace => remove_workspace(&azure, &thing.name)?,
            Kind::Deployment => remove_deployment(&azure, ledger, &thing.name)?,
            Kind::Account => remove_account(&azure, ledger, &thing.name)?,
            Kind::ResourceGroup => remove_group(&azure)?,
        }
        ledger.forget(thing.kind)?;
    }
    tidy(&azure, ledger, is_purged)
}

/// Takes the settings out of the files. The ledger keeps a file for which that fails: the key in it opens
/// nothing any more once the account is gone, which is not to wait for this.
pub(super) fn remove_settings(ledger: &mut Ledger) {
    let suffix = ledger.entries.suffix.clone();
    ledger.entries.settings.retain(|path| {
        let file = settings_file(path, &suffix);
        if let Err(error) = file.remove() {
            err!("! {}", error.message());
            return true;
        }
        if path.exists()
            && let Err(error) = file.check()
        {
            err!(
                "! {}: remove that too, unless it is of another deployment",
                error.message()
            );
        }
        false
    });
}

/// # Errors
/// The settings are still in a file.
pub(super) fn no_settings_are_left(ledger: &Ledger) -> Result<()> {
    match ledger.entries.settings.first() {
        None => Ok(()),
        Some(path) => Err(Failure::new(format!(
            "the settings that `evenhand cloud up` wrote, with a key, are still in {}",
            path.display()
        ))
        .hint(
            "make it writable, or remove the lines by hand, and run `evenhand cloud down` again",
        )),
    }
}

fn remove_cluster(azure: &Azure, ledger: &mut Ledger, name: &str) -> Result<()> {
    if let Some(cluster) = ledger.find_cluster(azure)? {
        // Another one of this name is not ours, if this is interrupted now.
        ledger.set_id(Kind::Cluster, cluster.id())?;
        cluster.delete()?;
    }
    proven(
        &format!("the cluster {name}"),
        ledger.find_cluster(azure)?.is_none(),
    )
}

fn remove_workspace(azure: &Azure, name: &str) -> Result<()> {
    let builder = azure.databricks(name);
    if let Some(workspace) = builder.get()? {
        // Its cluster is gone: all that is in it now was made by somebody else, or in another way.
        let contents = workspace.workspace().contents().map_err(|error| {
            let why = format!("what is in the workspace {name} is not known, so it is not deleted");
            Failure::from(error).at(why)
        })?;
        let hint = match azure.is_practice() {
            true => {
                "delete it in a notebook, with `workspace.delete_path(..)?` or `cluster.delete()?`, and run \
                 `evenhand cloud down` again; `evenhand practice --reset` empties the whole practice cloud"
                    .to_owned()
            }
            false => format!(
                "export what is to be kept, delete it at {}, and run `evenhand cloud down` again",
                workspace.address()
            ),
        };
        holds_nothing(&format!("the workspace {name}"), &contents, &hint)?;
        workspace.delete()?;
    }
    proven(&format!("the workspace {name}"), builder.get()?.is_none())?;
    // Databricks may leave its own group behind, with machines and storage.
    let managed = azure.in_resource_group(&builder.managed_group())?;
    if managed.has_resource_group()? {
        managed.delete_resource_group()?;
    }
    let what = format!("the resource group {}", managed.resource_group());
    proven(&what, !managed.has_resource_group()?)
}

fn remove_deployment(azure: &Azure, ledger: &Ledger, name: &str) -> Result<()> {
    if let Some(deployment) = ledger.find_deployment(azure)? {
        deployment.delete()?;
    }
    proven(
        &format!("the deployment {name}"),
        ledger.find_deployment(azure)?.is_none(),
    )
}

fn remove_account(azure: &Azure, ledger: &mut Ledger, name: &str) -> Result<()> {
    let builder = azure.openai(name);
    if let Some(account) = builder.get()? {
        // With deployments that somebody else made in it, it is not only ours any more.
        let others: Vec<String> = account
            .deployments()?
            .iter()
            .map(|one| one.name().to_owned())
            .collect();
        let hint = "delete that in the portal, and run `evenhand cloud down` again";
        holds_nothing(&format!("the account {name}"), &others, hint)?;
        account.delete()?;
    }
    proven(&format!("the account {name}"), builder.get()?.is_none())?;
    let deleted = Deleted {
        resource_group: azure.resource_group().to_owned(),
        name: name.to_owned(),
    };
    if !ledger.entries.deleted.contains(&deleted) {
        ledger.entries.deleted.push(deleted);
    }
    Ok(())
}

fn remove_group(azure: &Azure) -> Result<()> {
    let group = azure.resource_group();
    if azure.has_resource_group()? && !azure.owns_resource_group()? {
        err!("! the resource group {group} was not made by evenhand: it stays");
        return Ok(());
    }
    let hint = "move or delete that in the portal, and run `evenhand cloud down` again";
    let what = format!("the resource group {group}");
    holds_nothing(&what, &azure.resources()?, hint)?;
    azure.delete_resource_group()?;
    proven(
        &format!("the resource group {group}"),
        !azure.has_resource_group()?,
    )
}

/// Purges the deleted accounts if that is wanted, and forgets those that Azure has forgotten.
fn tidy(azure: &Azure, ledger: &mut Ledger, is_purged: &dyn Fn(&Deleted) -> bool) -> Result<()> {
    if ledger.entries.deleted.is_empty() {
        return ledger.save();
    }
    let listed = azure.deleted_accounts()?;
    for one in ledger.entries.deleted.clone() {
        let is_it = |it: &DeletedAccount| {
            it.name.eq_ignore_ascii_case(&one.name)
                && it.resource_group.eq_ignore_ascii_case(&one.resource_group)
        };
        if listed.iter().any(is_it) {
            if !is_purged(&one) {
                continue;
            }
            match azure
                .in_resource_group(&one.resource_group)?
                .purge_deleted_account(&one.name)
            {
                Ok(()) => {}
                Err(error) if error.is_not_found() => {}
                Err(error) => {
                    err!("! {}", Failure::from(error));
                    continue;
                }
            }
        }
        ledger.entries.deleted.retain(|it| *it != one);
        ledger.save()?;
    }
    ledger.save()
}

/// # Errors
/// There is something in it that would be deleted with it.
fn holds_nothing(what: &str, others: &[String], hint: &str) -> Result<()> {
    if others.is_empty() {
        return Ok(());
    }
    let shown = others.get(..MAX_SHOWN).unwrap_or(others).join(", ");
    let rest = match others.len().saturating_sub(MAX_SHOWN) {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    let words = format!("{what} holds what is not in the ledger: {shown}{rest}");
    Err(Failure::new(words).hint(hint))
}

fn proven(what: &str, is_gone: bool) -> Result<()> {
    match is_gone {
        true => Ok(()),
        false => Err(
            Failure::new(format!("{what} is still there, although Azure deleted it"))
                .hint("run `evenhand cloud down` again in some minutes; the ledger still has it"),
        ),
    }
}
