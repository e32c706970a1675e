//! `evenhand run`: runs notebooks in a real kernel, without a browser or a server.
//!
//! `page` writes a notebook as an HTML page, `pictures` are those in it, and `policy` is what it may
//! do. How a cell is run is in `jupyter`, how the kernel is
//! installed in `setup`, and how it starts in `kernel`.

mod page;
mod pictures;
mod policy;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::commands::provider::Provider;
use crate::error::{Context, Failure, Result};
use crate::jupyter::notebook::{Notebook, on_a_line};
use crate::jupyter::outputs::Outputs;
use crate::jupyter::{Executor, KernelCommand, Report};
use crate::kernel as own_kernel;
use crate::local_model::ModelBehavior;
use crate::paths::checkout::Checkout;
use crate::paths::home::Home;
use crate::practice::Place;
use crate::setup;
use crate::supervise::block_on;
use crate::terminal::err;

/// Runs the code cells of notebooks, and stops at the first that fails.
///
/// A cell with the tag `raises-exception` may fail; a cell with the tag `skip-execution` is not
/// run.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The notebooks, in this order [default: all in the project's `notebooks/`, without --practice only
    /// those that make nothing in a cloud]
    notebooks: Vec<PathBuf>,
    /// Write the executed notebooks to this folder; without it, no notebook is written
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Also write each notebook as an HTML page, to DIR or to the current folder
    #[arg(long)]
    html: bool,
    #[command(flatten)]
    behavior: ModelBehavior,
    #[command(flatten)]
    place: Place,
}

impl Options {
    /// The local model's quota and the model it imitates.
    pub fn behavior(&self) -> ModelBehavior {
        self.behavior
    }
}

/// Sets up what the notebooks need, and runs each in its own kernel.
pub fn run(options: &Options, project: &Checkout, home: &Home) -> Result<()> {
    let notebooks = load(options, project)?;
    setup::kernel(home)?;
    if options.html {
        setup::jupyter(project, home)?;
    }
    if notebooks.iter().any(Notebook::uses_the_library) {
        setup::library(project, home)?;
    }
    let mut provider = Provider::new(project, home, options.behavior, options.place);
    block_on(async {
        let mut stop = Stop::new()?;
        for notebook in notebooks {
            let mut kernel = KernelCommand::own()?;
            if notebook.uses_the_library() {
                let environment = provider.environment_for(notebook.folder())?;
                (kernel.unset, kernel.env) = (environment.unset, environment.set);
            }
            one(notebook, options, &kernel, home, &mut stop).await?;
        }
        Ok(())
    })
}

impl KernelCommand {
    /// The launcher's own kernel, as in the kernelspec.
    pub fn own() -> Result<Self> {
        let argv = own_kernel::command()?;
        Ok(Self {
            argv: argv.into_iter().map(Into::into).collect(),
            env: Vec::new(),
            unset: Vec::new(),
            sweep: Vec::new(),
            runs_for_a_reader: true,
        })
    }
}

/// Loads all notebooks before the first is run, so that a wrong name is reported at once.
fn load(options: &Options, project: &Checkout) -> Result<Vec<Notebook>> {
    let paths = match options.notebooks.as_slice() {
        [] => all_notebooks(&project.notebooks())?,
        named => named.to_vec(),
    };
    let mut notebooks = paths
        .iter()
        .map(|path| Notebook::load(path))
        .collect::<Result<Vec<_>>>()?;
    if options.notebooks.is_empty() && options.place.practice.is_none() {
        leave_out_clouds(&mut notebooks);
    }
    if let Some(out) = &options.out {
        std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    }
    let mut names = HashSet::new();
    for notebook in &notebooks {
        if let Some(out) = &options.out
            && is_same(out, notebook.folder())
        {
            return Err(Failure::new(format!(
                "--out would replace {}",
                on_a_line(notebook.path())
            ))
            .hint("choose a folder other than the notebook's"));
        }
        if (options.out.is_some() || options.html) && !names.insert(notebook.stem()) {
            return Err(Failure::new(format!(
                "two notebooks are named {}: the second would replace the first",
                on_a_line(notebook.stem().as_ref())
            )));
        }
    }
    Ok(notebooks)
}

/// Leaves out the notebooks that make or remove things in a cloud: nobody who wants to run the lessons has
/// agreed to pay for that.
fn leave_out_clouds(notebooks: &mut Vec<Notebook>) {
    let clouds = notebooks.extract_if(.., |notebook| notebook.signs_in_to_azure());
    let names: Vec<String> = clouds.map(|it| on_a_line(it.path())).collect();
    if !names.is_empty() {
        err!(
            "! left out, since they make and remove things in Azure: {}. With --practice they run, too, and \
             cost nothing",
            names.join(", ")
        );
    }
}

fn all_notebooks(folder: &Path) -> Result<Vec<PathBuf>> {
    let context = || format!("cannot list {}", folder.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| {
        Failure::new(context())
            .because(error)
            .hint("name the notebooks")
    })? {
        let path = entry.with_context(context)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "ipynb")
        {
            found.push(path);
        }
    }
    found.sort();
    if found.is_empty() {
        return Err(Failure::new(format!(
            "there is no notebook in {}",
            folder.display()
        )));
    }
    Ok(found)
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// Runs one notebook. Its outputs so far are written even if it fails or is stopped.
async fn one(
    mut notebook: Notebook,
    options: &Options,
    command: &KernelCommand,
    home: &Home,
    stop: &mut Stop,
) -> Result<()> {
    let report = Report::new();
    report.notebook(notebook.path());
    notebook.clear();
    let start = Executor::start(command, notebook.folder(), &report);
    let mut executor = stop.unless_stopped(start).await?;
    let ran = cells(&mut executor, &mut notebook, &report, stop).await;
    if let Some(out) = &options.out {
        let path = out.join(notebook.stem()).with_added_extension("ipynb");
        notebook.save(&path)?;
        report.wrote(&path);
    }
    if ran.as_ref().is_err_and(|failure| failure.exit_code() != 1) {
        // Stopped by the user: dropping the executor ends the kernel at once.
        return ran;
    }
    stop.unless_stopped(async {
        executor.stop().await;
        Ok(())
    })
    .await?;
    if options.html {
        let folder = options.out.as_deref().unwrap_or(Path::new("."));
        let page = stop
            .unless_stopped(page::write(&mut notebook, folder, home))
            .await;
        // Why the notebook failed matters more than why its page did.
        match (page, &ran) {
            (Ok(page), _) => report.wrote(&page),
            (Err(failure), Err(_)) => report.trouble(&failure),
            (Err(failure), Ok(())) => return Err(failure),
        }
    }
    ran
}

async fn cells(
    executor: &mut Executor,
    notebook: &mut Notebook,
    report: &Report,
    stop: &mut Stop,
) -> Result<()> {
    let all = notebook.code_cells();
    let cells: Vec<_> = all.iter().filter(|cell| !cell.is_skipped()).collect();
    let mut outputs: Vec<Outputs> = Vec::with_capacity(cells.len());
    let mut counts = Vec::new();
    let mut ran = Ok(());
    for (index, cell) in cells.iter().enumerate() {
        let (place, total) = (index + 1, cells.len());
        report.begin(place, total, cell);
        let start = Instant::now();
        let done = match stop.unless_stopped(executor.run(cell, &mut outputs)).await {
            Ok(done) => done,
            Err(failure) => {
                let mark = if failure.exit_code() == 1 {
                    "failed: "
                } else {
                    "stopped: "
                };
                report.end(place, total, cell, start.elapsed(), mark);
                ran = Err(failure.at(format!(
                    "cell {place} of {total} in {}",
                    on_a_line(notebook.path())
                )));
                break;
            }
        };
        counts.push(done.count);
        let shown = outputs
            .last()
            .map(|shown| shown.to_json())
            .unwrap_or_default();
        match &done.error {
            Some(error) if !cell.may_fail() => {
                report.end(place, total, cell, done.took, "failed: ");
                report.failed(cell, &shown);
                let first = error.lines().next().unwrap_or_default();
                ran = Err(Failure::new(format!(
                    "cell {place} of {total} in {} failed: {first}",
                    on_a_line(notebook.path())
                )));
                break;
            }
            Some(_) => report.end(place, total, cell, done.took, "failed, as allowed: "),
            None => report.end(place, total, cell, done.took, ""),
        }
        report.preview(&shown);
    }
    // Only now, since a later cell may have updated a display of an earlier one.
    for (index, shown) in outputs.iter().enumerate() {
        let count = counts.get(index).copied().flatten();
        notebook.set_outputs(cells[index], shown.to_json(), count);
    }
    ran
}

/// The signals that end a run. SIGHUP is not among them: otherwise `nohup` would not work, and the
/// guard ends the kernel anyway.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn new() -> Result<Self> {
        let listen = |kind| signal(kind).with_context(|| "cannot listen for signals".to_owned());
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// Does the work unless a signal stops it. The exit code is then 128 plus the signal's number,
    /// as in a shell.
    async fn unless_stopped<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let code = tokio::select! {
            done = work => return done,
            _ = self.interrupt.recv() => 130,
            _ = self.terminate.recv() => 143,
        };
        Err(Failure::new("interrupted").exit_with(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_signs_in_to_a_cloud_is_left_out_unless_it_is_named() {
        let project = Checkout::locate().unwrap();
        let paths = all_notebooks(&project.notebooks()).unwrap();
        let mut notebooks: Vec<Notebook> = paths
            .iter()
            .map(|path| Notebook::load(path).unwrap())
            .collect();
        leave_out_clouds(&mut notebooks);
        let left_out = |name: &str| !notebooks.iter().any(|it| it.path().ends_with(name));
        assert!(left_out("00-prepare-the-cloud.ipynb") && left_out("07-clean-up.ipynb"));
        assert_eq!(notebooks.len(), paths.len() - 2);
    }
}
