//! What the toolkit is built of: its packages with their features, and its libraries.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

/// A package from a registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
}

/// The features with which a package is compiled. What build scripts and macros are made of is compiled
/// apart.
#[derive(Debug, Default)]
struct Features {
    of_target: Option<Vec<String>>,
    of_host: Option<Vec<String>>,
}

/// The toolkit, as cargo built it.
#[derive(Debug, Default)]
pub(super) struct Toolkit {
    packages: BTreeMap<Package, Features>,
    /// The files of the library itself.
    libraries: Vec<String>,
    /// Where the libraries are that its build scripts made, as the compiler is told.
    native: BTreeSet<String>,
}

impl Toolkit {
    /// Reads cargo's messages about a build.
    pub(super) fn from_messages(messages: &[u8], target: &str) -> Self {
        let mut toolkit = Self::default();
        let below_target = format!("/{target}/");
        for line in String::from_utf8_lossy(messages).lines() {
            let Ok(message) = serde_json::from_str::<Value>(line) else {
                continue;
            };
            match message["reason"].as_str() {
                Some("compiler-artifact") => toolkit.add(&message, &below_target),
                Some("build-script-executed") => {
                    let paths = strings(&message["linked_paths"]);
                    let linked = paths.filter(|path| path.contains(&below_target));
                    toolkit.native.extend(linked);
                }
                _ => {}
            }
        }
        toolkit
    }

    fn add(&mut self, message: &Value, below_target: &str) {
        let files: Vec<_> = strings(&message["filenames"]).collect();
        if message["target"]["name"] == "evenhand" {
            self.libraries = files;
            return;
        }
        let is_library = files.iter().any(|file| {
            [".rlib", ".rmeta", ".so", ".dylib"]
                .iter()
                .any(|end| file.ends_with(end))
        });
        let package = message["package_id"].as_str().and_then(from_registry);
        if let Some(package) = package.filter(|_| is_library) {
            let features = self.packages.entry(package).or_default();
            let of_target = files.iter().any(|file| file.contains(below_target));
            let place = match of_target {
                true => &mut features.of_target,
                false => &mut features.of_host,
            };
            *place = Some(strings(&message["features"]).collect());
        }
    }

    /// The features of a package, if the toolkit has it there.
    pub(super) fn features(&self, package: &Package, of_host: bool) -> Option<&[String]> {
        let features = self.packages.get(package)?;
        match of_host {
            true => features.of_host.as_deref(),
            false => features.of_target.as_deref(),
        }
    }

    /// The packages of the toolkit that are among these too.
    pub(super) fn shared_with(&self, packages: &[Value]) -> BTreeSet<&Package> {
        let found = packages.iter().filter_map(package);
        let found: BTreeSet<_> = found.collect();
        let ours = self.packages.keys();
        ours.filter(|ours| found.contains(ours)).collect()
    }

    /// A note for the reader, if polars has to be compiled again: the one package that takes minutes.
    pub(super) fn compiled_again(&self, packages: &[Value]) -> Option<String> {
        let is_polars = |package: &Package| package.name == "polars";
        let asked = packages
            .iter()
            .find(|entry| package(entry).as_ref().is_some_and(is_polars))?;
        let version = &asked["version"];
        let ours = self.packages.keys().find(|package| is_polars(package))?;
        let there: BTreeSet<_> = self.features(ours, false)?.iter().cloned().collect();
        let more: Vec<_> = strings(&asked["features"])
            .filter(|feature| !there.contains(feature))
            .collect();
        let why = match (version == ours.version.as_str(), more.is_empty()) {
            (true, true) => return None,
            (true, false) => format!("it is asked for more features ({})", more.join(", ")),
            (false, _) => format!("another version is asked for ({})", version.as_str()?),
        };
        Some(format!(
            "polars is compiled again, which takes minutes: {why}. Its data frames are not those of the \
             toolkit. To avoid this, stop the cell and use `evenhand::polars`, which is version {}",
            ours.version
        ))
    }

    /// What the compiler of a cell is told, so that it finds the toolkit.
    pub(super) fn compiler_arguments(&self, build_target: &Path, target: &str) -> Vec<String> {
        let folder = std::path::absolute(build_target).unwrap_or_else(|_| build_target.to_owned());
        let deps = folder.join(target).join("debug/deps");
        let mut arguments = Vec::new();
        for folder in [&deps, &folder.join("debug/deps")] {
            arguments.extend(["-L".to_owned(), format!("dependency={}", folder.display())]);
        }
        for library in &self.libraries {
            // Cargo names the copy outside, which is the same file under a name that cells don't load.
            if let Some(name) = Path::new(library).file_name() {
                let library = deps.join(name);
                let named = format!("evenhand={}", library.display());
                arguments.extend(["--extern".to_owned(), named]);
            }
        }
        for path in &self.native {
            arguments.extend(["-L".to_owned(), path.clone()]);
        }
        arguments
    }
}

/// The packages in `cargo metadata`, each with the features that are asked for.
pub(super) fn packages_of(metadata: &mut Value) -> Vec<Value> {
    let nodes = metadata["resolve"]["nodes"].take();
    let nodes: BTreeMap<_, _> = nodes
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|node| Some((node["id"].as_str()?, &node["features"])))
        .collect();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages
        .filter_map(|package| {
            let features = nodes.get(package["id"].as_str()?)?;
            Some(serde_json::json!({
                "name": package["name"],
                "version": package["version"],
                "features": features,
            }))
        })
        .collect()
}

fn package(entry: &Value) -> Option<Package> {
    Some(Package {
        name: entry["name"].as_str()?.to_owned(),
        version: entry["version"].as_str()?.to_owned(),
    })
}

/// The package with this id, `registry+URL#NAME@VERSION`.
fn from_registry(id: &str) -> Option<Package> {
    let (source, package) = id.split_once('#')?;
    let is_from_registry = source.starts_with("registry+") || source.starts_with("sparse+");
    let (name, version) = package.split_once('@').filter(|_| is_from_registry)?;
    Some(Package {
        name: name.to_owned(),
        version: version.to_owned(),
    })
}

fn strings(list: &Value) -> impl Iterator<Item = String> + '_ {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|entry| entry.as_str().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::manifest::of_shared;
    use super::*;

    fn artifact(id: &str, file: &str, features: &[&str]) -> Value {
        json!({
            "reason": "compiler-artifact", "package_id": id, "target": {"name": "x"},
            "filenames": [file], "features": features,
        })
    }

    fn toolkit() -> Toolkit {
        let messages = [
            artifact(
                "registry+u#either@1.0.0",
                "/b/t1/debug/deps/libeither.rlib",
                &["std"],
            ),
            artifact(
                "registry+u#syn@2.0.0+x",
                "/b/debug/deps/libsyn.rlib",
                &["full"],
            ),
            artifact(
                "registry+u#syn@2.0.0+x",
                "/b/t1/debug/deps/libsyn.rlib",
                &[],
            ),
            artifact(
                "registry+u#polars@0.5.0",
                "/b/t1/debug/deps/libpolars.rlib",
                &["lazy"],
            ),
            artifact(
                "registry+u#either@1.0.0",
                "/b/debug/build/either/build-script",
                &["no"],
            ),
            artifact(
                "path+file:///x#tiny@1.0.0",
                "/b/t1/debug/deps/libtiny.rlib",
                &[],
            ),
            json!({
                "reason": "compiler-artifact", "package_id": "p", "target": {"name": "evenhand"},
                "filenames": ["/b/t1/debug/libevenhand.so", "/b/t1/debug/libevenhand.rlib"],
            }),
            json!({
                "reason": "build-script-executed",
                "linked_paths": ["native=/b/t1/debug/build/ring/out", "native=/b/debug/build/z/out"],
            }),
        ];
        let lines = messages.map(|message| message.to_string()).join("\n");
        Toolkit::from_messages(lines.as_bytes(), "t1")
    }

    fn asked(name: &str, version: &str, features: &[&str]) -> Value {
        json!({"name": name, "version": version, "features": features})
    }

    #[test]
    fn what_both_need_is_asked_for_as_the_toolkit_has_it() {
        let toolkit = toolkit();
        let packages = [
            asked("either", "1.0.0", &["use_std"]),
            asked("syn", "2.0.0+x", &[]),
            asked("polars", "0.4.0", &[]),
            asked("chrono", "0.4.0", &[]),
        ];
        insta::assert_snapshot!(of_shared(&toolkit.shared_with(&packages), &toolkit), @r#"
        [package]
        name = "evenhand_shared"
        version = "1.0.0"
        edition = "2024"

        [lib]
        path = "lib.rs"

        [dependencies]
        shared0 = { package = "either", version = "=1.0.0", default-features = false, features = ["std"] }
        shared1 = { package = "syn", version = "=2.0.0", default-features = false, features = [] }

        [build-dependencies]
        shared1 = { package = "syn", version = "=2.0.0", default-features = false, features = ["full"] }
        "#);
    }

    #[test]
    fn the_compiler_is_told_of_the_toolkit_and_of_what_its_build_scripts_made() {
        let given = toolkit().compiler_arguments(Path::new("/b"), "t1");
        insta::assert_snapshot!(given.join("\n"), @r"
        -L
        dependency=/b/t1/debug/deps
        -L
        dependency=/b/debug/deps
        --extern
        evenhand=/b/t1/debug/deps/libevenhand.so
        --extern
        evenhand=/b/t1/debug/deps/libevenhand.rlib
        -L
        native=/b/t1/debug/build/ring/out
        ");
    }

    #[test]
    fn polars_is_not_compiled_again_without_a_word() {
        let note = |asked: Value| toolkit().compiled_again(&[asked]);
        assert_eq!(note(asked("polars", "0.5.0", &["lazy"])), None);
        assert_eq!(note(asked("ndarray", "0.5.0", &["x"])), None);
        let text = note(asked("polars", "0.5.0", &["csv", "lazy"])).unwrap();
        assert!(text.contains("more features (csv)"), "{text}");
        let text = note(asked("polars", "0.6.0", &["lazy"])).unwrap();
        assert!(
            text.contains("another version is asked for (0.6.0)"),
            "{text}"
        );
    }
}
