//! Cells: their last lines, their variables, their mistakes.

use serde_json::Value;

use super::{library, printed, ran, ran_by};

/// What a cell shows, without its notes: the text of its results and displays.
fn results(reply: &Value) -> Vec<&str> {
    let outputs = reply["outputs"].as_array().unwrap().iter();
    outputs
        .filter(|output| output["kind"] == "execute_result")
        .filter_map(|output| output["data"]["text/plain"].as_str())
        .collect()
}

fn error(reply: &Value) -> String {
    assert_eq!(reply["status"], "error", "{reply}");
    reply["evalue"].as_str().unwrap().to_owned()
}

#[test]
fn a_last_expression_shows_as_what_it_is() {
    let said = ran(r#"
    '"5".parse::<i32>()?',
    'let v = vec![1, 2, 3];',
    'v.into_iter().map(|x| x * 2).collect::<Vec<_>>()',
    'v.len()',
    '"7".parse::<i32>()',
    '"x".parse::<i32>()',
    'println!("printed")',
    'std::fs::write("/dev/null", "x")',
    'struct Plain;\nPlain',
    '#[derive(Debug)] struct Shown(u8);\nSome(Shown(1))',
    '(\n    1,\n    "two",\n)',
    'vec![7; 3_000_000]',
    '"x".repeat(50_000_000)',
    ':fmt {:#?}',
    'Shown(1)',
"#);
    assert_eq!(
        results(&said[0]),
        ["5"],
        "the first `?` of a kernel: {}",
        said[0]
    );
    assert_eq!(
        results(&said[2]),
        ["[2, 4, 6]"],
        "it moves a variable: {}",
        said[2]
    );
    let moved = error(&said[3]);
    assert!(
        moved.contains("cell [3] moved `v`") && moved.contains("v.into_iter()"),
        "{moved}"
    );
    assert_eq!(
        said[3]["outputs"].as_array().unwrap().len(),
        1,
        "one error: {}",
        said[3]
    );

    assert_eq!(results(&said[4]), ["7"]);
    assert!(printed(&said[4], "stderr").contains("`?`"));
    assert_eq!(error(&said[5]), "invalid digit found in string");
    for quiet in [6, 7] {
        assert_eq!(results(&said[quiet]), [""; 0], "no `()`: {}", said[quiet]);
        assert_eq!(printed(&said[quiet], "stderr"), "");
    }
    assert!(results(&said[8])[0].contains("Plain"), "{}", said[8]);
    assert_eq!(results(&said[9]), ["Some(Shown(1))"]);
    assert_eq!(results(&said[10]), ["(1, \"two\")"]);
    for long in [11, 12] {
        let text = results(&said[long])[0];
        assert!(
            text.len() < 101_000 && text.contains("characters more"),
            "{}",
            text.len()
        );
    }
    assert_eq!(
        results(&said[14]),
        ["Shown(\n    1,\n)"],
        "the reader's format"
    );
}

#[test]
fn what_the_library_displays_shows_wherever_it_stands() {
    let said = ran_by(
        "Kernel()",
        &format!(
            r#"
    {:?},
    'chart(&df!["who" => ["she", "he"], "share" => [0.2, 0.8]]?).bar("who", "share")?',
    'let df = df!["n" => [1, 2]]?;',
    'df.lazy().filter(col("n").gt(lit(1)))',
    'df.height()',
    'let df = df!["n" => [1, 2]]?;',
    'Some(df.clone())',
    'df!["n" => [3]]',
    'vec![df.clone(), df.clone()]',
    '(1, df.clone())',
    'df.clone().lazy().select([col("missing")]).collect()',
    'display(df);',
    'df',
"#,
            library(),
        ),
    );
    let tables = |cell: usize| said[cell]["outputs"].to_string().matches("<table ").count();
    assert!(
        said[1]["outputs"]
            .to_string()
            .contains("data:image/svg+xml"),
        "{}",
        said[1]
    );
    for (cell, count) in [(3, 1), (6, 1), (7, 1), (8, 2), (9, 1)] {
        assert_eq!(tables(cell), count, "{}", said[cell]);
    }
    assert!(printed(&said[7], "stderr").contains("`?`"), "{}", said[7]);
    let moved = error(&said[4]);
    assert!(moved.contains("cell [4] moved `df`"), "{moved}");
    assert!(error(&said[10]).contains("missing"));
    assert_eq!(tables(11), 1);
    let moved = error(&said[12]);
    assert!(
        moved.contains("cell [12] moved `df`") && moved.contains("display(df);"),
        "{moved}"
    );
}

#[test]
fn what_can_not_be_shown_or_compiled_is_one_error() {
    let said = ran_by(
        "Kernel()",
        &format!(
            r#"
    {:?},
    'let df = df!["n" => [1, 2]]?;',
    'df.clone().lazy().select([col("missing")])',
    'df.clone().lazy().select([col("n").strict_cast(DataType::Boolean).over([col("no")])?])',
    'table(&df).columns(["missing"])',
    'df.clone().lazy().select([col("n").no_such(true)])',
    'df.column("n")?.as_materialized_series().no_such()',
    'df.clone().lazy().filter(col("n").lt(lit(2)))',
"#,
            library(),
        ),
    );
    for (cell, told) in [
        (2, "missing"),
        (3, "no"),
        (4, "nearest first: `n`"),
        (5, "no_such"),
        (6, "no_such"),
    ] {
        assert!(error(&said[cell]).contains(told), "{}", said[cell]);
        let outputs = said[cell]["outputs"].as_array().unwrap();
        assert_eq!(outputs.len(), 1, "{}", said[cell]);
    }
    assert_eq!(said[7]["status"], "ok", "{}", said[7]);
}

#[test]
fn a_variable_of_a_type_that_is_defined_anew_is_lost_and_that_is_said() {
    let said = ran(r#"
    'struct P { x: i64 }\nstruct Holds { p: P }\nlet p = P { x: 1 };\nlet all = vec![Holds { p: P { x: 2 } }];\nlet kept = 7;',
    'all[0].p.x + p.x',
    'struct P {\n    // the same\n    x: i64\n}',
    'p.x',
    'struct P { x: f64 }',
    'p.x',
    'all.len()',
    'kept',
    'let p = P { x: 0.5 };',
    'p.x',
"#);
    assert_eq!(results(&said[1]), ["3"]);
    assert_eq!(
        results(&said[3]),
        ["1"],
        "only the layout of the text changed: {}",
        said[3]
    );
    let lost = format!("{}{}", said[4], said[5]);
    assert!(
        lost.contains("variable p was redefined, so was lost"),
        "{lost}"
    );
    assert_eq!(said[5]["status"], "error", "{}", said[5]);
    assert_eq!(
        said[6]["status"], "error",
        "what holds it is lost, too: {}",
        said[6]
    );
    assert_eq!(results(&said[7]), ["7"]);
    assert_eq!(results(&said[9]), ["0.5"]);
}

#[test]
fn an_implementation_is_replaced_when_it_runs_again() {
    let display = |word: &str| {
        format!(
            "impl std::fmt::Display for P {{ fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {{ write!(f, \"{word}\") }} }}"
        )
    };
    let cells = [
        "struct P;".to_owned(),
        display("one"),
        display("one"),
        display("two"),
        "format!(\"{P}\")".to_owned(),
        display("one"),
        "format!(\"{P}\")".to_owned(),
        "impl P { fn a(&self) -> u8 { 1 } }".to_owned(),
        "impl P { fn b(&self) -> u8 { 2 } }".to_owned(),
        "impl P { fn a(&self) -> u8 { 3 } }".to_owned(),
        "(P.a(), P.b())".to_owned(),
    ];
    let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:?}")).collect();
    let said = ran(&cells.join(",\n"));
    for (cell, shown) in [(4, "\"two\""), (6, "\"one\""), (10, "(3, 2)")] {
        assert_eq!(results(&said[cell]), [shown], "{}", said[cell]);
    }
}

#[test]
fn a_panic_names_the_line_and_the_cell() {
    let said = ran(r#"
    'fn third(v: &[i32]) -> i32 {\n    v[2]\n}\nlet v = vec![1, 2];',
    'let a = v.len();\nif a > 5 {\nv[7];\n}\nv[7];',
    'third(&v);',
    'fn third(v: &[i32]) -> i32 {\n    let v = v;\n    v[3]\n}\nthird(&v);',
"#);
    let place = |cell: usize| said[cell]["traceback"].to_string();
    assert!(place(1).contains("at line 5 of this cell"), "{}", place(1));
    assert!(
        place(2).contains("an earlier cell, at line 2 of [1]"),
        "{}",
        place(2)
    );
    assert!(place(3).contains("at line 3 of this cell"), "{}", place(3));
}

#[test]
fn a_mistake_comes_with_what_to_do() {
    let said = ran(r#"
    'print(5)',
    '# a comment\nlet a = 1;',
    "let name = 'text';",
    'count = 5',
    'use evenhand::prelude::*;',
    'static N: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);',
    'let known = 1;',
    'std::process::exit(0);',
    'known',
"#);
    for (cell, hint) in [
        (0, "println!"),
        (1, "`//`"),
        (2, "double quotes"),
        (3, "let count"),
        (4, "first cell"),
        (8, "cell [7] defines `known`"),
    ] {
        let said = error(&said[cell]);
        assert!(said.contains("hint: ") && said.contains(hint), "{said}");
    }
    assert!(
        printed(&said[5], "stderr").contains("one of its own"),
        "{}",
        said[5]
    );
}

#[test]
fn the_settings_of_a_rust_developer_change_nothing() {
    let said = ran_by(
        r#"Kernel(RUSTC_WRAPPER="/nowhere/sccache", CARGO_ENCODED_RUSTFLAGS="-Cdebuginfo=2", CARGO_TARGET_DIR="/tmp/nowhere", CARGO_PROFILE_DEV_LTO="true")"#,
        r#"
    'let x = 5;',
    'panic!("no")',
    ':cache 500',
    'panic!("no")',
    'x',
"#,
    );
    assert_eq!(said[1]["ename"], "panic", "{}", said[1]);
    assert_eq!(said[3]["ename"], "panic", "{}", said[3]);
    assert_eq!(results(&said[4]), ["5"]);
}
