//! A table of answers, keyed by id: created if it is missing, and only ever added to.
//!
//! Rows are written with `merge`, which adds an id once whoever else writes. A table whose format has
//! no `merge` gets the rows that it lacks with `insert`, which is right for one writer at a time.

use std::time::Duration;

use polars::df;

use super::frame::DataFrame;
use super::names::{quoted, quoted_path};
use super::session::Session;
use crate::display;
use crate::error::{Error, ErrorKind, Result};
use crate::http::retry;
use crate::openai::ChatCompletion;
use crate::runtime;

/// The columns besides the id.
const COLUMNS: [(&str, &str); 5] = [
    ("answer", "string"),
    ("finish_reason", "string"),
    ("model", "string"),
    ("prompt_tokens", "bigint"),
    ("completion_tokens", "bigint"),
];

/// How often a write is tried whose outcome a broken connection hides. It adds nothing twice.
const TRIES: u32 = 5;

/// A row that was answered.
pub(super) struct AnsweredRow {
    id: String,
    answer: Option<String>,
    finish_reason: Option<String>,
    model: String,
    prompt_tokens: Option<i64>,
    completion_tokens: Option<i64>,
}

impl AnsweredRow {
    pub(super) fn new(id: String, answer: &ChatCompletion) -> Self {
        let tokens = |count: u64| i64::try_from(count).ok();
        Self {
            id,
            answer: answer.text().map(str::to_owned),
            finish_reason: answer
                .finish_reason()
                .map(|reason| reason.as_str().to_owned()),
            model: answer.model.clone(),
            prompt_tokens: answer.usage.and_then(|usage| tokens(usage.prompt_tokens)),
            completion_tokens: answer
                .usage
                .and_then(|usage| tokens(usage.completion_tokens)),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

/// A table of answers.
pub(super) struct AnswerTable {
    session: Session,
    name: String,
    id: String,
    id_type: String,
    /// The table's columns, in their order.
    columns: Vec<String>,
    /// The view with the rows to write.
    view: String,
    merges: bool,
}

impl AnswerTable {
    /// The table of this name, which is created if it is missing.
    ///
    /// # Errors
    /// It has other columns, or can't be created.
    pub(super) fn open(session: &Session, name: &str, id: &str, id_type: &str) -> Result<Self> {
        let quoted_name = quoted_path(name);
        let columns = match session.table(&quoted_name).columns() {
            Ok(columns) => columns,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                create(session, &quoted_name, id, id_type)?;
                session.table(&quoted_name).columns()?
            }
            Err(error) => return Err(error),
        };
        let needed = std::iter::once(id).chain(COLUMNS.iter().map(|(name, _)| *name));
        let missing: Vec<&str> = needed
            .filter(|name| !columns.iter().any(|column| column == name))
            .collect();
        if !missing.is_empty() {
            let message = format!(
                "the table {name} is not a table of answers: it lacks {}",
                missing.join(", ")
            );
            return Err(Error::new(ErrorKind::Argument, message)
                .with_hint("name another one, which is created"));
        }
        Ok(Self {
            session: session.clone(),
            name: quoted_name,
            id: id.to_owned(),
            id_type: id_type.to_owned(),
            columns,
            view: format!("evenhand_{}", super::uuid::random().replace('-', "")),
            merges: true,
        })
    }

    /// The ids that it has, as texts in a column `id`.
    pub(super) fn ids(&self) -> DataFrame {
        let id = super::functions::expr(&quoted(&self.id));
        let ids = self.session.table(&self.name);
        ids.select([id.cast("string").alias("id")])
    }

    /// Adds the rows whose ids it lacks.
    ///
    /// # Errors
    /// It can't be written.
    pub(super) fn add(&mut self, rows: &[AnsweredRow]) -> Result<()> {
        self.stage(rows)?;
        let added = self.write();
        let dropped = self
            .session
            .sql(&format!("drop view if exists {}", self.view));
        added.and(dropped.map(|_| ()))
    }

    /// Adds the answered rows of a query whose column `l` is a line of the Batch API's output. It
    /// runs once.
    ///
    /// # Errors
    /// The query fails, or the table can't be written.
    pub(super) fn add_lines(&self, query: &str) -> Result<()> {
        let values = self.columns.iter().map(|name| match name.as_str() {
            name if name == self.id => format!("cast(l.custom_id as {})", self.id_type),
            "answer" => "l.response.body.choices[0].message.content".to_owned(),
            "finish_reason" => "l.response.body.choices[0].finish_reason".to_owned(),
            "model" => "l.response.body.model".to_owned(),
            "prompt_tokens" | "completion_tokens" => format!("l.response.body.usage.{name}"),
            _ => "null".to_owned(),
        });
        let values: Vec<String> = values.collect();
        let statement = format!(
            "insert into {} select {} from ({query}) where l.response.status_code = 200",
            self.name,
            values.join(", ")
        );
        self.session.sql(&statement).map(|_| ())
    }

    /// How many rows it has.
    pub(super) fn count(&self) -> Result<u64> {
        self.session.table(&self.name).count()
    }

    /// Makes the rows a view, with the table's own type of the id.
    fn stage(&self, rows: &[AnsweredRow]) -> Result<()> {
        let texts = |of: fn(&AnsweredRow) -> Option<&str>| -> Vec<Option<&str>> {
            rows.iter().map(of).collect()
        };
        let numbers = |of: fn(&AnsweredRow) -> Option<i64>| -> Vec<Option<i64>> {
            rows.iter().map(of).collect()
        };
        let frame = df![
            "id" => texts(|row| Some(row.id.as_str())),
            "answer" => texts(|row| row.answer.as_deref()),
            "finish_reason" => texts(|row| row.finish_reason.as_deref()),
            "model" => texts(|row| Some(row.model.as_str())),
            "prompt_tokens" => numbers(|row| row.prompt_tokens),
            "completion_tokens" => numbers(|row| row.completion_tokens),
        ];
        let frame = frame.map_err(|error| {
            Error::new(ErrorKind::Response, "the answers do not fit into a frame")
                .with_source(error)
        })?;
        let id = format!("cast(id as {}) as {}", self.id_type, quoted(&self.id));
        let columns = std::iter::once(id.as_str()).chain(COLUMNS.iter().map(|(name, _)| *name));
        self.session
            .create_data_frame(&frame)?
            .select_expr(columns)
            .create_or_replace_temp_view(&self.view)
    }

    fn write(&mut self) -> Result<()> {
        if self.merges {
            match self.run(&self.merge()) {
                Err(error) if !says_nothing_of_the_format(&error) => self.merges = false,
                merged => return merged,
            }
        }
        self.run(&self.insert())?;
        Ok(())
    }

    /// Runs a statement that adds nothing twice, again if nobody can tell what became of it.
    fn run(&self, statement: &str) -> Result<()> {
        let mut tries = 1;
        loop {
            match self.session.sql(statement) {
                Err(error) if may_be_repeated(&error) && tries < TRIES => {
                    let wait = Duration::from_secs(1) * tries;
                    runtime::wait(runtime::run(async move {
                        retry::pause_unless_stopped(wait, tries - 1, &error, None).await
                    }))?;
                    tries += 1;
                }
                Err(error) => return Err(error),
                Ok(_) => return Ok(()),
            }
        }
    }

    fn merge(&self) -> String {
        let names: Vec<String> = self.ours().map(quoted).collect();
        let values: Vec<String> = names.iter().map(|name| format!("v.{name}")).collect();
        let id = quoted(&self.id);
        format!(
            "merge into {} as t using {} as v on t.{id} = v.{id} when not matched then insert ({}) values ({})",
            self.name,
            self.view,
            names.join(", "),
            values.join(", ")
        )
    }

    /// By the position of the columns; those that are not ours are null.
    fn insert(&self) -> String {
        let is_ours = |name: &String| self.ours().any(|ours| ours == name);
        let values = self.columns.iter().map(|name| match is_ours(name) {
            true => format!("v.{}", quoted(name)),
            false => "null".to_owned(),
        });
        let values: Vec<String> = values.collect();
        let id = quoted(&self.id);
        format!(
            "insert into {} select {} from {} as v left anti join {} as t on t.{id} = v.{id}",
            self.name,
            values.join(", "),
            self.view,
            self.name
        )
    }

    fn ours(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(COLUMNS.iter().map(|(name, _)| *name))
    }
}

/// With Delta, whose tables have `merge`, where the server has it.
fn create(session: &Session, name: &str, id: &str, id_type: &str) -> Result<()> {
    let columns = COLUMNS.iter().map(|(name, of)| format!("{name} {of}"));
    let columns: Vec<String> = std::iter::once(format!("{} {id_type}", quoted(id)))
        .chain(columns)
        .collect();
    let statement = format!("create table {name} ({})", columns.join(", "));
    match session.sql(&format!("{statement} using delta")) {
        Ok(_) => Ok(()),
        Err(error) if says_nothing_of_the_format(&error) => Err(error),
        Err(_) => {
            session.sql(&statement)?;
            display::log_line(
                "The server has no Delta, so the answers are inserted and not merged: only one program \
                 may write to the table at a time.",
            );
            Ok(())
        }
    }
}

/// Nobody can tell whether it was run, or somebody else wrote at the same time.
fn may_be_repeated(error: &Error) -> bool {
    let is_conflict = error.code().is_some_and(|code| code.contains("CONCURRENT"));
    is_conflict || error.kind() == ErrorKind::Connection
}

/// Whether another statement would fail in the same way.
fn says_nothing_of_the_format(error: &Error) -> bool {
    may_be_repeated(error)
        || matches!(
            error.kind(),
            ErrorKind::Timeout
                | ErrorKind::Cancelled
                | ErrorKind::Authentication
                | ErrorKind::PermissionDenied
        )
}
