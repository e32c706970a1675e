//! The dependencies between the modules: ARCHITECTURE.md lists exactly what the code imports, and
//! there are no cycles.

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
        let mut arrows = drawn(heading);
        // Repeatedly removes the rooms that import no remaining room, until there is none.
        loop {
            let bottom: Vec<String> = arrows
                .iter()
                .filter(|(_, below)| below.iter().all(|room| !arrows.contains_key(room)))
                .map(|(room, _)| room.clone())
                .collect();
            if bottom.is_empty() {
                break;
            }
            arrows.retain(|room, _| !bottom.contains(room));
        }
        assert_eq!(
            arrows,
            Arrows::new(),
            "{heading}: these rooms are in circles"
        );
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
