//! Connections that break, engines that die, sessions that are closed.

use std::time::{Duration, Instant};

use evenhand::ErrorKind;
use evenhand::spark::{SaveMode, Session, functions as f};

use super::engines::{Engine, client_python, on_each_engine};
use super::proxy::Proxy;

on_each_engine!(
    fifty_cuts_in_the_middle_of_a_query_lose_and_repeat_no_row,
    a_cut_in_the_middle_of_an_insert_writes_no_row_twice,
    a_session_that_was_closed_begins_anew,
    a_query_is_stopped_from_another_thread_and_the_session_goes_on,
);

/// A session whose connections the proxy cuts.
fn through(proxy: &Proxy, engine: &Engine) -> Session {
    let remote = engine.remote_at(proxy.port);
    Session::builder().remote(remote).create().unwrap()
}

/// The sum of the numbers below this one.
fn sum_below(rows: i64) -> i64 {
    rows * (rows - 1) / 2
}

fn fifty_cuts_in_the_middle_of_a_query_lose_and_repeat_no_row(engine: &Engine) {
    let proxy = Proxy::start(engine.port());
    let spark = through(&proxy, engine);
    // All cuts come before the end: what was sent and lost after it, the engine does not repeat.
    let rows = 12_000_000;
    // More than a batch, so that each connection brings the query on; some cut before the first.
    proxy.cut_after((0..50).map(|at| match at % 10 {
        0 => 0,
        1 => 100,
        at => 600_000 + 37_000 * at,
    }));
    let numbers = spark.range(0, rows).to_polars().unwrap();
    let ids = numbers.column("id").unwrap().i64().unwrap();
    assert_eq!(ids.len() as i64, rows);
    assert_eq!(ids.iter().flatten().sum::<i64>(), sum_below(rows));
    assert_eq!(proxy.cuts(), 50);
}

fn a_cut_in_the_middle_of_an_insert_writes_no_row_twice(engine: &Engine) {
    let proxy = Proxy::start(engine.port());
    let spark = through(&proxy, engine);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table").to_string_lossy().into_owned();
    let inserts = 25;
    let mut unsure = Vec::new();
    for at in 0..inserts {
        proxy.cut_after([at as usize * 16]);
        let row = spark.range(at, at + 1);
        if let Err(error) = row.write().mode(SaveMode::Append).parquet(&path) {
            assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
            assert!(error.message().contains("may or may not"), "{error:?}");
            unsure.push(at);
        }
    }
    // What follows is cut nowhere.
    let direct = engine.session();
    let written = direct
        .read()
        .parquet(&path)
        .order_by(["id"])
        .to_polars()
        .unwrap();
    let ids: Vec<_> = written
        .column("id")
        .unwrap()
        .i64()
        .unwrap()
        .iter()
        .flatten()
        .collect();
    // All that is certain is there, and nothing twice.
    let expected = (0..inserts).filter(|at| ids.contains(at) || !unsure.contains(at));
    assert_eq!(ids, expected.collect::<Vec<_>>());
    assert!(unsure.len() < 25, "not one is certain");
    assert!(proxy.cuts() >= 20, "only {} cuts", proxy.cuts());
}

#[test]
fn an_engine_that_dies_in_the_middle_ends_the_query_with_a_clear_error() {
    let Some(python) = client_python() else {
        return;
    };
    let mut engine = Engine::start_sail(&python);
    let spark = Session::builder().remote(engine.remote()).create().unwrap();
    let mut parts = spark.range(0, 50_000_000).batches().unwrap();
    assert!(parts.next().unwrap().unwrap().height() > 0);
    engine.child.kill().unwrap();
    engine.child.wait().unwrap();
    let error = parts.find_map(Result::err).expect("an error");
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.hint().unwrap().contains("server"), "{error}");
    let error = spark.range(0, 1).to_polars().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
}

fn a_session_that_was_closed_begins_anew(engine: &Engine) {
    let id = "8e1d5a2c-0a5e-4f6c-9f0e-d3a1b2c3d4e5";
    let remote = engine.remote_with(&format!("session_id={id}"));
    let begin = || Session::builder().remote(&remote).create().unwrap();
    let (spark, other) = (begin(), begin());
    spark
        .range(0, 3)
        .create_or_replace_temp_view("three")
        .unwrap();
    other.stop().unwrap();
    assert_eq!(spark.range(0, 5).count().unwrap(), 5);
    let gone = spark.table("three").count().unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound, "{gone:?}");
    assert!(!format!("{spark:?}").contains(id));
    // A session that its user has stopped stays stopped.
    let error = other.range(0, 5).count().unwrap_err();
    assert!(error.message().contains("stopped"), "{error}");
}

fn a_query_is_stopped_from_another_thread_and_the_session_goes_on(engine: &Engine) {
    let spark = engine.session();
    spark.add_tag("slow").unwrap();
    let slow = spark
        .range(0, 40_000)
        .cross_join(&spark.range(0, 40_000))
        .agg([f::count_distinct(f::function("rand", [f::lit(1)])).alias("n")]);
    let running = std::thread::spawn(move || slow.to_polars());
    let began = Instant::now();
    // Until the query has arrived, there is nothing to stop.
    while !running.is_finished() && began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(100));
        spark.interrupt_tag("slow").unwrap();
    }
    assert!(running.join().unwrap().is_err());
    spark.remove_tag("slow");
    assert_eq!(spark.range(0, 5).count().unwrap(), 5);
}
