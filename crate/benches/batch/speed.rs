//! Requests per second, and per CPU-second of the client, against a server that answers
//! immediately.

use std::time::Duration;

use crate::ask::{Report, Task};
use crate::{Bench, Result, peer, server, table};

/// Each client is measured at the best of these.
const CONCURRENCIES: [usize; 4] = [8, 16, 32, 64];
/// Additional rounds for each client at its best concurrency. Clients take turns, so that all of
/// them run under the same load.
const FURTHER_ROUNDS: usize = 2;
const ROWS: usize = 10_000;
const PEER_ROWS: usize = 500;

/// The speed that a client reached.
#[derive(Clone, Copy)]
struct Speed {
    per_second: f64,
    per_cpu_second: f64,
    concurrency: usize,
}

impl Speed {
    fn of(report: &Report, concurrency: usize) -> Result<Self> {
        let Report { rows, answered, .. } = *report;
        if answered < rows {
            return Err(format!("{} of {rows} rows were not answered", rows - answered).into());
        }
        Ok(Self {
            per_second: rows as f64 / report.wall,
            per_cpu_second: rows as f64 / report.cpu,
            concurrency,
        })
    }
}

/// The clients that take turns.
struct Turns<'a> {
    bench: &'a Bench,
    address: String,
}

impl Turns<'_> {
    fn plain(&self, concurrency: usize) -> Result<Speed> {
        let task = Task::new(&self.address, ROWS, concurrency).warm_up(500);
        Speed::of(&task.report()?, concurrency)
    }

    fn journalled(&self, concurrency: usize) -> Result<Speed> {
        let folder = tempfile::tempdir_in(&self.bench.folder)?;
        let task = Task::new(&self.address, ROWS, concurrency).warm_up(500);
        let task = task.journal(&folder.path().join("journal.jsonl"));
        Speed::of(&task.report()?, concurrency)
    }

    fn python(&self, peer: &peer::Peer, concurrency: usize) -> Result<Speed> {
        let report = peer
            .start(&self.address, PEER_ROWS, concurrency, 20)?
            .report()?;
        Speed::of(&report, concurrency)
    }
}

/// A client at a concurrency.
type Turn<'a> = Box<dyn Fn(usize) -> Result<Speed> + 'a>;

/// A client and its best speed so far.
struct Client<'a> {
    name: &'static str,
    turn: Turn<'a>,
    best: Option<Speed>,
}

impl<'a> Client<'a> {
    fn new(name: &'static str, turn: impl Fn(usize) -> Result<Speed> + 'a) -> Self {
        Self {
            name,
            turn: Box::new(turn),
            best: None,
        }
    }

    /// Runs one turn, and keeps the speed with the most requests per CPU-second.
    fn run(&mut self, concurrency: usize) -> Result {
        let speed = (self.turn)(concurrency)?;
        if self
            .best
            .is_none_or(|best| best.per_cpu_second < speed.per_cpu_second)
        {
            self.best = Some(speed);
        }
        Ok(())
    }
}

pub(crate) fn run(bench: &Bench) -> Result {
    let server = server::answering(Duration::ZERO);
    let turns = Turns {
        bench,
        address: server.url(),
    };
    let mut clients = vec![
        Client::new("evenhand", |concurrency| turns.plain(concurrency)),
        Client::new("evenhand with a journal", |concurrency| {
            turns.journalled(concurrency)
        }),
    ];
    if let Some(peer) = &bench.peer {
        clients.push(Client::new("openai-python, asyncio", |concurrency| {
            turns.python(peer, concurrency)
        }));
        clients.push(Client::new("openai-python, sequential", |_| {
            turns.python(peer, 0)
        }));
    }
    for concurrency in CONCURRENCIES {
        for client in &mut clients {
            client.run(concurrency)?;
        }
    }
    for _ in 0..FURTHER_ROUNDS {
        for client in &mut clients {
            client.run(client.best.map_or(1, |best| best.concurrency))?;
        }
    }
    let peers = clients.get(2).and_then(|client| client.best);
    let rows: Vec<_> = clients
        .iter()
        .filter_map(|client| {
            let speed = client.best?;
            let ratio = peers.map(|peers| speed.per_cpu_second / peers.per_cpu_second);
            Some([
                client.name.to_owned(),
                speed.concurrency.max(1).to_string(),
                format!("{:.0}", speed.per_second),
                format!("{:.0}", speed.per_cpu_second),
                ratio.map_or(String::new(), |ratio| format!("{ratio:.1}")),
            ])
        })
        .collect();
    table::print(
        "A server that answers immediately",
        [
            "client",
            "concurrency",
            "rows/s",
            "rows/CPU-second",
            "ratio",
        ],
        &rows,
    );
    Ok(())
}
