//! What Azure OpenAI fine-tunes a model on.

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

/// The fewest examples that the service takes.
const FEWEST: usize = 10;
/// The file must be smaller, in bytes.
const LARGEST: f64 = 512e6;

/// A conversation to learn from, and how much it counts.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Example {
    /// Perhaps instructions, then questions and answers in turn. The model learns the last
    /// answer; those before it are what it is given.
    pub messages: Vec<Message>,
    /// From 0 up; 1 is an example like any other.
    pub weight: f64,
}

impl Example {
    /// An example that counts 1.
    pub fn new(messages: impl IntoIterator<Item = Message>) -> Self {
        Self {
            messages: messages.into_iter().collect(),
            weight: 1.0,
        }
    }

    /// How much it counts, such as a weight of [`Labels`](super::Labels).
    ///
    /// # Default
    /// 1.
    pub fn weight(mut self, weight: f64) -> Self {
        self.weight = weight;
        self
    }
}

/// Examples on their way into a file that Azure OpenAI fine-tunes on: JSONL in UTF-8 with a
/// byte order mark, a conversation a line.
///
/// The service knows the weights 0 and 1 alone. So an example of weight `w` stands there
/// `floor(w c)` times, and once more with the probability `frac(w c)`: `w c` times on average.
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

/// A file to fine-tune on.
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
    /// A file of these examples.
    pub fn new(examples: impl IntoIterator<Item = Example>) -> Self {
        Self {
            examples: examples.into_iter().collect(),
            copies: 1.0,
            seed: 0,
        }
    }

    /// `c`, how often an example of weight 1 stands in the file: with more copies chance has
    /// less to say.
    ///
    /// # Default
    /// 1.
    pub fn copies(mut self, copies: f64) -> Self {
        self.copies = copies;
        self
    }

    /// What decides over the last copy of each example.
    ///
    /// # Default
    /// 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Makes the file.
    ///
    /// # Errors
    /// What the service would refuse after the upload: fewer than 10 lines, 512 MB or more, a
    /// conversation whose roles are not in order, an empty message; and a weight or a number of
    /// copies that is negative or not a number.
    pub fn file(&self) -> Result<TrainingFile> {
        if !self.copies.is_finite() || self.copies <= 0.0 {
            let copies = self.copies;
            return Err(argument(format!("{copies} copies can't be made"))
                .with_hint("a number above 0: how often an example of weight 1 is written"));
        }
        let mut random = Random::new(self.seed);
        let mut bytes = 3.0;
        let mut lines = Vec::with_capacity(self.examples.len());
        for (number, example) in self.examples.iter().enumerate() {
            let line = line(number, example)?;
            let copies = self.copies_of(number, example, &mut random)?;
            // Known before it is written: a weight of a million million fills no memory.
            bytes += copies * line.len() as f64;
            if bytes >= LARGEST {
                return Err(argument("the training file would have 512 MB or more")
                    .with_hint("use smaller weights or fewer `.copies(..)`, or fewer examples"));
            }
            lines.push((line, copies as usize));
        }
        let written: usize = lines.iter().map(|(_, copies)| copies).sum();
        if written < FEWEST {
            let given = self.examples.len();
            return Err(argument(format!(
                "{given} examples make {written} lines, and fine-tuning takes at least {FEWEST}"
            ))
            .with_hint("add examples, or write each more often with `.copies(..)`"));
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
            return Err(argument(format!(
                "example {number} has the weight {weight}, which is none"
            ))
            .with_hint("a weight is a number from 0 up"));
        }
        let copies = weight * self.copies;
        // Drawn for every example, so that the weight of one changes no other.
        let once_more = random.unit() < copies.fract();
        Ok(copies.floor() + f64::from(u8::from(once_more)))
    }
}

impl TrainingFile {
    /// The file's text, which starts with the byte order mark.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How many lines it has.
    pub fn lines(&self) -> usize {
        self.copies.iter().sum()
    }

    /// How often each example stands in it, in their order. 0: chance left it out, or its
    /// weight did.
    pub fn copies(&self) -> &[usize] {
        &self.copies
    }

    /// Writes the file, in place of one that is there. Where the system can say so, only its
    /// owner may read it.
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

/// Perhaps a system message, then user and assistant in turn; the assistant has the last word.
fn check(number: usize, messages: &[Message]) -> Result<()> {
    let wrong = |what: &str| {
        Err(argument(format!("example {number} {what}")).with_hint(
            "an example is perhaps a system message, then user and assistant in turn, with an answer at the end",
        ))
    };
    if let Some(at) = messages
        .iter()
        .position(|one| one.content.trim().is_empty())
    {
        return wrong(&format!("has nothing in its message {at}"));
    }
    let turns = match messages.split_first() {
        Some((first, rest)) if first.role == Role::System => rest,
        _ => messages,
    };
    if turns.is_empty() {
        return wrong("asks nothing");
    }
    for (at, turn) in turns.iter().enumerate() {
        let expected = [Role::User, Role::Assistant][at % 2];
        if turn.role != expected {
            let at = at + messages.len() - turns.len();
            return wrong(&format!(
                "has a message of another role at {at} than is its turn"
            ));
        }
    }
    match turns.len() % 2 {
        0 => Ok(()),
        _ => wrong("ends with a question"),
    }
}
