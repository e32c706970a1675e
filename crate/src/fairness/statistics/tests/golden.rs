//! Reference values from SciPy, statsmodels and exhaustive enumeration.

use std::sync::LazyLock;

use serde_json::Value;

use super::super::bootstrap::{Bootstrap, quantile};
use super::super::distribution::crossing;
use super::super::power::power_of;
use super::super::*;
use super::differences;

static GOLDEN: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("statistics.json")).unwrap());

/// The number at a path such as `/paired/mean_diff`.
fn number(path: &str) -> f64 {
    GOLDEN.pointer(path).unwrap().as_f64().unwrap()
}

fn numbers(path: &str) -> Vec<f64> {
    let list = GOLDEN.pointer(path).unwrap().as_array().unwrap();
    list.iter().map(|value| value.as_f64().unwrap()).collect()
}

#[track_caller]
fn agrees(ours: f64, path: &str) {
    let theirs = number(path);
    assert!((ours - theirs).abs() < 1e-9, "{path}: {ours}, not {theirs}");
}

#[track_caller]
fn agree(ours: &[f64], path: &str) {
    let theirs = numbers(path);
    assert_eq!(ours.len(), theirs.len(), "{path}");
    let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-9;
    assert!(
        ours.iter().zip(&theirs).all(close),
        "{path}: {ours:?}, not {theirs:?}"
    );
}

fn ends(interval: Interval) -> [f64; 2] {
    [interval.low, interval.high]
}

fn paired() -> Differences {
    Differences::between(&numbers("/paired/male"), &numbers("/paired/female")).unwrap()
}

#[test]
fn paired_tests() {
    let paired = paired();
    agree(paired.values(), "/paired/diff");
    agrees(paired.mean(), "/paired/mean_diff");
    agrees(paired.d_z().unwrap(), "/paired/cohens_dz");
    let signs = sign_test(&paired);
    agrees(signs.positive as f64, "/paired/sign_test/n_pos");
    agrees(signs.negative as f64, "/paired/sign_test/n_neg");
    agrees(signs.p, "/paired/sign_test/p_two_sided");
    let ranks = wilcoxon(&paired).unwrap();
    agrees(ranks.statistic, "/paired/wilcoxon_exact/statistic");
    agrees(ranks.p, "/paired/wilcoxon_exact/p");
    let flips = sign_flip(&paired, Alternative::TwoSided, 0);
    agrees(
        flips.p,
        "/paired/sign_flip_permutation_exhaustive/p_two_sided",
    );
    let t = paired_t(&paired).unwrap();
    agrees(t.t, "/paired/paired_t/t");
    agrees(t.p, "/paired/paired_t/p");
}

#[test]
fn before_and_after() {
    let gaps = |name: &str| numbers(&format!("/before_after/abs_gap_{name}"));
    let reduction = Differences::between(&gaps("before"), &gaps("after")).unwrap();
    agree(reduction.values(), "/before_after/reduction");
    agrees(reduction.mean(), "/before_after/mean_reduction");
    let greater = sign_flip(&reduction, Alternative::Greater, 0);
    agrees(greater.p, "/before_after/sign_flip_p_one_sided_greater");
    let either = sign_flip(&reduction, Alternative::TwoSided, 0);
    agrees(either.p, "/before_after/sign_flip_p_two_sided");
    let ranks = wilcoxon(&reduction).unwrap();
    agrees(ranks.p, "/before_after/wilcoxon_exact_two_sided");
    agrees(sign_test(&reduction).p, "/before_after/sign_test_two_sided");
}

#[test]
fn cliffs_delta() {
    let compared = dominance(&numbers("/cliffs_delta/x"), &numbers("/cliffs_delta/y")).unwrap();
    agrees(compared.greater as f64, "/cliffs_delta/greater");
    agrees(compared.less as f64, "/cliffs_delta/less");
    agrees(compared.delta(), "/cliffs_delta/delta");
    agrees(compared.delta(), "/cliffs_delta/from_U");
    agrees(compared.u(), "/cliffs_delta/mannwhitney_U");
    let p = mann_whitney(&numbers("/cliffs_delta/x"), &numbers("/cliffs_delta/y")).unwrap();
    agrees(p, "/cliffs_delta/mannwhitney_exact_p");
}

#[test]
fn mann_whitneys_test_with_and_without_ties() {
    for name in ["mann_whitney", "mann_whitney_ties"] {
        let at = |what: &str| format!("/unpaired/{name}/{what}");
        let (x, y) = (numbers(&at("x")), numbers(&at("y")));
        agrees(dominance(&x, &y).unwrap().u(), &at("u"));
        agrees(mann_whitney(&x, &y).unwrap(), &at("p"));
        agrees(mann_whitney(&y, &x).unwrap(), &at("p"));
    }
}

/// All 5^5 resamples of five differences, so that the result is exact.
#[test]
fn bootstrap_of_all_resamples() {
    let sample = differences(&numbers("/bootstrap_exhaustive_n5/x"));
    let values = sample.values();
    let digits = |resample: u32| (0..5).map(move |digit| resample / 5_u32.pow(digit) % 5);
    let mean = |resample| {
        digits(resample)
            .map(|digit| values[digit as usize])
            .sum::<f64>()
            / 5.0
    };
    let bootstrap = Bootstrap::of_means(&sample, (0..3125).map(mean).collect());
    agrees(bootstrap.bias(), "/bootstrap_exhaustive_n5/z0_midrank");
    agrees(
        bootstrap.acceleration,
        "/bootstrap_exhaustive_n5/acceleration",
    );
    agree(
        &ends(bootstrap.percentile(0.95).unwrap()),
        "/bootstrap_exhaustive_n5/percentile95",
    );
    agree(
        &ends(bootstrap.bca(0.95).unwrap()),
        "/bootstrap_exhaustive_n5/bca95",
    );
    // SciPy's 200,000 random resamples give the same ends.
    let scipy = "/bootstrap_exhaustive_n5/scipy_mc_200k";
    let drawn = Bootstrap::of_units(&sample, 200_000, 1).unwrap();
    agree(
        &ends(drawn.percentile(0.95).unwrap()),
        &format!("{scipy}/percentile95"),
    );
    agree(&ends(drawn.bca(0.95).unwrap()), &format!("{scipy}/bca95"));
}

#[test]
fn rates() {
    let counts = PairedCounts {
        both: 12,
        first_only: 1,
        second_only: 7,
        neither: 10,
    };
    agrees(counts.mcnemar(), "/mcnemar_exact/p");
    let (nine, three) = (
        Proportion::new(9, 10).unwrap(),
        Proportion::new(3, 10).unwrap(),
    );
    agree(&ends(nine.wilson(0.95).unwrap()), "/proportions/wilson/0");
    agree(&ends(three.wilson(0.95).unwrap()), "/proportions/wilson/1");
    let difference = newcombe(nine, three, 0.95).unwrap();
    agree(&ends(difference), "/proportions/newcombe_diff95");
    let exact = nine.clopper_pearson(0.95).unwrap();
    agree(&ends(exact), "/proportions/clopper_pearson_9_10");
    agrees(fisher_exact(nine, three), "/proportions/fisher_exact_p");
}

#[test]
fn exact_rates_at_their_edges() {
    for (place, row) in GOLDEN["unpaired"]["fisher"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
    {
        let side = |side: usize| {
            let [yes, no] = [0, 1].map(|cell| row["table"][side][cell].as_u64().unwrap());
            Proportion::new(yes, yes + no).unwrap()
        };
        let path = format!("/unpaired/fisher/{place}/p");
        agrees(fisher_exact(side(0), side(1)), &path);
        agrees(fisher_exact(side(1), side(0)), &path);
    }
    let rows = GOLDEN["unpaired"]["clopper_pearson"].as_array().unwrap();
    for (place, row) in rows.iter().enumerate() {
        let [k, n] = ["k", "n"].map(|name| row[name].as_u64().unwrap());
        let level = 1.0 - row["alpha"].as_f64().unwrap();
        let interval = Proportion::new(k, n)
            .unwrap()
            .clopper_pearson(level)
            .unwrap();
        agree(
            &ends(interval),
            &format!("/unpaired/clopper_pearson/{place}/ends"),
        );
    }
}

#[test]
fn several_tests() {
    let p_values = numbers("/multiple_testing/p");
    agree(&holm(&p_values).unwrap(), "/multiple_testing/holm");
    agree(
        &benjamini_hochberg(&p_values).unwrap(),
        "/multiple_testing/bh",
    );
    agree(
        &benjamini_yekutieli(&p_values).unwrap(),
        "/multiple_testing/by",
    );
    agree(
        &bonferroni(&p_values).unwrap(),
        "/multiple_testing/bonferroni",
    );
    // Unsorted, with ties.
    let p_values = numbers("/unpaired/multiple/p");
    type Adjust = fn(&[f64]) -> crate::Result<Vec<f64>>;
    let all: [(&str, Adjust); 4] = [
        ("bonferroni", bonferroni),
        ("fdr_by", benjamini_yekutieli),
        ("holm", holm),
        ("fdr_bh", benjamini_hochberg),
    ];
    for (name, adjust) in all {
        agree(
            &adjust(&p_values).unwrap(),
            &format!("/unpaired/multiple/{name}"),
        );
    }
}

#[test]
fn floors_of_small_samples() {
    for row in GOLDEN["small_n_floor"].as_array().unwrap() {
        let units = row["n_pairs"].as_u64().unwrap() as usize;
        let floor = row["min_two_sided_p_sign_or_signflip"].as_f64().unwrap();
        let one_way: Vec<f64> = (1..=units).map(|value| value as f64).collect();
        let test = sign_flip(&differences(&one_way), Alternative::TwoSided, 0);
        assert_eq!((test.p, test.floor), (floor, floor));
        assert_eq!(Feasibility::new(units, 1, 0.05).unwrap().floor(), floor);
        assert!((sign_test(&differences(&one_way)).p - floor).abs() < 1e-12);
    }
    for row in GOLDEN["min_pairs_for_alpha05_after_bonferroni_m"]
        .as_array()
        .unwrap()
    {
        let (tests, needed) = (row["m"].as_u64().unwrap(), row["n"].as_u64().unwrap());
        let reach = Feasibility::new(5, tests as usize, 0.05).unwrap();
        assert_eq!(reach.needed(), needed as usize);
    }
}

/// The powers at statsmodels' numbers of units were computed with 30 digits (mpmath): its
/// root finder stops up to 10^-6 units short.
#[test]
fn units_for_a_power_of_80_percent() {
    let powers = [
        0.800_000_000_002_693,
        0.800_000_027_885_809,
        0.800_000_002_093_861,
        0.800_000_000_490_326,
    ];
    let expected = powers.into_iter().zip([199, 34, 15, 8]);
    let rows = GOLDEN["paired_t_power80_n"].as_array().unwrap();
    for (row, (power, needed)) in rows.iter().zip(expected) {
        let (d_z, units) = (row["dz"].as_f64().unwrap(), row["n"].as_f64().unwrap());
        let ours = power_of(d_z, units, 0.05);
        assert!((ours - power).abs() < 1e-12, "{d_z}: {ours}, not {power}");
        let ours = crossing(2.0, 1000.0, |units| power_of(d_z, units, 0.05) >= 0.8);
        assert!((ours - units).abs() < 1e-5, "{d_z}: {ours}, not {units}");
        assert_eq!(units_for_power(d_z, 0.8, 0.05).unwrap(), needed);
    }
}

/// Newcombe 1998 (Statistics in Medicine 17:873, table II); Fagerland, Lydersen and Laake 2014
/// (airway hyper-responsiveness); R's contingencytables 3.1.0.
#[test]
fn newcombes_intervals_as_printed() {
    let [more, less] = [(56, 70), (48, 80)].map(|(k, n)| Proportion::new(k, n).unwrap());
    let independent = newcombe(more, less, 0.95).unwrap();
    insta::assert_snapshot!(format!("{independent:.4}"), @"[0.0524, 0.3339]");
    let paired = |[both, first_only, second_only, neither]: [u64; 4]| {
        let counts = PairedCounts {
            both,
            first_only,
            second_only,
            neither,
        };
        counts.newcombe(0.95).unwrap()
    };
    insta::assert_snapshot!(paired([1, 1, 7, 12]), @"[-0.507, -0.026]");
    insta::assert_snapshot!(format!("{:.5}", paired([20, 12, 2, 16])), @"[0.05616, 0.32921]");
}

#[test]
fn quantiles_are_linear_between_values() {
    let values = [1.0, 2.0, 4.0, 8.0];
    let quantiles = [0.0, 0.5, 0.75, 1.0].map(|share| quantile(&values, share));
    assert_eq!(quantiles, [1.0, 3.0, 5.0, 8.0]);
}
