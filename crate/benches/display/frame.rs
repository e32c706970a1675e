//! The data frames. `peer/display.py` builds the same ones.

use evenhand::polars::prelude::{DataFrame, IntoColumn, NamedFrom, PolarsResult, Series};

const WORDS: [&str; 8] = [
    "nurse", "engineer", "teacher", "chef", "pilot", "baker", "judge", "miner",
];

/// Ten columns of integers, six of floats, four of words.
pub(crate) fn large(rows: usize) -> PolarsResult<DataFrame> {
    let columns = (0..20_usize).map(|column| {
        let name = format!("c{column}").into();
        match column {
            0..10 => {
                let values = (0..rows).map(|n| ((n * (2 * column + 3)) % 1_000_003) as i64);
                Series::new(name, values.collect::<Vec<_>>())
            }
            10..16 => {
                let values = (0..rows).map(|n| ((n * (column + 1)) % 10_007) as f64 / 97.0);
                Series::new(name, values.collect::<Vec<_>>())
            }
            _ => {
                let values = (0..rows).map(|n| WORDS[(n * (column + 1)) % WORDS.len()]);
                Series::new(name, values.collect::<Vec<_>>())
            }
        }
        .into_column()
    });
    DataFrame::new(rows, columns.collect())
}

/// 10,000 rows and 50 columns, 46 of integers and 4 of words, short enough that all of them fit
/// into an output.
pub(crate) fn wide() -> PolarsResult<DataFrame> {
    let columns = (0..50_usize).map(|column| {
        let name = format!("c{column}").into();
        let values = (0..10_000_usize).map(|n| (n * (column + 7)) % 97);
        match column {
            0..46 => Series::new(name, values.map(|n| n as i64).collect::<Vec<_>>()),
            _ => Series::new(name, values.map(|n| &WORDS[n % 8][..2]).collect::<Vec<_>>()),
        }
        .into_column()
    });
    DataFrame::new(10_000, columns.collect())
}
