//! What people read before they run anything: links work, pictures load quickly, and the package
//! contains the licenses of all its parts.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::checkout;

const DOCUMENTS: [&str; 8] = [
    "README.md",
    "ARCHITECTURE.md",
    "BENCHMARKS.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "SETTINGS.md",
    "TEACHING.md",
];

fn read(document: &str) -> String {
    fs::read_to_string(checkout().join(document)).unwrap()
}

/// The targets of a document's links and pictures that are files of this checkout.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1);
    targets
        .filter_map(|rest| Some(rest.split_once(')')?.0))
        .filter(|target| !target.contains("://"))
        .map(|target| target.split_once('#').map_or(target, |(file, _)| file))
}

#[test]
fn every_link_of_a_document_leads_to_a_file() {
    for document in DOCUMENTS {
        let text = read(document);
        let dead: Vec<_> = links(&text)
            .filter(|target| !checkout().join(target).exists())
            .collect();
        assert!(dead.is_empty(), "{document} links to {dead:?}");
    }
}

#[test]
fn the_first_page_is_short_and_its_pictures_are_small() {
    let text = read("README.md");
    assert!(text.lines().count() <= 150);
    let is_prose = |line: &&str| !line.starts_with(['|', '!']);
    let long: Vec<_> = text
        .lines()
        .filter(is_prose)
        .filter(|line| line.len() > 105)
        .collect();
    assert!(long.is_empty(), "{long:?}");
    let pictures: Vec<_> = links(&text).filter(|link| link.ends_with(".png")).collect();
    assert_eq!(pictures.len(), 3);
    for picture in pictures {
        let bytes = fs::read(checkout().join(picture)).unwrap();
        assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"), "{picture}");
        assert!(bytes.len() < 60_000, "{picture}: {} bytes", bytes.len());
    }
}

/// A checkout on Windows turns a symbolic link into a file that contains a path.
#[test]
fn the_package_has_the_licenses_of_all_that_is_in_it() {
    let output = Command::new(env!("CARGO"))
        .args(["package", "-p", "evenhand", "--list", "--allow-dirty"])
        .args(["--no-verify", "--offline"])
        .current_dir(checkout())
        .output()
        .unwrap();
    let listed = String::from_utf8_lossy(&output.stdout);
    let log = String::from_utf8_lossy(&output.stderr);
    let has = |name: &str| listed.lines().any(|file| file.ends_with(name));
    for name in [
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "LICENSE-DEJAVU",
        "LICENSE-WINOGENDER",
        "LICENSE-SNOWBALL",
        "README.md",
    ] {
        assert!(has(name), "{name} is missing:\n{listed}{log}");
    }
    for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
        assert_eq!(read(name), read(&format!("crate/{name}")), "{name}");
    }
}

/// A package as cargo reads its manifest.
fn package(manifest: &str) -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .arg("--manifest-path")
        .arg(checkout().join(manifest))
        .current_dir(checkout())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |package: &&Value| {
        let path = package["manifest_path"].as_str().unwrap();
        path == checkout().join(manifest).to_str().unwrap()
    };
    let package = metadata["packages"].as_array().unwrap().iter().find(of);
    package.unwrap().clone()
}

/// What a package depends on, and its features.
fn dependencies(package: &Value) -> (Vec<Value>, Value) {
    let dependencies = package["dependencies"].as_array().unwrap().iter();
    let needed = dependencies.filter(|dependency| dependency["kind"].is_null());
    (needed.cloned().collect(), package["features"].clone())
}

#[test]
fn programs_and_notebooks_have_the_same_library() {
    let [ours, theirs] = ["crate/Cargo.toml", "crate/notebook/Cargo.toml"].map(package);
    assert!(dependencies(&ours).0.len() > 10);
    assert_eq!(dependencies(&theirs), dependencies(&ours));
    for field in ["name", "version"] {
        assert_eq!(theirs[field], ours[field]);
    }
    assert_eq!(ours["targets"][0]["crate_types"], json!(["lib"]));
    assert_eq!(theirs["targets"][0]["crate_types"], json!(["dylib"]));
}
