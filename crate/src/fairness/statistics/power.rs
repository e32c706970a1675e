//! Statistical power: how many units it takes to detect an effect.

use super::check;
use super::differences::Differences;
use super::distribution::{noncentral_t_cdf, t_critical};
use super::sign_flip::{Alternative, sign_flip};
use crate::error::{Error, ErrorKind, Result};
use crate::random::Random;

/// The largest number of units that is searched.
const MAX_UNITS: usize = 10_000_000;

/// Up to this number of units the power of the sign-flip test is simulated.
const SIMULATED_UNITS: usize = 16;

/// The number of simulated samples: the standard error is 1.3 % where the power is 80 %.
const SIMULATED_SAMPLES: usize = 1_000;

/// The power of a two-sided paired t test for an effect of `d_z` with the given number of units:
/// P(|T| > t) for the noncentral t distribution with n - 1 degrees of freedom and noncentrality d_z
/// sqrt(n) (Cohen 1988, 12.7; as statsmodels' `TTestPower`). With few units, the sign-flip test has
/// less power: see [`sign_flip_power`].
///
/// # Errors
/// An effect that is not finite; fewer than 2 units; an alpha outside (0, 1).
pub fn paired_power(d_z: f64, units: usize, alpha: f64) -> Result<f64> {
    check::argument(d_z.is_finite(), || format!("the effect is {d_z}"))?;
    check::at_least("power", units, 2)?;
    check::between_0_and_1("alpha", alpha)?;
    Ok(power_of(d_z, units as f64, alpha))
}

/// The fewest units with which [`paired_power`] is at least `power`.
///
/// # Errors
/// An effect that is 0 or not finite; an alpha or a power outside (0, 1); an effect so small that
/// it takes more than ten million units.
pub fn units_for_power(d_z: f64, power: f64, alpha: f64) -> Result<usize> {
    check::argument(d_z.is_finite() && d_z != 0.0, || {
        format!("the effect is {d_z}")
    })?;
    check::between_0_and_1("the power", power)?;
    check::between_0_and_1("alpha", alpha)?;
    let reaches = |units: usize| power_of(d_z, units as f64, alpha) >= power;
    let mut high = 2;
    while !reaches(high) {
        high *= 2;
        if high > MAX_UNITS {
            let message = format!("an effect of {d_z} takes more than {MAX_UNITS} units");
            return Err(Error::new(ErrorKind::Argument, message));
        }
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if reaches(middle) {
            high = middle
        } else {
            low = middle
        }
    }
    Ok(high)
}

/// The power of the two-sided sign-flip test for an effect of `d_z` in the given number of normal
/// differences. With few units only few p-values are possible, so it is less than that of the t
/// test: 70 % instead of 80 % for 8 units, a d_z of 1.7 and an alpha of 0.05 / 6.
///
/// Up to 16 units it is estimated from 1,000 simulated samples, the same in each call; above that,
/// where the two are close, it is [`paired_power`].
///
/// # Errors
/// The errors of [`paired_power`].
pub fn sign_flip_power(d_z: f64, units: usize, alpha: f64) -> Result<f64> {
    if units > SIMULATED_UNITS {
        return paired_power(d_z, units, alpha);
    }
    simulated_power(d_z, units, alpha, |differences| {
        sign_flip(differences, Alternative::TwoSided, 1).p <= alpha
    })
}

/// The share of simulated samples in which a test finds the effect.
///
/// # Errors
/// The errors of [`paired_power`].
pub(super) fn simulated_power(
    d_z: f64,
    units: usize,
    alpha: f64,
    is_found: impl Fn(&Differences) -> bool,
) -> Result<f64> {
    // Checks the arguments.
    paired_power(d_z, units, alpha)?;
    let mut random = Random::new(1);
    let mut found = 0_u32;
    for _ in 0..SIMULATED_SAMPLES {
        let values: Vec<f64> = (0..units).map(|_| random.normal() + d_z).collect();
        found += u32::from(is_found(&Differences::new(values)?));
    }
    Ok(f64::from(found) / SIMULATED_SAMPLES as f64)
}

/// Accepts a fractional number of units, which other software reports.
pub(super) fn power_of(d_z: f64, units: f64, alpha: f64) -> f64 {
    let (df, noncentrality) = (units - 1.0, d_z.abs() * units.sqrt());
    let critical = t_critical(alpha, df);
    let not_above = noncentral_t_cdf(critical, df, noncentrality);
    let below = noncentral_t_cdf(-critical, df, noncentrality);
    (1.0 - not_above + below).clamp(0.0, 1.0)
}
