//! How fast rows come from a Spark server and go to it, compared with Apache Spark's own client in
//! Python on the same server.
//!
//! `cargo run -- spark` starts a server and prints its address, and with `--master 'local[2]'` Apache
//! Spark's. Then `cargo bench -p evenhand --bench spark -- ADDRESS`.

// An attribute of a crate: each benchmark is one, and needs its own head.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark is a program for a terminal"
)]

#[path = "../peer/python.rs"]
mod python;
#[path = "../batch/table.rs"]
mod table;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use evenhand::polars::df;
use evenhand::spark::Session;
use serde::Deserialize;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The rows that are fetched: three columns of numbers and texts, 176 MB.
const QUERY: &str = "select id, cast(id as double) / 3 as share, concat('answer ', id) as answer from range(5000000)";

/// Texts that are sent and fetched, about 110 bytes each.
const TEXTS: usize = 800_000;

/// What the peer prints: seconds by what was done.
#[derive(Deserialize)]
struct Peer {
    arrow: f64,
    pandas: f64,
    one: f64,
}

fn main() -> Result<()> {
    let address = std::env::args().find(|argument| argument.starts_with("sc://"));
    let address = address.ok_or("name a server: -- sc://localhost:15002")?;
    let began = Instant::now();
    let spark = Session::builder().remote(&address).create()?;
    spark.sql("select 1")?.to_polars()?;
    let first = began.elapsed().as_secs_f64();
    let one = best(100, || {
        spark.sql("select 1")?.to_polars()?;
        Ok(())
    })?;
    let rows = best(5, || {
        let frame = spark.sql(QUERY)?.to_polars()?;
        (frame.height() == 5_000_000)
            .then_some(())
            .ok_or("rows are missing")?;
        Ok(())
    })?;
    let texts: Vec<String> = (0..TEXTS)
        .map(|at| format!("{at:08} {}", "x".repeat(100)))
        .collect();
    // A frame of up to 64 MB goes in one message.
    let halves: Vec<_> = texts.chunks(TEXTS / 2).collect();
    let there_and_back = best(3, || {
        for half in &halves {
            let sent = df!["text" => *half]?;
            let back = spark.create_data_frame(&sent)?.to_polars()?;
            (back.height() == half.len())
                .then_some(())
                .ok_or("texts are missing")?;
        }
        Ok(())
    })?;
    let mut lines = vec![
        line("evenhand", "the first session and query", first, None),
        line("evenhand", "`select 1`", one, None),
        line("evenhand", "5,000,000 rows to polars", rows, None),
        line(
            "evenhand",
            "800,000 texts there and back",
            there_and_back,
            None,
        ),
    ];
    if let Some(peer) = peer(&address)? {
        lines.extend([
            line(
                "pyspark-client",
                "`select 1`, `collect`",
                peer.one,
                Some(peer.one / one),
            ),
            line(
                "pyspark-client",
                "5,000,000 rows, `toArrow`",
                peer.arrow,
                Some(peer.arrow / rows),
            ),
            line(
                "pyspark-client",
                "5,000,000 rows, `toPandas`",
                peer.pandas,
                Some(peer.pandas / rows),
            ),
        ]);
    }
    table::print(
        "",
        ["client", "what", "best", "relative to evenhand"],
        &lines,
    );
    Ok(())
}

fn best(times: usize, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..times {
        let began = Instant::now();
        work()?;
        least = least.min(began.elapsed().as_secs_f64());
    }
    Ok(least)
}

fn line(client: &str, what: &str, seconds: f64, ratio: Option<f64>) -> [String; 4] {
    [
        client.to_owned(),
        what.to_owned(),
        format!("{:.1} ms", seconds * 1e3),
        ratio.map_or("1".to_owned(), |ratio| format!("{ratio:.1}")),
    ]
}

fn peer(address: &str) -> Result<Option<Peer>> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let Some(python) = python::with("pyspark-client", folder) else {
        return Ok(None);
    };
    let output = Command::new(python)
        .args(["-W", "ignore"])
        .arg(python::scripts().join("spark.py"))
        .args([address, QUERY])
        .stderr(Stdio::inherit())
        .output()?;
    Ok(Some(serde_json::from_slice(&output.stdout)?))
}
