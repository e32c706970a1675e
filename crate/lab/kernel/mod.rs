//! What the kernelspec starts: the unmodified evcxr kernel, in a private copy of a build
//! directory in which the notebook's dependencies are already compiled.

pub mod cargo;
mod copy;
mod metadata;
mod shim;
mod spec;

pub use shim::environment;
pub use spec::{install as install_spec, jupyter_path};

use std::path::PathBuf;
use std::process::ExitCode;

use tokio::process::Command;

use crate::child::stand_behind;
use crate::failure::{Context, Failure, Result};
use crate::home::Home;
use crate::project::Project;
use crate::setup;
use copy::PrivateCopy;

/// What `evenhand kernel` is told by Jupyter.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// The file in which Jupyter wrote the ports and the key of this kernel
    #[arg(long, value_name = "FILE")]
    pub connection_file: PathBuf,
}

/// The command that starts this kernel, for a kernelspec and for `evenhand run`;
/// Jupyter replaces `{connection_file}`.
pub fn command() -> Result<Vec<String>> {
    let program =
        std::env::current_exe().doing(|| "could not find the launcher's own program".to_owned())?;
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

/// Runs the kernel until Jupyter ends it.
pub fn run(options: &Options, project: &Project, home: &Home) -> Result<ExitCode> {
    let program = setup::kernel_program(home).ok_or_else(|| {
        Failure::new("the Rust kernel is not installed yet")
            .hint("run `cargo run` in the checkout first")
    })?;
    copy::sweep(&copies(home));
    let warm = setup::warm::find(project, home)?;
    let private = match &warm {
        Some(warm) => Some(PrivateCopy::make(&warm.build(), &copies(home))?),
        None => {
            eprintln!(
                "the notebook's dependencies are not built yet: the first cell will take minutes"
            );
            None
        }
    };
    let mut kernel = Command::new(program);
    kernel.arg("--control_file").arg(&options.connection_file);
    cleanse(&mut kernel);
    if let (Some(warm), Some(private)) = (&warm, &private) {
        kernel.envs(environment(private.path(), &warm.lock_file())?);
    }
    // Its private copy is removed after it.
    stand_behind(kernel, "the Rust kernel")
}

/// Where running kernels have their private copies.
fn copies(home: &Home) -> PathBuf {
    home.kernel().join("running")
}

/// Takes from a kernel's environment what the launcher's own start by cargo left in it. Build
/// scripts look at these variables, so with and without them are two different builds.
pub fn cleanse(kernel: &mut Command) {
    const OF_CARGO: [&str; 3] = [
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_TARGET_DIR",
    ];
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || OF_CARGO.contains(&&*text) {
            kernel.env_remove(&name);
        }
    }
    // evcxr renews a kernelspec that it finds in Jupyter's folders; it must not find ours.
    kernel.env_remove("JUPYTER_PATH");
}
