//! Input validation shared by the statistics, with its error messages.

use crate::error::{Error, ErrorKind, Result};

/// An error about the data.
pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Statistics, message)
}

pub(super) fn too_few(what: &str, units: usize, needed: usize) -> Error {
    let message = format!("{what}: {units} units are too few, {needed} are needed");
    invalid(message)
        .with_hint("add units, such as occupations; more samples of the same don't help")
}

pub(super) fn at_least(what: &str, units: usize, needed: usize) -> Result<()> {
    if units < needed {
        return Err(too_few(what, units, needed));
    }
    Ok(())
}

pub(super) fn no_spread() -> Error {
    invalid("all differences are equal, so their variability can't be estimated")
        .with_hint("look at the values: a measure that never varies carries no information")
}

pub(super) fn finite(values: &[f64]) -> Result<()> {
    let Some(place) = values.iter().position(|value| !value.is_finite()) else {
        return Ok(());
    };
    let value = values.get(place).copied().unwrap_or(f64::NAN);
    Err(invalid(format!("value {place} is {value}"))
        .with_hint("leave out the pairs in which the measure has no value"))
}

pub(super) fn same_length(first: usize, second: usize) -> Result<()> {
    if first != second {
        let message = format!("{first} units in one group, {second} in the other");
        return Err(invalid(message).with_hint("a pair needs both; leave incomplete ones out"));
    }
    Ok(())
}

/// Checks an argument that the caller chose.
pub(super) fn argument(holds: bool, message: impl FnOnce() -> String) -> Result<()> {
    if holds {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Argument, message()))
}

/// Checks a level, a probability or an alpha: strictly between 0 and 1.
pub(super) fn between_0_and_1(name: &str, value: f64) -> Result<()> {
    argument(value > 0.0 && value < 1.0, || {
        format!("{name} is {value}, not between 0 and 1")
    })
}

/// The mean; NaN for an empty slice.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
