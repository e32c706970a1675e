//! The numbers and kinds of all fields, compared with those of Spark's own client.

use std::collections::BTreeMap;

const SOURCES: [&str; 6] = [
    include_str!("artifacts.rs"),
    include_str!("expressions.rs"),
    include_str!("relations.rs"),
    include_str!("service.rs"),
    include_str!("status.rs"),
    include_str!("types.rs"),
];

/// `Message.field`, and its number and kind.
type Fields = BTreeMap<String, (String, String)>;

fn golden() -> Fields {
    let lines = include_str!("golden/fields.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, rest) = line.split_once(' ').unwrap();
            let (number, kind) = rest.split_once(' ').unwrap();
            (name.to_owned(), (number.to_owned(), kind.to_owned()))
        })
        .collect()
}

/// What the attributes in the sources say.
fn written() -> Fields {
    let mut fields = Fields::new();
    for source in SOURCES {
        let mut message = "";
        let mut attribute = "";
        for line in source.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix("pub(crate) struct ") {
                message = name.split(' ').next().unwrap();
            } else if let Some(said) = line.strip_prefix("#[prost(") {
                attribute = said.strip_suffix(")]").unwrap();
            } else if line.starts_with("pub(crate) fn ") {
                continue;
            } else if let Some((field, _)) = line
                .strip_prefix("pub(crate) ")
                .and_then(|line| line.split_once(':'))
            {
                let field = if field == "struct_type" {
                    "struct"
                } else {
                    field
                };
                fields.insert(format!("{message}.{field}"), number_and_kind(attribute));
            }
        }
    }
    fields
}

fn number_and_kind(attribute: &str) -> (String, String) {
    let (said, number) = attribute.rsplit_once("tag = ").unwrap();
    let kind = said.split([',', ' ']).next().unwrap();
    let repeated = if said.contains("repeated") {
        "repeated "
    } else {
        ""
    };
    (
        number.trim_matches('"').to_owned(),
        format!("{repeated}{kind}"),
    )
}

#[test]
fn every_field_has_the_number_and_the_kind_that_spark_gives_it() {
    let (golden, written) = (golden(), written());
    assert_eq!(
        written.keys().collect::<Vec<_>>(),
        golden.keys().collect::<Vec<_>>()
    );
    for (name, (number, kind)) in &written {
        let (expected_number, expected_kind) = &golden[name];
        assert_eq!(number, expected_number, "{name}");
        // Messages within messages are kept encoded, which looks the same.
        let is_same = kind == expected_kind || *kind == expected_kind.replace("message", "bytes");
        assert!(is_same, "{name} is {expected_kind}, not {kind}");
    }
}
