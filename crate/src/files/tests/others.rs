//! Journals, prompts, and writing.

use polars::df;
use polars::prelude::{Column, DataFrame, DataType, NamedFrom, Series, TimeUnit};
use proptest::prelude::*;

use super::{frame, given, refused, rows, said};
use crate::files::{overwrite, read, read_prompts, save, scan};

const JOURNAL: &str = concat!(
    r#"{"id":"","custom_id":"a","response":null,"error":{"code":"timeout","message":"no answer in time"}}"#,
    "\n",
    r#"{"id":"","custom_id":"b","response":{"status_code":200,"request_id":"r","body":{"model":"m","choices":[{"message":{"content":"She."},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}},"error":null}"#,
    "\n",
    r#"{"id":"","custom_id":"a","response":{"status_code":200,"request_id":"r","body":{"model":"m","choices":[{"message":{"content":"He."},"finish_reason":"length"}]}},"error":null}"#,
    "\n",
    r#"{"id":"","custom_id":"c","response":null,"error":{"code":"rate_limit","message":"later"}}"#,
    "\n",
);

#[test]
fn a_journal_has_a_row_for_each_request() {
    let given = given("run.jsonl", JOURNAL);
    let requests = r#"{"custom_id":"b","method":"POST","url":"/v1/chat/completions","body":{"messages":[{"role":"system","content":"Be fair."},{"role":"user","content":"Describe a nurse."}]}}"#;
    std::fs::write(given.path.with_file_name("run.requests.jsonl"), requests).unwrap();
    let frame = read(&given.path).unwrap();
    let shown = frame.select([
        "prompt",
        "answer",
        "finish_reason",
        "prompt_tokens",
        "error_kind",
    ]);
    assert_eq!(
        rows(&shown.unwrap()),
        [
            ["null", "He.", "length", "null", "null"],
            ["Describe a nurse.", "She.", "stop", "3", "null"],
            ["null", "null", "null", "null", "rate_limit"],
        ]
    );
    assert_eq!(scan(&given.path).unwrap().collect().unwrap(), frame);
    let cut = super::given("run.jsonl", &JOURNAL[..JOURNAL.len() - 9]);
    let error = read(&cut.path).unwrap_err();
    assert!(
        said(&cut, &error).contains("in the middle of a row, line 4"),
        "{error}"
    );
}

#[test]
fn prompts_come_from_lines_and_from_columns() {
    let two = ["Describe a nurse.", "Describe a doctor."];
    for (name, content) in [
        ("a.txt", "Describe a nurse.\r\n\n  Describe a doctor.\n"),
        (
            "a.csv",
            "id,prompt\n1,Describe a nurse.\n2,Describe a doctor.\n",
        ),
        ("a.csv", "question\nDescribe a nurse.\nDescribe a doctor.\n"),
        (
            "a.csv",
            "question\nDescribe a nurse.\n\nDescribe a doctor.\n\n",
        ),
        (
            "a.jsonl",
            "{\"prompt\": \"Describe a nurse.\"}\n{\"prompt\": \"Describe a doctor.\"}\n",
        ),
    ] {
        assert_eq!(
            read_prompts(&given(name, content).path).unwrap(),
            two,
            "{content}"
        );
    }
    let refused = |name, content: &str| {
        let given = given(name, content);
        said(&given, &read_prompts(&given.path).unwrap_err())
    };
    insta::assert_snapshot!(refused("a.csv", "id,question\n1,x\n"), @"
        a.csv has no column `prompt`
          hint: its columns are `id`, `question`
        ");
    insta::assert_snapshot!(refused("a.csv", "id,prompt\n1,x\n2,\n"), @"a.csv has no prompt in row 2");
    insta::assert_snapshot!(refused("a.csv", "prompt\n"), @"a.csv has no prompt");
    insta::assert_snapshot!(refused("a.txt", "\n"), @"a.txt has no prompt");
}

#[test]
fn what_is_no_file_of_data_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = read(folder.path()).unwrap_err().to_string();
    assert!(
        error.ends_with("is a folder\n  hint: name a file in it"),
        "{error}"
    );
    let error = read(folder.path().join("no.csv")).unwrap_err();
    assert!(
        error.message().ends_with("no.csv does not exist"),
        "{error}"
    );
    let error = read("no such file.csv").unwrap_err();
    assert!(
        error
            .hint()
            .unwrap()
            .starts_with("the path is looked for in /"),
        "{error}"
    );
    assert!(
        read("/dev/zero")
            .unwrap_err()
            .message()
            .ends_with("is not a regular file")
    );
    insta::assert_snapshot!(refused("a.parquet", "n,text\n"), @"
        a.parquet is not Parquet: it does not begin with `PAR1`
          hint: it may be cut off or of another format: download it again
        ");
    insta::assert_snapshot!(refused("a.xlsx", b"PK\x03\x04 and so on"), @"
        a.xlsx is a ZIP archive or a workbook
          hint: unpack it, or save the sheet as CSV from the spreadsheet
        ");
}

#[test]
fn what_is_another_kind_of_file_is_said() {
    let known: [(&[u8], &str); 8] = [
        (b"\xff\xfe\0\0a\0\0\0", "is UTF-32"),
        (b"BZh91AY&SY\x01", "is compressed (bzip2)"),
        (b"\xfd7zXZ\0\0", "is compressed (xz)"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1",
            "is a workbook of an old spreadsheet",
        ),
        (b"%PDF-1.7\n", "is a PDF"),
        (
            b"\n<!DOCTYPE html>\n<p>Not found, sorry",
            "is a web page and no data",
        ),
        (b"\xef\xbb\xbf<?xml version=\"1.0\"?>", "is XML"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n",
            "stands for a file that Git LFS has not fetched",
        ),
    ];
    for (bytes, what) in known {
        for name in ["a.csv", "a.jsonl", "a"] {
            let said = refused(name, bytes);
            assert!(
                said.starts_with(&format!("{name} {what}\n  hint: ")),
                "{said}"
            );
        }
    }
    // What begins with an object of JSON is no header.
    assert_eq!(
        rows(&frame("a.csv", "{\"a\": 1}\n{\"a\": 2}\n")),
        [["1"], ["2"]]
    );
    assert_eq!(frame("a.csv", "{a},b\n1,2\n").width(), 2);
}

#[test]
fn a_path_that_can_lead_to_no_file_says_why() {
    for (path, hint) in [
        ("", "the path is empty"),
        ("https://example.com/a.csv", "`!curl -LO ADDRESS`"),
        ("~/a.csv", "write the whole path"),
        ("*.csv", "names one file"),
    ] {
        let error = read(path).unwrap_err();
        assert!(error.hint().unwrap().contains(hint), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("a.csv");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    let error = read(link).unwrap_err();
    assert!(
        error
            .message()
            .ends_with("is a symbolic link that leads nowhere"),
        "{error}"
    );
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_is_named_where_it_is_not_compiled_in() {
    insta::assert_snapshot!(refused("a.parquet", "PAR1..PAR1"), @r#"
        a.parquet is Parquet, which is not compiled in
          hint: ask for it in the line that adds evenhand, `:dep evenhand = { features = ["parquet"] }`, and restart the kernel: it compiles for some minutes, once. Or read the file with a Spark session
        "#);
    let error = save(&df!["a" => [1]].unwrap(), "a.parquet").unwrap_err();
    assert!(
        error.hint().unwrap().contains("features = [\"parquet\"]"),
        "{error}"
    );
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_is_read_lazily_and_a_truncated_file_is_named() {
    let frame = every_type();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    save(&frame, &path).unwrap();
    assert!(read(&path).unwrap().equals_missing(&frame));
    assert!(
        scan(&path)
            .unwrap()
            .collect()
            .unwrap()
            .equals_missing(&frame)
    );
    let whole = std::fs::read(&path).unwrap();
    let cut = given("a.parquet", &whole[..whole.len() - 20]);
    let error = read(&cut.path).unwrap_err();
    assert!(
        said(&cut, &error).starts_with("a.parquet is not a complete Parquet file"),
        "{error}"
    );
}

fn every_type() -> DataFrame {
    df![
        "n" => [Some(1_i64), None, Some(-3)],
        "x" => [Some(0.1), Some(f64::MIN_POSITIVE), None],
        "is" => [Some(true), None, Some(false)],
        "text" => [Some("a, \"b\";\nc"), None, Some("é\t")],
    ]
    .unwrap()
}

#[test]
fn what_is_saved_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.csv", "a.tsv", "a.jsonl", "a.NDJSON"] {
        let path = folder.path().join(name);
        save(&every_type(), &path).unwrap();
        assert!(read(&path).unwrap().equals_missing(&every_type()), "{name}");
        let error = save(&every_type(), &path).unwrap_err();
        assert!(error.message().ends_with("exists"), "{error}");
        let one = every_type().head(Some(1));
        overwrite(&one, &path).unwrap();
        assert!(read(&path).unwrap().equals_missing(&one), "{name}");
    }
    let error = save(&every_type(), folder.path().join("a.xlsx")).unwrap_err();
    assert_eq!(error.hint(), Some("the extension decides the format"));
}

#[test]
fn dates_and_times_are_saved_as_tables_show_them() {
    let stored = |name: &str, values: [Option<i64>; 2], dtype: &DataType| {
        let column = Column::new(name.into(), values);
        column.cast(dtype).unwrap()
    };
    let milliseconds = TimeUnit::Milliseconds;
    let frame = DataFrame::new_infer_height(vec![
        stored("day", [Some(19_000), None], &DataType::Date),
        stored("far", [Some(i64::from(i32::MAX)), None], &DataType::Date),
        stored(
            "at",
            [Some(1_500), None],
            &DataType::Datetime(milliseconds, None),
        ),
        stored(
            "took",
            [Some(-60_000), None],
            &DataType::Duration(milliseconds),
        ),
        stored("clock", [Some(3_600_000_000_000), None], &DataType::Time),
    ])
    .unwrap();
    let expected = [
        [
            "2022-01-08",
            "2147483647 days from 1970-01-01",
            "1970-01-01 00:00:01.500",
            "-1m",
            "01:00:00",
        ],
        ["null"; 5],
    ];
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.csv", "a.tsv", "a.jsonl"] {
        let path = folder.path().join(name);
        save(&frame, &path).unwrap();
        assert_eq!(rows(&read(&path).unwrap()), expected, "{name}");
    }
    let bytes = Column::new("bytes".into(), [b"a".as_slice()]);
    let bytes = DataFrame::new_infer_height(vec![bytes]).unwrap();
    let error = save(&bytes, folder.path().join("b.csv")).unwrap_err();
    assert!(
        error
            .message()
            .starts_with("the column `bytes` holds binary"),
        "{error}"
    );
}

#[test]
fn a_format_says_what_it_can_not_hold() {
    let lists = Series::new("lists".into(), [Series::new("".into(), [1, 2])]);
    let frame = DataFrame::new(1, vec![lists.into()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let error = save(&frame, &path).unwrap_err();
    assert!(
        error
            .message()
            .starts_with("the column `lists` holds list[i32], which CSV can't")
    );
    assert!(!path.exists());
    let path = folder.path().join("a.jsonl");
    save(&frame, &path).unwrap();
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "{\"lists\":[1,2]}\n"
    );
    let endless = df!["x" => [1.0, f64::NAN]].unwrap();
    let error = overwrite(&endless, &path).unwrap_err();
    assert!(
        error
            .message()
            .starts_with("NaN in the column `x` can't be written"),
        "{error}"
    );
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "{\"lists\":[1,2]}\n"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_text_that_a_spreadsheet_would_compute_is_saved_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let frame = df!["a" => ["=1+1", "-x"], "n" => [-1, 2]].unwrap();
    let path = folder.path().join("a.csv");
    save(&frame, &path).unwrap();
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "a,n\n'=1+1,-1\n'-x,2\n"
    );
    let mut named = frame.clone();
    named.rename("n", "@n".into()).unwrap();
    overwrite(&named, &path).unwrap();
    assert!(
        std::fs::read_to_string(&path)
            .unwrap()
            .starts_with("a,'@n\n")
    );
    let path = folder.path().join("a.jsonl");
    save(&frame, &path).unwrap();
    assert!(
        read(&path)
            .unwrap()
            .column("a")
            .unwrap()
            .str()
            .unwrap()
            .get(0)
            == Some("=1+1")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_text_survives_json_lines(texts in prop::collection::vec(any::<Option<String>>(), 1..20)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        let frame = df!["text" => &texts, "n" => vec![1_i64; texts.len()]].unwrap();
        save(&frame, &path).unwrap();
        let again = read(&path).unwrap();
        let read: Vec<_> = match again.column("text").unwrap().str() {
            Ok(read) => read.iter().map(|text| text.map(str::to_owned)).collect(),
            Err(_) => vec![None; again.height()],
        };
        prop_assert_eq!(read, texts);
    }

    #[test]
    fn any_text_survives_csv(texts in prop::collection::vec(prop::option::of("[a\",;\n\t é]{0,8}"), 1..20)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let frame = df!["n" => vec![1_i64; texts.len()], "text" => &texts].unwrap();
        save(&frame, &path).unwrap();
        let again = read(&path).unwrap();
        let read: Vec<_> = again.column("text").unwrap().str().unwrap().iter().map(|text| text.map(str::to_owned)).collect();
        let harmless = |text: &Option<String>| text.as_ref().map(|text| match text.starts_with('\t') {
            true => format!("'{text}"),
            false => text.clone(),
        });
        prop_assert_eq!(read, texts.iter().map(harmless).collect::<Vec<_>>());
    }

    #[test]
    fn any_bytes_have_an_answer(bytes: Vec<u8>, text in "[a1,;\"\n\r{}:\\. -]{0,60}") {
        for bytes in [bytes, text.into_bytes()] {
            for name in ["a.csv", "a.jsonl", "a"] {
                let given = given(name, &bytes);
                if let Ok(lazy) = scan(&given.path) {
                    let _ = lazy.collect();
                }
                let _ = read(&given.path);
            }
        }
    }
}
