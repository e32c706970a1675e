//! Property tests over any frame: its cells show the values that polars reports.

use polars::prelude::{AnyValue, DataFrame, IntoColumn, NamedFrom, Series};
use proptest::prelude::*;

use super::{assert_is_well_formed, cells, payload};
use crate::display::Show;
use crate::text::mark::mark_invisible;

fn column(rows: usize) -> impl Strategy<Value = Series> {
    let texts = proptest::collection::vec(proptest::option::of(any::<String>()), rows);
    let integers = proptest::collection::vec(proptest::option::of(any::<i64>()), rows);
    let floats = proptest::collection::vec(proptest::option::of(any::<f64>()), rows);
    let flags = proptest::collection::vec(proptest::option::of(any::<bool>()), rows);
    prop_oneof![
        texts.prop_map(|values| Series::new("".into(), values)),
        integers.prop_map(|values| Series::new("".into(), values)),
        floats.prop_map(|values| Series::new("".into(), values)),
        flags.prop_map(|values| Series::new("".into(), values)),
    ]
}

fn frame() -> impl Strategy<Value = DataFrame> {
    (1..12_usize)
        .prop_flat_map(|rows| proptest::collection::vec(column(rows), 1..6))
        .prop_map(|columns| {
            let named = columns
                .into_iter()
                .enumerate()
                .map(|(at, column)| column.with_name(format!("c{at}").into()).into_column());
            DataFrame::new_infer_height(named.collect()).unwrap()
        })
}

/// Whether a cell shows a value: the same text, or for a float the same number to six decimals.
fn tells(cell: &str, value: &AnyValue) -> bool {
    let number = cell.replace(',', "");
    match value {
        AnyValue::Float64(value) => {
            let read: f64 = number.parse().unwrap();
            read == *value || (read - value).abs() <= 5.1e-7 || (read.is_nan() && value.is_nan())
        }
        AnyValue::Int64(_) => number == value.str_value(),
        value => cell == mark_invisible(&value.str_value()),
    }
}

proptest! {
    #[test]
    fn any_frame_is_told_by_its_table(frame in frame()) {
        let html = frame.mime_bundle().html;
        assert_is_well_formed(&html);
        let cells = cells(&html);
        prop_assert_eq!(cells.len(), frame.height());
        for (row, cells) in cells.iter().enumerate() {
            for (cell, column) in cells.iter().zip(frame.columns()) {
                let value = column.get(row).unwrap();
                prop_assert!(tells(cell, &value), "{cell:?} for {value:?}");
            }
        }
    }

    #[test]
    fn any_frame_is_held_exactly(frame in frame()) {
        let Some(payload) = payload(&frame.mime_bundle().html) else {
            return Ok(());
        };
        for (column, values) in frame.columns().iter().zip(payload["values"].as_array().unwrap()) {
            let values = values.as_array().unwrap();
            prop_assert_eq!(values.len(), frame.height());
            for (row, held) in values.iter().enumerate() {
                match column.get(row).unwrap() {
                    AnyValue::Null => prop_assert!(held.is_null()),
                    AnyValue::Float64(value) if value.is_finite() => {
                        prop_assert_eq!(held.as_f64(), Some(value));
                    }
                    AnyValue::Int64(value) => {
                        let text = held.to_string();
                        prop_assert_eq!(text.trim_matches('"'), value.to_string());
                    }
                    AnyValue::Boolean(value) => prop_assert_eq!(held, value),
                    value => {
                        let text = value.str_value();
                        prop_assert_eq!(held, &serde_json::json!(mark_invisible(&text)));
                    }
                }
            }
        }
    }
}
