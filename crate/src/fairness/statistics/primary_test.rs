//! The tests of a mean difference on which the verdict of a report is based, and their power.

use super::check;
use super::differences::Differences;
use super::distribution::{t_two_sided, t_upper};
use super::power::{paired_power, simulated_power};
use super::primary_interval::transform;
use super::sign_flip::{Alternative, sign_flip};
use crate::error::Result;

/// Cochran's factor: the mean of n skewed values is close enough to normal if n is more than 25
/// times the squared skewness.
const COCHRAN: f64 = 25.0;

/// How many units fewer that rule is given, since few units show less skewness than there is: in the
/// test against 0, and in those against a margin.
const UNSEEN: f64 = 9.0;
const UNSEEN_AT_MARGIN: f64 = 6.0;

/// How many standard deviations from the mean a unit lies that few skewed ones may not show.
const FAR: f64 = 8.0;

/// The same where the sample shows no such skewness, but is too small to show it.
const NEAR: f64 = 1.5;

/// From this number of units on, a sample that shows no skewness is taken at its word.
const ENOUGH_UNITS: f64 = 10.0;

/// The fewest units whose skewness is estimated.
const MIN_UNITS: usize = 6;

/// Up to this number of units the power is simulated with exact sign flips; above that, where both
/// are close, Student's t takes their place.
const EXACT_UNITS: usize = 20;

/// Above this number of units the power is that of Student's t.
const SIMULATED_UNITS: usize = 200;

/// What few units may not show of their distribution.
#[derive(Clone, Copy)]
struct Unshown {
    /// How many units fewer Cochran's rule is given.
    units: f64,
    /// How far away another unit may lie if the sample is not skewed, in standard deviations.
    far: Option<f64>,
}

const AT_MARGIN: Unshown = Unshown {
    units: UNSEEN_AT_MARGIN,
    far: None,
};

/// The tests of a mean difference on which the verdict of a report is based: whether it is 0, and
/// whether it lies within a margin.
///
/// Each p-value is the larger of two. [`sign_flip`] is exact if the differences are symmetric about
/// their mean, which they are if the groups are treated alike in every respect. Hall's transformed
/// t (1992; see [`skewness_interval`](super::skewness_interval)), compared with Student's
/// distribution, allows for skewed differences whose mean is 0. It uses Fisher's G1 for the
/// skewness. With fewer than 6 units, or without spread, the sign-flip test decides alone.
///
/// Few units don't show how skewed a distribution is: the far values, which balance the many near
/// ones, are missing. If the differences lean to the other side than their mean, and are more skewed
/// than Cochran's rule n - 9 > 25 G1^2 allows for (Cochran 1977, Sampling Techniques, 2.15, without
/// the 9), a third p-value counts: Student's, with one more unit 8 standard deviations from the mean
/// on that other side. With fewer than 10 units, the test against 0 adds such a unit at 1.5 standard
/// deviations even if the sample shows no skewness. The tests against a margin have 6 in place of the
/// 9, and no second unit. These numbers were chosen by simulation.
///
/// How often a report shows any difference when there is none, in percent, by simulation: three
/// independent measures that share 5 % by Holm's adjustment (40,000 samples of each measure, 5,000
/// for 60 units; standard error 0.1 to 0.2, and 0.5 for 60 units):
///
/// | differences | test | 8 units | 10 | 12 | 15 | 20 | 60 |
/// |---|---|---|---|---|---|---|---|
/// | normal | this | 1.4 | 3.2 | 3.7 | 3.9 | 4.2 | 5.1 |
/// | | sign flips alone | 4.4 | 4.5 | 4.8 | 4.9 | 4.9 | 5.6 |
/// | t with 3 degrees of freedom | this | 1.1 | 3.9 | 4.2 | 4.6 | 4.8 | 5.6 |
/// | | sign flips | 4.6 | 4.6 | 4.7 | 4.9 | 5.0 | 5.8 |
/// | differences of counts out of ten | this | 1.2 | 2.0 | 2.1 | 2.8 | 2.9 | 3.4 |
/// | | sign flips | 2.0 | 2.7 | 2.8 | 3.2 | 3.3 | 3.7 |
/// | exponential | this | 2.7 | 3.0 | 2.9 | 2.6 | 2.4 | 3.1 |
/// | | sign flips | 13.2 | 13.5 | 14.0 | 13.2 | 11.9 | 8.5 |
/// | lognormal, sigma 1 | this | 5.1 | 5.1 | 4.8 | 4.7 | 4.0 | 3.8 |
/// | | sign flips | 23.5 | 25.2 | 25.4 | 25.2 | 23.9 | 15.4 |
///
/// **The level does not hold everywhere.** If all of six independent measures are lognormal, it is
/// 8.0, 8.1, 7.5, 7.1, 6.3 and 4.6 %: a sample of 8 has all its values below the mean in one case of
/// nineteen, with nothing that shows it. Noise of the answers hides skewness: with normal noise of
/// 0.3 standard deviations in each lognormal difference, three measures of three are wrong in 6.1 %
/// of reports with 8 units, 9.9 with 12, 9.3 with 20 and 6.6 with 60, and three of six in 4.2, 7.1,
/// 6.7 and 4.6 % (sign flips: 15.5, 17.4, 17.4 and 13.2; 9.5, 11.9, 12.4 and 10.3).
///
/// Also by simulation, in percent for a single test at 5 % with 8, 12 and 20 units: 45, 29 and 13 where
/// nine units in ten have one value and one in ten another far one (-1 and 9); 13, 18 and 11 where a
/// tenth of the units lies far off, with a little noise; 2, 10 and 15 where one side's answers about one
/// unit in ten are all refused, and a tenth of the other's; and 10, 14 and 19 where units are correlated,
/// four at a time by half their variance. **Units have to be independent**: nurses, midwives and
/// orderlies are not three occupations if a model treats them as one.
///
/// The price is power: where sign flips find 80 % of normal effects with a single test, this finds
/// 37 % with 8 units, 58 with 12, 71 with 20 and 81 with 60 ([`primary_power`]). Where sign flips
/// find a difference and this does not, a report says that it can't tell.
///
/// How often a difference of exactly the margin is called smaller, in percent, for a margin of 1.2
/// standard deviations (24,000 samples, 3,000 for 60 units; standard error 0.1 to 0.4; power in samples
/// of mean 0: 27, 61, 95 and 100 % of normal ones):
///
/// | differences | test | 8 units | 12 | 20 | 60 |
/// |---|---|---|---|---|---|
/// | normal | this | 1.9 | 3.5 | 4.5 | 4.9 |
/// | t with 3 degrees of freedom | this | 2.6 | 3.5 | 4.3 | 4.3 |
/// | lognormal, sigma 1 | this | 5.2 | 4.1 | 3.1 | 3.1 |
/// | | [`equivalence`](super::equivalence) by Student's t | 21.1 | 19.3 | 17.3 | 12.8 |
#[derive(Clone, Debug)]
pub struct PrimaryTest<'a> {
    differences: &'a Differences,
    skewness: Option<f64>,
    seed: u64,
}

/// The p-values of the tests against a margin.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct MarginTest {
    /// The p-value against a mean difference of the margin or more, in either direction: two
    /// one-sided tests (Schuirmann 1987), of which this is the larger p-value. If it is small, the
    /// difference is smaller than the margin. `None` if the differences have no spread: then they
    /// don't show how much they would vary.
    pub within: Option<f64>,
    /// The two-sided p-value against a mean difference of the margin or less. If it is small, the
    /// difference is larger than the margin.
    pub beyond: f64,
}

impl<'a> PrimaryTest<'a> {
    /// Prepares the tests. The seed is that of the random signs.
    pub fn new(differences: &'a Differences, seed: u64) -> Self {
        Self {
            differences,
            skewness: skewness(differences),
            seed,
        }
    }

    /// Fisher's skewness of the sample, G1 = g sqrt(n (n - 1)) / (n - 2), g = m3 / m2^1.5. `None`
    /// for fewer than 6 units, and if all differences are equal.
    pub fn skewness(&self) -> Option<f64> {
        self.skewness
    }

    /// The two-sided p-value against a mean of 0.
    pub fn p(&self) -> f64 {
        self.p_values()[0]
    }

    /// The p-value, and that of the sign-flip test alone.
    pub(in crate::fairness) fn p_values(&self) -> [f64; 2] {
        let toward = match self.differences.mean() > 0.0 {
            true => Alternative::Greater,
            false => Alternative::Less,
        };
        let skewed = 2.0 * self.corrected(0.0, toward, self.at_zero());
        let flips = self.sign_flip_p();
        [flips.max(skewed.min(1.0)), flips]
    }

    /// The p-value of the sign-flip test alone.
    pub fn sign_flip_p(&self) -> f64 {
        sign_flip(self.differences, Alternative::TwoSided, self.seed).p
    }

    /// The tests against a margin, which must be above 0.
    ///
    /// # Errors
    /// A margin that is not above 0; differences so large that adding it overflows.
    pub fn against(&self, margin: f64) -> Result<MarginTest> {
        check::argument(margin > 0.0 && margin.is_finite(), || {
            format!("the margin is {margin}; it must be above 0")
        })?;
        let above = |point| self.one_sided(point, Alternative::Greater);
        let below = |point| self.one_sided(point, Alternative::Less);
        let inside = above(-margin)?.max(below(margin)?);
        let outside = above(margin)?.min(below(-margin)?);
        let has_spread = self.differences.standard_deviation().is_some();
        Ok(MarginTest {
            within: has_spread.then_some(inside),
            beyond: (2.0 * outside).min(1.0),
        })
    }

    /// The p-value against a mean of `point`, or one on the other side.
    fn one_sided(&self, point: f64, toward: Alternative) -> Result<f64> {
        let about = Differences::new(self.differences.about(point))?;
        let flips = sign_flip(&about, toward, self.seed).p;
        Ok(flips.max(self.corrected(point, toward, AT_MARGIN)))
    }

    /// What the units may not show in the test against 0.
    fn at_zero(&self) -> Unshown {
        let units = self.differences.units() as f64;
        Unshown {
            units: UNSEEN,
            far: (units < ENOUGH_UNITS).then_some(NEAR),
        }
    }

    /// The one-sided p-value that allows for skewed differences; 0 if these can't be judged.
    fn corrected(&self, point: f64, toward: Alternative, unshown: Unshown) -> f64 {
        let error = self.differences.standard_error();
        let Some((skewness, error)) = self.skewness.zip(error) else {
            return 0.0;
        };
        let units = self.differences.units() as f64;
        let sign = match toward {
            Alternative::Less => -1.0,
            _ => 1.0,
        };
        let t = (self.differences.mean() - point) / error;
        let hall = t_upper(sign * transform(t, skewness / units.sqrt()), units - 1.0);
        let leans_away =
            sign * skewness < 0.0 && units - unshown.units <= COCHRAN * skewness.powi(2);
        let far = if leans_away { Some(FAR) } else { unshown.far };
        far.map_or(hall, |far| hall.max(self.with_far_unit(point, sign, far)))
    }

    /// Student's one-sided p-value with one more unit, `far` standard deviations from the mean on the
    /// other side.
    fn with_far_unit(&self, point: f64, sign: f64, far: f64) -> f64 {
        let mean = self.differences.mean();
        let Some(deviation) = self.differences.standard_deviation() else {
            return 0.0;
        };
        let (old, units) = (
            self.differences.units() as f64,
            self.differences.units() as f64 + 1.0,
        );
        let far = -sign * far * deviation;
        let shifted = mean + far / units;
        // The sum of squares about the new mean.
        let squares = (old - 1.0) * deviation.powi(2) + far.powi(2) * old / units;
        let error = (squares / (units - 1.0) / units).sqrt();
        t_upper(sign * (shifted - point) / error, units - 1.0)
    }
}

/// G1; `None` if it can't be estimated.
fn skewness(differences: &Differences) -> Option<f64> {
    let units = differences.units() as f64;
    differences.standard_deviation()?;
    let centered = differences.about(differences.mean());
    let moment = |power: i32| centered.iter().map(|value| value.powi(power)).sum::<f64>() / units;
    let plain = moment(3) / moment(2).powf(1.5);
    let enough = differences.units() >= MIN_UNITS;
    enough.then(|| plain * (units * (units - 1.0)).sqrt() / (units - 2.0))
}

/// The power of [`PrimaryTest`] for an effect of `d_z` in the
/// given number of normal differences.
///
/// Up to 200 units it is estimated from 1,000 simulated samples, the same in each call; above that
/// it is [`paired_power`].
///
/// # Errors
/// The errors of [`paired_power`].
pub fn primary_power(d_z: f64, units: usize, alpha: f64) -> Result<f64> {
    if units > SIMULATED_UNITS {
        return paired_power(d_z, units, alpha);
    }
    simulated_power(d_z, units, alpha, |differences| {
        is_found(differences, alpha)
    })
}

fn is_found(differences: &Differences, alpha: f64) -> bool {
    let test = PrimaryTest::new(differences, 1);
    if differences.units() <= EXACT_UNITS {
        return test.p() <= alpha;
    }
    let freedom = differences.units() as f64 - 1.0;
    let t = differences.d_z().unwrap_or(0.0) * (freedom + 1.0).sqrt();
    let toward = match t > 0.0 {
        true => Alternative::Greater,
        false => Alternative::Less,
    };
    t_two_sided(t, freedom) <= alpha && 2.0 * test.corrected(0.0, toward, test.at_zero()) <= alpha
}
