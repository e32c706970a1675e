//! Answers as data frames.

use polars::prelude::{Column, DataFrame, IntoColumn, NamedFrom, PlSmallStr, Series};

use super::filter_columns::{filter_columns, found_nothing};
use super::{Answer, AnswerSource, Answers};
use crate::error::ContentFilter;
use crate::error::{Error, ErrorKind, Result};
use crate::openai::{ChatCompletion, FinishReason};

impl Answers {
    /// The answers as a data frame of one column, in the order of the prompts. If rows failed, or
    /// the content filter withheld their answers, these are null and a second column, `error`,
    /// gives the reasons.
    ///
    /// # Errors
    /// The name is `error` and rows have no text, so that the second column needs it.
    pub fn to_frame(&self, name: &str) -> Result<DataFrame> {
        let mut columns = vec![column(name, self.texts().collect::<Vec<_>>())];
        if self.rows().iter().any(|row| reason(row).is_some()) {
            columns.push(self.error_column());
        }
        frame(self.len(), columns)
    }

    /// All data of each row:
    ///
    /// | column | type | holds |
    /// |---|---|---|
    /// | `id` | u64 | the row's number, from 0 |
    /// | `custom_id` | str | the name of the request; only of a batch of complete requests |
    /// | `prompt` | str | the prompt |
    /// | `sample` | u32 | which sample of its prompt it is, from 0 |
    /// | `answer` | str | the text of the answer |
    /// | `finish_reason` | str | why the answer ended; `length`: it was cut |
    /// | `prompt_tokens`, `completion_tokens` | u64 | the token usage |
    /// | `reasoning_tokens` | u64 | how many of the completion tokens were thinking |
    /// | `latency_ms` | u64 | how long the last attempt took |
    /// | `attempts` | u32 | how many requests were sent |
    /// | `source` | str | `service`, `journal` or `same_question` |
    /// | `request_id` | str | the service's ID of the request |
    /// | `model` | str | the model that answered, as the service names it |
    /// | `profile` | str | how the request was sent, if not as written |
    /// | `content_filter` | str | the categories that were filtered, if any |
    /// | `error_kind`, `error` | str | why there is no answer |
    ///
    /// If the service has a content filter, a column follows for each category that it looked for,
    /// `prompt_filter_hate` and `answer_filter_hate` and so on: the severity (`safe`, `low`,
    /// `medium` or `high`), or whether it was detected, for a category without severities such as
    /// `prompt_filter_jailbreak` or `answer_filter_protected_material_text`.
    ///
    /// # Errors
    /// None that a user could cause.
    pub fn full_frame(&self) -> Result<DataFrame> {
        let mut columns = vec![
            column("id", self.each(|row| row.id as u64)),
            column("prompt", self.each(|row| row.prompt.as_str())),
            column("sample", self.each(|row| row.sample)),
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
                "reasoning_tokens",
                self.each(|row| row.usage().map(|usage| usage.reasoning_tokens)),
            ),
            column(
                "latency_ms",
                self.each(|row| row.stats.latency.as_millis() as u64),
            ),
            column("attempts", self.each(|row| row.stats.attempts)),
            column("source", self.each(|row| row.source.name())),
            column("request_id", self.each(request_id)),
            column("model", self.each(model)),
            column("profile", self.each(profile)),
            column("content_filter", self.each(filtered)),
            column(
                "error_kind",
                self.each(|row| kind(row).map(ErrorKind::name)),
            ),
            self.error_column(),
        ];
        if self.rows().iter().any(|row| !row.custom_id.is_empty()) {
            columns.insert(
                1,
                column("custom_id", self.each(|row| row.custom_id.as_str())),
            );
        }
        columns.extend(self.filter_columns());
        frame(self.len(), columns)
    }

    /// What the content filter found in prompts and answers.
    fn filter_columns(&self) -> Vec<Column> {
        let mut columns = filter_columns("prompt_filter_", &self.each(prompt_filter));
        columns.extend(filter_columns(
            "answer_filter_",
            &self.each(Answer::content_filter),
        ));
        columns
    }

    /// [`full_frame`](Self::full_frame) without the columns that carry no information for these
    /// rows.
    ///
    /// # Errors
    /// None that a user could cause.
    pub(crate) fn informative_frame(&self) -> Result<DataFrame> {
        let rows = self.rows();
        let mut omitted = vec!["request_id"];
        let mut unless = |is_informative: bool, names: &[&'static str]| {
            if !is_informative {
                omitted.extend(names);
            }
        };
        unless(rows.iter().any(|row| row.sample > 0), &["sample"]);
        unless(rows.iter().any(|row| row.stats.attempts > 1), &["attempts"]);
        let mut usages = rows.iter().filter_map(Answer::usage);
        unless(
            usages.any(|usage| usage.reasoning_tokens > 0),
            &["reasoning_tokens"],
        );
        let differ = |of: fn(&Answer) -> Option<&str>| {
            let mut answered = rows.iter().filter(|row| row.outcome.is_ok()).map(of);
            let first = answered.next();
            answered.any(|one| Some(one) != first)
        };
        unless(differ(model), &["model"]);
        unless(differ(profile), &["profile"]);
        unless(
            rows.iter().any(|row| row.source != AnswerSource::Service),
            &["source"],
        );
        unless(
            rows.iter().any(|row| filtered(row).is_some()),
            &["content_filter"],
        );
        unless(
            rows.iter().any(|row| reason(row).is_some()),
            &["error_kind", "error"],
        );
        let mut frame = self.full_frame()?.drop_many(omitted);
        for (side, of) in [
            (
                "prompt_filter_",
                prompt_filter as fn(&Answer) -> Option<&ContentFilter>,
            ),
            ("answer_filter_", Answer::content_filter),
        ] {
            let rows = self.each(of);
            if found_nothing(&rows) {
                let names = filter_columns(side, &rows).into_iter();
                frame = frame.drop_many(names.map(|column| column.name().clone()));
            }
        }
        Ok(frame)
    }

    /// What a reader wants: prompts, answers, how an answer ended if it was cut, and why there is none.
    ///
    /// # Errors
    /// None that a user could cause.
    pub(crate) fn readable_frame(&self) -> Result<DataFrame> {
        let rows = self.rows();
        let mut columns = vec![column("prompt", self.each(|row| row.prompt.as_str()))];
        if rows.iter().any(|row| row.sample > 0) {
            columns.push(column("sample", self.each(|row| row.sample)));
        }
        columns.push(column("answer", self.each(Answer::text)));
        if rows.iter().any(|row| cut(row).is_some()) {
            columns.push(column("ended", self.each(cut)));
        }
        if rows.iter().any(|row| reason(row).is_some()) {
            columns.push(self.error_column());
        }
        frame(self.len(), columns)
    }

    fn error_column(&self) -> Column {
        column("error", self.each(reason))
    }

    fn each<'a, T>(&'a self, value: impl Fn(&'a Answer) -> T) -> Vec<T> {
        self.rows().iter().map(value).collect()
    }
}

/// Why an answer is incomplete.
fn cut(row: &Answer) -> Option<&'static str> {
    match finish_reason(row)? {
        FinishReason::Length => Some("cut at the token limit"),
        FinishReason::ContentFilter => Some("cut off by the content filter"),
        _ => None,
    }
}

/// Why a row has no text.
fn reason(row: &Answer) -> Option<String> {
    match &row.outcome {
        Ok(completion) => completion.why_empty(),
        Err(error) => Some(error.message().to_owned()),
    }
}

/// The kind of the error, or of the reason why the answer is empty.
fn kind(row: &Answer) -> Option<ErrorKind> {
    match &row.outcome {
        Ok(completion) if completion.is_filtered() && completion.why_empty().is_some() => {
            Some(ErrorKind::ContentFilter)
        }
        Ok(_) => None,
        Err(error) => Some(error.kind()),
    }
}

fn finish_reason(row: &Answer) -> Option<&FinishReason> {
    row.outcome
        .as_ref()
        .ok()
        .and_then(ChatCompletion::finish_reason)
}

fn request_id(row: &Answer) -> Option<&str> {
    match &row.outcome {
        Ok(completion) => completion.request_id(),
        Err(error) => error.request_id(),
    }
}

fn model(row: &Answer) -> Option<&str> {
    let completion = row.outcome.as_ref().ok()?;
    Some(completion.model.as_str()).filter(|model| !model.is_empty())
}

fn profile(row: &Answer) -> Option<&str> {
    row.outcome.as_ref().ok()?.profile()
}

/// What the content filter found in the prompt, whether or not it refused it.
fn prompt_filter(row: &Answer) -> Option<&ContentFilter> {
    match &row.outcome {
        Ok(completion) => {
            let filters = completion.prompt_filter_results.iter();
            let mut filters = filters.map(|prompt| &prompt.content_filter);
            let filtered = filters.clone().find(|filter| filter.is_filtered());
            filtered.or_else(|| filters.next_back())
        }
        Err(error) => error.content_filter(),
    }
}

/// The categories for which the prompt or the answer was filtered, such as `hate, violence`.
fn filtered(row: &Answer) -> Option<String> {
    let filters: Vec<&ContentFilter> = match &row.outcome {
        Ok(completion) => completion
            .choices
            .iter()
            .map(|choice| &choice.content_filter_results)
            .collect(),
        Err(error) => error.content_filter().into_iter().collect(),
    };
    let categories = filters.iter().flat_map(|filter| &filter.categories);
    let names: Vec<&str> = categories
        .filter(|(_, result)| result.filtered)
        .map(|(name, _)| name.as_str())
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
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
    use crate::batch::RequestStats;

    fn row(id: usize, outcome: Result<ChatCompletion>) -> Answer {
        Answer {
            custom_id: String::new(),
            id,
            prompt: format!("Describe number {id}."),
            sample: 0,
            outcome,
            stats: RequestStats {
                attempts: 1,
                latency: Duration::from_millis(12),
                ..RequestStats::default()
            },
            source: AnswerSource::Service,
        }
    }

    fn answered(text: &str) -> Result<ChatCompletion> {
        let body = json!({
            "id": "1", "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
        });
        Ok(ChatCompletion::from_body(body.to_string().into_bytes()).unwrap())
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
            None,
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
            None,
        );
        assert_snapshot!(answers.to_frame("answer").unwrap(), @"
        shape: (2, 2)
        ┌────────┬─────────────────────────┐
        │ answer ┆ error                   │
        │ ---    ┆ ---                     │
        │ str    ┆ str                     │
        ╞════════╪═════════════════════════╡
        │ A      ┆ null                    │
        │ null   ┆ the prompt was filtered │
        └────────┴─────────────────────────┘
        ");
        assert!(answers.to_frame("error").is_err());
        let full = answers.full_frame().unwrap();
        assert_snapshot!(full.get(1).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "), @r#"
        1 | "Describe number 1." | 0 | null | null | null | null | null | 12 | 1 | "service" | null | null | null | null | "content_filter" | "the prompt was filtered"
        "#);
    }

    #[test]
    fn an_answer_that_the_filter_held_back_is_not_silent() {
        let body = json!({"choices": [{"finish_reason": "content_filter",
            "message": {"role": "assistant", "content": null},
            "content_filter_results": {"violence": {"filtered": true, "severity": "high"}}}]});
        let withheld = ChatCompletion::from_body(body.to_string().into_bytes()).unwrap();
        let rows = vec![row(0, answered("A")), row(1, Ok(withheld))];
        let answers = Answers::new(rows, Duration::ZERO, None);
        assert_snapshot!(answers.to_frame("answer").unwrap(), @r"
        shape: (2, 2)
        ┌────────┬─────────────────────────────────┐
        │ answer ┆ error                           │
        │ ---    ┆ ---                             │
        │ str    ┆ str                             │
        ╞════════╪═════════════════════════════════╡
        │ A      ┆ null                            │
        │ null   ┆ the content filter withheld th… │
        └────────┴─────────────────────────────────┘
        ");
        let full = answers.full_frame().unwrap();
        let kind = full.column("error_kind").unwrap().get(1).unwrap();
        assert_eq!(kind.to_string(), "\"content_filter\"");
        assert_snapshot!(answers.summary(), @"2 rows: 2 answered (1 withheld by the content filter), 12 tokens, 0.0 s");
    }

    #[test]
    fn what_the_filter_found_has_a_column_for_each_category() {
        let body = json!({"choices": [{"finish_reason": "stop",
            "message": {"role": "assistant", "content": "They fight."},
            "content_filter_results": {
                "hate": {"filtered": false, "severity": "safe"},
                "violence": {"filtered": false, "severity": "medium\u{202e}"},
                "protected_material_text": {"filtered": false, "detected": true},
                "<script>": {"filtered": false, "severity": "low"},
            }}],
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {
            "violence": {"filtered": false, "severity": "safe"},
            "jailbreak": {"filtered": false, "detected": false},
        }}]});
        let found = ChatCompletion::from_body(body.to_string().into_bytes()).unwrap();
        let blocked = Error::new(ErrorKind::ContentFilter, "the prompt was filtered");
        let filter = found.prompt_filter_results[0].content_filter.clone();
        let rows = vec![
            row(0, Ok(found)),
            row(1, answered("They rest.")),
            row(2, Err(blocked.with_content_filter(filter))),
        ];
        let answers = Answers::new(rows, Duration::ZERO, None);
        let full = answers.full_frame().unwrap();
        let names = full
            .get_column_names()
            .into_iter()
            .map(|name| name.as_str());
        let names: Vec<&str> = names.filter(|name| name.contains("_filter_")).collect();
        assert_snapshot!(full.select(names).unwrap(), @"
        shape: (3, 5)
        ┌───────────────────┬───────────────────┬───────────────────┬───────────────────┬──────────────────┐
        │ prompt_filter_jai ┆ prompt_filter_vio ┆ answer_filter_hat ┆ answer_filter_pro ┆ answer_filter_vi │
        │ lbreak            ┆ lence             ┆ e                 ┆ tected_materi…    ┆ olence           │
        │ ---               ┆ ---               ┆ ---               ┆ ---               ┆ ---              │
        │ bool              ┆ str               ┆ str               ┆ bool              ┆ str              │
        ╞═══════════════════╪═══════════════════╪═══════════════════╪═══════════════════╪══════════════════╡
        │ false             ┆ safe              ┆ safe              ┆ true              ┆ medium�          │
        │ null              ┆ null              ┆ null              ┆ null              ┆ null             │
        │ false             ┆ safe              ┆ null              ┆ null              ┆ null             │
        └───────────────────┴───────────────────┴───────────────────┴───────────────────┴──────────────────┘
        ");
        // Nothing was found in the prompts, so a table does not show what was looked for.
        let shown = answers.informative_frame().unwrap();
        let names = shown.get_column_names();
        let has = |part: &str| names.iter().any(|name| name.starts_with(part));
        assert!(
            has("answer_filter_violence") && !has("prompt_filter_"),
            "{names:?}"
        );
    }

    #[test]
    fn no_prompts_make_an_empty_frame_with_its_types() {
        let answers = Answers::new(Vec::new(), Duration::ZERO, None);
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
        assert_snapshot!(types.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "), @"u64 str u32 str str u64 u64 u64 u64 u32 str str str str str str str");
    }
}
