//! Invalid input and edge cases.

use super::super::sign_flip::share_as_high;
use super::super::*;
use super::differences;
use crate::error::ErrorKind;

fn kind<T: std::fmt::Debug>(result: crate::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[test]
fn what_is_not_a_number_is_refused_by_name() {
    let error = Differences::new([0.1, f64::NAN]).unwrap_err();
    insta::assert_snapshot!(error, @r"
    value 1 is NaN
      hint: leave out the pairs in which the measure has no value
    ");
    let error = Samples::new([vec![0.1], vec![], vec![0.2]]).unwrap_err();
    insta::assert_snapshot!(error, @r"
    unit 1 has no samples
      hint: ask it again, or leave the unit out
    ");
    let error = Differences::between(&[0.1, 0.2], &[0.1]).unwrap_err();
    insta::assert_snapshot!(error, @r"
    2 units in one group, 1 in the other
      hint: a pair needs both; leave incomplete ones out
    ");
    assert_eq!(kind(Differences::new([])), ErrorKind::Statistics);
    assert_eq!(
        kind(Differences::new([1e200, 1e200])),
        ErrorKind::Statistics
    );
    assert_eq!(kind(Samples::new([[f64::INFINITY]])), ErrorKind::Statistics);
    assert_eq!(kind(dominance(&[], &[1.0])), ErrorKind::Statistics);
    assert_eq!(kind(holm(&[0.1, f64::NAN])), ErrorKind::Statistics);
    assert_eq!(kind(benjamini_hochberg(&[1.1])), ErrorKind::Statistics);
}

#[test]
fn too_few_units_are_told_how_many_would_do() {
    let five = differences(&[0.1, 0.2, 0.3, 0.2, 0.4]);
    insta::assert_snapshot!(sign_flip_interval(&five, 0.95, 1).unwrap_err(), @r"
    a sign-flip interval: 5 units are too few, 6 are needed
      hint: add units, such as occupations; more samples of the same don't help
    ");
    insta::assert_snapshot!(primary_interval(&five, 1_000, 1).unwrap_err(), @r"
    an interval: 5 units are too few, 6 are needed
      hint: add units, such as occupations; more samples of the same don't help
    ");
    let one = differences(&[0.1]);
    assert_eq!(kind(paired_t(&one)), ErrorKind::Statistics);
    assert_eq!(
        kind(Bootstrap::of_units(&one, 1_000, 1)),
        ErrorKind::Statistics
    );
    assert_eq!(sign_flip(&one, Alternative::TwoSided, 1).p, 1.0);
}

/// Differences that are all equal have a sign, but no spread.
#[test]
fn no_spread_is_no_certainty() {
    for value in [0.0, 0.1] {
        let alike = differences(&[value; 8]);
        assert_eq!(alike.d_z(), None);
        assert_eq!(kind(paired_t(&alike)), ErrorKind::Statistics);
        assert_eq!(kind(student_interval(&alike, 0.95)), ErrorKind::Statistics);
        assert_eq!(kind(equivalence(&alike, 1.0)), ErrorKind::Statistics);
        assert_eq!(
            kind(primary_interval(&alike, 1_000, 1)),
            ErrorKind::Statistics
        );
    }
    let none = sign_flip(&differences(&[0.0; 8]), Alternative::TwoSided, 1);
    assert_eq!((none.p, none.floor), (1.0, 1.0));
    let one_way = sign_flip(&differences(&[0.1; 8]), Alternative::TwoSided, 1);
    assert_eq!(one_way.p, one_way.floor);
}

/// 0.3 - 0.1 * 3 is 5e-17: a rounding error, whose sign must not count.
#[test]
fn rounding_is_no_difference() {
    let sample = Differences::between(&[0.1 * 3.0; 8], &[0.3; 8]).unwrap();
    assert_eq!(sample.values(), [0.0; 8]);
}

#[test]
fn settings_out_of_range_are_arguments() {
    let sample = differences(&[0.1, -0.2, 0.3, 0.2, 0.4, 0.1]);
    for level in [0.0, 1.0, 95.0, f64::NAN] {
        assert_eq!(kind(student_interval(&sample, level)), ErrorKind::Argument);
        assert_eq!(
            kind(sign_flip_interval(&sample, level, 1)),
            ErrorKind::Argument
        );
    }
    assert_eq!(
        kind(Bootstrap::of_units(&sample, 10, 1)),
        ErrorKind::Argument
    );
    assert_eq!(kind(equivalence(&sample, -0.1)), ErrorKind::Argument);
    assert_eq!(kind(units_for_power(0.0, 0.8, 0.05)), ErrorKind::Argument);
    assert_eq!(kind(units_for_power(1e-9, 0.8, 0.05)), ErrorKind::Argument);
    assert_eq!(kind(Proportion::new(3, 2)), ErrorKind::Argument);
    assert_eq!(kind(Proportion::new(0, 0)), ErrorKind::Argument);
    assert_eq!(kind(Feasibility::new(8, 0, 0.05)), ErrorKind::Argument);
}

/// One unit differs among many that don't: many resamples do not contain it.
#[test]
fn a_single_difference_has_a_finite_interval() {
    let mut values = [0.0; 12];
    values[3] = 0.5;
    let interval = primary_interval(&differences(&values), 1_000, 1).unwrap();
    assert!(interval.low.is_finite() && interval.high.is_finite());
    assert!(interval.contains(0.0) && interval.contains(0.5 / 12.0));
}

#[test]
fn random_signs_come_near_all_signs() {
    let values: Vec<f64> = (0..32).map(|i| f64::from((i * 37) % 23) - 9.0).collect();
    let test = sign_flip(&differences(&values), Alternative::TwoSided, 5);
    assert!(!test.exact);
    let exact = 2.0 * share_as_high(&values);
    assert!((test.p - exact).abs() < 0.005, "{} {exact}", test.p);
    let one_way = sign_flip(&differences(&[1.0; 40]), Alternative::Greater, 5);
    assert_eq!(one_way.p, one_way.floor);
}

#[test]
fn a_seed_repeats_and_another_one_differs() {
    let values: Vec<f64> = (0..40).map(|i| f64::from((i * 37) % 23) - 9.0).collect();
    let sample = differences(&values);
    let drawn = |seed| {
        let interval = primary_interval(&sample, 1_000, seed).unwrap();
        let flips = sign_flip_interval(&sample, 0.95, seed).unwrap();
        let p = sign_flip(&sample, Alternative::TwoSided, seed).p;
        (interval, flips, p)
    };
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
}

/// Without noise in the samples, the two ways of resampling agree; with it, the second is wider.
#[test]
fn samples_within_units_widen_the_bootstrap() {
    let cells = |sign: f64, noise: f64| {
        let unit = |i: i32| [f64::from(i) * sign - noise, f64::from(i) * sign + noise];
        Samples::new((0..10).map(unit)).unwrap()
    };
    let error = |noise: f64| {
        let pairs = Pairs::new(cells(1.0, noise), cells(0.5, noise)).unwrap();
        Bootstrap::of_samples(&pairs, 2_000, 1)
            .unwrap()
            .standard_error()
    };
    let units = Pairs::new(cells(1.0, 0.0), cells(0.5, 0.0))
        .unwrap()
        .differences()
        .unwrap();
    let of_units = Bootstrap::of_units(&units, 2_000, 1)
        .unwrap()
        .standard_error();
    assert!((error(0.0) / of_units - 1.0).abs() < 0.1);
    assert!(error(3.0) > 1.5 * error(0.0));
}

/// Samples of normal noise with standard deviation 1 in both groups: the difference of two
/// means of k has the variance 2/k, and the mean size sqrt(2/pi) of that deviation.
#[test]
fn the_noise_floor_is_what_normal_noise_makes() {
    let mut random = crate::random::Random::new(4);
    let mut group = || {
        let mut unit = || -> Vec<f64> { (0..7).map(|_| random.normal()).collect() };
        Samples::new((0..200).map(|_| unit())).unwrap()
    };
    let pairs = Pairs::new(group(), group()).unwrap();
    let floor = noise_floor(&pairs, 400, 1).unwrap();
    let of_unit = (2.0 / 7.0_f64).sqrt() * (2.0 / std::f64::consts::PI).sqrt();
    assert!(
        (floor.of_unit / of_unit - 1.0).abs() < 0.05,
        "{floor:?} {of_unit}"
    );
    let of_mean = of_unit / 200.0_f64.sqrt();
    assert!(
        (floor.of_mean / of_mean - 1.0).abs() < 0.15,
        "{floor:?} {of_mean}"
    );
    assert!(
        (floor.of_mean_95 / (of_mean * 1.96 / 0.798) - 1.0).abs() < 0.15,
        "{floor:?}"
    );
}

#[test]
fn one_sample_a_unit_shows_no_noise() {
    let once = Samples::new([[0.1], [0.2]]).unwrap();
    let pairs = Pairs::new(once.clone(), once).unwrap();
    insta::assert_snapshot!(noise_floor(&pairs, 1_000, 1).unwrap_err(), @r"
    unit 0 has a group with one sample
      hint: the noise floor needs at least 2 samples of each prompt
    ");
}

/// Far from 0, the weights of the series would underflow if it were summed from the first term.
#[test]
fn power_holds_at_its_edges() {
    assert!((paired_power(0.0, 10, 0.05).unwrap() - 0.05).abs() < 1e-9);
    assert!(paired_power(50.0, 10, 0.05).unwrap() > 0.999_999);
    assert!(paired_power(0.001, 1_000_000, 0.05).unwrap() < 0.2);
    assert_eq!(units_for_power(-0.8, 0.8, 0.05).unwrap(), 15);
    assert_eq!(units_for_power(20.0, 0.8, 0.05).unwrap(), 2);
}

/// Differences whose squares or cubes are 0 in floating point.
#[test]
fn the_smallest_differences_have_p_values() {
    for exponent in [-60, -90, -110, -155, -160, -165, -300] {
        let scale = 10.0_f64.powi(exponent);
        let values = [
            3.0, -1.0, 4.0, 1.0, -5.0, 9.0, 2.0, 6.0, -5.5, 3.5, 8.0, 7.0,
        ];
        let differences = Differences::new(values.map(|one| one * scale));
        let differences = differences.unwrap();
        let test = PrimaryTest::new(&differences, 1);
        for p in [test.p(), test.sign_flip_p()] {
            assert!((0.0..=1.0).contains(&p), "1e{exponent}: {p}");
        }
        assert!(test.against(scale).is_ok());
    }
}
