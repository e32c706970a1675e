//! What the clones of a session and its data frames share: the connection, the session's identity,
//! its settings and tags.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use prost::Message;

use super::error_mapping::error_of;
use super::grpc::{Channel, Fault};
use super::messages::{
    ConfigOperation, ConfigRequest, ConfigResponse, Empty, FetchErrorDetailsRequest,
    FetchErrorDetailsResponse, InterruptRequest, InterruptResponse, KeyValue,
    ReleaseSessionRequest, Set, UserContext,
};
use super::operation_status::is_closed;
use super::status::{Status, UNAUTHENTICATED};
use crate::display;
use crate::error::{Error, ErrorKind, Result};
use crate::http::retry;
use crate::runtime;

/// How many times a call that changes nothing is tried.
const TRIES: u32 = 3;

/// How long a session's end may hold up the program.
const FAREWELL: Duration = Duration::from_secs(1);

/// From this length on, a text may have been cut off.
const CUT_OFF: usize = 2_000;

/// Batches are sent uncompressed: the library has no codecs, and on one machine they cost time.
const UNCOMPRESSED: (&str, &str) = ("spark.sql.execution.arrow.compression.codec", "none");

/// What a session and its frames share.
#[derive(Clone)]
pub(super) struct Connected(Arc<Inner>);

struct Inner {
    channel: Channel,
    user: UserContext,
    id: Mutex<String>,
    settings: Mutex<Vec<(String, String)>>,
    tags: Mutex<Vec<String>>,
    is_stopped: AtomicBool,
    /// The address that it was made for.
    address: String,
}

/// The session that `get_or_create` returns again.
static ACTIVE: Mutex<Weak<Inner>> = Mutex::new(Weak::new());

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each value is whole even if a thread panicked while it held the lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connected {
    pub(super) fn new(channel: Channel, user_id: String, id: String, address: String) -> Self {
        Self(Arc::new(Inner {
            channel,
            user: UserContext {
                user_name: user_id.clone(),
                user_id,
            },
            id: Mutex::new(id),
            settings: Mutex::new(Vec::new()),
            tags: Mutex::new(Vec::new()),
            is_stopped: AtomicBool::new(false),
            address,
        }))
    }

    /// The running session for this address.
    pub(super) fn active(address: &str) -> Option<Self> {
        let inner = locked(&ACTIVE).upgrade()?;
        let fits = inner.address == address && !inner.is_stopped.load(Ordering::Relaxed);
        fits.then_some(Self(inner))
    }

    pub(super) fn activate(&self) {
        *locked(&ACTIVE) = Arc::downgrade(&self.0);
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.0.channel
    }

    pub(super) fn user(&self) -> UserContext {
        self.0.user.clone()
    }

    pub(super) fn session_id(&self) -> String {
        locked(&self.0.id).clone()
    }

    pub(super) fn tags(&self) -> Vec<String> {
        locked(&self.0.tags).clone()
    }

    pub(super) fn with_tags(&self, change: impl FnOnce(&mut Vec<String>)) {
        change(&mut locked(&self.0.tags));
    }

    /// Ends the session on the server, unless that has been done.
    pub(super) async fn stop(&self) -> Result<()> {
        if self.0.is_stopped.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        self.0.release().await.map_err(Error::from)
    }

    /// Refuses a session that was stopped.
    pub(super) fn check(&self) -> Result<()> {
        match self.0.is_stopped.load(Ordering::Relaxed) {
            false => Ok(()),
            true => Err(Error::new(ErrorKind::Argument, "the session was stopped")
                .with_hint("`Session::builder().get_or_create()?` begins another one")),
        }
    }

    /// A call that changes nothing, so that it may be repeated.
    pub(super) async fn call<Q: Message, A: Message + Default>(
        &self,
        method: &str,
        request: impl Fn(String, UserContext) -> Q,
    ) -> Result<A> {
        self.check()?;
        let mut renewed = false;
        let mut tries = 1;
        loop {
            let id = self.session_id();
            let asked = request(id.clone(), self.user());
            match self.channel().call(method, &asked).await {
                Ok(answer) => return Ok(answer),
                Err(Fault::Cut(error)) if tries < TRIES => {
                    let wait = Duration::from_millis(100) * tries;
                    retry::pause_unless_stopped(wait, tries - 1, &error, None).await?;
                    tries += 1;
                }
                Err(Fault::Status(status)) if !renewed && is_closed(&status) => {
                    renewed = true;
                    self.renew(&id).await?;
                }
                Err(Fault::Status(status)) => return Err(self.error_of(status).await),
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    /// Sets the session's settings on the server.
    pub(super) async fn configure(&self, settings: Vec<(String, String)>) -> Result<()> {
        self.set(&settings).await?;
        let mut known = locked(&self.0.settings);
        for (name, value) in settings {
            known.retain(|(known, _)| *known != name);
            known.push((name, value));
        }
        Ok(())
    }

    /// No longer sets it in a session that has to begin again.
    pub(super) fn forget(&self, name: &str) {
        locked(&self.0.settings).retain(|(known, _)| known != name);
    }

    /// The first call of a session: it shows whether there is a server.
    pub(super) async fn greet(&self, mut settings: Vec<(String, String)>) -> Result<()> {
        settings.push((UNCOMPRESSED.0.to_owned(), UNCOMPRESSED.1.to_owned()));
        self.configure(settings).await
    }

    async fn set(&self, settings: &[(String, String)]) -> Result<()> {
        self.config(ConfigOperation {
            set: Some(Set {
                pairs: pairs(settings),
            }),
            ..ConfigOperation::default()
        })
        .await?;
        Ok(())
    }

    /// The error for a status. Spark cuts long texts off, and tells all of them when asked.
    pub(super) async fn error_of(&self, mut status: Status) -> Error {
        let cut_off = status.error_id.take();
        let cut_off = cut_off.filter(|_| status.message.len() >= CUT_OFF);
        if let Some(error_id) = cut_off {
            let request = FetchErrorDetailsRequest {
                session_id: self.session_id(),
                user_context: Some(self.user()),
                error_id,
            };
            let asked = self.channel().call("FetchErrorDetails", &request);
            // Servers before 4.0 know of no details; then the beginning has to do.
            let details: FetchErrorDetailsResponse = asked.await.unwrap_or_default();
            if let Some(text) = details.root_message() {
                status.message = self.channel().redactor().message(text);
            }
        }
        let is_refused = status.code == UNAUTHENTICATED;
        let error = error_of(status);
        match is_refused {
            true => error.with_hint(self.channel().token_hint()),
            false => error,
        }
    }

    pub(super) async fn config(&self, operation: ConfigOperation) -> Result<ConfigResponse> {
        self.call("Config", |session_id, user| ConfigRequest {
            session_id,
            user_context: Some(user),
            operation: Some(operation.clone()),
        })
        .await
    }

    /// A new session in place of the one that the server has closed, with the same settings. It is
    /// told once, however many calls notice it.
    pub(super) async fn renew(&self, closed: &str) -> Result<String> {
        let id = {
            let mut id = locked(&self.0.id);
            if *id != closed {
                return Ok(id.clone());
            }
            *id = super::uuid::random();
            id.clone()
        };
        self.channel().set_session(&id);
        display::log_line(
            "The Spark server had closed the session, so a new one began: temporary views are gone, \
             and data frames that use them need them again.",
        );
        let settings = locked(&self.0.settings).clone();
        let request = ConfigRequest {
            session_id: id.clone(),
            user_context: Some(self.user()),
            operation: Some(ConfigOperation {
                set: Some(Set {
                    pairs: pairs(&settings),
                }),
                ..ConfigOperation::default()
            }),
        };
        let _: ConfigResponse = self.channel().call("Config", &request).await?;
        Ok(id)
    }

    /// Stops all running operations, or those with the tag.
    pub(super) async fn interrupt(&self, tag: Option<&str>) -> Result<Vec<String>> {
        let answer: InterruptResponse = self
            .call("Interrupt", |session_id, user| InterruptRequest {
                session_id,
                user_context: Some(user),
                interrupt_type: if tag.is_some() { 2 } else { 1 },
                operation_tag: tag.map(str::to_owned),
                operation_id: None,
            })
            .await?;
        Ok(answer.interrupted_ids)
    }
}

impl fmt::Debug for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("server", &self.channel().place())
            .field("id", &self.session_id())
            .finish()
    }
}

fn pairs(settings: &[(String, String)]) -> Vec<KeyValue> {
    let pair = |(key, value): &(String, String)| KeyValue {
        key: key.clone(),
        value: Some(value.clone()),
    };
    settings.iter().map(pair).collect()
}

impl Inner {
    fn release(&self) -> impl Future<Output = Result<(), Fault>> + Send + use<> {
        let channel = self.channel.clone();
        let request = ReleaseSessionRequest {
            session_id: locked(&self.id).clone(),
            user_context: Some(self.user.clone()),
        };
        async move {
            let _: Empty = channel.call("ReleaseSession", &request).await?;
            Ok(())
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if *self.is_stopped.get_mut() {
            return;
        }
        let release = self.release();
        runtime::finish_within(FAREWELL, async move {
            // A server that can't be reached forgets the session on its own.
            let _ = release.await;
        });
    }
}
