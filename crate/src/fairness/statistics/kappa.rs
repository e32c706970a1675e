//! Agreement of two people who label the same things.

use std::collections::BTreeMap;

use super::check;
use super::distribution::normal_quantile;
use super::interval::Interval;
use crate::error::Result;

/// Cohen's kappa (1960): how much more two people agree than their own frequencies of labels would
/// produce by chance.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Kappa {
    /// (p_o - p_e) / (1 - p_e), where p_o is the share of things with the same label and p_e the
    /// share that is expected by chance: 1 is perfect agreement, 0 is chance.
    pub value: f64,
    /// Its large-sample standard error (Fleiss, Cohen and Everitt 1969, Psychological Bulletin
    /// 72:323).
    pub standard_error: f64,
}

impl Kappa {
    /// The interval that a report shows: z standard errors around the value on the scale of Fisher's
    /// transformation, tanh(atanh(k) ± z se / (1 - k^2)), so that it is narrow toward 1 and ends
    /// before it. `None` as for [`interval`](Self::interval).
    ///
    /// How often it contains the true value at 95 %, in percent, by simulation (two labels, one of
    /// them with a share of 0.5 and 0.25; 3,000 samples, standard error 0.4):
    ///
    /// | true kappa | things | 0.4 | 0.6 | 0.8 | 0.9 |
    /// |---|---|---|---|---|---|
    /// | this | 40 | 95.1, 93.4 | 95.5, 96.0 | 95.6, 95.5 | 93.4, 93.8 |
    /// | | 100 | 95.2, 94.1 | 93.8, 95.5 | 94.9, 95.9 | 97.2, 96.7 |
    /// | [`interval`](Self::interval) | 40 | 93.0, 90.3 | 90.8, 92.2 | 92.2, 93.2 | 98.7, 99.1 |
    /// | | 100 | 94.2, 93.6 | 93.3, 94.0 | 93.8, 91.8 | 88.5, 91.2 |
    ///
    /// # Errors
    /// A level outside (0, 1).
    pub fn transformed_interval(&self, level: f64) -> Result<Option<Interval>> {
        check::between_0_and_1("the level", level)?;
        let (value, slope) = (self.value.atanh(), 1.0 - self.value.powi(2));
        let reach = normal_quantile(0.5 * (1.0 + level)) * self.standard_error / slope;
        let is_known = self.standard_error > 0.0 && slope > 0.0;
        Ok(is_known.then(|| Interval {
            low: (value - reach).tanh(),
            high: (value + reach).tanh(),
            level,
        }))
    }

    /// The interval value ± z standard errors, limited to -1 and 1, as in other software; `None` if
    /// the standard error is 0, as it is for perfect agreement, from which it can't be estimated.
    ///
    /// # Errors
    /// A level outside (0, 1).
    pub fn interval(&self, level: f64) -> Result<Option<Interval>> {
        check::between_0_and_1("the level", level)?;
        let reach = normal_quantile(0.5 * (1.0 + level)) * self.standard_error;
        Ok((reach > 0.0).then(|| Interval {
            low: (self.value - reach).max(-1.0),
            high: (self.value + reach).min(1.0),
            level,
        }))
    }
}

/// The kappa of two people who gave labels to the same things, label by label. `None` if both gave the
/// same single label to all, because chance then explains everything.
///
/// ```
/// use evenhand::fairness::statistics::cohen_kappa;
///
/// let anna = [0, 0, 0, 1, 1, 1, 0, 1];
/// let ben = [0, 0, 1, 1, 1, 0, 0, 1];
/// assert_eq!(cohen_kappa(&anna, &ben)?.map(|kappa| kappa.value), Some(0.5));
/// # Ok::<(), evenhand::Error>(())
/// ```
///
/// # Errors
/// Lists of different lengths, or without labels.
pub fn cohen_kappa(first: &[usize], second: &[usize]) -> Result<Option<Kappa>> {
    check::same_length(first.len(), second.len())?;
    check::at_least("kappa", first.len(), 1)?;
    let all = first.len() as f64;
    let mut margins: BTreeMap<usize, [f64; 2]> = BTreeMap::new();
    for (one, other) in first.iter().zip(second) {
        margins.entry(*one).or_default()[0] += 1.0 / all;
        margins.entry(*other).or_default()[1] += 1.0 / all;
    }
    let pairs = || first.iter().zip(second);
    let observed = pairs().filter(|(one, other)| one == other).count() as f64 / all;
    let expected: f64 = margins.values().map(|[one, other]| one * other).sum();
    if margins.len() < 2 {
        return Ok(None);
    }
    let value = (observed - expected) / (1.0 - expected);
    let doubt = 1.0 - value;
    let margin = |label: &usize| margins.get(label).copied().unwrap_or_default();
    // The sums over the cells of the table, thing by thing.
    let terms = pairs().map(|(one, other)| match one == other {
        true => (1.0 - margin(one).iter().sum::<f64>() * doubt).powi(2),
        false => (doubt * (margin(other)[0] + margin(one)[1])).powi(2),
    });
    let spread = terms.sum::<f64>() / all - (value - expected * doubt).powi(2);
    Ok(Some(Kappa {
        value,
        standard_error: (spread.max(0.0) / all).sqrt() / (1.0 - expected),
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::cohen_kappa;

    /// Two lists of labels with this table of counts.
    fn labels(table: &[&[usize]]) -> [Vec<usize>; 2] {
        let mut lists = [Vec::new(), Vec::new()];
        for (one, row) in table.iter().enumerate() {
            for (other, count) in row.iter().enumerate() {
                lists[0].extend(std::iter::repeat_n(one, *count));
                lists[1].extend(std::iter::repeat_n(other, *count));
            }
        }
        lists
    }

    /// A table of counts; kappa, its standard error and the ends of its interval.
    type Golden = (&'static [&'static [usize]], [f64; 4]);

    /// Source: `statsmodels.stats.inter_rater.cohens_kappa` of statsmodels 0.15.0 (`kappa`,
    /// `std_kappa`, `kappa_low`, `kappa_upp`); `sklearn.metrics.cohen_kappa_score` of scikit-learn
    /// 1.9.1 gives the same values of kappa.
    const GOLDEN: [Golden; 5] = [
        (
            &[&[20, 5], &[10, 15]],
            [
                0.4,
                0.12699606293110033,
                0.151092290476661,
                0.6489077095233389,
            ],
        ),
        (
            &[&[44, 5, 1], &[7, 20, 3], &[9, 5, 6]],
            [
                0.49152542372881347,
                0.07212745929334068,
                0.35015820121748686,
                0.6328926462401401,
            ],
        ),
        (
            &[&[0, 3], &[4, 0]],
            // statsmodels does not limit the interval: it gives -1.3624.
            [-0.96, 0.20529939113402157, -1.0, -0.5576205873293156],
        ),
        (
            &[&[48, 1], &[1, 0]],
            [
                -0.02040816326530381,
                0.014427745169333456,
                -0.04868602417531913,
                0.007869697644711512,
            ],
        ),
        (
            &[&[12, 2, 0, 1], &[1, 9, 0, 0], &[0, 1, 3, 0], &[2, 0, 1, 8]],
            [
                0.7192982456140351,
                0.08871444718012651,
                0.5454211242326061,
                0.8931753669954641,
            ],
        ),
    ];

    #[test]
    fn kappa_and_its_interval_equal_those_of_statsmodels() {
        for (table, [value, error, low, high]) in GOLDEN {
            let [first, second] = labels(table);
            let kappa = cohen_kappa(&first, &second).unwrap().unwrap();
            let interval = kappa.interval(0.95).unwrap().unwrap();
            let found = [
                kappa.value,
                kappa.standard_error,
                interval.low,
                interval.high,
            ];
            for (found, expected) in found.iter().zip([value, error, low, high]) {
                assert!((found - expected).abs() < 1e-9, "{table:?}: {found}");
            }
        }
    }

    /// By hand: atanh(0.4) = 0.42365, 1.95996 * 0.12700 / 0.84 = 0.29633.
    #[test]
    fn the_transformed_interval_stays_within_1() {
        let of = |table: &[&[usize]]| {
            let [first, second] = labels(table);
            let kappa = cohen_kappa(&first, &second).unwrap().unwrap();
            kappa.transformed_interval(0.95).unwrap()
        };
        let found = of(&[&[20, 5], &[10, 15]]).unwrap();
        assert!((found.low - 0.12664).abs() < 1e-4 && (found.high - 0.61689).abs() < 1e-4);
        let high = of(&[&[30, 1], &[0, 30]]).unwrap();
        assert!(high.high < 1.0 && high.contains(0.967), "{high:?}");
        assert_eq!(of(&[&[20, 0], &[0, 15]]), None);
    }

    #[test]
    fn where_chance_explains_all_there_is_no_kappa() {
        assert_eq!(cohen_kappa(&[1, 1], &[1, 1]).unwrap(), None);
        let perfect = cohen_kappa(&[0, 1, 1], &[0, 1, 1]).unwrap().unwrap();
        assert_eq!(perfect.value, 1.0);
        assert_eq!(perfect.interval(0.95).unwrap(), None);
        assert!(cohen_kappa(&[], &[]).is_err());
        assert!(cohen_kappa(&[0], &[0, 1]).is_err());
    }

    proptest! {
        #[test]
        fn nobody_is_first(labels in prop::collection::vec((0..4_usize, 0..4_usize), 1..60)) {
            let (first, second): (Vec<_>, Vec<_>) = labels.into_iter().unzip();
            let one = cohen_kappa(&first, &second).unwrap();
            let other = cohen_kappa(&second, &first).unwrap();
            prop_assert_eq!(one.is_some(), other.is_some());
            if let Some((one, other)) = one.zip(other) {
                prop_assert!((-1.0..=1.0).contains(&one.value));
                prop_assert!((one.value - other.value).abs() < 1e-12);
                prop_assert!((one.standard_error - other.standard_error).abs() < 1e-12);
            }
        }
    }
}
