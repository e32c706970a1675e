//! The script's data: the head of the frame as JSON, with exact values and real types.
//!
//! Each column is an array of values. A number is a number, or a string if JavaScript would round
//! it; a text that was cut is `[text, characters left out]`; a time is `[text, number to sort by]`.
//! The column of an Enum has its categories in their order.

use polars::prelude::{Column, DataType, Series};

use super::caption::{Height, caption};
use super::kind::{Kind, is_quantity};
use super::limits::{HELD, NAME, characters, cut};
use super::preview::Head;
use super::value::{Value, push};
use crate::text::mark::mark_invisible;

/// The number of rows that are written before their size is checked.
const BLOCK: usize = 256;
/// The largest number of categories whose order is kept.
const CATEGORIES: usize = 1_000;
/// Beyond this, JavaScript's numbers can't represent every integer.
const SAFE: u128 = 1 << 53;

/// As many rows of the columns as fit into `room` bytes, 10,000 at most.
pub(super) fn payload(head: &Head, columns: &[Column], page: usize, room: usize) -> String {
    let mut json = String::from("{\"columns\":[");
    for (at, column) in columns.iter().enumerate() {
        push_comma(&mut json, at);
        push_column(&mut json, column);
    }
    let heads: Vec<Series> = columns
        .iter()
        .map(|column| column.head(Some(HELD)).take_materialized_series())
        .collect();
    let (values, held) = hold(&heads, room.saturating_sub(json.len() + 500));
    json.push_str("],\"values\":[[");
    json.push_str(&values.join("],["));
    let note = match head.height == Height::Known(held) {
        true => "",
        false => " held here",
    };
    let frame = &head.frame;
    let caption = caption(
        (held, head.height),
        note,
        (columns.len(), frame.width()),
        frame.estimated_size(),
    );
    // The height is `null` if it is not known.
    let height = match head.height {
        Height::Known(rows) => rows.to_string(),
        Height::MoreThan(..) => "null".to_owned(),
    };
    json.push_str(&format!(
        "]],\"rows\":{held},\"height\":{height},\"page\":{},\"caption\":",
        page.max(1)
    ));
    push_string(&mut json, &caption);
    json.push('}');
    json
}

fn push_column(json: &mut String, column: &Column) {
    let kind = Kind::from_dtype(column.dtype());
    json.push_str("{\"name\":");
    push_string(json, cut(column.name(), NAME).0);
    json.push_str(",\"type\":");
    push_string(json, cut(&column.dtype().to_string(), NAME).0);
    json.push_str(&format!(
        ",\"kind\":\"{}\",\"grouped\":{}",
        kind.name(),
        kind.is_number() && is_quantity(column.name())
    ));
    if let Some(order) = order(column.dtype()) {
        json.push_str(",\"order\":[");
        for (at, category) in order.into_iter().enumerate() {
            push_comma(json, at);
            push_string(json, category);
        }
        json.push(']');
    }
    json.push('}');
}

/// The categories of an Enum, in their order, by which its values are compared. With many or long
/// categories, the values are compared as texts.
fn order(dtype: &DataType) -> Option<Vec<&str>> {
    let DataType::Enum(categories, _) = dtype else {
        return None;
    };
    let categories = categories.categories();
    let is_short = |category: &&str| cut(category, NAME).1 == 0;
    let order: Vec<&str> = categories.values_iter().take(CATEGORIES + 1).collect();
    (order.len() <= CATEGORIES && order.iter().all(is_short)).then_some(order)
}

/// The values of each column, separated by commas, and the number of rows that fit.
fn hold(heads: &[Series], room: usize) -> (Vec<String>, usize) {
    let characters = characters(heads.len());
    let height = heads.first().map_or(0, |head| head.len());
    let mut columns = vec![String::new(); heads.len()];
    let (mut rows, mut block) = (0, BLOCK);
    while rows < height && block > 0 {
        let before: Vec<_> = columns.iter().map(String::len).collect();
        let more = block.min(height - rows);
        for (json, head) in columns.iter_mut().zip(heads) {
            for (at, value) in head.slice(rows as i64, more).iter().enumerate() {
                push_comma(json, rows + at);
                push_value(json, &Value::from_any(&value, characters));
            }
        }
        // The brackets and the comma of a column take three more bytes.
        let size: usize = columns.iter().map(|json| json.len() + 3).sum();
        if size <= room {
            rows += more;
        } else {
            block /= 2;
            for (json, length) in columns.iter_mut().zip(before) {
                json.truncate(length);
            }
        }
    }
    (columns, rows)
}

fn push_value(json: &mut String, value: &Value) {
    match value {
        Value::Null => json.push_str("null"),
        Value::Boolean(value) => json.push_str(if *value { "true" } else { "false" }),
        Value::Integer(value) => push_integer(json, *value),
        Value::Float(value) if value.is_finite() => push(json, format_args!("{value:e}")),
        Value::Float(value) => push_string(json, &value.to_string()),
        Value::Decimal(digits) => push_string(json, digits),
        Value::Text(text, 0) => push_string(json, text),
        Value::Text(text, left_out) => {
            json.push('[');
            push_string(json, text);
            json.push_str(&format!(",{left_out}]"));
        }
        Value::Time(text, at) => {
            json.push('[');
            push_string(json, text);
            json.push(',');
            push_integer(json, i128::from(*at));
            json.push(']');
        }
    }
}

fn push_integer(json: &mut String, value: i128) {
    let quote = if value.unsigned_abs() > SAFE {
        "\""
    } else {
        ""
    };
    push(json, format_args!("{quote}{value}{quote}"));
}

fn push_comma(json: &mut String, at: usize) {
    if at > 0 {
        json.push(',');
    }
}

/// Appends the text as a JSON string, with invisible characters marked. `<` is escaped, so that no
/// text closes the script's element or opens another, and so is the underscore of evcxr's tokens,
/// which the writer would change.
fn push_string(json: &mut String, text: &str) {
    json.push('"');
    // Most texts are plain and can be copied unchanged.
    if text.bytes().all(is_plain) {
        json.push_str(text);
        json.push('"');
        return;
    }
    for character in mark_invisible(text).chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\t' => json.push_str("\\t"),
            '<' => json.push_str("\\u003c"),
            '_' if json.ends_with("EVCXR") => json.push_str("\\u005f"),
            other => json.push(other),
        }
    }
    json.push('"');
}

fn is_plain(byte: u8) -> bool {
    (b' '..=b'~').contains(&byte) && !matches!(byte, b'"' | b'\\' | b'<' | b'_')
}

#[cfg(test)]
mod tests {
    use polars::prelude::NamedFrom;
    use proptest::prelude::*;

    use super::*;

    fn string(text: &str) -> String {
        let mut json = String::new();
        push_string(&mut json, text);
        json
    }

    proptest! {
        #[test]
        fn a_text_is_read_back_and_breaks_out_of_nothing(parts in proptest::collection::vec(prop_oneof![
            Just("</script>".to_owned()), Just("<!--".to_owned()), Just("EVCXR_END_CONTENT".to_owned()),
            Just("EVCXR".to_owned()), Just("_".to_owned()), Just("\\".to_owned()), any::<String>(),
        ], 0..8)) {
            let text = parts.concat();
            let json = string(&text);
            prop_assert!(!json.contains('<') && !json.contains("EVCXR_"));
            let read: String = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(read, mark_invisible(&text));
        }
    }

    #[test]
    fn integers_that_javascript_would_round_are_texts() {
        let mut json = String::new();
        let safe = SAFE.cast_signed();
        for value in [0, -safe, safe + 1, i128::from(i64::MIN), i128::MIN] {
            push_integer(&mut json, value);
            json.push(' ');
        }
        assert_eq!(
            json,
            "0 -9007199254740992 \"9007199254740993\" \"-9223372036854775808\" \
             \"-170141183460469231731687303715884105728\" "
        );
    }

    #[test]
    fn rows_that_find_no_room_are_left_out_whole() {
        let heads = [
            Series::new("a".into(), vec!["x".repeat(100); 1_000]),
            Series::new("b".into(), (0..1_000_i64).collect::<Vec<_>>()),
        ];
        let (columns, rows) = hold(&heads, 50_000);
        assert!((460..=480).contains(&rows), "{rows}");
        for column in columns {
            let values: Vec<serde_json::Value> =
                serde_json::from_str(&format!("[{column}]")).unwrap();
            assert_eq!(values.len(), rows);
        }
        assert_eq!(hold(&heads, 50).1, 0);
    }
}
