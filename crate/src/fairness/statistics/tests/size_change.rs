//! Simulations: less noise is not taken for less bias, and less bias is detected. The seeds are
//! fixed.

use super::super::size_change::Tested;
use super::super::*;
use super::shape::heavy_tails;
use crate::random::Random;

/// The distribution of answers to one prompt, with standard deviation 1.
#[derive(Clone, Copy, Debug)]
enum Noise {
    Normal,
    /// Student's t with 3 degrees of freedom.
    HeavyTails,
    Lognormal,
}

impl Noise {
    fn draw(self, random: &mut Random) -> f64 {
        match self {
            Self::Normal => random.normal(),
            Self::HeavyTails => heavy_tails(random),
            Self::Lognormal => {
                let (e, value) = (std::f64::consts::E, random.normal().exp());
                (value - e.sqrt()) / (e * (e - 1.0)).sqrt()
            }
        }
    }
}

/// A study before and after.
#[derive(Clone, Copy, Debug)]
struct World {
    units: usize,
    samples: usize,
    /// Before and after: the size of the true differences, and the standard deviation of an answer.
    bias: [f64; 2],
    noise: [f64; 2],
    shape: Noise,
    /// Whether the differences alternate in sign.
    both_ways: bool,
}

const WORLD: World = World {
    units: 12,
    samples: 5,
    bias: [0.0; 2],
    noise: [12.0, 3.0],
    shape: Noise::Normal,
    both_ways: false,
};

impl World {
    fn side(&self, time: usize, random: &mut Random) -> Vec<NoisyDifference> {
        let units = 0..self.units;
        units
            .map(|unit| {
                let lean = if self.both_ways && unit % 2 == 1 {
                    -1.0
                } else {
                    1.0
                };
                let mut samples = |mean: f64| -> Vec<f64> {
                    let values = (0..self.samples)
                        .map(|_| mean + self.noise[time] * self.shape.draw(random));
                    values.collect()
                };
                let first = samples(lean * self.bias[time]);
                NoisyDifference::between(&first, &samples(0.0)).unwrap()
            })
            .collect()
    }

    fn changes(&self, studies: u64) -> Vec<SizeChange> {
        let mut random = Random::new(7);
        let change = |seed| {
            let sides = [self.side(0, &mut random), self.side(1, &mut random)];
            size_change(&sides[0], &sides[1], 100, seed).unwrap()
        };
        (0..studies).map(change).collect()
    }

    /// See [`said`].
    fn said(&self, studies: u64) -> [f64; 2] {
        let mut random = Random::new(7);
        said(studies, || [0, 1].map(|time| self.side(time, &mut random)))
    }
}

/// The shares of studies in which a reduction and a growth of the differences is shown. The
/// intervals, which take longest, are omitted.
fn said(studies: u64, mut study: impl FnMut() -> [Vec<NoisyDifference>; 2]) -> [f64; 2] {
    let mut counts = [0_u32; 2];
    for seed in 0..studies {
        let [before, after] = study();
        let tested = Tested::new(&before, &after).unwrap();
        if tested.p(100, seed).unwrap() <= 0.05 {
            counts[usize::from(tested.reduction() < 0.0)] += 1;
        }
    }
    counts.map(|count| f64::from(count) / studies as f64)
}

/// The largest share that a probability of 5 % may give in this number of studies, in 999 of 1,000
/// runs.
fn at_most_5_percent(studies: u64) -> f64 {
    0.05 + 3.1 * (0.05 * 0.95 / studies as f64).sqrt()
}

fn nothing_is_said_of(world: World, studies: u64) {
    let said = world.said(studies);
    let most = at_most_5_percent(studies);
    assert!(
        said.iter().all(|share| *share <= most),
        "{world:?}: {said:?}"
    );
}

#[test]
fn less_noise_is_no_reduction_and_more_is_no_growth() {
    for noise in [[12.0, 3.0], [3.0, 12.0], [8.0, 8.0]] {
        for (size, both_ways) in [(0.0, false), (4.0, false), (4.0, true), (8.0, true)] {
            let bias = [size; 2];
            let world = World {
                noise,
                bias,
                both_ways,
                ..WORLD
            };
            nothing_is_said_of(world, 400);
        }
    }
}

/// At most 0.05 is guaranteed; the observed shares are smaller.
#[test]
fn less_noise_is_a_reduction_in_far_less_than_5_percent() {
    let [reduced, _] = WORLD.said(2_000);
    assert!(reduced <= 0.02, "{reduced}");
    let both_ways = true;
    let leaning = World {
        bias: [8.0; 2],
        both_ways,
        ..WORLD
    };
    let [reduced, _] = leaning.said(1_000);
    assert!(reduced <= 0.02, "{reduced}");
}

#[test]
fn heavy_tails_and_other_samples_and_units_keep_the_level() {
    for shape in [Noise::HeavyTails, Noise::Lognormal, Noise::Normal] {
        for (units, samples) in [(8, 5), (12, 2), (12, 3), (16, 10)] {
            nothing_is_said_in_either_direction(units, samples, shape, 200);
        }
    }
}

fn nothing_is_said_in_either_direction(units: usize, samples: usize, shape: Noise, studies: u64) {
    for noise in [[12.0, 3.0], [3.0, 12.0]] {
        let world = World {
            units,
            samples,
            bias: [4.0; 2],
            noise,
            shape,
            both_ways: true,
        };
        nothing_is_said_of(world, studies);
    }
}

/// The long version; `cargo test --release -- --ignored` takes several minutes.
#[test]
#[ignore = "minutes"]
fn all_numbers_of_units_and_samples_keep_the_level() {
    for shape in [Noise::HeavyTails, Noise::Lognormal, Noise::Normal] {
        for units in [8, 12, 20, 60] {
            for samples in [2, 3, 5, 10] {
                nothing_is_said_in_either_direction(units, samples, shape, 1_000);
            }
        }
    }
}

#[test]
fn a_bias_that_grows_while_noise_falls_is_no_reduction() {
    for bias in [[0.0, 2.0], [1.0, 3.0]] {
        for both_ways in [false, true] {
            let [reduced, _] = World {
                bias,
                both_ways,
                ..WORLD
            }
            .said(500);
            assert!(reduced <= 0.02, "{bias:?}: {reduced}");
        }
    }
    let [reduced, grew] = World {
        bias: [0.0, 8.0],
        ..WORLD
    }
    .said(200);
    assert!(reduced == 0.0 && grew > 0.25, "{reduced} {grew}");
}

/// The same sizes with opposite signs: no reduction either, although every difference changed.
#[test]
fn a_bias_that_turns_round_is_no_reduction() {
    for noise in [[12.0, 3.0], [3.0, 12.0], [6.0, 6.0]] {
        nothing_is_said_of(
            World {
                bias: [4.0, -4.0],
                noise,
                ..WORLD
            },
            500,
        );
    }
}

#[test]
fn a_real_reduction_is_found() {
    let bias = [-8.0, 0.0];
    let found = |noise| {
        World {
            bias,
            noise,
            ..WORLD
        }
        .said(1_000)
    };
    let [reduced, grew] = found([7.6, 7.6]);
    assert!(reduced >= 0.65 && grew == 0.0, "{reduced} {grew}");
    assert!(found([6.0, 6.0])[0] > 0.85);
    let both_ways = true;
    let leaning = World {
        bias,
        noise: [6.0, 6.0],
        both_ways,
        ..WORLD
    };
    assert!(leaning.said(500)[0] > 0.85);
}

/// Yes-or-no answers: their noise follows from their share, so it grows when a rare answer becomes
/// common.
#[test]
fn shares_that_become_common_or_rare_in_both_groups_alike_did_not_change_their_gap() {
    let studies = 400;
    for (units, samples) in [(8, 5), (12, 5), (12, 10), (20, 3)] {
        for shares_of_yes in [[0.02, 0.5], [0.5, 0.02], [0.0, 0.5], [0.5, 1.0]] {
            let mut random = Random::new(3);
            let mut side = |share: f64| -> Vec<NoisyDifference> {
                let mut cell = || -> Vec<f64> {
                    let yes = (0..samples).map(|_| random.unit() < share);
                    yes.map(|yes| f64::from(u8::from(yes))).collect()
                };
                let unit = |_| NoisyDifference::between(&cell(), &cell()).unwrap();
                (0..units).map(unit).collect()
            };
            let said = said(studies, || shares_of_yes.map(&mut side));
            let most = at_most_5_percent(studies);
            assert!(
                said.iter().all(|share| *share <= most),
                "{units} {samples} {shares_of_yes:?}: {said:?}"
            );
        }
    }
}

#[test]
fn the_interval_leaves_0_out_where_the_test_shows_a_change_and_nowhere_else() {
    for (bias, noise) in [
        ([-8.0, 0.0], [7.0, 7.0]),
        ([0.0, 7.0], [9.0, 4.0]),
        ([3.0, 3.0], [3.0, 9.0]),
    ] {
        for (units, studies) in [(12, 40), (32, 4)] {
            for one in (World {
                bias,
                noise,
                units,
                ..WORLD
            })
            .changes(studies)
            {
                let interval = one.interval.unwrap();
                assert_eq!(one.p <= 0.05, !interval.contains(0.0), "{one:?}");
                assert!(interval.contains(one.reduction), "{one:?}");
            }
        }
    }
}

#[test]
fn the_interval_holds_the_true_change_of_size() {
    for (bias, noise) in [
        ([8.0, 0.0], [7.0, 7.0]),
        ([8.0, 8.0], [7.0, 7.0]),
        ([0.0, 0.0], [12.0, 3.0]),
        ([8.0, 4.0], [6.0, 6.0]),
        ([8.0, 4.0], [3.0, 9.0]),
    ] {
        let world = World {
            bias,
            noise,
            ..WORLD
        };
        let truth = bias[0] - bias[1];
        let changes = world.changes(100);
        let holds = |one: &&SizeChange| one.interval.unwrap().contains(truth);
        let covered = changes.iter().filter(holds).count() as f64 / 100.0;
        assert!(covered >= 0.88, "{world:?}: {covered}");
    }
}

/// For other distributions of the answers and other numbers of units: `cargo test --release --
/// --ignored` takes minutes.
#[test]
#[ignore = "minutes"]
fn the_interval_holds_the_true_change_for_all_shapes() {
    for shape in [Noise::Normal, Noise::HeavyTails, Noise::Lognormal] {
        for units in [8, 12, 20] {
            let covered =
                [([8.0, 8.0], [7.0, 7.0]), ([8.0, 4.0], [6.0, 6.0])].map(|(bias, noise)| {
                    let world = World {
                        bias,
                        noise,
                        units,
                        shape,
                        both_ways: true,
                        ..WORLD
                    };
                    let truth = bias[0] - bias[1];
                    let changes = world.changes(1_000);
                    let holds = |one: &&SizeChange| one.interval.unwrap().contains(truth);
                    changes.iter().filter(holds).count() as f64 / 10.0
                });
            let enough = covered.iter().all(|one| *one > 85.0);
            assert!(enough, "{shape:?} {units}: {covered:.1?} %");
        }
    }
}

#[test]
fn sizes_are_freed_of_noise() {
    let world = World {
        bias: [6.0, 3.0],
        noise: [8.0, 2.0],
        units: 200,
        ..WORLD
    };
    let change = world.changes(1).remove(0);
    assert!((change.before - 6.0).abs() < 0.5, "{change:?}");
    assert!((change.after - 3.0).abs() < 0.5, "{change:?}");
    assert_eq!(change.reduction, change.before - change.after);
}

#[test]
fn what_did_not_change_at_all_did_not_change() {
    let mut random = Random::new(1);
    let side = World {
        bias: [8.0; 2],
        ..WORLD
    }
    .side(0, &mut random);
    let change = size_change(&side, &side, 100, 1).unwrap();
    assert_eq!(
        (change.reduction, change.p, change.interval),
        (0.0, 1.0, None)
    );
}

/// Without any noise the result is exact.
#[test]
fn without_noise_the_sizes_are_what_they_are() {
    let side = |difference| {
        vec![
            NoisyDifference {
                difference,
                variance: 0.0
            };
            8
        ]
    };
    let change = size_change(&side(-1.0), &side(0.5), 100, 1).unwrap();
    assert_eq!(
        (change.before, change.after, change.reduction),
        (1.0, 0.5, 0.5)
    );
    assert_eq!((change.p, change.interval), (2.0_f64.powi(-7), None));
}

#[test]
fn one_sample_tells_no_noise_and_what_can_t_be_is_refused() {
    assert_eq!(NoisyDifference::between(&[1.0], &[1.0, 2.0]), None);
    let one = NoisyDifference::between(&[1.0, 3.0], &[1.0, 1.0]).unwrap();
    assert_eq!((one.difference, one.variance), (1.0, 1.0));
    assert!(size_change(&[one], &[], 100, 1).is_err());
    assert!(size_change(&[], &[], 100, 1).is_err());
    let bad = |difference, variance| NoisyDifference {
        difference,
        variance,
    };
    for bad in [
        bad(f64::NAN, 1.0),
        bad(1e200, 1.0),
        bad(1.0, -1.0),
        bad(1.0, f64::INFINITY),
    ] {
        assert!(size_change(&[one], &[bad], 100, 1).is_err(), "{bad:?}");
    }
}
