//! Where a kernelspec goes: the options that Jupyter's own kernels have.

use std::path::{Path, PathBuf};

use crate::error::{Failure, Result};
use crate::paths::jupyter::{DataFolder, OLDEST_CLIENT, Python, is_too_old};
use crate::terminal::err;

/// The folder and the name of a kernelspec.
#[derive(clap::Args, Debug)]
pub struct Place {
    /// In your own Jupyter folder, where all Jupyters look that you start (the default)
    #[arg(long, conflicts_with_all = ["sys_prefix", "prefix"])]
    user: bool,
    /// In the active Python environment
    #[arg(long, conflicts_with = "prefix")]
    sys_prefix: bool,
    /// In PATH/share/jupyter
    #[arg(long, value_name = "PATH")]
    prefix: Option<PathBuf>,
    /// The kernel's name, by which notebooks and tools choose it
    #[arg(long, value_name = "NAME", default_value = "evenhand")]
    name: String,
}

/// What `Place` means on this machine.
pub struct Located {
    /// The folder of the kernelspec.
    pub folder: PathBuf,
    /// The kernel's name.
    pub name: String,
    /// The Python that will find it, if one is named or active.
    pub python: Option<Python>,
    /// Whether the folder belongs to one Python environment.
    pub is_of_python: bool,
}

impl Place {
    /// Finds the folder. Nothing is created.
    pub fn locate(&self) -> Result<Located> {
        let name = checked(&self.name)?;
        let (data, python, is_of_python) = if let Some(prefix) = &self.prefix {
            let prefix = absolute(prefix)?;
            let python = Python::of_prefix(&prefix);
            (DataFolder::of_prefix(&prefix), python, true)
        } else if self.sys_prefix {
            let python = Python::active()?;
            (DataFolder::of_prefix(&python.prefix), Some(python), true)
        } else {
            (DataFolder::of_user()?, Python::active().ok(), false)
        };
        if name == "rust" && !is_of_python {
            return Err(Failure::new(
                "`rust` is the name of evcxr's own kernel, which evcxr rewrites in your Jupyter \
                 folder whenever it starts",
            )
            .hint("choose another --name, or a Python environment with --sys-prefix"));
        }
        Ok(Located {
            folder: data.kernels().join(&name),
            name,
            python,
            is_of_python,
        })
    }
}

impl Located {
    /// Refuses a Jupyter that can't stop this kernel. Where several may look, it is only reported.
    pub fn check_version(&self) -> Result<()> {
        let Some(python) = &self.python else {
            return Ok(());
        };
        let Some(client) = python.client.as_ref().filter(|client| is_too_old(client)) else {
            return Ok(());
        };
        let (major, minor) = OLDEST_CLIENT;
        let message = format!(
            "the Jupyter in {} is too old for this kernel: its jupyter_client is {client}, and \
             stopping a cell needs {major}.{minor}",
            python.prefix.display()
        );
        if self.is_of_python {
            return Err(Failure::new(message).hint(format!(
                "upgrade it: `{}/bin/python -m pip install --upgrade jupyter_client`",
                python.prefix.display()
            )));
        }
        err!("! {message}");
        Ok(())
    }
}

/// A name that Jupyter accepts. It compares names in lower case.
fn checked(name: &str) -> Result<String> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let is_only_dots = name.chars().all(|letter| letter == '.');
    if is_only_dots || name.len() > 100 || !name.chars().all(is_plain) {
        return Err(
            Failure::new(format!("`{name}` can't be the name of a kernel")).hint(
                "use up to 100 letters without accents, digits, `.`, `_` and `-`; the name that \
                 readers see is --display-name",
            ),
        );
    }
    Ok(name.to_ascii_lowercase())
}

fn absolute(prefix: &Path) -> Result<PathBuf> {
    std::path::absolute(prefix).map_err(|error| {
        Failure::new(format!("--prefix {} can't be used", prefix.display()))
            .because(error)
            .hint("name a folder, such as /usr/local")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_one_that_jupyter_accepts() {
        assert_eq!(checked("Evenhand-0.1_b").unwrap(), "evenhand-0.1_b");
        for name in ["", ".", "..", "a/b", "a b", "é", "a\n", &"x".repeat(101)] {
            let refused = checked(name).unwrap_err().to_string();
            assert!(refused.contains("can't be the name of a kernel"), "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_name_leaves_its_folder(name: String) {
            if let Ok(name) = checked(&name) {
                let path = Path::new("/kernels").join(&name);
                prop_assert_eq!(path.components().count(), 3);
                prop_assert!(!path.ends_with(".."));
            }
        }
    }
}
