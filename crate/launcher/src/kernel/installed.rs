//! Kernelspecs for Jupyters that the launcher does not start: their content, how one of ours is
//! recognized, and whether it still works.
//!
//! Such a spec starts a copy of the launcher in the launcher's own folder (`starter`), since the
//! checkout may be moved: a program that is gone could not say so.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::error::{Context, Failure, Result};
use crate::paths::checkout::Checkout;
use crate::paths::home::Home;
use crate::paths::own_program::own_program;
use crate::paths::which::on_path;

/// The name of our entry in the metadata of a kernelspec.
const OURS: &str = "evenhand";

/// The size limit of a kernelspec that is read, in bytes.
const MAX_LENGTH: u64 = 1024 * 1024;

/// The files of a kernelspec of ours.
const FILES: [&str; 2] = ["kernel.json", "logo-svg.svg"];

/// The picture that Jupyter shows for the kernel.
const LOGO: &str = include_str!("installed/logo.svg");

/// Variables that say where Rust is. A Jupyter that a service starts does not have the user's.
const OF_RUST: [&str; 2] = ["CARGO_HOME", "RUSTUP_HOME"];

/// What an installed kernelspec says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledSpec {
    /// The folder of the kernelspec, whose name is the kernel's.
    pub folder: PathBuf,
    pub display_name: String,
    /// The launcher's version that wrote it.
    pub version: String,
    /// The launcher's home.
    pub home: PathBuf,
    /// The checkout that the launcher was built from.
    pub checkout: PathBuf,
    /// The program that a Jupyter starts.
    starter: PathBuf,
}

/// What is at the place of a kernelspec.
#[derive(Debug)]
pub enum Found {
    Nothing,
    Ours(Box<InstalledSpec>),
    /// Something that the launcher did not write.
    Foreign,
}

/// The content of a kernelspec that starts this program.
pub fn content(home: &Home, project: &Checkout, display_name: &str) -> Result<Value> {
    let program = own_program()?;
    let mut argv = vec![
        text(&starter(home))?,
        "kernel".to_owned(),
        "--program".to_owned(),
        text(&program)?,
    ];
    if let Some(folder) = on_path("cargo").as_deref().and_then(Path::parent) {
        argv.extend(["--rust".to_owned(), text(folder)?]);
    }
    argv.extend(["--connection-file", "{connection_file}"].map(str::to_owned));
    let mut environment = Map::new();
    environment.insert("EVENHAND_HOME".to_owned(), text(home.root())?.into());
    for name in OF_RUST {
        let set = std::env::var_os(name).filter(|value| !value.is_empty());
        if let Some(value) = set {
            environment.insert(name.to_owned(), text(Path::new(&value))?.into());
        }
    }
    Ok(json!({
        "argv": argv,
        "display_name": display_name,
        "language": "rust",
        "interrupt_mode": "message",
        "env": environment,
        "metadata": {
            OURS: {
                "version": env!("CARGO_PKG_VERSION"),
                "home": text(home.root())?,
                "checkout": text(project.root())?,
            },
        },
    }))
}

/// The copy of the launcher that an installed kernelspec starts.
pub fn starter(home: &Home) -> PathBuf {
    home.kernel().join("bin").join("evenhand-kernel")
}

fn text(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        Failure::new(format!(
            "{} is not UTF-8, which a kernelspec can't hold",
            path.display()
        ))
        .hint("use a folder with a plain name")
    })
}

/// What is in this folder. It is only read.
pub fn find(folder: &Path) -> Result<Found> {
    match fs::symlink_metadata(folder) {
        Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => {
            return Ok(Found::Nothing);
        }
        Err(error) => {
            return Err(Failure::new(format!("could not read {}", folder.display()))
                .because(error)
                .hint("check that the folder is yours, or choose another place"));
        }
        // What a link leads to is somebody else's.
        Ok(found) if !found.is_dir() => return Ok(Found::Foreign),
        Ok(_) => {}
    }
    let spec =
        read_spec(&folder.join(FILES[0])).and_then(|spec| InstalledSpec::from_spec(folder, &spec));
    Ok(spec.map_or(Found::Foreign, |spec| Found::Ours(Box::new(spec))))
}

fn read_spec(file: &Path) -> Option<Value> {
    // Reading anything but a regular file, such as a pipe, may never end.
    if !fs::symlink_metadata(file).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    let file = File::open(file).ok()?;
    file.take(MAX_LENGTH).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

impl InstalledSpec {
    fn from_spec(folder: &Path, spec: &Value) -> Option<Self> {
        let ours = spec["metadata"][OURS].as_object()?;
        let text = |name: &str| Some(ours.get(name)?.as_str()?.to_owned());
        Some(Self {
            folder: folder.to_owned(),
            display_name: spec["display_name"].as_str()?.to_owned(),
            version: text("version")?,
            home: text("home")?.into(),
            checkout: text("checkout")?.into(),
            starter: spec["argv"][0].as_str()?.into(),
        })
    }

    /// The kernel's name.
    pub fn name(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Why the kernel can't start, if it can't.
    pub fn trouble(&self) -> Option<Failure> {
        if !self.starter.is_file() {
            return Some(
                Failure::new(format!("its program {} is gone", self.starter.display())).hint(AGAIN),
            );
        }
        let is_there = self.checkout.join("crate/Cargo.toml").is_file();
        (!is_there).then(|| {
            Failure::new(format!(
                "its checkout is no longer at {}",
                self.checkout.display()
            ))
            .hint(MOVED)
        })
    }

    /// Removes its files, and its folder unless somebody else put something into it. Returns whether
    /// the folder is gone.
    pub fn remove(&self) -> Result<bool> {
        let context = |error: std::io::Error| {
            Failure::new(format!("could not remove {}", self.folder.display()))
                .because(error)
                .hint("remove it as the user who installed it")
        };
        for file in FILES {
            match fs::remove_file(self.folder.join(file)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(context(error)),
                _ => {}
            }
        }
        match fs::remove_dir(&self.folder) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(false),
            Err(error) => Err(context(error)),
        }
    }
}

/// What to do about a kernel whose checkout was moved.
pub const MOVED: &str = "if you moved the checkout, run `cargo run -- kernel install` in its new \
     folder; if you removed it, `evenhand kernel uninstall` removes the kernel";

const AGAIN: &str =
    "run `cargo run -- kernel install` in the checkout, with the same options as before";

/// Writes a kernelspec into its folder. Each file is replaced as a whole, so that no Jupyter reads
/// half of it.
pub fn write(folder: &Path, content: &Value) -> Result<()> {
    let write = || {
        fs::create_dir_all(folder)?;
        for (file, text) in FILES.iter().zip([&format!("{content:#}\n"), LOGO]) {
            let mut new = tempfile::Builder::new()
                .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
                .tempfile_in(folder)?;
            new.write_all(text.as_bytes())?;
            new.persist(folder.join(file))?;
        }
        Ok::<_, std::io::Error>(())
    };
    write().with_context(|| format!("could not write the kernelspec in {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(checkout: &Path, starter: &Path) -> Value {
        json!({
            "argv": [starter, "kernel"],
            "display_name": "Rust (evenhand)",
            "metadata": {"evenhand": {"version": "0.1.0", "home": "/h", "checkout": checkout}},
        })
    }

    #[test]
    fn what_is_written_is_recognized_and_can_be_removed() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("kernels/evenhand");
        assert!(matches!(find(&place).unwrap(), Found::Nothing));
        write(&place, &spec(Path::new("/c"), Path::new("/p"))).unwrap();
        let Found::Ours(ours) = find(&place).unwrap() else {
            panic!("not recognized");
        };
        assert_eq!(
            (ours.name().as_str(), ours.version.as_str()),
            ("evenhand", "0.1.0")
        );
        assert!(ours.remove().unwrap());
        assert!(!place.exists());
    }

    #[test]
    fn what_somebody_else_put_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("evenhand");
        write(&place, &spec(Path::new("/c"), Path::new("/p"))).unwrap();
        fs::write(place.join("notes.txt"), "mine").unwrap();
        let Found::Ours(ours) = find(&place).unwrap() else {
            panic!("not recognized");
        };
        assert!(!ours.remove().unwrap());
        assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
    }

    #[test]
    fn what_is_not_ours_is_foreign() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("evenhand");
        fs::create_dir(&place).unwrap();
        assert!(matches!(find(&place).unwrap(), Found::Foreign), "empty");
        for text in [
            "no JSON",
            "{}",
            r#"{"argv": ["x"], "display_name": "Rust", "metadata": {}}"#,
            r#"{"argv": [], "display_name": "Rust", "metadata": {"evenhand": {"version": "0"}}}"#,
        ] {
            fs::write(place.join("kernel.json"), text).unwrap();
            assert!(matches!(find(&place).unwrap(), Found::Foreign), "{text}");
        }
        let link = folder.path().join("link");
        write(&place, &spec(Path::new("/c"), Path::new("/p"))).unwrap();
        std::os::unix::fs::symlink(&place, &link).unwrap();
        assert!(matches!(find(&link).unwrap(), Found::Foreign), "a link");
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(find(&file).unwrap(), Found::Foreign), "a file");
    }

    #[test]
    fn a_kernel_that_cannot_start_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let trouble = || {
            let spec = spec(&path("checkout"), &path("starter"));
            let spec = InstalledSpec::from_spec(&path("evenhand"), &spec).unwrap();
            spec.trouble()
                .map(|failure| failure.to_string())
                .unwrap_or_default()
        };
        assert!(trouble().contains("starter is gone"), "{}", trouble());
        fs::write(path("starter"), "").unwrap();
        assert!(trouble().contains("no longer at"), "{}", trouble());
        assert!(trouble().contains("hint: if you moved the checkout"));
        fs::create_dir_all(path("checkout/crate")).unwrap();
        fs::write(path("checkout/crate/Cargo.toml"), "").unwrap();
        assert_eq!(trouble(), "");
    }
}
