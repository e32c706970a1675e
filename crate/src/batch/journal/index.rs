//! Where in a file which row begins: 16 bytes a row, so that a million rows take 16 MB.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The places of rows by a fingerprint of their names. Names may share a fingerprint, so
/// a row counts as found only when its own name has been read.
#[derive(Default)]
pub(super) struct Index(Vec<Entry>);

/// In the order of the fingerprints, then of the places.
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

    /// Where rows of this name may begin, the last of them first.
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
