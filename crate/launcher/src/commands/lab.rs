//! `evenhand lab`: JupyterLab on the lessons or on any folder, with a warm kernel and a model that answers.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};

use tokio::process::Command;

use crate::commands::percent_encoding::percent_encoded;
use crate::commands::provider::Provider;
use crate::error::{Failure, Result};
use crate::jupyter;
use crate::kernel;
use crate::local_model::ModelBehavior;
use crate::paths::checkout::Checkout;
use crate::paths::home::Home;
use crate::practice::Place;
use crate::setup;
use crate::supervise::supervise;
use crate::terminal::err;

const SCRIPT: &str = include_str!("lab.py");

/// The options of `evenhand lab`.
#[derive(clap::Args, Debug, Default)]
pub struct Options {
    #[command(flatten)]
    pub behavior: ModelBehavior,
    #[command(flatten)]
    pub place: Place,
    /// The folder of your notebooks, or a notebook [default: the project's `notebooks/`]
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Passed on to JupyterLab, such as `-- --no-browser --port 8899`
    #[arg(last = true)]
    pub jupyter: Vec<OsString>,
}

/// Sets up what is missing, and runs JupyterLab until the user ends it.
pub fn run(options: &Options, project: &Checkout, home: &Home) -> Result<ExitCode> {
    let opened = Opened::from_options(options, project)?;
    if options.folder.is_some() && says(&options.jupyter, &ROOT) {
        return Err(Failure::new("the folder of the notebooks is given twice")
            .hint("name it before `--` only: `evenhand lab DIR`"));
    }
    setup::kernel(home)?;
    setup::library(project, home)?;
    setup::jupyter(project, home)?;
    kernel::install_spec(home)?;
    let mut provider = Provider::new(project, home, options.behavior, options.place);
    let environment = provider.environment_for(&opened.folder)?;
    let sockets = jupyter::private_folder()?;
    err!("✓ opening JupyterLab; Ctrl-C ends it and everything that it started");

    // It gets the user's whole environment, including keys, since its kernels inherit it. It runs
    // in our own folder: settings and templates in its working directory could run code, which
    // might be somebody else's.
    let mut jupyter = Command::new(home.python());
    for name in environment.unset {
        jupyter.env_remove(name);
    }
    jupyter
        // `-I`: ignore other Python modules. `-y`: Ctrl-C ends it without asking.
        .args(["-I", "-c", SCRIPT, "-y"])
        .args(as_root())
        .args(arguments(&options.jupyter, &opened))
        .envs(environment.set)
        .env("JUPYTER_PATH", kernel::jupyter_path(home))
        .env(SPEC, kernel::spec_folder(home))
        .env("JUPYTER_RUNTIME_DIR", sockets.path())
        .args(by_sockets(&options.jupyter))
        .args(protections(&options.jupyter))
        .stdin(Stdio::piped())
        .current_dir(home.root());
    supervise(jupyter, "JupyterLab")
}

/// The variable with the folder of our kernelspec, for the script.
const SPEC: &str = "EVENHAND_KERNELSPEC";

/// What keeps a folder that is only opened from running or writing anything. Each unless the user says
/// something else:
///
/// - Our kernel is the only one: JupyterLab starts the kernel that a notebook names as soon as it is
///   opened, and that of another language may run files that lie beside the notebook.
/// - No language server is looked for: many load modules from the folder that they are opened on.
/// - Checkpoints, which are written when a notebook is opened, follow no link.
const PROTECTIONS: [(&str, &str, &[&str]); 4] = [
    (SPECS, "__main__.OurKernel", &[]),
    (
        "--MultiKernelManager.default_kernel_name",
        kernel::NAME,
        &[SPECS],
    ),
    ("--LanguageServerManager.autodetect", "False", &[]),
    (
        "--ContentsManager.checkpoints_class",
        "__main__.OurCheckpoints",
        &[
            "--FileContentsManager.checkpoints_class",
            "--ServerApp.contents_manager_class",
        ],
    ),
];

/// JupyterLab's option for the class that finds kernels.
const SPECS: &str = "--ServerApp.kernel_spec_manager_class";

/// The protections that the user's own arguments leave as they are.
fn protections(passed: &[OsString]) -> Vec<String> {
    PROTECTIONS
        .iter()
        .filter(|(name, _, others)| !says(passed, &[name]) && !says(passed, others))
        .map(|(name, value, _)| format!("{name}={value}"))
        .collect()
}

/// Makes kernels listen on sockets in a private folder and not on ports, which every process on
/// the machine can reach, unless the user chooses a transport.
fn by_sockets(passed: &[OsString]) -> Option<&'static str> {
    let is_said = passed.iter().any(|argument| {
        argument
            .to_string_lossy()
            .contains("KernelManager.transport")
    });
    (!is_said).then_some("--KernelManager.transport=ipc")
}

/// Jupyter refuses to run as root without this option. In a container, root is often the only
/// user.
fn as_root() -> Option<&'static str> {
    rustix::process::geteuid()
        .is_root()
        .then_some("--allow-root")
}

/// JupyterLab's options for its root folder.
const ROOT: [&str; 5] = [
    "--ServerApp.root_dir",
    "--notebook-dir",
    "--ServerApp.notebook_dir",
    "--LabApp.notebook_dir",
    "--NotebookApp.notebook_dir",
];
/// JupyterLab's options for the page that it opens.
const PAGE: [&str; 2] = ["--LabApp.default_url", "--ServerApp.default_url"];

/// What JupyterLab shows first.
#[derive(Debug, PartialEq, Eq)]
struct Opened {
    folder: PathBuf,
    /// The path of its page, if it is not the list of files.
    page: Option<String>,
}

impl Opened {
    /// The folder or the notebook that the user named, or the lessons. In practice, the first of them is the
    /// one that makes what the others need.
    fn from_options(options: &Options, project: &Checkout) -> Result<Self> {
        let Some(named) = options.folder.as_deref() else {
            let first = match options.place.practice {
                Some(_) => "00-prepare-the-cloud.ipynb",
                None => "01-responsible-ai.ipynb",
            };
            return Ok(Self {
                folder: project.notebooks(),
                page: page_of(OsStr::new(first)),
            });
        };
        let path = named.canonicalize().map_err(|error| {
            let failure =
                Failure::new(format!("could not open {}", named.display())).because(error);
            match named.extension() {
                Some(_) => failure.hint("name a folder or a notebook that exists"),
                None => failure.hint(format!(
                    "`evenhand new {}` writes a first notebook there",
                    named.display()
                )),
            }
        })?;
        if path.is_dir() {
            return Ok(Self {
                folder: path,
                page: None,
            });
        }
        match (path.parent(), path.file_name()) {
            (Some(folder), Some(name)) if path.extension() == Some(OsStr::new("ipynb")) => {
                Ok(Self {
                    folder: folder.to_owned(),
                    page: page_of(name),
                })
            }
            _ => Err(Failure::new(format!(
                "{} is neither a folder nor a notebook",
                named.display()
            ))
            .hint("name a folder, or a file whose name ends in .ipynb")),
        }
    }
}

/// The path of a notebook's page. A name may have any characters.
fn page_of(name: &OsStr) -> Option<String> {
    Some(format!(
        "/lab/tree/{}",
        percent_encoded(name.as_bytes(), b"")
    ))
}

fn says(passed: &[OsString], names: &[&str]) -> bool {
    let mut given = passed.iter().map(|argument| option(argument).0);
    given.any(|name| names.iter().any(|known| name == *known))
}

/// The user's arguments, and our own for options that they do not set: JupyterLab does not accept
/// an option twice.
fn arguments(passed: &[OsString], opened: &Opened) -> Vec<OsString> {
    let mut all = Vec::new();
    if !says(passed, &ROOT) {
        all.extend([ROOT[0].into(), opened.folder.clone().into()]);
        if let Some(page) = &opened.page
            && !says(passed, &PAGE)
        {
            all.extend([PAGE[0].into(), page.into()]);
        }
    }
    let mut is_root = false;
    for argument in passed {
        let (name, value) = option(argument);
        all.push(match value {
            // JupyterLab runs elsewhere, but the path is relative to the user's current folder.
            Some(value) if ROOT.iter().any(|known| name == *known) => {
                let mut argument = name.to_owned();
                argument.push("=");
                argument.push(seen_from_here(value));
                argument
            }
            None if is_root => seen_from_here(argument),
            _ => argument.clone(),
        });
        is_root = value.is_none() && ROOT.iter().any(|known| name == *known);
    }
    all
}

/// An argument's name, and the value after `=`.
fn option(argument: &OsStr) -> (&OsStr, Option<&OsStr>) {
    let bytes = argument.as_bytes();
    match bytes.iter().position(|byte| *byte == b'=') {
        Some(place) => (
            OsStr::from_bytes(&bytes[..place]),
            Some(OsStr::from_bytes(&bytes[place + 1..])),
        ),
        None => (argument, None),
    }
}

fn seen_from_here(path: &OsStr) -> OsString {
    std::path::absolute(path).map_or_else(|_| path.to_owned(), Into::into)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn all(passed: &[&str]) -> Vec<String> {
        let passed: Vec<OsString> = passed.iter().map(Into::into).collect();
        let project = Checkout::locate().unwrap();
        let opened = Opened::from_options(&Options::default(), &project).unwrap();
        let all = arguments(&passed, &opened);
        all.into_iter()
            .map(|argument| argument.into_string().unwrap())
            .collect()
    }

    #[test]
    fn nothing_is_said_twice() {
        let project = Checkout::locate().unwrap();
        let root = project.notebooks().to_string_lossy().into_owned();
        let page = "/lab/tree/01-responsible-ai.ipynb";
        let ours = ["--ServerApp.root_dir", &root, "--LabApp.default_url", page];
        assert_eq!(all(&[]), ours);
        assert_eq!(all(&["--no-browser", "--port", "8899"])[..4], ours);
        for passed in [
            ["--ServerApp.root_dir=/x"].as_slice(),
            &["--ServerApp.root_dir", "/x"],
            &["--notebook-dir=/x", "--no-browser"],
        ] {
            assert_eq!(all(passed), passed);
        }
        assert_eq!(
            all(&["--LabApp.default_url=/lab"]),
            ["--ServerApp.root_dir", &root, "--LabApp.default_url=/lab"]
        );
    }

    #[test]
    fn a_folder_that_is_opened_runs_nothing_unless_the_user_says_so() {
        let given = |passed: &[&str]| {
            let passed: Vec<OsString> = passed.iter().map(Into::into).collect();
            protections(&passed)
        };
        let all = given(&["--no-browser"]);
        assert_eq!(
            all,
            [
                "--ServerApp.kernel_spec_manager_class=__main__.OurKernel",
                "--MultiKernelManager.default_kernel_name=rust",
                "--LanguageServerManager.autodetect=False",
                "--ContentsManager.checkpoints_class=__main__.OurCheckpoints",
            ]
        );
        let specs = given(&["--ServerApp.kernel_spec_manager_class=x.Y"]);
        assert_eq!(specs, all[2..]);
        assert_eq!(given(&["--LanguageServerManager.autodetect=True"]).len(), 3);
        assert_eq!(
            given(&["--ServerApp.contents_manager_class", "x.Y"]),
            all[..3]
        );
    }

    #[test]
    fn any_folder_and_any_notebook_can_be_opened() {
        let project = Checkout::locate().unwrap();
        let opened = |path: &Path| {
            let options = Options {
                folder: Some(path.to_owned()),
                ..Options::default()
            };
            Opened::from_options(&options, &project)
        };
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().canonicalize().unwrap();
        assert_eq!(
            opened(&folder).unwrap(),
            Opened {
                folder: folder.clone(),
                page: None,
            }
        );
        let notebook = folder.join("my études #1.ipynb");
        std::fs::write(&notebook, "{}").unwrap();
        std::fs::write(folder.join("text"), "").unwrap();
        let page = opened(&notebook).unwrap().page;
        assert_eq!(page.unwrap(), "/lab/tree/my%20%C3%A9tudes%20%231.ipynb");
        let refused = |name: &str| opened(&folder.join(name)).unwrap_err().to_string();
        assert!(refused("none").contains("/none` writes a first notebook there"));
        assert!(refused("none.ipynb").contains("that exists"));
        assert!(refused("text").contains("neither a folder nor a notebook"));
    }

    #[test]
    fn a_folder_is_the_one_that_the_user_sees() {
        let here = std::env::current_dir().unwrap();
        let here = here.to_string_lossy();
        assert_eq!(
            all(&["--ServerApp.root_dir=x"]),
            [format!("--ServerApp.root_dir={here}/x")]
        );
        assert_eq!(
            all(&["--notebook-dir", "x", "y"]),
            ["--notebook-dir", &format!("{here}/x"), "y"]
        );
    }
}
