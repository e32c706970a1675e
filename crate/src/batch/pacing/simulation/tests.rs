//! What a user would notice: no refusal, the shortest possible time, nothing stalls.

use proptest::prelude::*;

use super::service::{Rounding, Windows};
use super::*;

const WINDOWS: [Windows; 5] = [
    Windows::Opened,
    Windows::Sliding,
    Windows::Aligned(0.0),
    Windows::Aligned(3.7),
    Windows::Aligned(9.95),
];

/// The lab's batch against services of all kinds, asked by so many at once.
fn labs(headers: Headers, given: bool) -> impl Iterator<Item = Simulation> {
    let kinds = WINDOWS
        .into_iter()
        .flat_map(|windows| [1, 8, 64].map(|concurrency| (windows, concurrency)));
    kinds.flat_map(move |(windows, concurrency)| {
        [Rounding::Up, Rounding::Down].map(|rounding| {
            let mut lab = Simulation::lab();
            lab.headers = headers;
            lab.service.windows = windows;
            lab.service.rounding = rounding;
            lab.concurrency = concurrency;
            if !given {
                lab.given = Limits::default();
            }
            lab
        })
    })
}

fn assert_perfect(simulation: Simulation) {
    let told = format!("{simulation:?}");
    // One request after the other takes the answers' time in each window.
    let sequential = if simulation.concurrency == 1 {
        5.0 * 0.24
    } else {
        0.0
    };
    let most = 1.03 * simulation.floor() + sequential;
    let outcome = simulation.run();
    assert_eq!(outcome.answered, 40, "{told}");
    assert_eq!(outcome.refused, 0, "{told}");
    assert!(outcome.wall <= most, "{} of {most} s, {told}", outcome.wall);
}

#[test]
fn a_given_quota_is_filled_whatever_the_headers_say() {
    for headers in Headers::ALL {
        labs(headers, true).for_each(assert_perfect);
    }
}

#[test]
fn a_quota_is_learnt_from_headers() {
    let true_ones = [
        Headers::Right,
        Headers::OnlyLeft,
        Headers::TenSeconds,
        Headers::AlwaysZero,
        Headers::AlwaysFull,
        Headers::ResetPast,
    ];
    for headers in true_ones {
        labs(headers, false).for_each(assert_perfect);
    }
}

#[test]
fn without_quota_and_headers_it_is_learnt_from_refusals() {
    for headers in [
        Headers::Missing,
        Headers::Silent,
        Headers::Nonsense,
        Headers::TooMuch,
    ] {
        for simulation in labs(headers, false) {
            let told = format!("{simulation:?}");
            let (floor, concurrency) = (simulation.floor(), simulation.concurrency);
            let outcome = simulation.run();
            assert_eq!(outcome.answered, 40, "{told}");
            assert!(outcome.wall < 2.2 * floor, "{} s, {told}", outcome.wall);
            // Those that were under way with the first refusal, and a few to find the rate.
            assert!(
                outcome.refused <= concurrency.min(40) + 10,
                "{}, {told}",
                outcome.refused
            );
        }
    }
}

#[test]
fn a_service_that_counts_over_seconds_is_found_out() {
    for windows in WINDOWS {
        let mut lab = Simulation::lab();
        lab.service.windows = windows;
        lab.service.burst = 1.0;
        lab.rows = 200;
        let floor = lab.floor();
        let outcome = lab.run();
        assert_eq!(outcome.answered, 200);
        assert!(outcome.refused <= 8, "{windows:?} {outcome:?}");
        assert!(outcome.wall < 1.1 * floor, "{windows:?} {outcome:?}");
    }
}

/// 300 rows while another client takes half of the quota, irregularly: the outcomes with
/// services of all kinds.
fn contested(headers: Headers, given: bool, seed: u64) -> impl Iterator<Item = Outcome> {
    let labs = labs(headers, given)
        .filter(|lab| lab.concurrency < 64 && lab.service.rounding == Rounding::Up);
    labs.map(move |mut lab| {
        lab.rows = 300;
        lab.seed = seed;
        lab.others = Some(Others {
            every: 4.0,
            tokens: 115,
            spread: 0.5,
        });
        let outcome = lab.run();
        assert_eq!(outcome.answered, 300);
        // 15 of its 30 requests a minute are left: 1,200 s are the shortest time.
        assert!(outcome.wall <= 2.5 * 1_200.0, "{headers:?} {outcome:?}");
        outcome
    })
}

#[test]
fn another_client_of_half_the_quota_brings_few_refusals() {
    for seed in 0..3 {
        for given in [true, false] {
            for outcome in contested(Headers::Right, given, seed) {
                assert!(outcome.refused <= 6, "more than 2 in 100: {outcome:?}");
            }
        }
    }
}

#[test]
fn another_client_that_headers_show_badly_or_not_at_all_stalls_nothing() {
    let headers = [
        Headers::Missing,
        Headers::OnlyLeft,
        Headers::TenSeconds,
        Headers::AlwaysZero,
    ];
    for headers in headers {
        for outcome in contested(headers, true, 1) {
            assert!(outcome.refused <= 15, "more than 5 in 100: {outcome:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the quota and the requests, a given quota is filled and never exceeded.
    #[test]
    fn any_quota_is_filled(
        tpm in 1_000u64..200_000,
        rpm in 1u64..100,
        max_tokens in 1u64..900,
        prompt_bytes in 0u64..400,
        rows in 1usize..150,
        concurrency in 1usize..80,
        windows in prop::sample::select(WINDOWS.to_vec()),
        headers in prop::sample::select(Headers::ALL.to_vec()),
        seed in any::<u64>(),
    ) {
        let mut lab = Simulation::lab();
        lab.given = Limits { tokens: Some(tpm), requests: Some(rpm) };
        lab.service = Service::new(tpm, rpm);
        lab.service.windows = windows;
        lab.service.rounding = Rounding::Down;
        lab.cost.max_tokens = Some(max_tokens);
        lab.cost.prompt_bytes = prompt_bytes;
        lab.headers = headers;
        lab.rows = rows;
        lab.concurrency = concurrency;
        lab.seed = seed;
        let charge = lab.service.charge(lab.cost) + 8;
        prop_assume!(charge <= tpm);
        // Full minutes, and in the last one bursts. The guess may be a little above the charge,
        // and then a minute holds one less.
        let burst = (rpm as usize / 6).max(1);
        let in_minute = ((tpm / charge).min(rpm) as usize).min(6 * burst);
        let minutes = (rows - 1) / in_minute;
        let bursts = (rows - minutes * in_minute - 1) / burst;
        let floor = 60.0 * minutes as f64 + 10.0 * bursts as f64;
        let answers = 0.24 * rows as f64 / concurrency as f64;
        let most = 1.03 * floor + answers + 1.0;
        let outcome = lab.run();
        prop_assert_eq!(outcome.refused, 0);
        prop_assert!(outcome.wall <= most, "{} of {} s", outcome.wall, most);
    }
}
