//! The `.env` file: found in a folder or one above it, read without
//! touching the process environment, and never quoted, since it holds keys.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

pub(super) fn read(folder: &Path) -> Result<HashMap<String, String>> {
    match find(folder) {
        Some(path) => read_file(&path),
        None => Ok(HashMap::new()),
    }
}

fn find(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .map(|folder| folder.join(".env"))
        .find(|path| path.is_file())
}

fn read_file(path: &Path) -> Result<HashMap<String, String>> {
    let failed = |what: &str| Error::new(ErrorKind::Settings, format!("{} {what}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| {
        failed("can't be read")
            .with_source(error)
            .with_hint("make the file readable, or move it away and set the variables yourself")
    })?;
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        failed("is not UTF-8 text").with_hint(
            "save it as UTF-8 (PowerShell's `>` writes UTF-16: use `Out-File -Encoding utf8`)",
        )
    })?;
    parse(text).map_err(|name| {
        failed(&format!("has a line for {name} that can't be understood"))
            .with_hint(format!("write it as {name}='value', in single quotes"))
    })
}

/// The file's values; the first of two lines for a name counts. A line that can't be
/// understood is an error, by name, only where it sets one of our variables: other
/// tools keep lines of their own in the file.
fn parse(text: &str) -> Result<HashMap<String, String>, String> {
    let mut values = HashMap::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (name, value) in dotenvy::from_read_iter(text.as_bytes()).flatten() {
        values.entry(name).or_insert(value);
    }
    let lost = text
        .lines()
        .filter_map(ours)
        .find(|name| !values.contains_key(*name));
    lost.map_or(Ok(values), |name| Err(name.to_owned()))
}

/// The variable of ours that the line sets.
fn ours(line: &str) -> Option<&str> {
    let (name, _) = line.split_once('=')?;
    let name = name.trim();
    let name = name.strip_prefix("export ").unwrap_or(name).trim();
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    (plain && (name.starts_with("AZURE_OPENAI_") || name.starts_with("OPENAI_"))).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_values_and_leaves_other_tools_their_lines() {
        let values = parse("\u{feff}A=1\nnot a line\nB=\"two\" # why\nA=3\n").unwrap();
        assert_eq!(values["A"], "1");
        assert_eq!(values["B"], "two");
    }

    #[test]
    fn a_broken_line_is_named_without_its_value() {
        let name = parse("AZURE_OPENAI_API_KEY=two words\n").unwrap_err();
        assert_eq!(name, "AZURE_OPENAI_API_KEY");
        assert_eq!(
            parse("export OPENAI_MODEL='open\n").unwrap_err(),
            "OPENAI_MODEL"
        );
        assert!(parse("# OPENAI_MODEL=a b\nOPENAI_MODEL=\n").is_ok());
    }

    #[test]
    fn the_nearest_file_is_read() {
        let root = std::env::temp_dir().join(format!("evenhand-dotenv-{}", std::process::id()));
        let below = root.join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(root.join(".env"), "OPENAI_MODEL=far").unwrap();
        assert_eq!(find(&below), Some(root.join(".env")));
        std::fs::write(root.join("a/.env"), "OPENAI_MODEL=near").unwrap();
        let found = read_file(&find(&below).unwrap()).unwrap();
        assert_eq!(found["OPENAI_MODEL"], "near");
        std::fs::write(root.join("a/.env"), b"OPENAI_API_KEY=two secret words").unwrap();
        let error = read_file(&root.join("a/.env")).unwrap_err();
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        std::fs::remove_dir_all(&root).unwrap();
    }
}
