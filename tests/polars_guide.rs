//! What polars' user guide does in its chapters about expressions, strings and aggregation, in the
//! kernel; and what a cell is told where a part of polars is missing.

use crate::kernel::execute;
use crate::support::{Notebook, evenhand};

/// The first cell of each chapter.
const NAMES: &str = "use evenhand::polars::prelude::*;";

/// Runs the cells, each of which asserts what it shows.
fn chapter(name: &str, cells: &[&str]) {
    let cells = [NAMES].into_iter().chain(cells.iter().copied());
    let notebook = Notebook::of(name, cells);
    execute(notebook.path(), &[]);
}

#[test]
fn the_chapter_about_expressions_runs() {
    chapter(
        "expressions",
        &[
            "let df = df![
                \"n\" => [Some(1), Some(2), Some(3), None, Some(5)],
                \"name\" => [\"ant\", \"bee\", \"cow\", \"dog\", \"cow\"],
                \"x\" => [0.37, 0.95, 0.73, 0.6, 0.16],
                \"group\" => [\"a\", \"a\", \"b\", \"a\", \"b\"],
            ]?;
            fn one(df: &DataFrame, expr: Expr) -> PolarsResult<Column> {
                Ok(df.clone().lazy().select([expr.alias(\"it\")]).collect()?.column(\"it\")?.clone())
            }",
            "let sums = [col(\"n\") + lit(5), col(\"n\") - lit(5), col(\"n\") * col(\"x\"), col(\"n\") / col(\"x\"),
                col(\"n\").pow(lit(2)), col(\"n\") % lit(3)];
            for sum in sums { assert_eq!(one(&df, sum)?.null_count(), 1); }",
            "let greater = one(&df, col(\"n\").gt(1))?;
            assert_eq!(greater.bool()?.sum(), Some(3));
            for compared in [col(\"n\").gt_eq(3), col(\"x\").lt_eq(0.5), col(\"n\").neq(1), col(\"n\").eq(1)] { one(&df, compared)?; }",
            "let both = col(\"n\").is_null().not().and(col(\"group\").eq(lit(\"a\")));
            assert_eq!(one(&df, both)?.bool()?.sum(), Some(2));
            one(&df, col(\"x\").lt(lit(0.5)).or(col(\"group\").eq(lit(\"b\"))))?;",
            "assert_eq!(one(&df, col(\"n\").and(lit(6)))?.i32()?.get(2), Some(2));
            for bits in [col(\"n\").or(lit(6)), col(\"n\").not(), col(\"n\").xor(lit(6))] { one(&df, bits)?; }",
            "assert_eq!(one(&df, col(\"name\").n_unique())?.u32()?.get(0), Some(4));
            assert_eq!(one(&df, col(\"name\").approx_n_unique())?.u32()?.get(0), Some(4));",
            "let counts = df.clone().lazy().select([col(\"name\").value_counts(true, false, \"count\", false)])
                .unnest(by_name([\"name\"], true, false), None).collect()?;
            assert_eq!(counts.column(\"count\")?.u32()?.get(0), Some(2));",
            "let unique = df.clone().lazy().select([col(\"name\").unique_stable().alias(\"name\"), col(\"name\").unique_counts().alias(\"count\")]).collect()?;
            assert_eq!(unique.shape(), (4, 2));",
            "let odd = when((col(\"n\") % lit(2)).eq(lit(1))).then(lit(3) * col(\"n\") + lit(1)).otherwise(col(\"n\") / lit(2));
            assert_eq!(one(&df, odd)?.cast(&DataType::Int64)?.i64()?.get(0), Some(4));",
            "assert_eq!(one(&df, col(\"x\").round(1, RoundMode::default()))?.f64()?.get(0), Some(0.4));
            assert_eq!(one(&df, (lit(0) - col(\"n\")).abs())?.i32()?.get(4), Some(5));
            assert_eq!(one(&df, col(\"n\").is_between(lit(2), lit(3), ClosedInterval::Both))?.bool()?.sum(), Some(2));
            let wanted = lit(Series::new(\"\".into(), [\"ant\", \"cow\"]));
            assert_eq!(one(&df, col(\"name\").is_in(wanted.implode(true), false))?.bool()?.sum(), Some(3));
            let ranks = RankOptions { method: RankMethod::Dense, descending: true };
            assert_eq!(one(&df, col(\"x\").rank(ranks, None))?.u32()?.get(1), Some(1));",
            "let replaced = col(\"name\").replace(lit(Series::new(\"\".into(), [\"cow\"])), lit(Series::new(\"\".into(), [\"ox\"])));
            assert_eq!(one(&df, replaced)?.str()?.get(2), Some(\"ox\"));
            assert_eq!(one(&df, concat_str([col(\"name\"), col(\"group\")], \"-\", false))?.str()?.get(0), Some(\"ant-a\"));",
            "assert_eq!(one(&df, col(\"n\").fill_null(lit(0)))?.null_count(), 0);
            assert_eq!(one(&df, col(\"n\").fill_null_with_strategy(FillNullStrategy::Forward(None)))?.i32()?.get(3), Some(3));
            assert_eq!(one(&df, col(\"n\").interpolate(InterpolationMethod::Linear))?.null_count(), 0);
            assert_eq!(one(&df, col(\"n\").cast(DataType::Float32))?.dtype(), &DataType::Float32);",
            "assert_eq!(df.clone().lazy().select([cols([\"^n.*$\"]).as_expr()]).collect()?.width(), 2);
            assert_eq!(df.clone().lazy().select([all().exclude_cols([\"x\"]).as_expr().name().suffix(\"_1\")]).collect()?.width(), 3);
            let over = col(\"x\").mean().over([col(\"group\")])?;
            assert_eq!(one(&df, over)?.len(), 5);",
            "let wide = df![\"id\" => [1, 2], \"a\" => [3, 4], \"b\" => [5, 6]]?;
            let long = wide.clone().lazy().unpivot(UnpivotArgsDSL { on: Some(cols([\"a\", \"b\"])), index: cols([\"id\"]), variable_name: None, value_name: None }).collect()?;
            assert_eq!(long.shape(), (4, 3));
            let other = df![\"id\" => [2, 3], \"c\" => [\"x\", \"y\"]]?;
            for (how, rows) in [(JoinType::Inner, 1), (JoinType::Left, 2), (JoinType::Semi, 1), (JoinType::Anti, 1), (JoinType::Cross, 4)] {
                let on = if how == JoinType::Cross { vec![] } else { vec![col(\"id\")] };
                let joined = wide.clone().lazy().join(other.clone().lazy(), on.clone(), on, JoinArgs::new(how)).collect()?;
                assert_eq!(joined.height(), rows);
            }",
        ],
    );
}

#[test]
fn the_chapter_about_strings_runs() {
    chapter(
        "strings",
        &[
            "let df = df![\"fruit\" => [\"pear\", \"p\u{ea}ra\", \"peer 12\"], \"n\" => [1, -1, 4]]?;
            fn texts(df: &DataFrame, expr: Expr) -> PolarsResult<Vec<String>> {
                let shown = df.clone().lazy().select([expr.cast(DataType::String).alias(\"it\")]).collect()?;
                Ok(shown.column(\"it\")?.str()?.iter().map(|text| text.unwrap_or(\"null\").to_owned()).collect())
            }
            fn fruit() -> Expr { col(\"fruit\") }",
            "assert_eq!(texts(&df, fruit().str().len_bytes())?, [\"4\", \"5\", \"7\"]);",
            "assert_eq!(texts(&df, fruit().str().len_chars())?, [\"4\", \"4\", \"7\"]);",
            "assert_eq!(texts(&df, fruit().str().starts_with(lit(\"pe\")))?, [\"true\", \"false\", \"true\"]);
            assert_eq!(texts(&df, fruit().str().ends_with(lit(\"a\")))?, [\"false\", \"true\", \"false\"]);
            assert_eq!(texts(&df, fruit().str().contains(lit(\"p..r\"), true))?, [\"true\", \"false\", \"true\"]);
            assert_eq!(texts(&df, fruit().str().contains_literal(lit(\"ee\")))?, [\"false\", \"false\", \"true\"]);",
            "assert_eq!(texts(&df, fruit().str().extract(lit(r\"(\\d)\"), 1))?, [\"null\", \"null\", \"1\"]);
            let numbers = fruit().str().extract_all(lit(r\"\\d\")).list().len();
            assert_eq!(texts(&df, numbers)?, [\"0\", \"0\", \"2\"]);",
            "assert_eq!(texts(&df, fruit().str().replace(lit(r\"\\d\"), lit(\"-\"), false))?[2], \"peer -2\");
            assert_eq!(texts(&df, fruit().str().replace_all(lit(r\"\\d\"), lit(\"-\"), false))?[2], \"peer --\");",
            "assert_eq!(texts(&df, fruit().str().to_uppercase())?[0], \"PEAR\");
            assert_eq!(texts(&df, fruit().str().to_lowercase())?[0], \"pear\");",
            "let ends = lit(\" 12\");
            assert_eq!(texts(&df, fruit().str().strip_chars(ends.clone()))?[2], \"peer\");
            assert_eq!(texts(&df, fruit().str().strip_chars_end(ends.clone()))?[2], \"peer\");
            assert_eq!(texts(&df, fruit().str().strip_chars_start(lit(\"p\")))?[0], \"ear\");
            assert_eq!(texts(&df, fruit().str().strip_prefix(lit(\"pe\")))?[0], \"ar\");
            assert_eq!(texts(&df, fruit().str().strip_suffix(ends))?[2], \"peer\");",
            "assert_eq!(texts(&df, fruit().str().slice(col(\"n\"), lit(NULL)))?, [\"ear\", \"a\", \" 12\"]);
            assert_eq!(texts(&df, fruit().str().head(col(\"n\")))?, [\"p\", \"p\u{ea}r\", \"peer\"]);
            assert_eq!(texts(&df, fruit().str().tail(col(\"n\")))?, [\"r\", \"\u{ea}ra\", \"r 12\"]);",
            "assert_eq!(texts(&df, fruit().str().split(lit(\"e\")).list().get(lit(0), true))?[0], \"p\");
            assert_eq!(texts(&df, col(\"n\").cast(DataType::String).str().zfill(lit(3)))?[0], \"001\");
            assert_eq!(texts(&df, fruit().str().count_matches(lit(\"e\"), true))?, [\"1\", \"0\", \"2\"]);",
            "let days = df![\"day\" => [\"2024-02-29\", \"2025-03-01\"]]?;
            fn day() -> Expr { col(\"day\").str().to_date(StrptimeOptions::default()) }
            assert_eq!(texts(&days, day().dt().year())?, [\"2024\", \"2025\"]);
            assert_eq!(texts(&days, day().dt().weekday())?, [\"4\", \"6\"]);
            assert_eq!(texts(&days, day().dt().to_string(\"%d.%m.%Y\"))?[0], \"29.02.2024\");",
        ],
    );
}

#[test]
fn the_chapter_about_aggregation_runs() {
    chapter(
        "aggregation",
        &[
            "let people = df![
                \"first\" => [\"Ada\", \"Ben\", \"Ada\", \"Cy\", \"Dot\"],
                \"last\" => [\"Lee\", \"Oh\", \"Ray\", \"Poe\", \"Fry\"],
                \"state\" => [\"PA\", \"NY\", \"PA\", \"NY\", \"PA\"],
                \"party\" => [\"Pro\", \"Anti\", \"Pro\", \"Pro\", \"Anti\"],
                \"gender\" => [\"F\", \"M\", \"F\", \"M\", \"F\"],
                \"born\" => [\"1970-01-02\", \"1980-05-06\", \"1990-07-08\", \"1960-09-10\", \"2000-11-12\"],
            ]?.lazy().with_column(col(\"born\").str().to_date(StrptimeOptions::default())).collect()?;
            fn down() -> SortMultipleOptions { SortMultipleOptions::default().with_order_descending(true).with_nulls_last(true) }",
            "let names = people.clone().lazy().group_by([\"first\"]).agg([len(), col(\"gender\"), col(\"last\").first()])
                .sort([\"len\"], down()).limit(5).collect()?;
            assert_eq!(names.column(\"len\")?.u32()?.get(0), Some(2));",
            "let parties = people.clone().lazy().group_by([\"state\"]).agg([
                col(\"party\").eq(lit(\"Anti\")).sum().alias(\"anti\"),
                col(\"party\").eq(lit(\"Pro\")).sum().alias(\"pro\"),
            ]).sort([\"pro\"], SortMultipleOptions::default().with_order_descending(true)).limit(5).collect()?;
            assert_eq!(parties.column(\"pro\")?.u32()?.get(0), Some(2));",
            "let counted = people.clone().lazy().group_by([\"state\", \"party\"]).agg([len().alias(\"count\")])
                .filter(col(\"party\").eq(lit(\"Anti\")).or(col(\"party\").eq(lit(\"Pro\")))).sort([\"count\"], down()).collect()?;
            assert_eq!(counted.height(), 4);",
            "fn age() -> Expr { lit(2024) - col(\"born\").dt().year() }
            fn mean_age(gender: &str) -> Expr { age().filter(col(\"gender\").eq(lit(gender))).mean().alias(format!(\"age of {gender}\")) }
            let ages = people.clone().lazy().group_by([\"state\"]).agg([mean_age(\"M\"), mean_age(\"F\"), col(\"gender\").eq(lit(\"M\")).sum().alias(\"men\")])
                .sort([\"state\"], Default::default()).collect()?;
            assert_eq!(ages.column(\"age of M\")?.f64()?.get(0), Some(54.0));",
            "fn name() -> Expr { col(\"first\") + lit(\" \") + col(\"last\") }
            let ends = people.clone().lazy().sort([\"born\"], down()).group_by([\"state\"]).agg([
                name().first().alias(\"youngest\"),
                name().last().alias(\"oldest\"),
                name().sort(Default::default()).first().alias(\"alphabetical\"),
                col(\"gender\").sort_by([\"first\"], SortMultipleOptions::default()).first(),
            ]).sort([\"state\"], SortMultipleOptions::default()).collect()?;
            assert_eq!(ends.column(\"youngest\")?.str()?.get(1), Some(\"Dot Fry\"));
            assert_eq!(ends.column(\"alphabetical\")?.str()?.get(0), Some(\"Ben Oh\"));",
            "assert_eq!(describe(&people)?.height(), 9);",
        ],
    );
}

#[test]
fn a_cell_is_told_which_part_of_polars_it_lacks() {
    let cells = [
        "let df = df![\"x\" => [0.5, 1.0]]?;",
        "df.clone().lazy().select([col(\"x\").sin()])",
    ];
    let notebook = Notebook::of("parts", cells);
    let ran = evenhand().arg("run").arg(notebook.path()).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1));
    assert!(
        said.contains("hint: `sin` is in the part `trigonometry` of polars"),
        "{said}"
    );
}
