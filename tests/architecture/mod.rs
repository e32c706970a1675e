//! The dependencies between the modules: ARCHITECTURE.md lists exactly what the code imports, from the
//! top to the bottom, and there are no cycles, neither of rooms nor of files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::checkout;
use imports::{Code, without_tests_and_comments};

mod imports;

const LIBRARY: &str = "crate/src";
const LAUNCHER: &str = "crate/launcher/src";

/// For each module or room, what it imports.
type Arrows = BTreeMap<String, BTreeSet<String>>;

#[test]
fn the_library_imports_what_the_document_says() {
    let drawn = arrows(&table("### Arrows of the library"));
    assert_eq!(between_rooms(LIBRARY, ""), drawn);
}

#[test]
fn the_folders_of_fairness_import_what_the_document_says() {
    let drawn = arrows(&table("### Arrows inside `fairness`"));
    assert_eq!(between_rooms(LIBRARY, "fairness"), drawn);
}

#[test]
fn the_launcher_imports_what_the_document_says() {
    let drawn = arrows(&table("### Arrows of the launcher"));
    assert_eq!(between_rooms(LAUNCHER, ""), drawn);
}

#[test]
fn each_room_imports_only_what_is_below_it() {
    for (rooms, drawn) in [
        ("## The library, room by room", "### Arrows of the library"),
        ("### Arrows of the library", "### Arrows of the library"),
        (
            "### Arrows inside `fairness`",
            "### Arrows inside `fairness`",
        ),
        (
            "## The launcher, room by room",
            "### Arrows of the launcher",
        ),
        ("### Arrows of the launcher", "### Arrows of the launcher"),
    ] {
        let order = table(rooms)
            .into_iter()
            .enumerate()
            .flat_map(|(row, (names, _))| names.into_iter().map(move |name| (name, row)));
        let order: BTreeMap<String, usize> = order.collect();
        for (room, below) in arrows(&table(drawn)) {
            for other in below {
                assert!(order[&room] < order[&other], "{rooms}: {room}, {other}");
            }
        }
    }
}

#[test]
fn no_files_import_each_other_in_circles() {
    for source in [LIBRARY, LAUNCHER] {
        let code = Code::read(&checkout().join(source));
        let modules = code.modules();
        let arrows = modules.map(|module| (module.to_owned(), code.imports(module)));
        assert_eq!(in_circles(arrows.collect()), Arrows::new(), "{source}");
    }
}

#[test]
fn no_file_is_longer_than_500_lines() {
    let mut files = Vec::new();
    for folder in ["crate", "tests"] {
        rust_files(&checkout().join(folder), &mut files);
    }
    assert!(files.len() > 500);
    for file in files {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 500, "{}: {lines} lines", file.display());
    }
}

#[test]
fn the_fuzz_targets_name_files_that_need_no_others() {
    let folder = checkout().join("crate/fuzz");
    let targets = fs::read_to_string(folder.join("launcher.rs")).unwrap();
    let paths = targets.split("#[path = \"").skip(1);
    for path in paths.map(|rest| rest.split('"').next().unwrap()) {
        let text = fs::read_to_string(folder.join(path)).unwrap();
        // Next to a file that is named by its path, Rust looks for modules as next to a `mod.rs`.
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

/// What the rooms inside a module import from each other, without tests. The root of a crate is not a
/// room: it exports all of them.
fn between_rooms(source: &str, parent: &str) -> Arrows {
    let code = Code::read(&checkout().join(source));
    let room_of = |module: &str| {
        let inside = match parent {
            "" => Some(module),
            parent => module.strip_prefix(parent)?.strip_prefix("::"),
        };
        let room = inside?.split("::").next()?;
        (!room.is_empty()).then(|| room.to_owned())
    };
    let mut arrows = Arrows::new();
    for module in code.modules() {
        let Some(room) = room_of(module) else {
            continue;
        };
        let below = code.imports(module);
        let below = below.iter().filter_map(|other| room_of(other));
        let below = below.filter(|other| *other != room);
        arrows.entry(room.clone()).or_default().extend(below);
    }
    arrows
}

/// The rows of the table below a heading of ARCHITECTURE.md: the names in the first column, and those in
/// the second.
fn table(heading: &str) -> Vec<(Vec<String>, Vec<String>)> {
    let document = fs::read_to_string(checkout().join("ARCHITECTURE.md")).unwrap();
    let (_, below) = document.split_once(heading).expect(heading);
    let rows = below
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2);
    let names = |cell: &str| -> Vec<String> {
        let names = cell.split('`').skip(1).step_by(2);
        names.map(str::to_owned).collect()
    };
    rows.map(|row| {
        let cells: Vec<_> = row.split('|').collect();
        (names(cells[1]), names(cells[2]))
    })
    .collect()
}

fn arrows(table: &[(Vec<String>, Vec<String>)]) -> Arrows {
    let rows = table.iter();
    rows.flat_map(|(rooms, below)| {
        let below: BTreeSet<String> = below.iter().cloned().collect();
        rooms.iter().map(move |room| (room.clone(), below.clone()))
    })
    .collect()
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
