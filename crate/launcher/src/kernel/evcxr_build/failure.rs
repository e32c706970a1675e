//! Errors of a build that are not the compiler's about a cell, in the form in which evcxr shows errors.
//!
//! evcxr takes every message of the compiler for one about the cell: a mistake in line 3 of a crate's
//! `lib.rs` would point to line 3 of the cell. And what cargo says without the compiler is shown with
//! everything else that it printed.

use serde_json::{Value, json};

use crate::kernel::rust_text::items;

/// The most lines of what cargo or a build script printed.
const LINES: usize = 30;

/// What the text of a failure contains, and what the reader can do about it.
const HINTS: [(&str, &str); 6] = [
    (
        "failed to run custom build command",
        "it needs a program or a C library that this machine does not have: install what it \
         names, or choose a crate that is written in pure Rust",
    ),
    (
        "no matching package",
        "look for the name at crates.io: `-` and `_` are different there",
    ),
    (
        "failed to select a version",
        "the crates of this notebook require incompatible versions: ask for a wider range, such \
         as \"1\" and not \"=1.0.3\"",
    ),
    (
        "could not resolve host",
        "there is no network: `:offline 1` uses what was downloaded before",
    ),
    (
        "failed to download",
        "there is no network: `:offline 1` uses what was downloaded before",
    ),
    (
        "no space left on device",
        "the disk is full: `evenhand clean` removes everything that it created",
    ),
];

/// The message about a failed build of which the compiler shown nothing, unless it was stopped.
pub(super) fn of_cargo(printed: &str) -> Option<Value> {
    let lines: Vec<_> = printed
        .lines()
        .map(str::trim_end)
        .filter(|line| !is_progress(line) && !line.contains("evenhand_shared"))
        .collect();
    let first = lines.iter().position(|line| line.starts_with("error"))?;
    let shown = &lines[first..];
    let mut text = shown[..shown.len().min(LINES)].join("\n");
    if shown.len() > LINES {
        text.push_str(&format!("\n… {} more lines", shown.len() - LINES));
    }
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    Some(error(&with_hint(text)))
}

/// Whether cargo says only what it does.
fn is_progress(line: &str) -> bool {
    const DOES: [&str; 8] = [
        "Compiling",
        "Updating",
        "Locking",
        "Adding",
        "Downloading",
        "Downloaded",
        "Downgrading",
        "Blocking",
    ];
    let line = line.trim_start();
    DOES.iter().any(|does| line.starts_with(does))
}

/// The message to evcxr about one of the compiler's that is not about the cell: nothing, unless it is
/// an error.
pub(super) fn of_dependency(diagnostic: &Value) -> Option<Value> {
    let message = &diagnostic["message"];
    let summary = message["message"]
        .as_str()
        .filter(|_| message["level"] == "error")?;
    let is_summary = summary.starts_with("aborting due to") || summary.starts_with("Some errors");
    let name = diagnostic["target"]["name"]
        .as_str()
        .filter(|_| !is_summary)?;
    let at = message["spans"].as_array().and_then(|spans| {
        let span = spans.iter().find(|span| span["is_primary"] == true)?;
        Some(format!(
            "\n  at {}:{}",
            span["file_name"].as_str()?,
            span["line_start"]
        ))
    });
    let at = at.unwrap_or_default();
    Some(error(&format!(
        "the crate `{name}` does not compile: {summary}{at}"
    )))
}

/// The message about a cell that names an allocator of its own: the toolkit is linked with the system's, and
/// memory that one has allocated must not be freed by the other.
pub(super) fn of_allocator(source: &str) -> Option<Value> {
    let is_allocator = |text: &str| {
        text.split("static")
            .next()
            .is_some_and(|head| head.contains("global_allocator"))
    };
    // Every cell is asked, and few have one.
    let found = match source.contains("global_allocator") {
        true => items(source),
        false => return None,
    };
    found
        .iter()
        .any(|item| item.kind == "static" && is_allocator(item.text))
        .then(|| {
            error(
                "a `#[global_allocator]` can't be used together with the toolkit, which frees what the cell \
                 has allocated\n  hint: use the crate's allocator in a program of your own",
            )
        })
}

fn with_hint(text: &str) -> String {
    let lower = text.to_lowercase();
    let hint = HINTS.iter().find(|(phrase, _)| lower.contains(phrase));
    match hint {
        Some((_, hint)) => format!("{text}\n  hint: {hint}"),
        None => text.to_owned(),
    }
}

fn error(text: &str) -> Value {
    json!({
        "reason": "compiler-message",
        "target": {"name": "ctx"},
        "message": {
            "message": text, "level": "error", "code": null, "spans": [], "children": [],
            "rendered": format!("error: {text}\n"),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(message: &Value) -> &str {
        message["message"]["message"].as_str().unwrap()
    }

    #[test]
    fn what_cargo_says_is_shown_without_its_progress_and_with_a_hint() {
        let failure = of_cargo(
            "   Compiling openssl-sys v0.9.1\nerror: failed to run custom build command for \
             `openssl-sys v0.9.1`\n\nCaused by:\n  pkg-config was not found\n",
        );
        insta::assert_snapshot!(text(&failure.unwrap()), @r"
        failed to run custom build command for `openssl-sys v0.9.1`

        Caused by:
          pkg-config was not found
          hint: it needs a program or a C library that this machine does not have: install what it names, or choose a crate that is written in pure Rust
        ");
        assert_eq!(of_cargo("   Compiling serde v1.0.0\n"), None);
        let many = "error: x\n".to_owned() + &"y\n".repeat(100);
        assert!(text(&of_cargo(&many).unwrap()).ends_with("… 71 more lines"));
    }

    #[test]
    fn an_error_in_a_crate_is_not_one_in_the_cell() {
        let diagnostic = json!({
            "target": {"name": "tiny"},
            "message": {
                "message": "mismatched types", "level": "error",
                "spans": [{"is_primary": true, "file_name": "/t/src/lib.rs", "line_start": 3}],
            },
        });
        let failure = of_dependency(&diagnostic).unwrap();
        assert_eq!(
            text(&failure),
            "the crate `tiny` does not compile: mismatched types\n  at /t/src/lib.rs:3"
        );
        assert_eq!(failure["message"]["spans"], json!([]));
        let mut warning = diagnostic.clone();
        warning["message"]["level"] = "warning".into();
        assert_eq!(of_dependency(&warning), None);
    }

    #[test]
    fn an_allocator_is_refused_where_it_is_one() {
        assert!(of_allocator("#[global_allocator]\nstatic A: System = System;").is_some());
        for code in [
            "// #[global_allocator]\nstatic A: u8 = 1;",
            "let a = \"#[global_allocator] static\";",
            "static A: &str = \"#[global_allocator]\";",
        ] {
            assert_eq!(of_allocator(code), None, "{code}");
        }
    }
}
