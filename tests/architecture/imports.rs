//! Which modules each module of a crate imports, read from its source.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A path from the root of the crate.
type ItemPath = Vec<String>;

/// The modules of a crate, by their paths from its root, without those that are only compiled for tests.
pub(super) struct Code {
    /// The source of each module, without tests and comments.
    modules: BTreeMap<String, String>,
    /// What each module exports from another: the item's path, by the name that it has here.
    exported: BTreeMap<String, BTreeMap<String, ItemPath>>,
}

impl Code {
    pub(super) fn read(source: &Path) -> Self {
        let mut files = Vec::new();
        sources(source, &mut files);
        let modules = files.into_iter().map(|file| {
            let text = fs::read_to_string(&file).unwrap();
            (module_of(source, &file), text)
        });
        Self::new(modules.collect())
    }

    fn new(sources: BTreeMap<String, String>) -> Self {
        let modules = sources.into_iter();
        let modules = modules.map(|(name, text)| (name, without_tests_and_comments(&text)));
        let modules: BTreeMap<String, String> = modules.collect();
        let exported = modules
            .iter()
            .map(|(module, text)| (module.clone(), exported(module, text)));
        Self {
            exported: exported.collect(),
            modules,
        }
    }

    pub(super) fn modules(&self) -> impl Iterator<Item = &str> {
        self.modules.keys().map(String::as_str)
    }

    /// The modules that a module names. One that it is inside of, or that is inside of it, is left out:
    /// they share a purpose, and name each other freely.
    pub(super) fn imports(&self, module: &str) -> BTreeSet<String> {
        let is_inside = |one: &str, other: &str| {
            let inside = one.strip_prefix(other);
            other.is_empty() || inside.is_some_and(|rest| rest.starts_with("::"))
        };
        named_paths(module, &self.modules[module])
            .into_iter()
            .map(|(path, _)| self.defined_in(path))
            .filter(|other| {
                other != module && !is_inside(other, module) && !is_inside(module, other)
            })
            .collect()
    }

    /// The module in which an item is defined, wherever it is exported.
    fn defined_in(&self, mut path: ItemPath) -> String {
        loop {
            let ends = (0..=path.len()).rev();
            let mut modules = ends.map(|end| (path[..end].join("::"), end));
            let known = modules.find(|(module, _)| self.modules.contains_key(module));
            let (module, end) = known.unwrap();
            let exported = path
                .get(end)
                .and_then(|name| self.exported[&module].get(name));
            match exported {
                Some(item) if item[..] != path[..=end] => {
                    path = item.iter().chain(&path[end + 1..]).cloned().collect();
                }
                _ => return module,
            }
        }
    }
}

/// The paths, from the crate's root, that a module names: after `crate::` and `super::`, each
/// member of a list by itself, with the name that it gets.
fn named_paths(module: &str, text: &str) -> Vec<(ItemPath, String)> {
    let dense: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut paths = Vec::new();
    for (at, _) in dense
        .match_indices("crate::")
        .chain(dense.match_indices("super::"))
    {
        let before = dense[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let (base, rest) = base_of(module, &dense[at..]);
        members(&base, rest, &mut paths);
    }
    paths
}

/// What `pub use` (also to a part of the crate) brings into a module from others.
fn exported(module: &str, text: &str) -> BTreeMap<String, ItemPath> {
    let dense: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut paths = Vec::new();
    for (at, keyword) in dense.match_indices("use ") {
        let visibility = dense[..at].trim_end();
        let visibility = visibility.rsplit([';', '}', ']']).next().unwrap();
        if visibility.trim_start().starts_with("pub") {
            let (base, rest) = base_of(module, &dense[at + keyword.len()..]);
            members(&base, rest, &mut paths);
        }
    }
    paths.into_iter().map(|(path, name)| (name, path)).collect()
}

/// Where a path begins that a module names, and what follows.
fn base_of<'a>(module: &str, path: &'a str) -> (ItemPath, &'a str) {
    if let Some(rest) = path.strip_prefix("crate::") {
        return (ItemPath::new(), rest);
    }
    let parts = module.split("::").filter(|part| !part.is_empty());
    let mut base: ItemPath = parts.map(str::to_owned).collect();
    let mut rest = path.strip_prefix("self::").unwrap_or(path);
    while let Some(above) = rest.strip_prefix("super::") {
        rest = above;
        base.pop();
    }
    (base, rest)
}

/// Adds the paths at the beginning of the text to the list: `a::b`, or those of `a::{b, c::d as e}`.
fn members(base: &[String], text: &str, paths: &mut Vec<(ItemPath, String)>) {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let (named, rest) = text.split_at(end);
    let parts = named.split("::").filter(|part| !part.is_empty());
    let path: ItemPath = base
        .iter()
        .cloned()
        .chain(parts.map(str::to_owned))
        .collect();
    let Some(list) = rest.strip_prefix('{') else {
        let end = |text: &str| text.find(|c| !is_name(c)).unwrap_or(text.len());
        let renamed = rest.strip_prefix(" as ").map(|name| &name[..end(name)]);
        let name = renamed.map(str::to_owned).or_else(|| path.last().cloned());
        return paths.extend(name.map(|name| (path, name)));
    };
    let mut depth = 0;
    let mut from = 0;
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                members(&path, list[from..at].trim(), paths);
                from = at + 1;
                if c == '}' {
                    return;
                }
            }
            _ => {}
        }
    }
}

/// All files of the crate except those that are only compiled for tests.
fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap();
    let mut entries: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let declared: String = ["mod.rs", "lib.rs", "main.rs"]
        .iter()
        .filter_map(|name| fs::read_to_string(folder.join(name)).ok())
        .collect();
    for path in entries {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let only_tests =
            name == "tests" || declared.contains(&format!("#[cfg(test)]\nmod {name};"));
        if only_tests {
            continue;
        }
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The path of a file's module from the crate's root.
fn module_of(source: &Path, file: &Path) -> String {
    let path = file.strip_prefix(source).unwrap().with_extension("");
    let parts = path.iter().map(|part| part.to_string_lossy().into_owned());
    let mut module: ItemPath = parts.collect();
    let last = module.last().map(String::as_str);
    if matches!(last, Some("mod" | "lib" | "main")) {
        module.pop();
    }
    module.join("::")
}

pub(super) fn without_tests_and_comments(text: &str) -> String {
    // Clippy refuses code after the tests of a file.
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code.lines();
    let lines = lines.filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn an_import_is_found_however_it_is_written() {
    let imports = |line: &str| {
        let module = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let code = Code::new(BTreeMap::from([
            module("", "pub use low::Thing;"),
            module("low", "mod part;\npub(crate) use part::{Named as Other};"),
            module("low::part", "pub struct Named;"),
            module("high", "mod inner;"),
            module("high::inner", line),
        ]));
        code.imports("high::inner")
    };
    for line in [
        "use crate::low::thing;",
        "use crate::{high::other, low::{Thing, a::b}};",
        "use super::super::low;",
        "use super::super::{low::thing};",
        "use {crate::low::thing};",
        "use crate::Thing;",
        "fn f() { crate::low::thing() }",
        "type T = super::super::low::Thing;",
        "use crate::{\n    // why\n    low,\n};",
    ] {
        assert_eq!(imports(line), BTreeSet::from(["low".to_owned()]), "{line}");
    }
    for line in ["use crate::low::Other;", "use crate::{low::Other as Here};"] {
        let part = BTreeSet::from(["low::part".to_owned()]);
        assert_eq!(imports(line), part, "{line}");
    }
    for line in [
        "use super::other;",
        "use std::low::thing;",
        "use evenhand::low;",
    ] {
        assert_eq!(imports(line), BTreeSet::new(), "{line}");
    }
}
