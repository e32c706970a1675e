//! The estimates of a primary test: mean, interval, p-values, effect size and noise floor.

use super::doubt::Doubt;
use super::preregistered::{Preregistered, UnitSamples};
use super::primary::{Margin, PrimaryOutcome, Rounds, Unit, Verdict};
use super::verdict::decide;
use crate::error::Result;
use crate::fairness::statistics::{
    CrossedDifferences, CrossedMean, Differences, Interval, NoiseFloor, PRIMARY_LEVEL, Pairs,
    PrimaryTest, Samples, noise_floor, primary_interval,
};
use crate::fairness::study::ALPHA;
use crate::text::sanitize_line;

/// Runs the planned tests. A test without any occupation is not counted in the adjustment of the
/// others.
pub(super) fn test(
    planned: Vec<Preregistered>,
    seed: u64,
    rounds: &Rounds,
) -> Result<Vec<PrimaryOutcome>> {
    let mut outcomes = Vec::with_capacity(planned.len());
    for one in planned {
        outcomes.push(estimate(one, seed, rounds)?);
    }
    decide(&mut outcomes.iter_mut().collect::<Vec<_>>())?;
    Ok(outcomes)
}

fn estimate(planned: Preregistered, seed: u64, rounds: &Rounds) -> Result<PrimaryOutcome> {
    let (samples, reason) = match planned.units {
        Ok(units) => (units, "no answer has a value".to_owned()),
        Err(reason) => (Vec::new(), reason),
    };
    let unmasked = planned.unmasked.unwrap_or_default();
    let described = [
        planned.name,
        planned.contrast,
        planned.unit,
        planned.direction,
    ];
    let mut outcome = PrimaryOutcome {
        units: samples.iter().map(Unit::from_samples).collect(),
        left_out: planned.left_out,
        doubt: planned.doubt,
        ..PrimaryOutcome::unfound(described, Verdict::CantTell(reason))
    };
    if samples.is_empty() {
        return Ok(outcome);
    }
    let tested = match Tested::from_units(&outcome.units) {
        Ok(tested) => tested,
        Err(error) => {
            outcome.verdict = Verdict::CantTell(error.message().to_owned());
            return Ok(outcome);
        }
    };
    if matches!(outcome.doubt, None | Some(Doubt::Change(_)))
        && let Some(doubt) = reads_masked(&outcome, &unmasked, seed)
    {
        outcome.doubt = Some(doubt);
    }
    let noise = match &outcome.doubt {
        Some(Doubt::Change(_)) => None,
        _ => floor(&samples, rounds, seed)?,
    };
    tested.fill(&mut outcome, planned.margin, rounds, seed)?;
    outcome.interval = outcome
        .interval
        .map(|interval| within(interval, planned.range, &outcome.units));
    outcome.noise_floor = noise.map(|noise| noise.of_mean_95);
    let templates = outcome
        .units
        .iter()
        .map(|unit| unit.by_template().len())
        .max();
    let templates = templates.unwrap_or(1) as f64;
    outcome.noise_of_unit = noise.map(|noise| noise.of_unit / templates.sqrt());
    Ok(outcome)
}

/// The doubt about a measure of masked answers that finds no difference, while unmasked ones would show
/// one because of the masked words.
fn reads_masked(outcome: &PrimaryOutcome, unmasked: &[UnitSamples], seed: u64) -> Option<Doubt> {
    let unmasked: Vec<Unit> = unmasked.iter().map(Unit::from_samples).collect();
    let shift = |unit: &Unit| Some(unit.minus(outcome.unit(&unit.occupation)?));
    let shifts: Vec<Unit> = unmasked.iter().filter_map(shift).collect();
    let shows =
        |units: &[Unit]| Tested::from_units(units).is_ok_and(|tested| tested.p(seed) <= ALPHA);
    (shows(&shifts) && shows(&unmasked)).then(|| {
        Doubt::Absence(format!(
            "'{}' reads words that are masked: the answers as they came would differ, because of these \
             words; wrap it in `Raw(..)`, or let it return true for `expects_masked`",
            sanitize_line(&outcome.name, 40)
        ))
    })
}

/// The differences that are tested: one for each occupation, and their mean over several templates.
pub(super) struct Tested {
    differences: Differences,
    crossed: Option<CrossedMean>,
}

impl Tested {
    /// # Errors
    /// Too few of the occupations have a value with each template.
    pub(super) fn from_units(units: &[Unit]) -> Result<Self> {
        let tables: Vec<Vec<Option<f64>>> = units.iter().map(Unit::by_template).collect();
        if tables.len() < 2 || tables.iter().all(|table| table.len() < 2) {
            let first: Vec<f64> = units.iter().map(|unit| unit.first).collect();
            let second: Vec<f64> = units.iter().map(|unit| unit.second).collect();
            return Ok(Self {
                differences: Differences::between(&first, &second)?,
                crossed: None,
            });
        }
        let table = CrossedDifferences::new(&tables)?;
        Ok(Self {
            differences: Differences::new(table.row_means())?,
            crossed: table.tested(),
        })
    }

    /// The p-value of the test.
    pub(super) fn p(&self, seed: u64) -> f64 {
        let [p, _] = self.p_values(&PrimaryTest::new(&self.differences, seed));
        p
    }

    /// The p-values of the test, and of sign flips in its place.
    fn p_values(&self, test: &PrimaryTest<'_>) -> [f64; 2] {
        let crossed_p = self.crossed.map_or(0.0, |crossed| crossed.p());
        test.p_values().map(|p| p.max(crossed_p))
    }

    /// Writes what was found into the outcome: with several templates, the larger p-value of the test
    /// over occupations and of the test over both occupations and templates.
    pub(super) fn fill(
        &self,
        outcome: &mut PrimaryOutcome,
        margin: Option<f64>,
        rounds: &Rounds,
        seed: u64,
    ) -> Result<()> {
        let test = PrimaryTest::new(&self.differences, seed);
        outcome.estimate = Some(self.differences.mean());
        outcome.interval = self.interval(rounds, seed)?;
        let [p, sign_flip_p] = self.p_values(&test);
        outcome.p = Some(p);
        outcome.sign_flip_p = Some(sign_flip_p);
        outcome.skewness = test.skewness();
        outcome.d_z = self.differences.d_z();
        outcome.margin = margin.map(|size| self.margin(&test, size)).transpose()?;
        Ok(())
    }

    fn margin(&self, test: &PrimaryTest<'_>, size: f64) -> Result<Margin> {
        let tested = test.against(size)?;
        let [inside, outside] = self
            .crossed
            .map_or([0.0; 2], |crossed| crossed.against(size));
        Ok(Margin {
            size,
            within_p: tested.within.map(|p| p.max(inside)),
            adjusted_within_p: None,
            beyond_p: tested.beyond.max(outside),
            adjusted_beyond_p: None,
        })
    }

    /// The interval, if there are enough differences and they are not all equal: over occupations,
    /// and over occupations and templates if there are several.
    fn interval(&self, rounds: &Rounds, seed: u64) -> Result<Option<Interval>> {
        let differences = &self.differences;
        if differences.units() < 6 || differences.standard_error().is_none() {
            return Ok(None);
        }
        let over_occupations = primary_interval(differences, rounds.interval, seed)?;
        let Some(crossed) = self.crossed else {
            return Ok(Some(over_occupations));
        };
        let over_both = crossed.interval(PRIMARY_LEVEL)?;
        Ok(Some(Interval {
            low: over_occupations.low.min(over_both.low),
            high: over_occupations.high.max(over_both.high),
            level: PRIMARY_LEVEL,
        }))
    }
}

/// Clips an interval to the possible values: a share is at most 1, minus the value that it is
/// compared with.
fn within(interval: Interval, range: Option<[f64; 2]>, units: &[Unit]) -> Interval {
    let Some([least, most]) = range else {
        return interval;
    };
    let against = units.iter().map(|unit| unit.second).sum::<f64>() / units.len() as f64;
    Interval {
        low: interval.low.max(least - against),
        high: interval.high.min(most - against),
        ..interval
    }
}

/// The noise floor from the cells with several samples, if these are at least half of all. A cell is
/// an occupation with a template.
fn floor(units: &[UnitSamples], rounds: &Rounds, seed: u64) -> Result<Option<NoiseFloor>> {
    let cells: Vec<&[Vec<f64>; 2]> = units.iter().flat_map(UnitSamples::cells).collect();
    let shows = |cell: &&&[Vec<f64>; 2]| cell.iter().all(|samples| samples.len() > 1);
    let showing: Vec<&[Vec<f64>; 2]> = cells.iter().filter(shows).copied().collect();
    (2 * showing.len() >= cells.len())
        .then(|| {
            let side = |side: usize| showing.iter().filter_map(move |cell| cell.get(side));
            let pairs = Pairs::new(Samples::new(side(0))?, Samples::new(side(1))?)?;
            noise_floor(&pairs, rounds.noise, seed)
        })
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::{Interval, Unit, within};

    #[test]
    fn an_interval_of_shares_ends_where_shares_do() {
        let unit = |second| Unit {
            occupation: "nurse".to_owned(),
            first: 1.0,
            second,
            variance: None,
            answer_variance: None,
            answers: [1; 2],
            templates: Vec::new(),
            cells: Vec::new(),
        };
        let wide = Interval {
            low: -3.0,
            high: 1.84,
            level: 0.95,
        };
        let units = [unit(0.5), unit(0.3)];
        let clipped = within(wide, Some([0.0, 1.0]), &units);
        insta::assert_snapshot!(clipped, @"[-0.400, 0.600]");
        assert_eq!(within(wide, None, &units), wide);
    }
}
