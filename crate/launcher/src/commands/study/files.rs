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
    pub(super) fn of(file: &Path, out: Option<&Path>, journal: Option<PathBuf>) -> Result<Self> {
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
        Ok(Self {
            journal: journal.unwrap_or_else(|| beside.join(format!("{name}.journal.jsonl"))),
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
