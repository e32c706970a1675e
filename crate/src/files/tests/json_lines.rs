//! JSON lines.

use polars::prelude::{DataType, IntoLazy, col, lit};

use super::{frame, given, refused, rows};
use crate::files::{read, scan};

#[test]
fn rows_may_lack_fields_and_have_them_in_any_order() {
    let text = "\u{feff}{\"a\": 1, \"b\": \"x \\\"y\\\"\"}\r\n\n{\"c\": [1, {\"d\": 2}], \"a\": 2.5}\n{\"b\": null, \"e\": true}";
    let frame = frame("a.jsonl", text);
    assert_eq!(frame.get_column_names(), ["a", "b", "c", "e"]);
    assert_eq!(
        rows(&frame),
        [
            ["1.0", "x \"y\"", "null", "null"],
            ["2.5", "null", "[1, {\"d\": 2}]", "null"],
            ["null", "null", "null", "true"],
        ]
    );
}

#[test]
fn a_line_that_is_none_is_named() {
    let broken = "{\"a\": 1}\n{\"a\": 2,\n{\"a\": 3}\n";
    insta::assert_snapshot!(refused("a.jsonl", broken), @"
        a.jsonl, line 2, character 8: the object breaks off
          hint: JSON lines are read: one whole object on each line, without a list around them
        ");
    let places = [
        (
            "{\"a\": 1}\n{\"a\": 2",
            "line 2, character 7: the object breaks off",
        ),
        (
            "{\n  \"a\": 1\n}\n",
            "line 1, character 1: the object breaks off",
        ),
        (
            "{\"a\": 1} {\"a\": 2}\n",
            "line 1, character 10: it is not JSON: trailing characters",
        ),
        (
            "{\"a\": 1,}\n",
            "line 1, character 9: it is not JSON: trailing comma",
        ),
        (
            "{'a': 1}\n",
            "line 1, character 2: it is not JSON: key must be a string",
        ),
        (
            "{\"a\": NaN}\n",
            "line 1, character 7: it is not JSON: expected value",
        ),
    ];
    for (text, place) in places {
        let said = refused("a.jsonl", text);
        assert!(
            said.starts_with(&format!("a.jsonl, {place}\n  hint: ")),
            "{said}"
        );
    }
    insta::assert_snapshot!(refused("a.jsonl", "{\"a\": 1}\n{\"a\": x}\n"), @"
        a.jsonl, line 2, character 7: it is not JSON: expected value
          hint: JSON has strings and names in double quotation marks, `null`, `true` and `false`, and nothing after the last field
        ");
    insta::assert_snapshot!(refused("a.jsonl", "{\"a\": 1}\n[1]\n"), @r#"
        a.jsonl, line 2: `[1]` is not an object `{"name": value, ..}`
          hint: JSON lines are read: one whole object on each line, without a list around them
        "#);
    insta::assert_snapshot!(refused("a.jsonl", "a,b\n1,2\n"), @r#"
        a.jsonl, line 1: `a,b` is not an object `{"name": value, ..}`
          hint: a file of CSV is read as such if its name ends in `.csv`
        "#);
    insta::assert_snapshot!(refused("a.json", "[{\"a\": 1}]"), @"
        a.json is a single JSON array
          hint: JSON lines are read: one object on each line, without `[`, `,` and `]`
        ");
    insta::assert_snapshot!(refused("a.jsonl", b"{\"a\": \"caf\xe9\"}\n"), @"
        a.jsonl, line 1, character 11: the byte 0xe9 is not UTF-8, perhaps Latin-1 or Windows-1252
          hint: save the file as UTF-8, for example with `!iconv -f WINDOWS-1252 -t UTF-8 OLD -o NEW` in a cell
        ");
}

#[test]
fn a_value_that_does_not_fit_is_named() {
    let mixed = "{\"a\": 1}\n{\"a\": null}\n{\"a\": \"x\"}\n";
    insta::assert_snapshot!(refused("a.jsonl", mixed), @"
        a.jsonl, line 3, field `a`: it is a string, but an integer in line 1
          hint: a column holds values of one kind; `null` stands for a missing one
        ");
    insta::assert_snapshot!(refused("a.jsonl", "{\"a\": 1, \"a\": 2}\n"), @"a.jsonl, line 1, field `a`: the object has this field twice");
    insta::assert_snapshot!(refused("a.jsonl", "{\"a\": 18446744073709551616}\n"), @"
        a.jsonl, line 1, field `a`: `18446744073709551616` is too large for an integer of 64 bits
          hint: write it as a string, in quotation marks
        ");
    insta::assert_snapshot!(refused("a.jsonl", "{\"a\": 1e999}\n"), @"a.jsonl, line 1, field `a`: `1e999` is too large for a number");
    insta::assert_snapshot!(refused("a.jsonl", "{\"a\": \"\\ud800\"}\n"), @r"a.jsonl, line 1, field `a`: it contains an unpaired surrogate, which is not valid text");
    insta::assert_snapshot!(refused("a.jsonl", "{}\n{}\n"), @"a.jsonl has no row with a field");
}

#[test]
fn names_that_are_data_are_named() {
    let line = |n: usize| format!("{{\"user {n}\": {n}}}\n");
    let sparse = |count| (0..count).map(line).collect::<String>();
    let frame = frame("a.jsonl", sparse(300));
    assert_eq!((frame.height(), frame.width()), (300, 300));
    assert_eq!(frame.column("user 299").unwrap().null_count(), 299);
    insta::assert_snapshot!(refused("a.jsonl", sparse(10_001)), @"
        a.jsonl, line 10001, field `user 10000`: with this name, the objects have more than 10000 different ones
          hint: a name that is another one in each object is data: write it as a value
        ");
}

/// Lines that fill more than one block of a file.
fn lines(count: usize, last: &str) -> String {
    let line = |n: usize| format!("{{\"n\": {n}, \"text\": \"{}\"}}\n", "é".repeat(60));
    (0..count).map(line).collect::<String>() + last
}

#[test]
fn blocks_of_megabytes_are_put_together_in_their_order() {
    let frame = frame("a.jsonl", lines(150_000, "{\"n\": 0.5, \"late\": true}\n"));
    assert_eq!(frame.height(), 150_001);
    assert_eq!(frame.column("n").unwrap().dtype(), &DataType::Float64);
    assert_eq!(frame.column("late").unwrap().null_count(), 150_000);
    let numbers = frame.column("n").unwrap().f64().unwrap().clone();
    assert!((0..150_000).all(|n| numbers.get(n) == Some(n as f64)));
    let other = refused("a.jsonl", lines(150_000, "{\"n\": \"x\"}\n"));
    assert!(
        other.starts_with(
            "a.jsonl, line 150001, field `n`: it is a string, but an integer in line 1"
        ),
        "{other}"
    );
}

#[test]
fn a_lazy_frame_of_megabytes_gives_what_a_whole_one_does() {
    let given = given("a.jsonl", lines(150_000, ""));
    let whole = read(&given.path).unwrap();
    assert_eq!(scan(&given.path).unwrap().collect().unwrap(), whole);
    let query = |lazy: polars::prelude::LazyFrame| {
        lazy.filter(col("n").gt(lit(140_000)))
            .select([col("text")])
            .collect()
            .unwrap()
    };
    assert_eq!(
        query(scan(&given.path).unwrap()),
        query(whole.clone().lazy())
    );
    let few = scan(&given.path).unwrap().limit(3).collect().unwrap();
    assert_eq!(few, whole.head(Some(3)));
    let late = super::given("a.jsonl", lines(150_000, "{\"late\": 1}\n"));
    let error = scan(&late.path).unwrap().collect().unwrap_err().to_string();
    assert!(error.contains("line 150001, field `late`"), "{error}");
}
