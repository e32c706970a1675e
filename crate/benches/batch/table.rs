//! Markdown tables, as in BENCHMARKS.md.

/// Prints a title and a table with these columns.
pub(crate) fn print<const N: usize>(title: &str, head: [&str; N], rows: &[[String; N]]) {
    let head = head.map(str::to_owned);
    let width = |column: usize| {
        let cells = std::iter::once(&head).chain(rows);
        let widths = cells.filter_map(|row| row.get(column).map(|cell| cell.chars().count()));
        widths.max().unwrap_or_default()
    };
    let line = |row: &[String; N]| {
        let cells = row.iter().enumerate();
        let cells = cells.map(|(column, cell)| format!(" {cell:<width$} ", width = width(column)));
        println!("|{}|", cells.collect::<Vec<_>>().join("|"));
    };
    println!("\n{title}\n");
    line(&head);
    line(&std::array::from_fn(|column| "-".repeat(width(column))));
    rows.iter().for_each(line);
}
