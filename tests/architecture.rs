//! The dependencies between the modules: ARCHITECTURE.md lists exactly what the code imports, and
//! there are no cycles, neither of rooms nor of the files in a room.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::checkout;

/// For each room, the rooms that it imports.
type Arrows = BTreeMap<String, BTreeSet<String>>;

#[test]
fn the_library_imports_what_the_document_says() {
    assert_eq!(
        imported(&checkout().join("crate/src")),
        drawn("### Arrows of the library")
    );
}

#[test]
fn the_launcher_imports_what_the_document_says() {
    assert_eq!(
        imported(&checkout().join("crate/launcher/src")),
        drawn("### Arrows of the launcher")
    );
}

#[test]
fn no_arrow_runs_back_up() {
    for heading in ["### Arrows of the library", "### Arrows of the launcher"] {
        let circles = in_circles(drawn(heading));
        assert_eq!(circles, Arrows::new(), "{heading}");
    }
}

#[test]
fn no_files_import_each_other_in_circles() {
    for source in ["crate/src", "crate/launcher/src"] {
        let circles = in_circles(imports_of_files(&checkout().join(source)));
        assert_eq!(circles, Arrows::new(), "{source}");
    }
}

#[test]
fn no_file_is_longer_than_500_lines() {
    for source in ["crate/src", "crate/launcher/src", "crate/testing", "tests"] {
        for file in sources(&checkout().join(source)) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= 500, "{}: {lines} lines", file.display());
        }
    }
}

#[test]
fn the_fuzz_targets_name_files_that_need_no_others() {
    let folder = checkout().join("crate/fuzz");
    let targets = fs::read_to_string(folder.join("launcher.rs")).unwrap();
    let paths = targets.split("#[path = \"").skip(1);
    for path in paths.map(|rest| rest.split('"').next().unwrap()) {
        let text = fs::read_to_string(folder.join(path)).unwrap();
        // Beside a file that is named by its path, Rust looks for modules as beside a `mod.rs`.
        let is_one = |line: &str| line.starts_with("mod ") && line.ends_with(';');
        let has_modules = without_tests_and_comments(&text).lines().any(is_one);
        assert!(!has_modules || path.ends_with("/mod.rs"), "{path}");
    }
}

/// What is left after repeatedly removing whatever imports nothing that remains, and whatever
/// nothing that remains imports.
fn in_circles(mut arrows: Arrows) -> Arrows {
    loop {
        let imported: BTreeSet<String> = arrows.values().flatten().cloned().collect();
        let is_end = |name: &String, below: &BTreeSet<String>| {
            !imported.contains(name) || below.iter().all(|name| !arrows.contains_key(name))
        };
        let ends: Vec<String> = arrows
            .iter()
            .filter(|(name, below)| is_end(name, below))
            .map(|(name, _)| name.clone())
            .collect();
        if ends.is_empty() {
            return arrows;
        }
        arrows.retain(|name, _| !ends.contains(name));
    }
}

/// What each module imports from others, by their paths. A module and the modules inside it are
/// taken as one: they share a file's worth of purpose, and name each other freely.
fn imports_of_files(source: &Path) -> Arrows {
    let texts: BTreeMap<String, String> = sources(source)
        .into_iter()
        .map(|file| {
            let text = without_tests_and_comments(&fs::read_to_string(&file).unwrap());
            (module_of(source, &file).join("::"), text)
        })
        .collect();
    let known = |path: &[&str]| {
        let ends = (1..=path.len()).rev().map(|end| path[..end].join("::"));
        ends.into_iter().find(|module| texts.contains_key(module))
    };
    let is_inside = |one: &str, other: &str| {
        let inside = one.strip_prefix(other);
        inside.is_some_and(|rest| rest.starts_with("::"))
    };
    let imports = |module: &String, text: &String| -> BTreeSet<String> {
        named_paths(module, text)
            .iter()
            .filter_map(|path| known(&path.split("::").collect::<Vec<_>>()))
            .filter(|other| {
                other != module && !is_inside(other, module) && !is_inside(module, other)
            })
            .collect()
    };
    texts
        .iter()
        .map(|(module, text)| (module.clone(), imports(module, text)))
        .collect()
}

/// The paths, from the crate's root, that a module names: after `crate::` and `super::`, each
/// member of a list by itself.
fn named_paths(module: &str, text: &str) -> Vec<String> {
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
        let mut path = &dense[at..];
        let mut base: Vec<&str> = module.split("::").collect();
        if let Some(rest) = path.strip_prefix("crate::") {
            (path, base) = (rest, Vec::new());
        }
        while let Some(rest) = path.strip_prefix("super::") {
            path = rest;
            base.pop();
        }
        members(&base.join("::"), path, &mut paths);
    }
    paths
}

/// Adds the paths at the beginning of the text to the list: `a::b`, or those of `a::{b, c::d}`.
fn members(base: &str, text: &str, paths: &mut Vec<String>) {
    let joined = |name: &str| match base {
        "" => name.to_owned(),
        base => format!("{base}::{name}"),
    };
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let Some(list) = rest.strip_prefix('{') else {
        return paths.push(joined(name));
    };
    let base = joined(name.trim_end_matches("::"));
    let mut depth = 0;
    let mut from = 0;
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                members(base.trim_end_matches("::"), list[from..at].trim(), paths);
                from = at + 1;
                if c == '}' {
                    return;
                }
            }
            _ => {}
        }
    }
}

/// The table below a heading of ARCHITECTURE.md: a room in the first column, what it imports in
/// the second.
fn drawn(heading: &str) -> Arrows {
    let document = fs::read_to_string(checkout().join("ARCHITECTURE.md")).unwrap();
    let (_, below) = document.split_once(heading).expect(heading);
    let rows = below
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2);
    let names = |cell: &str| -> BTreeSet<String> {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    rows.flat_map(|row| {
        let cells: Vec<_> = row.split('|').collect();
        let below = names(cells[2]);
        names(cells[1])
            .into_iter()
            .map(move |room| (room, below.clone()))
    })
    .collect()
}

/// What the rooms below this folder import, without tests. The crate's root is not a room: it
/// exports all of them.
fn imported(source: &Path) -> Arrows {
    let mut arrows = Arrows::new();
    for file in sources(source) {
        let module = module_of(source, &file);
        let Some(room) = module.first() else {
            continue;
        };
        let below = arrows.entry(room.clone()).or_default();
        let text = without_tests_and_comments(&fs::read_to_string(&file).unwrap());
        below.extend(rooms_named(&text, module.len()).filter(|named| named != room));
    }
    arrows
}

/// All files of the crate except those that are only compiled for tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
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
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}

/// The path of a file's module from the crate's root.
fn module_of(source: &Path, file: &Path) -> Vec<String> {
    let path = file.strip_prefix(source).unwrap().with_extension("");
    let mut module: Vec<String> = path
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if module
        .last()
        .is_some_and(|last| ["mod", "lib", "main"].contains(&&**last))
    {
        module.pop();
    }
    module
}

fn without_tests_and_comments(text: &str) -> String {
    let code = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The rooms that the code names: after `crate::`, and after as many `super::` as lead to the root
/// from a module of this depth.
fn rooms_named(text: &str, depth: usize) -> impl Iterator<Item = String> {
    let roots = ["crate::".to_owned(), "super::".repeat(depth)];
    let named: Vec<String> = roots
        .iter()
        .flat_map(|root| {
            text.match_indices(&**root).map(|(at, _)| {
                let before = text[..at].chars().next_back();
                assert!(before != Some('{'), "a list of rooms: {}", &text[at..]);
                let whole = before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':');
                let rest = text[at + root.len()..].trim_start_matches('$');
                let end = rest
                    .find(|c: char| !c.is_alphanumeric() && c != '_')
                    .unwrap_or(rest.len());
                if whole {
                    rest[..end].to_owned()
                } else {
                    String::new()
                }
            })
        })
        .filter(|room| !room.is_empty())
        .collect();
    named.into_iter()
}
