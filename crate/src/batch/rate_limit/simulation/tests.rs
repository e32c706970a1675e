//! Tests of what a user would notice: no rejections, the shortest possible time, no stalls.

use proptest::prelude::*;

use super::competing_client::Pattern;
use super::service::{Rounding, Windows};
use super::*;

const WINDOWS: [Windows; 5] = [
    Windows::Opened,
    Windows::Sliding,
    Windows::Aligned(0.0),
    Windows::Aligned(3.7),
    Windows::Aligned(9.95),
];

/// A batch against services of all kinds, with this concurrency.
fn simulations(headers: Headers, given: bool) -> impl Iterator<Item = Simulation> {
    let kinds = WINDOWS
        .into_iter()
        .flat_map(|windows| [1, 8, 64].map(|concurrency| (windows, concurrency)));
    kinds.flat_map(move |(windows, concurrency)| {
        [Rounding::Up, Rounding::Down].map(|rounding| {
            let mut simulation = Simulation::forty_prompts();
            simulation.headers = headers;
            simulation.service.windows = windows;
            simulation.service.rounding = rounding;
            simulation.concurrency = concurrency;
            if !given {
                simulation.given = Limits::default();
            }
            simulation
        })
    })
}

fn assert_perfect(simulation: Simulation) {
    let case = format!("{simulation:?}");
    // Without concurrency, each window also takes the time of its answers.
    let sequential = if simulation.concurrency == 1 {
        5.0 * 0.24
    } else {
        0.0
    };
    let most = 1.03 * simulation.floor() + sequential;
    let outcome = simulation.run();
    assert_eq!(outcome.answered, 40, "{case}");
    assert_eq!(outcome.refused.len(), 0, "{case}");
    assert!(outcome.wall <= most, "{} of {most} s, {case}", outcome.wall);
}

#[test]
fn a_given_quota_is_filled_whatever_the_headers_say() {
    for headers in Headers::ALL {
        simulations(headers, true).for_each(assert_perfect);
    }
}

#[test]
fn a_quota_is_learned_from_headers() {
    let true_ones = [
        Headers::Right,
        Headers::OnlyLeft,
        Headers::TenSeconds,
        Headers::AlwaysZero,
        Headers::AlwaysFull,
        Headers::ResetPast,
    ];
    for headers in true_ones {
        simulations(headers, false).for_each(assert_perfect);
    }
}

#[test]
fn without_quota_and_headers_it_is_learned_from_rejections() {
    for headers in [
        Headers::Missing,
        Headers::Silent,
        Headers::Nonsense,
        Headers::TooMuch,
    ] {
        for simulation in simulations(headers, false) {
            let case = format!("{simulation:?}");
            let (floor, concurrency) = (simulation.floor(), simulation.concurrency);
            let outcome = simulation.run();
            assert_eq!(outcome.answered, 40, "{case}");
            assert!(outcome.wall < 2.2 * floor, "{} s, {case}", outcome.wall);
            // Those that were in flight at the first rejection, a few to find the rate, and a trial
            // that shows whether it is a quota.
            assert!(
                outcome.refused.len() <= concurrency.min(40) + 11,
                "{}, {case}",
                outcome.refused.len()
            );
        }
    }
}

#[test]
fn a_service_that_counts_over_seconds_is_found_out() {
    for windows in WINDOWS {
        let mut simulation = Simulation::forty_prompts();
        simulation.service.windows = windows;
        simulation.service.burst = 1.0;
        simulation.rows = 200;
        let floor = simulation.floor();
        let outcome = simulation.run();
        assert_eq!(outcome.answered, 200);
        assert!(outcome.refused.len() <= 8, "{windows:?} {outcome:?}");
        assert!(outcome.wall < 1.1 * floor, "{windows:?} {outcome:?}");
    }
}

/// The outcomes of 300 rows with services of all kinds, while another client uses half of the
/// quota irregularly.
fn contested(headers: Headers, given: bool, seed: u64) -> impl Iterator<Item = Outcome> {
    let simulations = simulations(headers, given).filter(|simulation| {
        simulation.concurrency < 64 && simulation.service.rounding == Rounding::Up
    });
    simulations.map(move |mut simulation| {
        simulation.rows = 300;
        simulation.seed = seed;
        simulation.competing_client = Some(CompetingClient::new(Pattern::Irregular));
        let outcome = simulation.run();
        assert_eq!(outcome.answered, 300);
        // 15 of 30 requests per minute are left: the shortest time is 1,200 s.
        assert!(outcome.wall <= 2.5 * 1_200.0, "{headers:?} {outcome:?}");
        outcome
    })
}

#[test]
fn another_client_of_half_the_quota_brings_few_rejections() {
    for seed in 0..3 {
        for given in [true, false] {
            for outcome in contested(Headers::Right, given, seed) {
                assert!(
                    outcome.refused.len() <= 6,
                    "more than 2 in 100: {outcome:?}"
                );
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
            assert!(
                outcome.refused.len() <= 12,
                "more than 4 in 100: {outcome:?}"
            );
        }
    }
}

/// The outcomes of many batches next to this client, with all kinds of windows.
fn beside(pattern: Pattern, before: bool, rows: usize, seeds: u64) -> Vec<Outcome> {
    let simulations = WINDOWS.into_iter().flat_map(|windows| {
        (0..seeds).map(move |seed| {
            let mut simulation = Simulation::forty_prompts();
            simulation.service.windows = windows;
            simulation.rows = rows;
            simulation.seed = seed;
            if seed % 2 == 0 {
                simulation.given = Limits::default();
            }
            simulation.competing_client = Some(CompetingClient {
                before,
                ..CompetingClient::new(pattern)
            });
            simulation
        })
    });
    // 15 of the 30 requests per minute are left.
    let floor = 60.0 * rows as f64 / 15.0 - 10.0 + 0.2;
    let outcomes: Vec<_> = simulations.map(Simulation::run).collect();
    for outcome in &outcomes {
        assert_eq!(outcome.answered, rows);
        assert!(outcome.wall <= 1.6 * floor, "{pattern:?} {outcome:?}");
    }
    outcomes
}

fn refused(outcomes: &[Outcome]) -> usize {
    outcomes.iter().map(|outcome| outcome.refused.len()).sum()
}

/// Except for unavoidable rejections: a client that could not be detected sends its first requests
/// between the answer that shows a free window and the arrival of the requests that fill it. Up
/// to that point everything looks as it does without another client, where leaving the window
/// unfilled would take an eighth longer.
#[test]
fn a_paced_competing_client_brings_no_rejection_once_it_was_seen() {
    for (pattern, at_once) in [(Pattern::Steady, 1), (Pattern::Bursts, 3)] {
        for (rows, seeds) in [(40, 20), (300, 4)] {
            for before in [true, false] {
                let outcomes = beside(pattern, before, rows, seeds);
                let worst = outcomes.iter().map(|outcome| outcome.refused.len()).max();
                assert!(worst <= Some(at_once), "{pattern:?} {rows} {before}");
                assert!(refused(&outcomes) * 300 <= outcomes.len() * rows);
            }
        }
    }
}

#[test]
fn a_competing_client_that_comes_again_at_once_is_never_made_to() {
    for windows in WINDOWS {
        let mut simulation = Simulation::forty_prompts();
        simulation.service.windows = windows;
        simulation.competing_client = Some(CompetingClient::new(Pattern::Greedy));
        // A minute that begins with the batch hides a client that was there before.
        if windows != Windows::Aligned(0.0) {
            assert!(simulation.run().refused.is_empty());
        }
    }
}

/// In one interval of ten seconds out of nine, this client sends five requests or more, and
/// whatever else is sent then is refused, even a single request per hour. The headers reveal enough
/// to stay far below that share.
#[test]
fn a_random_competing_client_brings_fewer_rejections_than_chance() {
    let mut outcomes = Vec::new();
    for windows in WINDOWS {
        for seed in 0..10 {
            let mut simulation = Simulation::forty_prompts();
            simulation.service.windows = windows;
            simulation.seed = seed;
            simulation.rows = 100;
            simulation.competing_client = Some(CompetingClient::new(Pattern::Random));
            outcomes.push(simulation.run());
        }
    }
    assert!(refused(&outcomes) * 100 <= outcomes.len() * 3 * 100);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the quota and the requests, a given quota is fully used and never exceeded.
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
        let mut simulation = Simulation::forty_prompts();
        simulation.given = Limits { tokens: Some(tpm), requests: Some(rpm) };
        simulation.service = Service::new(tpm, rpm);
        simulation.service.windows = windows;
        simulation.service.rounding = Rounding::Down;
        simulation.cost.max_tokens = Some(max_tokens);
        simulation.cost.prompt_bytes = prompt_bytes;
        simulation.headers = headers;
        simulation.rows = rows;
        simulation.concurrency = concurrency;
        simulation.seed = seed;
        let charge = simulation.service.charge(simulation.cost) + 8;
        prop_assume!(charge <= tpm);
        // Full minutes, and bursts in the last one. If the estimate is a little above the charge,
        // a minute holds one request less.
        let burst = (rpm as usize / 6).max(1);
        let in_minute = ((tpm / charge).min(rpm) as usize).min(6 * burst);
        let minutes = (rows - 1) / in_minute;
        let bursts = (rows - minutes * in_minute - 1) / burst;
        let floor = 60.0 * minutes as f64 + 10.0 * bursts as f64;
        // One answer after another, and the one to the request that is sent ahead.
        let answers = 0.24 * (rows.div_ceil(concurrency) + 1) as f64;
        let most = 1.03 * floor + answers + 1.5;
        let outcome = simulation.run();
        prop_assert_eq!(outcome.refused.len(), 0);
        prop_assert!(outcome.wall <= most, "{} of {} s", outcome.wall, most);
    }
}
