//! What the user can do about rows that failed: each hint once, with the number of its rows.

use evenhand::batch::Row;
use evenhand::{Error, ErrorKind};

/// How many different hints are kept. Rows seldom fail for more reasons.
const MAX_COUNT: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Hints(Vec<(String, usize)>);

impl Hints {
    /// Counts the hint of a row's error, if it has one. Rows that were only stopped need none.
    pub(super) fn add(&mut self, row: &Row) {
        let error = row.outcome.as_ref().err();
        let error = error.filter(|error| error.kind() != ErrorKind::Cancelled);
        if let Some(hint) = error.and_then(Error::hint) {
            self.count(hint);
        }
    }

    fn count(&mut self, hint: &str) {
        let hint = &in_shell(hint);
        if let Some((_, count)) = self.0.iter_mut().find(|(known, _)| known == hint) {
            *count += 1;
        } else if self.0.len() < MAX_COUNT {
            self.0.push((hint.to_owned(), 1));
        }
    }

    /// The hints as lines.
    pub(super) fn to_lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(hint, count)| match count {
            1 => format!("hint for 1 row: {hint}"),
            count => format!("hint for {count} rows: {hint}"),
        })
    }
}

/// The options that are named like a method of a batch.
const OPTIONS: [&str; 7] = [
    "concurrency",
    "deployment",
    "fresh",
    "max_tokens",
    "system",
    "temperature",
    "thinking_allowance",
];

/// A hint of the library with the options of this command, or the fields of a request, in place of
/// methods in Rust: `--max-tokens 100` for `.max_tokens(100)`.
fn in_shell(hint: &str) -> String {
    let mut told = String::new();
    let mut rest = hint;
    while let Some((before, call)) = rest.split_once('.') {
        told.push_str(before);
        let parts = call.split_once('(');
        let parts = parts.and_then(|(name, more)| Some((name, more.split_once(')')?)));
        match parts.and_then(|(name, (value, after))| Some((instead(name, value)?, after))) {
            Some((instead, after)) => {
                told.push_str(&instead);
                rest = after;
            }
            None => {
                told.push('.');
                rest = call;
            }
        }
    }
    told + rest
}

/// What does the same as this call of a method, if anything.
fn instead(name: &str, value: &str) -> Option<String> {
    let of_request = |field: &str, value: &str| format!("\"{field}\": {value} in a request's body");
    match name {
        "set" => {
            let (field, value) = value.split_once(", ")?;
            Some(of_request(field.trim_matches('"'), value))
        }
        "max_completion_tokens" => Some(of_request(name, value)),
        name if OPTIONS.contains(&name) => {
            let option = format!("--{} {value}", name.replace('_', "-"));
            Some(option.trim_end().to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hint_is_told_once() {
        let mut hints = Hints::default();
        (0..3).for_each(|_| hints.count("reword the prompt"));
        (0..9).for_each(|number| hints.count(&format!("try {number}")));
        let lines: Vec<_> = hints.to_lines().collect();
        assert_eq!(lines.len(), MAX_COUNT);
        assert_eq!(lines[0], "hint for 3 rows: reword the prompt");
        assert_eq!(lines[1], "hint for 1 row: try 0");
    }

    #[test]
    fn a_hint_names_what_the_shell_has() {
        for (hint, told) in [
            (
                "ask with .thinking_allowance(4400) or `.max_tokens(100)`.",
                "ask with --thinking-allowance 4400 or `--max-tokens 100`.",
            ),
            (
                ".set(\"reasoning_effort\", \"low\") reduces it",
                "\"reasoning_effort\": \"low\" in a request's body reduces it",
            ),
            (
                "raise .max_completion_tokens(256)",
                "raise \"max_completion_tokens\": 256 in a request's body",
            ),
            (
                "see https://host.example (1.5 s), `client.batch(..)`, .open(path) and .deployment()",
                "see https://host.example (1.5 s), `client.batch(..)`, .open(path) and --deployment",
            ),
        ] {
            assert_eq!(in_shell(hint), told);
        }
    }
}
