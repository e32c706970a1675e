use super::*;
use crate::batch::rate_limit::tests::COST;
use crate::openai::RateLimits;
use proptest::prelude::*;

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn given(tokens: u64, requests: u64) -> State {
    let limits = Limits {
        tokens: Some(tokens),
        requests: Some(requests),
    };
    State::new(limits, true)
}

/// The same for a service that reports nothing, as its first answer has shown.
fn silent(tokens: u64, requests: u64) -> State {
    let mut state = given(tokens, requests);
    let first = go(&mut state, 0.0);
    state.answered(Duration::ZERO, first, &RateLimits::default(), None);
    state
}

fn retry_after(wait: f64) -> RateLimits {
    RateLimits {
        retry_after: Some(seconds(wait)),
        ..RateLimits::default()
    }
}

/// Sends a request, which must be permitted at once.
fn go(state: &mut State, now: f64) -> Reservation {
    match state.decide(seconds(now), COST) {
        Decision::Go(charge) => charge,
        other => panic!("at {now}: {other:?}"),
    }
}

/// What the next request waits for, and until when in seconds.
fn waits(state: &mut State, now: f64) -> (Cause, Option<f64>) {
    match state.decide(seconds(now), COST) {
        Decision::Wait(wait) => (wait.cause, wait.until.map(|until| until.as_secs_f64())),
        other => panic!("at {now}: {other:?}"),
    }
}

/// How many requests may go at this moment.
fn burst(state: &mut State, now: f64) -> Vec<Reservation> {
    std::iter::from_fn(|| match state.decide(seconds(now), COST) {
        Decision::Go(charge) => Some(charge),
        _ => None,
    })
    .take(1_000)
    .collect()
}

#[test]
fn each_window_is_filled_at_once_and_no_further() {
    let mut state = silent(5_000, 30);
    assert_eq!(burst(&mut state, 0.0).len(), 4);
    let wait = (Cause::Requests { per_minute: 30 }, Some(10.05));
    assert_eq!(waits(&mut state, 0.0), wait);
    assert_eq!(burst(&mut state, 10.06).len(), 5);
    // 123 tokens each: eight of them fit.
    let mut state = silent(1_000, 6_000);
    assert_eq!(burst(&mut state, 0.0).len(), 7);
    let wait = (Cause::Tokens { per_minute: 1_000 }, Some(60.05));
    assert_eq!(waits(&mut state, 0.0), wait);
}

#[test]
fn what_is_larger_than_the_quota_is_never_sent() {
    let never = Decision::Never {
        estimate: 123,
        limit: 122,
    };
    assert_eq!(given(122, 30).decide(Duration::ZERO, COST), never);
    assert!(matches!(
        given(123, 30).decide(Duration::ZERO, COST),
        Decision::Go(_)
    ));
}

#[test]
fn the_service_is_waited_for_as_it_asks_up_to_a_minute() {
    let spent = RateLimits {
        reset_tokens: Some(seconds(7.0)),
        ..RateLimits::default()
    };
    let zero = RateLimits {
        retry_after: Some(Duration::ZERO),
        ..RateLimits::default()
    };
    let cases = [
        (retry_after(7.0), 7.0),
        (retry_after(86_400.0), 60.0),
        (spent, 7.0),
        (zero, 1.0),
        (RateLimits::default(), 1.0),
    ];
    for (rate_limits, expected) in cases {
        let mut state = given(5_000, 30);
        let charge = go(&mut state, 0.0);
        state.refused(seconds(0.1), charge, &rate_limits);
        let (cause, until) = waits(&mut state, 0.2);
        let asked = rate_limits.retry_after.or(rate_limits.reset_tokens);
        let asked = asked.filter(|asked| !asked.is_zero());
        assert_eq!(cause, Cause::Service { asked });
        let wait = until.unwrap() - 0.1;
        assert!(
            (expected..expected + 0.2).contains(&wait),
            "{rate_limits:?} {wait}"
        );
    }
}

#[test]
fn rejections_of_which_nobody_says_when_to_come_back_are_waited_for_twice_as_long_each() {
    let mut state = given(50_000, 300);
    let mut now = 0.0;
    let waits = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0];
    for expected in waits {
        let charge = go(&mut state, now);
        state.refused(seconds(now + 0.1), charge, &RateLimits::default());
        let until = waits_until(&mut state, now + 0.1);
        let wait = until - now - 0.1;
        assert!((expected..expected + 0.5).contains(&wait), "{wait}");
        now = until;
    }
}

fn waits_until(state: &mut State, now: f64) -> f64 {
    waits(state, now).1.unwrap()
}

#[test]
fn after_a_rejection_one_request_goes_alone_and_then_all() {
    let mut state = silent(50_000, 300);
    let charges = burst(&mut state, 0.0);
    for charge in charges {
        state.refused(seconds(0.1), charge, &retry_after(10.0));
    }
    let again = waits_until(&mut state, 0.2);
    let probe = go(&mut state, again);
    assert_eq!(
        waits(&mut state, again),
        (Cause::Answer, Some(again + 10.0))
    );
    state.answered(seconds(again + 0.2), probe, &RateLimits::default(), None);
    assert!(!burst(&mut state, again + 0.3).is_empty());
}

#[test]
fn a_request_that_hangs_alone_does_not_stop_all_others() {
    let mut state = State::new(Limits::default(), true);
    let _hangs = go(&mut state, 0.0);
    assert_eq!(waits_until(&mut state, 9.9), 10.0);
    let second = go(&mut state, 10.0);
    assert_eq!(waits_until(&mut state, 10.1), 20.0);
    state.answered(seconds(10.3), second, &RateLimits::default(), None);
    assert_eq!(burst(&mut state, 10.4).len(), 1_000);
}

#[test]
fn a_rejection_against_the_rules_means_windows_of_a_second_and_then_less_of_the_quota() {
    let mut state = silent(500_000, 600);
    let charges = burst(&mut state, 0.0);
    assert_eq!(charges.len(), 99);
    for charge in charges {
        state.refused(seconds(0.1), charge, &retry_after(60.0));
    }
    let probe = go(&mut state, 61.0);
    state.answered(seconds(61.2), probe, &RateLimits::default(), None);
    let charges = burst(&mut state, 63.0);
    assert_eq!(charges.len(), 10, "in a second");
    for charge in charges {
        state.refused(seconds(63.1), charge, &retry_after(60.0));
    }
    let probe = go(&mut state, 124.0);
    state.answered(seconds(124.2), probe, &RateLimits::default(), None);
    assert_eq!(burst(&mut state, 126.0).len(), 6, "six tenths of it");
    // Without a rejection, the whole share is restored.
    assert_eq!(burst(&mut state, 2_000.0).len(), 100);
}

#[test]
fn answers_that_come_late_do_not_open_what_a_rejection_closed() {
    let mut state = silent(50_000, 300);
    let late = go(&mut state, 0.0);
    let refused = go(&mut state, 0.0);
    state.refused(seconds(0.1), refused, &retry_after(9.0));
    state.answered(seconds(0.2), late, &RateLimits::default(), None);
    assert!(matches!(waits(&mut state, 0.3).0, Cause::Service { .. }));
    go(&mut state, 10.0);
    assert_eq!(waits(&mut state, 10.0), (Cause::Answer, Some(20.0)));
}

#[test]
fn an_unknown_quota_is_learned_from_the_first_answer() {
    let mut state = State::new(Limits::default(), true);
    let first = go(&mut state, 0.0);
    assert_eq!(waits(&mut state, 0.0), (Cause::Answer, Some(10.0)));
    let rate_limits = RateLimits {
        limit_requests: Some(30),
        limit_tokens: Some(5_000),
        ..RateLimits::default()
    };
    state.answered(seconds(0.2), first, &rate_limits, None);
    assert_eq!(burst(&mut state, 0.3).len(), 4);
    // With a concurrency set by the user, no request is sent alone first.
    let mut state = State::new(Limits::default(), false);
    assert_eq!(burst(&mut state, 0.0).len(), 1_000);
}

#[test]
fn one_request_goes_ahead_to_see_what_others_left() {
    let mut state = given(5_000, 30);
    let ahead = go(&mut state, 0.0);
    assert_eq!(waits(&mut state, 0.0), (Cause::Answer, Some(2.0)));
    let rate_limits = RateLimits {
        remaining_requests: Some(29),
        ..RateLimits::default()
    };
    state.answered(seconds(0.2), ahead, &rate_limits, None);
    assert_eq!(burst(&mut state, 0.3).len(), 4);
    // And again after a lull; but a slow answer is not waited for.
    let ahead = go(&mut state, 10.4);
    assert_eq!(waits(&mut state, 10.4), (Cause::Answer, Some(12.4)));
    assert_eq!(burst(&mut state, 12.4).len(), 4);
    state.answered(seconds(30.0), ahead, &rate_limits, None);
}

#[test]
fn another_clients_use_is_seen_and_kept_free() {
    let mut state = given(5_000, 30);
    for (now, left) in [(0.0, 29), (0.5, 26)] {
        let charge = go(&mut state, now);
        let rate_limits = RateLimits {
            limit_requests: Some(30),
            remaining_requests: Some(left),
            ..RateLimits::default()
        };
        state.answered(seconds(now + 0.2), charge, &rate_limits, None);
    }
    let more = burst(&mut state, 0.8).len();
    assert_eq!(
        more, 0,
        "of the five, two are ours, and another may take three"
    );
}

#[test]
fn a_share_of_a_larger_quota_is_not_taken_for_all_of_it() {
    let mut state = given(5_000, 30);
    let charge = go(&mut state, 0.0);
    let rate_limits = RateLimits {
        limit_tokens: Some(50_000),
        remaining_tokens: Some(20_000),
        limit_requests: Some(300),
        remaining_requests: Some(200),
        ..RateLimits::default()
    };
    state.answered(seconds(0.2), charge, &rate_limits, None);
    assert_eq!(burst(&mut state, 0.3).len(), 4);
}

fn any_headers() -> impl Strategy<Value = RateLimits> {
    let number = || prop::option::of(prop_oneof![0u64..40, 4_000u64..6_000, any::<u64>()]);
    let wait =
        || prop::option::of(prop_oneof![0u64..100, any::<u64>()].prop_map(Duration::from_secs));
    (
        number(),
        number(),
        number(),
        number(),
        wait(),
        wait(),
        wait(),
    )
        .prop_map(
            |(limit_requests, limit_tokens, remaining_requests, remaining_tokens, a, b, c)| {
                RateLimits {
                    limit_requests,
                    limit_tokens,
                    remaining_requests,
                    remaining_tokens,
                    reset_requests: a,
                    reset_tokens: b,
                    retry_after: c,
                }
            },
        )
}

proptest! {
    /// Whatever a service answers, a given quota is kept in every interval of time, and no
    /// request waits much longer than the longest wait.
    #[test]
    fn whatever_is_said_the_quota_is_kept_and_nothing_stalls(
        news in prop::collection::vec((any_headers(), 0u8..10, 0u64..3_000), 1..60),
        ramp in any::<bool>(),
        known in any::<bool>(),
    ) {
        let mut state = if known { given(5_000, 30) } else { State::new(Limits::default(), ramp) };
        let mut now = Duration::from_secs(120);
        let mut sent = Vec::new();
        for (rate_limits, kind, pause) in news {
            let asked = now;
            let charge = loop {
                match state.decide(now, COST) {
                    Decision::Go(charge) => break Some(charge),
                    Decision::Wait(Wait { until: Some(until), .. }) => {
                        prop_assert!(until > now);
                        prop_assert!(until < asked + Duration::from_secs(600), "{:?}", state);
                        now = until;
                    }
                    Decision::Wait(Wait { until: None, .. }) => prop_assert!(false, "nothing is under way"),
                    Decision::Never { .. } => break None,
                }
            };
            let Some(charge) = charge else {
                prop_assert!(!known);
                return Ok(());
            };
            sent.push(now);
            now += Duration::from_millis(pause);
            match kind {
                0 => state.failed(now, charge, &rate_limits),
                1 => state.dropped(),
                2 => drop(state.refused(now, charge, &rate_limits)),
                _ => state.answered(now, charge, &rate_limits, None),
            }
        }
        if known {
            for start in &sent {
                let within = |length| sent.iter().filter(|at| *at >= start && **at < *start + length).count();
                prop_assert!(within(TEN_SECONDS) <= 5);
                prop_assert!(within(MINUTE) <= 30);
            }
        }
    }
}
