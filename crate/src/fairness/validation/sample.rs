//! Drawing the answers to label.

use std::fmt;

use ring::digest::{SHA256, digest};

use crate::error::{Error, ErrorKind, Result};
use crate::fairness::measures::Measure;
use crate::fairness::study::Study;
use crate::fairness::text::Text;
use crate::random::Random;
use crate::text::sanitize_line;

/// The name of the question whom a text is about.
const PERSON: &str = "person";

/// The class of a text that is not about a person of any group.
const UNCLEAR: &str = "unclear";

/// The letters of a row's name: no vowels, so that it is not a word, and no digits, since a spreadsheet
/// turns `1e23` into a number.
const LETTERS: &[u8; 20] = b"bcdfghjkmnpqrstvwxyz";
const NAME_LENGTH: usize = 10;

/// Answers for people to label, drawn by [`Report::sample_to_label`](crate::fairness::report::Report::sample_to_label).
#[derive(Clone)]
pub struct LabelSample {
    pub(super) about: String,
    question: String,
    pub(super) classes: Vec<String>,
    /// How many classes, from the first on, the measure is to find.
    pub(super) sought: usize,
    rows: Vec<LabelRow>,
}

/// An answer to label.
#[derive(Clone)]
#[non_exhaustive]
pub struct LabelRow {
    /// The row's name in the sheet, which says nothing about the answer.
    pub name: String,
    /// The text to judge. It comes from a model: escape it before display.
    pub text: String,
    /// The index of the class that the measure assigned; `None` if it has no score.
    pub(super) measured: Option<usize>,
}

impl LabelSample {
    /// Draws `n` of these texts, of which each is about a person.
    pub(in crate::fairness) fn of_person(
        study: &Study,
        texts: Vec<Text>,
        n: usize,
    ) -> Result<Self> {
        let lexicon = &study.lexicon;
        let groups = lexicon.groups().iter().map(|group| group.name.clone());
        let mut classes: Vec<String> = groups.collect();
        let sought = classes.len();
        classes.push(UNCLEAR.to_owned());
        let drawn = draw(texts, PERSON, study.seed, n)?;
        let class = |text: &Text| {
            let label = lexicon.label(text).unwrap_or(UNCLEAR);
            classes.iter().position(|class| class == label)
        };
        let rows = drawn
            .into_iter()
            .map(|(name, text)| LabelRow {
                name,
                measured: class(&text),
                text: text.answer().to_owned(),
            })
            .collect();
        Ok(Self {
            about: PERSON.to_owned(),
            question: "Whom is the text about?".to_owned(),
            classes,
            sought,
            rows,
        })
    }

    /// Draws `n` of these texts, which the measure scores.
    pub(in crate::fairness) fn of_measure(
        study: &Study,
        measure: &dyn Measure,
        texts: Vec<Text>,
        n: usize,
    ) -> Result<Self> {
        let name = measure.name();
        let classes: Vec<String> = measure.classes().into_iter().map(str::to_owned).collect();
        let drawn = draw(texts, name, study.seed, n)?;
        let (names, texts): (Vec<String>, Vec<Text>) = drawn.into_iter().unzip();
        let scores = measure.scores(&texts)?;
        let class = |score: f64| {
            let class = measure.class_of(score)?;
            classes.iter().position(|one| one == class)
        };
        let rows = names.into_iter().zip(&texts).zip(scores);
        let rows = rows.map(|((name, text), score)| LabelRow {
            name,
            text: text.answer().to_owned(),
            measured: score.and_then(class),
        });
        Ok(Self {
            about: name.to_owned(),
            question: format!(
                "{} ({})?",
                sanitize_line(name, 40),
                sanitize_line(measure.direction(), 80)
            ),
            sought: if classes.len() == 2 { 1 } else { classes.len() },
            rows: rows.collect(),
            classes,
        })
    }

    /// What is asked about each text.
    pub fn question(&self) -> &str {
        &self.question
    }

    /// The possible labels.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The answers, in random order.
    pub fn rows(&self) -> &[LabelRow] {
        &self.rows
    }
}

/// Shows the question and the number of rows, and not what the measure found: whoever labels may
/// see it.
impl fmt::Debug for LabelSample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LabelSample")
            .field("question", &self.question)
            .field("classes", &self.classes)
            .field("rows", &self.rows.len())
            .finish()
    }
}

impl fmt::Debug for LabelRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LabelRow")
            .field("name", &self.name)
            .field("text", &self.text)
            .finish_non_exhaustive()
    }
}

/// The study's measure of this name, if people can classify what it scores.
///
/// # Errors
/// The study has no such measure, or the measure has no classes.
pub(in crate::fairness) fn classified_by<'a>(
    study: &'a Study,
    name: &str,
) -> Result<&'a dyn Measure> {
    let measures = &study.measures;
    let shown = sanitize_line(name, 40);
    let Some(measure) = measures.iter().find(|one| one.name() == name) else {
        let names: Vec<_> = measures.iter().map(|one| one.name()).collect();
        return Err(
            invalid_argument(format!("the study has no measure '{shown}'"))
                .with_hint(format!("it has {}", names.join(", "))),
        );
    };
    if measure.classes().len() < 2 {
        let message = format!("people can't label '{shown}', which has no classes");
        return Err(invalid_argument(message).with_hint(
            "refusals and sentiment have classes; a measure of your own implements \
             `Measure::classes`",
        ));
    }
    Ok(measure.as_ref())
}

/// Draws `n` texts without replacement, in random order, each with a name.
fn draw(texts: Vec<Text>, about: &str, seed: i64, n: usize) -> Result<Vec<(String, Text)>> {
    if n == 0 || n > texts.len() {
        let message = format!(
            "{n} answers to label were requested, but there are {}",
            texts.len()
        );
        return Err(
            invalid_argument(message).with_hint("request at least one, and no more than there are")
        );
    }
    let mut places: Vec<(usize, Text)> = texts.into_iter().enumerate().collect();
    Random::new(seed.cast_unsigned() ^ 0x006c_6162_656c).shuffle(&mut places);
    places.truncate(n);
    let named = places.into_iter().map(|(place, text)| {
        let name = row_name(about, seed, place, text.answer());
        (name, text)
    });
    Ok(named.collect())
}

/// A name that no row of another sample has.
fn row_name(about: &str, seed: i64, place: usize, text: &str) -> String {
    let whole = format!("{about}\n{seed}\n{place}\n{text}");
    let hash = digest(&SHA256, whole.as_bytes());
    let letter = |byte: &u8| LETTERS.get(usize::from(*byte) % LETTERS.len());
    let letters = hash.as_ref().iter().take(NAME_LENGTH).filter_map(letter);
    letters.map(|letter| char::from(*letter)).collect()
}

fn invalid_argument(message: String) -> Error {
    Error::new(ErrorKind::Argument, message)
}
