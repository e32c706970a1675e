use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::secret::Secret;

/// Gives tokens of so many seconds, each after a while, and fails in between.
struct Entra {
    lifetime: u64,
    takes: Duration,
    issued: AtomicU64,
    fails: fn(u64) -> Option<Retry>,
}

impl Issuer for Entra {
    async fn issue(&self) -> Result<AccessToken, Failed> {
        let number = self.issued.fetch_add(1, Ordering::SeqCst);
        let asked = Instant::now();
        tokio::time::sleep(self.takes).await;
        match (self.fails)(number) {
            Some(retry) => Err((Error::new(ErrorKind::Authentication, "no"), retry)),
            None => Ok(AccessToken::new(
                Secret::new(number.to_string()),
                asked,
                Duration::from_secs(self.lifetime),
            )),
        }
    }
}

fn entra(lifetime: u64, fails: fn(u64) -> Option<Retry>) -> TokenCache<Entra> {
    let issuer = Entra {
        lifetime,
        takes: Duration::from_secs(2),
        issued: AtomicU64::new(0),
        fails,
    };
    TokenCache::new(issuer, |_| {})
}

fn count(cache: &TokenCache<Entra>) -> u64 {
    cache.issuer.issued.load(Ordering::SeqCst)
}

fn number(held: &HeldToken) -> &str {
    held.token.secret.expose()
}

/// An hour of rows, eight side by side every 48 seconds: no row is given a token that has
/// ended, and each token is one sign-in.
async fn an_hour(cache: &TokenCache<Entra>) -> Vec<HeldToken> {
    let mut tokens = Vec::new();
    for _ in 0..75 {
        let eight = tokio::join!(
            cache.current(),
            cache.current(),
            cache.current(),
            cache.current(),
            cache.current(),
            cache.current(),
            cache.current(),
            cache.current(),
        );
        for held in [
            eight.0, eight.1, eight.2, eight.3, eight.4, eight.5, eight.6, eight.7,
        ] {
            let held = held.unwrap();
            assert_ne!(held.token.validity(Instant::now()), Validity::Ended);
            cache.accepted(&held);
            tokens.push(held);
        }
        tokio::time::sleep(Duration::from_secs(48)).await;
    }
    tokens
}

#[tokio::test(start_paused = true)]
async fn six_hundred_rows_of_an_hour_take_one_sign_in_for_each_token_of_ten_minutes() {
    let cache = entra(600, |_| None);
    let tokens = an_hour(&cache).await;
    assert_eq!(tokens.len(), 600);
    // Renewed in the middle of its ten minutes, or as soon after as a row comes.
    assert!((6..=12).contains(&count(&cache)), "{}", count(&cache));
    let last = tokens.last().map(number).unwrap();
    assert_eq!(last, (count(&cache) - 1).to_string());
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_while_the_old_token_holds_fails_no_row() {
    // Every second sign-in fails; a token is due for five minutes before it ends.
    let cache = entra(600, |number| (number % 2 == 1).then_some(Retry::NO));
    assert_eq!(an_hour(&cache).await.len(), 600);
    assert!(count(&cache) <= 2 * 12, "{}", count(&cache));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_same_sign_in_meets_the_same_error() {
    let cache = entra(600, |_| Some(Retry::YES));
    let both = tokio::join!(cache.current(), cache.current());
    assert!(both.0.is_err() && both.1.is_err());
    assert_eq!(count(&cache), 1);
    // What may pass is tried again by who comes later.
    assert!(cache.current().await.is_err());
    assert_eq!(count(&cache), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_sign_in_is_not_tried_again_at_once() {
    let cache = entra(600, |number| (number == 0).then_some(Retry::NO));
    assert!(cache.current().await.is_err());
    assert!(cache.current().await.is_err());
    assert_eq!(count(&cache), 1);
    tokio::time::sleep(BETWEEN_TRIES).await;
    assert!(cache.current().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_replaced_once() {
    let cache = entra(3600, |_| None);
    let first = cache.current().await.unwrap();
    // Two rows were refused with it: one fetches, both go on with the new one.
    let both = tokio::join!(cache.after_rejection(&first), cache.after_rejection(&first));
    let [second, also] = [both.0, both.1].map(|held| held.unwrap().unwrap());
    assert_eq!((number(&second), number(&also)), ("1", "1"));
    // The new one is refused, too: it is not the token.
    assert!(cache.after_rejection(&second).await.unwrap().is_none());
    assert_eq!(count(&cache), 2);
    // One that was taken before may have been revoked.
    cache.accepted(&second);
    assert!(cache.after_rejection(&second).await.unwrap().is_some());
}

/// Sign-ins fail between these two, not counting the first.
fn refused_in(from: u64, to: u64) -> impl Fn(u64) -> Option<Retry> {
    move |number| (from..to).contains(&number).then_some(Retry::NO)
}

#[tokio::test(start_paused = true)]
async fn rows_wait_while_a_renewal_that_is_refused_is_tried_again() {
    for is_rejected in [true, false] {
        let cache = entra(60, |number| refused_in(1, 4)(number));
        let first = cache.current().await.unwrap();
        cache.accepted(&first);
        let (one, two) = match is_rejected {
            true => {
                let both =
                    tokio::join!(cache.after_rejection(&first), cache.after_rejection(&first));
                (both.0.unwrap().unwrap(), both.1.unwrap().unwrap())
            }
            false => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                let both = tokio::join!(cache.current(), cache.current());
                (both.0.unwrap(), both.1.unwrap())
            }
        };
        assert_eq!((number(&one), number(&two)), ("4", "4"));
        assert_eq!(count(&cache), 5);
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_is_refused_for_good_fails_all_rows_with_its_own_error() {
    let cache = entra(3600, |number| refused_in(1, u64::MAX)(number));
    let first = cache.current().await.unwrap();
    cache.accepted(&first);
    let started = Instant::now();
    let both = tokio::join!(cache.after_rejection(&first), cache.after_rejection(&first));
    for failed in [both.0, both.1] {
        assert_eq!(failed.map(drop).unwrap_err().0.message(), "no");
    }
    let waited = started.elapsed();
    assert!(
        waited > TIMEOUT - 2 * LAST_TRY && waited <= TIMEOUT,
        "{waited:?}"
    );
    // The rejected token is not sent again, and no row waits as long as the first.
    let tries = count(&cache);
    assert!(cache.current().await.is_err());
    assert!(cache.after_rejection(&first).await.is_err());
    assert_eq!(count(&cache), tries);
    tokio::time::sleep(BETWEEN_TRIES).await;
    let started = Instant::now();
    assert!(cache.current().await.is_err());
    assert_eq!(started.elapsed(), Duration::from_secs(2), "one more try");
}

/// Answers at once the first time, then so late that no row waits for it.
async fn silent_after_the_first() -> (TokenCache<Entra>, HeldToken) {
    let cache = entra(3600, |_| None);
    let first = cache.current().await.unwrap();
    cache.accepted(&first);
    let issuer = Entra {
        takes: Duration::from_secs(91),
        fails: |_| Some(Retry::YES),
        ..cache.issuer
    };
    (TokenCache { issuer, ..cache }, first)
}

#[tokio::test(start_paused = true)]
async fn a_renewal_without_an_answer_takes_no_longer_than_one_that_is_refused() {
    let (cache, first) = silent_after_the_first().await;
    let started = Instant::now();
    let both = tokio::join!(cache.after_rejection(&first), cache.after_rejection(&first));
    for failed in [both.0, both.1] {
        assert_eq!(failed.map(drop).unwrap_err().0.message(), "no");
    }
    assert_eq!(started.elapsed(), TIMEOUT);
    // Rows that come later do not wait as long again.
    tokio::time::sleep(BETWEEN_TRIES).await;
    let started = Instant::now();
    assert!(cache.current().await.is_err());
    assert_eq!(started.elapsed(), BETWEEN_TRIES);
}

#[tokio::test(start_paused = true)]
async fn a_row_that_is_stopped_while_it_waits_for_a_renewal_leaves_the_next_its_time() {
    let (cache, first) = silent_after_the_first().await;
    let stopped = cache.after_rejection(&first);
    let stopped = tokio::time::timeout(Duration::from_secs(60), stopped).await;
    assert!(stopped.is_err());
    let started = Instant::now();
    assert!(cache.after_rejection(&first).await.is_err());
    assert_eq!(started.elapsed(), TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn a_row_that_is_stopped_while_it_signs_in_leaves_the_way_free() {
    let cache = entra(600, |_| None);
    let stopped = tokio::time::timeout(Duration::from_secs(1), cache.current()).await;
    assert!(stopped.is_err());
    assert!(cache.current().await.is_ok());
}
