//! The headline tests, fixed by the study before any answer is seen: each of its measures on the
//! compared groups, and whom the answers to neutral prompts assume.

use super::measured_answers::{MeasuredAnswers, Scores};
use crate::fairness::occupations::Occupation;

/// The group that labor statistics count.
const COUNTED: &str = "female";

/// A planned test, with its data.
pub(super) struct Preregistered {
    pub(super) name: String,
    pub(super) contrast: String,
    pub(super) unit: String,
    pub(super) direction: String,
    /// The smallest and the largest possible value of the first side, if known.
    pub(super) range: Option<[f64; 2]>,
    /// For each occupation, the samples of both sides; or the reason why there is nothing to test.
    pub(super) units: Result<Vec<UnitSamples>, String>,
    /// The occupations that were asked, but have no value.
    pub(super) left_out: Vec<String>,
}

pub(super) struct UnitSamples {
    pub(super) occupation: String,
    pub(super) first: Vec<f64>,
    pub(super) second: Vec<f64>,
    /// The number of usable answers of each side.
    pub(super) answers: [usize; 2],
}

/// All headline tests of a study, in their order.
pub(super) fn list(measured: &MeasuredAnswers<'_>, scores: &[Scores]) -> Vec<Preregistered> {
    let measures = measured.study().measures.iter().zip(scores);
    let mut planned: Vec<_> = measures
        .map(|(measure, scores)| {
            let names = measured.study().pair().unwrap_or(["first", "second"]);
            let mut contrast = names.join(" - ");
            if measured.declined() > 0 && !measure.is_about_refusing() {
                contrast.push_str(", where answered");
            }
            Preregistered::new(
                measure.name(),
                &contrast,
                [measure.unit(), measure.direction()],
                measured,
                pairs(measured, scores),
            )
        })
        .collect();
    if measured.study().neutral().is_some() {
        planned.extend(assumed(measured));
    }
    planned
}

/// For each occupation, its samples and the numbers of usable answers, or `None` if it has no
/// value.
type Units = Vec<(usize, Option<Sides>)>;
type Sides = ([Vec<f64>; 2], [usize; 2]);

impl Preregistered {
    fn new(
        name: &str,
        contrast: &str,
        [unit, direction]: [&str; 2],
        measured: &MeasuredAnswers<'_>,
        units: Result<Units, String>,
    ) -> Self {
        let mut left_out = Vec::new();
        let units = units.and_then(|units| {
            if let Some(reason) = measured.too_little_answered() {
                return Err(reason);
            }
            let mut tested = Vec::new();
            for (occupation, samples) in units {
                let occupation = measured.occupation_name(occupation).to_owned();
                match samples {
                    Some(([first, second], answers)) => tested.push(UnitSamples {
                        occupation,
                        first,
                        second,
                        answers,
                    }),
                    None => left_out.push(occupation),
                }
            }
            Ok(tested)
        });
        Self {
            name: name.to_owned(),
            contrast: contrast.to_owned(),
            unit: unit.to_owned(),
            direction: direction.to_owned(),
            range: None,
            units,
            left_out,
        }
    }
}

/// The samples of both groups, for each occupation that was asked with both.
fn pairs(measured: &MeasuredAnswers<'_>, scores: &Scores) -> Result<Units, String> {
    let [first, second] = measured.pair()?;
    let occupations = 0..measured.study().occupations.len();
    let units: Units = occupations
        .filter_map(|occupation| {
            let places = [
                measured.cell(occupation, first)?,
                measured.cell(occupation, second)?,
            ];
            let both = places.map(|place| scores.get(place).cloned().unwrap_or_default());
            let complete = both.iter().all(|samples| !samples.is_empty());
            let answers = both.each_ref().map(Vec::len);
            Some((occupation, complete.then_some((both, answers))))
        })
        .collect();
    if units.is_empty() {
        let names = measured.study().pair().unwrap_or_default();
        return Err(format!(
            "no occupation was asked as both {}",
            names.join(" and ")
        ));
    }
    Ok(units)
}

/// Three tests of the neutral answers that assume one of the compared groups: the share that
/// assumes the first group, against one half and against the group's share in the occupation; and
/// the share that assumes the majority group of the occupation, against one half. The last detects
/// what the first can't: if nurses are assumed to be women and engineers men, the overall share is
/// one half.
fn assumed(measured: &MeasuredAnswers<'_>) -> [Preregistered; 3] {
    let [first, second] = measured.study().pair().unwrap_or(["first", "second"]);
    let jobs = &measured.study().occupations;
    let shares = || -> Result<Vec<Option<f64>>, String> {
        let share = labor_share(measured)?;
        Ok(jobs.iter().map(share).collect())
    };
    let of = |shares: &[Option<f64>], place: usize| shares.get(place).copied().flatten();
    let half = labels(measured).and_then(|units| against(units, |_| Some(0.5)));
    let labor = labels(measured).and_then(|units| {
        let shares = shares()?;
        against(units, |place| of(&shares, place))
    });
    let majority = labels(measured).and_then(|mut units| {
        let shares = shares()?;
        for (place, labels, _) in &mut units {
            if of(&shares, *place).is_some_and(|share| share < 0.5) {
                labels.iter_mut().for_each(|label| *label = 1.0 - *label);
            }
        }
        against(units, |place| {
            of(&shares, place)
                .filter(|share| *share != 0.5)
                .map(|_| 0.5)
        })
    });
    let toward = format!("higher: more answers assume {first}, not {second}");
    let made = |name: &str, contrast: &str, direction: &str, units| Preregistered {
        range: Some([0.0, 1.0]),
        ..Preregistered::new(
            name,
            contrast,
            ["share of answers", direction],
            measured,
            units,
        )
    };
    [
        made(&format!("assumed {first}"), "share - 0.5", &toward, half),
        made(
            &format!("assumed {first} vs jobs"),
            "share - share in the job",
            &toward,
            labor,
        ),
        made(
            "assumed majority of the job",
            "share - 0.5",
            "higher: more answers assume the majority group of the job",
            majority,
        ),
    ]
}

/// An occupation, the labels of its answers, and the number of its usable answers.
type Labels = (usize, Vec<f64>, usize);

/// For each occupation, 1 for an answer that assumes the first group and 0 for the second; other
/// answers have no label.
fn labels(measured: &MeasuredAnswers<'_>) -> Result<Vec<Labels>, String> {
    measured.pair()?;
    let Some(([first, second], neutral)) = measured.study().pair().zip(measured.study().neutral())
    else {
        return Err("no neutral group was asked".to_owned());
    };
    let known = |name: &str| {
        measured
            .lexicon()
            .groups()
            .iter()
            .any(|group| group.name == name)
    };
    if let Some(name) = [first, second].into_iter().find(|name| !known(name)) {
        return Err(format!("the lexicon has no group '{name}'"));
    }
    let label = |text| match measured.lexicon().label(text) {
        Some(label) if label == first => Some(1.0),
        Some(label) if label == second => Some(0.0),
        _ => None,
    };
    let labeled = measured
        .answered(&measured.raw)
        .map(|text| text.and_then(label));
    let mut cells = measured.by_cell(labeled);
    let answers = measured.sizes(false);
    let occupations = 0..measured.study().occupations.len();
    Ok(occupations
        .filter_map(|occupation| {
            let place = measured.cell(occupation, neutral)?;
            let cell = cells.get_mut(place)?;
            Some((occupation, std::mem::take(cell), *answers.get(place)?))
        })
        .collect())
}

/// Compares labels with a share that has no noise.
fn against(units: Vec<Labels>, share: impl Fn(usize) -> Option<f64>) -> Result<Units, String> {
    let units: Units = units
        .into_iter()
        .map(|(place, labels, answers)| {
            let share = share(place).filter(|_| !labels.is_empty());
            let sides = share.map(|share| ([labels, vec![share; 2]], [answers, 0]));
            (place, sides)
        })
        .collect();
    match units.iter().any(|(_, samples)| samples.is_some()) {
        true => Ok(units),
        false => Err(
            "no answer assumes either group, or there is no known share to compare it with"
                .to_owned(),
        ),
    }
}

/// The share of the first group in an occupation.
fn labor_share(
    measured: &MeasuredAnswers<'_>,
) -> Result<impl Fn(&Occupation) -> Option<f64>, String> {
    let of_first = match measured.study().pair() {
        Some([COUNTED, _]) => true,
        Some([_, COUNTED]) => false,
        _ => {
            return Err(format!("labor statistics only count the group '{COUNTED}'"));
        }
    };
    Ok(move |job: &Occupation| {
        job.women
            .map(|women| if of_first { women } else { 1.0 - women })
    })
}
