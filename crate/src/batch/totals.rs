//! The totals of a batch: rows, requests, tokens, times and cost.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::request_stats::{AnswerSource, RequestStats};
use crate::error::{Error, ErrorKind, Result};
use crate::openai::{ChatCompletion, FinishReason};

/// The totals of a batch. Its `Display` is one line.
///
/// Requests, tokens and waits are those of this run only: rows answered by the journal or by an
/// identical row were not paid for again.
///
/// Serialized, it has the fields below, with times in seconds under `wall_time_seconds` and
/// `longest_wait_seconds`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Totals {
    /// The number of rows.
    pub rows: usize,
    /// Rows with an answer, including answers that were cut.
    pub answered: usize,
    /// Rows with an error, except cancelled ones.
    pub failed: usize,
    /// Rows that had no outcome when the batch was stopped.
    pub cancelled: usize,
    /// Rows that the journal answered.
    pub from_journal: usize,
    /// Rows that share the answer of an identical row, at temperature 0.
    pub shared: usize,
    /// Answers that were cut at the token limit (finish reason `length`).
    pub cut: usize,
    /// Answers that the content filter withheld or cut off (finish reason `content_filter`).
    pub filtered: usize,
    /// Answers without any text that the content filter did not withhold: the model refused in a field
    /// of its own, called a tool, or had nothing to say.
    pub empty: usize,
    /// Answers that ended for a reason that is not one of the protocol's
    /// ([`FinishReason::Other`](crate::openai::FinishReason::Other)). They may be incomplete.
    pub ended_otherwise: usize,
    /// Requests that were sent, including retries.
    pub requests: u64,
    /// Requests that were refused because of the quota (429).
    pub rate_limited: u64,
    /// Tokens of the prompts, as the service counted them.
    pub prompt_tokens: u64,
    /// Tokens of the completions, as the service counted them, including thinking. Answers that
    /// were paid for but belong to no row, because thinking left them empty, count too.
    pub completion_tokens: u64,
    /// How many of the completion tokens were thinking.
    pub reasoning_tokens: u64,
    /// Notes about the journal, the quota and the deployment, such as a journal that ended in the
    /// middle of a row, a temperature that the deployment refuses, or rows that were not all sent
    /// in the same way.
    pub notes: Vec<String>,
    /// The wall-clock time of the whole batch.
    #[serde(rename = "wall_time_seconds", serialize_with = "seconds")]
    pub wall_time: Duration,
    /// The longest time that a row waited for the quota or between attempts.
    #[serde(rename = "longest_wait_seconds", serialize_with = "seconds")]
    pub longest_wait: Duration,
}

fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

/// The price of tokens, in any currency.
///
/// ```
/// use evenhand::{Price, Totals};
///
/// let price = Price::per_million().input(0.15).output(0.60);
/// assert_eq!(Totals::default().cost(price)?, 0.0);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct Price {
    input: Option<f64>,
    output: Option<f64>,
}

impl Price {
    /// Prices per million tokens. Set both, [`input`](Self::input) and
    /// [`output`](Self::output).
    pub fn per_million() -> Self {
        Self {
            input: None,
            output: None,
        }
    }

    /// The price of prompt tokens.
    ///
    /// # Default
    /// None: it is required.
    pub fn input(self, price: f64) -> Self {
        Self {
            input: Some(price),
            ..self
        }
    }

    /// The price of completion tokens.
    ///
    /// # Default
    /// None: it is required.
    pub fn output(self, price: f64) -> Self {
        Self {
            output: Some(price),
            ..self
        }
    }

    /// The prices of one prompt token and of one completion token.
    pub(crate) fn per_token(self) -> Result<[f64; 2]> {
        Ok([
            checked("input", self.input)? / 1e6,
            checked("output", self.output)? / 1e6,
        ])
    }
}

fn checked(name: &str, price: Option<f64>) -> Result<f64> {
    let wrong = |what: String| {
        Error::new(ErrorKind::Argument, what).with_hint(format!(
            "give the price of a million tokens: `Price::per_million().{name}(..)`; 0 is a price"
        ))
    };
    match price {
        Some(price) if price.is_finite() && price >= 0.0 => Ok(price),
        Some(price) => Err(wrong(format!(
            "{price} is not a valid price for {name} tokens"
        ))),
        None => Err(wrong(format!("the price of {name} tokens is missing"))),
    }
}

/// A saturating sum.
fn add(sum: &mut u64, more: u64) {
    *sum = sum.saturating_add(more);
}

impl Totals {
    /// Tokens of prompts and completions together.
    pub(crate) fn tokens(&self) -> u64 {
        self.prompt_tokens.saturating_add(self.completion_tokens)
    }

    pub(crate) fn add(
        &mut self,
        outcome: &Result<ChatCompletion>,
        stats: &RequestStats,
        source: AnswerSource,
    ) {
        self.rows += 1;
        match outcome {
            Ok(completion) => {
                self.answered += 1;
                let ends = completion.choices.iter();
                let mut ends = ends.filter_map(|choice| choice.finish_reason.as_ref());
                match ends.find(|end| matches!(end, FinishReason::Length | FinishReason::Other(_)))
                {
                    Some(FinishReason::Length) => self.cut += 1,
                    Some(_) => self.ended_otherwise += 1,
                    None => {}
                }
                match completion.is_filtered() {
                    true => self.filtered += 1,
                    false => self.empty += usize::from(completion.text().is_none_or(str::is_empty)),
                }
            }
            Err(error) if error.kind() == ErrorKind::Cancelled => self.cancelled += 1,
            Err(_) => self.failed += 1,
        }
        match source {
            AnswerSource::Journal => self.from_journal += 1,
            AnswerSource::SameQuestion => self.shared += 1,
            AnswerSource::NotAsked => {}
            AnswerSource::Service => {
                add(&mut self.requests, u64::from(stats.attempts));
                add(&mut self.rate_limited, u64::from(stats.rate_limited));
                self.longest_wait = self.longest_wait.max(stats.waited);
                let usage = outcome.as_ref().ok().and_then(|answer| answer.usage);
                let usage = usage.unwrap_or_default().plus(stats.discarded);
                add(&mut self.prompt_tokens, usage.prompt_tokens);
                add(&mut self.completion_tokens, usage.completion_tokens);
                add(&mut self.reasoning_tokens, usage.reasoning_tokens);
            }
        }
    }

    /// The cost of this run at this price, in the currency of the price. Reasoning costs as much
    /// as completions do. Answers for which the
    /// service reported no usage count as 0.
    ///
    /// # Errors
    /// A price that is missing, negative or not a number.
    pub fn cost(&self, price: Price) -> Result<f64> {
        let [input, output] = price.per_token()?;
        Ok(self.prompt_tokens as f64 * input + self.completion_tokens as f64 * output)
    }

    /// What is to be known of the answers, such as `2 cut at the token limit`.
    pub(super) fn of_the_answered(&self) -> impl Iterator<Item = String> {
        let of_them = [
            (self.from_journal, "from the journal"),
            (self.shared, "shared"),
            (self.cut, "cut at the token limit"),
            (self.filtered, "withheld by the content filter"),
            (self.empty, "without text"),
            (self.ended_otherwise, "ended for an unknown reason"),
        ];
        let of_them = of_them.into_iter().filter(|(count, _)| *count > 0);
        of_them.map(|(count, what)| format!("{count} {what}"))
    }

    /// Rows per second of wall time; 0 for a batch that took no time.
    pub fn rows_per_second(&self) -> f64 {
        let seconds = self.wall_time.as_secs_f64();
        if seconds > 0.0 {
            self.rows as f64 / seconds
        } else {
            0.0
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.rows == 1 { "" } else { "s" };
        write!(f, "{} row{plural}: {} answered", self.rows, self.answered)?;
        let of_them: Vec<_> = self.of_the_answered().collect();
        if !of_them.is_empty() {
            write!(f, " ({})", of_them.join(", "))?;
        }
        for (count, what) in [(self.failed, "failed"), (self.cancelled, "cancelled")] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        write!(f, ", {} tokens", self.tokens())?;
        if self.reasoning_tokens > 0 {
            write!(f, " ({} of them thinking)", self.reasoning_tokens)?;
        }
        write!(f, ", {:.1} s", self.wall_time.as_secs_f64())?;
        if self.rate_limited > 0 {
            let plural = if self.rate_limited == 1 { "" } else { "s" };
            write!(
                f,
                ", {} request{plural} refused because of the quota",
                self.rate_limited
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;

    fn answered(finish_reason: &str) -> Result<ChatCompletion> {
        let body = json!({
            "choices": [{"message": {"content": "x"}, "finish_reason": finish_reason}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
        });
        Ok(ChatCompletion::from_body(body.to_string().into_bytes()).unwrap())
    }

    fn stats(attempts: u32, rate_limited: u32, waited: u64) -> RequestStats {
        RequestStats {
            attempts,
            rate_limited,
            waited: Duration::from_secs(waited),
            ..RequestStats::default()
        }
    }

    #[test]
    fn only_what_the_service_was_asked_for_counts_as_paid() {
        let mut totals = Totals::default();
        for source in [
            AnswerSource::Service,
            AnswerSource::Journal,
            AnswerSource::SameQuestion,
        ] {
            totals.add(&answered("stop"), &stats(3, 2, 4), source);
        }
        let expected = Totals {
            rows: 3,
            answered: 3,
            from_journal: 1,
            shared: 1,
            requests: 3,
            rate_limited: 2,
            prompt_tokens: 5,
            completion_tokens: 2,
            longest_wait: Duration::from_secs(4),
            ..Totals::default()
        };
        assert_eq!(totals, expected);
        let price = Price::per_million().output(10.0).input(2.0);
        let cost = totals.cost(price).unwrap();
        assert!((cost - 30e-6).abs() < 1e-12, "{cost}");
    }

    #[test]
    fn what_is_no_price_is_refused() {
        let cost = |price: Price| Totals::default().cost(price);
        assert_snapshot!(cost(Price::per_million().input(1.0)).unwrap_err(), @"
        the price of output tokens is missing
          hint: give the price of a million tokens: `Price::per_million().output(..)`; 0 is a price
        ");
        for odd in [f64::NAN, -0.1, f64::INFINITY] {
            let error = cost(Price::per_million().input(odd).output(1.0)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Argument);
            assert!(
                error
                    .message()
                    .ends_with("is not a valid price for input tokens"),
                "{error}"
            );
        }
        assert_eq!(
            cost(Price::per_million().input(0.0).output(0.0)).unwrap(),
            0.0
        );
    }

    #[test]
    fn totals_are_json_with_times_in_seconds() {
        let totals = Totals {
            rows: 2,
            wall_time: Duration::from_millis(1500),
            ..Totals::default()
        };
        assert_snapshot!(serde_json::to_string(&totals).unwrap(), @r#"{"rows":2,"answered":0,"failed":0,"cancelled":0,"from_journal":0,"shared":0,"cut":0,"filtered":0,"empty":0,"ended_otherwise":0,"requests":0,"rate_limited":0,"prompt_tokens":0,"completion_tokens":0,"reasoning_tokens":0,"notes":[],"wall_time_seconds":1.5,"longest_wait_seconds":0.0}"#);
    }

    #[test]
    fn a_line_tells_what_there_is_to_tell() {
        let mut totals = Totals::default();
        assert_snapshot!(totals, @"0 rows: 0 answered, 0 tokens, 0.0 s");
        assert_eq!(totals.rows_per_second(), 0.0);
        totals.add(&answered("stop"), &stats(1, 0, 0), AnswerSource::Service);
        totals.wall_time = Duration::from_millis(1250);
        assert_snapshot!(totals, @"1 row: 1 answered, 7 tokens, 1.2 s");
        assert_eq!(totals.rows_per_second(), 0.8);

        totals.add(&answered("length"), &stats(2, 1, 9), AnswerSource::Service);
        totals.add(&answered("stop"), &stats(1, 0, 0), AnswerSource::Journal);
        totals.add(
            &answered("length"),
            &stats(0, 0, 0),
            AnswerSource::SameQuestion,
        );
        for kind in [ErrorKind::Server, ErrorKind::Cancelled] {
            let failed = Err(Error::new(kind, "x"));
            totals.add(&failed, &stats(3, 0, 1), AnswerSource::Service);
        }
        assert_snapshot!(totals, @"6 rows: 4 answered (1 from the journal, 1 shared, 2 cut at the token limit), 1 failed, 1 cancelled, 14 tokens, 1.2 s, 1 request refused because of the quota");
    }
}
