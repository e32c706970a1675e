//! A batch over the rows of a data frame of Spark, whose answers go to a table.
//!
//! The rows are fetched, asked from here and written in parts, so that neither the prompts nor the
//! answers have to fit into memory. The table records what has been asked: a row whose id is in it
//! is not asked again, and none is written twice. `answer_table` knows how to write it.

use std::collections::{HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use polars::df;

use super::answer_table::{AnswerTable, AnsweredRow};
use super::executors::{self, Executors, Worker};
use super::frame::DataFrame;
use super::functions::{count, count_distinct, expr, lit};
use super::names::quoted;
use super::session::Session;
use crate::batch::options::JournalChoice;
use crate::batch::{Batch, BatchRequest, Row, Totals};
use crate::cancel::CancelHandle;
use crate::display;
use crate::error::{Error, ErrorKind, Result};
use crate::openai::{ChatRequest, Client};
use crate::runtime;
use crate::text::grouped;

/// How many rows are fetched at once.
const ROWS_PER_READ: usize = 20_000;

/// How many answers are written at once, and how long one waits for others at most.
const ROWS_PER_WRITE: usize = 5_000;
const BETWEEN_WRITES: Duration = Duration::from_secs(60);

/// The rows of a batch over a data frame. See [`Client::batch_frame`].
#[derive(Clone, Debug)]
pub struct FrameRows {
    frame: DataFrame,
    prompt: String,
    id: String,
    system: Option<String>,
    executors: Option<Executors>,
}

impl Client {
    /// A batch that sends the prompts in a column of a data frame of Spark, of which there may be
    /// millions, and writes the answers to a table.
    ///
    /// ```no_run
    /// use evenhand::prelude::*;
    ///
    /// let spark = Session::builder().get_or_create()?;
    /// let client = Client::from_env()?;
    /// let people = spark.table("people");
    /// client.batch_frame(&people, "prompt").id("person").max_tokens(100).to_table("answers")?;
    /// display(&people.join(&spark.table("answers"), ["person"], evenhand::spark::JoinKind::Left));
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn batch_frame(&self, frame: &DataFrame, prompt: &str) -> Batch<FrameRows> {
        self.batch_of(FrameRows {
            frame: frame.clone(),
            prompt: prompt.to_owned(),
            id: "id".to_owned(),
            system: None,
            executors: None,
        })
    }
}

impl Batch<FrameRows> {
    /// The column that identifies the rows: unique strings or whole numbers.
    ///
    /// # Default
    /// `id`.
    pub fn id(&self, column: impl Into<String>) -> Self {
        let mut batch = self.clone();
        batch.asked.id = column.into();
        batch
    }

    /// The system message that precedes every prompt.
    ///
    /// # Default
    /// No system message.
    pub fn system(&self, prompt: impl Into<String>) -> Self {
        let mut batch = self.clone();
        batch.asked.system = Some(prompt.into());
        batch
    }

    /// Lets this many tasks on the cluster's executors ask, instead of this machine. Each gets its
    /// share of the [quota](Batch::quota), or of `AZURE_OPENAI_TPM` and `AZURE_OPENAI_RPM`.
    ///
    /// They run the program `evenhand`, which is sent to them. The endpoint and the key are those of
    /// their own environment (`AZURE_OPENAI_ENDPOINT`, `AZURE_OPENAI_API_KEY`), where the cluster's
    /// settings or its secrets put them; none is sent from here. Each keeps journals in a folder on
    /// its machine, by default below `$TMPDIR`: a task that runs again there asks nothing again.
    /// [`journal`](Batch::journal) names another folder, such as one that all machines share.
    ///
    /// Where the server can't do that, as on Sail, a line says so and this machine asks. The rows are
    /// inserted by one statement, so only one program may write to the table at a time, and the
    /// cluster must not run tasks twice on purpose (`spark.speculation`).
    ///
    /// # Default
    /// This machine asks.
    pub fn on_executors(&self, tasks: u32) -> Self {
        let mut batch = self.clone();
        let worker = batch.asked.executors.and_then(|executors| executors.worker);
        batch.asked.executors = Some(Executors { tasks, worker });
        batch
    }

    /// The program `evenhand` for the executors' system.
    ///
    /// # Default
    /// In evenhand's own kernel, the program of the kernel.
    pub fn worker(&self, program: impl Into<PathBuf>) -> Self {
        let mut batch = self.clone();
        let tasks = batch.asked.executors.map_or(1, |executors| executors.tasks);
        let worker = Some(program.into());
        batch.asked.executors = Some(Executors { tasks, worker });
        batch
    }

    /// Sends the prompts of all rows that the table lacks, and adds their answers to it.
    ///
    /// The table is created if it is not there, as a Delta table where the server has Delta. Its
    /// columns are the id, `answer`, `finish_reason`, `model`, `prompt_tokens` and
    /// `completion_tokens`. Answers are written every 5,000 rows, at least once a minute, and at the
    /// end, with `merge` where the table's format has it. If it is run again after a stop or a
    /// crash, it continues where it ended: what is in the table or in the [journal](Batch::journal)
    /// is not paid for again. A row that fails is not written, so that it is asked again the next
    /// time.
    ///
    /// The frame is computed again for each 20,000 rows: write one that is expensive to a table first.
    ///
    /// # Errors
    /// The frame lacks a column; the id has nulls, repetitions or another type; the table has other
    /// columns or can't be written; and those of [`for_each`](Batch::for_each). The answers that
    /// arrived before are in the table.
    pub fn to_table(&self, name: &str) -> Result<Totals> {
        let session = self.asked.frame.session();
        let id_type = self.asked.check()?;
        let table = AnswerTable::open(&session, name, &self.asked.id, &id_type)?;
        if let Some(worker) = self.shipped(&session)? {
            return self.ask_on_executors(&session, &table, &worker);
        }
        let unsettled = Unsettled::default();
        let failed = Arc::new(Mutex::new(None));
        let reader = Reader {
            pending: self.asked.pending(&table),
            session,
            unsettled: unsettled.clone(),
            system: self.asked.system.clone(),
            rows: VecDeque::new(),
            failed: Arc::clone(&failed),
            is_over: false,
        };
        let mut batch = self.client.batch_requests(reader);
        batch.common = self.common.clone();
        batch.options = self.options.clone();
        batch.options.varied = true;
        let mut writer = Writer::new(table, unsettled);
        let asked = batch.for_each(|row| writer.take(row));
        // Also what arrived before an error was paid for.
        let written = writer.write();
        writer.tell();
        let totals = asked?;
        written?;
        let failed = failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        failed.map_or(Ok(totals), Err)
    }

    /// Async version of [`to_table`](Self::to_table). Dropping
    /// the future stops the batch as a [`CancelHandle`] does, which writes what has arrived; executors
    /// that ask already go on.
    ///
    /// # Errors
    /// As [`to_table`](Self::to_table).
    pub fn to_table_async(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Totals>> + Send + use<> {
        let (mut batch, name) = (self.clone(), name.to_owned());
        async move {
            let dropped = CancelOnDrop::default();
            batch.options.dropped = Some(dropped.0.clone());
            runtime::run_blocking(move || batch.to_table(&name)).await
        }
    }
}

/// Stops the batch that a dropped future has started.
#[derive(Default)]
struct CancelOnDrop(CancelHandle);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Batch<FrameRows> {
    /// The worker on the executors, if it is wanted and they can run it.
    fn shipped(&self, session: &Session) -> Result<Option<Worker>> {
        let Some(wanted) = &self.asked.executors else {
            return Ok(None);
        };
        let mut options = vec![executors::share(self.options.quota.as_ref(), wanted.tasks)?];
        options.extend(
            self.options
                .concurrency
                .map(|n| format!("--concurrency {n}")),
        );
        options.extend(self.options.retries.map(|n| format!("--retries {n}")));
        let journals = match &self.options.journal {
            JournalChoice::None => None,
            JournalChoice::Usual => Some(executors::journal_folder(None)?),
            JournalChoice::File(folder) => Some(executors::journal_folder(Some(folder))?),
        };
        match wanted.ship(session, options.join(" "), journals) {
            Ok(worker) => Ok(Some(worker)),
            Err(error) if is_unable(&error) => {
                display::log_line(&format!(
                    "The executors of this server can't ask, so this machine does: {}",
                    error.message()
                ));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn ask_on_executors(
        &self,
        session: &Session,
        table: &AnswerTable,
        worker: &Worker,
    ) -> Result<Totals> {
        let began = Instant::now();
        let mut request = self.common.clone();
        if let Some(name) = self.target_deployment() {
            request = request.deployment(name);
        }
        if let Some(system) = &self.asked.system {
            request = request.system(system);
        }
        let pending = self.asked.pending(table);
        let (rows, before) = (pending.count()?, table.count()?);
        let view = format!("evenhand_{}", super::uuid::random().replace('-', ""));
        executors::requests(&pending, &request)?.create_or_replace_temp_view(&view)?;
        let added = table.add_lines(&worker.query(&view));
        let dropped = session.sql(&format!("drop view if exists {view}"));
        added.and(dropped.map(|_| ()))?;
        let answered = table.count()?.saturating_sub(before).min(rows);
        let whole = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        Ok(Totals {
            rows: whole(rows),
            answered: whole(answered),
            failed: whole(rows - answered),
            wall_time: began.elapsed(),
            ..Totals::default()
        })
    }
}

/// Whether the server itself said that it can't.
fn is_unable(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::BadRequest | ErrorKind::NotFound | ErrorKind::Response | ErrorKind::Server
    )
}

impl FrameRows {
    /// The type of the id, if the rows can be told apart by it.
    fn check(&self) -> Result<String> {
        let schema = self.frame.schema()?;
        let type_of = |name: &str| {
            let field = schema.fields().iter().find(|field| field.name() == name);
            field
                .map(|field| field.data_type().to_owned())
                .ok_or_else(|| {
                    Error::new(
                        ErrorKind::Argument,
                        format!("the frame has no column {name:?}"),
                    )
                    .with_hint(
                        "`.id(\"..\")` names the column that identifies the rows; \
                         `frame.schema()?` lists them all",
                    )
                })
        };
        type_of(&self.prompt)?;
        let id_type = type_of(&self.id)?;
        if !["string", "tinyint", "smallint", "int", "bigint"].contains(&id_type.as_str()) {
            let message = format!("the id {:?} is of the type {id_type}", self.id);
            return Err(Error::new(ErrorKind::Argument, message).with_hint(
                "cast it to string: `.with_column(\"id\", col(\"..\").cast(\"string\"))`",
            ));
        }
        let id = || expr(&quoted(&self.id));
        let counted = self
            .frame
            .agg([
                count(lit(1)).alias("rows"),
                count(id()).alias("ids"),
                count_distinct(id()).alias("different"),
            ])
            .to_polars()?;
        let number = |name: &str| -> u64 {
            let column = counted.column(name).ok();
            let value = column.and_then(|column| column.get(0).ok()?.extract());
            value.unwrap_or_default()
        };
        let (rows, ids, different) = (number("rows"), number("ids"), number("different"));
        if rows == ids && ids == different {
            return Ok(id_type);
        }
        let message = match ids < rows {
            true => format!(
                "the id {:?} is null in {} rows",
                self.id,
                grouped(rows - ids)
            ),
            false => format!(
                "the id {:?} does not identify the rows: {} rows have {} different values",
                self.id,
                grouped(rows),
                grouped(different)
            ),
        };
        Err(Error::new(ErrorKind::Argument, message)
            .with_hint("`.id(\"..\")` names another column; `uuid()` or `monotonically_increasing_id()` makes one, in a table that is written first"))
    }

    /// The rows that the table lacks: the id as a text, and the prompt.
    fn pending(&self, table: &AnswerTable) -> DataFrame {
        let columns = [
            expr(&quoted(&self.id)).cast("string").alias("id"),
            expr(&quoted(&self.prompt)).cast("string").alias("prompt"),
        ];
        let rows = self.frame.select(columns);
        rows.join(&table.ids(), ["id"], super::JoinKind::LeftAnti)
    }
}

/// The ids that have been read and are not in the table: those on their way, and those that failed.
#[derive(Clone, Default)]
struct Unsettled(Arc<Mutex<HashSet<String>>>);

impl Unsettled {
    fn ids(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the rows as they are needed.
struct Reader {
    pending: DataFrame,
    session: Session,
    unsettled: Unsettled,
    system: Option<String>,
    rows: VecDeque<(String, Option<String>)>,
    /// Why the rows could not be read to their end.
    failed: Arc<Mutex<Option<Error>>>,
    is_over: bool,
}

impl Reader {
    fn read_rows(&mut self) -> Result<()> {
        let on_their_way: Vec<String> = self.unsettled.ids().iter().cloned().collect();
        let mut pending = self.pending.clone();
        if !on_their_way.is_empty() {
            let known = frame(df!["id" => on_their_way])?;
            let known = self.session.create_data_frame(&known)?;
            pending = pending.join(&known, ["id"], super::JoinKind::LeftAnti);
        }
        let read = pending.limit(ROWS_PER_READ).to_polars()?;
        let texts = |name: &str| -> Result<Vec<Option<String>>> {
            let column = read.column(name).and_then(|column| column.str());
            let column = column.map_err(|error| unreadable().with_source(error))?;
            Ok(column.iter().map(|text| text.map(str::to_owned)).collect())
        };
        let rows = texts("id")?.into_iter().zip(texts("prompt")?);
        let rows = rows.filter_map(|(id, prompt)| Some((id?, prompt)));
        self.rows.extend(rows);
        let ids = self.rows.iter().map(|(id, _)| id.clone());
        self.unsettled.ids().extend(ids);
        self.is_over = self.rows.is_empty();
        Ok(())
    }
}

impl Iterator for Reader {
    type Item = BatchRequest;

    fn next(&mut self) -> Option<BatchRequest> {
        if self.rows.is_empty()
            && !self.is_over
            && let Err(error) = self.read_rows()
        {
            self.is_over = true;
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
        let (id, prompt) = self.rows.pop_front()?;
        let request = prompt.ok_or_else(|| Error::new(ErrorKind::Argument, "the prompt is null"));
        let request = request.map(ChatRequest::from);
        let request = request.map(|request| match &self.system {
            Some(system) => request.system(system),
            None => request,
        });
        Some(BatchRequest {
            custom_id: id,
            request,
        })
    }
}

/// Collects the answers, and writes them in parts.
struct Writer {
    table: AnswerTable,
    unsettled: Unsettled,
    rows: Vec<AnsweredRow>,
    last_write: Instant,
    failed: usize,
    first_failure: Option<Error>,
}

impl Writer {
    fn new(table: AnswerTable, unsettled: Unsettled) -> Self {
        Self {
            table,
            unsettled,
            rows: Vec::new(),
            last_write: Instant::now(),
            failed: 0,
            first_failure: None,
        }
    }

    fn take(&mut self, row: Row) -> Result<()> {
        match row.outcome {
            Ok(answer) => self.rows.push(AnsweredRow::new(row.custom_id, &answer)),
            Err(error) if error.kind() == ErrorKind::Cancelled => {}
            Err(error) => {
                self.failed += 1;
                self.first_failure.get_or_insert(error);
            }
        }
        match self.rows.len() >= ROWS_PER_WRITE || self.last_write.elapsed() > BETWEEN_WRITES {
            true => self.write(),
            false => Ok(()),
        }
    }

    fn write(&mut self) -> Result<()> {
        self.last_write = Instant::now();
        if self.rows.is_empty() {
            return Ok(());
        }
        self.table.add(&self.rows)?;
        let mut unsettled = self.unsettled.ids();
        for row in self.rows.drain(..) {
            unsettled.remove(row.id());
        }
        Ok(())
    }

    fn tell(&self) {
        if let Some(error) = &self.first_failure {
            display::log_line(&format!(
                "{} rows failed and are not in the table; they are asked again the next time. The first \
                 error: {}",
                grouped(self.failed as u64),
                error.message()
            ));
        }
    }
}

fn frame(
    made: polars::prelude::PolarsResult<polars::prelude::DataFrame>,
) -> Result<polars::prelude::DataFrame> {
    made.map_err(|error| unreadable().with_source(error))
}

fn unreadable() -> Error {
    Error::new(ErrorKind::Response, "the rows of the batch can't be read")
}
