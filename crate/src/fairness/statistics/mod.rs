//! Statistics of paired comparisons: estimates, their uncertainty, and whether a sample is large
//! enough for a conclusion.
//!
//! - [`Samples`] and [`Pairs`] hold the measured values, unit by unit, and are reduced to
//!   [`Differences`]: one number per unit. All paired statistics start from these.
//! - [`PrimaryTest`] decides, from [`sign_flip`] and a t for skewed differences: whether
//!   there is a difference, and whether it lies within a margin. [`sign_test`], [`wilcoxon`],
//!   [`paired_t`] and [`equivalence`] are provided for comparison.
//! - [`primary_interval`] is the interval that reports show, composed of [`sign_flip_interval`]
//!   and [`skewness_interval`]; [`student_interval`] and [`Bootstrap`] are alternatives.
//!   [`Differences::d_z`] and [`dominance`] are effect sizes.
//! - [`CrossedDifferences`] are differences of units under several conditions, such as occupations
//!   with several templates, where a conclusion is to hold for others of both;
//!   [`variance_components`] tells how much each factor contributes.
//! - [`size_change`] tests whether differences became smaller from one measurement to the next,
//!   where each is a [`NoisyDifference`].
//! - [`Proportion`], [`newcombe`], [`fisher_exact`] and [`PairedCounts`] are for rates,
//!   [`mann_whitney`] for unpaired values; [`cohen_kappa`] is for the agreement of two people.
//! - [`holm`] adjusts the p-values of the primary measures, [`benjamini_hochberg`] those of the
//!   words; [`bonferroni`] and [`benjamini_yekutieli`] are alternatives.
//! - [`Feasibility`] tells, before any value is looked at, whether a number of units can support a
//!   verdict; [`primary_power`], [`paired_power`] and [`units_for_power`] how many units it takes
//!   to detect an effect; [`noise_floor`] how large a difference chance alone would produce.
//!
//! All are pure functions: those that draw random numbers take a seed, and the same seed gives the
//! same result on every machine and in every version. Data that don't allow the requested
//! computation are an error of kind [`Statistics`](crate::ErrorKind::Statistics).
//!
//! ```
//! use evenhand::fairness::statistics::{Alternative, Differences, primary_interval, sign_flip};
//!
//! let men = [0.62, 0.71, 0.55, 0.66, 0.48, 0.59, 0.78, 0.52];
//! let women = [0.70, 0.58, 0.61, 0.51, 0.37, 0.64, 0.57, 0.625];
//! let differences = Differences::between(&men, &women)?;
//! let test = sign_flip(&differences, Alternative::TwoSided, 7);
//! assert_eq!(test.p, 0.4140625);
//! assert!(primary_interval(&differences, 10_000, 7)?.contains(0.0));
//! # Ok::<(), evenhand::Error>(())
//! ```

mod adjust;
mod bootstrap;
mod check;
mod cliff;
mod crossed;
mod differences;
mod distribution;
mod feasibility;
mod interval;
mod inversion;
mod kappa;
mod noise;
mod power;
mod primary_interval;
mod primary_test;
mod proportion;
mod rank;
mod samples;
mod sign_flip;
mod size_change;
mod student;
#[cfg(test)]
pub(super) mod tests;
mod variance;

pub use adjust::{benjamini_hochberg, benjamini_yekutieli, bonferroni, holm};
pub use bootstrap::Bootstrap;
pub use cliff::{Dominance, dominance, mann_whitney};
pub use crossed::{CrossedDifferences, CrossedMean};
pub use differences::Differences;
pub(super) use differences::difference;
pub(super) use distribution::normal_cdf;
pub use feasibility::Feasibility;
pub use interval::Interval;
pub use inversion::sign_flip_interval;
pub use kappa::{Kappa, cohen_kappa};
pub use noise::{NoiseFloor, noise_floor};
pub use power::{paired_power, sign_flip_power, units_for_power};
pub use primary_interval::{PRIMARY_LEVEL, primary_interval, skewness_interval};
pub use primary_test::{MarginTest, PrimaryTest, primary_power};
pub use proportion::{PairedCounts, Proportion, fisher_exact, newcombe};
pub use rank::{SignTest, Wilcoxon, sign_test, wilcoxon};
pub use samples::{Pairs, Samples};
pub use sign_flip::{Alternative, SIGN_FLIP_ROUNDS, SignFlip, sign_flip};
pub use size_change::{NoisyDifference, SizeChange, size_change};
pub use student::{Equivalence, PairedT, equivalence, paired_t, student_interval};
pub use variance::{VarianceComponents, variance_components};
