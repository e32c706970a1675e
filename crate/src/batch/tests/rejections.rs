//! Requests that a service refuses although no quota is known.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::client;
use crate::loopback::{Loopback, Reply};

const LATENCY: Duration = Duration::from_millis(20);

fn prompts(rows: usize) -> Vec<String> {
    (0..rows).map(|row| format!("p{row}")).collect()
}

pub(super) fn answer() -> Reply {
    let body = json!({"id": "1", "model": "plain", "created": 1,
        "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Yes."}}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}});
    Reply::json(200, body)
}

fn too_many(wait_ms: &'static str) -> Reply {
    Reply::error(429, "429", "too many requests").header("retry-after-ms", wait_ms)
}

#[test]
fn rejections_of_rows_that_a_stop_interrupts_are_counted() {
    let loopback = Loopback::serve(|_| too_many("30000"));
    let batch = client(&loopback).batch(prompts(4)).concurrency(2);
    let totals = batch
        .deadline(Duration::from_millis(400))
        .run()
        .unwrap()
        .totals();
    assert_eq!((totals.answered, totals.cancelled), (0, 4), "{totals}");
    let sent = loopback.count() as u64;
    assert!(sent > 0);
    assert_eq!(
        (totals.requests, totals.rate_limited),
        (sent, sent),
        "{totals}"
    );
}

#[test]
fn a_streamed_batch_counts_them_too() {
    let loopback = Loopback::serve(|_| too_many("30000"));
    let client = client(&loopback);
    let requests = prompts(4)
        .into_iter()
        .map(|name| (name, "Describe a nurse."));
    let batch = client.batch_requests(requests).concurrency(2);
    let mut rows = Vec::new();
    let totals = batch.deadline(Duration::from_millis(400)).for_each(|row| {
        rows.push((row.id, row.stats.rate_limited));
        Ok(())
    });
    let totals = totals.unwrap();
    let sent = loopback.count() as u64;
    assert_eq!(
        (totals.requests, totals.rate_limited),
        (sent, sent),
        "{totals}"
    );
    assert!(rows.is_sorted() && rows.len() == 4, "{rows:?}");
    let of_rows: u32 = rows.iter().map(|(_, refused)| refused).sum();
    assert_eq!(u64::from(of_rows), sent);
}

/// A service that takes so many at once refuses the others for as long as the batch sends more.
#[test]
fn no_row_is_lost_where_a_service_limits_the_requests_at_once() {
    let under_way = Mutex::new(Vec::new());
    let loopback = Loopback::serve(move |_| {
        let now = Instant::now();
        let mut under_way = under_way.lock().unwrap();
        under_way.retain(|end| *end > now);
        if under_way.len() == 6 {
            return too_many("10");
        }
        under_way.push(now + LATENCY);
        answer().late(LATENCY)
    });
    let batch = client(&loopback).batch(prompts(300)).concurrency(12);
    let totals = batch.run().unwrap().totals();
    assert_eq!(totals.answered, 300, "{totals}");
}

#[test]
fn a_batch_ends_when_the_account_has_no_credit_left() {
    let run = |answered: usize, status: u16| {
        let asked = AtomicUsize::new(0);
        let loopback =
            Loopback::serve(
                move |_| match asked.fetch_add(1, Ordering::Relaxed) < answered {
                    true => answer(),
                    false => Reply::json(status, json!({"error": {"code": "insufficient_quota"}})),
                },
            );
        let batch = client(&loopback).batch(prompts(40)).concurrency(2);
        (batch.run(), loopback.count())
    };
    let (nothing, sent) = run(0, 429);
    assert!(format!("{:?}", nothing.unwrap_err()).contains("no credit left"));
    assert!(sent <= 4, "{sent}");
    // A gateway may put the error into a success.
    for status in [429, 200] {
        let (some, sent) = run(4, status);
        let answers = some.unwrap();
        assert_eq!(answers.totals().answered, 4, "{}", answers.totals());
        assert!(sent <= 8, "{sent}");
        let last = format!("{:?}", answers.rows()[39].error().unwrap());
        assert!(last.contains("no credit left"), "{last}");
    }
}

#[test]
fn a_prompt_that_a_gateway_blocks_costs_no_other_row() {
    let loopback = Loopback::serve(|request| match request.prompt() == "p0" {
        true => Reply::json(
            403,
            json!({"statusCode": 403, "message": "Request failed content safety check."}),
        ),
        false => answer(),
    });
    let totals = client(&loopback)
        .batch(prompts(12))
        .concurrency(1)
        .run()
        .unwrap()
        .totals();
    assert_eq!((totals.answered, totals.failed), (11, 1), "{totals}");
}

#[test]
fn a_403_of_one_row_costs_only_that_row() {
    let page = "<html><title>Microsoft-Azure-Application-Gateway/v2</title>403 Forbidden</html>";
    let moderated = json!({"error": {"message": "Your input was flagged", "code": 403,
        "metadata": {"reasons": ["violence"], "flagged_input": "p0"}}});
    for blocked in [
        Reply::new(403, "text/html", page),
        Reply::json(403, moderated),
        Reply::json(403, json!({"error": {"message": "Blocked by rule 7"}})),
    ] {
        for row in ["p0", "p7"] {
            let blocked = blocked.clone();
            let loopback = Loopback::serve(move |request| match request.prompt() == row {
                true => blocked.clone(),
                false => answer(),
            });
            let batch = client(&loopback).batch(prompts(12)).concurrency(1);
            let totals = batch.run().unwrap().totals();
            assert_eq!((totals.answered, totals.failed), (11, 1), "{totals}");
        }
    }
}

#[test]
fn a_batch_ends_when_403_is_the_answer_to_all() {
    let forbidden = |message: &str| {
        let message = message.to_owned();
        let loopback = Loopback::serve(move |_| Reply::error(403, "403", &message));
        let batch = client(&loopback).batch(prompts(40)).concurrency(1);
        (batch.run().map(drop).unwrap_err(), loopback.count())
    };
    // The key itself is refused: the first says so for all.
    let (error, sent) = forbidden("Access denied due to Virtual Network/Firewall rules.");
    assert!(error.is_permission_denied());
    assert_eq!(sent, 1);
    let (error, sent) = forbidden("No.");
    assert!(error.is_permission_denied());
    assert_eq!(sent, 3);
}

#[test]
fn a_batch_ends_when_the_key_or_the_deployment_is_gone_in_the_middle() {
    for status in [401, 404] {
        let asked = AtomicUsize::new(0);
        let loopback = Loopback::serve(move |_| match asked.fetch_add(1, Ordering::Relaxed) < 20 {
            true => answer(),
            false => Reply::error(status, "gone", "It is gone."),
        });
        let batch = client(&loopback).batch(prompts(200)).concurrency(4);
        let answers = batch.run().unwrap();
        assert_eq!(answers.totals().answered, 20, "{}", answers.totals());
        let sent = loopback.count();
        assert!((44..60).contains(&sent), "{sent} requests");
        let last = answers.rows()[199].error().unwrap().to_string();
        assert!(last.contains("It is gone."), "{last}");
    }
}
