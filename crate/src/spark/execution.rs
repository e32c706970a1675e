//! One query or command on the server, from its start to its release.
//!
//! A response may be cut off by a broken connection, or by a server that ends long streams on
//! purpose. The operation goes on meanwhile, and the client asks for what follows the last response
//! that it has received. So no row is lost or repeated, and nothing runs twice.
//!
//! Only if nothing at all has arrived, and the server says after a cut that it knows no such
//! operation, is the plan sent again, as the same operation: then it never arrived.

use std::pin::pin;
use std::time::Duration;

use super::connected::Connected;
use super::grpc::{Fault, Responses};
use super::messages::{
    Empty, ExecutePlanRequest, ExecutePlanResponse, InterruptRequest, InterruptResponse, Plan,
    ReattachExecuteRequest, ReattachOptions, ReleaseExecuteRequest, RequestOption,
};
use super::status::{NOT_FOUND, Status, UNAVAILABLE};
use crate::cancel::kernel_requested_stop;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime;

/// How many times in a row to ask for the rest before giving up. Each response sets the count back.
const ATTEMPTS: u32 = 6;

/// The first pause before asking again; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(100);

/// How often to look whether the user has pressed the stop button.
const LOOK: Duration = Duration::from_millis(50);

/// A running operation.
pub(super) struct Execution {
    session: Connected,
    plan: Plan,
    session_id: String,
    operation_id: String,
    responses: Option<Responses>,
    last_response_id: Option<String>,
    /// The operation has reported its end.
    is_complete: bool,
    /// Nothing is left to release on the server.
    is_over: bool,
    attempts: u32,
    last_fault_was_a_cut: bool,
    is_in_new_session: bool,
}

impl Execution {
    /// An operation that begins with the first call of [`next`](Self::next).
    pub(super) fn new(session: Connected, plan: Plan) -> Self {
        Self {
            session_id: session.session_id(),
            session,
            plan,
            operation_id: super::uuid::random(),
            responses: None,
            last_response_id: None,
            is_complete: false,
            is_over: false,
            attempts: 0,
            last_fault_was_a_cut: false,
            is_in_new_session: false,
        }
    }

    /// The next response; `None` at the end. The stop button ends it with an error of the kind
    /// [`Cancelled`](ErrorKind::Cancelled).
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
                Err(stopped())
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
            match self.receive().await {
                Ok(Some(response)) => {
                    self.attempts = 0;
                    self.last_fault_was_a_cut = false;
                    if !response.response_id.is_empty() {
                        self.last_response_id = Some(response.response_id.clone());
                    }
                    self.is_complete |= response.result_complete.is_some();
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
                    self.last_fault_was_a_cut = true;
                    self.again(Some(error)).await?;
                }
                Err(Fault::Status(status)) => self.recover(status).await?,
                Err(Fault::Unusable(error)) => return Err(error),
            }
        }
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
    async fn open(&self) -> Result<Responses, Fault> {
        let channel = self.session.channel();
        if self.attempts == 0 && self.last_response_id.is_none() {
            channel.open("ExecutePlan", &self.request()).await
        } else {
            channel.open("ReattachExecute", &self.reattach()).await
        }
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
            last_response_id: self.last_response_id.clone(),
        }
    }

    /// Prepares to ask for the rest, after a pause that grows.
    async fn again(&mut self, cause: Option<Error>) -> Result<()> {
        self.responses = None;
        if self.attempts == ATTEMPTS {
            return Err(cause.unwrap_or_else(|| self.ended_too_early()));
        }
        // A stream that ended on purpose is continued at once.
        if cause.is_some() || self.attempts > 0 {
            tokio::time::sleep(PAUSE * 2_u32.pow(self.attempts)).await;
        }
        self.attempts += 1;
        Ok(())
    }

    fn ended_too_early(&self) -> Error {
        let place = self.session.channel().place();
        let message = format!("{place} ends the answer again and again without its end");
        Error::new(ErrorKind::Response, message).with_hint("run the cell again")
    }

    async fn recover(&mut self, status: Status) -> Result<()> {
        let has_nothing = self.last_response_id.is_none();
        if is_passing(&status) {
            // As far as anybody can tell, the operation may have begun.
            self.last_fault_was_a_cut = true;
            return self.again(Some(Error::from(Fault::Status(status)))).await;
        }
        if has_nothing && self.attempts > 0 && self.last_fault_was_a_cut && is_unknown(&status) {
            return self.send_again(status).await;
        }
        if has_nothing && self.attempts == 0 && !self.is_in_new_session && is_closed(&status) {
            self.is_in_new_session = true;
            self.responses = None;
            self.session_id = self.session.renew(&self.session_id).await?;
            return Ok(());
        }
        Err(self.session.error_of(status).await)
    }

    /// The server knows no such operation: the request never arrived.
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
            Ok(responses) => self.responses = Some(responses),
            Err(Fault::Cut(error)) => self.again(Some(error)).await?,
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
        // What the server keeps otherwise, it drops by itself after some minutes.
        let request = self.release_request();
        let asked = self
            .session
            .channel()
            .call::<Empty>("ReleaseExecute", &request);
        let _ = tokio::time::timeout(Duration::from_secs(2), asked).await;
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
        let (channel, request) = (self.session.channel().clone(), self.release_request());
        runtime::detach(async move {
            let _ = channel.call::<Empty>("ReleaseExecute", &request).await;
        });
    }
}

/// The result of the work; `None` if the user presses the stop button before.
async fn unless_stopped<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    loop {
        match tokio::time::timeout(LOOK, work.as_mut()).await {
            Ok(done) => return Some(done),
            Err(_) if kernel_requested_stop() => return None,
            Err(_) => {}
        }
    }
}

fn stopped() -> Error {
    Error::new(ErrorKind::Cancelled, "the query was stopped")
        .with_hint("run the cell again to ask for all of it")
}

/// Whether the next attempt may succeed.
fn is_passing(status: &Status) -> bool {
    status.code == UNAVAILABLE || status.is_of_class("INVALID_CURSOR.DISCONNECTED")
}

/// Whether the server knows no such operation. Spark may first notice that it knows no session.
fn is_unknown(status: &Status) -> bool {
    status.code == NOT_FOUND
        || status.is_of_class("INVALID_HANDLE.OPERATION_NOT_FOUND")
        || status.is_of_class("INVALID_HANDLE.SESSION_NOT_FOUND")
        || status.message.contains("operation not found")
}

/// Whether the server has closed the session, after idle time or a restart.
pub(super) fn is_closed(status: &Status) -> bool {
    ["SESSION_CLOSED", "SESSION_CHANGED", "SESSION_NOT_FOUND"]
        .iter()
        .any(|class| status.is_of_class(&format!("INVALID_HANDLE.{class}")))
        || (status.message.contains("session") && status.message.contains("is not running"))
}
