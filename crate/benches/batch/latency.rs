//! How close a batch comes to the shortest possible time when answers take a while.

use std::time::Duration;

use crate::ask::{Report, Task};
use crate::{Bench, Result, server, table};

const ROWS: usize = 600;
const AT_ONCE: usize = 100;
const LATENCY: Duration = Duration::from_millis(500);

pub(crate) fn run(bench: &Bench) -> Result {
    let server = server::answering(LATENCY);
    let address = server.url();
    let ideal = LATENCY.as_secs_f64() * ROWS.div_ceil(AT_ONCE) as f64;
    let ours = Task::new(&address, ROWS, AT_ONCE).report()?;
    let mut clients = vec![("evenhand", ours.answered, ours.wall)];
    if let Some(peer) = &bench.peer {
        let report: Report = peer.start(&address, ROWS, AT_ONCE, 0)?.report()?;
        clients.push(("openai-python, asyncio", report.answered, report.wall));
    }
    let rows: Vec<_> = clients
        .into_iter()
        .map(|(name, answered, wall)| {
            [
                name.to_owned(),
                format!("{answered} of {ROWS}"),
                format!("{wall:.2} s"),
                format!("{:.2}", wall / ideal),
            ]
        })
        .collect();
    let title =
        format!("{ROWS} rows, {AT_ONCE} concurrent, answers after 0.5 s: ideally {ideal:.1} s");
    table::print(
        &title,
        ["client", "answered", "wall time", "relative to ideal"],
        &rows,
    );
    Ok(())
}
