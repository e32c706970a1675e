//! The input lines as requests.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use evenhand::batch::BatchRequest;
use evenhand::openai::{Message, Role};

/// The length limit of a line, in bytes. No model accepts a request that long.
const MAX_LINE: u64 = 64 << 20;

/// The byte order mark that some editors and shells put before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The requests on these lines. Empty lines are skipped; a line that cannot be parsed becomes a
/// request with an error. Reading ends at the end of the input or at the first read error, which
/// also becomes a request with an error. `is_over` is true from then on.
pub(super) fn requests(
    input: impl Read,
    system: Option<String>,
    is_over: Arc<AtomicBool>,
    names: Names,
) -> impl Iterator<Item = BatchRequest> {
    let mut lines = Lines {
        input: BufReader::new(input),
        number: 0,
        is_over,
    };
    std::iter::from_fn(move || lines.next_line()).map(move |(number, line)| {
        let request = match line {
            Ok(line) => with_system(BatchRequest::from_json(&line, ""), system.as_deref()),
            Err(why) => BatchRequest::unreadable("", &why),
        };
        if request.custom_id.is_empty() {
            names.push(format!("line-{number}"));
        }
        request
    })
}

/// The names of the rows whose lines have none: the numbers of the lines. The requests themselves
/// stay without a name, so that a journal knows them wherever they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(Arc<Mutex<VecDeque<String>>>);

impl Names {
    fn push(&self, name: String) {
        self.unused().push_back(name);
    }

    /// The name of the next row without one.
    pub(super) fn next(&self) -> String {
        self.unused().pop_front().unwrap_or_default()
    }

    fn unused(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Lines<R> {
    input: BufReader<R>,
    number: u64,
    is_over: Arc<AtomicBool>,
}

impl<R: Read> Lines<R> {
    /// The next line that is not empty, with its number, counted from 1.
    fn next_line(&mut self) -> Option<(u64, Result<Vec<u8>, String>)> {
        while !self.is_over.load(Ordering::Relaxed) {
            self.number += 1;
            let mut line = Vec::new();
            let mut limited = (&mut self.input).take(MAX_LINE);
            let read = limited.read_until(b'\n', &mut line);
            if self.number == 1 && line.starts_with(BYTE_ORDER_MARK) {
                line.drain(..BYTE_ORDER_MARK.len());
            }
            match read {
                Ok(0) => self.end(),
                Ok(length) if length as u64 == MAX_LINE && line.last() != Some(&b'\n') => {
                    self.end();
                    let limit = MAX_LINE >> 20;
                    let why = format!(
                        "it is longer than {limit} MB, and the rest of the input is \
                         not read"
                    );
                    return Some((self.number, Err(why)));
                }
                Ok(_) if line.iter().all(u8::is_ascii_whitespace) => {}
                Ok(_) => return Some((self.number, Ok(line))),
                Err(error) => {
                    self.end();
                    let why = format!("the input can't be read any further: {error}");
                    return Some((self.number, Err(why)));
                }
            }
        }
        None
    }

    fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

fn with_system(mut asked: BatchRequest, system: Option<&str>) -> BatchRequest {
    if let (Ok(request), Some(text)) = (&mut asked.request, system)
        && !request
            .messages
            .iter()
            .any(|message| matches!(message.role, Role::System | Role::Developer))
    {
        request.messages.insert(0, Message::system(text));
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_debug_snapshot;

    fn parse_input(input: &str) -> Vec<(String, Result<String, String>)> {
        let names = Names::default();
        requests(
            input.as_bytes(),
            Some("Be fair.".to_owned()),
            Arc::default(),
            names.clone(),
        )
        .map(|one| {
            let request = one.request.map_err(|error| error.message().to_owned());
            let text = request.map(|request| serde_json::to_string(&request).unwrap());
            let name = match one.custom_id.is_empty() {
                true => names.next(),
                false => one.custom_id,
            };
            (name, text)
        })
        .collect()
    }

    #[test]
    fn every_form_of_a_line_is_read() {
        let input = "\
\"Describe a nurse.\"

{\"prompt\": \"Describe a chef.\", \"custom_id\": \"chef\", \"system\": \"Be brief.\"}
{\"custom_id\": \"7\", \"method\": \"POST\", \"url\": \"/chat/completions\", \"body\": {\"model\": \"m\", \"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}], \"max_tokens\": 5}}
not JSON
{\"prompts\": 1}
\"the last line without an end\"";
        assert_debug_snapshot!(parse_input(input), @r#"
        [
            (
                "line-1",
                Ok(
                    "{\"messages\":[{\"role\":\"system\",\"content\":\"Be fair.\"},{\"role\":\"user\",\"content\":\"Describe a nurse.\"}]}",
                ),
            ),
            (
                "chef",
                Ok(
                    "{\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":\"Describe a chef.\"}]}",
                ),
            ),
            (
                "7",
                Ok(
                    "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be fair.\"},{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":5}",
                ),
            ),
            (
                "line-5",
                Err(
                    "the line is not a valid request: it is not JSON: expected ident at column 2",
                ),
            ),
            (
                "line-6",
                Err(
                    "the line is not a valid request: it is neither a request with its `body`, nor an object with a `prompt` and at most `system` and `custom_id`, nor a string; it has `prompts`",
                ),
            ),
            (
                "line-7",
                Ok(
                    "{\"messages\":[{\"role\":\"system\",\"content\":\"Be fair.\"},{\"role\":\"user\",\"content\":\"the last line without an end\"}]}",
                ),
            ),
        ]
        "#);
    }

    #[test]
    fn an_input_that_breaks_is_a_row() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("the pipe is gone"))
            }
        }
        let rows: Vec<_> = requests(Broken, None, Arc::default(), Names::default()).collect();
        assert_eq!(rows.len(), 1);
        let error = rows[0].request.as_ref().unwrap_err();
        assert!(error.message().contains("the pipe is gone"), "{error}");
    }
}
