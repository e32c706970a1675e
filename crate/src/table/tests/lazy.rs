//! Tests of `LazyFrame` tables: the head, and what the table says about the rest.

use insta::assert_snapshot;
use polars::df;
use polars::prelude::{
    Categories, Column, DataFrame, DataType, Expr, IntoColumn, IntoLazy, LazyFrame, NamedFrom,
    Series, TimeUnit, col, lit,
};
use proptest::prelude::*;

use super::{assert_is_well_formed, cells, outline, payload};
use crate::display::Show;
use crate::table::{Table, limits, table};

fn numbers(rows: i64) -> LazyFrame {
    let frame = df!["n" => (0..rows).collect::<Vec<_>>()].unwrap();
    frame.lazy()
}

/// A column that fails when it is computed.
fn failing() -> Expr {
    let fails = |_: Column| Err(polars::prelude::polars_err!(ComputeError: "<b>no</b>"));
    col("n")
        .map(fails, |_, field| Ok(field.clone()))
        .alias("fails")
}

fn caption(html: &str) -> &str {
    let (_, after) = html.split_once("evenhand-caption\" style=\"").unwrap();
    let (_, after) = after.split_once('>').unwrap();
    after.split_once('<').unwrap().0
}

#[test]
fn what_comes_whole_is_shown_as_the_frame_that_it_is() {
    let lazy = df!["x" => [1, 2, 3], "word" => ["a", "<b>", "c"]]
        .unwrap()
        .lazy();
    let lazy = lazy.filter(col("x").gt(lit(1)));
    assert_eq!(
        lazy.mime_bundle(),
        lazy.clone().collect().unwrap().mime_bundle()
    );
    let few = table(&lazy)
        .columns(["word"])
        .page_size(1)
        .static_only()
        .mime_bundle();
    assert_eq!(cells(&few.html), [["<b>"]]);
}

#[test]
fn of_a_long_one_only_the_head_is_told() {
    let shown = numbers(limits::HELD as i64 + 1).mime_bundle();
    assert_snapshot!(caption(&shown.html), @"50 of the first 10,000 rows of a LazyFrame × 1 column · 80 kB; how many there are is not known until it is collected");
    let payload = payload(&shown.html).unwrap();
    assert_snapshot!(payload["caption"].as_str().unwrap(), @"first 10,000 rows of a LazyFrame held here × 1 column · 80 kB; how many there are is not known until it is collected");
    assert_eq!(payload["rows"], limits::HELD);
    assert!(payload["height"].is_null());
    assert_snapshot!(shown.text.lines().last().unwrap(), @"first 10,000 rows of a LazyFrame; how many there are is not known until it is collected");
    let whole = numbers(limits::HELD as i64).mime_bundle();
    assert_snapshot!(caption(&whole.html), @"50 of 10,000 rows × 1 column · 80 kB");
    let still = table(numbers(100)).page_size(7).static_only().mime_bundle();
    assert_eq!(cells(&still.html).len(), 7);
    assert_snapshot!(caption(&still.html), @"first 7 rows of a LazyFrame × 1 column · 56 B; how many there are is not known until it is collected");
}

#[test]
fn no_more_than_the_head_is_computed() {
    let counted = |rows: usize| {
        move |column: Column| {
            assert!(column.len() <= rows, "{} rows were computed", column.len());
            Ok(column)
        }
    };
    for (rows, table) in [
        (limits::HELD + 1, table as fn(_) -> _),
        (51, |lazy: LazyFrame| table(lazy).static_only()),
    ] {
        let lazy =
            numbers(1_000_000).select([col("n").map(counted(rows), |_, field| Ok(field.clone()))]);
        assert_eq!(cells(&table(lazy).mime_bundle().html).len(), limits::ROWS);
    }
}

#[test]
fn every_type_of_a_frame_goes_through_a_plan() {
    let days = Series::new("day".into(), [1, 2, 2]);
    let column = |dtype: DataType| {
        let name = dtype.to_string();
        days.cast(&dtype)
            .unwrap()
            .with_name(name.into())
            .into_column()
    };
    let unit = TimeUnit::Milliseconds;
    let words = DataType::from_categories(Categories::global());
    let mut columns: Vec<_> = [
        DataType::Date,
        DataType::Datetime(unit, None),
        DataType::Duration(unit),
        DataType::Time,
    ]
    .map(column)
    .into();
    columns.push(
        column(DataType::String)
            .cast(&words)
            .unwrap()
            .with_name("word".into()),
    );
    columns.push(
        df!["a" => [1, 2, 2]]
            .unwrap()
            .into_struct("struct".into())
            .into_column(),
    );
    let frame = DataFrame::new(3, columns).unwrap();
    for name in frame.get_column_names_owned() {
        let name = name.as_str();
        let by_value = frame
            .clone()
            .lazy()
            .group_by_stable([col(name)])
            .agg([col("date").max().alias("last")]);
        let plans = [
            frame.clone().lazy().filter(col(name).eq(col(name))),
            frame.clone().lazy().sort([name], Default::default()),
            by_value.select([col(name)]),
        ];
        let rows = plans.map(|plan| {
            let shown = plan.mime_bundle();
            assert!(shown.html.contains("<tbody>"), "{name}: {}", shown.text);
            cells(&shown.html).len()
        });
        assert_eq!(rows, [3, 3, 2], "{name}");
    }
}

#[test]
fn names_are_names_and_no_patterns() {
    let frame = df!["*" => [1], "^n.*$" => [2], "<b>" => [3], "" => [4], "n" => [5]].unwrap();
    let lazy = frame.clone().lazy();
    for names in [vec!["^n.*$", "*"], vec!["", "<b>"]] {
        let shown = table(&lazy).columns(names.clone()).mime_bundle();
        assert_is_well_formed(&shown.html);
        assert_eq!(shown, table(&frame).columns(names).mime_bundle());
    }
    assert_eq!(
        cells(&table(&lazy).columns(["^n.*$", "*"]).mime_bundle().html),
        [["2", "1"]]
    );
    for wrong in [["n", "m"], ["n", "n"]] {
        assert_eq!(
            table(&lazy).columns(wrong).mime_bundle(),
            table(&frame).columns(wrong).mime_bundle()
        );
    }
}

#[test]
fn what_fails_says_why_in_its_place() {
    let missing = numbers(3).filter(col("m").gt(lit(1)));
    assert_snapshot!(missing.mime_bundle().text, @r#"
    the LazyFrame can't be collected: not found: unable to find column "m"; valid columns: ["n"]
      hint: call `.collect()?` instead to see which step fails
    "#);
    assert_snapshot!(table(&missing).columns(["n"]).mime_bundle().text, @r#"
    the LazyFrame can't be collected: not found: unable to find column "m"; valid columns: ["n"]
      hint: call `.collect()?` instead to see which step fails
    "#);
    let fails = numbers(3).with_column(failing()).mime_bundle();
    assert_snapshot!(fails.text, @"
    the LazyFrame can't be collected: <b>no</b>
      hint: `.explain(false)?` shows the steps
    ");
    assert_snapshot!(outline(&fails.html), @r#"
    <pre class="evenhand tex2jax_ignore mathjax_ignore">the LazyFrame can&#39;t be collected: &lt;b&gt;no&lt;/b&gt;
      hint: &#96;.explain(false)?&#96; shows the steps</pre>
    "#);
    let panics = |_: Column| panic!("activate a feature");
    let panics = numbers(3).select([col("n").map(panics, |_, field| Ok(field.clone()))]);
    assert_snapshot!(panics.mime_bundle().text, @"
    the LazyFrame can't be collected: activate a feature
      hint: polars panicked: an expression may need a feature of polars that is not enabled here
    ");
}

#[test]
fn a_long_reason_is_cut() {
    let frame = df!["n".repeat(3_000).as_str() => [1]].unwrap();
    let shown = frame.lazy().filter(col("m")).mime_bundle();
    assert!(shown.text.len() < 1_200, "{}", shown.text.len());
    assert!(shown.text.contains("… and 2,0"), "{}", shown.text);
}

#[test]
fn a_column_that_is_not_asked_for_may_fail() {
    let lazy = numbers(2).with_column(failing());
    assert_eq!(
        cells(&table(lazy).columns(["n"]).mime_bundle().html),
        [["0"], ["1"]]
    );
}

proptest! {
    #[test]
    fn its_cells_are_those_of_the_collected_frames_head(
        rows in proptest::collection::vec((any::<Option<i64>>(), any::<String>()), 0..40),
        page in 0..40_usize,
        least: i64,
    ) {
        let (numbers, texts): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let lazy = df!["number" => numbers, "text" => texts].unwrap().lazy();
        let lazy = lazy.filter(col("number").gt_eq(lit(least)).or(col("number").is_null()));
        let collected = lazy.clone().collect().unwrap();
        for is_static in [false, true] {
            let show = |table: Table| match is_static {
                true => table.page_size(page).static_only().mime_bundle().html,
                false => table.page_size(page).mime_bundle().html,
            };
            prop_assert_eq!(cells(&show(table(&lazy))), cells(&show(table(&collected))));
        }
    }
}
