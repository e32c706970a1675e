//! The primary tests, fixed by the study before any answer is seen: each of its measures on the
//! compared groups, and whom the answers to neutral prompts assume.

use super::doubt::Doubt;
use super::measured_answers::MeasuredAnswers;
use super::scores::{MeasureScores, Scores};
use crate::fairness::occupations::{COUNTED_GROUP, Occupation};
use crate::fairness::study::Contrast;

/// A planned test, with its data.
pub(super) struct Preregistered {
    pub(super) name: String,
    pub(super) contrast: String,
    pub(super) unit: String,
    pub(super) direction: String,
    /// The difference that is too small to matter, if one was fixed.
    pub(super) margin: Option<f64>,
    /// The smallest and the largest possible value of the first side, if known.
    pub(super) range: Option<[f64; 2]>,
    /// For each occupation, the samples of both sides; or the reason why there is nothing to test.
    pub(super) units: Result<Vec<UnitSamples>, String>,
    /// The occupations that were asked, but have no value.
    pub(super) left_out: Vec<String>,
    /// The units of unmasked answers, if they differ although the measure should not have seen it.
    pub(super) unmasked: Option<Vec<UnitSamples>>,
    /// Why it allows no conclusion.
    pub(super) doubt: Option<Doubt>,
}

pub(super) struct UnitSamples {
    pub(super) occupation: String,
    /// For each template, the samples of both sides; `None` if one of them has no score.
    pub(super) by_template: Vec<Option<[Vec<f64>; 2]>>,
    /// The number of usable answers of each side, for each template.
    pub(super) answers: Vec<[usize; 2]>,
}

impl UnitSamples {
    /// The samples of both sides for the templates that have a value.
    pub(super) fn cells(&self) -> impl Iterator<Item = &[Vec<f64>; 2]> {
        self.by_template.iter().flatten()
    }
}

/// All primary tests of a study, in their order.
pub(super) fn list(measured: &MeasuredAnswers<'_>, scores: &[MeasureScores]) -> Vec<Preregistered> {
    let mut contrasts = measured.study().contrasts();
    if contrasts.is_empty() {
        let names = ["first", "second"];
        contrasts.push(Contrast {
            names,
            pairs: vec![names],
        });
    }
    let measures = measured.study().measures.iter().zip(scores);
    let tests = measures.flat_map(|one| contrasts.iter().map(move |contrast| (one, contrast)));
    let mut planned: Vec<_> = tests
        .map(|((measure, scores), compared)| {
            let mut contrast = compared.label();
            let all_answered = measured.declined() == 0 && measured.withheld.is_empty();
            if !all_answered && !measure.is_about_refusing() {
                contrast.push_str(", where answered");
            }
            let planned = |scores: &Scores| {
                Preregistered::new(
                    measure.name(),
                    &contrast,
                    [measure.unit(), measure.direction()],
                    measured,
                    units_of(measured, scores, compared),
                )
            };
            let unmasked = scores.unmasked.as_ref().map(planned);
            Preregistered {
                unmasked: unmasked.and_then(|planned| planned.units.ok()),
                doubt: measured.doubt_about(compared),
                ..planned(&scores.scores)
            }
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
type Sides = (Vec<Option<[Vec<f64>; 2]>>, Vec<[usize; 2]>);

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
                    Some((by_template, answers)) => tested.push(UnitSamples {
                        occupation,
                        by_template,
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
            margin: measured.study().margins().remove(name),
            range: None,
            units,
            left_out,
            unmasked: None,
            doubt: None,
        }
    }
}

/// The samples of both sides, for each occupation that was asked with all groups of the contrast.
fn units_of(
    measured: &MeasuredAnswers<'_>,
    scores: &Scores,
    contrast: &Contrast<'_>,
) -> Result<Units, String> {
    if measured.study().pairs().is_empty() {
        measured.pair()?;
    }
    let pairs: Vec<[usize; 2]> = contrast
        .pairs
        .iter()
        .map(|names| measured.of_names(*names))
        .collect::<Result<_, _>>()?;
    // The samples of one side, for each pair.
    let side = |occupation: usize, template: usize, side: usize| -> Option<Vec<Vec<f64>>> {
        let groups = pairs.iter().filter_map(|pair| pair.get(side));
        let cells = groups.map(|group| measured.cell(occupation, template, *group));
        cells
            .map(|cell| cell.map(|place| scores.get(place).cloned().unwrap_or_default()))
            .collect()
    };
    let occupations = 0..measured.study().occupations.len();
    let units: Units = occupations
        .filter_map(|occupation| {
            let asked: Vec<[Vec<f64>; 2]> = measured
                .templates()
                .filter_map(|template| {
                    let first = side(occupation, template, 0)?;
                    Some([pooled(first), pooled(side(occupation, template, 1)?)])
                })
                .collect();
            (!asked.is_empty()).then(|| (occupation, sides(asked)))
        })
        .collect();
    if units.is_empty() {
        return Err(format!(
            "no occupation was asked as both {}",
            contrast.names.join(" and ")
        ));
    }
    Ok(units)
}

/// The samples of several groups as if they were of one, whose mean is the mean of the groups' means
/// and whose variance is that within the groups; empty if one has none. The deviations are enlarged
/// for the degrees of freedom that the other means cost.
fn pooled(mut groups: Vec<Vec<f64>>) -> Vec<f64> {
    if groups.len() == 1 {
        return groups.pop().unwrap_or_default();
    }
    if groups.iter().any(Vec::is_empty) {
        return Vec::new();
    }
    let mean_of = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let means: Vec<f64> = groups.iter().map(|values| mean_of(values)).collect();
    let mean = mean_of(&means);
    let count: usize = groups.iter().map(Vec::len).sum();
    if count == groups.len() {
        return vec![mean];
    }
    let scale = ((count - 1) as f64 / (count - groups.len()) as f64).sqrt();
    let values = groups.iter().zip(&means);
    values
        .flat_map(|(values, own)| values.iter().map(move |value| mean + scale * (value - own)))
        .collect()
}

/// The samples by template, if one of them has a value on both sides.
fn sides(asked: Vec<[Vec<f64>; 2]>) -> Option<Sides> {
    let is_complete = |cell: &[Vec<f64>; 2]| cell.iter().all(|samples| !samples.is_empty());
    let answers = asked.iter().map(|cell| cell.each_ref().map(Vec::len));
    let answers = answers.collect();
    let by_template: Vec<_> = asked
        .into_iter()
        .map(|cell| is_complete(&cell).then_some(cell))
        .collect();
    let any = by_template.iter().any(Option::is_some);
    any.then_some((by_template, answers))
}

/// Three tests of the neutral answers that assume one of the compared groups: the share that
/// assumes the first group, against one half and against the group's share in the occupation; and
/// the share that assumes the majority group of the occupation, against one half. The last detects
/// what the first can't: if nurses are assumed to be women and engineers men, the overall share is
/// one half.
fn assumed(measured: &MeasuredAnswers<'_>) -> [Preregistered; 3] {
    let [first, second] = measured
        .study()
        .assumed_pair()
        .unwrap_or(["first", "second"]);
    let [name, name_vs_jobs, name_majority] = measured.study().assumed_names();
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
        for unit in &mut units {
            if of(&shares, unit.occupation).is_some_and(|share| share < 0.5) {
                let labels = unit.by_template.iter_mut().flatten();
                labels.for_each(|label| *label = 1.0 - *label);
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
        doubt: measured.copied(),
        ..Preregistered::new(
            name,
            contrast,
            ["share of answers", direction],
            measured,
            units,
        )
    };
    [
        made(&name, "share - 0.5", &toward, half),
        made(&name_vs_jobs, "share - share in the job", &toward, labor),
        made(
            &name_majority,
            "share - 0.5",
            "higher: more answers assume the majority group of the job",
            majority,
        ),
    ]
}

/// The labels of the answers about an occupation.
struct Labels {
    occupation: usize,
    /// For each template, 1 for an answer that assumes the first group and 0 for the second; other
    /// answers have no label.
    by_template: Vec<Vec<f64>>,
    /// The number of its usable answers, for each template.
    answers: Vec<usize>,
}

/// The labels of the answers about each occupation.
fn labels(measured: &MeasuredAnswers<'_>) -> Result<Vec<Labels>, String> {
    measured.pair()?;
    let Some(([first, second], neutral)) = measured
        .study()
        .assumed_pair()
        .zip(measured.study().neutral())
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
    let cells = measured.by_cell(labeled);
    let answers = measured.sizes(false);
    let occupations = 0..measured.study().occupations.len();
    Ok(occupations
        .filter_map(|occupation| {
            let templates = measured.templates();
            let places: Vec<usize> = templates
                .filter_map(|template| measured.cell(occupation, template, neutral))
                .collect();
            let own = places.iter().filter_map(|place| cells.get(*place).cloned());
            (!places.is_empty()).then(|| Labels {
                occupation,
                by_template: own.collect(),
                answers: places
                    .iter()
                    .filter_map(|place| answers.get(*place).copied())
                    .collect(),
            })
        })
        .collect())
}

/// Compares labels with a share that has no noise.
fn against(units: Vec<Labels>, share: impl Fn(usize) -> Option<f64>) -> Result<Units, String> {
    let units: Units = units
        .into_iter()
        .map(|unit| {
            let sides = share(unit.occupation).and_then(|share| {
                let by_template = unit.by_template.into_iter();
                let cells = by_template.map(|labels| [labels, vec![share; 2]]);
                let (by_template, _) = sides(cells.collect())?;
                let answers = unit.answers.iter().map(|answers| [*answers, 0]);
                Some((by_template, answers.collect()))
            });
            (unit.occupation, sides)
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
    let of_first = match measured.study().assumed_pair() {
        Some([COUNTED_GROUP, _]) => true,
        Some([_, COUNTED_GROUP]) => false,
        _ => {
            return Err(format!(
                "labor statistics only count the group '{COUNTED_GROUP}'"
            ));
        }
    };
    Ok(move |job: &Occupation| {
        job.women
            .map(|women| if of_first { women } else { 1.0 - women })
    })
}
