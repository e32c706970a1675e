//! Reports rows of one batch that were sent in different ways or answered by different models,
//! because such rows must not be compared without knowing it.

use std::sync::Arc;

use super::Batch;
use crate::display::note_line;
use crate::openai::profile::SharedProfile;
use crate::openai::{ChatCompletion, ChatRequest};
use crate::text::sanitize_line;

/// The maximum length of a model's name or of a profile in a note, in characters. The former comes
/// from the service, the latter may come from a journal.
const MAX_LENGTH: usize = 200;

/// How many ways are distinguished.
const MAX_COUNT: usize = 8;

/// The ways in which rows were sent and answered.
#[derive(Debug, Default)]
pub(crate) struct MixedRows {
    profiles: Counts,
    models: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    kinds: Vec<(Arc<str>, usize)>,
    others: usize,
}

impl Counts {
    fn add(&mut self, kind: &str) {
        if self.counts_as_known(kind) {
            return;
        }
        let kind = sanitize_line(kind, MAX_LENGTH);
        if self.counts_as_known(&kind) {
            return;
        }
        match self.kinds.len() < MAX_COUNT {
            true => self.kinds.push((kind.into(), 1)),
            false => self.others += 1,
        }
    }

    fn counts_as_known(&mut self, kind: &str) -> bool {
        let known = self.kinds.iter_mut().find(|(known, _)| &**known == kind);
        if let Some((_, count)) = known {
            *count += 1;
            return true;
        }
        false
    }

    fn listed(&self, unnamed: &str) -> Option<String> {
        if self.kinds.len() < 2 {
            return None;
        }
        let mut kinds: Vec<String> = self
            .kinds
            .iter()
            .map(|(kind, count)| match kind.is_empty() {
                true => format!("{count} {unnamed}"),
                false => format!("{count} {kind}"),
            })
            .collect();
        if self.others > 0 {
            kinds.push(format!("{} others", self.others));
        }
        Some(kinds.join("; "))
    }
}

impl MixedRows {
    pub(crate) fn add(&mut self, completion: &ChatCompletion) {
        let profile = completion.profile().unwrap_or_default();
        self.profiles.add(profile);
        if !completion.model.is_empty() {
            self.models.add(&completion.model);
        }
    }

    /// A note for each setting that was left out of some rows, except for those that all rows share.
    fn left_out(
        &self,
        shared: &ChatRequest,
        is_refused: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = String> {
        let fields = SharedProfile::optional_fields();
        let fields = fields.filter(|name| shared.setting(name).is_none());
        fields.filter_map(move |name| {
            let without = format!("without {name}");
            let lacks = |kind: &str| kind.split(", ").any(|part| part == without);
            let kinds = self.profiles.kinds.iter().filter(|(kind, _)| lacks(kind));
            let rows: usize = kinds.map(|(_, count)| count).sum();
            (rows > 0).then(|| {
                let rows = match rows {
                    1 => "1 row that sets it".to_owned(),
                    rows => format!("{rows} rows that set it"),
                };
                let why = match is_refused(name) {
                    true => "refuses it",
                    false => "refused it or two of their other settings",
                };
                format!("{name} was left out of {rows}, because the deployment {why}")
            })
        })
    }

    /// A note for each difference.
    pub(crate) fn notes(&self) -> Vec<String> {
        let asked = self.profiles.listed("as written").map(|kinds| {
            format!("not all rows were sent in the same way, so compare them with care: {kinds}")
        });
        let answered = self
            .models
            .listed("without a name")
            .map(|kinds| format!("not all rows were answered by the same model: {kinds}"));
        asked.into_iter().chain(answered).collect()
    }
}

/// The deployment of a batch, and the settings that all its requests share.
pub(super) struct SharedSettings {
    profile: Option<Arc<SharedProfile>>,
    common: ChatRequest,
}

impl SharedSettings {
    pub(super) fn from_batch<A>(batch: &Batch<A>) -> Self {
        let host = batch.client.host();
        Self {
            profile: batch
                .target_deployment()
                .map(|name| SharedProfile::of_deployment(host, name)),
            common: batch.common.clone(),
        }
    }

    /// The notes about how the rows were sent: settings that were left out, a change of the model,
    /// and differences between rows. They are also shown in a notebook.
    pub(super) fn notes(&self, mixed_rows: &MixedRows, was_sent: bool) -> Vec<String> {
        let mut notes = mixed_rows.notes();
        let profile = self.profile.as_ref();
        let is_refused = |name: &str| profile.is_some_and(|profile| profile.refuses(name));
        notes.extend(mixed_rows.left_out(&self.common, is_refused));
        if let Some(profile) = self.profile.as_ref().filter(|_| was_sent) {
            notes.extend(profile.left_out_note(&self.common));
        }
        notes.iter().for_each(|line| note_line(line));
        // These were shown when they occurred.
        let changes = self.profile.as_ref().map(|profile| profile.take_notes());
        notes.extend(changes.into_iter().flatten());
        notes
    }
}
