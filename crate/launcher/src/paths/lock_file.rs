//! The part of a `Cargo.lock` that concerns one package: the package and all its dependencies.

use std::collections::BTreeSet;

/// The entries of the package and all its dependencies, in a fixed order. Changes to the entries
/// of other packages do not affect the result.
pub fn closure<'a>(lock_file: &'a str, package: &str) -> BTreeSet<&'a str> {
    let entries: Vec<_> = lock_file
        .split("\n\n")
        .filter_map(Entry::from_text)
        .collect();
    let mut found = BTreeSet::new();
    let mut wanted = vec![package];
    while let Some(name) = wanted.pop() {
        for entry in entries.iter().filter(|entry| entry.is(name)) {
            if found.insert(entry.text) {
                wanted.extend(entry.dependencies());
            }
        }
    }
    found
}

struct Entry<'a> {
    text: &'a str,
    name: &'a str,
    version: &'a str,
}

impl<'a> Entry<'a> {
    fn from_text(text: &'a str) -> Option<Self> {
        let value = |field: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(field))?;
            Some(line.strip_prefix(" = \"")?.trim_end_matches('"'))
        };
        let text = text.trim();
        Some(Self {
            text,
            name: value("name")?,
            version: value("version")?,
        })
    }

    /// Whether this is the dependency. Its version is only given if there are several.
    fn is(&self, wanted: &str) -> bool {
        let mut words = wanted.split(' ');
        words.next() == Some(self.name)
            && words.next().is_none_or(|version| version == self.version)
    }

    fn dependencies(&self) -> impl Iterator<Item = &'a str> {
        self.text
            .lines()
            .filter_map(|line| line.strip_prefix(" \"")?.strip_suffix("\","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"evenhand\"\nversion = \"0.1.0\"\ndependencies = [\n \"polars\",\n \"rand 0.9.0\",\n]\n\n[[package]]\nname = \"polars\"\nversion = \"0.55.2\"\n\n[[package]]\nname = \"rand\"\nversion = \"0.8.0\"\n\n[[package]]\nname = \"rand\"\nversion = \"0.9.0\"\ndependencies = [\n \"evenhand\",\n]\n\n[[package]]\nname = \"axum\"\nversion = \"0.8.9\"\n";

    #[test]
    fn only_what_the_package_needs_is_in_it() {
        let text = closure(LOCK, "evenhand").into_iter().collect::<String>();
        assert!(text.contains("polars") && text.contains("0.9.0"));
        assert!(!text.contains("0.8.") && !text.contains("axum"));
        assert_eq!(closure(LOCK, "polars").len(), 1);
    }
}
