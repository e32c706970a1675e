//! The size of the differences without noise, and what is refused.

use super::super::*;

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
