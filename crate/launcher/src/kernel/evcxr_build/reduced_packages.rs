//! Copies of packages without the bodies of their functions, for rust-analyzer alone. The compiler reads
//! the packages themselves.
//!
//! A copy is made when a package is first used, and kept for all kernels. Packages from a registry never
//! change; all others are read where they are.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::kernel::copy_reduced;
use crate::paths::home::private;

/// The variable that names the folder of the copies.
pub const FOLDER: &str = "EVENHAND_REDUCED_PACKAGES";

/// Counted up when the copies are made in another way.
const FORMAT: u32 = 1;

/// Folders of a package that are not part of its library.
const LEFT_OUT: [&str; 5] = ["tests", "benches", "examples", "target", ".git"];

/// Replaces the paths in the output of `cargo metadata` by those of the copies in this folder. A package
/// of which no copy can be made keeps its path, and only takes more memory.
pub(super) fn redirect(metadata: &mut Value, folder: &Path) {
    let packages = metadata.get_mut("packages").and_then(Value::as_array_mut);
    for package in packages.into_iter().flatten() {
        if let Some((from, to)) = copied(package, folder) {
            redirect_package(package, &from, &to);
        }
    }
}

/// The folder of a package and that of its copy, which is made if needed.
fn copied(package: &Value, folder: &Path) -> Option<(PathBuf, PathBuf)> {
    let text = |field: &str| package[field].as_str();
    let source = text("source").filter(|source| source.starts_with("registry+"))?;
    let (name, version) = (text("name")?, text("version")?);
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.+".contains(letter);
    if !name.chars().chain(version.chars()).all(is_plain) {
        return None;
    }
    let from = Path::new(text("manifest_path")?).parent()?;
    let mut key = DefaultHasher::new();
    (FORMAT, source, from).hash(&mut key);
    let to = folder.join(format!("{name}-{version}-{:016x}", key.finish()));
    if !to.is_dir() {
        make(from, &to).ok()?;
    }
    Some((from.to_owned(), to))
}

/// Makes a copy. It gets its name last, and another process may be faster.
fn make(from: &Path, to: &Path) -> io::Result<()> {
    let folder = to.parent().unwrap_or(to);
    private::create_folder(folder)?;
    let new = tempfile::Builder::new().prefix("new-").tempdir_in(folder)?;
    copy_reduced(from, new.path(), &LEFT_OUT, |name| name == "Cargo.toml")?;
    match fs::rename(new.path(), to) {
        Err(_) if to.is_dir() => Ok(()),
        renamed => {
            renamed?;
            let _ = new.keep();
            Ok(())
        }
    }
}

fn redirect_package(package: &mut Value, from: &Path, to: &Path) {
    let redirect = |path: &mut Value| {
        let redirected = path
            .as_str()
            .and_then(|path| Path::new(path).strip_prefix(from).ok())
            .map(|inside| to.join(inside))
            // The copy may lack targets that are not the package's library.
            .filter(|redirected| redirected.is_file());
        if let Some(redirected) = redirected.as_deref().and_then(Path::to_str) {
            *path = redirected.into();
        }
    };
    if let Some(path) = package.get_mut("manifest_path") {
        redirect(path);
    }
    let targets = package.get_mut("targets").and_then(Value::as_array_mut);
    for target in targets.into_iter().flatten() {
        if let Some(path) = target.get_mut("src_path") {
            redirect(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rust_analyzer_reads_signatures_and_other_packages_stay() {
        let place = tempfile::tempdir().unwrap();
        let package = place.path().join("one-1.0.0");
        for (file, text) in [
            ("Cargo.toml", "[package]"),
            ("src/lib.rs", "pub fn a() -> u8 { 1 }"),
            ("tests/a.rs", "fn b() {}"),
        ] {
            fs::create_dir_all(package.join(file).parent().unwrap()).unwrap();
            fs::write(package.join(file), text).unwrap();
        }
        let of = |source: Value| {
            json!({
                "name": "one", "version": "1.0.0", "source": source,
                "manifest_path": package.join("Cargo.toml"),
                "targets": [
                    {"src_path": package.join("src/lib.rs")},
                    {"src_path": package.join("tests/a.rs")},
                ],
            })
        };
        let mut metadata = json!({"packages": [of(json!("registry+x")), of(Value::Null)]});
        let before = metadata.clone();
        let copies = place.path().join("copies");
        redirect(&mut metadata, &copies);
        assert_eq!(metadata["packages"][1], before["packages"][1]);
        let one = &metadata["packages"][0];
        let root = one["targets"][0]["src_path"].as_str().unwrap();
        assert!(Path::new(root).starts_with(&copies), "{one}");
        assert_eq!(
            fs::read_to_string(root).unwrap(),
            "pub fn a() -> u8 {loop{}}"
        );
        assert!(
            one["manifest_path"]
                .as_str()
                .unwrap()
                .starts_with(copies.to_str().unwrap())
        );
        assert_eq!(one["targets"][1], before["packages"][0]["targets"][1]);

        // The copy is kept, and nothing else is left.
        let mut again = before.clone();
        redirect(&mut again, &copies);
        assert_eq!(again, metadata);
        assert_eq!(fs::read_dir(&copies).unwrap().count(), 1);
    }

    #[test]
    fn a_package_that_cannot_be_copied_keeps_its_path() {
        let place = tempfile::tempdir().unwrap();
        let mut metadata = json!({"packages": [
            {"name": "../x", "version": "1", "source": "registry+x", "manifest_path": "/a/Cargo.toml"},
            {"name": "x", "version": "1", "source": "registry+x", "manifest_path": "/no/such/Cargo.toml"},
            {},
        ]});
        let before = metadata.clone();
        redirect(&mut metadata, place.path());
        assert_eq!(metadata, before);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
