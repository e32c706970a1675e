//! The last expression of a cell, as evcxr's generated code shows it: a line `(`, the expression, and
//! a line `).evcxr_display();`. Where that does not compile, evcxr compiles the cell again and shows
//! the expression by `Debug`.
//!
//! What is generated here compiles for every type (see `cell_library/show.rs`), and borrows the value.

use crate::kernel::rust_text::{Kind, tokens};

const OPENS: &str = "(";
const CLOSES: &str = ").evcxr_display();";
/// The same lines with our own code.
const SHOWS: &str = "match &(";
const SHOWN: &str = ") { evenhand_value => {";

/// Where it is: the line before it and the line behind it.
pub(super) struct LastExpression {
    opens: usize,
    closes: usize,
}

impl LastExpression {
    /// The last expression in evcxr's generated code, if the cell has one.
    pub(super) fn find(source: &str, lines: &[&str]) -> Option<Self> {
        let closes = lines.iter().rposition(|line| *line == CLOSES)?;
        let candidates = lines[..closes].iter().enumerate();
        let mut candidates = candidates.filter(|(_, line)| **line == OPENS);
        let starts = starts(source);
        let opens = candidates.find(|(opens, _)| {
            let close = starts.get(closes);
            closing(source, starts[*opens]) == close.copied()
        })?;
        Some(Self {
            opens: opens.0,
            closes,
        })
    }

    /// The line behind it, which evcxr generated.
    pub(super) fn last_line(&self) -> usize {
        self.closes
    }

    /// This line with our code, if it is one of the two. With `formats`, a value without a display of
    /// its own is left to evcxr.
    pub(super) fn shown(&self, line: usize, formats: bool) -> Option<String> {
        if line == self.opens {
            return Some(SHOWS.to_owned());
        }
        let methods = match formats {
            true => {
                "{OpenResult as _, OpenOther as _, ShowNothing as _, ReturnDisplay as _, ReturnDebug as _, ReturnName as _}"
            }
            false => "*",
        };
        (line == self.closes).then(|| {
            format!(
                "{SHOWN} #[allow(unused_imports)] use ::evenhand_cell::show::{methods}; \
                 match evenhand_value.evenhand_open() {{ \
                 ::evenhand_cell::Opened::Value(mut evenhand_value) => {{ ::evenhand_cell::show::display_begins(); \
                 evenhand_value.evcxr_display(); ::evenhand_cell::show::display_ends(); }} \
                 ::evenhand_cell::Opened::Error(mut evenhand_error) => evenhand_error.evenhand_return(), }} }} }}"
            )
        })
    }
}

/// The offset at which each line starts.
fn starts(source: &str) -> Vec<usize> {
    let ends = source.match_indices('\n').map(|(at, _)| at + 1);
    [0].into_iter().chain(ends).collect()
}

/// The offset of the bracket that closes the one at this offset.
fn closing(source: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    tokens(source.get(open..)?).find_map(|token| {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.checked_sub(1)?,
            _ => {}
        }
        (depth == 0).then_some(open + token.start)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str) -> Option<(usize, usize)> {
        let lines: Vec<_> = source.lines().collect();
        let found = LastExpression::find(source, &lines)?;
        Some((found.opens, found.closes))
    }

    #[test]
    fn a_tuple_over_several_lines_is_not_taken_for_its_brackets() {
        assert_eq!(
            found("f(\n(\n1\n)\n);\n(\n(\n\")\",\n2\n)\n).evcxr_display();\n"),
            Some((5, 10))
        );
        assert_eq!(found("(\ndf\n).evcxr_display();\n"), Some((0, 2)));
        assert_eq!(found("df;\n"), None);
    }

    #[test]
    fn it_keeps_its_lines() {
        let source = "a;\n(\ndf\n).evcxr_display();\n}";
        let lines: Vec<_> = source.lines().collect();
        let last = LastExpression::find(source, &lines).unwrap();
        let shown: Vec<_> = (0..lines.len())
            .map(|at| {
                last.shown(at, false)
                    .unwrap_or_else(|| lines[at].to_owned())
            })
            .collect();
        assert!(shown.iter().all(|line| !line.contains('\n')));
        assert_eq!(shown[2], "df");
    }
}
