//! Errors and warnings about the design of a study, before it is run.

use std::collections::{HashMap, HashSet};

use super::Study;
use super::grid::PERSON;
use crate::error::{Error, ErrorKind, Result};
use crate::fairness::statistics::Feasibility;
use crate::fairness::text::Text;
use crate::text::sanitize_line;

/// The fewest templates that show how much templates differ.
const MIN_TEMPLATES: usize = 6;

/// The significance level that all verdicts of a report share.
pub(in crate::fairness) const ALPHA: f64 = 0.05;

impl Study {
    /// Warnings about the design: why the study can't support a verdict, or how it will mislead.
    /// Empty for a sound study.
    pub fn warnings(&self) -> Vec<String> {
        let mut checks = Vec::new();
        checks.extend(self.confounded());
        checks.extend(self.too_small());
        checks.extend(self.few_templates());
        checks.extend(self.variants());
        if self.samples == 1 {
            checks.push(
                "one sample per prompt: how much answers to the same prompt vary is unknown, \
                 so there is no noise floor"
                    .to_owned(),
            );
        }
        checks.extend(self.unmasked());
        checks.extend(self.untested());
        checks
    }

    /// Fewer templates than show how much templates differ.
    fn few_templates(&self) -> Option<String> {
        let templates = self.templates.len();
        (2..MIN_TEMPLATES).contains(&templates).then(|| {
            format!(
                "{templates} templates hardly show how much templates differ, so that only large \
                 differences can be shown; use {MIN_TEMPLATES} or more"
            )
        })
    }

    /// Occupations and templates that differ in spelling alone, which count as several.
    fn variants(&self) -> Vec<String> {
        let jobs = self.occupations.iter().map(|job| job.name.as_str());
        let templates = self.templates.iter().map(String::as_str);
        let found = [
            ("occupations", spelled_alike(jobs)),
            ("templates", spelled_alike(templates)),
        ];
        let similar = found.into_iter().filter_map(|(what, alike)| {
            let [one, other] = alike?.map(|name| sanitize_line(name, 40));
            Some(format!(
                "the {what} '{one}' and '{other}' differ in spelling alone: they count as two, and \
                 their answers are not independent"
            ))
        });
        similar.collect()
    }

    /// Groups that are asked (and paid for), but are not part of any test.
    fn untested(&self) -> Option<String> {
        let [first, second] = self.compared.as_ref()?;
        let groups = self.groups.iter().filter(|group| !group.is_neutral());
        let others: Vec<_> = groups
            .filter(|group| group.name != *first && group.name != *second)
            .map(|group| format!("'{}'", sanitize_line(&group.name, 40)))
            .collect();
        (!others.is_empty()).then(|| {
            format!(
                "no primary test is about {}: they compare '{}' and '{}' alone; without \
                 `.compared(..)` all pairs are tested",
                others.join(", "),
                sanitize_line(first, 40),
                sanitize_line(second, 40)
            )
        })
    }

    /// The number of occupations that are asked with both compared groups.
    pub(crate) fn paired(&self) -> usize {
        let places = self.pair().map(|pair| pair.map(|name| self.place(name)));
        let Some([Some(first), Some(second)]) = places else {
            return 0;
        };
        let cells = self.cells();
        let with = |group: usize| -> HashSet<usize> {
            let cells = cells.iter().filter(|cell| cell.group == group);
            cells.map(|cell| cell.occupation).collect()
        };
        with(first).intersection(&with(second)).count()
    }

    fn confounded(&self) -> Option<String> {
        let [first, second] = self.pair()?;
        if self.paired() > 0 || self.place(first).is_none() || self.place(second).is_none() {
            return None;
        }
        Some(format!(
            "no occupation is asked as both {first} and {second}: a difference may be due to the \
             occupation or to the group (they are confounded)"
        ))
    }

    fn too_small(&self) -> Option<String> {
        let contrasts = self.contrasts().len().max(1);
        let tests = self.measures.len() * contrasts + if self.neutral().is_some() { 3 } else { 0 };
        let at_best = self.occupations.len();
        let reach = Feasibility::new(at_best, tests.max(1), ALPHA).ok()?;
        let needed = reach.needed();
        (!reach.supports_verdict())
            .then(|| format!("{reach}; {needed} occupations would do, more samples don't help"))
    }

    /// Adjectives that the lexicon does not know, which would remain in the compared texts.
    fn unmasked(&self) -> Option<String> {
        let known = |adjective: &str| {
            let text = Text::new(adjective);
            text.tokens()
                .all(|token| self.lexicon.group_of(token).is_some())
        };
        let groups = self.groups.iter().filter(|group| !group.is_neutral());
        let unknown: Vec<_> = groups
            .map(|group| group.adjective.trim())
            .filter(|adjective| !known(adjective))
            .map(|adjective| format!("'{}'", sanitize_line(adjective, 40)))
            .collect();
        (!unknown.is_empty()).then(|| {
            format!(
                "the lexicon does not know {}: answers that repeat it differ because of the prompt; \
                 give the groups' words with `.lexicon(..)`",
                unknown.join(", ")
            )
        })
    }

    /// Returns an error if the study can't be asked or measured at all.
    pub(super) fn check(&self) -> Result<()> {
        if self.occupations.is_empty() || self.groups.is_empty() {
            return Err(invalid_argument("a study needs an occupation and a group")
                .with_hint("`Study::new(occupations::first(12)?)` has both"));
        }
        if self.samples == 0 {
            return Err(invalid_argument("a study with 0 samples asks nothing"));
        }
        if self.temperature == 0.0 && self.samples > 1 {
            let message = format!(
                "at temperature 0 the {} samples of a prompt are all the same answer",
                self.samples
            );
            return Err(invalid_argument(message).with_hint(
                "use a temperature above 0, or `.samples(1)`, which gives no noise floor",
            ));
        }
        self.check_templates()?;
        unique(
            "occupation",
            self.occupations.iter().map(|job| job.name.as_str()),
        )?;
        unique("group", self.groups.iter().map(|group| group.name.as_str()))?;
        unique(
            "adjective",
            self.groups.iter().map(|group| group.adjective.trim()),
        )?;
        unique(
            "measure",
            self.measures.iter().map(|measure| measure.name()),
        )?;
        self.check_masked_measures()?;
        self.check_pair()?;
        self.check_margins()
    }

    fn check_templates(&self) -> Result<()> {
        if self.given.is_some() {
            return Ok(());
        }
        if self.templates.is_empty() {
            return Err(invalid_argument("a study without a template asks nothing")
                .with_hint("`templates::descriptions()` has six"));
        }
        if let Some(odd) = self.templates.iter().find(|one| !one.contains(PERSON)) {
            let message = match self.templates.len() {
                1 => "the template does not mention the person".to_owned(),
                _ => format!(
                    "the template {:?} does not mention the person",
                    sanitize_line(odd, 60)
                ),
            };
            return Err(invalid_argument(message)
                .with_hint("write `{person}` for the person: \"Describe {person}.\""));
        }
        unique("template", self.templates.iter().map(|one| one.trim()))
    }

    /// A measure whose words are masked finds none of them, which would look like no difference.
    fn check_masked_measures(&self) -> Result<()> {
        for measure in self.measures.iter().filter(|measure| !measure.reads_raw()) {
            let words = measure.looks_for();
            if let Some(word) = words.iter().find(|word| self.lexicon.masks(word)) {
                return Err(blinded(
                    measure.name(),
                    &format!("looks for '{}'", sanitize_line(word, 40)),
                ));
            }
        }
        Ok(())
    }

    fn check_pair(&self) -> Result<()> {
        let Some(pair) = &self.compared else {
            return Ok(());
        };
        let missing = pair.iter().find(|name| self.place(name).is_none());
        if let Some(name) = missing {
            let names: Vec<_> = self
                .groups
                .iter()
                .map(|group| group.name.as_str())
                .collect();
            let message = format!(
                "the study has no group '{}' to compare",
                sanitize_line(name, 40)
            );
            return Err(invalid_argument(message).with_hint(format!("it has {}", names.join(", "))));
        }
        if pair[0] == pair[1] {
            return Err(invalid_argument("a group can't be compared with itself"));
        }
        Ok(())
    }
}

/// The first two names that differ only in case, spaces or punctuation.
fn spelled_alike<'a>(names: impl Iterator<Item = &'a str>) -> Option<[&'a str; 2]> {
    let mut known: HashMap<String, &str> = HashMap::new();
    for name in names {
        let letters = name.chars().filter(|letter| letter.is_alphanumeric());
        let spelling = letters.flat_map(char::to_lowercase).collect();
        if let Some(other) = known.insert(spelling, name) {
            return Some([other, name]);
        }
    }
    None
}

/// The error for a measure whose words the study masks.
pub(in crate::fairness) fn blinded(measure: &str, why: &str) -> Error {
    let measure = sanitize_line(measure, 40);
    let message = format!(
        "the measure '{measure}' {why}, and the study masks the words of its groups before it measures"
    );
    invalid_argument(message).with_hint(
        "let it read the answers as they came, with `Raw(..)` around it (then it differs by what \
         was asked, too), or give the study another `.lexicon(..)`",
    )
}

fn unique<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            let message = format!(
                "the {what} '{}' occurs twice in the study",
                sanitize_line(name, 40)
            );
            return Err(invalid_argument(message));
        }
    }
    Ok(())
}

pub(super) fn invalid_argument(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Argument, message)
}
