//! What the kernelspec starts: the unmodified evcxr kernel, in a private copy of a build
//! directory in which the notebook's dependencies are already compiled, and a wrapper between
//! it and Jupyter.
//!
//! - `spec`: the kernelspec, through which Jupyter finds the kernel; `installed`: those for Jupyters that
//!   the launcher does not start, and `starter`: what they start.
//! - `evcxr_build`: the build directory in which evcxr compiles cells.
//! - `wrapper`: the program between Jupyter and evcxr.
//! - `sideband`: what a cell reports to the wrapper.
//! - `rust_text`: Rust source as tokens and items; `reduced_sources`: copies of it for rust-analyzer.

mod evcxr_build;
pub mod installed;
mod reduced_sources;
mod rust_text;
mod sideband;
mod spec;
mod starter;
mod wrapper;

pub use evcxr_build::{
    REDUCED_PACKAGES, cell_library, copy_dependencies, environment_of_warm, profile_of_packages,
    run_cargo,
};
pub use installed::starter as starter_of;
pub use reduced_sources::copy_reduced;
#[cfg(test)]
pub use rust_text::without_bodies;
pub use spec::{NAME, folder as spec_folder, install as install_spec, jupyter_path};
pub use starter::start as start_program;

#[cfg(any(test, fuzzing))]
pub mod fuzzing {
    //! Exports for the fuzz targets.
    pub use crate::kernel::sideband::Reader;
    pub use crate::kernel::wrapper::is_complete::{Complete, complete};
}

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use evenhand::sideband::{SPARK_ENGINE_VARIABLE, STOP_FILE_VARIABLE, TOKEN_VARIABLE};

use crate::error::{Context, Failure, Result};
use crate::jupyter::notebook::on_a_line;
use crate::jupyter::{Connection, KernelCommand, random_hex};
use crate::paths;
use crate::paths::checkout::Checkout;
use crate::paths::home::Home;
use crate::paths::library_sources;
use crate::paths::own_program::own_program;
use crate::paths::warm_build;
use crate::supervise::block_on;
use evcxr_build::{PrivateCopy, environment};
pub use wrapper::prewarm::NOTEBOOK;
use wrapper::{Parts, Shared, Toolkit, prewarm};

/// The file in the build directory whose existence means that the reader chose how evcxr formats values
/// that have no display of their own (`:fmt`, `:types`).
const FORMATS: &str = "formats-are-the-readers";

/// The command that starts this kernel, for a kernelspec and for `evenhand run`;
/// Jupyter replaces `{connection_file}`.
pub fn command() -> Result<Vec<String>> {
    let program = own_program()?;
    let program = program.into_os_string().into_string().map_err(|_| {
        Failure::new("the launcher's path is not UTF-8, which a kernelspec can't hold")
            .hint("move the checkout to a folder with a plain name")
    })?;
    Ok(vec![
        program,
        "kernel".into(),
        "--connection-file".into(),
        "{connection_file}".into(),
    ])
}

/// Runs the kernel until Jupyter ends it. Jupyter wrote its ports and key to this file.
pub fn run(connection_file: &Path, home: &Home) -> Result<ExitCode> {
    let connection = Connection::load(connection_file)?;
    let folder =
        std::env::current_dir().with_context(|| "the notebook's folder is gone".to_owned())?;
    let mut private = None;
    let served = block_on(wrapper::serve(connection, async {
        let parts = parts(home, &folder, &mut private);
        parts.unwrap_or_else(|failure| Parts {
            command: Err(failure),
            folder: PathBuf::new(),
            waits: false,
            shared: Shared::default(),
            notes: Vec::new(),
            prewarm_cells: Vec::new(),
            notebook: None,
            toolkit: None,
        })
    }));
    // Removed only now, when nothing writes into it any more.
    drop(private);
    served
}

/// Prepares what the wrapper works with.
fn parts(home: &Home, folder: &Path, private: &mut Option<PrivateCopy>) -> Result<Parts> {
    let project = Checkout::locate().map_err(|failure| failure.hint(installed::MOVED))?;
    // Otherwise a `rust-toolchain.toml` next to the notebook would select the compiler.
    std::env::set_current_dir(project.root()).with_context(|| "the checkout is gone".to_owned())?;
    let program = paths::evcxr::kernel_program(home).ok_or_else(|| {
        Failure::new("the Rust kernel is not installed yet")
            .hint("run `cargo run` in the checkout first")
    })?;
    home.claim()?;
    evcxr_build::sweep(&copies(home));
    let warm = warm_build::find(&project, home)?;
    let made = PrivateCopy::make(
        warm.as_ref().map(|warm| warm.build()).as_deref(),
        &copies(home),
    );
    let copy = private.insert(made?).path();
    let shared = Shared {
        token: format!("{}evenhand-{}:", sideband::FIRST, random_hex(16)?),
        stop_file: copy.join("stop"),
        source: copy.join("src/lib.rs"),
        marks_are_read: copy.join(sideband::READ),
        build: copy.to_owned(),
        streams: copy.join("streams"),
    };
    sideband::pipes::create(&shared.streams)?;
    let mut env = environment_of(copy, &project, home)?;
    env.push((TOKEN_VARIABLE.into(), shared.token.clone().into()));
    env.push((sideband::STREAMS.into(), shared.streams.clone().into()));
    env.push((STOP_FILE_VARIABLE.into(), shared.stop_file.clone().into()));
    if let Some(warm) = &warm {
        env.push((evcxr_build::WARM.into(), warm.build().into()));
    }
    if let Ok(program) = own_program() {
        env.push((SPARK_ENGINE_VARIABLE.into(), program.into()));
    }
    let (notes, notebook): (Vec<String>, _) = match warm {
        Some(_) => (Vec::new(), std::env::var_os(prewarm::NOTEBOOK)),
        None => (vec![NOT_WARM.to_owned()], None),
    };
    let notes = notes.into_iter().chain(settings_note(folder)).collect();
    let toolkit = Toolkit::new(project.library(), folder.to_owned());
    Ok(Parts {
        command: Ok(evcxr(program, env, copy)),
        folder: folder.to_owned(),
        notebook: std::env::var_os(prewarm::NOTEBOOK).map(|notebook| folder.join(notebook)),
        waits: steers_evcxr(folder),
        shared,
        notes,
        prewarm_cells: notebook.map_or_else(Vec::new, |notebook| {
            prewarm::cells(Path::new(&notebook), &toolkit)
        }),
        toolkit: Some(toolkit),
    })
}

/// What the reader should know of evcxr's settings file next to the notebook. It is as much a part of the
/// notebook as its cells: its prelude and its dependencies run with the first cell.
fn settings_note(folder: &Path) -> Option<String> {
    let file = folder.join(EVCXR_SETTINGS);
    file.exists().then(|| {
        format!(
            "{} belongs to the notebook: what it contains is run together with the first cell",
            on_a_line(&file)
        )
    })
}

/// Whether a file next to the notebook affects what evcxr does as soon as it starts: evcxr runs
/// and builds what its settings file says, and rustup runs the toolchain that is named in the
/// folder or above it.
fn steers_evcxr(folder: &Path) -> bool {
    let above = |name: &str| folder.ancestors().any(|folder| folder.join(name).exists());
    let is_chosen = std::env::var_os("RUSTUP_TOOLCHAIN").is_some();
    folder.join(EVCXR_SETTINGS).exists()
        || !is_chosen
            && ["rust-toolchain.toml", "rust-toolchain"]
                .into_iter()
                .any(above)
}

/// The variable with the folder of the answers that come with the lessons; the library reads it.
const ANSWERS: &str = "EVENHAND_ANSWERS";

/// evcxr's settings file.
const EVCXR_SETTINGS: &str = "evcxr.toml";

const NOT_WARM: &str = "the notebook's dependencies are not built, or were built for another version of Rust, of the \
     kernel or of a dependency: the cell that adds them takes minutes. `cargo run` in the checkout \
     builds them once";

/// Passes to `work` a command that starts evcxr without the wrapper, in a build directory that is
/// equally warm. The wrapper is measured against it.
pub fn without_wrapper<T>(
    home: &Home,
    work: impl FnOnce(&KernelCommand) -> Result<T>,
) -> Result<T> {
    let project = Checkout::locate()?;
    let program = paths::evcxr::kernel_program(home)
        .ok_or_else(|| Failure::new("the Rust kernel is gone").hint("start again"))?;
    home.claim()?;
    let warm = warm_build::find(&project, home)?;
    let copy = PrivateCopy::make(warm.map(|warm| warm.build()).as_deref(), &copies(home))?;
    let env = environment_of(copy.path(), &project, home)?;
    work(&evcxr(program, env, copy.path()))
}

/// The environment in which evcxr builds cells and infers types.
fn environment_of(
    copy: &Path,
    project: &Checkout,
    home: &Home,
) -> Result<Vec<(OsString, OsString)>> {
    let mut env = environment(copy, &project.lock_file())?;
    env.push((REDUCED_PACKAGES.into(), home.reduced_packages().into()));
    env.push((ANSWERS.into(), project.answers().into()));
    env.extend(
        library_sources::find(home).map(|copy| (library_sources::VARIABLE.into(), copy.into())),
    );
    Ok(env)
}

fn evcxr(program: PathBuf, env: Vec<(OsString, OsString)>, copy: &Path) -> KernelCommand {
    KernelCommand {
        argv: vec![
            program.into(),
            "--control_file".into(),
            "{connection_file}".into(),
        ],
        env,
        unset: Vec::new(),
        sweep: vec![copy.to_owned()],
        runs_for_a_reader: true,
    }
}

/// The folder of the private copies of running kernels.
fn copies(home: &Home) -> PathBuf {
    home.kernel().join("running")
}
