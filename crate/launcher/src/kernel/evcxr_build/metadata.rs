//! `cargo metadata` for evcxr, reduced to the packages that a cell can name or whose types it can
//! encounter.
//!
//! evcxr finds the types of variables with rust-analyzer, which reads the sources of all
//! packages in `cargo metadata` at startup, keeps them in memory, and goes through them after
//! each cell. What the library uses only internally, such as its HTTP client, never appears in
//! the type of a variable. The compiler is not affected: cells are built with all packages.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::{ExitCode, Stdio};

use serde_json::Value;

use super::real_cargo::{code, real};
use super::reduced_packages::{FOLDER, redirect};

/// Packages, besides those of polars, whose internal dependencies are left out.
const PRUNED: [&str; 2] = ["evenhand", "tokio"];
/// The dependencies, besides polars, that are part of their public interfaces.
const SHOWN: [&str; 13] = [
    "bytemuck",
    "bytes",
    "chrono",
    "either",
    "hashbrown",
    "indexmap",
    "num-traits",
    "pin-project-lite",
    "plotters",
    "rayon",
    "serde",
    "serde_json",
    "tokio",
];

/// Runs `cargo metadata` and removes the packages that no type leads to.
pub fn run(cargo: &OsString, arguments: &[OsString]) -> io::Result<ExitCode> {
    let output = real(cargo)
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()?;
    let mut out = io::stdout().lock();
    match serde_json::from_slice(&output.stdout) {
        Ok(mut metadata) if output.status.success() => {
            prune(&mut metadata);
            if let Some(folder) = std::env::var_os(FOLDER) {
                redirect(&mut metadata, Path::new(&folder));
            }
            writeln!(out, "{metadata}")?;
        }
        _ => out.write_all(&output.stdout)?,
    }
    Ok(code(output.status.code()))
}

/// Removes the packages that a cell cannot reach.
fn prune(metadata: &mut Value) {
    let names: HashMap<String, String> = entries(metadata, "/packages")
        .filter_map(|package| Some((text(package, "id")?, text(package, "name")?)))
        .collect();
    let macros: HashSet<String> = entries(metadata, "/packages")
        .filter(|package| entries(package, "/targets").any(|it| it["kind"][0] == "proc-macro"))
        .filter_map(|package| text(package, "id"))
        .collect();
    let name = |id: &str| names.get(id).map_or("", String::as_str);
    let nodes = metadata.pointer_mut("/resolve/nodes");
    let mut leads_to = HashMap::new();
    for node in nodes.and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(package) = text(node, "id") else {
            continue;
        };
        if let Some(dependencies) = node["deps"].as_array_mut() {
            dependencies.retain(|dependency| {
                let other = dependency["pkg"].as_str().map_or("", name);
                is_linked(dependency) && !macros.contains(&package) && shows(name(&package), other)
            });
        }
        let shown: Vec<_> = entries(node, "/deps")
            .filter_map(|dependency| text(dependency, "pkg"))
            .collect();
        node["dependencies"] = shown.clone().into();
        leads_to.insert(package, shown);
    }
    let mut next: Vec<_> = entries(metadata, "/workspace_members")
        .filter_map(|member| member.as_str().map(str::to_owned))
        .collect();
    let mut reached = HashSet::new();
    while let Some(package) = next.pop() {
        next.extend(leads_to.remove(&package).into_iter().flatten());
        reached.insert(package);
    }
    for list in ["/packages", "/resolve/nodes"] {
        if let Some(list) = metadata.pointer_mut(list).and_then(Value::as_array_mut) {
            list.retain(|entry| text(entry, "id").is_some_and(|id| reached.contains(&id)));
        }
    }
}

/// Whether types of the other package can appear in the interface of this one.
fn shows(package: &str, other: &str) -> bool {
    let is_polars = |name: &str| name == "polars" || name.starts_with("polars-");
    let is_pruned = PRUNED.contains(&package) || is_polars(package);
    !is_pruned || is_polars(other) || SHOWN.contains(&other)
}

/// Whether a dependency is part of the program and not only of its build or tests.
fn is_linked(dependency: &Value) -> bool {
    let mut kinds = entries(dependency, "/dep_kinds").peekable();
    kinds.peek().is_none() || kinds.any(|kind| kind["kind"].is_null())
}

fn entries<'a>(value: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    let list = value.pointer(list).and_then(Value::as_array);
    list.into_iter().flatten()
}

fn text(value: &Value, field: &str) -> Option<String> {
    value[field].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn graph(edges: &[(&str, &[&str])]) -> Value {
        let package = |name: &str| json!({"id": format!("{name}#1"), "name": name, "targets": []});
        let edge = |name: &&str| {
            let kind = name.starts_with("build").then_some("build");
            json!({"pkg": format!("{name}#1"), "dep_kinds": [{"kind": kind}]})
        };
        let node = |(name, to): &(&str, &[&str])| {
            let edges: Vec<_> = to.iter().map(edge).collect();
            json!({"id": format!("{name}#1"), "deps": edges})
        };
        json!({
            "packages": edges.iter().map(|(name, _)| package(name)).collect::<Vec<_>>(),
            "resolve": {"nodes": edges.iter().map(node).collect::<Vec<_>>()},
            "workspace_members": ["ctx#1"],
        })
    }

    fn lines(edges: &[(&str, &[&str])]) -> Vec<String> {
        let mut metadata = graph(edges);
        prune(&mut metadata);
        let names = |list| -> Vec<_> {
            entries(&metadata, list)
                .filter_map(|entry| text(entry, "id"))
                .map(|id| id.trim_end_matches("#1").to_owned())
                .collect()
        };
        assert_eq!(names("/packages"), names("/resolve/nodes"));
        names("/packages")
    }

    #[test]
    fn what_the_library_uses_inside_is_not_told() {
        assert_eq!(
            lines(&[
                ("ctx", &["evenhand"]),
                ("evenhand", &["polars", "reqwest"]),
                ("polars", &["polars-core", "regex", "either"]),
                ("polars-core", &[]),
                ("reqwest", &["url"]),
                ("url", &[]),
                ("regex", &[]),
                ("either", &["build-cc"]),
                ("build-cc", &[]),
            ]),
            ["ctx", "evenhand", "polars", "polars-core", "either"]
        );
    }

    #[test]
    fn what_the_reader_asks_for_is_told_with_all_below_it() {
        assert_eq!(
            lines(&[
                ("ctx", &["evenhand", "reqwest"]),
                ("evenhand", &["reqwest"]),
                ("reqwest", &["url"]),
                ("url", &[]),
            ]),
            ["ctx", "evenhand", "reqwest", "url"]
        );
    }
}
