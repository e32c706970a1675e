//! A CSV file in blocks of whole rows, read ahead by a thread.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use super::records::{QUOTE, last_row_end, row_with_loose_quote};
use crate::error::Result;
use crate::files::location::Fault;
use crate::files::opened::{Opened, unreadable};

/// The size of a block: large enough for polars to divide among the cores, small compared with a frame.
const BLOCK: usize = 32 << 20;
/// The size of the first block: a query that wants only the first rows gets them at once.
const FIRST: usize = 1 << 20;

/// Whole rows of a file.
pub(super) struct Block {
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
}

/// Calls `take` with the blocks from this offset on, in order, until it returns `false`.
pub(super) fn each_block(
    opened: &Opened,
    separator: u8,
    offset: u64,
    mut take: impl FnMut(Block) -> Result<bool>,
) -> Result<()> {
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(1);
        let reading = scope.spawn(move || read_blocks(opened, separator, offset, &sender));
        for block in receiver {
            let block = block.map_err(|fault: Fault| fault.of_file(opened.path()))?;
            if !take(block)? {
                break;
            }
        }
        match reading.join() {
            Ok(read) => read.map_err(|error| unreadable(opened.path(), error)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Sends the blocks, until nobody wants more of them.
fn read_blocks(
    opened: &Opened,
    separator: u8,
    mut offset: u64,
    blocks: &SyncSender<Result<Block, Fault>>,
) -> io::Result<()> {
    let mut file = File::open(opened.path())?;
    file.seek(SeekFrom::Start(offset))?;
    let mut rest = Vec::new();
    let mut size = FIRST;
    loop {
        let mut bytes = std::mem::take(&mut rest);
        let wanted = size.max(bytes.len());
        size = BLOCK.min(4 * size);
        bytes.reserve_exact(wanted);
        let length = (&mut file).take(wanted as u64).read_to_end(&mut bytes)?;
        let is_last = length < wanted;
        let rows = match last_row_end(&bytes) {
            Some(end) if !is_last => end,
            None if !is_last => {
                rest = bytes;
                continue;
            }
            _ => {
                if let Some(open) = open_row(&bytes, separator) {
                    let _ = blocks.send(Err(never_closed(offset + open as u64)));
                    return Ok(());
                }
                bytes.len()
            }
        };
        rest = bytes.split_off(rows);
        let next = offset + rows as u64;
        if !bytes.is_empty() && blocks.send(Ok(Block { offset, bytes })).is_err() {
            return Ok(());
        }
        if is_last {
            return Ok(());
        }
        offset = next;
    }
}

/// Where the row begins with a quote that has no counterpart, if the quotes are not even in number.
pub(super) fn open_row(bytes: &[u8], separator: u8) -> Option<usize> {
    let quotes = bytes.iter().filter(|byte| **byte == QUOTE);
    let is_open = quotes.count() % 2 == 1;
    is_open.then(|| {
        let row = row_with_loose_quote(bytes, separator);
        row.or_else(|| last_row_end(bytes)).unwrap_or_default()
    })
}

/// The fault of a row with a quote that has no counterpart.
pub(super) fn never_closed(offset: u64) -> Fault {
    Fault::new(offset, "a quotation mark in this row is unbalanced").hint(
        "in CSV, a field that contains a quotation mark is put in quotation marks, and the mark \
         within it is doubled: `\"12\"\" screen\"`",
    )
}
