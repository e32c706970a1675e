//! Ready requests, as many as there may be: read as they are needed, and settled in order
//! with no more of them in memory than are under way.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Poll;
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc};

use super::answers::{RequestStats, Source};
use super::cache::{self, AnswerCache};
use super::driver::{StopCondition, StopReason, drive};
use super::engine::{Engine, Outcome, Question};
use super::options::JournalChoice;
use super::progress::Teller;
use super::totals::Totals;
use super::{Batch, options};
use crate::error::{Error, ErrorKind, Result};
use crate::openai::{ChatCompletion, ChatRequest, Client};
use crate::runtime::{self, run_caller_code};

/// How many requests, for each that may be under way, are held back at most because one
/// before them is not settled.
const WINDOW: usize = 64;

/// How many rows may be on their way to whoever takes them.
const ROWS_AHEAD: usize = 16;

/// A request, and what its answer will be known by.
#[derive(Clone, Debug)]
pub struct BatchRequest {
    /// The name that whoever asks gave it.
    pub custom_id: String,
    /// What is sent, or why there is nothing to send, which is then the row's error.
    pub request: Result<ChatRequest>,
}

/// What a batch of ready requests asks. See [`Client::batch_requests`].
///
/// Clones share them: they are read once.
#[derive(Clone)]
pub struct Requests(Arc<Mutex<Option<Unread>>>);

type Unread = Box<dyn Iterator<Item = BatchRequest> + Send>;

impl Requests {
    fn new(requests: Unread) -> Self {
        Self(Arc::new(Mutex::new(Some(requests))))
    }

    /// # Errors
    /// They were taken before.
    fn take(&self) -> Result<Unread> {
        let mut unread = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        unread.take().ok_or_else(|| {
            Error::new(
                ErrorKind::Argument,
                "the requests of this batch were read by an earlier `for_each`",
            )
            .with_hint("make the batch anew: `client.batch_requests(..)`")
        })
    }
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Requests(..)")
    }
}

/// What came of a request.
#[derive(Debug)]
#[non_exhaustive]
pub struct Row {
    /// Its number, from 0.
    pub id: usize,
    /// Its name.
    pub custom_id: String,
    /// The completion, or why there is none.
    pub outcome: Result<ChatCompletion>,
    /// What it took.
    pub effort: RequestStats,
    /// Where the outcome is from.
    pub source: Source,
}

impl Client {
    /// A batch of ready requests. They are read as they are needed, so there may be millions.
    ///
    /// What the batch itself is told, such as [`max_tokens`](Batch::max_tokens), holds for
    /// requests that don't say.
    ///
    /// ```no_run
    /// use evenhand::batch::BatchRequest;
    /// use evenhand::{ChatRequest, Client};
    ///
    /// let client = Client::from_env()?;
    /// let requests = (0..1_000_000).map(|n| BatchRequest {
    ///     custom_id: format!("row {n}"),
    ///     request: Ok(ChatRequest::from(format!("Describe person {n}."))),
    /// });
    /// let totals = client.batch_requests(requests).max_tokens(100).for_each(|row| {
    ///     println!("{}: {:?}", row.custom_id, row.outcome.map(|answer| answer.id));
    ///     Ok(())
    /// })?;
    /// println!("{totals}");
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn batch_requests<R>(&self, requests: R) -> Batch<Requests>
    where
        R: IntoIterator<Item = BatchRequest>,
        R::IntoIter: Send + 'static,
    {
        let mut batch = self.batch_of(Requests::new(Box::new(requests.into_iter())));
        batch.options.varied = true;
        batch
    }
}

impl Batch {
    /// A batch of ready requests in this one's manner, with its parameters for those that
    /// don't say. A journal that has a name is followed by one beside it, since one journal
    /// holds the requests of one kind of batch.
    pub(crate) fn following(&self, requests: Vec<BatchRequest>) -> Batch<Requests> {
        let mut batch = self.client.batch_requests(requests);
        batch.common = self.common.clone();
        batch.options = self.options.clone();
        batch.options.varied = true;
        if let JournalChoice::File(path) = &self.options.journal {
            batch.options.journal = JournalChoice::File(path.with_extension("second.jsonl"));
        }
        batch
    }
}

impl Batch<Requests> {
    /// Asks all requests and hands on what comes of each, in their order, as soon as those
    /// before it are settled too. Says in the end how it went.
    ///
    /// When it is stopped, or its time is over, every request that was read still becomes a
    /// row; what was not read does not.
    ///
    /// `take` runs on the thread that calls this, and may borrow what is there:
    ///
    /// ```
    /// # use evenhand::batch::BatchRequest;
    /// # let client = evenhand::Client::builder()
    /// #     .endpoint("http://127.0.0.1:9").api_key("key").deployment("any").max_retries(0).build()?;
    /// # let requests = [BatchRequest::from_json(b"\"Describe a nurse.\"", "nurse")];
    /// let mut rows = Vec::new();
    /// client.batch_requests(requests).for_each(|row| {
    ///     rows.push(row);
    ///     Ok(())
    /// })?;
    /// assert_eq!(rows[0].custom_id, "nurse");
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    ///
    /// # Errors
    /// What `take` returns, which ends the batch; requests that were read before; a concurrency or
    /// a quota of 0; a journal that can't be used; and an error that no row can escape (a wrong
    /// key, an unknown deployment), when nothing has been answered.
    ///
    /// # Panics
    /// Where `take` panics. An iterator of requests that panics is an error.
    pub fn for_each<F>(&self, take: F) -> Result<Totals>
    where
        F: FnMut(Row) -> Result<()>,
    {
        runtime::wait(self.for_each_async(take))
    }

    /// The same for programs that have a runtime of their own. `take` runs in the task that
    /// awaits. Dropping it stops the batch.
    ///
    /// # Errors
    /// As [`for_each`](Self::for_each).
    pub fn for_each_async<F>(&self, mut take: F) -> impl Future<Output = Result<Totals>> + use<F>
    where
        F: FnMut(Row) -> Result<()>,
    {
        let batch = self.clone();
        async move {
            let (sender, mut rows) = mpsc::channel(ROWS_AHEAD);
            let work = runtime::spawn(settle_all(batch, sender))?;
            while let Some(row) = rows.recv().await {
                if let Err(error) = take(row) {
                    drop(rows);
                    // It ends, and closes its journal.
                    let _ = work.await;
                    return Err(error);
                }
            }
            work.await?
        }
    }
}

/// Settles all requests and sends their rows, until nobody takes them any more.
async fn settle_all(batch: Batch<Requests>, rows: mpsc::Sender<Row>) -> Result<Totals> {
    let started = Instant::now();
    options::check(&batch.options)?;
    let until = StopCondition::new(&batch.options, started);
    let parameters = batch.parameters();
    let records = cache::open(&batch.client, &batch.options, parameters, &until).await?;
    let terms = options::engine_config(&batch, records.clone())?;
    let pacer = Arc::clone(&terms.pacer);
    let mut teller = Teller::new(None, terms.concurrency, batch.options.listener);
    let requests = batch.asked.take()?;

    let line = Arc::new(Line::new(terms.concurrency.saturating_mul(WINDOW)));
    let (sender, questions) = mpsc::channel(terms.concurrency);
    let mut engine = Engine::start(terms, questions);
    let feeder = Feeder {
        common: batch.common,
        records: records.as_ref().map(Arc::downgrade),
        line: Arc::clone(&line),
        sender,
    };
    let handle = Handle::current();
    let reading = tokio::task::spawn_blocking(move || feeder.feed(requests, &handle));

    let mut exit = Exit::new(&line, records.as_deref(), &rows);
    let driving = drive(&mut engine, &until, &pacer, &mut teller, |one| {
        exit.settle(one)
    });
    let ended = unless_closed(&rows, driving).await;
    let hopeless = engine.fatal_error();
    let rest = match &ended {
        Ok(ended) => {
            let unasked = hopeless.clone().unwrap_or_else(|| options::unasked(*ended));
            exit.settle_rest(&unasked)
        }
        Err(_) => {
            // The reader of requests must not wait for room that nobody will make.
            line.room.close();
            Ok(())
        }
    };
    let broken_off = match &ended {
        // Nothing is left to ask, so reading is over, one way or the other.
        Ok(None) if hopeless.is_none() => reading.await.err(),
        _ => None,
    };
    let unsaved = records.as_deref().and_then(AnswerCache::close);
    let mut notes = records
        .as_deref()
        .map(AnswerCache::notes)
        .unwrap_or_default();
    notes.extend(pacer.take_notes());
    let totals = Totals {
        wall_time: started.elapsed(),
        notes,
        ..exit.totals
    };
    teller.finish();
    ended.and(rest)?;
    if broken_off.is_some_and(|ended| ended.is_panic()) {
        let message = format!(
            "the iterator of requests panicked after {} rows, which were handed on",
            totals.rows
        );
        return Err(Error::new(ErrorKind::Argument, message)
            .with_hint("what it printed says where; what a journal holds is not asked twice"));
    }
    match unsaved.or(hopeless.filter(|_| totals.answered == 0)) {
        Some(error) => Err(error),
        None => Ok(totals),
    }
}

/// The names of the requests that were read and not yet handed on, first come first.
struct Line {
    names: Mutex<VecDeque<String>>,
    room: Semaphore,
}

impl Line {
    fn new(room: usize) -> Self {
        Self {
            names: Mutex::new(VecDeque::new()),
            room: Semaphore::new(room.min(Semaphore::MAX_PERMITS)),
        }
    }

    fn names(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for room, and stands a name at the end. False when nobody is waited for any more.
    async fn enter(&self, name: &str) -> bool {
        let Ok(place) = self.room.acquire().await else {
            return false;
        };
        place.forget();
        self.names().push_back(name.to_owned());
        true
    }

    fn leave(&self) -> Option<String> {
        let name = self.names().pop_front();
        self.room.add_permits(1);
        name
    }
}

/// Reads requests, on a thread of its own since reading may block.
struct Feeder {
    common: ChatRequest,
    /// A reader that never comes back must not keep the journal open.
    records: Option<Weak<AnswerCache>>,
    line: Arc<Line>,
    sender: mpsc::Sender<Question>,
}

impl Feeder {
    fn feed(&self, requests: Unread, handle: &Handle) {
        for (index, one) in requests.enumerate() {
            if !handle.block_on(self.line.enter(&one.custom_id)) {
                return;
            }
            let request = one.request.map(|request| request.or(&self.common));
            let id = self.records.as_ref().zip(request.as_ref().ok());
            let id = id.and_then(|(records, request)| {
                Some(records.upgrade()?.named_id(request, &one.custom_id))
            });
            let question = Question { index, request, id };
            if self.sender.blocking_send(question).is_err() {
                return;
            }
        }
    }
}

/// Hands on outcomes in the order of their requests.
struct Exit<'a> {
    line: &'a Line,
    records: Option<&'a AnswerCache>,
    rows: &'a mpsc::Sender<Row>,
    next: usize,
    early: BTreeMap<usize, Outcome>,
    totals: Totals,
}

impl<'a> Exit<'a> {
    fn new(line: &'a Line, records: Option<&'a AnswerCache>, rows: &'a mpsc::Sender<Row>) -> Self {
        Self {
            line,
            records,
            rows,
            next: 0,
            early: BTreeMap::new(),
            totals: Totals::default(),
        }
    }

    fn settle(&mut self, one: Outcome) -> Result<()> {
        self.early.insert(one.index, one);
        while let Some(one) = self.early.remove(&self.next) {
            self.hand_on(one)?;
        }
        Ok(())
    }

    /// Hands on what was read and will not be settled any more, for this reason.
    fn settle_rest(&mut self, reason: &Error) -> Result<()> {
        self.line.room.close();
        loop {
            let one = match self.early.remove(&self.next) {
                Some(one) => one,
                None if self.line.names().is_empty() => return Ok(()),
                None => Outcome::unasked(self.next, reason),
            };
            self.hand_on(one)?;
        }
    }

    fn hand_on(&mut self, one: Outcome) -> Result<()> {
        self.next += 1;
        self.totals.add(&one.outcome, &one.effort, one.source);
        let custom_id = self.line.leave().unwrap_or_default();
        let row = Row {
            id: one.index,
            custom_id,
            outcome: one.outcome,
            effort: one.effort,
            source: one.source,
        };
        self.send(row)?;
        // What can't be written to the journal is kept in memory, which has an end.
        self.records
            .and_then(AnswerCache::take_trouble)
            .map_or(Ok(()), Err)
    }

    /// Waits while whoever takes rows has enough of them.
    fn send(&self, row: Row) -> Result<()> {
        let sent = match self.rows.try_send(row) {
            Err(TrySendError::Full(row)) => {
                run_caller_code(|| runtime::wait(self.rows.send(row))).is_ok()
            }
            sent => sent.is_ok(),
        };
        if sent { Ok(()) } else { Err(nobody_takes()) }
    }
}

/// Waits for the work, or until nobody takes rows any more.
async fn unless_closed<T>(
    rows: &mpsc::Sender<Row>,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let mut work = pin!(work);
    let mut closed = pin!(rows.closed());
    poll_fn(|context| match closed.as_mut().poll(context) {
        Poll::Ready(()) => Poll::Ready(Err(nobody_takes())),
        Poll::Pending => work.as_mut().poll(context),
    })
    .await
}

/// Nobody sees it: whoever takes no rows has a reason of its own.
fn nobody_takes() -> Error {
    StopReason::Stopped.error()
}

#[cfg(test)]
mod tests;
