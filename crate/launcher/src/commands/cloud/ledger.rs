//! The ledger: what `evenhand cloud up` makes, written down before it is made. It is a file of the home that
//! only its owner can read, written as a whole, and believed only if nobody has changed it since.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use evenhand::azure::{Azure, Deployment};
use evenhand::databricks::Cluster;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::error::{Context, Failure, Result};
use crate::paths::home::{Home, private, saved_file};

const FORMAT: &str = "evenhand cloud ledger";
const VERSION: u32 = 1;

/// What is made, in the order in which it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    ResourceGroup,
    Account,
    Deployment,
    Workspace,
    Cluster,
}

impl Kind {
    /// In words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::ResourceGroup => "resource group",
            Self::Account => "OpenAI account",
            Self::Deployment => "deployment",
            Self::Workspace => "Databricks workspace",
            Self::Cluster => "cluster",
        }
    }
}

/// How far something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Progress {
    /// It may exist.
    Making,
    Made,
    /// It may be gone.
    Removing,
}

/// Something that was made or is about to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Thing {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) progress: Progress,
    /// What Databricks calls it, where others may give theirs the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
}

/// An account that was deleted and keeps its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deleted {
    pub(super) resource_group: String,
    pub(super) name: String,
}

/// What the ledger says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entries {
    pub(super) subscription: String,
    pub(super) resource_group: String,
    pub(super) region: String,
    /// The model that is deployed.
    pub(super) model: String,
    /// The end of the names of all that is made, so that learners don't collide.
    pub(super) suffix: String,
    /// Whether `up` has made all that it was to make.
    pub(super) is_complete: bool,
    /// The files with the settings.
    #[serde(with = "one_or_more")]
    pub(super) settings: Vec<PathBuf>,
    pub(super) things: Vec<Thing>,
    pub(super) deleted: Vec<Deleted>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    format: String,
    version: u32,
    entries: Entries,
    sha256: String,
}

/// The ledger of a home, held by this process.
#[derive(Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    /// Holds the lock until it is closed.
    _lock: File,
    pub(super) entries: Entries,
}

impl Ledger {
    /// The ledger of this home, which is empty if there is no file.
    ///
    /// # Errors
    /// Another process holds it; or the file is not what `up` wrote.
    pub(super) fn open(home: &Home, is_practice: bool) -> Result<Self> {
        home.claim()?;
        let folder = home.cloud();
        let context = || format!("could not write to {}", folder.display());
        let lock = private::lock_folder(&folder).with_context(context)?;
        let lock = lock.ok_or_else(|| {
            Failure::new("another `evenhand cloud` is using the same ledger")
                .hint("wait until it has ended")
        })?;
        let path = file(home, is_practice);
        Ok(Self {
            entries: read_ledger(&path)?.unwrap_or_default(),
            path,
            _lock: lock,
        })
    }

    /// Whether nothing was made, or nothing of it is left.
    pub(super) fn is_empty(&self) -> bool {
        let entries = &self.entries;
        entries.things.is_empty() && entries.deleted.is_empty() && entries.settings.is_empty()
    }

    /// # Errors
    /// What it holds is in another subscription.
    pub(super) fn check_subscription(&self, id: &str) -> Result<()> {
        let own = &self.entries.subscription;
        if self.is_empty() || own == id {
            return Ok(());
        }
        Err(Failure::new(format!(
            "the ledger {} belongs to the subscription {own}, and you are signed in to {id}",
            self.path.display()
        ))
        .hint(format!(
            "set AZURE_SUBSCRIPTION_ID to {own}, and sign in as the user who made what is in it"
        )))
    }

    pub(super) fn find(&self, kind: Kind) -> Option<&Thing> {
        self.entries.things.iter().find(|thing| thing.kind == kind)
    }

    /// The name of the thing of this kind; empty if there is none.
    pub(super) fn name_of(&self, kind: Kind) -> String {
        self.find(kind)
            .map_or_else(String::new, |thing| thing.name.clone())
    }

    /// The deployment, if it exists.
    pub(super) fn find_deployment(&self, azure: &Azure) -> Result<Option<Deployment>> {
        let name = self.name_of(Kind::Deployment);
        let Some(account) = self.find(Kind::Account) else {
            return Ok(None);
        };
        let Some(account) = azure.openai(&account.name).get()? else {
            return Ok(None);
        };
        let mut deployments = account.deployments()?.into_iter();
        Ok(deployments.find(|one| one.name().eq_ignore_ascii_case(&name)))
    }

    /// The cluster, if it exists: that of its ID, or else of its name.
    ///
    /// # Errors
    /// Several clusters have the name, and it is not known which is meant.
    pub(super) fn find_cluster(&self, azure: &Azure) -> Result<Option<Cluster>> {
        let Some(thing) = self.find(Kind::Cluster) else {
            return Ok(None);
        };
        let workspace = azure.databricks(self.name_of(Kind::Workspace)).get()?;
        let Some(workspace) = workspace else {
            return Ok(None);
        };
        let mut clusters = workspace.workspace().clusters()?;
        match &thing.id {
            Some(id) => clusters.retain(|cluster| cluster.id() == id),
            None => clusters.retain(|cluster| cluster.name() == thing.name),
        }
        match clusters.len() {
            0 | 1 => Ok(clusters.pop()),
            several => Err(Failure::new(format!(
                "there are {several} clusters of the name {}, and it is not known which one is to be removed",
                thing.name
            ))
            .hint(format!(
                "delete the others at {}, or rename them",
                workspace.address()
            ))),
        }
    }

    /// Notes that something is about to be made, made, or about to be removed.
    pub(super) fn set_progress(
        &mut self,
        kind: Kind,
        name: &str,
        progress: Progress,
    ) -> Result<()> {
        let things = &mut self.entries.things;
        match things.iter_mut().find(|thing| thing.kind == kind) {
            Some(thing) if thing.progress == progress => return Ok(()),
            Some(thing) => thing.progress = progress,
            None => things.push(Thing {
                kind,
                name: name.to_owned(),
                progress,
                id: None,
            }),
        }
        self.save()
    }

    /// Notes what Databricks calls something.
    pub(super) fn set_id(&mut self, kind: Kind, id: &str) -> Result<()> {
        let mut things = self.entries.things.iter_mut();
        let Some(thing) = things.find(|thing| thing.kind == kind) else {
            return Ok(());
        };
        if thing.id.as_deref() == Some(id) {
            return Ok(());
        }
        thing.id = Some(id.to_owned());
        self.save()
    }

    /// Forgets what is gone.
    pub(super) fn forget(&mut self, kind: Kind) -> Result<()> {
        self.entries.things.retain(|thing| thing.kind != kind);
        self.save()
    }

    /// Writes it; an empty one is removed.
    pub(super) fn save(&self) -> Result<()> {
        let context = || format!("could not write the ledger {}", self.path.display());
        if self.is_empty() {
            return match fs::remove_file(&self.path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(error).with_context(context)
                }
                _ => Ok(()),
            };
        }
        let saved = Saved {
            format: FORMAT.to_owned(),
            version: VERSION,
            entries: self.entries.clone(),
            sha256: sum(&self.entries)?,
        };
        let text = serde_json::to_vec_pretty(&saved).with_context(context)?;
        // It is on the disk before anything is made that only this file tells of.
        private::replace_in_locked_folder(&self.path, &text, true).with_context(context)
    }
}

/// Files as a path where there is one, and nothing where there is none, as ledgers had it before there could
/// be several.
mod one_or_more {
    use std::path::PathBuf;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Saved {
        None,
        One(PathBuf),
        More(Vec<PathBuf>),
    }

    pub(super) fn serialize<S: Serializer>(
        files: &[PathBuf],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match files {
            [] => serializer.serialize_none(),
            [file] => file.serialize(serializer),
            files => files.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<PathBuf>, D::Error> {
        Ok(match Saved::deserialize(deserializer)? {
            Saved::None => Vec::new(),
            Saved::One(file) => vec![file],
            Saved::More(files) => files,
        })
    }
}

/// The ledger's file.
fn file(home: &Home, is_practice: bool) -> PathBuf {
    let name = if is_practice {
        "practice.json"
    } else {
        "ledger.json"
    };
    home.cloud().join(name)
}

/// The ledger's file, if something of a real cloud is in it.
pub(in crate::commands) fn of_a_real_cloud(home: &Home) -> Option<PathBuf> {
    Some(file(home, false)).filter(|path| path.exists())
}

/// Guards against an edit by hand, not against an attack: whoever can write here is the user.
fn sum(entries: &Entries) -> Result<String> {
    let text =
        serde_json::to_vec(entries).with_context(|| "could not write a ledger".to_owned())?;
    let sum = digest(&SHA256, &text);
    Ok(sum
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

fn read_ledger(path: &Path) -> Result<Option<Entries>> {
    const HINT: &str = "nothing was changed. Bring back the file as `evenhand cloud up` wrote it; or delete \
                        what is in it by hand in the portal, and then the file";
    let read = saved_file::read_saved("the ledger", path, FORMAT, VERSION);
    let Some(saved): Option<Saved> = read.map_err(|failure| failure.hint(HINT))? else {
        return Ok(None);
    };
    if saved.sha256 != sum(&saved.entries)? {
        let words = format!("the ledger {} was edited by hand", path.display());
        return Err(Failure::new(words).hint(HINT));
    }
    Ok(Some(saved.entries))
}
