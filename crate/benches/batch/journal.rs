//! How much time and memory it takes to open a journal, measured with a batch of one row.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use crate::ask::Task;
use crate::{Bench, Result, server, table};

const FILES: [&str; 2] = ["journal.jsonl", "journal.requests.jsonl"];

pub(crate) fn run(bench: &Bench) -> Result {
    let server = server::answering(Duration::ZERO);
    let address = server.url();
    let sizes = [0, 10_000, 100_000, 1_000_000];
    let sizes = sizes.into_iter().take(if bench.long { 4 } else { 3 });
    let mut rows = Vec::new();
    for size in sizes {
        let folder = tempfile::tempdir_in(&bench.folder)?;
        let task = Task::new(&address, 1, 1).journal(&folder.path().join(FILES[0]));
        if size > 0 {
            task.report()?;
            grow(folder.path(), size)?;
        }
        let bytes: u64 = FILES
            .iter()
            .map(|name| fs::metadata(folder.path().join(name)).map_or(0, |file| file.len()))
            .sum();
        let report = task.report()?;
        rows.push([
            size.to_string(),
            (bytes >> 20).to_string(),
            format!("{:.2} s", report.wall),
            report
                .memory
                .map_or("".to_owned(), |megabytes| format!("{megabytes:.0} MB")),
        ]);
    }
    table::print(
        "A batch of one row with an existing journal",
        ["rows in it", "MB", "wall time", "memory"],
        &rows,
    );
    Ok(())
}

/// Extends a journal of one row to many rows by repeating the line under other names.
fn grow(folder: &Path, rows: u64) -> Result {
    for name in FILES {
        let path = folder.join(name);
        let line = fs::read_to_string(&path)?;
        let first: serde_json::Value = serde_json::from_str(&line)?;
        let id = first["custom_id"].as_str().ok_or("a row without a name")?;
        let [parameters, _, occurrence] = id.split('-').collect::<Vec<_>>()[..] else {
            return Err(format!("the name {id} has another form").into());
        };
        let mut file = BufWriter::new(File::options().append(true).open(&path)?);
        for number in 1..rows {
            let other = format!("{parameters}-{number:032x}-{occurrence}");
            file.write_all(line.replace(id, &other).as_bytes())?;
        }
        file.flush()?;
    }
    Ok(())
}
