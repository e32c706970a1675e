//! Tests of the shell around the state: waiting, order, stopping, sharing. They use Tokio's
//! paused time, which advances when everything waits.

use insta::assert_snapshot;
use tokio::runtime::Builder;
use tokio::time::timeout;

use super::*;

pub(super) const COST: Cost = Cost {
    prompt_bytes: 60,
    messages: 2,
    images: 0,
    max_tokens: Some(100),
    n: 1,
};

fn paused<F: Future>(future: F) -> F::Output {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(future)
}

fn limiter(quota: &Quota) -> Arc<RateLimiter> {
    let limiter = Arc::new(RateLimiter::new());
    limiter.give(quota, None);
    limiter
}

async fn ask_once(limiter: &Arc<RateLimiter>, rate_limits: &RateLimits) {
    let permit = limiter.admit(COST).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    permit.answered(rate_limits, None);
}

#[test]
fn a_quota_is_filled_at_the_beginning_of_its_windows() {
    paused(async {
        let limiter = limiter(&Quota::tpm(5_000));
        let started = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..40 {
            let limiter = Arc::clone(&limiter);
            tasks.spawn(async move { ask_once(&limiter, &RateLimits::default()).await });
        }
        tasks.join_all().await;
        let seconds = started.elapsed().as_secs_f64();
        assert!((70.2..70.2 * 1.03).contains(&seconds), "{seconds}");
        let waited = limiter.status().waited.as_secs_f64();
        assert!((69.0..72.0).contains(&waited), "{waited}");
    });
}

#[test]
fn requests_go_in_the_order_of_asking() {
    paused(async {
        let limiter = limiter(&Quota::rpm(6));
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = tokio::task::JoinSet::new();
        for row in 0..20 {
            let (limiter, order) = (Arc::clone(&limiter), Arc::clone(&order));
            tasks.spawn(async move {
                ask_once(&limiter, &RateLimits::default()).await;
                order.lock().unwrap().push(row);
            });
            tokio::task::yield_now().await;
        }
        tasks.join_all().await;
        assert!(order.lock().unwrap().is_sorted());
    });
}

#[test]
fn what_stops_waiting_charges_nothing() {
    paused(async {
        let limiter = limiter(&Quota::rpm(6));
        let started = Instant::now();
        ask_once(&limiter, &RateLimits::default()).await;
        for _ in 0..100 {
            let waiting = timeout(Duration::from_millis(10), limiter.admit(COST));
            assert!(waiting.await.is_err());
        }
        assert_eq!(limiter.status().cause, None);
        ask_once(&limiter, &RateLimits::default()).await;
        let seconds = started.elapsed().as_secs_f64();
        assert!((10.2..10.4).contains(&seconds), "{seconds}");
    });
}

#[test]
fn a_dropped_permit_lets_the_next_one_go() {
    paused(async {
        let limiter = Arc::new(RateLimiter::new());
        let first = limiter.admit(COST).await.unwrap();
        let alone = timeout(Duration::from_secs(9), limiter.admit(COST));
        assert!(alone.await.is_err(), "nothing is known yet");
        drop(first);
        timeout(Duration::from_secs(1), limiter.admit(COST))
            .await
            .unwrap()
            .unwrap()
            .answered(&RateLimits::default(), None);
    });
}

#[test]
fn without_headers_only_the_first_request_is_waited_for() {
    paused(async {
        let limiter = Arc::new(RateLimiter::new());
        ask_once(&limiter, &RateLimits::default()).await;
        let started = Instant::now();
        for _ in 0..1_000 {
            drop(limiter.admit(COST).await.unwrap());
        }
        assert_eq!(started.elapsed(), Duration::ZERO);
    });
}

#[test]
fn a_request_larger_than_the_quota_fails_at_once() {
    paused(async {
        let limiter = limiter(&Quota::tpm(5_000));
        let cost = Cost {
            max_tokens: Some(3_000),
            n: 2,
            ..COST
        };
        let error = limiter.admit(cost).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
        assert_snapshot!(error, @r"
        the request would be charged about 6,023 tokens, more than the quota of 5,000 a minute, and could never pass
          hint: shorten the prompt, lower max_tokens, or raise the deployment's quota
        ");
    });
}

#[test]
fn a_rejection_stops_the_whole_deployment_and_is_told() {
    paused(async {
        let limiter = limiter(&Quota::tpm(5_000));
        let rate_limits = RateLimits {
            retry_after: Some(Duration::from_secs(86_400)),
            ..RateLimits::default()
        };
        limiter.admit(COST).await.unwrap().refused(&rate_limits);
        let started = Instant::now();
        let waiting = Arc::clone(&limiter);
        let other = tokio::spawn(async move { waiting.admit(COST).await.unwrap() });
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_snapshot!(limiter.status(), @"the service asks to wait 86,400 s; trying again in 61 s");
        let probe = other.await.unwrap();
        let seconds = started.elapsed().as_secs_f64();
        assert!((60.0..60.5).contains(&seconds), "{seconds}");
        assert_snapshot!(limiter.take_notes().join("; "), @"the service asked to wait up to 86,400 s; a batch asks again after 60 s");
        assert!(limiter.take_notes().is_empty());
        // Sent alone, until its answer arrives.
        assert!(
            timeout(Duration::from_secs(9), limiter.admit(COST))
                .await
                .is_err()
        );
        probe.answered(&RateLimits::default(), None);
        assert!(
            timeout(Duration::from_secs(1), limiter.admit(COST))
                .await
                .is_ok()
        );
    });
}

#[test]
fn a_row_that_waits_alone_tells_what_the_service_asked_for() {
    paused(async {
        let limiter = limiter(&Quota::tpm(5_000));
        let rate_limits = RateLimits {
            retry_after: Some(Duration::from_secs(40_000)),
            ..RateLimits::default()
        };
        let wait = limiter.admit(COST).await.unwrap().refused(&rate_limits);
        let resting = Arc::clone(&limiter);
        let row = tokio::spawn(async move { resting.rest(wait).await });
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_snapshot!(limiter.status(), @"the service asks to wait 40,000 s; trying again in 60 s");
        row.await.unwrap();
    });
}

#[test]
fn a_deployment_has_one_limiter_and_the_last_quota_counts() {
    let of = |deployment, quota: Option<Quota>| {
        RateLimiter::for_deployment("one.example", deployment, quota.as_ref(), true).unwrap()
    };
    let first = of("a", Some(Quota::tpm(5_000)));
    assert!(Arc::ptr_eq(&first, &of("a", None)));
    assert!(!Arc::ptr_eq(&first, &of("b", None)));
    assert!(!first.is_unlimited());
    of("a", Some(Quota::unlimited()));
    assert!(first.is_unlimited());
    of("a", Some(Quota::rpm(1)));
    assert!(!first.is_unlimited());
    assert!(RateLimiter::for_deployment("one.example", "a", Some(&Quota::tpm(0)), true).is_err());
}

#[test]
fn a_failure_that_is_not_the_quota_stops_nobody() {
    paused(async {
        let limiter = Arc::new(RateLimiter::new());
        let first = limiter.admit(COST).await.unwrap();
        first.failed(&RateLimits::default());
        let next = timeout(Duration::from_secs(1), async {
            let one = limiter.admit(COST).await.unwrap();
            let two = limiter.admit(COST).await.unwrap();
            (one, two)
        });
        assert!(next.await.is_ok());
    });
}

#[test]
fn without_limits_nothing_waits() {
    paused(async {
        let limiter = limiter(&Quota::unlimited());
        for _ in 0..1_000 {
            let permit = limiter.admit(COST).await.unwrap();
            permit.refused(&RateLimits::default());
        }
        assert_eq!(limiter.status().waited, Duration::ZERO);
    });
}

#[test]
fn whoever_keeps_the_shared_file_locked_is_told_of_and_then_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quota");
    let shared_state = SharedState::open(&path, "host", "gpt").unwrap();
    let held = std::fs::File::open(&path).unwrap();
    held.lock().unwrap();
    paused(async {
        let limiter = Arc::new(RateLimiter::new());
        limiter.give(&Quota::tpm(5_000), Some(shared_state));
        let asking = tokio::spawn({
            let limiter = Arc::clone(&limiter);
            async move {
                limiter
                    .admit(COST)
                    .await
                    .map(|permit| permit.failed(&RateLimits::default()))
            }
        });
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(limiter.status().to_string(), "");
        tokio::time::sleep(Duration::from_secs(10)).await;
        let reported = limiter.status().to_string();
        assert!(
            reported.starts_with("waits for ") && reported.contains("quota"),
            "{reported}"
        );
        assert!(!asking.is_finished());
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(asking.is_finished());
        assert_eq!(limiter.status().to_string(), "");
        asking.await.unwrap().unwrap();
    });
}

#[test]
fn numbers_that_nobody_can_mean_stop_nothing() {
    paused(async {
        for quota in [
            Quota::tpm(1_000_000_000_000_000_000),
            Quota::tpm(u64::MAX).with_rpm(u64::MAX),
        ] {
            let limiter = limiter(&quota);
            for left in [0, 1, 4_000, 1 << 33, u64::MAX, 7] {
                let rate_limits = RateLimits {
                    remaining_tokens: Some(left),
                    remaining_requests: Some(left),
                    reset_tokens: Some(Duration::MAX),
                    ..RateLimits::default()
                };
                let permit = timeout(Duration::from_secs(600), limiter.admit(COST)).await;
                let usage: Usage = Usage {
                    prompt_tokens: left,
                    completion_tokens: left,
                    total_tokens: left,
                    ..Usage::default()
                };
                permit
                    .unwrap()
                    .unwrap()
                    .answered(&rate_limits, Some(&usage));
            }
        }
    });
}
