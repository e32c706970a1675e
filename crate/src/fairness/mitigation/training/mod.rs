//! Training files for fine-tuning with Azure OpenAI.

#[cfg(test)]
mod tests;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::openai::{Message, Role};

use super::labels::argument;
use crate::random::Random;

/// The fewest examples that the service accepts.
const MIN_COUNT: usize = 10;
/// The size that the file must stay below, in bytes.
const MAX_SIZE: f64 = 512e6;

/// A conversation to train on, with its weight.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Example {
    /// An optional system message, then questions and answers in turn. The model is trained on the
    /// last answer; earlier ones are only context.
    pub messages: Vec<Message>,
    /// The weight, at least 0; 1 is a normal example.
    pub weight: f64,
}

impl Example {
    /// Creates an example of weight 1.
    pub fn new(messages: impl IntoIterator<Item = Message>) -> Self {
        Self {
            messages: messages.into_iter().collect(),
            weight: 1.0,
        }
    }

    /// The weight of the example, such as one of the weights of [`LabeledRows`](super::LabeledRows).
    ///
    /// # Default
    /// 1.
    pub fn weight(mut self, weight: f64) -> Self {
        self.weight = weight;
        self
    }
}

/// Builds a training file for fine-tuning with Azure OpenAI: JSONL in UTF-8 with a byte order mark,
/// one conversation per line.
///
/// The service only supports the weights 0 and 1. An example of weight `w` is therefore written
/// `floor(w c)` times, and once more with probability `frac(w c)`: `w c` times on average.
///
/// ```
/// use evenhand::Message;
/// use evenhand::fairness::mitigation::{Example, Training};
///
/// let examples = (0..10).map(|n| Example::new([
///     Message::user(format!("Describe person {n}.")),
///     Message::assistant("A person who works well with others."),
/// ]));
/// let file = Training::new(examples).seed(7).file()?;
/// assert!(file.as_str().starts_with("\u{feff}{\"messages\":"));
/// assert_eq!(file.lines(), 10);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is made until `file()`"]
pub struct Training {
    examples: Vec<Example>,
    copies: f64,
    seed: u64,
}

/// A training file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainingFile {
    text: String,
    copies: Vec<usize>,
}

#[derive(Serialize)]
struct Line<'a> {
    messages: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    role: Role,
    content: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<u8>,
}

impl Training {
    /// Starts a training file with these examples.
    pub fn new(examples: impl IntoIterator<Item = Example>) -> Self {
        Self {
            examples: examples.into_iter().collect(),
            copies: 1.0,
            seed: 0,
        }
    }

    /// `c`, the number of copies of an example of weight 1: with more copies, the random rounding
    /// matters less.
    ///
    /// # Default
    /// 1.
    pub fn copies_per_weight(mut self, copies: f64) -> Self {
        self.copies = copies;
        self
    }

    /// The seed of the random rounding.
    ///
    /// # Default
    /// 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Builds the file.
    ///
    /// # Errors
    /// Anything that the service would reject after the upload: fewer than 10 lines, 512 MB or
    /// more, a conversation with roles out of order, an empty message. Also a weight that is
    /// negative or not finite, or a number of copies that is not above 0 or not finite.
    pub fn file(&self) -> Result<TrainingFile> {
        if !self.copies.is_finite() || self.copies <= 0.0 {
            let copies = self.copies;
            return Err(argument(format!("{copies} copies can't be made"))
                .with_hint("give a number above 0: how often an example of weight 1 is written"));
        }
        let mut random = Random::new(self.seed);
        let mut bytes = 3.0;
        let mut lines = Vec::with_capacity(self.examples.len());
        for (number, example) in self.examples.iter().enumerate() {
            let line = line(number, example)?;
            let copies = self.copies_of(number, example, &mut random)?;
            // The size is checked before anything is written, so a huge weight can't exhaust
            // memory.
            bytes += copies * line.len() as f64;
            if bytes >= MAX_SIZE {
                return Err(
                    argument("the training file would have 512 MB or more").with_hint(
                        "use smaller weights or fewer `.copies_per_weight(..)`, or fewer examples",
                    ),
                );
            }
            lines.push((line, copies as usize));
        }
        let written: usize = lines.iter().map(|(_, copies)| copies).sum();
        if written < MIN_COUNT {
            let given = self.examples.len();
            return Err(argument(format!(
                "{given} examples make {written} lines, but fine-tuning needs at least {MIN_COUNT}"
            ))
            .with_hint("add examples, or write each more often with `.copies_per_weight(..)`"));
        }
        let mut text = String::from('\u{feff}');
        for (line, copies) in &lines {
            text.extend(std::iter::repeat_n(line.as_str(), *copies));
        }
        let copies = lines.into_iter().map(|(_, copies)| copies).collect();
        Ok(TrainingFile { text, copies })
    }

    fn copies_of(&self, number: usize, example: &Example, random: &mut Random) -> Result<f64> {
        let weight = example.weight;
        if !weight.is_finite() || weight < 0.0 {
            return Err(
                argument(format!("example {number} has the invalid weight {weight}"))
                    .with_hint("a weight is a finite number of at least 0"),
            );
        }
        let copies = weight * self.copies;
        // A random number is drawn for every example, so that the weight of one does not affect the
        // others.
        let once_more = random.unit() < copies.fract();
        Ok(copies.floor() + f64::from(u8::from(once_more)))
    }
}

impl TrainingFile {
    /// The text of the file, which starts with the byte order mark.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The number of lines.
    pub fn lines(&self) -> usize {
        self.copies.iter().sum()
    }

    /// The number of copies of each example, in order. It is 0 if the random rounding or the weight
    /// left the example out.
    pub fn copies(&self) -> &[usize] {
        &self.copies
    }

    /// Writes the file, replacing an existing one. On Unix, a new file can only be read by its
    /// owner.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written: io::Result<()> = options.open(path).and_then(|mut file| {
            file.write_all(self.text.as_bytes())?;
            file.sync_all()
        });
        written.map_err(|error| {
            let path = path.display();
            Error::new(ErrorKind::Io, format!("{path} can't be written")).with_source(error)
        })
    }
}

/// The example as a line of the file.
fn line(number: usize, example: &Example) -> Result<String> {
    check(number, &example.messages)?;
    let last = example.messages.len().saturating_sub(1);
    let entries = example.messages.iter().enumerate();
    let line = Line {
        messages: entries
            .map(|(at, message)| Entry {
                role: message.role,
                content: &message.content,
                weight: (message.role == Role::Assistant).then_some(u8::from(at == last)),
            })
            .collect(),
    };
    let mut text = serde_json::to_string(&line).map_err(|error| {
        argument(format!("example {number} can't be written as JSON")).with_source(error)
    })?;
    text.push('\n');
    Ok(text)
}

/// Checks for an optional system message, then user and assistant in turn, with the assistant last.
fn check(number: usize, messages: &[Message]) -> Result<()> {
    let wrong = |what: &str| {
        Err(argument(format!("example {number} {what}")).with_hint(
            "an example is an optional system message, then user and assistant messages in turn, ending with an answer",
        ))
    };
    if let Some(at) = messages
        .iter()
        .position(|one| one.content.trim().is_empty())
    {
        return wrong(&format!("has an empty message at position {at}"));
    }
    let turns = match messages.split_first() {
        Some((first, rest)) if first.role == Role::System => rest,
        _ => messages,
    };
    if turns.is_empty() {
        return wrong("has no question");
    }
    for (at, turn) in turns.iter().enumerate() {
        let expected = [Role::User, Role::Assistant][at % 2];
        if turn.role != expected {
            let at = at + messages.len() - turns.len();
            return wrong(&format!("has a message of the wrong role at position {at}"));
        }
    }
    match turns.len() % 2 {
        0 => Ok(()),
        _ => wrong("ends with a question"),
    }
}
