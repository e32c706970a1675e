//! How well people agree with each other, and the measure with them.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::labels::bytes_of;
use super::{LabelSample, Labels};
use crate::error::{Error, ErrorKind, Result};
use crate::fairness::statistics::{Interval, Proportion, cohen_kappa};
use crate::text::sanitize_line;

const LEVEL: f64 = 0.95;

/// A measure validated against human labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Validation {
    /// What was judged: the name of a measure, or `person`.
    pub about: String,
    /// The number of answers that were drawn.
    pub drawn: usize,
    /// The people, each with the number of answers that they labeled.
    pub people: Vec<(String, usize)>,
    /// How well two people agree; `None` for one person.
    pub agreement: Option<Agreement>,
    /// The number of answers on which the accuracy is based: those with a label, on which all
    /// people agree.
    pub used: usize,
    /// Answers among these for which the measure has no score: it can't find them.
    pub unscored: usize,
    /// How well the measure finds each class.
    pub accuracy: Vec<ClassAccuracy>,
}

/// How well two people agree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Agreement {
    /// The share of answers with the same label, among those that both labeled.
    pub same: Rate,
    /// Cohen's kappa: see [`cohen_kappa`]; `None` if both always gave the same single label.
    pub kappa: Option<f64>,
    /// Its 95 % interval; `None` for perfect agreement.
    pub kappa_interval: Option<Interval>,
}

/// How well the measure finds a class of answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClassAccuracy {
    /// The class, such as `female`.
    pub class: String,
    /// Of the answers to which people gave the class, the share to which the measure gave it, too;
    /// `None` if people gave it to none.
    pub sensitivity: Option<Rate>,
    /// Of the answers to which the measure gave the class, the share to which people gave it, too;
    /// `None` if the measure gave it to none.
    pub precision: Option<Rate>,
}

/// A share, with Wilson's 95 % interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rate {
    /// How many.
    pub successes: u64,
    /// Of how many.
    pub trials: u64,
    /// Its 95 % interval.
    pub interval: Interval,
}

impl LabelSample {
    /// Reads filled-in sheets and compares them: one file or two files with a column of labels each,
    /// or one file with two. See [`compare`](Self::compare).
    ///
    /// # Errors
    /// The errors of [`read`](Self::read) and [`compare`](Self::compare); a file that can't be read,
    /// or is given twice.
    pub fn validate<P: AsRef<Path>>(
        &self,
        sheets: impl IntoIterator<Item = P>,
    ) -> Result<Validation> {
        let mut all = Vec::new();
        let mut seen = Vec::new();
        for path in sheets {
            let path = path.as_ref();
            let whole = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
            if seen.contains(&whole) {
                return Err(
                    invalid_argument(format!("{} is given twice", path.display()))
                        .with_hint("people agree with themselves: give the sheets of two people"),
                );
            }
            all.extend(self.read(&path.display().to_string(), &bytes_of(path)?)?);
            seen.push(whole);
        }
        self.compare(&all)
    }

    /// Compares the labels of one or two people with the measure, and of two people with each
    /// other.
    ///
    /// With two people, the measure is compared with the labels on which they agree. It looks a
    /// little better than it is, since the doubtful answers are left out; the agreement shows how
    /// many these are.
    ///
    /// # Errors
    /// Labels of nobody, or of more than two people; no answer with a label (of both, if there are
    /// two); no answer on which two people agree.
    pub fn compare(&self, people: &[Labels]) -> Result<Validation> {
        if !matches!(people.len(), 1 | 2) {
            let message = format!("there are labels of {} people", people.len());
            return Err(
                invalid_argument(message).with_hint("give the labels of one person or of two")
            );
        }
        if let Some(nobody) = people.iter().find(|one| one.is_empty()) {
            let message = format!(
                "{}: no answer is labeled",
                sanitize_line(&nobody.person, 200)
            );
            return Err(
                invalid_argument(message).with_hint("fill in the column `label` of the sheet")
            );
        }
        let judged = |row: usize| -> Option<Vec<usize>> {
            let labels = people.iter().map(|one| one.classes.get(&row).copied());
            labels.collect()
        };
        let judged: Vec<(usize, Vec<usize>)> = (0..self.rows().len())
            .filter_map(|row| Some((row, judged(row)?)))
            .collect();
        if judged.is_empty() {
            return Err(
                invalid_argument("no answer was labeled by both people".to_owned())
                    .with_hint("give both the same sheet"),
            );
        }
        let agreed: Vec<(usize, Option<usize>)> = judged
            .iter()
            .filter(|(_, labels)| labels.windows(2).all(|pair| pair.first() == pair.last()))
            .filter_map(|(row, labels)| Some((*labels.first()?, self.rows().get(*row)?.measured)))
            .collect();
        if agreed.is_empty() {
            return Err(
                invalid_argument("the two people agree on no answer".to_owned())
                    .with_hint("let them discuss what the labels mean, and label a new sample"),
            );
        }
        Ok(Validation {
            about: self.about.clone(),
            drawn: self.rows().len(),
            people: (people.iter())
                .map(|one| (one.person.clone(), one.len()))
                .collect(),
            agreement: agreement(&judged)?,
            used: agreed.len(),
            unscored: agreed
                .iter()
                .filter(|(_, measured)| measured.is_none())
                .count(),
            accuracy: self.accuracy(&agreed)?,
        })
    }

    fn accuracy(&self, agreed: &[(usize, Option<usize>)]) -> Result<Vec<ClassAccuracy>> {
        let count = |of: &dyn Fn(usize, Option<usize>) -> bool| {
            let rows = agreed
                .iter()
                .filter(|(label, measured)| of(*label, *measured));
            rows.count() as u64
        };
        let classes = self.classes().iter().take(self.sought).enumerate();
        classes
            .map(|(class, name)| {
                let hits = count(&|label, measured| label == class && measured == Some(class));
                let labeled = count(&|label, _| label == class);
                let found = count(&|_, measured| measured == Some(class));
                Ok(ClassAccuracy {
                    class: name.clone(),
                    sensitivity: Rate::from_counts(hits, labeled)?,
                    precision: Rate::from_counts(hits, found)?,
                })
            })
            .collect()
    }
}

/// The agreement of two people; `None` for one.
fn agreement(judged: &[(usize, Vec<usize>)]) -> Result<Option<Agreement>> {
    let pairs = judged
        .iter()
        .filter_map(|(_, labels)| match labels.as_slice() {
            [first, second] => Some((*first, *second)),
            _ => None,
        });
    let (first, second): (Vec<usize>, Vec<usize>) = pairs.unzip();
    let same = first
        .iter()
        .zip(&second)
        .filter(|(one, other)| one == other);
    let Some(same) = Rate::from_counts(same.count() as u64, first.len() as u64)? else {
        return Ok(None);
    };
    let kappa = cohen_kappa(&first, &second)?;
    let interval = kappa
        .map(|kappa| kappa.transformed_interval(LEVEL))
        .transpose()?;
    Ok(Some(Agreement {
        same,
        kappa: kappa.map(|kappa| kappa.value),
        kappa_interval: interval.flatten(),
    }))
}

impl Rate {
    /// `None` of nothing.
    fn from_counts(successes: u64, trials: u64) -> Result<Option<Self>> {
        if trials == 0 {
            return Ok(None);
        }
        Ok(Some(Self {
            successes,
            trials,
            interval: Proportion::new(successes, trials)?.wilson(LEVEL)?,
        }))
    }

    /// The share, from 0 to 1.
    pub fn rate(&self) -> f64 {
        self.successes as f64 / self.trials as f64
    }
}

fn invalid_argument(message: String) -> Error {
    Error::new(ErrorKind::Argument, message)
}
