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
    format!("{}: {error}", error.kind().name())
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
