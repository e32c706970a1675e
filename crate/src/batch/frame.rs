//! Data frames of answers.

use polars::prelude::{Column, DataFrame, IntoColumn, NamedFrom, PlSmallStr, Series};

use super::{Answer, Answers};
use crate::client::{ChatCompletion, FinishReason};
use crate::error::{Error, ErrorKind, Result};

impl Answers {
    /// The answers as a data frame of one column, in the order of the prompts. Where a
    /// row failed the answer is null, and a second column, `error`, says why.
    ///
    /// # Errors
    /// The name `error` while rows failed: the second column needs it.
    pub fn to_frame(&self, name: &str) -> Result<DataFrame> {
        let mut columns = vec![column(name, self.texts().collect::<Vec<_>>())];
        if self.failed().next().is_some() {
            columns.push(self.error_column());
        }
        frame(self.len(), columns)
    }

    /// Everything that is known of each row: `id`, `prompt`, `answer`, `finish_reason`,
    /// `prompt_tokens`, `completion_tokens`, `latency_ms` and `error`.
    ///
    /// # Errors
    /// None that a user could cause.
    pub fn full_frame(&self) -> Result<DataFrame> {
        let columns = vec![
            column("id", self.each(|row| row.id as u64)),
            column("prompt", self.each(|row| row.prompt.as_str())),
            column("answer", self.each(Answer::text)),
            column(
                "finish_reason",
                self.each(|row| finish_reason(row).map(FinishReason::as_str)),
            ),
            column(
                "prompt_tokens",
                self.each(|row| row.usage().map(|usage| usage.prompt_tokens)),
            ),
            column(
                "completion_tokens",
                self.each(|row| row.usage().map(|usage| usage.completion_tokens)),
            ),
            column(
                "latency_ms",
                self.each(|row| row.latency.as_millis() as u64),
            ),
            self.error_column(),
        ];
        frame(self.len(), columns)
    }

    fn error_column(&self) -> Column {
        column("error", self.each(|row| row.error().map(describe)))
    }

    fn each<'a, T>(&'a self, value: impl Fn(&'a Answer) -> T) -> Vec<T> {
        self.rows().iter().map(value).collect()
    }
}

fn finish_reason(row: &Answer) -> Option<&FinishReason> {
    row.outcome
        .as_ref()
        .ok()
        .and_then(ChatCompletion::finish_reason)
}

fn describe(error: &Error) -> String {
    format!("{}: {}", error.kind().name(), error.message())
}

fn column<T>(name: &str, values: Vec<T>) -> Column
where
    Series: NamedFrom<Vec<T>, [T]>,
{
    Series::new(PlSmallStr::from_str(name), values).into_column()
}

fn frame(height: usize, columns: Vec<Column>) -> Result<DataFrame> {
    DataFrame::new(height, columns).map_err(|error| {
        Error::new(
            ErrorKind::Display,
            "the answers do not fit into a data frame",
        )
        .with_source(error)
        .with_hint("give the column another name")
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;

    fn row(id: usize, outcome: Result<ChatCompletion>) -> Answer {
        Answer {
            id,
            prompt: format!("Describe number {id}."),
            outcome,
            latency: Duration::from_millis(12),
        }
    }

    fn answered(text: &str) -> Result<ChatCompletion> {
        Ok(ChatCompletion::from_json(json!({
            "id": "1", "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
        }))
        .unwrap())
    }

    fn refused() -> Result<ChatCompletion> {
        Err(Error::new(
            ErrorKind::ContentFilter,
            "the prompt was filtered",
        ))
    }

    #[test]
    fn answers_become_one_column_in_the_order_of_the_prompts() {
        let answers = Answers::new(
            vec![row(0, answered("A")), row(1, answered("B"))],
            Duration::ZERO,
        );
        assert_snapshot!(answers.to_frame("neutral_answer").unwrap(), @"
        shape: (2, 1)
        ┌────────────────┐
        │ neutral_answer │
        │ ---            │
        │ str            │
        ╞════════════════╡
        │ A              │
        │ B              │
        └────────────────┘
        ");
    }

    #[test]
    fn a_row_that_failed_says_so() {
        let answers = Answers::new(
            vec![row(0, answered("A")), row(1, refused())],
            Duration::ZERO,
        );
        assert_snapshot!(answers.to_frame("answer").unwrap(), @"
        shape: (2, 2)
        ┌────────┬─────────────────────────────────┐
        │ answer ┆ error                           │
        │ ---    ┆ ---                             │
        │ str    ┆ str                             │
        ╞════════╪═════════════════════════════════╡
        │ A      ┆ null                            │
        │ null   ┆ content_filter: the prompt was… │
        └────────┴─────────────────────────────────┘
        ");
        assert!(answers.to_frame("error").is_err());
        let full = answers.full_frame().unwrap();
        assert_snapshot!(full.get(1).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "), @r#"
        1 | "Describe number 1." | null | null | null | null | 12 | "content_filter: the prompt was filtered"
        "#);
    }

    #[test]
    fn no_prompts_make_an_empty_frame_with_its_types() {
        let answers = Answers::new(Vec::new(), Duration::ZERO);
        assert_snapshot!(answers.to_frame("answer").unwrap(), @"
        shape: (0, 1)
        ┌────────┐
        │ answer │
        │ ---    │
        │ str    │
        ╞════════╡
        └────────┘
        ");
        let types = answers.full_frame().unwrap().dtypes();
        assert_snapshot!(types.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "), @"u64 str str str u64 u64 u64 str");
    }
}
