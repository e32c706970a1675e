//! `evenhand kernel list`: the installed kernels, and why one can't start.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::record;
use crate::error::Result;
use crate::kernel::installed::{Found, InstalledSpec, find};
use crate::paths::home::Home;
use crate::paths::jupyter;
use crate::terminal::out;

/// Lists them. Fails if one can't start.
pub fn run(home: &Home) -> Result<ExitCode> {
    let mut specs: Vec<InstalledSpec> = jupyter::all_kernels()
        .iter()
        .flat_map(|kernels| entries(kernels))
        .chain(record::folders(home))
        .collect::<BTreeSet<_>>()
        .iter()
        .filter_map(|folder| match find(folder) {
            Ok(Found::Ours(spec)) => Some(*spec),
            _ => None,
        })
        .collect();
    specs.sort_by_key(|spec| (spec.name(), spec.folder.clone()));
    if specs.is_empty() {
        out!("no kernel is installed yet: `evenhand kernel install` offers one to every Jupyter");
        return Ok(ExitCode::SUCCESS);
    }
    let mut code = ExitCode::SUCCESS;
    for spec in specs {
        let trouble = spec.trouble();
        let mark = match trouble {
            None => "✓",
            Some(_) => "✗",
        };
        out!(
            "{mark} {}: '{}', version {}, in {}",
            spec.name(),
            spec.display_name,
            spec.version,
            spec.folder.display()
        );
        out!("    checkout {}", spec.checkout.display());
        if let Some(failure) = trouble {
            out!("  {failure}");
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

fn entries(kernels: &Path) -> Vec<PathBuf> {
    // A folder that does not exist, or that nobody may read, offers no kernel.
    let entries = fs::read_dir(kernels).into_iter().flatten();
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect()
}
