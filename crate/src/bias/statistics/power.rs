//! How many units it takes to see an effect.

use super::check;
use super::distribution::{noncentral_t_cdf, t_critical};
use crate::error::{Error, ErrorKind, Result};

/// More units than this nobody asks about.
const MOST_UNITS: usize = 10_000_000;

/// The chance that a two-sided paired t test finds an effect of `d_z` with so many units:
/// P(|T| > t) for the noncentral t distribution with n - 1 degrees of freedom and
/// noncentrality d_z sqrt(n) (Cohen 1988, 12.7; as statsmodels' `TTestPower`). The sign-flip
/// test's is a little less.
///
/// # Errors
/// An effect that is not finite; fewer than 2 units; an alpha outside (0, 1).
pub fn paired_power(d_z: f64, units: usize, alpha: f64) -> Result<f64> {
    check::argument(d_z.is_finite(), || format!("the effect is {d_z}"))?;
    check::at_least("power", units, 2)?;
    check::between_0_and_1("alpha", alpha)?;
    Ok(power_of(d_z, units as f64, alpha))
}

/// The fewest units with which that chance is at least `power`.
///
/// # Errors
/// An effect of 0 or not finite; an alpha or a power outside (0, 1); an effect so small that
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
        if high > MOST_UNITS {
            let message = format!("an effect of {d_z} takes more than {MOST_UNITS} units");
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

/// Also for fractions of a unit, as peers report them.
pub(super) fn power_of(d_z: f64, units: f64, alpha: f64) -> f64 {
    let (df, noncentrality) = (units - 1.0, d_z.abs() * units.sqrt());
    let critical = t_critical(alpha, df);
    let not_above = noncentral_t_cdf(critical, df, noncentrality);
    let below = noncentral_t_cdf(-critical, df, noncentrality);
    (1.0 - not_above + below).clamp(0.0, 1.0)
}
