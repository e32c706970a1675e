//! Parses a `.env` file. Values are literal: `$` is not expanded. Lines of other tools that can't
//! be parsed are ignored.

use std::collections::HashMap;

/// The values that a file sets, and what the user should know about them.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) values: HashMap<String, String>,
    /// Lines for one of our variables inside of another tool's value.
    pub(crate) swallowed: Vec<EnclosedLine>,
}

/// A line for one of our variables that is part of another value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EnclosedLine {
    pub(crate) name: String,
    /// The number of the line where that value begins.
    pub(crate) begins: usize,
}

/// A line for one of our variables that can't be understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) String);

/// Parses a file. If a name is set twice, the first line counts.
///
/// | written | value |
/// |---|---|
/// | `NAME='value'` | the text between the quotes, which may span lines |
/// | `NAME="value"` | the same, with `\n`, `\r`, `\t`, `\"`, `\\` and `\$`; other `\` are literal |
/// | `NAME=value # why` | the text up to white space and `#`, or to the end of the line |
///
/// `export` may precede the name. A line with an unclosed quote, or with text after the closing
/// quote, can't be parsed.
///
/// # Errors
/// Such a line for one of our variables; other tools' lines are skipped.
pub(crate) fn parse(text: &str) -> Result<Parsed, Broken> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parsed = Parsed::default();
    let mut swallowed = Vec::new();
    let mut rest = text;
    let mut number = 1;
    while !rest.is_empty() {
        let (line, after) = split_line(rest);
        let Some(Assignment { name, value }) = Assignment::from_line(line) else {
            (rest, number) = (after, number + 1);
            continue;
        };
        // The rest of the file from here, because a quoted value may span lines.
        let whole = rest.get(line.len() - value.len()..).unwrap_or_default();
        match Value::from_quoted(value, whole) {
            Some(Value { text, length }) => {
                let (inside, after) = split_after(whole, length);
                let lines = inside.split('\n').skip(1);
                let ours = lines.filter_map(Assignment::from_line);
                swallowed.extend(
                    ours.filter(|one| is_ours(one.name))
                        .map(|one| EnclosedLine {
                            name: one.name.to_owned(),
                            begins: number,
                        }),
                );
                parsed.values.entry(name.to_owned()).or_insert(text);
                number += inside.matches('\n').count() + 1;
                rest = after;
            }
            None if is_ours(name) && !parsed.values.contains_key(name) => {
                return Err(Broken(name.to_owned()));
            }
            None => (rest, number) = (after, number + 1),
        }
    }
    swallowed.retain(|one| !parsed.values.contains_key(&one.name));
    parsed.swallowed = swallowed;
    Ok(parsed)
}

/// All variables that we read. Other names with the same prefixes belong to other tools.
const OURS: [&str; 30] = [
    "AZURE_OPENAI_ENDPOINT",
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_AD_TOKEN",
    "AZURE_OPENAI_API_VERSION",
    "AZURE_OPENAI_DEPLOYMENT",
    "AZURE_OPENAI_TPM",
    "AZURE_OPENAI_RPM",
    "OPENAI_BASE_URL",
    "OPENAI_API_KEY",
    "OPENAI_API_VERSION",
    "OPENAI_MODEL",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_AUTHORITY_HOST",
    "AZURE_SUBSCRIPTION_ID",
    "AZURE_RESOURCE_GROUP",
    "ARM_ENVIRONMENT",
    "DATABRICKS_HOST",
    "DATABRICKS_TOKEN",
    "DATABRICKS_CLIENT_ID",
    "DATABRICKS_CLIENT_SECRET",
    "DATABRICKS_AUTH_TYPE",
    "DATABRICKS_AZURE_RESOURCE_ID",
    "DATABRICKS_CONFIG_PROFILE",
    "DATABRICKS_CLUSTER_ID",
    "DATABRICKS_SERVERLESS_COMPUTE_ID",
    "EVENHAND_ALLOW_HTTP",
    "EVENHAND_JOURNAL",
    "SPARK_REMOTE",
];

fn is_ours(name: &str) -> bool {
    OURS.contains(&name)
}

/// A line that assigns a value to a name.
struct Assignment<'a> {
    name: &'a str,
    /// The text after the `=`, without leading white space.
    value: &'a str,
}

impl<'a> Assignment<'a> {
    fn from_line(line: &'a str) -> Option<Self> {
        let (name, value) = line.split_once('=')?;
        let name = name.trim();
        let name = match name.strip_prefix("export") {
            Some(exported) if exported.starts_with(char::is_whitespace) => exported.trim_start(),
            _ => name,
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        (!name.is_empty() && name.bytes().all(plain)).then(|| Self {
            name,
            value: value.trim_start(),
        })
    }
}

/// The value of a line.
struct Value {
    text: String,
    /// The length of its source text, in bytes.
    length: usize,
}

impl Value {
    /// Parses the value at the end of the line. `whole` begins at the same place and extends to
    /// the end of the file. `None` if the value can't be parsed.
    fn from_quoted(line: &str, whole: &str) -> Option<Self> {
        match whole.as_bytes().first() {
            Some(b'\'') => {
                let end = whole.get(1..)?.find('\'')? + 1;
                let text = whole.get(1..end)?.to_owned();
                is_closed(whole, end).then_some(Self {
                    text,
                    length: end + 1,
                })
            }
            Some(b'"') => {
                let (text, end) = unescaped(whole)?;
                is_closed(whole, end).then_some(Self {
                    text,
                    length: end + 1,
                })
            }
            _ => {
                let text = before_comment(line);
                // White space more likely means a forgotten quote than a value with spaces.
                (!text.contains(char::is_whitespace)).then(|| Self {
                    text: text.to_owned(),
                    length: line.len(),
                })
            }
        }
    }
}

/// The unescaped text between double quotes, and the position of the closing quote.
fn unescaped(whole: &str) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut chars = whole.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((text, at)),
            '\\' => match chars.next()?.1 {
                'n' => text.push('\n'),
                'r' => text.push('\r'),
                't' => text.push('\t'),
                meant @ ('"' | '\\' | '$') => text.push(meant),
                other => text.extend(['\\', other]),
            },
            other => text.push(other),
        }
    }
    None
}

/// Whether the quote at this position closes a value: only a comment may follow it, and it must
/// not open the value of a later line, which happens if an earlier closing quote is missing.
fn is_closed(whole: &str, end: usize) -> bool {
    let (value, rest) = whole.split_at(end);
    let rest = rest.get(1..).unwrap_or_default();
    let after = split_line(rest).0;
    let is_over = after.trim().is_empty()
        || after.starts_with(char::is_whitespace) && after.trim_start().starts_with('#');
    let opens_another = value
        .rsplit_once('\n')
        .and_then(|(_, last)| Assignment::from_line(last))
        .is_some_and(|last| last.value.is_empty());
    is_over && !opens_another
}

/// The value without its comment, which begins with `#` at the start or after white space.
fn before_comment(line: &str) -> &str {
    let mut before = ' ';
    let comment = line.char_indices().find(|(_, c)| {
        let begins = *c == '#' && before.is_whitespace();
        before = *c;
        begins
    });
    let end = comment.map_or(line.len(), |(at, _)| at);
    line.get(..end).unwrap_or_default().trim_end()
}

/// The first line without its line end, and the rest.
fn split_line(text: &str) -> (&str, &str) {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    (line.strip_suffix('\r').unwrap_or(line), rest)
}

/// The source text of a value, and the text after the line in which it ends.
fn split_after(whole: &str, length: usize) -> (&str, &str) {
    let (inside, rest) = whole.split_at_checked(length).unwrap_or((whole, ""));
    (inside, split_line(rest).1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(text: &str, name: &str) -> Option<String> {
        parse(text).unwrap().values.get(name).cloned()
    }

    #[test]
    fn values_are_read_in_every_form() {
        let text = "\u{feff}A=1\r\nexport B=\"two\" # why\r\n  C = 'three # four' \nnot a line\n\
                    D=x#y # z\nE=\nF=#\nA=3\n\"G\"=7\nH=\"a\\n\\\"b\\\" \\$c \\d\"";
        for (name, expected) in [
            ("A", "1"),
            ("B", "two"),
            ("C", "three # four"),
            ("D", "x#y"),
            ("E", ""),
            ("F", ""),
            ("H", "a\n\"b\" $c \\d"),
        ] {
            assert_eq!(value(text, name).as_deref(), Some(expected), "{name}");
        }
        assert_eq!(parse(text).unwrap().values.len(), 7);
    }

    #[test]
    fn nothing_is_put_in_the_place_of_a_dollar() {
        let text = "HOME=secret\nOPENAI_API_KEY=abc$HOME${HOME}$\nA=\"$HOME ${PATH}\"\nB='$HOME'\n";
        assert_eq!(value(text, "OPENAI_API_KEY").unwrap(), "abc$HOME${HOME}$");
        assert_eq!(value(text, "A").unwrap(), "$HOME ${PATH}");
        assert_eq!(value(text, "B").unwrap(), "$HOME");
    }

    #[test]
    fn other_tools_lines_hide_nothing() {
        for other in [
            "OWNER=O'Brien",
            "OWNER='Brien",
            "OWNER=\"open",
            "A='x' y",
            "A=two words",
            "A=`date`",
            "A=\\",
            "A=${B:-'",
            "=",
            "'",
            "A=\"\\",
            "{\"a\": [",
            "OPENAI_ORG_NAME=My Company",
        ] {
            let ours = "OPENAI_MODEL='m'\nOPENAI_API_KEY=\"k\"\nOPENAI_BASE_URL=u";
            for text in [
                format!("{other}\n{ours}\n{other}\n"),
                format!("{other}\n{other}\r\n{ours}\n"),
                format!("{ours}\n{other}"),
            ] {
                assert_eq!(value(&text, "OPENAI_MODEL").as_deref(), Some("m"), "{text}");
                assert_eq!(
                    value(&text, "OPENAI_API_KEY").as_deref(),
                    Some("k"),
                    "{text}"
                );
                assert_eq!(
                    value(&text, "OPENAI_BASE_URL").as_deref(),
                    Some("u"),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn a_value_over_lines_is_its_own_tools() {
        let text = "PEM=\"-----BEGIN\nOPENAI_API_KEY=no\nOPENAI_MODEL=no\n-----END\" # pem\n\
                    OPENAI_API_KEY=yes\n";
        let parsed = parse(text).unwrap();
        assert_eq!(parsed.values["OPENAI_API_KEY"], "yes");
        let lost = EnclosedLine {
            name: "OPENAI_MODEL".to_owned(),
            begins: 1,
        };
        assert_eq!(parsed.swallowed, [lost]);
    }

    #[test]
    fn a_broken_line_of_ours_is_named() {
        for (text, name) in [
            ("AZURE_OPENAI_API_KEY=two words\n", "AZURE_OPENAI_API_KEY"),
            ("export OPENAI_MODEL='open\n", "OPENAI_MODEL"),
            ("OPENAI_MODEL='a'b\n", "OPENAI_MODEL"),
            ("A=1\nEVENHAND_JOURNAL=\"x\n", "EVENHAND_JOURNAL"),
            ("SPARK_REMOTE='sc://host\n", "SPARK_REMOTE"),
            ("EVENHAND_ALLOW_HTTP=1 yes\n", "EVENHAND_ALLOW_HTTP"),
            ("AZURE_CLIENT_SECRET='open\n", "AZURE_CLIENT_SECRET"),
        ] {
            assert_eq!(parse(text).unwrap_err(), Broken(name.to_owned()));
        }
        assert!(parse("# OPENAI_MODEL=a b\nOPENAI_MODEL=\n").is_ok());
    }

    #[test]
    fn every_variable_that_settings_read_is_ours() {
        let asked = std::cell::RefCell::new(Vec::new());
        let lookup = |name: &str| {
            asked.borrow_mut().push(name.to_owned());
            None
        };
        let _ = crate::Settings::from_lookup(lookup);
        crate::settings::CloudSettings::from_lookup(&lookup);
        // The machine's and the manager's address are never read from a file.
        let of_the_machine = crate::settings::identity::OF_THE_MACHINE;
        for name in asked.into_inner() {
            let name = name.as_str();
            let is_read =
                !of_the_machine.contains(&name) && name != crate::settings::cloud::MANAGER;
            assert!(!is_read || is_ours(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_value_in_single_quotes_comes_back(value in "[^'\n\r]*") {
            let text = format!("A=b\nOPENAI_MODEL='{value}'\nB=c\n");
            prop_assert_eq!(&parse(&text).unwrap().values["OPENAI_MODEL"], &value);
        }

        #[test]
        fn any_value_in_double_quotes_comes_back(value in any::<String>()) {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let text = format!("OPENAI_MODEL=\"{escaped}\"");
            prop_assert_eq!(&parse(&text).unwrap().values["OPENAI_MODEL"], &value);
        }

        #[test]
        fn any_plain_value_comes_back(value in "[!-~&&[^'\"#]][!-~]*") {
            let text = format!("OPENAI_API_KEY={value}\r\n");
            prop_assert_eq!(&parse(&text).unwrap().values["OPENAI_API_KEY"], &value);
        }

        #[test]
        fn any_text_is_read(text in any::<String>()) {
            let _ = parse(&text);
        }

        #[test]
        fn odd_lines_are_read(text in "(A|OPENAI_MODEL|export |=|'|\"|\\\\|\n|\r|#| |\\$)*") {
            let _ = parse(&text);
        }

        /// Whatever lines other tools write, ours are found.
        #[test]
        fn our_lines_are_found_whatever_stands_before_them(
            before in prop::collection::vec("[A-Z]{0,3}=?['\"]?[^'\"\n\r]{0,9}", 0..6),
        ) {
            let before = before.join("\n");
            let text = format!("{before}\nOPENAI_MODEL='m'\nOPENAI_BASE_URL=u\n");
            let parsed = parse(&text).unwrap();
            prop_assert_eq!(parsed.values.get("OPENAI_BASE_URL").map(String::as_str), Some("u"));
            prop_assert_eq!(parsed.values.get("OPENAI_MODEL").map(String::as_str), Some("m"));
        }
    }
}
