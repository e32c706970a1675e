//! The static table.

use polars::prelude::Column;

use super::caption::caption;
use super::kind::{Kind, is_quantity};
use super::limits::{
    COLUMNS, FOLDED, FOLDS, NAME, NESTED_FOLDED, NESTED_FOLDS, STATIC_BYTES, characters, cut,
};
use super::payload::payload;
use super::preview::Head;
use super::script;
use super::value::{Value, float, grouped};
use super::view::Table;
use crate::display::{MAX_OUTPUT, push_data};
use crate::display::{escaped, push_escaped};
use crate::text::counted;

/// A text from this length on gets a minimum width, so that it stays readable between many columns.
const LONG: usize = 100;
/// A table with more rows than this scrolls in its own area; a smaller one is shown in full.
const SCROLLS: usize = 20;

const LEFT: &str = "text-align:left;vertical-align:top;white-space:pre-wrap;max-width:60em";
const RIGHT: &str = "text-align:right;vertical-align:top";
const QUIET: &str = "opacity:.65;font-weight:normal";

/// The table of the rows, followed by the script if that has anything to do.
pub(super) fn html(view: &Table, head: &Head) -> String {
    let frame = &head.frame;
    let columns = &frame.columns()[..frame.width().min(COLUMNS)];
    let mut html = String::new();
    push_opening(&mut html, view.title(), frame.height() > SCROLLS);
    push_head(&mut html, columns);
    let rows = push_body(&mut html, columns, frame.height().min(view.page()));
    html.push_str("</table></div>");
    html.push_str(&format!(
        "<p class=\"evenhand-caption\" style=\"opacity:.65;margin:.3em 0\">{}</p>",
        caption(
            (rows, head.height),
            "",
            (columns.len(), frame.width()),
            frame.estimated_size()
        )
    ));
    if !view.has_script() || frame.height() < 2 || columns.is_empty() {
        return html + "</div>";
    }
    let room = MAX_OUTPUT.saturating_sub(html.len() + script::block().len());
    push_data(&mut html, &payload(head, columns, view.page(), room));
    html.push_str("</div>");
    html + script::block()
}

/// The classes keep JupyterLab from rendering `$…$` in a text as mathematics, and the automatic
/// layout keeps a number from getting as much room as an answer.
fn push_opening(html: &mut String, title: Option<&str>, scrolls: bool) {
    let tall = if scrolls { ";max-height:40em" } else { "" };
    let label = escaped(cut(title.unwrap_or("Table"), NAME).0);
    html.push_str(&format!(
        "<div class=\"evenhand evenhand-table tex2jax_ignore mathjax_ignore\" style=\"margin-bottom:1em\"><div class=\"evenhand-scroll\" role=\"group\" tabindex=\"0\" aria-label=\"{label}\" style=\"overflow:auto{tall}\"><table style=\"table-layout:auto\">"
    ));
    if title.is_some() {
        html.push_str(&format!(
            "<caption style=\"caption-side:top;text-align:left;font-weight:bold\">{label}</caption>"
        ));
    }
}

/// Puts the names in one row and the types in another, so that a screen reader announces only the
/// names.
fn push_head(html: &mut String, columns: &[Column]) {
    html.push_str("<thead><tr>");
    for column in columns {
        let (align, name) = (alignment(column), escaped(cut(column.name(), NAME).0));
        html.push_str(&format!(
            "<th scope=\"col\" dir=\"auto\" style=\"text-align:{align}\">{name}</th>"
        ));
    }
    html.push_str("</tr><tr>");
    for column in columns {
        let dtype = column.dtype().to_string();
        let (align, dtype) = (alignment(column), escaped(cut(&dtype, NAME).0));
        html.push_str(&format!(
            "<td style=\"text-align:{align};{QUIET}\">{dtype}</td>"
        ));
    }
    html.push_str("</tr></thead>");
}

/// Appends as many rows as the limits allow, and returns their number.
fn push_body(html: &mut String, columns: &[Column], wanted: usize) -> usize {
    let quantities: Vec<_> = columns
        .iter()
        .map(|column| is_quantity(column.name()))
        .collect();
    html.push_str("<tbody>");
    let mut rows = 0;
    while rows < wanted && html.len() < STATIC_BYTES {
        html.push_str("<tr>");
        for (column, quantity) in columns.iter().zip(&quantities) {
            push_cell(html, column, rows, characters(columns.len()), *quantity);
        }
        html.push_str("</tr>");
        rows += 1;
    }
    html.push_str("</tbody>");
    rows
}

fn push_cell(html: &mut String, column: &Column, row: usize, characters: usize, quantity: bool) {
    let kind = Kind::from_dtype(column.dtype());
    let value = column.get(row);
    let value = match &value {
        Ok(value) => Value::from_any(value, characters),
        Err(error) => Value::Text(error.to_string().into(), 0),
    };
    if kind.is_number() {
        html.push_str(&format!("<td style=\"{RIGHT}\">"));
    } else {
        let is_long = matches!(&value, Value::Text(text, _) if text.chars().nth(LONG).is_some());
        let room = if is_long { ";min-width:20em" } else { "" };
        html.push_str(&format!("<td dir=\"auto\" style=\"{LEFT}{room}\">"));
    }
    let number = |text: String| if quantity { grouped(&text) } else { text };
    match value {
        Value::Null => html.push_str(&format!("<em style=\"{QUIET}\">null</em>")),
        Value::Boolean(value) => html.push_str(&value.to_string()),
        Value::Integer(value) => html.push_str(&number(value.to_string())),
        Value::Decimal(digits) => html.push_str(&number(digits)),
        Value::Float(value) => html.push_str(&number(float(value))),
        Value::Time(text, _) => push_escaped(html, &text),
        Value::Text(text, left_out) => {
            let (folds, folded) = match kind {
                Kind::Nested => (NESTED_FOLDS, NESTED_FOLDED),
                _ => (FOLDS, FOLDED),
            };
            let first = match cut(&text, folds) {
                (_, 0) => text.len(),
                _ => cut(&text, folded).0.len(),
            };
            push_foldable(html, &text[..first], &text[first..], left_out);
        }
    }
    html.push_str("</td>");
}

/// Appends a text that shows its beginning, and the rest on a click, even where no script runs.
fn push_foldable(html: &mut String, first: &str, rest: &str, left_out: usize) {
    if rest.is_empty() {
        push_escaped(html, first);
    } else {
        html.push_str("<details><summary style=\"cursor:pointer\">");
        push_escaped(html, first);
        html.push_str("</summary>");
        push_escaped(html, rest);
    }
    if left_out > 0 {
        let left_out = counted(left_out, "character");
        html.push_str(&format!("<em style=\"{QUIET}\">… and {left_out} more</em>"));
    }
    if !rest.is_empty() {
        html.push_str("</details>");
    }
}

/// The alignment of a column. JupyterLab aligns all cells to the right, which suits only numbers.
fn alignment(column: &Column) -> &'static str {
    match Kind::from_dtype(column.dtype()).is_number() {
        true => "right",
        false => "left",
    }
}
