//! The files of a study: its journal and its report.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use evenhand::fairness::gate::GateOutcome;
use evenhand::fairness::report::Report;

use super::INVALID;
use crate::error::{Context, Failure, Result};

/// How the name of the file with the gate's outcome ends.
const GATE: &str = "gate.json";

/// Where the journal is, and where the report goes.
pub(super) struct Files {
    pub(super) journal: PathBuf,
    folder: PathBuf,
    name: String,
}

impl Files {
    /// # Errors
    /// A file without a name; a folder that does not exist, found before anything is asked.
    pub(super) fn from_paths(
        file: &Path,
        out: Option<&Path>,
        journal: Option<PathBuf>,
    ) -> Result<Self> {
        let beside = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let beside = beside.unwrap_or(Path::new("."));
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let folder = out.unwrap_or(beside);
        if !folder.is_dir() {
            let message = format!(
                "the folder for the report, {}, does not exist",
                folder.display()
            );
            return Err(Failure::new(message)
                .hint("create it, or name another one with --out")
                .exit_with(INVALID));
        }
        let journal = match journal {
            Some(journal) => journal,
            None => default_journal(beside, &name)?,
        };
        Ok(Self {
            journal,
            folder: folder.to_owned(),
            name,
        })
    }

    /// Removes the gate's outcome of an earlier run, so that it can't be taken for that of a run that
    /// has none.
    pub(super) fn forget_gate(&self) -> Result<()> {
        let path = self.path(GATE);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("the old {} can't be removed", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// Writes the report for programs and for people, and the gate's outcome for programs.
    pub(super) fn write(&self, report: &Report, outcome: &GateOutcome) -> Result<()> {
        self.write_one("report.json", &report.to_json()?)?;
        self.write_one(GATE, &outcome.to_json()?)?;
        self.write_one("report.txt", &format!("{report}\n\n{outcome}"))
    }

    fn path(&self, ending: &str) -> PathBuf {
        self.folder.join(format!("{}.{ending}", self.name))
    }

    /// Writes a whole file, or leaves the old one as it was.
    fn write_one(&self, ending: &str, text: &str) -> Result<()> {
        let path = self.path(ending);
        let failed = || format!("{} can't be written", path.display());
        let mut file = tempfile::NamedTempFile::new_in(&self.folder).with_context(failed)?;
        writeln!(file, "{text}").with_context(failed)?;
        file.persist(&path).with_context(failed)?;
        Ok(())
    }
}

/// The journal beside the study's file.
///
/// # Errors
/// One of its files is a link. Nobody named them: it may have come with somebody else's study, and lead
/// to any file of the user's.
fn default_journal(beside: &Path, name: &str) -> Result<PathBuf> {
    for ending in ["journal.jsonl", "journal.requests.jsonl"] {
        let file = beside.join(format!("{name}.{ending}"));
        if file.is_symlink() {
            let message = format!(
                "{} is a link, through which no answers are written",
                file.display()
            );
            return Err(Failure::new(message)
                .hint("remove it, or name the journal with --journal")
                .exit_with(INVALID));
        }
    }
    Ok(beside.join(format!("{name}.journal.jsonl")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_journal_is_written_through_a_link_that_nobody_named() {
        let folder = tempfile::tempdir().unwrap();
        let study = folder.path().join("fair.json");
        for file in ["fair.journal.jsonl", "fair.journal.requests.jsonl"] {
            let link = folder.path().join(file);
            std::os::unix::fs::symlink("/nowhere", &link).unwrap();
            let refused = Files::from_paths(&study, None, None).map(drop).unwrap_err();
            assert_eq!(refused.exit_code(), INVALID);
            let refused = refused.to_string();
            assert!(refused.contains(&format!("{file} is a link")), "{refused}");
            assert!(Files::from_paths(&study, None, Some(link.clone())).is_ok());
            std::fs::remove_file(link).unwrap();
        }
        assert!(Files::from_paths(&study, None, None).is_ok());
    }
}
