//! CSV.

use polars::prelude::{DataType, IntoLazy, col, lit};

use super::{frame, given, refused, rows, said};
use crate::files::{Csv, read, scan};

#[test]
fn separators_quotes_marks_and_line_ends_of_others_are_read() {
    let expected = [["1", "a, \"b\"\nc", "1.5"], ["2", "d", "null"]];
    for text in [
        "n,text,x\n1,\"a, \"\"b\"\"\nc\",1.5\n2,d,\n",
        "n;text;x\r\n1;\"a, \"\"b\"\"\nc\";1.5\r\n2;d;\r\n",
        "n\ttext\tx\n1\t\"a, \"\"b\"\"\nc\"\t1.5\n2\td\t",
        "\u{feff}n|text|x\n1|\"a, \"\"b\"\"\nc\"|1.5\n2|d|",
        "sep=;\nn;text;x\n1;\"a, \"\"b\"\"\nc\";1.5\n2;d;\n",
    ] {
        let frame = frame("a.csv", text);
        assert_eq!(rows(&frame), expected, "{text:?}");
        let types = [DataType::Int64, DataType::String, DataType::Float64];
        assert_eq!(frame.dtypes(), types, "{text:?}");
        assert_eq!(frame.get_column_names(), ["n", "text", "x"]);
    }
}

#[test]
fn no_row_is_an_empty_frame_and_nothing_is_an_error() {
    let empty = frame("a.csv", "n,text\n");
    assert_eq!((empty.height(), empty.width()), (0, 2));
    assert_eq!(frame("a.csv", "n,text").height(), 0);
    insta::assert_snapshot!(refused("a.csv", ""), @"a.csv is empty");
    insta::assert_snapshot!(refused("a.csv", "\n \n"), @"a.csv has no row");
}

#[test]
fn lines_of_old_machines_are_no_long_header() {
    insta::assert_snapshot!(refused("a.csv", "a,b\r1,2\r3,4\r"), @r"
        a.csv, line 1: the lines end in a carriage return alone
          hint: end them in a line feed, for example with `!tr '\r' '\n' < OLD > NEW` in a cell
        ");
    assert_eq!(frame("a.csv", "a,b\r").height(), 0);
}

#[test]
fn other_encodings_are_named_and_not_mangled() {
    insta::assert_snapshot!(refused("a.csv", b"n,text\n1,caf\xe9\n"), @"
        a.csv, line 2, character 6: the byte 0xe9 is not UTF-8, perhaps Latin-1 or Windows-1252
          hint: save the file as UTF-8, for example with `!iconv -f WINDOWS-1252 -t UTF-8 OLD -o NEW` in a cell
        ");
    insta::assert_snapshot!(refused("a.csv", b"\xff\xfen\0,\0a\0\n\0"), @"
        a.csv is UTF-16
          hint: save it as UTF-8, for example with `!iconv -f UTF-16 -t UTF-8 OLD -o NEW` in a cell, or as `CSV UTF-8` from a spreadsheet
        ");
    insta::assert_snapshot!(refused("a.csv", b"n\0,\0a\0\n\0"), @"
        a.csv is not a text file: it has bytes that are 0, as binary files and UTF-16 without a byte order mark have
          hint: save it as UTF-8, for example with `!iconv -f UTF-16 -t UTF-8 OLD -o NEW` in a cell, or as `CSV UTF-8` from a spreadsheet
        ");
    insta::assert_snapshot!(refused("a.csv", b"\x1f\x8b\x08\0\0"), @"
        a.csv is compressed (gzip)
          hint: unpack it: `!gunzip FILE` in a cell
        ");
    // Also where it is far from the beginning.
    let mut late = b"n,text\n".to_vec();
    late.extend(b"1,cafe\n".repeat(200_000));
    late.extend(b"1,caf\xe9\n");
    assert!(refused("a.csv", late).contains("line 200002, character 6: the byte 0xe9"));
}

#[test]
fn rows_of_another_width_are_named() {
    insta::assert_snapshot!(refused("a.csv", "a,b,c\n1,2,3\n4,5\n"), @"
        a.csv, line 3: the row has 2 fields, but there are 3 columns
          hint: fix the row, or treat the fields that it lacks as missing: `Csv::new(path).allow_short_rows().read()?`
        ");
    insta::assert_snapshot!(refused("a.csv", "a,b\n1,2\n\"3\n\",4,5\n"), @"
        a.csv, line 3: the row has 3 fields, but there are 2 columns
          hint: a field that contains the separator must be in quotation marks
        ");
    insta::assert_snapshot!(refused("a.csv", "Survey of 2024\n\na,b\n1,2\n"), @"
        a.csv, line 3: the row has 2 fields, but there is 1 column
          hint: a field that contains the separator must be in quotation marks; or, if the names of the columns stand below a title, remove what is above them: `!tail -n +3 OLD > NEW` in a cell begins at line 3
        ");
    let given = given("a.csv", "a,b,c\n1,2,3\n4,5\n");
    let short = Csv::new(&given.path).allow_short_rows().read().unwrap();
    assert_eq!(rows(&short)[1], ["4", "5", "null"]);
    // An empty last cell is not a short row, and an empty line is none.
    assert_eq!(
        rows(&frame("a.csv", "a,b\n1,\n\n2,3\n\n")),
        [["1", "null"], ["2", "3"]]
    );
}

#[test]
fn a_header_is_there_once() {
    insta::assert_snapshot!(refused("a.csv", "a,b\n1,2\na,b\n3,4\n"), @"
        a.csv, line 3: the header is repeated here
          hint: remove that line: perhaps two files were joined
        ");
    insta::assert_snapshot!(refused("a.csv", "a,b,a\n1,2,3\n"), @"
        a.csv, line 1, column 3 (`a`): column 1 has the same name
          hint: give one of the two another name in the file
        ");
    insta::assert_snapshot!(refused("a.csv", "1,2.5\n3,4\n"), @"
        a.csv, line 1: the first row holds numbers (`1` ..) and no names
          hint: `Csv::new(path).without_header().read()?` reads a file without names
        ");
    let given = given("a.csv", "1,2.5\n3,4\n");
    let frame = Csv::new(&given.path).without_header().read().unwrap();
    assert_eq!(frame.get_column_names(), ["column_1", "column_2"]);
    assert_eq!(rows(&frame), [["1", "2.5"], ["3", "4.0"]]);
    // A value may be the name of its column.
    assert_eq!(super::frame("a.csv", "a,b\na,c\n").height(), 1);
}

#[test]
fn a_quotation_mark_alone_is_named() {
    insta::assert_snapshot!(refused("a.csv", "a,b\n1,2\n3,\"4\n5,6\n"), @r#"
        a.csv, line 3: a quotation mark in this row is unbalanced
          hint: in CSV, a field that contains a quotation mark is put in quotation marks, and the mark within it is doubled: `"12"" screen"`
        "#);
    insta::assert_snapshot!(refused("a.csv", "a,\"b\n1,2\n"), @r#"
        a.csv, line 1: a quotation mark in this row is unbalanced
          hint: in CSV, a field that contains a quotation mark is put in quotation marks, and the mark within it is doubled: `"12"" screen"`
        "#);
    let inches = refused("a.csv", "a,b\n1,\"2\"\n3,12\" wide\n4,\"5\"\n");
    assert!(
        inches.starts_with("a.csv, line 3: a quotation mark"),
        "{inches}"
    );
}

#[test]
fn a_quotation_mark_that_is_not_written_twice_is_named_and_not_dropped() {
    for row in ["2,\"x \\\"y\\\" z\"", "2,\"x\"y", "2,\"x\" ", "\"2\" ,x"] {
        let said = refused("a.csv", format!("a,b\n1,w\n{row}\n3,v\n"));
        assert!(
            said.starts_with(
                "a.csv, line 3: a field in quotation marks ends in this row, and more text follows it\n  hint: in CSV,"
            ),
            "{said}"
        );
    }
    // Two rows whose marks are even in number together.
    let said = refused("a.csv", "a,b\n1,w\n2,12\"\n3,13\"\n");
    assert!(
        said.starts_with("a.csv, line 3: a quotation mark in this row is unbalanced"),
        "{said}"
    );
    let within = frame("a.csv", "a,b\n1,he said \"no\"\n");
    assert_eq!(rows(&within), [["1", "he said \"no\""]]);
}

#[test]
fn a_separator_that_means_something_else_is_refused() {
    let given = given("a.csv", "a,b\n1,2\n");
    for separator in ['"', '\n', '\r', 'é'] {
        let error = Csv::new(&given.path).separator(separator).read();
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with("the separator `"), "{error}");
    }
}

/// Rows that fill the part of a file that decides the types, and then these.
fn behind_the_beginning(row: &str, then: &str) -> String {
    format!("n,text\n{}{then}", row.repeat(300_000))
}

#[test]
fn what_megabytes_at_the_beginning_did_not_tell_is_read_or_named() {
    let decimals = frame("a.csv", behind_the_beginning("1,a\n", "2.5,b\n"));
    assert_eq!(decimals.column("n").unwrap().dtype(), &DataType::Float64);
    assert_eq!(rows(&decimals.tail(Some(1))), [["2.5", "b"]]);
    let word = refused("a.csv", behind_the_beginning("1,a\n", "two,b\n"));
    insta::assert_snapshot!(word, @r#"
        a.csv, line 300002, column 1 (`n`): `two` is not an integer, as the rows above have
          hint: fix the cell, read the column as text: `Csv::new(path).text_columns(["n"]).read()?`, or say that it means a missing value: `.null_values(["two"])`
        "#);
    let header = refused("a.csv", behind_the_beginning("1,a\n", "n,text\n"));
    assert!(
        header.contains("line 300002: the header is repeated here"),
        "{header}"
    );
    let given = given("a.csv", behind_the_beginning("1,a\n", "NA,b\n"));
    let frame = Csv::new(&given.path).null_values(["NA"]).read().unwrap();
    assert_eq!(frame.column("n").unwrap().null_count(), 1);
    let frame = Csv::new(&given.path).text_columns(["n"]).read().unwrap();
    assert_eq!(rows(&frame.tail(Some(1))), [["NA", "b"]]);
    let error = Csv::new(&given.path)
        .text_columns(["m"])
        .read()
        .unwrap_err();
    assert!(
        said(&given, &error).contains("the columns are n, text"),
        "{error}"
    );
}

#[test]
fn a_number_keeps_its_digits() {
    let codes = frame(
        "a.csv",
        "zip,big,minus\n01234,9223372036854775808,-0\n00501,1,-7\n",
    );
    assert_eq!(rows(&codes)[0], ["01234", "9223372036854775808", "0"]);
    assert_eq!(
        codes.dtypes(),
        [DataType::String, DataType::String, DataType::Int64]
    );
}

#[test]
fn ten_thousand_columns_are_read() {
    let names: Vec<_> = (0..10_000)
        .map(|at| format!("a column with the number {at}"))
        .collect();
    let row = "1,".repeat(9_999) + "1";
    let wide = frame("a.csv", format!("{}\n{row}\n{row}\n", names.join(",")));
    assert_eq!((wide.width(), wide.height()), (10_000, 2));
    let endless = refused("a.csv", "a,".repeat(100_001));
    assert!(
        endless.contains("line 1: the row has more than 100,000 fields"),
        "{endless}"
    );
}

#[test]
fn a_lazy_frame_of_megabytes_gives_what_a_whole_one_does() {
    let mut text = "n,text,x\n".to_owned();
    for n in 0..200_000 {
        text.push_str(&format!("{n},\"row, {n}\",{}.5\n", n % 7));
    }
    let given = given("a.csv", &text);
    let whole = read(&given.path).unwrap();
    assert_eq!(scan(&given.path).unwrap().collect().unwrap(), whole);
    let query = |lazy: polars::prelude::LazyFrame| {
        lazy.filter(col("x").gt(lit(4.0)).and(col("n").lt(lit(150_000))))
            .select([col("text"), col("n")])
            .collect()
            .unwrap()
    };
    assert_eq!(
        query(scan(&given.path).unwrap()),
        query(whole.clone().lazy())
    );
    let counted = |lazy: polars::prelude::LazyFrame| {
        let rows = col("n").count().over([col("x")]).unwrap();
        lazy.filter(rows.gt(lit(28_572))).collect().unwrap()
    };
    let counted = |lazy| counted(lazy).height();
    assert_eq!(
        counted(scan(&given.path).unwrap()),
        counted(whole.clone().lazy())
    );
    let above = |lazy: polars::prelude::LazyFrame| {
        lazy.filter(col("x").gt(col("x").mean())).collect().unwrap()
    };
    assert_eq!(
        above(scan(&given.path).unwrap()),
        above(whole.clone().lazy())
    );
    let running = |lazy: polars::prelude::LazyFrame| {
        let sum = col("x").cum_sum(false).lt(lit(400_000.0));
        lazy.filter(sum).collect().unwrap()
    };
    assert_eq!(
        running(scan(&given.path).unwrap()),
        running(whole.clone().lazy())
    );
    let few = scan(&given.path).unwrap().limit(3).collect().unwrap();
    assert_eq!(few, whole.head(Some(3)));
    let some = |lazy: polars::prelude::LazyFrame| {
        let some = lazy.limit(1_000).filter(col("x").gt(lit(4.0))).limit(7);
        some.collect().unwrap()
    };
    assert_eq!(some(scan(&given.path).unwrap()), some(whole.clone().lazy()));
    let of_the_first = |lazy: polars::prelude::LazyFrame| {
        let is_large = col("x").gt(lit(4.0));
        let is_largest = col("x").eq(col("x").max());
        let large = lazy.clone().limit(10).filter(is_large);
        [large, lazy.limit(10).filter(is_largest)].map(|few| few.collect().unwrap())
    };
    let expected = of_the_first(whole.clone().lazy());
    assert!((1..10).contains(&expected[0].height()) && expected[1].height() > 0);
    assert_eq!(of_the_first(scan(&given.path).unwrap()), expected);
    let error = scan(&given.path).unwrap().select([col("y")]).collect();
    assert!(error.is_err());
}

#[test]
fn few_rows_of_a_lazy_frame_do_not_keep_the_texts_of_the_others() {
    let row = |n: usize| format!("{n},a text that does not fit beside its length\n");
    let text: String = (0..10_000).map(row).collect();
    let file = given("a.csv", format!("n,text\n{text}"));
    let few = scan(&file.path).unwrap().filter(col("n").lt(lit(10)));
    let few = few.collect().unwrap();
    let texts = few.column("text").unwrap().str().unwrap();
    assert_eq!(texts.len(), 10);
    let held: usize = texts
        .downcast_iter()
        .map(|texts| texts.total_buffer_len())
        .sum();
    assert!(held < 1_000, "{held} bytes");
}

#[test]
fn a_code_below_a_megabyte_of_numbers_is_not_cut() {
    for (row, code) in [("10115,a\n", "01067"), ("1.5,a\n", "007.5")] {
        let text = format!("zip,text\n{}{code},b\n", row.repeat(200_000));
        let given = given("a.csv", &text);
        let expected = format!("line 200002, column 1 (`zip`): `{code}` is not");
        let told = read(&given.path).unwrap_err().to_string();
        assert!(
            told.contains(&expected) && told.contains(".text_columns([\"zip\"])"),
            "{told}"
        );
        let lazy = scan(&given.path).unwrap();
        assert!(
            lazy.clone()
                .collect()
                .unwrap_err()
                .to_string()
                .contains(&expected)
        );
        // A column that nobody reads may hold anything.
        assert_eq!(
            lazy.select([col("text")]).collect().unwrap().height(),
            200_001
        );
        let csv = Csv::new(&given.path);
        assert_eq!(
            csv.clone().text_columns(["zip"]).read().unwrap().height(),
            200_001
        );
        assert_eq!(
            csv.null_values([code])
                .read()
                .unwrap()
                .column("zip")
                .unwrap()
                .null_count(),
            1
        );
    }
}

#[test]
fn the_extension_of_a_file_with_tabs_decides_where_the_header_does_not() {
    for (text, columns) in [
        ("prompt\nDescribe a nurse, please.\n", &["prompt"][..]),
        (
            "last, first\tage, sex, job\nDoe, Jo\t4, f, none\n",
            &["last, first", "age, sex, job"],
        ),
        ("a, b\nx\n", &["a, b"]),
        ("a,b\n1,2\n", &["a", "b"]),
        ("a;b", &["a", "b"]),
    ] {
        assert_eq!(frame("a.tsv", text).get_column_names(), columns, "{text:?}");
    }
}

#[test]
fn a_quotation_mark_behind_a_blank_is_named() {
    insta::assert_snapshot!(refused("a.csv", "name, city\nJo, \"New York, NY\"\n"), @"
        a.csv, line 2: a blank is in front of a quotation mark, which therefore begins no field
          hint: remove the blanks between the separators and the quotation marks
        ");
}

#[test]
fn a_lazy_frame_names_the_line_too() {
    let given = given("a.csv", behind_the_beginning("1,a\n", "two,b\n"));
    let error = scan(&given.path).unwrap().collect().unwrap_err();
    assert!(
        error
            .to_string()
            .contains("line 300002, column 1 (`n`): `two`"),
        "{error}"
    );
}
