//! What Azure OpenAI fine-tunes a model on.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::client::{Message, Role};
use crate::error::{Error, ErrorKind, Result};

use super::labels::argument;
use super::random::Random;

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
/// use evenhand::mitigate::{Example, Training};
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn example(n: usize) -> Example {
        Example::new([
            Message::user(format!("Question {n}")),
            Message::assistant(format!("Answer {n}")),
        ])
    }

    fn weighted(weights: &[f64]) -> Training {
        let examples = weights.iter().enumerate();
        Training::new(examples.map(|(n, weight)| example(n).weight(*weight)))
    }

    fn parsed(text: &str) -> Vec<Value> {
        let lines = text.strip_prefix('\u{feff}').unwrap().lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn the_file_is_the_one_that_azure_shows() {
        let golden = include_str!("fixtures/azure_finetune_example.jsonl");
        let examples = parsed(golden).into_iter().map(|line| {
            let messages = line["messages"].as_array().unwrap().iter();
            Example::new(messages.map(|one| {
                Message::new(
                    serde_json::from_value(one["role"].clone()).unwrap(),
                    one["content"].as_str().unwrap(),
                )
            }))
        });
        let file = Training::new(examples).file().unwrap();
        assert_eq!(parsed(file.as_str()), parsed(golden));
        assert!(file.as_str().as_bytes().starts_with(b"\xef\xbb\xbf{"));
    }

    #[test]
    fn only_the_last_answer_is_learnt() {
        let two = Example::new([
            Message::system("s"),
            Message::user("a"),
            Message::assistant("draft"),
            Message::user("again"),
            Message::assistant("better"),
        ]);
        let file = Training::new(vec![two; 10]).file().unwrap();
        let first = &parsed(file.as_str())[0]["messages"];
        let weights: Vec<_> = first
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["weight"])
            .collect();
        assert_eq!(
            weights,
            [
                &Value::Null,
                &Value::Null,
                &0.into(),
                &Value::Null,
                &1.into()
            ]
        );
    }

    #[test]
    fn weights_become_copies() {
        let file = weighted(&[2.0, 0.0, 3.0, 1.0, 4.0]).file().unwrap();
        assert_eq!(file.copies(), [2, 0, 3, 1, 4]);
        assert_eq!(parsed(file.as_str()).len(), file.lines());
        let file = weighted(&[0.5; 4]).copies(6.0).file().unwrap();
        assert_eq!(file.copies(), [3; 4]);
    }

    #[test]
    fn a_fraction_is_a_probability() {
        let copies = |seed| weighted(&[1.25; 4000]).seed(seed).file().unwrap().lines();
        assert_eq!(copies(1), copies(1));
        // Four standard deviations of the binomial distribution, sqrt(4000 * 1/4 * 3/4) = 27.4.
        assert!((copies(1) as f64 - 5000.0).abs() < 110.0, "{}", copies(1));
    }

    #[test]
    fn what_the_service_would_refuse_is_refused_here() {
        let error =
            |examples: Vec<Example>| Training::new(examples).file().unwrap_err().to_string();
        insta::assert_snapshot!(error(vec![example(1); 9]), @"
        9 examples make 9 lines, and fine-tuning takes at least 10
          hint: add examples, or write each more often with `.copies(..)`
        ");
        let but = |messages: Vec<Message>| {
            let mut examples = vec![example(1); 9];
            examples.push(Example::new(messages));
            error(examples)
        };
        let (system, user, assistant) = (
            Message::system("s"),
            Message::user("u"),
            Message::assistant("a"),
        );
        let wrong = [
            vec![],
            vec![system.clone()],
            vec![user.clone()],
            vec![assistant.clone(), user.clone()],
            vec![user.clone(), system.clone(), assistant.clone()],
            vec![user.clone(), assistant.clone(), assistant.clone()],
            vec![user.clone(), Message::assistant(" ")],
        ];
        let said: Vec<String> = wrong
            .into_iter()
            .map(|messages| but(messages).lines().next().unwrap().to_owned())
            .collect();
        insta::assert_snapshot!(said.join("\n"), @"
        example 9 asks nothing
        example 9 asks nothing
        example 9 ends with a question
        example 9 has a message of another role at 0 than is its turn
        example 9 has a message of another role at 1 than is its turn
        example 9 has a message of another role at 2 than is its turn
        example 9 has nothing in its message 1
        ");
    }

    #[test]
    fn a_weight_that_is_none_and_one_that_fills_the_disk_are_errors() {
        insta::assert_snapshot!(weighted(&[f64::NAN; 10]).file().unwrap_err(), @"
        example 0 has the weight NaN, which is none
          hint: a weight is a number from 0 up
        ");
        insta::assert_snapshot!(weighted(&[1e15; 10]).file().unwrap_err(), @"
        the training file would have 512 MB or more
          hint: use smaller weights or fewer `.copies(..)`, or fewer examples
        ");
        weighted(&[-1.0; 10]).file().unwrap_err();
        weighted(&[1.0; 10])
            .copies(f64::INFINITY)
            .file()
            .unwrap_err();
    }

    #[test]
    fn the_file_is_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("train.jsonl");
        let file = weighted(&[1.0; 10]).file().unwrap();
        file.write(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), file.as_str());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(
                std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        let error = file
            .write(folder.path().join("no/such/folder"))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
    }

    proptest! {
        #[test]
        fn a_line_is_a_line_whatever_is_said(question in ".+[a-z]", answer in "[a-z].+") {
            let example = Example::new([Message::user(question.as_str()), Message::assistant(answer.as_str())]);
            let file = Training::new(vec![example; 10]).file().unwrap();
            let lines = parsed(file.as_str());
            prop_assert_eq!(lines.len(), 10);
            prop_assert_eq!(lines[0]["messages"][1]["content"].as_str(), Some(answer.as_str()));
        }

        #[test]
        fn copies_are_within_one_of_the_weight(weights in proptest::collection::vec(1.0_f64..5.0, 10..30), seed: u64) {
            let file = weighted(&weights).seed(seed).copies(1.5).file().unwrap();
            for (copies, weight) in file.copies().iter().zip(weights) {
                prop_assert!((*copies as f64 - weight * 1.5).abs() < 1.0);
            }
        }
    }
}
