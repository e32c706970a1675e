//! evcxr's manifest of a cell, and those that are made of it.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::json;

use super::toolkit::{Package, Toolkit};

/// The folder of the manifest with the toolkit alone.
pub(super) const TOOLKIT: &str = "toolkit";
/// The folder, in that of the cell's graph, of an empty package that asks for the toolkit's features.
pub(super) const SHARED: &str = "shared";
/// The optimization with which the toolkit is compiled, which is evcxr's default.
const LEVEL: &str = "opt-level = 2";
const DEPENDENCIES: &str = "[dependencies]";

/// What evcxr wrote: a package, its profile, and a line for each dependency.
#[derive(Debug)]
pub(super) struct Manifest<'a> {
    head: &'a str,
    toolkit: Option<&'a str>,
    others: Vec<&'a str>,
}

impl<'a> Manifest<'a> {
    pub(super) fn from_text(text: &'a str) -> Self {
        let (head, dependencies) = text.split_once(DEPENDENCIES).unwrap_or((text, ""));
        let lines = dependencies.lines().filter(|line| !line.trim().is_empty());
        let is_toolkit = |line: &&str| line.split('=').next().map(str::trim) == Some("evenhand");
        let (toolkit, others): (Vec<_>, Vec<_>) = lines.partition(is_toolkit);
        Self {
            head,
            toolkit: toolkit.first().copied(),
            others,
        }
    }

    pub(super) fn has_toolkit(&self) -> bool {
        self.toolkit.is_some()
    }

    /// Whether evcxr's manifest would have the toolkit compiled again.
    pub(super) fn needs_a_graph_of_its_own(&self) -> bool {
        self.has_toolkit() && (!self.others.is_empty() || self.level() != LEVEL)
    }

    /// Whether the toolkit is asked for with features of its own, which the warm build may lack.
    pub(super) fn asks_for_features(&self) -> bool {
        self.toolkit.is_some_and(|line| line.contains("features"))
    }

    /// The line with the cell's optimization, which the reader changes by `:opt`.
    fn level(&self) -> &str {
        let mut lines = self.head.lines().map(str::trim);
        lines
            .find(|line| line.starts_with("opt-level"))
            .unwrap_or(LEVEL)
    }

    /// The head, with the toolkit's optimization.
    fn head(&self) -> String {
        self.head.replace(self.level(), LEVEL)
    }

    /// The manifest of an empty package that depends on the toolkit.
    pub(super) fn of_toolkit(&self) -> String {
        let head = self
            .head()
            .replace("name = \"ctx\"", "name = \"evenhand_toolkit\"")
            .replace("[\"cdylib\"]", "[\"lib\"]")
            .replace("\"src/lib.rs\"", "\"lib.rs\"");
        let line = self.toolkit.unwrap_or_default();
        format!("{head}{DEPENDENCIES}\n{line}\n\n[workspace]\n")
    }

    /// The manifest of the cell without the toolkit.
    pub(super) fn of_cell(&self) -> String {
        let (head, others, level) = (self.head(), self.others.join("\n"), self.level());
        format!(
            "{head}[profile.dev.package.ctx]\n{level}\n\n{DEPENDENCIES}\n{others}\n\
             evenhand_shared = {{ path = \"{SHARED}\" }}\n\n[workspace]\n"
        )
    }
}

/// The manifest of the package that asks for the toolkit's versions and features. What build scripts
/// and macros are made of has other features, and is asked for apart.
pub(super) fn of_shared(shared: &BTreeSet<&Package>, toolkit: &Toolkit) -> String {
    let mut text = String::from(
        "[package]\nname = \"evenhand_shared\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n\
         [lib]\npath = \"lib.rs\"\n",
    );
    let sections = [("dependencies", false), ("build-dependencies", true)];
    for (section, of_host) in sections {
        let _ = write!(text, "\n[{section}]\n");
        for (place, package) in shared.iter().enumerate() {
            if let Some(features) = toolkit.features(package, of_host) {
                // Metadata after `+` is not part of a requirement.
                let version = package.version.split('+').next().unwrap_or_default();
                let (name, features) = (json!(package.name), json!(features));
                // One package has to have the same name in both sections.
                let _ = writeln!(
                    text,
                    "shared{place} = {{ package = {name}, version = \"={version}\", \
                     default-features = false, features = {features} }}"
                );
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVCXRS: &str = "\n[package]\nname = \"ctx\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n\
        [lib]\ncrate-type = [\"cdylib\"]\npath = \"src/lib.rs\"\n\n[profile.dev]\nopt-level = 2\n\
        incremental = true\n\n[dependencies]\n";

    #[test]
    fn a_graph_of_its_own_is_for_the_toolkit_with_others() {
        let needs = |dependencies: &str| {
            let text = format!("{EVCXRS}{dependencies}\n");
            Manifest::from_text(&text).needs_a_graph_of_its_own()
        };
        assert!(!needs(""));
        assert!(!needs("evenhand = { path = \"/x\" }"));
        assert!(!needs("evenhand-other = \"1\"\nserde = \"1\""));
        assert!(needs("evenhand = { path = \"/x\" }\nserde = \"1\""));
        let optimized = EVCXRS.replace("level = 2", "level = 3") + "evenhand = { path = \"/x\" }";
        assert!(Manifest::from_text(&optimized).needs_a_graph_of_its_own());
    }

    #[test]
    fn features_are_asked_for_by_the_toolkits_line() {
        let asks = |dependencies: &str| {
            let text = format!("{EVCXRS}{dependencies}\n");
            Manifest::from_text(&text).asks_for_features()
        };
        assert!(asks(
            "evenhand = { path = \"/x\", features = [\"parquet\"] }"
        ));
        assert!(!asks("evenhand = { path = \"/x\" }"));
        assert!(!asks(
            "serde = { version = \"1\", features = [\"derive\"] }"
        ));
    }

    #[test]
    fn the_cell_has_its_crates_and_the_toolkit_stays_as_it_is_compiled() {
        let text = EVCXRS.replace("level = 2", "level = 3")
            + "chrono = \"0.4\"\nevenhand = { path = \"/x\" }\n";
        let manifest = Manifest::from_text(&text);
        insta::assert_snapshot!(manifest.of_toolkit(), @r#"

        [package]
        name = "evenhand_toolkit"
        version = "1.0.0"
        edition = "2024"

        [lib]
        crate-type = ["lib"]
        path = "lib.rs"

        [profile.dev]
        opt-level = 2
        incremental = true

        [dependencies]
        evenhand = { path = "/x" }

        [workspace]
        "#);
        insta::assert_snapshot!(manifest.of_cell(), @r#"

        [package]
        name = "ctx"
        version = "1.0.0"
        edition = "2024"

        [lib]
        crate-type = ["cdylib"]
        path = "src/lib.rs"

        [profile.dev]
        opt-level = 2
        incremental = true

        [profile.dev.package.ctx]
        opt-level = 3

        [dependencies]
        chrono = "0.4"
        evenhand_shared = { path = "shared" }

        [workspace]
        "#);
    }
}
