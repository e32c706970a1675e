//! A file in pieces of whole lines, which threads work on side by side.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use crate::error::Result;
use crate::files::location::Fault;
use crate::files::opened::{Opened, unreadable};

/// The size of a piece.
const PIECE: u64 = 8 << 20;
/// How much is read at once to find the end of the last line.
const STEP: usize = 64 << 10;

/// The lines that begin in some part of a file.
pub(super) struct Piece {
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
}

/// The lines that begin in the first `length` bytes.
pub(super) fn first(opened: &Opened, length: u64) -> Result<Piece> {
    read_piece(opened, 0, length)
}

/// Works on all pieces. Returns what comes of them in their order, or the first fault in the file.
pub(super) fn each<T: Send>(
    opened: &Opened,
    work: impl Fn(Piece) -> Result<T, Fault> + Sync,
) -> Result<Vec<T>> {
    let mut results = Vec::new();
    let work = |piece| work(piece).map_err(|fault| fault.of_file(opened.path()));
    in_order(opened, work, &mut |result| {
        results.push(result);
        Ok(true)
    })?;
    Ok(results)
}

/// Works on the pieces with all cores, and calls `take` with what comes of them in their order,
/// until it returns `false`.
pub(super) fn in_order<T: Send>(
    opened: &Opened,
    work: impl Fn(Piece) -> Result<T> + Sync,
    take: &mut dyn FnMut(T) -> Result<bool>,
) -> Result<()> {
    let count = opened.length().div_ceil(PIECE);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(usize::try_from(count).unwrap_or(threads));
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(threads);
        for _ in 0..threads {
            let sender = sender.clone();
            let (next, work) = (&next, &work);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        return;
                    }
                    let result = read_piece(opened, at * PIECE, PIECE).and_then(work);
                    if sender.send((at, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut wanted = 0;
        for (at, result) in receiver {
            waiting.insert(at, result);
            while let Some(result) = waiting.remove(&wanted) {
                if !take(result?)? {
                    return Ok(());
                }
                wanted += 1;
            }
        }
        Ok(())
    })
}

fn read_piece(opened: &Opened, start: u64, length: u64) -> Result<Piece> {
    lines(opened, start, length).map_err(|error| unreadable(opened.path(), error))
}

/// The lines that begin at or behind `start` and in front of `start + length`.
fn lines(opened: &Opened, start: u64, length: u64) -> io::Result<Piece> {
    let file = File::open(opened.path())?;
    // A line begins behind a line's end, so the byte in front of `start` decides.
    let from = start.saturating_sub(1);
    let end = start.saturating_add(length);
    let wanted = usize::try_from(end - from).unwrap_or(usize::MAX);
    let mut bytes = Vec::with_capacity(wanted + STEP);
    read_to(&file, from, wanted, &mut bytes)?;
    let is_whole = bytes.len() == wanted;
    let begin = match start {
        0 => Some(0),
        _ => bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .map(|at| at + 1),
    };
    let Some(begin) = begin.filter(|begin| (from + *begin as u64) < end) else {
        return Ok(Piece {
            offset: start,
            bytes: Vec::new(),
        });
    };
    let mut is_more = is_whole && bytes.last() != Some(&b'\n');
    while is_more {
        let searched = bytes.len();
        read_to(&file, from + searched as u64, STEP, &mut bytes)?;
        let ended = bytes[searched..].iter().position(|byte| *byte == b'\n');
        if let Some(ended) = ended {
            bytes.truncate(searched + ended + 1);
        }
        is_more = ended.is_none() && bytes.len() > searched;
    }
    bytes.drain(..begin);
    Ok(Piece {
        offset: from + begin as u64,
        bytes,
    })
}

/// Appends up to `most` bytes of the file from this offset on.
fn read_to(file: &File, offset: u64, most: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
    let begun = bytes.len();
    bytes.resize(begun + most, 0);
    let mut read = 0;
    while read < most {
        match file.read_at(&mut bytes[begun + read..], offset + read as u64) {
            Ok(0) => break,
            Ok(length) => read += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(begun + read);
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_line_is_in_one_piece(text in "[a\n]{1,80}", length in 1_u64..20) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.jsonl");
            std::fs::write(&path, &text).unwrap();
            let opened = Opened::open(&path).unwrap();
            let mut together = Vec::new();
            for at in 0..(text.len() as u64).div_ceil(length) {
                let piece = lines(&opened, at * length, length).unwrap();
                prop_assert!(piece.bytes.is_empty() || piece.offset == together.len() as u64);
                together.extend(piece.bytes);
            }
            prop_assert_eq!(String::from_utf8(together).unwrap(), text);
        }
    }
}
