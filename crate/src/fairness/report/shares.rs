//! How much occupations, templates, models and chance contribute to the differences.

use serde::{Deserialize, Serialize};

use super::{PrimaryOutcome, Unit};
use crate::fairness::statistics::variance_components;

/// The shares of the variance of a primary test's differences, which add up to 1. The variance is
/// that of the difference between two single answers.
///
/// The components are estimated by the analysis of variance of all occupations that have a value
/// with every template and model; one that would be negative is 0. With few templates or models,
/// the estimates of their shares are rough.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VarianceShares {
    /// The measure's name.
    pub name: String,
    /// The difference that is tested.
    pub contrast: String,
    /// How much the difference varies from occupation to occupation. With one template and one model
    /// it contains the rest.
    pub occupation: f64,
    /// How much it varies from template to template; `None` for one template.
    pub template: Option<f64>,
    /// How much it varies from model to model; `None` for one model.
    pub model: Option<f64>,
    /// How much it varies between answers to the same prompts; `None` if a prompt has one answer.
    pub sample: Option<f64>,
    /// Interactions, such as a template that matters for some occupations only. Contains the
    /// variation between answers if that is unknown. `None` with one template and one model.
    pub rest: Option<f64>,
}

/// The shares for the same primary test of one or several models. `None` if nothing varies.
pub(super) fn shares(outcomes: &[&PrimaryOutcome]) -> Option<VarianceShares> {
    let first = outcomes.first()?;
    let complete: Vec<Vec<&Unit>> = first
        .units
        .iter()
        .filter_map(|unit| {
            let units = outcomes.iter().map(|one| one.unit(&unit.occupation));
            let units: Option<Vec<&Unit>> = units.collect();
            units.filter(|units| units.iter().all(|unit| unit.is_complete()))
        })
        .collect();
    let templates = complete.first()?.first()?.by_template().len();
    let values: Vec<f64> = complete
        .iter()
        .flatten()
        .flat_map(|unit| unit.by_template())
        .flatten()
        .collect();
    let levels = [complete.len(), outcomes.len(), templates];
    let found = variance_components(&levels, &values)?;
    let units = || complete.iter().flatten();
    let mean = |value: fn(&Unit) -> Option<f64>| -> Option<f64> {
        let values: Option<Vec<f64>> = units().map(|unit| value(unit)).collect();
        let values = values?;
        Some(values.iter().sum::<f64>() / values.len() as f64)
    };
    // What chance adds to a cell, and to a single answer.
    let noise = mean(|unit| {
        unit.variance
            .map(|one| one * unit.by_template().len() as f64)
    });
    let sample = mean(|unit| unit.answer_variance);
    let mut occupation = found.factors.first().copied().flatten().unwrap_or(0.0);
    let rest = found
        .rest
        .map(|rest| (rest - noise.unwrap_or(0.0)).max(0.0));
    if rest.is_none() {
        occupation = (occupation - noise.unwrap_or(0.0)).max(0.0);
    }
    let [model, template] = [1, 2].map(|factor| found.factors.get(factor).copied().flatten());
    let parts = [Some(occupation), template, model, sample, rest];
    let total: f64 = parts.into_iter().flatten().sum();
    let share = |part: f64| part / total;
    (total > 0.0).then(|| VarianceShares {
        name: first.name.clone(),
        contrast: first.contrast.clone(),
        occupation: share(occupation),
        template: template.map(share),
        model: model.map(share),
        sample: sample.map(share),
        rest: rest.map(share),
    })
}
