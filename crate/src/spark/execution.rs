//! One query or command on the server, from its start to its release.
//!
//! A response may be cut off by a broken connection, or by a server that ends long streams on
//! purpose. The operation goes on meanwhile, and the client asks for what follows.
//!
//! It asks for one response more than it lacks: the first one that comes must be the last one that
//! it has. Otherwise the server has dropped responses that never arrived, as Sail silently does
//! beyond 128, and the query ends with an error instead of a part of its rows.
//!
//! Nothing that changes something runs twice. If nothing at all has arrived, a query begins again as
//! another operation. A command is sent again only if the server is sure that it never arrived; if
//! it can't tell, the error says so.

use std::pin::pin;
use std::time::Duration;

use super::connected::Connected;
use super::execution_errors as errors;
use super::grpc::{Fault, Responses};
use super::messages::{
    Command, Empty, ExecutePlanRequest, ExecutePlanResponse, InterruptRequest, InterruptResponse,
    Plan, ReattachExecuteRequest, ReattachOptions, ReleaseExecuteRequest, RequestOption,
};
use super::operation_status::{
    is_closed, is_finished, is_passing, is_too_far_back, is_unknown, never_arrived,
};
use super::status::{Status, UNAUTHENTICATED};
use crate::cancel::kernel_requested_stop;
use crate::error::{Error, Result};
use crate::http::retry;
use crate::runtime;

/// How many times in a row to ask for the rest before giving up. Each response sets the count back.
const ATTEMPTS: u32 = 6;

/// The first pause before asking again; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(100);

/// How often to look whether the user has pressed the stop button.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A running operation.
pub(super) struct Execution {
    session: Connected,
    plan: Plan,
    session_id: String,
    operation_id: String,
    responses: Option<Responses>,
    last_response_id: Option<String>,
    /// The response before it.
    previous_response_id: Option<String>,
    /// The last response is asked for again when the stream is continued.
    overlaps: bool,
    /// The stream was continued, and nothing has come of it yet.
    is_joining: bool,
    /// How many rows have arrived.
    rows: i64,
    /// The result of a statement has arrived.
    has_result: bool,
    /// The operation has reported its end.
    is_complete: bool,
    /// Nothing is left to release on the server.
    is_over: bool,
    attempts: u32,
    last_fault_was_a_cut: bool,
    is_in_new_session: bool,
}

impl Connected {
    /// Starts a query or a command.
    pub(super) fn execute(&self, plan: Plan) -> Result<Execution> {
        self.check()?;
        Ok(Execution::new(self.clone(), plan))
    }

    pub(super) async fn command(&self, command: Command) -> Result<()> {
        let plan = Plan {
            root: None,
            command: Some(command),
        };
        self.execute(plan)?.finish(|_| Ok(())).await
    }
}

impl Execution {
    /// An operation that begins with the first call of [`next`](Self::next).
    fn new(session: Connected, plan: Plan) -> Self {
        Self {
            session_id: session.session_id(),
            session,
            plan,
            operation_id: super::uuid::random(),
            responses: None,
            last_response_id: None,
            previous_response_id: None,
            overlaps: true,
            is_joining: false,
            rows: 0,
            has_result: false,
            is_complete: false,
            is_over: false,
            attempts: 0,
            last_fault_was_a_cut: false,
            is_in_new_session: false,
        }
    }

    /// The next response; `None` at the end. The stop button ends it with an error of the kind
    /// [`Cancelled`](crate::error::ErrorKind::Cancelled).
    pub(super) async fn next(&mut self) -> Result<Option<ExecutePlanResponse>> {
        if self.is_over {
            return Ok(None);
        }
        let next = unless_stopped(self.next_response()).await;
        match next {
            Some(Ok(Some(response))) => Ok(Some(response)),
            Some(Ok(None)) => {
                self.release().await;
                Ok(None)
            }
            Some(Err(error)) => {
                self.release().await;
                Err(error)
            }
            None => {
                self.interrupt().await;
                self.release().await;
                Err(errors::stopped())
            }
        }
    }

    /// All responses to their end, for a command.
    pub(super) async fn finish(
        mut self,
        mut each: impl FnMut(ExecutePlanResponse) -> Result<()> + Send,
    ) -> Result<()> {
        while let Some(response) = self.next().await? {
            each(response)?;
        }
        Ok(())
    }

    async fn next_response(&mut self) -> Result<Option<ExecutePlanResponse>> {
        loop {
            if self.is_complete && self.responses.is_none() {
                return Ok(None);
            }
            match self.receive().await {
                Ok(Some(response)) => {
                    if self.is_joining && self.is_joint(&response)? {
                        continue;
                    }
                    self.keep(&response)?;
                    return Ok(Some(response));
                }
                Ok(None) if self.is_complete => return Ok(None),
                // The server has ended the stream on purpose, and has more.
                Ok(None) => {
                    self.last_fault_was_a_cut = false;
                    self.again(None).await?;
                }
                Err(Fault::Cut(error)) => {
                    // All of it is here; only the end of the stream is missing.
                    if self.is_complete {
                        return Ok(None);
                    }
                    self.after_cut(error).await?;
                }
                Err(Fault::Status(status)) => self.recover(status).await?,
                Err(Fault::Unusable(error)) => return Err(error),
            }
        }
    }

    /// Whether it is the response that was the last before the stream was continued.
    fn is_joint(&mut self, response: &ExecutePlanResponse) -> Result<bool> {
        self.is_joining = false;
        match &self.last_response_id {
            // The server has found the place itself.
            Some(_) if !self.overlaps => Ok(false),
            Some(last) if *last == response.response_id => Ok(true),
            // Rows never come first: the schema does.
            None if response.arrow_batch.is_none() => Ok(false),
            // A command has no rows to lose: what counts is its end.
            _ if !self.may_repeat() => Ok(false),
            _ => Err(errors::incomplete(self.place())),
        }
    }

    fn keep(&mut self, response: &ExecutePlanResponse) -> Result<()> {
        self.attempts = 0;
        self.last_fault_was_a_cut = false;
        if !response.response_id.is_empty() {
            let last = self.last_response_id.replace(response.response_id.clone());
            self.previous_response_id = last;
        }
        if let Some(batch) = &response.arrow_batch {
            if batch.start_offset.is_some_and(|start| start != self.rows) {
                return Err(errors::incomplete(self.place()));
            }
            self.rows += batch.row_count;
        }
        self.has_result |= response.sql_command_result.is_some();
        self.is_complete |= response.result_complete.is_some();
        Ok(())
    }

    /// Opens the stream if there is none, and waits for its next response.
    async fn receive(&mut self) -> Result<Option<ExecutePlanResponse>, Fault> {
        if self.responses.is_none() {
            self.responses = Some(self.open().await?);
        }
        match &mut self.responses {
            Some(responses) => responses.next().await,
            None => Ok(None),
        }
    }

    /// The plan is sent once, and whatever follows asks for the rest.
    async fn open(&mut self) -> Result<Responses, Fault> {
        self.is_joining = self.attempts > 0 || self.last_response_id.is_some();
        if self.begins_again() {
            self.is_joining = false;
            self.operation_id = super::uuid::random();
        }
        let channel = self.session.channel();
        if !self.is_joining {
            channel.open("ExecutePlan", &self.request()).await
        } else {
            channel.open("ReattachExecute", &self.reattach()).await
        }
    }

    /// A query of which nothing has arrived begins again, since the server may have dropped its
    /// beginning.
    fn begins_again(&self) -> bool {
        self.attempts > 0
            && self.last_fault_was_a_cut
            && self.last_response_id.is_none()
            && self.may_repeat()
    }

    /// Whether it may run twice: it changes nothing, or replaces a view by the same view.
    fn may_repeat(&self) -> bool {
        self.plan.command.as_ref().is_none_or(|command| {
            let statement = command.sql_command.as_ref();
            let view = command.create_dataframe_view.as_ref();
            statement.is_some_and(|statement| begins_as_query(&statement.sql))
                || view.is_some_and(|view| view.replace)
        })
    }

    fn place(&self) -> &str {
        self.session.channel().place()
    }

    fn request(&self) -> ExecutePlanRequest {
        let reattach_options = Some(ReattachOptions { reattachable: true });
        ExecutePlanRequest {
            session_id: self.session_id.clone(),
            user_context: Some(self.session.user()),
            plan: Some(self.plan.clone()),
            client_type: Some(super::CLIENT_TYPE.to_owned()),
            request_options: vec![RequestOption { reattach_options }],
            operation_id: Some(self.operation_id.clone()),
            tags: self.session.tags(),
        }
    }

    fn reattach(&self) -> ReattachExecuteRequest {
        ReattachExecuteRequest {
            session_id: self.session_id.clone(),
            user_context: Some(self.session.user()),
            operation_id: self.operation_id.clone(),
            last_response_id: match self.overlaps {
                true => self.previous_response_id.clone(),
                false => self.last_response_id.clone(),
            },
        }
    }

    async fn after_cut(&mut self, error: Error) -> Result<()> {
        self.last_fault_was_a_cut = true;
        let operation = self.operation_id.clone();
        match self.again(Some(error)).await {
            Err(error) if !self.may_repeat() && !self.has_result => {
                Err(errors::unsure(self.place(), error))
            }
            Err(error) => Err(error),
            Ok(()) => {
                if self.begins_again() {
                    self.detach_release(operation);
                }
                Ok(())
            }
        }
    }

    /// Prepares to ask for the rest, after a pause that grows.
    async fn again(&mut self, cause: Option<Error>) -> Result<()> {
        self.responses = None;
        if self.attempts == ATTEMPTS {
            return Err(cause.unwrap_or_else(|| errors::ended_too_early(self.place())));
        }
        // A stream that ended on purpose is continued at once.
        if cause.is_some() || self.attempts > 0 {
            let wait = PAUSE * 2_u32.pow(self.attempts);
            let cause = cause.unwrap_or_else(|| errors::ended_too_early(self.place()));
            retry::report(&cause, self.attempts, wait);
            // Whoever polls this looks for a stop.
            tokio::time::sleep(wait).await;
        }
        self.attempts += 1;
        Ok(())
    }

    async fn recover(&mut self, status: Status) -> Result<()> {
        let has_nothing = self.last_response_id.is_none();
        // A token that ended in mid-query: the rest is asked for with the next one.
        let is_renewed = status.code == UNAUTHENTICATED && self.session.channel().renew().await?;
        if is_passing(&status) || is_renewed {
            // As far as anybody can tell, the operation may have begun.
            return self.after_cut(Error::from(Fault::Status(status))).await;
        }
        if self.is_joining && self.overlaps && is_too_far_back(&status) {
            // Spark checks the place itself, and keeps fewer responses than Sail.
            self.overlaps = false;
            self.responses = None;
            return Ok(());
        }
        if self.attempts > 0 && self.last_fault_was_a_cut {
            if is_finished(&status) {
                return self.finished();
            }
            if is_unknown(&status) {
                return self.unknown(status).await;
            }
        }
        if has_nothing && self.attempts == 0 && !self.is_in_new_session && is_closed(&status) {
            self.is_in_new_session = true;
            self.responses = None;
            self.session_id = self.session.renew(&self.session_id).await?;
            return Ok(());
        }
        Err(self.session.error_of(status).await)
    }

    /// It has run to its end, and what the connection lost is gone.
    fn finished(&mut self) -> Result<()> {
        let needs_result = self.plan.command.as_ref().is_none_or(returns_result);
        if !needs_result || self.has_result {
            self.is_complete = true;
            self.responses = None;
            return Ok(());
        }
        Err(match self.may_repeat() {
            true => errors::incomplete(self.place()),
            false => errors::without_result(self.place()),
        })
    }

    /// The server knows no such operation.
    async fn unknown(&mut self, status: Status) -> Result<()> {
        if self.has_result {
            self.is_complete = true;
            self.responses = None;
            return Ok(());
        }
        if self.last_response_id.is_none() && (never_arrived(&status) || self.may_repeat()) {
            return self.send_again(status).await;
        }
        let error = self.session.error_of(status).await;
        Err(match self.may_repeat() {
            true => error,
            false => errors::unsure(self.place(), error),
        })
    }

    /// The request never arrived.
    async fn send_again(&mut self, status: Status) -> Result<()> {
        let failed = Error::from(Fault::Status(status));
        if self.attempts >= ATTEMPTS {
            return Err(failed);
        }
        let sent = self
            .session
            .channel()
            .open("ExecutePlan", &self.request())
            .await;
        match sent {
            Ok(responses) => {
                self.is_joining = false;
                self.responses = Some(responses);
            }
            Err(Fault::Cut(error)) => self.after_cut(error).await?,
            Err(fault) => return Err(fault.into()),
        }
        Ok(())
    }

    async fn interrupt(&self) {
        let request = InterruptRequest {
            session_id: self.session_id.clone(),
            user_context: Some(self.session.user()),
            interrupt_type: 3,
            operation_tag: None,
            operation_id: Some(self.operation_id.clone()),
        };
        // The user waits for the end of the cell, which comes either way.
        let asked = self
            .session
            .channel()
            .call::<InterruptResponse>("Interrupt", &request);
        let _ = tokio::time::timeout(Duration::from_secs(2), asked).await;
    }

    /// Frees what the server holds for this operation.
    async fn release(&mut self) {
        self.is_over = true;
        self.responses = None;
        // What the server keeps otherwise, it drops on its own after some minutes.
        let request = self.release_request();
        let asked = self
            .session
            .channel()
            .call::<Empty>("ReleaseExecute", &request);
        let _ = tokio::time::timeout(Duration::from_secs(2), asked).await;
    }

    /// Has the server drop an operation that nobody asks for any more.
    fn detach_release(&self, operation_id: String) {
        let channel = self.session.channel().clone();
        let request = ReleaseExecuteRequest {
            operation_id,
            ..self.release_request()
        };
        runtime::detach(async move {
            let _ = channel.call::<Empty>("ReleaseExecute", &request).await;
        });
    }

    fn release_request(&self) -> ReleaseExecuteRequest {
        ReleaseExecuteRequest {
            session_id: self.session_id.clone(),
            user_context: Some(self.session.user()),
            operation_id: self.operation_id.clone(),
            release_all: Some(Empty {}),
        }
    }
}

impl Drop for Execution {
    /// A result that nobody reads to its end is stopped on the server.
    fn drop(&mut self) {
        if self.is_over || (self.attempts == 0 && self.responses.is_none()) {
            return;
        }
        self.detach_release(self.operation_id.clone());
    }
}

/// The result of the work; `None` if the user presses the stop button before.
async fn unless_stopped<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    loop {
        match tokio::time::timeout(POLL_INTERVAL, work.as_mut()).await {
            Ok(done) => return Some(done),
            Err(_) if kernel_requested_stop() => return None,
            Err(_) => {}
        }
    }
}

/// Only an SQL statement has a result.
fn returns_result(command: &Command) -> bool {
    command.sql_command.is_some()
}

/// Whether the statement's first word is one of those that change nothing.
fn begins_as_query(sql: &str) -> bool {
    let sql = sql.trim_start();
    let end = sql.find(|c: char| !c.is_ascii_alphabetic());
    let word = sql[..end.unwrap_or(sql.len())].to_ascii_lowercase();
    ["select", "values", "show", "describe", "desc"].contains(&&*word)
}
