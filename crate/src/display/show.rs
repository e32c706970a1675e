//! Showing results in the running cell.
//!
//! Under the toolkit's own kernel, each result is shown immediately and in its place. Plain evcxr
//! keeps one result per cell: of several blocks with the same MIME type, the last one wins. There,
//! each display sends everything that its cell has shown so far as one block, and starts over when
//! the next cell runs.

use std::panic::Location;
use std::sync::Mutex;

use super::cell::{self, Cell};
use super::mime_bundle::{MimeBundle, Show, error_card, stack};
use super::writer::{self, Output};
use crate::runtime;

struct Shown {
    cell: Option<Cell>,
    bundles: Vec<MimeBundle>,
}

static SHOWN: Mutex<Shown> = Mutex::new(Shown {
    cell: None,
    bundles: Vec::new(),
});

/// Shows a data frame, or another result that implements [`Show`], below the running
/// cell. A cell may show several results; they appear below each other in the order of the calls.
///
/// Outside a notebook the plain form is printed.
///
/// ```
/// use evenhand::prelude::*;
///
/// let df = polars::df!["answer" => ["A nurse cares for people."]]?;
/// display(&df);
/// # Ok::<(), polars::error::PolarsError>(())
/// ```
#[track_caller]
pub fn display(thing: impl Show) {
    let cell = cell::cell_at(Location::caller());
    show_in(cell, Output::Display(None), thing.mime_bundle());
}

/// Makes a value show itself as the last expression of a cell: evcxr calls this method.
pub trait EvcxrDisplay {
    /// Shows the value as [`display`] does.
    fn evcxr_display(&self);
}

impl<T: Show + ?Sized> EvcxrDisplay for T {
    #[track_caller]
    fn evcxr_display(&self) {
        let cell = cell::cell_at(Location::caller());
        match self.try_mime_bundle() {
            Ok(bundle) => show_in(cell, Output::Result, bundle),
            Err(message) if writer::is_live() => writer::fail(&message),
            Err(message) => show_in(cell, Output::Result, error_card(&message)),
        }
    }
}

fn show_in(cell: Cell, output: Output<'_>, bundle: MimeBundle) {
    if writer::is_live() {
        return writer::send(output, &bundle);
    }
    // The list is consistent even if a thread panicked while it held the lock.
    let mut shown = SHOWN
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if runtime::in_kernel() {
        writer::show(&shown.add(cell, bundle));
    } else {
        writer::print(&bundle.text);
    }
}

impl Shown {
    /// Records what the cell shows now, and returns everything that it has shown.
    fn add(&mut self, cell: Cell, bundle: MimeBundle) -> MimeBundle {
        if self.cell != Some(cell) {
            self.cell = Some(cell);
            self.bundles.clear();
        }
        self.bundles.push(bundle);
        stack(&self.bundles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> MimeBundle {
        MimeBundle {
            html: format!("<p>{text}</p>"),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_cell_shows_all_that_it_displayed_and_nothing_of_the_last_cell() {
        let mut shown = Shown {
            cell: None,
            bundles: Vec::new(),
        };
        let (first, second) = (cell::tests::cell(1), cell::tests::cell(2));
        shown.add(first, text("a"));
        assert_eq!(shown.add(first, text("b")).html, "<p>a</p>\n<p>b</p>");
        assert_eq!(shown.add(second, text("c")), text("c"));
    }
}
