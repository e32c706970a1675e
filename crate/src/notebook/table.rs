//! Data frames as tables: static, escaped, accessible HTML that is complete without any
//! script, so that it reads the same in an untrusted notebook, on GitHub and in e-mail.

use polars::prelude::{AnyValue, Column, DataFrame};

use super::bundle::{Bundle, Show};
use super::escape::{escaped, push_escaped};
use crate::client::text::grouped;

/// At most so many rows are shown, from the head of the frame.
const ROWS: usize = 100;
/// At most so many columns are shown.
const COLUMNS: usize = 50;
/// A frame with more rows scrolls inside its place; one with fewer is there to be read whole.
const SCROLLS: usize = 20;
/// A table stops growing at this size, so that a notebook stays one that opens.
const BYTES: usize = 1_000_000;
/// A text from this length on has room to be read, also between many columns.
const LONG: usize = 100;
/// A longer text is cut in its cell, which then says so.
const CHARACTERS: usize = 2_000;

const CELL: &str = "vertical-align:top;white-space:pre-wrap;max-width:60em";
const QUIET: &str = "opacity:.65;font-weight:normal";

impl Show for DataFrame {
    /// The head of the frame: up to 100 rows, 50 columns and 1 MB, which the caption says.
    fn bundle(&self) -> Bundle {
        Bundle {
            html: html(self),
            text: self.to_string(),
        }
    }
}

fn html(frame: &DataFrame) -> String {
    let columns = &frame.columns()[..frame.width().min(COLUMNS)];
    // The classes keep JupyterLab from setting `$…$` in a text as mathematics, and the
    // layout from giving a number as much room as an answer.
    let tall = if frame.height() > SCROLLS {
        ";max-height:40em"
    } else {
        ""
    };
    let mut html = format!(
        "<div class=\"evenhand tex2jax_ignore mathjax_ignore\" style=\"overflow:auto;margin-bottom:1em{tall}\"><table style=\"table-layout:auto\">"
    );
    push_head(&mut html, columns);
    let rows = push_body(&mut html, columns, frame.height());
    html.push_str("</table><p style=\"opacity:.65;margin:.3em 0\">");
    push_escaped(&mut html, &caption(frame, rows));
    html.push_str("</p></div>");
    html
}

/// The names in one row, the types in another: a screen reader announces the names alone.
fn push_head(html: &mut String, columns: &[Column]) {
    html.push_str("<thead><tr>");
    for column in columns {
        let (align, name) = (alignment(column), escaped(column.name()));
        html.push_str(&format!(
            "<th scope=\"col\" dir=\"auto\" style=\"text-align:{align}\">{name}</th>"
        ));
    }
    html.push_str("</tr><tr>");
    for column in columns {
        let (align, dtype) = (alignment(column), escaped(&column.dtype().to_string()));
        html.push_str(&format!(
            "<td style=\"text-align:{align};{QUIET}\">{dtype}</td>"
        ));
    }
    html.push_str("</tr></thead>");
}

/// Appends as many rows as the limits allow, and returns how many these are.
fn push_body(html: &mut String, columns: &[Column], height: usize) -> usize {
    html.push_str("<tbody>");
    let mut rows = 0;
    while rows < height.min(ROWS) && html.len() < BYTES {
        html.push_str("<tr>");
        for column in columns {
            push_cell(html, column, rows);
        }
        html.push_str("</tr>");
        rows += 1;
    }
    html.push_str("</tbody>");
    rows
}

fn push_cell(html: &mut String, column: &Column, row: usize) {
    let align = alignment(column);
    let value = column.get(row);
    let text = match &value {
        Ok(value) => value.str_value(),
        Err(error) => error.to_string().into(),
    };
    let room = match text.chars().nth(LONG) {
        Some(_) => ";min-width:20em",
        None => "",
    };
    html.push_str(&format!(
        "<td dir=\"auto\" style=\"text-align:{align};{CELL}{room}\">"
    ));
    match value {
        Ok(AnyValue::Null) => html.push_str(&format!("<em style=\"{QUIET}\">null</em>")),
        _ => push_shortened(html, &text),
    }
    html.push_str("</td>");
}

fn push_shortened(html: &mut String, text: &str) {
    match text.char_indices().nth(CHARACTERS) {
        None => push_escaped(html, text),
        Some((end, _)) => {
            push_escaped(html, &text[..end]);
            let left_out = count(text[end..].chars().count(), "character");
            html.push_str(&format!("<em style=\"{QUIET}\">… and {left_out} more</em>"));
        }
    }
}

fn caption(frame: &DataFrame, shown: usize) -> String {
    let (height, width) = frame.shape();
    let rows = if shown < height {
        format!("{} of {}", grouped(shown as u64), count(height, "row"))
    } else {
        count(height, "row")
    };
    let columns = if width > COLUMNS {
        format!("{COLUMNS} of {}", count(width, "column"))
    } else {
        count(width, "column")
    };
    format!("{rows} × {columns}")
}

/// JupyterLab aligns all cells to the right, which is right for numbers alone.
fn alignment(column: &Column) -> &'static str {
    if column.dtype().is_primitive_numeric() {
        "right"
    } else {
        "left"
    }
}

fn count(number: usize, thing: &str) -> String {
    format!(
        "{} {thing}{}",
        grouped(number as u64),
        if number == 1 { "" } else { "s" }
    )
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use polars::df;

    use super::*;

    #[test]
    fn a_frame_is_an_escaped_table() {
        let frame = df![
            "answer" => [Some("A <b>nurse</b> cares & \"helps\"."), None],
            "tokens" => [12_i64, 0],
        ]
        .unwrap();
        // One element a line, and without the styles, to be read by people.
        let html = html(&frame).replace("><", ">\n<");
        let parts: Vec<_> = html.split(" style=\"").collect();
        let plain = parts[1..]
            .iter()
            .map(|part| part.split_once('"').unwrap().1);
        let html: String = [parts[0]].into_iter().chain(plain).collect();
        assert_snapshot!(html, @r#"
        <div class="evenhand tex2jax_ignore mathjax_ignore">
        <table>
        <thead>
        <tr>
        <th scope="col" dir="auto">answer</th>
        <th scope="col" dir="auto">tokens</th>
        </tr>
        <tr>
        <td>str</td>
        <td>i64</td>
        </tr>
        </thead>
        <tbody>
        <tr>
        <td dir="auto">A &lt;b&gt;nurse&lt;/b&gt; cares &amp; &quot;helps&quot;.</td>
        <td dir="auto">12</td>
        </tr>
        <tr>
        <td dir="auto">
        <em>null</em>
        </td>
        <td dir="auto">0</td>
        </tr>
        </tbody>
        </table>
        <p>2 rows × 2 columns</p>
        </div>
        "#);
    }

    #[test]
    fn a_long_frame_shows_its_head_and_says_so() {
        let frame = df!["n" => (0..12_345_i64).collect::<Vec<_>>()].unwrap();
        let html = html(&frame);
        assert_eq!(html.matches("<tr>").count(), 2 + ROWS);
        assert!(html.contains("100 of 12,345 rows × 1 column"));
    }

    #[test]
    fn a_huge_text_is_cut_and_a_huge_frame_stops() {
        let frame = df!["text" => vec!["é".repeat(50_000); 100]].unwrap();
        assert!(html(&frame).contains("min-width:20em"), "it has no room");
        let html = html(&frame);
        assert!(html.contains("… and 48,000 characters more"));
        assert!(html.len() < BYTES + 20_000);
    }

    #[test]
    fn no_rows_and_no_columns_are_shown_as_such() {
        assert!(html(&DataFrame::empty()).contains("0 rows × 0 columns"));
        let none: [&str; 0] = [];
        assert!(html(&df!["a" => none].unwrap()).contains("0 rows × 1 column"));
    }
}
