//! A file in blocks of whole rows, which threads work on side by side.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::error::Result;
use crate::files::opened::{Opened, unreadable};

/// The size of a block: little enough to stay near the core that reads it.
const BLOCK: usize = 4 << 20;
/// The size of the first block: a query that wants only the first rows gets them at once.
const FIRST: usize = 1 << 20;

/// The length of the whole rows at the beginning of these bytes, which begin with a row.
pub(super) type LastRowEnd = fn(&[u8]) -> Option<usize>;

/// Whole rows of a file.
#[derive(Default)]
pub(super) struct Block {
    /// Where they begin in the file.
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
    /// Whether the file ends with them.
    pub(super) is_last: bool,
    at: usize,
}

impl Block {
    /// The beginning of a file.
    pub(super) fn beginning(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            ..Self::default()
        }
    }
}

/// Works on the blocks from this offset on with all cores, and calls `take` with what comes of them in
/// their order, until it returns `false`.
pub(super) fn in_order<T: Send>(
    opened: &Opened,
    offset: u64,
    last_row_end: LastRowEnd,
    work: impl Fn(&Block) -> Result<T> + Sync,
    take: &mut dyn FnMut(T) -> Result<bool>,
) -> Result<()> {
    let of_file = |error| unreadable(opened.path(), error);
    let file = File::open(opened.path()).map_err(of_file)?;
    let reader = Reader::new(file, offset, last_row_end, FIRST..BLOCK).map_err(of_file)?;
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let busy = usize::try_from(opened.length() / FIRST as u64).unwrap_or(threads);
    let threads = threads.min(busy + 1);
    // A block is begun when there is a turn for it, and each that is taken gives another: what is done
    // while an earlier block is slow does not fill the memory.
    let (turn, turns) = channel();
    for _ in 0..2 * threads {
        let _ = turn.send(());
    }
    let reader = Mutex::new((reader, turns));
    thread::scope(|scope| {
        // Threads that wait for a turn end when no more can come.
        let turn = turn;
        let (sender, receiver) = channel();
        for _ in 0..threads {
            let sender = sender.clone();
            let (reader, work) = (&reader, &work);
            scope.spawn(move || {
                // Its memory serves for all blocks of this thread.
                let mut block = Block::default();
                loop {
                    let mut next = reader.lock().unwrap_or_else(PoisonError::into_inner);
                    if next.1.recv().is_err() {
                        return;
                    }
                    let read = next.0.next(&mut block);
                    drop(next);
                    let result = match read {
                        // A block that never came would leave the others without a turn. The panic goes on
                        // where the blocks are taken, which sees nothing of this thread's state.
                        Ok(true) => catch_unwind(AssertUnwindSafe(|| work(&block))),
                        Ok(false) => return,
                        Err(error) => Ok(Err(of_file(error))),
                    };
                    if sender.send((block.at, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut wanted = 0;
        for (at, result) in receiver {
            waiting.insert(at, result.unwrap_or_else(|panic| resume_unwind(panic)));
            while let Some(result) = waiting.remove(&wanted) {
                if !take(result?)? {
                    return Ok(());
                }
                wanted += 1;
                let _ = turn.send(());
            }
        }
        Ok(())
    })
}

/// Cuts a file into blocks.
struct Reader<R> {
    file: R,
    last_row_end: LastRowEnd,
    /// The beginning of the next block, which was read with the last one.
    rest: Vec<u8>,
    offset: u64,
    /// How much the next block has at least, and how much at most unless a row is longer.
    size: std::ops::Range<usize>,
    at: usize,
    is_done: bool,
}

impl<R: Read + Seek> Reader<R> {
    fn new(
        mut file: R,
        offset: u64,
        last_row_end: LastRowEnd,
        size: std::ops::Range<usize>,
    ) -> io::Result<Self> {
        file.seek(SeekFrom::Start(offset))?;
        Ok(Self {
            file,
            last_row_end,
            rest: Vec::new(),
            offset,
            size,
            at: 0,
            is_done: false,
        })
    }

    /// Reads the next block, and returns whether there is one.
    fn next(&mut self, block: &mut Block) -> io::Result<bool> {
        block.bytes.clear();
        if self.is_done {
            return Ok(false);
        }
        block.bytes.append(&mut self.rest);
        (block.at, block.offset) = (self.at, self.offset);
        self.at += 1;
        let read = self.fill(&mut block.bytes);
        self.is_done = *read.as_ref().unwrap_or(&true);
        block.is_last = read?;
        self.offset += block.bytes.len() as u64;
        Ok(!block.bytes.is_empty())
    }

    /// Appends bytes up to the end of a row. Returns whether they are the file's last.
    fn fill(&mut self, bytes: &mut Vec<u8>) -> io::Result<bool> {
        loop {
            let wanted = self.size.start.max(bytes.len());
            self.size.start = self.size.end.min(4 * self.size.start);
            bytes.reserve(wanted);
            let length = (&mut self.file).take(wanted as u64).read_to_end(bytes)?;
            if length < wanted {
                return Ok(true);
            }
            if let Some(end) = (self.last_row_end)(bytes) {
                self.rest.extend_from_slice(&bytes[end..]);
                bytes.truncate(end);
                return Ok(false);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn line_end(bytes: &[u8]) -> Option<usize> {
        bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map(|at| at + 1)
    }

    #[test]
    fn no_more_than_a_few_blocks_are_done_before_a_slow_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        std::fs::write(&path, "a row\n".repeat(7 << 20)).unwrap();
        let opened = Opened::open(&path).unwrap();
        let most = 2 * thread::available_parallelism().map_or(1, usize::from);
        let (begun, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = |block: &Block| {
            let begun = begun.fetch_add(1, Ordering::SeqCst) + 1;
            assert!(begun <= taken.load(Ordering::SeqCst) + most);
            if block.offset == 0 {
                thread::sleep(Duration::from_millis(100));
            }
            Ok(block.bytes.len())
        };
        let mut bytes = 0;
        let mut take = |length| {
            bytes += length;
            taken.fetch_add(1, Ordering::SeqCst);
            Ok(true)
        };
        in_order(&opened, 0, line_end, work, &mut take).unwrap();
        assert_eq!(bytes, 6 * (7 << 20));
    }

    #[test]
    fn a_panic_at_a_block_ends_the_reading() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        std::fs::write(&path, "a row\n".repeat(7 << 20)).unwrap();
        let opened = Opened::open(&path).unwrap();
        let work = |block: &Block| {
            assert!(block.offset > 0, "the first block");
            Ok(())
        };
        let read = || in_order(&opened, 0, line_end, work, &mut |()| Ok(true));
        assert!(catch_unwind(AssertUnwindSafe(read)).is_err());
    }

    proptest! {
        #[test]
        fn blocks_are_whole_rows_and_together_the_file(
            text in "[a\n]{0,80}",
            offset in 0_usize..10,
            first in 1_usize..10,
            most in 10_usize..30,
        ) {
            let offset = offset.min(text.len());
            let file = Cursor::new(text.as_bytes());
            let mut reader = Reader::new(file, offset as u64, line_end, first..most).unwrap();
            let (mut block, mut together) = (Block::default(), Vec::new());
            let mut was_last = false;
            while reader.next(&mut block).unwrap() {
                prop_assert_eq!(block.offset as usize, offset + together.len());
                prop_assert!(block.is_last || block.bytes.ends_with(b"\n"));
                prop_assert!(!was_last);
                was_last = block.is_last;
                together.extend_from_slice(&block.bytes);
            }
            prop_assert_eq!(together, &text.as_bytes()[offset..]);
        }
    }
}
