//! What the outcomes so far tell about the remaining rows of a batch.

use std::time::{Duration, Instant};

use super::needed_settings::NeededSettings;
use crate::error::{Error, ErrorKind, Result};
use crate::openai::error_mapping::{is_out_of_credit, refuses_the_key};
use crate::openai::{ChatCompletion, ChatRequest};

/// How long the service may refuse everything before the batch gives up on the remaining rows.
const GIVE_UP_AFTER: Duration = Duration::from_secs(600);

/// After so many refusals with 403 that may be those of one row, and no answer, all rows are taken to be
/// refused.
const MAX_FORBIDDEN: u32 = 3;

/// After so many refusals in a row of the key, of the deployment, or of the same settings, all rows are taken
/// to be refused, even if others were answered before.
const MAX_CONSECUTIVE: u32 = 24;

/// After so many refusals of settings that were never accepted, requests with them are not sent any more.
const MAX_SETTINGS_FAILURES: u32 = 2;

/// After this many more refusals, the pauses between two that are sent all the same grow no longer.
const MAX_PAUSE: u32 = 10;

/// How many settings are told apart.
const MAX_SETTINGS: usize = 16;

/// What became of requests with the same settings, of those without which they would be others.
struct KnownSettings {
    settings: NeededSettings,
    /// How many were refused because of a setting, since one was answered.
    refusals: u32,
    /// One was answered.
    is_accepted: bool,
    /// How many were not sent since the last one that was.
    unsent: u32,
    /// The last refusal.
    error: Option<Error>,
}

impl KnownSettings {
    /// May a request with them be sent? The refusals may have been about their prompts after all, so one is
    /// sent after the first that is not, after two more, after four more, and so on. Different models may
    /// answer, so settings that one has accepted are refused by chance.
    fn may_be_sent(&mut self) -> bool {
        let most = match self.is_accepted {
            true => MAX_CONSECUTIVE,
            false => MAX_SETTINGS_FAILURES,
        };
        let Some(more) = self.refusals.checked_sub(most) else {
            return true;
        };
        let is_tried = self.unsent >= 1 << more.min(MAX_PAUSE);
        self.unsent = if is_tried { 0 } else { self.unsent + 1 };
        is_tried
    }
}

pub(super) struct Health {
    answered: bool,
    last_answer: Instant,
    /// How many requests were refused with 403 for a reason that may be their own.
    forbidden: u32,
    /// Refusals of the key or of the deployment since the last answer.
    in_a_row: u32,
    settings: Vec<KnownSettings>,
    /// Why no further question can be answered.
    fatal_error: Option<Error>,
}

impl Health {
    pub(super) fn new() -> Self {
        Self {
            answered: false,
            last_answer: Instant::now(),
            forbidden: 0,
            in_a_row: 0,
            settings: Vec::new(),
            fatal_error: None,
        }
    }

    pub(super) fn fatal_error(&self) -> Option<&Error> {
        self.fatal_error.as_ref()
    }

    /// Returns whether the service has refused everything for too long.
    pub(super) fn is_time_to_give_up(&mut self, error: &Error) -> bool {
        let is_over = self.last_answer.elapsed() > GIVE_UP_AFTER;
        if is_over {
            self.fatal_error.get_or_insert_with(|| error.clone());
        }
        is_over
    }

    /// Records that a setting of this request was refused, which is not about its text.
    pub(super) fn record_refused_settings(&mut self, request: &ChatRequest, error: &Error) {
        let Some(settings) = self.settings_of(request) else {
            return;
        };
        settings.refusals += 1;
        settings.error = Some(error.clone());
    }

    /// Records that a request with these settings was answered.
    pub(super) fn record_accepted_settings(&mut self, request: &ChatRequest) {
        if let Some(settings) = self.settings_of(request) {
            settings.refusals = 0;
            settings.is_accepted = true;
        }
    }

    /// What is known about the settings of this request; `None` if there are too many to tell apart.
    fn settings_of(&mut self, request: &ChatRequest) -> Option<&mut KnownSettings> {
        let mut known = self.settings.iter();
        let place = known.position(|it| it.settings.are_of(request));
        if place.is_none() && self.settings.len() < MAX_SETTINGS {
            self.settings.push(KnownSettings {
                settings: NeededSettings::of_request(request),
                refusals: 0,
                is_accepted: false,
                unsent: 0,
                error: None,
            });
            return self.settings.last_mut();
        }
        self.settings.get_mut(place?)
    }

    /// The error of a request whose settings the service has refused so often that it would refuse it too.
    pub(super) fn refusal_of(&mut self, request: &ChatRequest) -> Option<Error> {
        let mut known = self.settings.iter_mut();
        let known = known.find(|it| it.settings.are_of(request))?;
        match known.may_be_sent() {
            true => None,
            false => known.error.clone(),
        }
    }

    /// Learns from an outcome. Returns whether nothing more should be asked. A deployment that only this
    /// request names tells nothing about the other rows.
    pub(super) fn learn(&mut self, outcome: &Result<ChatCompletion>, names_its_own: bool) -> bool {
        let error = match outcome {
            Ok(_) => {
                self.answered = true;
                self.last_answer = Instant::now();
                self.in_a_row = 0;
                return false;
            }
            Err(error) => error,
        };
        let spares_no_row = match self.answered {
            false => self.spares_no_row(error, names_its_own),
            true => self.has_ended(error, names_its_own),
        };
        if !is_out_of_credit(error) && !spares_no_row {
            return false;
        }
        tracing::warn!(
            error = error.kind().name(),
            status = error.status(),
            "every row would fail with this error: nothing more is asked"
        );
        self.fatal_error.get_or_insert_with(|| error.clone());
        true
    }

    /// Does the service refuse all rows since it last answered one?
    fn has_ended(&mut self, error: &Error, names_its_own: bool) -> bool {
        if refuses_all(error) && !names_its_own {
            self.in_a_row = self.in_a_row.saturating_add(1);
        }
        self.in_a_row >= MAX_CONSECUTIVE
    }

    /// Would every row of the batch meet this error?
    fn spares_no_row(&mut self, error: &Error, names_its_own: bool) -> bool {
        if names_its_own {
            return error.kind() == ErrorKind::Authentication;
        }
        if error.kind() == ErrorKind::PermissionDenied {
            self.forbidden = self.forbidden.saturating_add(1);
        }
        refuses_all(error) || self.forbidden >= MAX_FORBIDDEN
    }
}

/// Does the service refuse the key or the deployment? Another 403 may be about the prompt, or those of a
/// whole group.
fn refuses_all(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Authentication | ErrorKind::Settings | ErrorKind::NotFound => true,
        ErrorKind::PermissionDenied => refuses_the_key(error),
        _ => false,
    }
}
