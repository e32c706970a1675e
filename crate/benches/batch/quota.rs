//! How fully a quota of 5K tokens per minute is used: rows answered, requests refused, and the
//! time relative to the shortest possible. The services differ in details that the published
//! rules leave open. All clients run at the same time, each with its own service.

use std::sync::{Arc, Mutex, PoisonError};

use crate::ask::{Limits, Report, Task};
use crate::loopback::Loopback;
use crate::process::Running;
use crate::service::{self, Books, Headers, LATENCY, REQUESTS_IN_BURST, Rules, Windows};
use crate::{Bench, Result, table};

const ROWS: usize = 40;

/// A client and its service.
struct Case {
    name: &'static str,
    client: Running,
    rules: Rules,
    books: Arc<Mutex<Books>>,
    _server: Loopback,
}

impl Case {
    fn start(
        name: &'static str,
        rules: Rules,
        client: impl FnOnce(&str) -> Result<Running>,
    ) -> Result<Self> {
        let (server, books) = service::open(rules);
        let client = client(&server.url())?;
        Ok(Self {
            name,
            client,
            rules,
            books,
            _server: server,
        })
    }

    fn row(self) -> Result<[String; 5]> {
        let report: Report = self.client.report()?;
        let count = self
            .books
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .count();
        Ok([
            self.name.to_owned(),
            format!("{} of {}", report.answered, report.rows),
            count.refused.to_string(),
            format!("{:.1} s", report.wall),
            format!("{:.3}", report.wall / floor(self.rules.shared)),
        ])
    }
}

/// The shortest time in which the quota lets all rows pass, in seconds: one window of ten seconds
/// after another is filled, plus the wait for the last answers. The tokens of all rows fit into a
/// minute.
fn floor(shared: bool) -> f64 {
    let in_burst = REQUESTS_IN_BURST as f64 / if shared { 2.0 } else { 1.0 };
    let bursts = (ROWS as f64 / in_burst).ceil();
    10.0 * (bursts - 1.0) + LATENCY.as_secs_f64()
}

pub(crate) fn run(bench: &Bench) -> Result {
    use Headers::{Missing, Nonsense, Right, TooMuch};
    use Windows::{Fixed, Sliding};

    let told = Limits::TokensPerMinute(service::TOKENS);
    let ours = [
        (
            "evenhand, quota given, fixed windows",
            told,
            Fixed,
            Right,
            false,
        ),
        (
            "evenhand, quota given, sliding windows",
            told,
            Sliding,
            Right,
            false,
        ),
        (
            "evenhand, quota given, no headers",
            told,
            Sliding,
            Missing,
            false,
        ),
        (
            "evenhand, quota given, headers claim a hundred times as much",
            told,
            Sliding,
            TooMuch,
            false,
        ),
        (
            "evenhand, quota given, headers of -1 and 0",
            told,
            Sliding,
            Nonsense,
            false,
        ),
        (
            "evenhand, quota learned, fixed windows",
            Limits::Untold,
            Fixed,
            Right,
            false,
        ),
        (
            "evenhand, quota learned, sliding windows",
            Limits::Untold,
            Sliding,
            Right,
            false,
        ),
        (
            "evenhand, another client takes half, fixed windows",
            told,
            Fixed,
            Right,
            true,
        ),
        (
            "evenhand, another client takes half, sliding windows",
            told,
            Sliding,
            Right,
            true,
        ),
    ];
    let mut cases = Vec::new();
    for (name, quota, windows, headers, shared) in ours {
        let rules = Rules {
            windows,
            headers,
            shared,
        };
        cases.push(Case::start(name, rules, |address| {
            let task = Task {
                concurrency: None,
                ..Task::new(address, ROWS, 1)
            };
            task.quota(quota).start()
        })?);
    }
    let peers = [
        ("openai-python, sequential", 0),
        ("openai-python, asyncio, 16 concurrent", 16),
    ];
    for (peer, (name, at_once)) in bench
        .peer
        .iter()
        .flat_map(|peer| peers.map(|one| (peer, one)))
    {
        let rules = Rules {
            windows: Fixed,
            headers: Right,
            shared: false,
        };
        cases.push(Case::start(name, rules, |address| {
            peer.start(address, ROWS, at_once, 0)
        })?);
    }
    let rows: Vec<_> = cases.into_iter().map(Case::row).collect::<Result<_>>()?;
    let title = format!(
        "A quota of 5K tokens per minute, {ROWS} rows, answers after 0.2 s: at least {:.1} s, or {:.1} s with half of it",
        floor(false),
        floor(true)
    );
    table::print(
        &title,
        [
            "client and service",
            "answered",
            "429s",
            "wall time",
            "relative to shortest",
        ],
        &rows,
    );
    Ok(())
}
