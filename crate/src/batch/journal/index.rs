//! The offsets of the rows in a file, at 16 bytes per row: a million rows take 16 MB.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The offsets of rows by a fingerprint of their IDs. IDs may share a fingerprint, so a row
/// counts as found only once its own ID has been read.
#[derive(Default)]
pub(super) struct Index(Vec<Entry>);

/// Ordered by fingerprint, then by offset.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    fingerprint: u64,
    offset: u64,
}

impl Index {
    /// Adds a row; it can be found once the index has been sorted.
    pub(super) fn push(&mut self, name: &str, offset: u64) {
        self.0.push(Entry {
            fingerprint: fingerprint(name),
            offset,
        });
    }

    pub(super) fn sort(&mut self) {
        self.0.sort_unstable();
        self.0.shrink_to_fit();
    }

    /// The offsets at which rows with this ID may begin, last first.
    pub(super) fn offsets(&self, name: &str) -> impl Iterator<Item = u64> {
        let fingerprint = fingerprint(name);
        let end = self
            .0
            .partition_point(|entry| entry.fingerprint <= fingerprint);
        let up_to = self.0.get(..end).unwrap_or_default().iter().rev();
        up_to
            .take_while(move |entry| entry.fingerprint == fingerprint)
            .map(|entry| entry.offset)
    }
}

fn fingerprint(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}
