//! Work of a service that takes minutes: pauses that can be interrupted, and progress that is shown.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cancel::{self, CancelHandle};
use crate::display::{ProgressBar, log_line};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::run_caller_code;
use crate::text::sanitize_line;

/// The shortest pause, whatever a service asks for.
const MIN_DURATION: Duration = Duration::from_millis(20);

/// After how long without an answer the user is told, and again after how long.
const SILENCE: Duration = Duration::from_secs(10);
const LONGER_SILENCE: Duration = Duration::from_secs(30);

/// A pause up to this, before a request is sent again, is not told.
const SHORT_PAUSE: Duration = Duration::from_secs(1);

/// The longest text of a service that is shown, in characters.
const MAX_LENGTH: usize = 300;

/// What a service is doing, and for how long. Its `Display` is one line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitProgress {
    /// What is made or changed, such as `the cluster lab`.
    pub what: String,
    /// Its state in the service's words, such as `in progress`.
    pub state: String,
    /// The time since the wait began.
    pub elapsed: Duration,
    /// Whether the wait is over.
    pub is_over: bool,
}

impl fmt::Display for WaitProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.state)?;
        match self.is_over {
            true => Ok(()),
            false => write!(f, ", {} s", self.elapsed.as_secs()),
        }
    }
}

type Listener = Arc<dyn Fn(&WaitProgress) + Send + Sync>;

/// How a client polls: what stops its waits, who is informed of them, and how long their pauses are.
#[derive(Clone)]
pub(crate) struct PollOptions {
    pub(crate) stop: CancelHandle,
    pub(crate) listener: Option<Listener>,
    /// The first pause if the service names none. Each is twice as long, up to the longest.
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
}

impl PollOptions {
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self {
            stop: CancelHandle::new(),
            listener: None,
            first,
            longest,
        }
    }

    /// A wait of at most this long for `what`, such as `the cluster lab`.
    pub(crate) fn begin(&self, what: String, time_limit: Duration) -> Poller {
        Poller {
            polling: self.clone(),
            what,
            time_limit,
            began: Instant::now(),
            next: self.first,
            bar: match self.listener {
                Some(_) => None,
                None => ProgressBar::new(),
            },
            last: String::new(),
        }
    }

    /// Pauses; ends early if the user stops it.
    ///
    /// # Errors
    /// The user stopped the wait for `what`.
    pub(crate) async fn pause(&self, pause: Duration, what: &str) -> Result<()> {
        if !cancel::sleep(pause, Some(&self.stop)).await {
            return Ok(());
        }
        let message = format!("the wait for {what} was stopped; the service carries on");
        Err(Error::new(ErrorKind::Cancelled, message)
            .with_hint("make the call again to keep waiting"))
    }
}

/// A wait in progress.
pub(crate) struct Poller {
    polling: PollOptions,
    what: String,
    time_limit: Duration,
    began: Instant,
    next: Duration,
    bar: Option<ProgressBar>,
    last: String,
}

impl Poller {
    /// Shows the state, as the service writes it: to the caller's listener, on a bar, or as a line for each
    /// change. A message may follow in parentheses.
    pub(crate) fn report(&mut self, state: &str) {
        self.show(state, false);
    }

    /// The answer to a request. As long as there is none, the user is told.
    pub(crate) async fn answer<T>(&mut self, request: impl Future<Output = T>) -> T {
        let asked = tokio::time::Instant::now();
        let mut request = pin!(request);
        let mut silence = SILENCE;
        loop {
            if let Ok(answer) = tokio::time::timeout(silence, &mut request).await {
                return answer;
            }
            self.report(&format!("no answer for {} s", asked.elapsed().as_secs()));
            silence = LONGER_SILENCE;
        }
    }

    /// Tells that a request will be sent again.
    pub(crate) fn report_retry(&mut self, error: &Error, pause: Duration) {
        if pause <= SHORT_PAUSE {
            return;
        }
        let reason = match error.status() {
            Some(status) => format!("HTTP status {status}"),
            None => "no answer".to_owned(),
        };
        self.report(&format!("asked again in {} s ({reason})", pause.as_secs()));
    }

    /// Whether anything has been shown.
    pub(crate) fn is_shown(&self) -> bool {
        !self.last.is_empty()
    }

    /// Shows the last state. Nothing is said of what did not have to be waited for.
    pub(crate) fn end(&mut self, state: &str) {
        if self.is_shown() {
            self.show(state, true);
        }
    }

    /// Starts again with short pauses.
    pub(crate) fn reset_interval(&mut self) {
        self.next = self.polling.first;
    }

    /// The pause before the next look: as long as the service asks for, else twice as long as the last.
    ///
    /// # Errors
    /// It has taken longer than the time limit; or the user stopped it.
    pub(crate) async fn pause(&mut self, asked: Option<Duration>) -> Result<()> {
        if self.began.elapsed() >= self.time_limit {
            let minutes = self.time_limit.as_secs() / 60;
            let message = format!(
                "{} is not ready after {minutes} minutes: it is {}",
                self.what,
                self.state()
            );
            return Err(Error::new(ErrorKind::Timeout, message).with_hint(
                "make the call again to keep waiting; the portal shows the service's progress",
            ));
        }
        let own = self.next;
        self.next = (self.next * 2).min(self.polling.longest);
        let pause = asked.filter(|asked| !asked.is_zero()).unwrap_or(own);
        let left = self.time_limit.saturating_sub(self.began.elapsed());
        let pause = pause.max(MIN_DURATION).min(left.max(MIN_DURATION));
        self.polling.pause(pause, &self.what).await
    }

    fn state(&self) -> &str {
        match self.last.is_empty() {
            true => "in an unknown state",
            false => &self.last,
        }
    }

    fn show(&mut self, state: &str, is_over: bool) {
        let state = sanitize_line(&in_words(state), MAX_LENGTH);
        let is_new = state != self.last || is_over;
        let progress = WaitProgress {
            what: self.what.clone(),
            state: state.clone(),
            elapsed: self.began.elapsed(),
            is_over,
        };
        let total = is_over.then_some(1);
        match (&self.polling.listener, &mut self.bar) {
            (Some(listener), _) => run_caller_code(|| listener(&progress)),
            (None, Some(bar)) => bar.show(usize::from(is_over), total, &progress.to_string()),
            (None, None) if is_new => log_line(&format!("{}: {state}", self.what)),
            (None, None) => {}
        }
        self.last = state;
    }
}

/// A state in plain words: `InProgress` and `IN_PROGRESS` are `in progress`. A message in parentheses stays as
/// it is.
pub(crate) fn in_words(state: &str) -> String {
    let (state, message) = state.split_at(state.find(" (").unwrap_or(state.len()));
    let mut words = String::with_capacity(state.len() + message.len());
    let mut is_inside = false;
    for letter in state.chars() {
        if letter == '_' || letter.is_ascii_uppercase() && is_inside {
            words.push(' ');
        }
        is_inside = letter.is_ascii_lowercase();
        words.extend((letter != '_').then_some(letter.to_ascii_lowercase()));
    }
    words + message
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::runtime;

    fn polling() -> PollOptions {
        PollOptions::new(Duration::from_millis(1), Duration::from_millis(2))
    }

    #[test]
    fn a_listener_is_told_each_state_and_the_end() {
        let reported: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&reported);
        let polling = PollOptions {
            listener: Some(Arc::new(move |progress: &WaitProgress| {
                heard.lock().unwrap().push(progress.to_string());
            })),
            ..polling()
        };
        let mut wait = polling.begin("the cluster lab".to_owned(), Duration::from_secs(9));
        wait.end("running");
        assert!(reported.lock().unwrap().is_empty(), "it ran already");
        wait.report("pend\u{1b}ing");
        wait.end("running");
        let reported = reported.lock().unwrap().clone();
        assert_eq!(
            reported,
            ["the cluster lab: pend�ing, 0 s", "the cluster lab: running"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_told_until_there_is_an_answer() {
        let reported: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&reported);
        let polling = PollOptions {
            listener: Some(Arc::new(move |progress: &WaitProgress| {
                heard.lock().unwrap().push(progress.state.clone());
            })),
            ..polling()
        };
        let mut wait = polling.begin("Azure".to_owned(), Duration::MAX);
        let answer = wait.answer(tokio::time::sleep(Duration::from_secs(9)));
        answer.await;
        wait.end("answered");
        let answer = wait.answer(tokio::time::sleep(Duration::from_secs(45)));
        answer.await;
        let error = Error::new(ErrorKind::Server, "oops").with_status(503);
        wait.report_retry(&error, Duration::from_millis(500));
        wait.report_retry(&error, Duration::from_secs(4));
        wait.end("answered");
        assert_eq!(
            *reported.lock().unwrap(),
            [
                "no answer for 10 s",
                "no answer for 40 s",
                "asked again in 4 s (HTTP status 503)",
                "answered"
            ]
        );
    }

    #[test]
    fn a_state_is_the_same_words_however_the_service_writes_it() {
        for (state, words) in [
            ("InProgress", "in progress"),
            ("IN_PROGRESS", "in progress"),
            ("in progress", "in progress"),
            ("NOT_READY", "not ready"),
            ("Succeeded", "succeeded"),
            (
                "PENDING (Finding Instances: 1_2)",
                "pending (Finding Instances: 1_2)",
            ),
            ("ÄnderungLäuft", "Änderung läuft"),
            ("", ""),
        ] {
            assert_eq!(in_words(state), words);
        }
    }

    #[test]
    fn a_wait_ends_with_its_time_limit_and_when_the_user_stops_it() {
        let polling = polling();
        let mut short = polling.begin("the account x".to_owned(), Duration::ZERO);
        let error = runtime::wait(short.pause(None)).unwrap_err();
        assert!(
            error.is_timeout() && error.message().contains("the account x"),
            "{error}"
        );
        polling.stop.cancel();
        let mut long = polling.begin("the account x".to_owned(), Duration::from_secs(600));
        let error = runtime::wait(long.pause(Some(Duration::from_secs(500)))).unwrap_err();
        assert!(error.is_cancelled() && error.hint().is_some(), "{error}");
    }
}
