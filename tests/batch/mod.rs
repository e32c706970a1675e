//! Many prompts at once: what a program that uses the library relies on.

mod faults;
mod journal;
mod property;
mod stopping;

use evenhand::{Answer, ErrorKind, Quota};
use proptest::prelude::*;

use crate::support::Echo;

#[test]
fn answers_come_in_the_order_of_the_prompts() {
    let echo = Echo::start();
    // The first ones take longest, so their answers arrive last.
    let prompts: Vec<_> = (0..40)
        .map(|n| format!("wait {} number {n}", (40 - n) * 2))
        .collect();
    let answers = echo.client().batch(&prompts).run().unwrap();
    let expected: Vec<_> = prompts
        .iter()
        .map(|prompt| format!("1 messages: {prompt}"))
        .collect();
    assert_eq!(
        answers.texts().collect::<Vec<_>>(),
        expected
            .iter()
            .map(|text| Some(text.as_str()))
            .collect::<Vec<_>>()
    );
    assert_eq!(
        answers.rows().iter().map(|row| row.id).collect::<Vec<_>>(),
        (0..40).collect::<Vec<_>>()
    );
    assert_eq!(answers.total_tokens(), 200);
    assert_eq!(echo.requests(), 40);
}

#[test]
fn no_more_requests_are_under_way_than_was_said() {
    for (said, most) in [(None, 8), (Some(3), 3)] {
        let echo = Echo::start();
        let batch = echo.client().batch(vec!["wait 100"; 24]);
        let batch = match said {
            Some(requests) => batch.concurrency(requests),
            None => batch,
        };
        batch.run().unwrap();
        let seen = echo.0.most_under_way();
        assert!(1 < seen && seen <= most, "{seen} at once");
    }
}

#[test]
fn a_row_that_fails_costs_the_others_nothing() {
    let echo = Echo::start();
    let answers = echo
        .client()
        .batch(["one", "filter me", "status 500", "two"])
        .system("Be fair.")
        .run()
        .unwrap();
    let kinds: Vec<_> = answers
        .rows()
        .iter()
        .map(|row| row.error().map(|error| error.kind()))
        .collect();
    assert_eq!(
        kinds,
        [
            None,
            Some(ErrorKind::ContentFilter),
            Some(ErrorKind::Server),
            None
        ]
    );
    assert_eq!(
        answers.rows()[3].text(),
        Some("2 messages: two"),
        "the system message is sent with each"
    );
    assert_eq!(
        answers
            .failed()
            .map(|row| row.prompt.as_str())
            .collect::<Vec<_>>(),
        ["filter me", "status 500"]
    );
    assert!(
        answers
            .summary()
            .starts_with("4 rows: 2 answered, 2 failed, 10 tokens")
    );
}

#[test]
fn an_error_that_no_row_can_escape_ends_the_batch_at_once() {
    let echo = Echo::start();
    let error = echo
        .client()
        .batch(vec!["status 401"; 1_000])
        .run()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert!(error.hint().is_some());
    assert!(
        echo.requests() <= 8,
        "{} requests were sent with a wrong key",
        echo.requests()
    );
}

#[test]
fn an_error_after_an_answer_stays_in_its_row() {
    let echo = Echo::start();
    let answers = echo
        .client()
        .batch(["good", "status 404", "good"])
        .concurrency(1)
        .run()
        .unwrap();
    assert_eq!(answers.failed().count(), 1);
}

#[test]
fn no_prompts_and_no_concurrency() {
    let echo = Echo::start();
    let nothing: [&str; 0] = [];
    assert!(echo.client().batch(nothing).run().unwrap().is_empty());
    let error = echo
        .client()
        .batch(["one"])
        .concurrency(0)
        .run()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert_eq!(echo.requests(), 0);
}

#[test]
fn a_quota_that_lets_nothing_pass_is_told_at_once() {
    let echo = Echo::start();
    for quota in [Quota::tpm(0), Quota::rpm(0)] {
        let error = echo.client().batch(["one"]).quota(quota).run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
        assert!(error.hint().is_some(), "{error}");
    }
    // A request above the quota of a whole minute only fails its own row.
    let long = "word ".repeat(5_000);
    let answers = echo
        .client()
        .batch(["one", &long, "two"])
        .max_tokens(10)
        .quota(Quota::tpm(1_000).with_rpm(600))
        .run()
        .unwrap();
    let kinds: Vec<_> = answers
        .rows()
        .iter()
        .map(|row| row.error().is_some())
        .collect();
    assert_eq!(kinds, [false, true, false], "{answers:?}");
    let error = answers.rows()[1].error().unwrap();
    assert!(error.hint().is_some(), "{error}");
    assert_eq!((answers.rows()[1].stats.attempts, echo.requests()), (0, 2));
}

#[test]
fn a_program_with_a_runtime_may_await() {
    let echo = Echo::start();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let answers = runtime
        .block_on(echo.client().batch(["one"]).run_async())
        .unwrap();
    assert_eq!(answers.rows()[0].text(), Some("1 messages: one"));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.div_ceil(10),
        ..ProptestConfig::default()
    })]
    #[test]
    fn every_prompt_ends_in_just_one_row_with_its_own_answer(
        prompts in proptest::collection::vec(prop_oneof![
            "say [a-z]{1,8}", Just("filter".to_owned()), Just("status 500".to_owned()), "wait [0-9] [a-z]{1,4}",
        ], 0..20),
        concurrency in 1_usize..12,
    ) {
        let echo = Echo::start();
        let answers = echo.client().batch(&prompts).concurrency(concurrency).run().unwrap();
        prop_assert_eq!(answers.len(), prompts.len());
        for (row, prompt) in answers.rows().iter().zip(&prompts) {
            prop_assert_eq!(&row.prompt, prompt);
            let fails = prompt.starts_with("filter") || prompt.starts_with("status");
            let expected = (!fails).then(|| format!("1 messages: {prompt}"));
            prop_assert_eq!(Answer::text(row), expected.as_deref());
        }
    }
}
