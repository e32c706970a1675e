//! The power of the primary tests, and samples that show no skewness.

use super::super::*;
use super::differences;

/// The numbers in the docs of `PrimaryTest` and of `Study`.
#[test]
fn the_power_is_what_the_docs_say() {
    for (units, effect, expected) in [
        (8, 1.2, 0.37),
        (12, 0.9, 0.58),
        (20, 0.66, 0.71),
        (60, 0.37, 0.81),
    ] {
        let power = primary_power(effect, units, 0.05).unwrap();
        assert!((power - expected).abs() < 0.04, "{units}: {power}");
    }
    let level = 0.05 / 6.0;
    assert!(primary_power(0.8, 26, level).unwrap() >= 0.8);
    assert!(primary_power(0.8, 24, level).unwrap() < 0.8);
    assert!(primary_power(0.8, 19, 0.05).unwrap() >= 0.79);
    assert!(primary_power(0.8, 17, 0.05).unwrap() < 0.8);
    assert!(primary_power(0.5, 400, 0.05).unwrap() > 0.99);
}

#[test]
fn few_or_equal_differences_are_decided_by_signs_alone() {
    for values in [vec![1.0, 2.0, 3.0, 4.0, 50.0], vec![-2.0; 9]] {
        let sample = differences(&values);
        let test = PrimaryTest::new(&sample, 1);
        assert_eq!(test.skewness(), None);
        assert_eq!(test.p(), test.sign_flip_p());
    }
    let alike = differences(&[0.0; 9]);
    let tested = PrimaryTest::new(&alike, 1).against(0.1).unwrap();
    assert_eq!((tested.within, tested.beyond), (None, 1.0));
    assert!(PrimaryTest::new(&alike, 1).against(0.0).is_err());
}
