//! A quota that is not reported: what a rejection costs, with and without a quota.

use super::service::Windows;
use super::unrelated::Which;
use super::*;

/// More than any batch here uses in a minute.
const NO_QUOTA: u64 = 1_000_000_000;

/// 2,000 rows, 32 at once, no quota, no headers.
fn open(latency: f64, seed: u64) -> Simulation {
    let mut simulation = Simulation::forty_prompts();
    simulation.given = Limits::default();
    simulation.service = Service::new(NO_QUOTA, NO_QUOTA);
    simulation.headers = Headers::Missing;
    simulation.rows = 2_000;
    simulation.concurrency = 32;
    simulation.latency = latency;
    simulation.jitter = latency / 5.0;
    simulation.seed = seed;
    simulation
}

/// How long a batch takes with these rejections, and how long it takes a client that knows that they
/// are unrelated: each refused row waits as long as the service asks, or a second if it asks for
/// nothing, and no other row waits.
fn beside_ideal(simulation: impl Fn() -> Simulation) -> (Outcome, f64) {
    let mut ideal = simulation();
    ideal.unpaced = true;
    let ideal = ideal.run().wall;
    let outcome = simulation().run();
    assert_eq!(outcome.answered, 2_000);
    (outcome, ideal)
}

fn assert_within(times: f64, concurrency: usize, latency: f64, which: Which, wait: Option<f64>) {
    for seed in 0..2 {
        let (outcome, ideal) = beside_ideal(|| Simulation {
            concurrency,
            unrelated: Some(UnrelatedRejections::new(which, wait)),
            ..open(latency, seed)
        });
        let wall = outcome.wall;
        assert!(
            wall <= times * ideal,
            "{wall} s where {ideal} s would do: {which:?} {wait:?}, {concurrency} at once, \
             {latency} s, seed {seed}"
        );
    }
}

#[test]
fn one_rejection_costs_its_own_wait() {
    for latency in [0.02, 0.05, 0.2, 1.0] {
        for seed in 0..5 {
            let without = open(latency, seed).run().wall;
            let mut simulation = open(latency, seed);
            simulation.unrelated = Some(UnrelatedRejections::new(Which::Nth(50), Some(1.0)));
            let outcome = simulation.run();
            assert_eq!((outcome.answered, outcome.refused.len()), (2_000, 1));
            let most = without + 1.0 + 1.5;
            assert!(outcome.wall <= most, "{} of {most} s", outcome.wall);
        }
    }
}

#[test]
fn rejections_that_come_at_random_concern_their_own_rows() {
    for share in [0.03, 0.1] {
        for latency in [0.02, 0.2] {
            for concurrency in [1, 4, 32] {
                assert_within(2.0, concurrency, latency, Which::Share(share), Some(1.0));
            }
        }
        for concurrency in [2, 8, 32] {
            assert_within(2.0, concurrency, 0.02, Which::Share(share), None);
        }
    }
    for latency in [0.05, 1.0] {
        assert_within(2.0, 32, latency, Which::Share(0.03), Some(1.0));
    }
    // An answer takes longer than the rejections that come meanwhile.
    for latency in [0.2, 1.0] {
        for concurrency in [1, 8, 32] {
            assert_within(1.3, concurrency, latency, Which::Share(0.03), None);
        }
        assert_within(1.3, 32, latency, Which::Share(0.1), None);
    }
}

#[test]
fn a_burst_of_rejections_is_over_when_it_is_over() {
    for until in [1.0, 5.5] {
        for latency in [0.02, 1.0] {
            for concurrency in [8, 32] {
                for wait in [Some(1.0), None] {
                    assert_within(2.0, concurrency, latency, Which::Between(0.5, until), wait);
                }
            }
        }
    }
}

/// More than once, and in any order, so that the first ones look like a quota.
#[test]
fn strays_at_the_beginning_do_not_become_a_limit() {
    const STRAYS: [&[u64]; 2] = [&[14, 21, 27, 36], &[10, 14, 21, 27, 36]];
    for which in STRAYS.map(Which::These) {
        for wait in [Some(1.0), None] {
            for concurrency in [8, 32] {
                assert_within(1.5, concurrency, 0.2, which, wait);
            }
        }
    }
}

/// A batch may be unlucky: many seeds.
#[test]
fn no_batch_is_caught_in_a_guess() {
    for (share, concurrency, latency, times) in [
        (0.03, 8, 0.2, 2.0),
        (0.1, 4, 0.05, 2.0),
        (0.1, 8, 1.0, 2.0),
        (0.2, 8, 0.2, 2.5),
        (0.2, 32, 0.2, 2.0),
    ] {
        for wait in [Some(1.0), None] {
            for seed in 0..20 {
                let (outcome, ideal) = beside_ideal(|| Simulation {
                    concurrency,
                    unrelated: Some(UnrelatedRejections::new(Which::Share(share), wait)),
                    ..open(latency, seed)
                });
                let ratio = outcome.wall / ideal;
                let case = format!("{share} {wait:?}, {concurrency} at once, seed {seed}");
                assert!(ratio <= times, "{ratio} times the ideal: {case}");
            }
        }
    }
}

/// So many rejections of 2,000 rows at most, and the time by the shortest possible.
fn keeps_to(
    tpm: u64,
    windows: Windows,
    headers: Headers,
    concurrency: usize,
    clients: usize,
) -> (usize, f64) {
    let mut worst = (0, 0.0_f64);
    for seed in 0..2 {
        let mut simulation = open(0.2, seed);
        simulation.service = Service::new(tpm, tpm * 6 / 1_000);
        let floor = simulation.floor();
        simulation.service.windows = windows;
        simulation.headers = headers;
        simulation.concurrency = concurrency;
        simulation.clients = clients;
        simulation.rows /= clients;
        let outcome = simulation.run();
        assert_eq!(outcome.answered, 2_000);
        worst = (
            worst.0.max(outcome.refused.len()),
            worst.1.max(outcome.wall / floor),
        );
    }
    worst
}

/// Most of them are the requests that were under way when the first was refused.
#[test]
fn a_quota_of_which_only_rejections_tell_is_found_with_two_of_a_hundred() {
    let aligned = [0.0, 2.5, 5.0, 7.5].map(Windows::Aligned);
    for windows in [Windows::Opened, Windows::Sliding]
        .into_iter()
        .chain(aligned)
    {
        let (refused, time) = keeps_to(5_000, windows, Headers::Missing, 32, 1);
        assert!(refused <= 40, "{refused} of 2,000, {windows:?}");
        assert!(time <= 1.1, "{time}, {windows:?}");
    }
}

/// Tokens alone are counted, over a minute: one window may take more than all requests in flight.
#[test]
fn a_quota_of_a_minute_is_found_at_its_first_rejections() {
    let aligned = [0.0, 2.5, 20.0].map(Windows::Aligned);
    for windows in [Windows::Opened, Windows::Sliding]
        .into_iter()
        .chain(aligned)
    {
        for seed in 0..4 {
            let (refused, time) = of_a_minute(windows, Headers::Missing, seed);
            let case = format!("{refused} refused, {time}, {windows:?}, seed {seed}");
            assert!(refused <= 40 && time <= 1.1, "{case}");
        }
    }
}

/// 2,000 short rows and 5,000 tokens in a minute: how many are refused, and the time by the shortest
/// possible.
fn of_a_minute(windows: Windows, headers: Headers, seed: u64) -> (usize, f64) {
    let mut simulation = open(0.2, seed);
    simulation.service = Service::new(5_000, NO_QUOTA);
    simulation.cost.prompt_bytes = 40;
    simulation.cost.max_tokens = Some(10);
    let floor = simulation.floor();
    simulation.service.windows = windows;
    simulation.headers = headers;
    let outcome = simulation.run();
    assert_eq!(outcome.answered, 2_000);
    (outcome.refused.len(), outcome.wall / floor)
}

/// A second matters where a minute is used up in two.
#[test]
fn a_quota_of_a_minute_is_found_where_waits_are_rounded_up() {
    for windows in [
        Windows::Opened,
        Windows::Sliding,
        Windows::Aligned(0.0),
        Windows::Aligned(20.0),
    ] {
        for seed in 0..4 {
            let (refused, time) = of_a_minute(windows, Headers::WholeSeconds, seed);
            let case = format!("{refused} refused, {time}, {windows:?}, seed {seed}");
            assert!(refused <= 40 && time <= 1.1, "{case}");
        }
    }
}

/// Without a stated wait, a trial in the middle of one that nobody asked for may find a new window.
#[test]
fn a_quota_without_a_word_is_kept_at_the_edge_of_its_windows() {
    for seed in 0..4 {
        let (refused, time) = of_a_minute(Windows::Aligned(2.5), Headers::Silent, seed);
        assert!(
            refused <= 40 && time <= 1.1,
            "{refused} refused, {time}, seed {seed}"
        );
    }
}

/// The rejections of a limit of requests at once look like those of a small quota.
#[test]
fn a_limit_of_requests_at_once_is_found_and_filled() {
    for (most, concurrency) in [(1, 8), (1, 32), (4, 8), (4, 32), (6, 12), (16, 32)] {
        for latency in [0.2, 2.0] {
            for wait in [None, Some(1.0)] {
                for seed in 0..3 {
                    let mut simulation = open(latency, seed);
                    simulation.rows = 400;
                    simulation.concurrency = concurrency;
                    simulation.unrelated =
                        Some(UnrelatedRejections::new(Which::AtOnce(most), wait));
                    let outcome = simulation.run();
                    let ideal = 400.0 / most as f64 * latency;
                    let (refused, wall) = (outcome.refused.len(), outcome.wall);
                    let case = format!("{refused} refused, {wall} s of {ideal} s");
                    let case = format!("{case}: {most} of {concurrency}, {latency} s, {wait:?}");
                    assert_eq!(outcome.answered, 400, "{case}");
                    assert!(refused <= concurrency + 12 && wall <= 1.2 * ideal, "{case}");
                }
            }
        }
    }
}

/// Requests may be a tenth of a second late, so that they arrive in another window than they were sent for.
#[test]
fn a_quota_is_found_where_requests_overtake_one_another() {
    for seed in 0..3 {
        let mut simulation = open(1.0, seed);
        simulation.service = Service::new(5_000, 30);
        simulation.headers = Headers::Missing;
        let floor = simulation.floor();
        let outcome = simulation.run();
        assert_eq!(outcome.answered, 2_000);
        let (refused, time) = (outcome.refused.len(), outcome.wall / floor);
        assert!(refused <= 40 && time <= 1.1, "{refused} refused, {time}");
    }
}

#[test]
fn any_quota_of_which_only_rejections_tell_is_kept_and_filled() {
    for tpm in [1_000, 30_000] {
        for windows in [Windows::Opened, Windows::Sliding] {
            for headers in [Headers::Missing, Headers::Silent] {
                let concurrency = 32;
                let (refused, time) = keeps_to(tpm, windows, headers, concurrency, 1);
                let case = format!("{tpm} {windows:?} {headers:?} {concurrency}");
                assert!(refused <= 120 + concurrency, "{refused} of 2,000, {case}");
                assert!(time <= 1.6, "{time}, {case}");
            }
        }
    }
}

/// Neither knows the quota, nor of the other.
#[test]
fn two_clients_find_their_shares() {
    let (tpm, concurrency) = (5_000, 32);
    for windows in [Windows::Opened, Windows::Sliding] {
        let (refused, time) = keeps_to(tpm, windows, Headers::Missing, concurrency, 2);
        let case = format!("{tpm} {windows:?} {concurrency}");
        assert!(refused <= 120, "{refused} of 2,000, {case}");
        assert!(time <= 2.0, "{time}, {case}");
    }
}

/// The quota allows one request in ten seconds, and neither knows of the other: each has to send one
/// in twenty.
#[test]
fn two_clients_of_a_tiny_quota_do_not_refuse_each_other_all_the_time() {
    for windows in [Windows::Opened, Windows::Aligned(2.5)] {
        let (refused, _) = keeps_to(1_000, windows, Headers::Missing, 32, 2);
        assert!(refused <= 600, "{refused} of 2,000, {windows:?}");
    }
}
