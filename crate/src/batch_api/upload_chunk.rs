//! Splits requests into files within the service's limits. Each file is written directly into
//! the form that uploads it, so that its text is in memory only once.

use std::collections::HashSet;

use super::service::BOUNDARY;
use crate::error::Result;

/// The limits of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) lines: usize,
    pub(super) bytes: usize,
}

/// A request file and the IDs of its rows.
#[derive(Debug, PartialEq)]
pub(super) struct UploadChunk {
    pub(super) rows: HashSet<String>,
    /// The form that uploads it.
    pub(super) form: Vec<u8>,
}

/// A row's ID, and its line with the line end.
type Line = (String, Vec<u8>);

/// Fills one file after the other. A line that exceeds the limit of a file is put into a separate
/// file, which the service refuses.
pub(super) struct UploadChunks<I> {
    lines: I,
    limits: Limits,
    /// The line that did not fit into the last file.
    left: Option<Line>,
}

impl<I: Iterator<Item = Result<Line>>> UploadChunks<I> {
    pub(super) fn new(lines: I, limits: Limits) -> Self {
        Self {
            lines,
            limits,
            left: None,
        }
    }

    fn fill(&mut self) -> Result<Option<UploadChunk>> {
        let Some(mut line) = self
            .left
            .take()
            .map(Ok)
            .or_else(|| self.lines.next())
            .transpose()?
        else {
            return Ok(None);
        };
        let mut chunk = UploadChunk {
            rows: HashSet::new(),
            form: head(),
        };
        let mut bytes = 0;
        loop {
            let (name, text) = line;
            bytes += text.len();
            chunk.form.extend_from_slice(&text);
            chunk.rows.insert(name);
            match self.lines.next().transpose()? {
                Some(next)
                    if chunk.rows.len() >= self.limits.lines
                        || bytes + next.1.len() > self.limits.bytes =>
                {
                    self.left = Some(next);
                    break;
                }
                Some(next) => line = next,
                None => break,
            }
        }
        chunk.form.extend_from_slice(tail().as_bytes());
        Ok(Some(chunk))
    }
}

impl<I: Iterator<Item = Result<Line>>> Iterator for UploadChunks<I> {
    type Item = Result<UploadChunk>;

    fn next(&mut self) -> Option<Self::Item> {
        self.fill().transpose()
    }
}

/// The form up to the first byte of the file.
fn head() -> Vec<u8> {
    format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"evenhand.jsonl\"\r\n\
         Content-Type: application/json\r\n\r\n"
    )
    .into_bytes()
}

fn tail() -> String {
    format!("\r\n--{BOUNDARY}--\r\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chunks(lengths: &[usize], limits: Limits) -> Vec<UploadChunk> {
        let lines = lengths.iter().enumerate().map(|(number, length)| {
            let mut line = vec![b'x'; *length];
            line.push(b'\n');
            Ok((number.to_string(), line))
        });
        UploadChunks::new(lines, limits)
            .collect::<Result<_>>()
            .unwrap()
    }

    fn file(chunk: &UploadChunk) -> &[u8] {
        let file = &chunk.form[head().len()..];
        file.strip_suffix(tail().as_bytes()).unwrap()
    }

    #[test]
    fn nothing_is_no_file() {
        let limits = Limits { lines: 1, bytes: 1 };
        assert_eq!(chunks(&[], limits), []);
    }

    proptest! {
        #[test]
        fn every_line_is_in_one_file_and_none_is_too_large(
            lengths in proptest::collection::vec(0_usize..20, 0..40),
            lines in 1_usize..10, bytes in 20_usize..100,
        ) {
            let chunks = chunks(&lengths, Limits { lines, bytes });
            let total: usize = chunks.iter().map(|chunk| chunk.rows.len()).sum();
            prop_assert_eq!(total, lengths.len());
            for chunk in &chunks {
                let file = file(chunk);
                prop_assert!(!chunk.rows.is_empty() && chunk.rows.len() <= lines && file.len() <= bytes);
                prop_assert_eq!(file.iter().filter(|byte| **byte == b'\n').count(), chunk.rows.len());
            }
            let whole: Vec<u8> = chunks.iter().flat_map(file).copied().collect();
            let expected: usize = lengths.iter().map(|length| length + 1).sum();
            prop_assert_eq!(whole.len(), expected);
        }
    }
}
