//! The default location of a journal: `.evenhand/` next to the notebook, ignored by git.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::errors::{VARIABLE, unusable, unwritable};
use super::parameters::Parameters;
use super::private::close_folder;
use super::{beside, requests_path};
use crate::error::Result;
use crate::settings;

const FOLDER: &str = ".evenhand";

/// The journal for batches with these parameters that run in this folder: a file in
/// `.evenhand/`, which is created if needed, or in the folder that `EVENHAND_JOURNAL` names.
/// `None` if that is `off`.
///
/// # Errors
/// The folder can't be created, it or a file in it is a link, or a `.env` file can't be read.
pub(crate) fn place(folder: &Path, parameters: &Parameters) -> Result<Option<PathBuf>> {
    let setting = settings::variable(folder, VARIABLE)?;
    place_with(folder, setting.as_deref(), parameters)
}

fn place_with(
    folder: &Path,
    setting: Option<&str>,
    parameters: &Parameters,
) -> Result<Option<PathBuf>> {
    let inside = match setting {
        Some(off) if off.eq_ignore_ascii_case("off") => return Ok(None),
        Some(elsewhere) => folder.join(elsewhere),
        None => hidden_folder(folder)?,
    };
    let path = inside.join(format!("{}.jsonl", file_stem(parameters)));
    // Nobody named these files: a link among them may have come with somebody else's.
    if setting.is_none() {
        for file in [&path, &requests_path(&path), &beside(&path, "batches")] {
            if file.is_symlink() {
                return Err(
                    unusable(file, "is a link, through which nothing is written").with_hint(
                        format!("remove it, or set {VARIABLE} to the folder of the file itself"),
                    ),
                );
            }
        }
    }
    Ok(Some(path))
}

fn hidden_folder(folder: &Path) -> Result<PathBuf> {
    let hidden = folder.join(FOLDER);
    let ignore = hidden.join(".gitignore");
    make_folder(&hidden).map_err(|error| unwritable(&hidden, error))?;
    close_folder(&hidden)?;
    // Not through a link that came with somebody else's files.
    match File::create_new(&ignore).and_then(|mut file| file.write_all(b"*\n")) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(unwritable(&ignore, error))
        }
        _ => Ok(hidden),
    }
}

/// Creates the folder and its missing parents, accessible only to their owner because they hold
/// prompts and answers.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

impl Parameters {
    /// The file name of a journal of requests with these parameters, without its extension.
    pub(crate) fn file_stem(&self) -> String {
        file_stem(self)
    }
}

/// The deployment's name, shortened and restricted to characters that every file system allows,
/// followed by the parameters' hash, which distinguishes names that become equal that way.
fn file_stem(parameters: &Parameters) -> String {
    let safe = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => c,
        _ => '_',
    };
    let name: String = parameters.deployment().chars().take(60).map(safe).collect();
    let name = name.trim_start_matches('.');
    format!("{name}-{}", parameters.hash())
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn parameters(deployment: &str) -> Parameters {
        Parameters::new("h", deployment, &json!({"max_tokens": 100}))
    }

    #[test]
    fn a_journal_lies_beside_the_notebook_where_git_does_not_look() {
        let folder = tempfile::tempdir().unwrap();
        let path = place_with(folder.path(), None, &parameters("gpt-4o"))
            .unwrap()
            .unwrap();
        let inside = path.strip_prefix(folder.path()).unwrap();
        assert_snapshot!(inside.display(), @".evenhand/gpt-4o-81c4f4c2.jsonl");
        let hidden = fs::metadata(folder.path().join(".evenhand")).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&hidden.permissions());
        assert_eq!(mode & 0o777, 0o700);
        let ignore = folder.path().join(".evenhand/.gitignore");
        assert_eq!(fs::read_to_string(&ignore).unwrap(), "*\n");

        fs::write(&ignore, "!kept\n").unwrap();
        place_with(folder.path(), None, &parameters("gpt-4o")).unwrap();
        assert_eq!(fs::read_to_string(&ignore).unwrap(), "!kept\n");
    }

    #[test]
    fn a_folder_that_others_may_read_is_closed() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let hidden = folder.path().join(FOLDER);
        for mode in [0o755, 0o777, 0o2750] {
            fs::create_dir_all(&hidden).unwrap();
            fs::set_permissions(&hidden, fs::Permissions::from_mode(mode)).unwrap();
            place_with(folder.path(), None, &parameters("gpt-4o")).unwrap();
            let closed = fs::metadata(&hidden).unwrap().permissions().mode();
            assert_eq!(closed & 0o777, 0o700, "{mode:o}");
        }
    }

    #[test]
    fn a_link_in_place_of_the_ignore_file_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let hidden = folder.path().join(FOLDER);
        fs::create_dir(&hidden).unwrap();
        std::os::unix::fs::symlink("../created", hidden.join(".gitignore")).unwrap();
        place_with(folder.path(), None, &parameters("gpt-4o")).unwrap();
        assert!(!folder.path().join("created").exists());
    }

    #[test]
    fn a_link_in_place_of_the_folder_or_of_a_file_is_refused() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        fs::create_dir(&target).unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o755)).unwrap();
        symlink("target", folder.path().join(FOLDER)).unwrap();
        let refused = || place_with(folder.path(), None, &parameters("d")).unwrap_err();
        let message = refused().to_string();
        assert!(message.contains(".evenhand is a link"), "{message}");
        assert!(message.contains("hint: remove the link"), "{message}");
        let mode = fs::metadata(&target).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755, "the target was changed");
        assert_eq!(fs::read_dir(&target).unwrap().count(), 0);

        fs::remove_file(folder.path().join(FOLDER)).unwrap();
        let path = place_with(folder.path(), None, &parameters("d")).unwrap();
        let path = path.unwrap();
        for file in [path.clone(), requests_path(&path)] {
            symlink("../created", &file).unwrap();
            let message = refused().to_string();
            assert!(
                message.contains("through which nothing is written"),
                "{message}"
            );
            fs::remove_file(&file).unwrap();
        }
    }

    #[test]
    fn the_setting_names_another_folder_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let place = |setting| place_with(folder.path(), Some(setting), &parameters("d")).unwrap();
        assert_eq!(place("off"), None);
        assert_eq!(place("OFF"), None);
        let inside = place("runs").unwrap();
        assert_eq!(inside.parent().unwrap(), folder.path().join("runs"));
        assert_eq!(
            place("/data").unwrap().parent().unwrap(),
            Path::new("/data")
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_env_file_counts() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".env"), "EVENHAND_JOURNAL=off\n").unwrap();
        assert_eq!(place(folder.path(), &parameters("d")).unwrap(), None);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_told() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FOLDER), "a file").unwrap();
        let error = place_with(folder.path(), None, &parameters("d")).unwrap_err();
        let message = error
            .to_string()
            .replace(folder.path().to_str().unwrap(), "FOLDER");
        assert_snapshot!(message, @"
        FOLDER/.evenhand can't be written
          hint: the answers are kept there: set EVENHAND_JOURNAL to a folder that can be written, or to off
        ");
    }

    proptest! {
        #[test]
        fn no_deployment_leads_out_of_the_folder(deployment in any::<String>()) {
            let name = file_stem(&parameters(&deployment));
            prop_assert_eq!(Path::new(&name).components().count(), 1);
            prop_assert!(name.len() < 100 && !name.starts_with('.'));
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            prop_assert!(name.chars().all(plain));
        }
    }
}
