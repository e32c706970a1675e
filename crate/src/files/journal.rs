//! A journal, or the output of the Batch API, as a frame: a row for each request.

use std::collections::HashMap;
use std::path::Path;

use polars::prelude::{Column, DataFrame, NamedFrom, Series};

use super::lazy::internal;
use crate::batch::format::OutputLine;
use crate::batch::journal;
use crate::error::Result;

/// What the frame holds of one request.
#[derive(Default)]
struct Row {
    custom_id: String,
    prompt: Option<String>,
    answer: Option<String>,
    finish_reason: Option<String>,
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    model: Option<String>,
    error_kind: Option<String>,
    error: Option<String>,
}

/// Reads a journal. Of a request that was sent several times, the row is that of its answer, or else
/// of its last error. The prompts are those in the file of requests next to it, if it is there.
pub(super) fn read_journal(path: &Path) -> Result<DataFrame> {
    let prompts = journal::prompts(path);
    let mut rows: Vec<Row> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for line in journal::read_rows(path)? {
        let mut row = row(line?);
        row.prompt = prompts.get(&row.custom_id).cloned();
        match places.get(&row.custom_id) {
            Some(place) if rows[*place].error_kind.is_some() => rows[*place] = row,
            Some(_) => {}
            None => {
                places.insert(row.custom_id.clone(), rows.len());
                rows.push(row);
            }
        }
    }
    frame(&rows)
}

fn row(line: OutputLine) -> Row {
    let mut row = Row {
        custom_id: line.custom_id.clone(),
        ..Row::default()
    };
    if let Some(error) = &line.error {
        row.error_kind = Some(error.code.clone().unwrap_or_else(|| "other".to_owned()));
        row.error = error.message.clone();
    }
    match line.completion() {
        Ok(Some(answer)) => {
            row.answer = answer.text().map(str::to_owned);
            row.finish_reason = answer
                .finish_reason()
                .map(|reason| reason.as_str().to_owned());
            row.prompt_tokens = answer.usage.map(|usage| usage.prompt_tokens);
            row.completion_tokens = answer.usage.map(|usage| usage.completion_tokens);
            row.model = Some(answer.model);
        }
        Ok(None) => {
            row.error_kind.get_or_insert_with(|| "other".to_owned());
        }
        Err(error) => {
            row.error_kind = Some(error.kind().name().to_owned());
            row.error = Some(error.message().to_owned());
        }
    }
    row
}

fn frame(rows: &[Row]) -> Result<DataFrame> {
    let texts = |name: &str, of: fn(&Row) -> Option<&str>| {
        let cells: Vec<_> = rows.iter().map(of).collect();
        Column::from(Series::new(name.into(), cells))
    };
    let numbers = |name: &str, of: fn(&Row) -> Option<u64>| {
        let cells: Vec<_> = rows.iter().map(of).collect();
        Column::from(Series::new(name.into(), cells))
    };
    let columns = vec![
        texts("prompt", |row| row.prompt.as_deref()),
        texts("answer", |row| row.answer.as_deref()),
        texts("finish_reason", |row| row.finish_reason.as_deref()),
        numbers("prompt_tokens", |row| row.prompt_tokens),
        numbers("completion_tokens", |row| row.completion_tokens),
        texts("model", |row| row.model.as_deref()),
        texts("error_kind", |row| row.error_kind.as_deref()),
        texts("error", |row| row.error.as_deref()),
        texts("custom_id", |row| Some(&row.custom_id)),
    ];
    DataFrame::new(rows.len(), columns).map_err(internal)
}
