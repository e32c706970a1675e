//! What a line such as `:dep evenhand` means: the installed toolkit, wherever the notebook is.
//!
//! evcxr would look for the crate on the registry. So a line that names no source is given to it with
//! the path of the toolkit's library, in exactly the form in which the warm build was made. A line
//! that names another source is the reader's own; only a path is looked at, since a notebook often
//! comes from another checkout. A path to the library means its package for notebooks.
//!
//! - `dependency`: the line and its contents; `requirement`: versions.

mod dependency;
mod requirement;

use std::path::{Path, PathBuf};

use evenhand::text::sanitize_line;

use self::dependency::{Source, is_command, source};
use super::error::CellError;
use crate::paths::checkout::FOR_NOTEBOOKS;

/// The version of the toolkit: library and launcher have the same.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The length limit for showing what a line says.
const MAX_LENGTH: usize = 200;

/// The installed toolkit, for a notebook in a folder.
#[derive(Clone, Debug)]
pub struct Toolkit {
    library: PathBuf,
    folder: PathBuf,
}

/// What evcxr is given for a cell.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Translated {
    pub code: String,
    /// What the reader should know before the cell runs.
    pub notes: Vec<String>,
}

/// What a line means.
enum Meaning {
    /// Nothing of ours.
    Other,
    /// The installed toolkit, with this text in place of what follows `=`.
    Installed(String),
    /// The library of another checkout, with this text in place of what follows `=`.
    OtherCheckout { folder: PathBuf, config: String },
}

impl Toolkit {
    /// The toolkit whose package for notebooks is in this folder, for notebooks in the other folder, to
    /// which their paths are relative.
    pub fn new(library: PathBuf, folder: PathBuf) -> Self {
        Self { library, folder }
    }

    /// The folder of the notebook.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The line that loads the library.
    pub fn line(&self) -> String {
        format!(":dep evenhand = {}", self.config(""))
    }

    /// Whether a cell's first line that depends on the toolkit means exactly the installed one, as
    /// `line` does. `None` if there is no such line.
    pub fn is_meant(&self, code: &str) -> Option<bool> {
        let source = code.lines().find_map(source)?;
        Some(self.meaning(&source).is_ok_and(
            |meaning| matches!(meaning, Meaning::Installed(config) if config == self.config("")),
        ))
    }

    /// The cell as evcxr understands it. Without an installed toolkit, a line that means it is an error.
    ///
    /// Fails if a line asks for a version or a folder that is not there.
    pub fn translate(toolkit: Option<&Self>, code: &str) -> Result<Translated, CellError> {
        let mut translated = Translated::default();
        let mut commands = true;
        for line in code.split_inclusive('\n') {
            commands = commands && is_command(line);
            let found = source(line).filter(|_| commands);
            let meaning = match (&found, toolkit) {
                (None, _) => Meaning::Other,
                (Some(source), Some(toolkit)) => toolkit.meaning(source)?,
                (Some(Source::Installed { .. }), None) => return Err(nowhere()),
                (Some(_), None) => Meaning::Other,
            };
            let config = match meaning {
                Meaning::Other => None,
                Meaning::Installed(config) => Some(config),
                Meaning::OtherCheckout { folder, config } => {
                    translated.notes.push(other_checkout(&folder));
                    Some(config)
                }
            };
            let end = &line[line.trim_end_matches(['\r', '\n']).len()..];
            translated.code += &match config {
                Some(config) => format!(":dep evenhand = {config}{end}"),
                None => line.to_owned(),
            };
        }
        Ok(translated)
    }

    fn meaning(&self, source: &Source) -> Result<Meaning, CellError> {
        match source {
            Source::Installed { version, rest } => match version {
                Some(version) if !requirement::matches(version, VERSION) => {
                    Err(other_version(version))
                }
                _ => Ok(Meaning::Installed(self.config(rest))),
            },
            Source::Path {
                path: Some(path),
                rest,
            } => {
                let folder = for_notebooks(self.folder.join(path));
                if self.is_own(&folder) {
                    Ok(Meaning::Installed(self.config(rest)))
                } else if !folder.join("Cargo.toml").is_file() {
                    Err(no_library(path))
                } else {
                    let config = config(&folder, rest);
                    Ok(Meaning::OtherCheckout { folder, config })
                }
            }
            Source::Path { path: None, .. } | Source::Elsewhere => Ok(Meaning::Other),
        }
    }

    fn is_own(&self, folder: &Path) -> bool {
        matches!((folder.canonicalize(), self.library.canonicalize()), (Ok(meant), Ok(own)) if meant == own)
    }

    fn config(&self, rest: &str) -> String {
        config(&self.library, rest)
    }
}

/// What follows `=`: the path, and the line's other keys.
fn config(library: &Path, rest: &str) -> String {
    format!("{{ path = {library:?}{rest} }}")
}

/// The package for notebooks of the library in this folder, if it has one. A cell that linked the other
/// package would take seconds, and have statics of its own.
fn for_notebooks(folder: PathBuf) -> PathBuf {
    let package = folder.join(FOR_NOTEBOOKS);
    match package.join("Cargo.toml").is_file() {
        true => package,
        false => folder,
    }
}

fn shown(text: &str) -> String {
    sanitize_line(text, MAX_LENGTH)
}

fn other_version(version: &str) -> CellError {
    CellError::new(
        "Error",
        format!(
            "`{}` is not the installed version of evenhand, which is {VERSION}\n  hint: write `:dep \
             evenhand`, which means the installed one; for another version, get its sources and run \
             `cargo run -- kernel install` there",
            shown(version)
        ),
    )
}

fn no_library(path: &str) -> CellError {
    CellError::new(
        "Error",
        format!(
            "there is no crate in {}\n  hint: write `:dep evenhand`, which means the installed toolkit, \
             version {VERSION}, in any folder",
            shown(path)
        ),
    )
}

fn nowhere() -> CellError {
    CellError::new(
        "Error",
        "the checkout of the installed toolkit is not where it was when this kernel was built\n  hint: \
         run `cargo run -- kernel install` in its new folder, and start the kernel again",
    )
}

fn other_checkout(path: &Path) -> String {
    let version = dependency::version_of(&path.join("Cargo.toml"));
    let version = version.map_or(String::new(), |version| {
        format!(", version {}", shown(&version))
    });
    format!(
        "! {} is the library of another checkout{version}, not the installed toolkit (version \
         {VERSION}): it is compiled first, which may take minutes. `:dep evenhand` means the installed \
         one",
        shown(&path.display().to_string())
    )
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    /// A checkout with a notebook's folder in it, and another checkout.
    struct Place {
        root: tempfile::TempDir,
        toolkit: Toolkit,
    }

    impl Place {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            let folders = [
                ("crate", VERSION),
                ("crate/notebook", VERSION),
                ("old/crate", "0.0.9"),
                ("new/crate", "0.3.0"),
                ("new/crate/notebook", "0.3.0"),
            ];
            for (folder, version) in folders {
                let folder = root.path().join(folder);
                std::fs::create_dir_all(&folder).unwrap();
                let manifest = format!("[package]\nname = \"evenhand\"\nversion = {version:?}\n");
                std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
            }
            std::fs::create_dir(root.path().join("notebooks")).unwrap();
            let library = root.path().join("crate/notebook");
            let toolkit = Toolkit::new(library, root.path().join("notebooks"));
            Self { root, toolkit }
        }

        fn translate(&self, code: &str) -> Result<Translated, String> {
            let translated = Toolkit::translate(Some(&self.toolkit), code);
            translated.map_err(|error| self.short(&error.value))
        }

        fn short(&self, text: &str) -> String {
            text.replace(self.root.path().to_str().unwrap(), "ROOT")
        }

        fn code(&self, code: &str) -> String {
            let translated = self.translate(code).unwrap();
            assert_eq!(translated.notes, Vec::<String>::new(), "{code}");
            self.short(&translated.code)
        }
    }

    #[test]
    fn a_line_without_a_source_means_the_installed_toolkit() {
        let place = Place::new();
        let line = place.short(&place.toolkit.line());
        assert_snapshot!(line, @r#":dep evenhand = { path = "ROOT/crate/notebook" }"#);
        for asked in [
            ":dep evenhand",
            "  :dep  evenhand  ",
            ":dep evenhand = \"0.1\"",
            ":dep evenhand=\"0.1.0\"",
            ":dep evenhand = \"*\"",
            ":dep evenhand = { version = \"^0.1\" }",
            ":dep evenhand = {}",
            ":dep evenhand = { path = \"../crate/notebook\" }",
            ":dep evenhand = { path = '../crate/' }",
        ] {
            assert_eq!(place.code(asked), line, "{asked}");
            assert_eq!(place.toolkit.is_meant(asked), Some(true), "{asked}");
        }
        assert_snapshot!(
            place.code(":dep evenhand = { version = \"0.1\", features = [\"spark\", \"notebook\"] }"),
            @r#":dep evenhand = { path = "ROOT/crate/notebook", features = ["spark", "notebook"] }"#
        );
    }

    #[test]
    fn only_the_line_changes() {
        let place = Place::new();
        assert_snapshot!(
            place.code("// first\n:dep regex = \"1\"\r\n:dep evenhand\r\n\nuse evenhand::prelude::*;\nlet s = \"\n:dep evenhand\n\";"),
            @r#"
        // first
        :dep regex = "1"
        :dep evenhand = { path = "ROOT/crate/notebook" }

        use evenhand::prelude::*;
        let s = "
        :dep evenhand
        ";
        "#
        );
    }

    #[test]
    fn what_has_a_source_of_its_own_is_the_readers() {
        let place = Place::new();
        for code in [
            ":dep evenhand = { path = \"../crate\", optional = true }",
            ":dep evenhand = { git = \"https://example.com/evenhand\" }",
            ":dep evenhand = { package = \"evil\", version = \"0.1\" }",
            ":dep evenhand = { registry = \"mine\", version = \"0.1\" }",
            ":dep evenhand_other = \"1\"",
            ":dep evenhander",
            ":dep ./evenhand",
            "let evenhand = 1;",
            "",
        ] {
            assert_eq!(place.code(code), code);
        }
    }

    #[test]
    fn another_version_is_refused_and_named() {
        let place = Place::new();
        let refused = |code: &str| place.translate(code).unwrap_err();
        assert_snapshot!(refused(":dep evenhand = \"0.2\""), @r"
        `0.2` is not the installed version of evenhand, which is 0.1.0
          hint: write `:dep evenhand`, which means the installed one; for another version, get its sources and run `cargo run -- kernel install` there
        ");
        assert!(refused(":dep evenhand = { version = \"=0.1.7\" }").contains("0.1.7"));
    }

    #[test]
    fn a_path_that_is_not_the_installed_toolkit_is_named() {
        let place = Place::new();
        let gone = place.translate(":dep evenhand = { path = \"../gone/crate\" }");
        assert_snapshot!(gone.unwrap_err(), @r"
        there is no crate in ../gone/crate
          hint: write `:dep evenhand`, which means the installed toolkit, version 0.1.0, in any folder
        ");
        let line = ":dep evenhand = { path = \"../old/crate\" }";
        let old = place.translate(line).unwrap();
        assert_eq!(
            place.short(&old.code),
            ":dep evenhand = { path = \"ROOT/notebooks/../old/crate\" }"
        );
        let new =
            place.translate(":dep evenhand = { path = \"../new/crate\", features = [\"spark\"] }");
        assert_snapshot!(place.short(&new.unwrap().code), @r#":dep evenhand = { path = "ROOT/notebooks/../new/crate/notebook", features = ["spark"] }"#);
        assert_snapshot!(place.short(&old.notes.join("\n")), @"! ROOT/notebooks/../old/crate is the library of another checkout, version 0.0.9, not the installed toolkit (version 0.1.0): it is compiled first, which may take minutes. `:dep evenhand` means the installed one");
        assert_eq!(place.toolkit.is_meant(line), Some(false));
    }

    #[test]
    fn without_a_toolkit_the_line_says_what_to_do() {
        let refused = Toolkit::translate(None, ":dep evenhand").unwrap_err();
        assert_snapshot!(refused.value, @r"
        the checkout of the installed toolkit is not where it was when this kernel was built
          hint: run `cargo run -- kernel install` in its new folder, and start the kernel again
        ");
        let own = ":dep evenhand = { path = \"../crate\" }";
        assert_eq!(Toolkit::translate(None, own).unwrap().code, own);
    }

    proptest! {
        #[test]
        fn any_cell_keeps_its_lines(code in r#"(:dep evenhand ?=? ?[ {}path="'\\.,0-9\[\]]{0,20}\r?\n?|[a-z :]{0,9}\n?){0,5}"#, text: String) {
            let place = Place::new();
            for code in [code, text] {
                if let Ok(translated) = place.translate(&code) {
                    prop_assert_eq!(translated.code.lines().count(), code.lines().count());
                }
                let _ = place.toolkit.is_meant(&code);
            }
        }
    }
}
