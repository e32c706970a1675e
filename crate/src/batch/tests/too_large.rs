//! A request that alone is larger than the service's limit concerns one row.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::client;
use super::rejections::answer;
use crate::error::ErrorKind;
use crate::loopback::{Loopback, Reply};

fn too_large(status: u16) -> Reply {
    let body = json!({"error": {"type": "tokens", "code": "rate_limit_exceeded",
        "message": "Request too large for gpt-4o in organization org-x on tokens per min (TPM): \
            Limit 30000, Requested 40000. The input or output tokens must be reduced in order to \
            run successfully."}});
    Reply::json(status, body).header("retry-after", "1")
}

#[test]
fn a_row_that_can_never_fit_is_sent_once_and_delays_no_other() {
    for status in [429, 413] {
        let loopback = Loopback::serve(move |request| match request.prompt().as_str() {
            "p5" => too_large(status),
            _ => answer(),
        });
        let prompts = (0..40).map(|row| format!("p{row}"));
        let answers = client(&loopback).batch(prompts).run().unwrap();
        assert_eq!(loopback.count(), 40);
        let error = answers.rows()[5].error().unwrap();
        assert_eq!(error.kind(), ErrorKind::BadRequest, "{error}");
        let hint = error.hint().unwrap();
        assert!(hint.contains("40,000") && hint.contains("30,000"), "{hint}");
        let totals = answers.totals();
        assert_eq!((totals.answered, totals.rate_limited), (39, 0), "{totals}");
        assert!(totals.notes.is_empty(), "{totals} {:?}", totals.notes);
    }
}

#[test]
fn a_row_that_only_has_to_wait_is_answered() {
    let count = AtomicUsize::new(0);
    let loopback = Loopback::serve(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        3 => Reply::error(
            429,
            "rate_limit_exceeded",
            "Rate limit reached on tokens per min (TPM): Limit 30000, Used 20000, Requested 15000.",
        )
        .header("retry-after-ms", "10"),
        _ => answer(),
    });
    let prompts = (0..6).map(|row| format!("p{row}"));
    let totals = client(&loopback).batch(prompts).run().unwrap().totals();
    assert_eq!((totals.answered, totals.rate_limited), (6, 1), "{totals}");
}
