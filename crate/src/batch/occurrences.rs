//! Which of several equal requests without a name is which.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

use super::cache::AnswerCache;
use crate::openai::ChatRequest;

/// Counts equal requests without a name.
#[derive(Default)]
pub(super) struct Occurrences {
    /// Hashes of their IDs. They are few bytes, since there may be millions.
    seen: HashSet<u64>,
    repeated: HashMap<u64, u32>,
}

impl Occurrences {
    /// The ID of the next request in the journal.
    pub(super) fn id(&mut self, cache: &AnswerCache, request: &ChatRequest, name: &str) -> String {
        if !name.is_empty() {
            return cache.named_id(request, name);
        }
        let of = |occurrence| cache.unnamed_id(request, occurrence);
        let first = of(0);
        let hash = self.seen.hasher().hash_one(&first);
        if self.seen.insert(hash) {
            return first;
        }
        let count = self.repeated.entry(hash).or_default();
        *count = count.saturating_add(1);
        of(*count)
    }
}
