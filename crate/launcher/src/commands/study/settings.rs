//! The file that describes a study.

use std::path::Path;
use std::sync::Arc;

use evenhand::Quota;
use evenhand::fairness::gate::{Gate, GateRule};
use evenhand::fairness::lexicon::Lexicon;
use evenhand::fairness::measures::{
    ContentSeverity, Length, Measure, OtherGroup, ProtectedMaterial, Refusal, Sentiment,
};
use evenhand::fairness::mitigation::MitigationPrompt;
use evenhand::fairness::occupations::{self, Occupation};
use evenhand::fairness::study::{Study, StudyAnswers};
use evenhand::fairness::templates;

use super::INVALID;
use super::fields::{Field, Fields};
use crate::error::{Failure, Result};

/// All fields of the file.
const FIELDS: [&str; 18] = [
    "occupations",
    "templates",
    "groups",
    "compared",
    "lexicon",
    "measures",
    "margins",
    "samples",
    "seed",
    "temperature",
    "max_tokens",
    "system",
    "mitigations",
    "deployment",
    "quota",
    "concurrency",
    "gate",
    "comment",
];

/// How often each prompt is asked, unless the file says otherwise.
const SAMPLES: u16 = 10;

/// What the file describes.
pub(super) struct StudySettings {
    pub(super) study: Study,
    pub(super) gate: Gate,
    pub(super) deployment: Option<String>,
    pub(super) quota: Option<Quota>,
    pub(super) concurrency: Option<usize>,
}

impl StudySettings {
    /// Reads the file and checks the whole study, so that nothing is asked in vain.
    ///
    /// # Errors
    /// A file that can't be read or is not a JSON object; a field that is unknown, has a wrong value,
    /// or makes the study invalid.
    pub(super) fn read_file(file: &Path) -> Result<Self> {
        let mut fields = Fields::read_file(file)?;
        let (study, samples) = study(file, &mut fields)?;
        let settings = Self {
            gate: match fields.take_field("gate") {
                Some(gate) => self::gate(gate)?,
                None => Gate::default(),
            },
            deployment: (fields.take_field("deployment"))
                .map(|name| name.text("the name of a deployment"))
                .transpose()?,
            quota: fields.take_field("quota").map(quota).transpose()?,
            concurrency: (fields.take_field("concurrency"))
                .map(|number| number.count())
                .transpose()?,
            study,
        };
        // JSON has no comments.
        fields.take_field("comment");
        fields.end(&FIELDS)?;
        settings.check(file, samples)?;
        Ok(settings)
    }

    fn check(&self, file: &Path, samples: usize) -> Result<()> {
        let refused =
            |error: evenhand::Error| Failure::from(error).at(file.display()).exit_with(INVALID);
        // Answers are not needed to find out whether a study is valid.
        let answers = vec![None::<String>; self.study.cells().len() * samples];
        StudyAnswers::from_texts(self.study.clone(), answers).map_err(refused)?;
        self.gate.check_for(&self.study).map_err(refused)
    }
}

/// The study, and how often it asks each prompt.
fn study(file: &Path, fields: &mut Fields) -> Result<(Study, usize)> {
    let jobs = fields.take_field("occupations").ok_or_else(|| {
        super::fields::invalid(format!("{}: occupations is missing", file.display()))
            .hint("give a number, such as 20, or a list of names")
    })?;
    let mut study = Study::new(occupations(jobs)?);
    if let Some(field) = fields.take_field("templates") {
        study = study.templates(prompts(field)?);
    }
    if let Some(field) = fields.take_field("groups") {
        study = study.groups(groups(field)?);
    }
    let words = fields.take_field("lexicon").map(lexicon).transpose()?;
    if let Some(words) = &words {
        study = study.lexicon(words.clone());
    }
    if let Some(field) = fields.take_field("measures") {
        let none: [Arc<dyn Measure>; 0] = [];
        study = study.measures(none);
        let words = words.unwrap_or_else(Lexicon::gender);
        for name in field.list("a list of measures")? {
            study = study.measure(measure(name, &words)?);
        }
    }
    if let Some(field) = fields.take_field("margins") {
        for (test, margin) in field
            .object("a margin for each test, such as {\"length\": 5}")?
            .all()
        {
            study = study.margin(test, margin.number()?);
        }
    }
    if let Some(field) = fields.take_field("compared") {
        let what = "the names of two groups";
        let names = field.list(what)?;
        let names: Vec<_> = names
            .into_iter()
            .map(|name| name.text(what))
            .collect::<Result<_>>()?;
        let [first, second] = <[String; 2]>::try_from(names).map_err(|names| {
            super::fields::invalid(format!(
                "{}: compared has {} names, expected {what}",
                file.display(),
                names.len()
            ))
        })?;
        study = study.compared(first, second);
    }
    asking(study, fields)
}

/// How the prompts are asked.
fn asking(study: Study, fields: &mut Fields) -> Result<(Study, usize)> {
    let samples = fields
        .take_field("samples")
        .map(|field| field.count())
        .transpose()?;
    let samples: u16 = samples.unwrap_or(SAMPLES);
    let mut study = study.samples(samples.into());
    if let Some(field) = fields.take_field("seed") {
        study = study.seed(field.whole()?);
    }
    if let Some(field) = fields.take_field("temperature") {
        let temperature = field.number()?;
        if !(0.0..=2.0).contains(&temperature) {
            return Err(field.expected("a number from 0 to 2"));
        }
        study = study.temperature(temperature);
    }
    if let Some(field) = fields.take_field("max_tokens") {
        study = study.max_tokens(field.count()?);
    }
    if let Some(field) = fields.take_field("system") {
        study = study.system(field.text("a string")?);
    }
    if let Some(field) = fields.take_field("mitigations") {
        for name in field.list("a list of mitigations")? {
            study = study.mitigate(mitigation(name)?);
        }
    }
    Ok((study, samples.into()))
}

fn occupations(field: Field) -> Result<Vec<Occupation>> {
    if field.is_number() {
        let count = field.count()?;
        return occupations::first(count).map_err(|error| field.refused(error));
    }
    let known = occupations::all();
    let names = field.texts("a number or a list of names")?;
    let occupation = |name: String| {
        let same = known.iter().find(|one| one.name == name);
        same.cloned().unwrap_or_else(|| Occupation::new(name))
    };
    Ok(names.into_iter().map(occupation).collect())
}

fn prompts(field: Field) -> Result<Vec<String>> {
    let what = "a list of prompts, \"descriptions\" or \"stories\"";
    if !field.is_text() {
        return field.texts(what);
    }
    let owned = |prompts: &[&str]| prompts.iter().map(|prompt| (*prompt).to_owned()).collect();
    match field.value_text() {
        Some("descriptions") => Ok(owned(&templates::descriptions())),
        Some("stories") => Ok(owned(&templates::stories())),
        _ => Err(field.expected(what)),
    }
}

fn groups(field: Field) -> Result<Vec<(String, String)>> {
    let groups = field.object("the groups, each with its adjective: {\"young\": \"young\"}")?;
    let groups = groups.all().map(|(name, adjective)| {
        Ok((
            name,
            adjective.any_text("an adjective, empty for the neutral group")?,
        ))
    });
    groups.collect()
}

fn lexicon(field: Field) -> Result<Lexicon> {
    let what = "[\"gender\"], [\"gender\", \"names\"], or the words of each group";
    if field.is_object() {
        let place = Field::clone(&field);
        let mut text = String::new();
        for (group, words) in field.object(what)?.all() {
            if group.contains(['[', ']', ',', '\n', '\r', '#']) {
                return Err(words.expected("words of a group whose name has no brackets or commas"));
            }
            let words = words.texts("a list of words")?;
            text.push_str(&format!("[{group}]\n{}\n", words.join(" ")));
        }
        return Lexicon::parse(&text).map_err(|error| place.refused(error));
    }
    let mut lexicon: Option<Lexicon> = None;
    for name in field.list(what)? {
        let next = match name.value_text() {
            Some("gender") => Lexicon::gender(),
            Some("names") => Lexicon::names(),
            _ => return Err(name.expected("\"gender\" or \"names\"")),
        };
        lexicon = Some(match lexicon {
            None => next,
            Some(lexicon) => lexicon.and(&next).map_err(|error| name.refused(error))?,
        });
    }
    Ok(lexicon.unwrap_or_else(Lexicon::gender))
}

fn measure(field: Field, words: &Lexicon) -> Result<Arc<dyn Measure>> {
    let measures: [Arc<dyn Measure>; 12] = [
        Arc::new(Sentiment::Compound),
        Arc::new(Sentiment::Positive),
        Arc::new(Sentiment::Negative),
        Arc::new(Length),
        Arc::new(Refusal),
        Arc::new(OtherGroup::new(words)),
        Arc::new(ContentSeverity::Hate),
        Arc::new(ContentSeverity::SelfHarm),
        Arc::new(ContentSeverity::Sexual),
        Arc::new(ContentSeverity::Violence),
        Arc::new(ContentSeverity::Highest),
        Arc::new(ProtectedMaterial),
    ];
    let names: Vec<_> = measures
        .iter()
        .map(|one| format!("\"{}\"", one.name()))
        .collect();
    let expected = format!("one of {}", names.join(", "));
    let same = |one: &Arc<dyn Measure>| Some(one.name()) == field.value_text();
    let found = measures.iter().find(|one| same(one)).cloned();
    found.ok_or_else(|| field.expected(&expected))
}

fn mitigation(field: Field) -> Result<MitigationPrompt> {
    let same = |prompt: &MitigationPrompt| Some(prompt.name()) == field.value_text();
    let found = MitigationPrompt::ALL.into_iter().find(same);
    found.ok_or_else(|| field.expected("\"neutral\", \"few_shot\" or \"self_critique\""))
}

fn gate(field: Field) -> Result<Gate> {
    let mut fields = field.object("{\"fail_on\": [..], \"tests\": [..]}")?;
    let mut gate = Gate::default();
    if let Some(field) = fields.take_field("fail_on") {
        let rules = field.list("a list of rules")?.into_iter();
        gate = gate.fail_on(rules.map(rule).collect::<Result<Vec<_>>>()?);
    }
    if let Some(field) = fields.take_field("tests") {
        gate = gate.tests(field.texts("the names of tests")?);
    }
    fields.end(&["fail_on", "tests"])?;
    Ok(gate)
}

fn rule(field: Field) -> Result<GateRule> {
    let same = |rule: &GateRule| Some(rule.name()) == field.value_text();
    let found = GateRule::ALL.into_iter().find(same);
    found.ok_or_else(|| field.expected("\"differs\", \"beyond_margin\" or \"cant_tell\""))
}

fn quota(field: Field) -> Result<Quota> {
    let place = Field::clone(&field);
    let mut fields = field.object("{\"tpm\": .., \"rpm\": ..}")?;
    let count = |field: Option<Field>| field.map(|field| field.count()).transpose();
    let (tokens, requests) = (
        count(fields.take_field("tpm"))?,
        count(fields.take_field("rpm"))?,
    );
    fields.end(&["tpm", "rpm"])?;
    match (tokens, requests) {
        (Some(tokens), None) => Ok(Quota::tpm(tokens)),
        (Some(tokens), Some(requests)) => Ok(Quota::tpm(tokens).with_rpm(requests)),
        (None, Some(requests)) => Ok(Quota::rpm(requests)),
        (None, None) => Err(place.expected("`tpm` or `rpm`, or both")),
    }
}
