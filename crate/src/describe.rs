//! A data frame in numbers: how much there is in each column, where its middle is, and how far it
//! spreads.

use polars::prelude::{
    AnyValue, ChunkAgg, ChunkQuantile, ChunkVar, Column, DataFrame, DataType, NamedFrom,
    PlSmallStr, QuantileMethod, Series,
};

use crate::error::{Error, ErrorKind, Result};

/// The rows of a description.
const STATISTICS: [&str; 9] = [
    "count",
    "null_count",
    "mean",
    "std",
    "min",
    "25%",
    "50%",
    "75%",
    "max",
];

/// Summarizes each column of a data frame, in the rows of polars in Python: `count`, `null_count`,
/// `mean`, `std`, `min`, `25%`, `50%`, `75%` and `max`; the first column, `statistic`, names them.
///
/// `count` is the number of values, without those that are missing. The standard deviation is that of
/// a sample (n - 1), and a quantile is the nearest value that is there. Truth values count as 0 and 1,
/// so that their mean is a share. For strings, dates and times, `min` and `max` are the first and the
/// last value, and for lists and structs there are only the counts.
///
/// ```
/// use evenhand::prelude::*;
///
/// let jobs = df!["job" => ["nurse", "pilot", "cook"], "women" => [Some(0.9), None, Some(0.4)]]?;
/// let summary = describe(&jobs)?;
/// assert_eq!(summary.column("women")?.f64()?.get(2), Some(0.65));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The frame has a column named `statistic`.
pub fn describe(frame: &DataFrame) -> Result<DataFrame> {
    let statistics = Series::new("statistic".into(), STATISTICS);
    let mut columns = vec![Column::from(statistics)];
    columns.extend(frame.columns().iter().map(described));
    DataFrame::new(STATISTICS.len(), columns).map_err(|error| {
        Error::new(ErrorKind::Argument, "the frame can't be described")
            .with_source(error)
            .with_hint("a column named `statistic` has to be renamed")
    })
}

fn described(column: &Column) -> Column {
    let series = column.as_materialized_series();
    let nulls = series.null_count();
    let counts = [series.len() - nulls, nulls];
    let name = column.name().clone();
    let dtype = series.dtype();
    let is_number = dtype.is_primitive_numeric() || dtype.is_decimal() || dtype.is_bool();
    match series.cast(&DataType::Float64) {
        Ok(numbers) if is_number => of_numbers(name, counts, &numbers),
        _ => of_others(name, counts, series),
    }
}

fn of_numbers(name: PlSmallStr, counts: [usize; 2], numbers: &Series) -> Column {
    let Ok(numbers) = numbers.f64() else {
        return of_others(name, counts, numbers);
    };
    let quantile = |share| {
        numbers
            .quantile(share, QuantileMethod::Nearest)
            .ok()
            .flatten()
    };
    let values = [
        Some(counts[0] as f64),
        Some(counts[1] as f64),
        numbers.mean(),
        numbers.std(1),
        numbers.min(),
        quantile(0.25),
        quantile(0.5),
        quantile(0.75),
        numbers.max(),
    ];
    Column::from(Series::new(name, values))
}

fn of_others(name: PlSmallStr, counts: [usize; 2], series: &Series) -> Column {
    let text = |value: AnyValue| match value {
        AnyValue::Null => None,
        value => Some(match value.get_str() {
            Some(text) => text.to_owned(),
            None => value.to_string(),
        }),
    };
    let end = |reduced: polars::prelude::PolarsResult<polars::prelude::Scalar>| {
        let reduced = reduced.ok().filter(|_| !series.dtype().is_nested());
        reduced.and_then(|scalar| text(scalar.as_any_value()))
    };
    let mut values: [Option<String>; 9] = Default::default();
    values[0] = Some(counts[0].to_string());
    values[1] = Some(counts[1].to_string());
    values[4] = end(series.min_reduce());
    values[8] = end(series.max_reduce());
    Column::from(Series::new(name, values.as_slice()))
}

#[cfg(test)]
mod tests {
    use polars::df;

    use super::*;

    #[test]
    fn each_kind_of_column_has_its_numbers() {
        let frame = df![
            "n" => [Some(1), Some(2), None, Some(4)],
            "x" => [0.5, 1.5, 2.5, 3.5],
            "is" => [true, false, true, true],
            "text" => [Some("b"), None, Some("a"), None],
        ];
        let described = describe(&frame.unwrap()).unwrap();
        insta::assert_snapshot!(format!("{described}"), @"
        shape: (9, 5)
        ┌────────────┬──────────┬──────────┬──────┬──────┐
        │ statistic  ┆ n        ┆ x        ┆ is   ┆ text │
        │ ---        ┆ ---      ┆ ---      ┆ ---  ┆ ---  │
        │ str        ┆ f64      ┆ f64      ┆ f64  ┆ str  │
        ╞════════════╪══════════╪══════════╪══════╪══════╡
        │ count      ┆ 3.0      ┆ 4.0      ┆ 4.0  ┆ 2    │
        │ null_count ┆ 1.0      ┆ 0.0      ┆ 0.0  ┆ 2    │
        │ mean       ┆ 2.333333 ┆ 2.0      ┆ 0.75 ┆ null │
        │ std        ┆ 1.527525 ┆ 1.290994 ┆ 0.5  ┆ null │
        │ min        ┆ 1.0      ┆ 0.5      ┆ 0.0  ┆ a    │
        │ 25%        ┆ 2.0      ┆ 1.5      ┆ 1.0  ┆ null │
        │ 50%        ┆ 2.0      ┆ 2.5      ┆ 1.0  ┆ null │
        │ 75%        ┆ 4.0      ┆ 2.5      ┆ 1.0  ┆ null │
        │ max        ┆ 4.0      ┆ 3.5      ┆ 1.0  ┆ b    │
        └────────────┴──────────┴──────────┴──────┴──────┘
        ");
    }

    #[test]
    fn a_frame_without_rows_or_with_lists_is_described() {
        let empty = df!["a" => Vec::<f64>::new(), "b" => Vec::<String>::new()].unwrap();
        let described = describe(&empty).unwrap();
        assert_eq!(described.height(), 9);
        assert_eq!(described.column("a").unwrap().null_count(), 7);
        let lists = Series::new("lists".into(), [Series::new("".into(), [1, 2])]);
        let frame = DataFrame::new(1, vec![lists.into()]).unwrap();
        let described = describe(&frame).unwrap();
        assert_eq!(described.column("lists").unwrap().null_count(), 7);
        let own = df!["statistic" => [1]].unwrap();
        assert!(
            describe(&own)
                .unwrap_err()
                .hint()
                .unwrap()
                .contains("renamed")
        );
    }
}
