//! A `:dep` line that names the toolkit, read as evcxr and cargo read it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The size limit of a manifest that is read, in bytes.
const MAX_LENGTH: u64 = 1024 * 1024;

/// Where a line takes the library from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// It names none, so that the registry would be meant: a version, and the other keys, each after a
    /// comma.
    Installed {
        version: Option<String>,
        rest: String,
    },
    /// A path, which is `None` if it is written in a way that is not read here, and the other keys, each
    /// after a comma.
    Path { path: Option<String>, rest: String },
    /// Another source, or something that only cargo understands.
    Elsewhere,
}

/// Whether evcxr goes on to look for commands after this line.
pub fn is_command(line: &str) -> bool {
    let line = line.trim_end_matches(['\r', '\n']);
    line.starts_with(['!']) || line.starts_with("//") || line.trim().is_empty() || {
        line.trim_start_matches(' ').starts_with(':')
    }
}

/// Where a line takes the toolkit from, if it depends on the toolkit.
pub fn source(line: &str) -> Option<Source> {
    let rest = line.trim_start_matches(' ').strip_prefix(":dep")?;
    let named = rest.strip_prefix(' ')?.trim();
    let rest = named.strip_prefix("evenhand")?;
    let rest = rest.trim_start_matches(' ');
    let is_named = rest.is_empty() || rest.starts_with('=');
    is_named.then(|| match rest.strip_prefix('=') {
        None => Source::Installed {
            version: None,
            rest: String::new(),
        },
        Some(config) => of_config(config.trim()),
    })
}

fn of_config(config: &str) -> Source {
    if let Some(version) = string(config) {
        return Source::Installed {
            version: Some(version),
            rest: String::new(),
        };
    }
    let Some(entries) = entries(config) else {
        return Source::Elsewhere;
    };
    let value = |name: &str| entries.iter().find(|(key, _)| *key == name);
    if let Some((_, path)) = value("path") {
        let known = entries
            .iter()
            .all(|(key, _)| is_ours(key) || *key == "path");
        return Source::Path {
            path: string(path).filter(|_| known),
            rest: others(&entries, "path"),
        };
    }
    if !entries.iter().all(|(key, _)| is_ours(key)) {
        return Source::Elsewhere;
    }
    let version = value("version").map(|(_, version)| string(version));
    match version {
        Some(None) => Source::Elsewhere,
        version => Source::Installed {
            version: version.flatten(),
            rest: others(&entries, "version"),
        },
    }
}

/// All keys but one, each after a comma.
fn others(entries: &[(&str, &str)], one: &str) -> String {
    let others = entries.iter().filter(|(key, _)| *key != one);
    others
        .map(|(key, value)| format!(", {key} = {value}"))
        .collect()
}

/// The keys that say nothing about the source.
fn is_ours(key: &str) -> bool {
    ["version", "features", "default-features"].contains(&key)
}

/// A string of TOML without escapes.
fn string(value: &str) -> Option<String> {
    ['"', '\''].iter().find_map(|quote| {
        let inner = value.strip_prefix(*quote)?.strip_suffix(*quote)?;
        let is_plain = !inner.contains(['"', '\'', '\\', '\n']);
        is_plain.then(|| inner.to_owned())
    })
}

/// The keys and values of an inline table, each key once. `None` for anything else.
fn entries(table: &str) -> Option<Vec<(&str, &str)>> {
    let inner = table.strip_prefix('{')?.strip_suffix('}')?.trim();
    let mut entries: Vec<(&str, &str)> = Vec::new();
    if inner.is_empty() {
        return Some(entries);
    }
    for part in parts(inner)? {
        let (key, value) = part.split_once('=')?;
        let (key, value) = (key.trim(), value.trim());
        let is_bare = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        let is_new = entries.iter().all(|(known, _)| *known != key);
        if key.is_empty() || value.is_empty() || !key.chars().all(is_bare) || !is_new {
            return None;
        }
        entries.push((key, value));
    }
    Some(entries)
}

/// The parts between commas outside of strings and brackets.
fn parts(text: &str) -> Option<Vec<&str>> {
    let (mut parts, mut from, mut depth) = (Vec::new(), 0, 0_u32);
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            // An escape may hide the end of a string; a comment ends the line.
            (Some('"'), '\\') | (None, '#') => return None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.checked_sub(1)?,
            (None, ',') if depth == 0 => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            (None, _) => {}
        }
    }
    parts.push(&text[from..]);
    (depth == 0 && quote.is_none()).then_some(parts)
}

/// The version in a manifest, if the package writes it down itself.
pub fn version_of(manifest: &Path) -> Option<String> {
    let found = manifest.metadata().ok()?;
    if !found.is_file() || found.len() > MAX_LENGTH {
        return None;
    }
    let mut text = String::new();
    let file = File::open(manifest).ok()?;
    file.take(MAX_LENGTH).read_to_string(&mut text).ok()?;
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix("version")?.trim_start().strip_prefix('='))?;
    string(value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_cargo_understands_is_left_to_it() {
        for config in [
            "1",
            "\"0.1",
            "\"0.1\" # later",
            "{ path = \"a\", path = \"b\" }",
            "{ version = 1 }",
            "{ version = \"\\u0030\" }",
            "{ version = \"0.1\" } # \"}",
            "{ features = [ }",
            "{ workspace = true }",
            "{ \"path\" = \"x\" }",
            "{ version.x = \"0.1\" }",
        ] {
            let source = source(&format!(":dep evenhand = {config}"));
            assert_eq!(source, Some(Source::Elsewhere), "{config}");
        }
    }

    #[test]
    fn a_path_is_read_where_it_is_plain() {
        let read = |config: &str| source(&format!(":dep evenhand = {config}"));
        let path = |path: Option<&str>, rest: &str| {
            let (path, rest) = (path.map(str::to_owned), rest.to_owned());
            Some(Source::Path { path, rest })
        };
        assert_eq!(read("{ path = \"a, b\" }"), path(Some("a, b"), ""));
        assert_eq!(
            read("{path='x',features=[\"a\",\"b\"]}"),
            path(Some("x"), ", features = [\"a\",\"b\"]")
        );
        assert_eq!(
            read("{ package = \"evil\", path = \"x\" }"),
            path(None, ", package = \"evil\"")
        );
    }

    #[test]
    fn commands_come_before_the_code() {
        for line in [":dep x", "  :dep x\n", "// a", "", " \n", "!ls"] {
            assert!(is_command(line), "{line}");
        }
        for line in ["let a = 1;", "  // a", "\t:dep x", " !ls"] {
            assert!(!is_command(line), "{line}");
        }
    }

    #[test]
    fn a_version_is_read_from_a_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = folder.path().join("Cargo.toml");
        let version = |text: &str| {
            std::fs::write(&manifest, text).unwrap();
            version_of(&manifest)
        };
        assert_eq!(
            version("[package]\nversion = \"1.2.3\"\n").as_deref(),
            Some("1.2.3")
        );
        assert_eq!(version("[package]\nversion.workspace = true\n"), None);
        assert_eq!(version_of(folder.path()), None);
    }
}
