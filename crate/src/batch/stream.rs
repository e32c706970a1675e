//! Batches of complete requests, of any number: requests are read as they are needed, and
//! outcomes are delivered in order, with only the pending requests in memory.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};

use super::batch_request::BatchRequest;
use super::cache::{self, AnswerCache};
use super::driver::drive;
use super::engine::{Engine, Question};
use super::engine_config::engine_config;
use super::mixed_rows::{MixedRows, SharedSettings};
use super::occurrences::Occurrences;
use super::options::JournalChoice;
use super::outcome::Outcome;
use super::progress::ProgressReporter;
use super::row::Row;
use super::stop_condition::{StopCondition, StopReason};
use super::totals::Totals;
use super::{Batch, options};
use crate::error::{Error, ErrorKind, Result};
use crate::openai::{ChatRequest, Client};
use crate::runtime::{self, run_caller_code};

/// How many outcomes, per request that may be in flight, are held back at most because an
/// earlier request has no outcome yet.
const WINDOW: usize = 64;

/// How many rows may be on their way to the caller.
const ROWS_AHEAD: usize = 16;

/// How long a batch that ends waits for the iterator of requests to return from a call.
const LAST_READ: Duration = Duration::from_millis(100);

/// The requests of a batch. See [`Client::batch_requests`].
///
/// Clones share the requests, which are read once.
#[derive(Clone)]
pub struct Requests(Arc<Mutex<Option<Unread>>>);

pub(super) type Unread = Box<dyn Iterator<Item = BatchRequest> + Send>;

impl Requests {
    pub(super) fn new(requests: Unread) -> Self {
        Self(Arc::new(Mutex::new(Some(requests))))
    }

    /// # Errors
    /// They were taken before.
    pub(super) fn take_rows(&self) -> Result<Unread> {
        let mut unread = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        unread.take().ok_or_else(|| {
            Error::new(
                ErrorKind::Argument,
                "the requests of this batch were read by an earlier `run` or `for_each`",
            )
            .with_hint("create the batch again: `client.batch_requests(..)`")
        })
    }
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Requests(..)")
    }
}

impl Client {
    /// A batch of complete requests. They are read as they are needed, so there may be millions.
    ///
    /// Parameters set on the batch, such as [`max_tokens`](Batch::max_tokens), apply to the
    /// requests that don't set them.
    ///
    /// ```no_run
    /// use evenhand::Client;
    ///
    /// let client = Client::from_env()?;
    /// // The name of each request, and the request.
    /// let requests = (0..1_000_000).map(|n| (format!("row {n}"), format!("Describe person {n}.")));
    /// let totals = client.batch_requests(requests).max_tokens(100).for_each(|row| {
    ///     println!("{}: {:?}", row.custom_id, row.outcome.map(|answer| answer.id));
    ///     Ok(())
    /// })?;
    /// println!("{totals}");
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn batch_requests<R>(&self, requests: R) -> Batch<Requests>
    where
        R: IntoIterator<Item: Into<BatchRequest>>,
        R::IntoIter: Send + 'static,
    {
        // A path to the method would need items that borrow nothing.
        let requests = requests.into_iter().map(|request| request.into());
        let mut batch = self.batch_of(Requests::new(Box::new(requests)));
        batch.options.varied = true;
        batch
    }
}

impl Batch {
    /// A batch of complete requests with this batch's options, and with its parameters for the
    /// requests that don't set them. If this batch names a journal, the new one uses a second
    /// file next to it, because a journal holds the requests of one kind of batch.
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
    /// Sends all requests and passes each outcome to `take`, in the order of the requests and as
    /// soon as all earlier ones have theirs. Returns the totals.
    ///
    /// If the batch is stopped or reaches its deadline, every request that was read still
    /// becomes a row; requests that were not read do not.
    ///
    /// `take` runs on the calling thread and may borrow local variables:
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
    /// An error that `take` returns, which ends the batch; requests that were read before; a
    /// concurrency or a quota of 0; a journal that can't be used; an iterator of requests that
    /// panics; and an error that every row would meet (a wrong key, an unknown deployment), if
    /// nothing has been answered.
    ///
    /// # Panics
    /// If `take` panics.
    pub fn for_each<F>(&self, take: F) -> Result<Totals>
    where
        F: FnMut(Row) -> Result<()>,
    {
        runtime::wait(self.for_each_async(take))
    }

    /// Async version of [`for_each`](Self::for_each).
    /// `take` runs in the awaiting task. Dropping the future stops the batch.
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
                    // The work ends early and closes its journal.
                    let _ = work.await;
                    return Err(error);
                }
            }
            work.await?
        }
    }
}

/// Sends all requests and passes on their rows, until the receiver is dropped.
async fn settle_all(batch: Batch<Requests>, rows: mpsc::Sender<Row>) -> Result<Totals> {
    let started = Instant::now();
    options::check(&batch.options)?;
    let mut until = StopCondition::new(&batch.options, started);
    let parameters = batch.parameters();
    let cache = cache::open(&batch.client, &batch.options, parameters, &until).await?;
    let config = engine_config(&batch, cache.clone())?;
    until.watch(Arc::clone(&config.spending));
    let rate_limiter = Arc::clone(&config.rate_limiter);
    let asked = SharedSettings::from_batch(&batch);
    let mut reporter = ProgressReporter::new(None, config.concurrency, batch.options.listener);
    let requests = batch.asked.take_rows()?;

    let pending = Arc::new(Pending::new(config.concurrency.saturating_mul(WINDOW)));
    let (sender, questions) = mpsc::channel(config.concurrency);
    let mut engine = Engine::start(config, questions);
    let feeder = Feeder {
        common: batch.common,
        cache: cache.as_ref().map(Arc::downgrade),
        pending: Arc::clone(&pending),
        sender,
    };
    let handle = Handle::current();
    let mut reading = tokio::task::spawn_blocking(move || feeder.feed(requests, &handle));

    let mut delivery = Delivery::new(&pending, cache.as_deref(), &rows);
    let driving = drive(&mut engine, &until, &rate_limiter, &mut reporter, |one| {
        delivery.settle(one)
    });
    let ended = unless_closed(&rows, driving).await;
    let fatal_error = engine.fatal_error();
    pending.room.close();
    // Its last request becomes a row, too, unless the iterator takes longer to return.
    let read = tokio::time::timeout(LAST_READ, &mut reading).await.ok();
    let rest = match &ended {
        Ok(ended) => {
            let unasked = fatal_error
                .clone()
                .unwrap_or_else(|| StopReason::unasked(*ended));
            let interrupted = engine.take_interrupted(&unasked);
            delivery.settle_rest(interrupted, &unasked)
        }
        Err(_) => Ok(()),
    };
    let broken_off = match &ended {
        // No question is left, so reading has ended, normally or by a panic.
        Ok(None) if fatal_error.is_none() => match read {
            Some(done) => done.err(),
            None => reading.await.err(),
        },
        _ => None,
    };
    let unsaved = cache.as_deref().and_then(AnswerCache::close);
    let mut notes = cache.as_deref().map(AnswerCache::notes).unwrap_or_default();
    notes.extend(rate_limiter.take_notes());
    notes.extend(asked.notes(&delivery.mixed_rows, delivery.totals.requests > 0));
    let totals = Totals {
        wall_time: started.elapsed(),
        notes,
        ..delivery.totals
    };
    reporter.finish();
    ended.and(rest)?;
    if broken_off.is_some_and(|ended| ended.is_panic()) {
        let message = format!(
            "the iterator of requests panicked after {} rows, which were delivered",
            totals.rows
        );
        return Err(Error::new(ErrorKind::Argument, message).with_hint(
            "the printed panic message says where; answers in the journal are not requested again",
        ));
    }
    match unsaved.or(fatal_error.filter(|_| totals.answered == 0)) {
        Some(error) => Err(error),
        None => Ok(totals),
    }
}

/// The names of the requests that have been read but not delivered, in order.
struct Pending {
    names: Mutex<VecDeque<String>>,
    room: Semaphore,
}

impl Pending {
    fn new(room: usize) -> Self {
        Self {
            names: Mutex::new(VecDeque::new()),
            room: Semaphore::new(room.min(Semaphore::MAX_PERMITS)),
        }
    }

    fn names(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for room for one more request. False once no more are taken.
    async fn has_room(&self) -> bool {
        let place = self.room.acquire().await;
        place.map(SemaphorePermit::forget).is_ok()
    }

    fn enter(&self, name: &str) {
        self.names().push_back(name.to_owned());
    }

    fn leave(&self) -> Option<String> {
        let name = self.names().pop_front();
        self.room.add_permits(1);
        name
    }
}

/// Reads requests, on a separate thread because reading may block.
struct Feeder {
    common: ChatRequest,
    /// Weak, so that an iterator that never returns does not keep the journal open.
    cache: Option<Weak<AnswerCache>>,
    pending: Arc<Pending>,
    sender: mpsc::Sender<Question>,
}

impl Feeder {
    /// A request is read only when there is room for it, and then becomes a row in any case.
    fn feed(&self, mut requests: Unread, handle: &Handle) {
        let mut unnamed = Occurrences::default();
        for index in 0.. {
            if !handle.block_on(self.pending.has_room()) {
                return;
            }
            let Some(one) = requests.next() else {
                return;
            };
            self.pending.enter(&one.custom_id);
            let request = one.request.map(|request| request.or(&self.common));
            let id = self.cache.as_ref().zip(request.as_ref().ok());
            let id = id.and_then(|(cache, request)| {
                let cache = cache.upgrade()?;
                Some(unnamed.id(&cache, request, &one.custom_id))
            });
            let question = Question { index, request, id };
            if self.sender.blocking_send(question).is_err() {
                return;
            }
        }
    }
}

/// Delivers outcomes in the order of their requests.
struct Delivery<'a> {
    pending: &'a Pending,
    cache: Option<&'a AnswerCache>,
    rows: &'a mpsc::Sender<Row>,
    next: usize,
    waiting: BTreeMap<usize, Outcome>,
    totals: Totals,
    mixed_rows: MixedRows,
}

impl<'a> Delivery<'a> {
    fn new(
        pending: &'a Pending,
        cache: Option<&'a AnswerCache>,
        rows: &'a mpsc::Sender<Row>,
    ) -> Self {
        Self {
            pending,
            cache,
            rows,
            next: 0,
            waiting: BTreeMap::new(),
            totals: Totals::default(),
            mixed_rows: MixedRows::default(),
        }
    }

    fn settle(&mut self, one: Outcome) -> Result<()> {
        self.waiting.insert(one.index, one);
        while let Some(one) = self.waiting.remove(&self.next) {
            self.deliver(one)?;
        }
        Ok(())
    }

    /// Delivers the requests that were read but will have no outcome, with this reason; those that
    /// were sent meanwhile are `interrupted`.
    fn settle_rest(&mut self, interrupted: Vec<Outcome>, reason: &Error) -> Result<()> {
        for one in interrupted {
            self.waiting.entry(one.index).or_insert(one);
        }
        loop {
            let one = match self.waiting.remove(&self.next) {
                Some(one) => one,
                None if self.pending.names().is_empty() => return Ok(()),
                None => Outcome::unasked(self.next, reason),
            };
            self.deliver(one)?;
        }
    }

    fn deliver(&mut self, one: Outcome) -> Result<()> {
        self.next += 1;
        self.totals.add(&one.outcome, &one.stats, one.source);
        if let Ok(completion) = &one.outcome {
            self.mixed_rows.add(completion);
        }
        let custom_id = self.pending.leave().unwrap_or_default();
        let row = Row {
            id: one.index,
            custom_id,
            outcome: one.outcome,
            stats: one.stats,
            source: one.source,
        };
        self.send(row)?;
        // Rows that can't be written to the journal stay in memory, so stop at the first one.
        self.cache
            .and_then(AnswerCache::take_trouble)
            .map_or(Ok(()), Err)
    }

    /// Waits while the caller has not yet taken the rows before this one.
    fn send(&self, row: Row) -> Result<()> {
        let sent = match self.rows.try_send(row) {
            Err(TrySendError::Full(row)) => {
                run_caller_code(|| runtime::wait(self.rows.send(row)).is_ok())
            }
            sent => sent.is_ok(),
        };
        if sent { Ok(()) } else { Err(nobody_takes()) }
    }
}

/// Waits for the work, or until the receiver of the rows is dropped.
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

/// Ends the work. The caller returns its own error, or has dropped the future.
fn nobody_takes() -> Error {
    StopReason::Stopped.error()
}

#[cfg(test)]
mod tests;
