//! Separates marks from text in one stream, whatever pieces it arrives in.

use evenhand::sideband::SHOW;
use serde_json::Value;

use super::orders::Orders;
use super::{Mark, StreamPart};

/// What evcxr's own code prints behind each cell. The cell's library has told evcxr so before.
const COMPLETE: &[u8] = b"EVCXR_EXECUTION_COMPLETE\n";

/// Reads one stream.
#[derive(Debug, Default)]
pub struct Reader {
    /// What may be the beginning of a mark or of a character.
    pending: Vec<u8>,
    orders: Orders,
    /// Whether evcxr's own line is still to come.
    completes: bool,
}

impl Reader {
    /// Reads the next bytes.
    pub fn split(&mut self, bytes: &[u8], token: &str) -> Vec<StreamPart> {
        self.pending.extend_from_slice(bytes);
        let mut parts = Vec::new();
        loop {
            if self.completes
                && let Some(at) = found(&self.pending, COMPLETE)
            {
                self.pending.drain(at..at + COMPLETE.len());
                self.completes = false;
            }
            let Some(at) = found(&self.pending, token.as_bytes()) else {
                break;
            };
            let before: Vec<u8> = self.pending.drain(..at).collect();
            parts.extend(self.orders.text(&String::from_utf8_lossy(&before)));
            let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') else {
                return parts;
            };
            let line: Vec<u8> = self.pending.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            parts.extend(self.line(&line, token));
        }
        let ends = [
            token.as_bytes(),
            if self.completes { COMPLETE } else { b"" },
        ];
        let held = ends.map(|token| beginning(&self.pending, token));
        let complete = self.pending.len() - held.into_iter().max().unwrap_or_default();
        let complete = characters(&self.pending[..complete]);
        let text: Vec<u8> = self.pending.drain(..complete).collect();
        parts.extend(self.orders.text(&String::from_utf8_lossy(&text)));
        parts
    }

    fn line(&mut self, line: &str, token: &str) -> Vec<StreamPart> {
        let command = line
            .strip_prefix(token)
            .unwrap_or(line)
            .trim_end_matches('\n');
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        let mark = match name {
            "begin" => {
                let mut words = rest.split(' ');
                let process = words.next().and_then(|id| id.parse().ok());
                self.orders = Orders::default();
                self.completes = false;
                self.orders.cell = words.next() == Some("orders");
                Mark::Begin(process)
            }
            "end" => {
                self.completes = true;
                return self.finished(Mark::End);
            }
            "display" => {
                self.orders.display = true;
                return Vec::new();
            }
            "display-end" => {
                let parts = self.orders.finish();
                self.orders.display = false;
                return parts;
            }
            "content" => return self.orders.begin(rest),
            "content-end" => return self.orders.end(),
            "panic" => return self.finished(Mark::Panic(unescaped(rest))),
            "error" => return self.finished(Mark::Error(unescaped(rest))),
            "result" => Mark::ResultOpened,
            "input" => Mark::Input,
            "no-input" => Mark::NoInput,
            show if show == SHOW.trim_end() => match shown(rest) {
                Some(mark) => mark,
                None => return vec![StreamPart::Text(line.to_owned())],
            },
            _ => return vec![StreamPart::Text(line.to_owned())],
        };
        vec![StreamPart::Mark(mark)]
    }

    fn finished(&mut self, mark: Mark) -> Vec<StreamPart> {
        let mut parts = self.orders.finish();
        self.orders.display = false;
        parts.push(StreamPart::Mark(mark));
        parts
    }

    /// A cell's process has ended: what was held back is text.
    pub fn release(&mut self) -> Vec<StreamPart> {
        let text = std::mem::take(&mut self.pending);
        let mut parts = self.orders.text(&String::from_utf8_lossy(&text));
        parts.extend(self.orders.finish());
        self.completes = false;
        parts
    }
}

fn found(bytes: &[u8], token: &[u8]) -> Option<usize> {
    let first = *token.first()?;
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| *byte == first) {
        if bytes[from + at..].starts_with(token) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

/// How many of the last bytes are the beginning of this token.
fn beginning(bytes: &[u8], token: &[u8]) -> usize {
    let longest = token.len().saturating_sub(1).min(bytes.len());
    (1..=longest)
        .rev()
        .find(|length| token.starts_with(&bytes[bytes.len() - length..]))
        .unwrap_or_default()
}

/// The length without an incomplete character at the end.
fn characters(bytes: &[u8]) -> usize {
    let tail = (1..=bytes.len().min(3)).find(|back| bytes[bytes.len() - back] >= 0xc0);
    let Some(back) = tail else {
        return bytes.len();
    };
    match std::str::from_utf8(&bytes[bytes.len() - back..]) {
        Err(error) if error.error_len().is_none() => bytes.len() - back,
        _ => bytes.len(),
    }
}

fn shown(json: &str) -> Option<Mark> {
    let mut message: Value = serde_json::from_str(json).ok()?;
    let kind = message["msg_type"].as_str()?.to_owned();
    Some(Mark::Show(kind, message["content"].take()))
}

/// Reverses the escaping of `evcxr_build/cell_library`.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        match next {
            '\\' => match rest.next() {
                Some('n') => plain.push('\n'),
                Some('r') => plain.push('\r'),
                Some(other) => plain.push(other),
                None => {}
            },
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn joined(parts: impl IntoIterator<Item = StreamPart>) -> Vec<StreamPart> {
        let mut merged: Vec<StreamPart> = Vec::new();
        for part in parts {
            match (merged.last_mut(), part) {
                (Some(StreamPart::Text(text)), StreamPart::Text(more)) => text.push_str(&more),
                (_, part) => merged.push(part),
            }
        }
        merged
    }

    fn read(output: &[u8]) -> Vec<StreamPart> {
        let mut reader = Reader::default();
        let read = reader.split(output, "\u{10}w:");
        joined(read.into_iter().chain(reader.release()))
    }

    fn text(text: &str) -> StreamPart {
        StreamPart::Text(text.to_owned())
    }

    #[test]
    fn a_mark_may_stand_behind_text() {
        let show = "\u{10}w:show {\"msg_type\": \"display_data\", \"content\": {\"a\": 1}}";
        let shown = StreamPart::Mark(Mark::Show("display_data".to_owned(), json!({"a": 1})));
        assert_eq!(
            read(format!("50 %{show}\nx\r").as_bytes()),
            [text("50 %"), shown, text("x\r")]
        );
    }

    #[test]
    fn messages_come_back_as_they_were() {
        assert_eq!(
            read(b"\x10w:panic a\\\\n\\nEVCXR_END\n"),
            [StreamPart::Mark(Mark::Panic("a\\n\nEVCXR_END".to_owned()))]
        );
        assert_eq!(
            read(b"\x10w:error\n"),
            [StreamPart::Mark(Mark::Error(String::new()))]
        );
    }

    #[test]
    fn what_only_looks_like_a_mark_is_text() {
        for line in [
            "\u{10}w:endless\n",
            "\u{10}w:show {\n",
            "begin",
            "\u{10}v:end\n",
            "\u{10}w:end",
        ] {
            assert_eq!(read(line.as_bytes()), [text(line)]);
        }
    }

    #[test]
    fn evcxrs_own_line_is_left_out_once_and_wherever_it_stands() {
        let end = StreamPart::Mark(Mark::End);
        assert_eq!(
            read(b"\x10w:end\nlate EVCXR_EXECUTION_COMPLETE\nEVCXR_EXECUTION_COMPLETE\n"),
            [end, text("late EVCXR_EXECUTION_COMPLETE\n")]
        );
    }

    #[test]
    fn the_display_protocol_counts_where_a_value_displays_itself() {
        let content = "EVCXR_BEGIN_CONTENT text/html\n<b>\nEVCXR_END_CONTENT\n";
        assert_eq!(read(content.as_bytes()), [text(content)]);
        let shown = StreamPart::Mark(Mark::Show(
            "execute_result".to_owned(),
            json!({"data": {"text/html": "<b>"}, "metadata": {}}),
        ));
        let displayed = format!("\u{10}w:display\n{content}\u{10}w:display-end\n");
        assert_eq!(read(displayed.as_bytes()), *std::slice::from_ref(&shown));
        assert_eq!(
            read(b"\x10w:content text/html\n<b>\n\x10w:content-end\n\n"),
            [shown, text("\n")]
        );
    }

    proptest! {
        #[test]
        fn the_pieces_do_not_matter(
            parts in proptest::collection::vec(prop_oneof![
                Just("\u{10}w:end\n".as_bytes().to_vec()),
                Just("\u{10}w:result\n".as_bytes().to_vec()),
                Just(COMPLETE.to_vec()),
                Just("é漢🦀".as_bytes().to_vec()),
                Just(vec![0xff, 0xe6, 0xbc]),
                any::<Vec<u8>>(),
            ], 0..8),
            size in 1_usize..9,
        ) {
            let all = parts.concat();
            let mut reader = Reader::default();
            let pieces = all.chunks(size).flat_map(|piece| reader.split(piece, "\u{10}w:")).collect::<Vec<_>>();
            let pieces = joined(pieces.into_iter().chain(reader.release()));
            let marks = |parts: &[StreamPart]| parts.iter().filter(|part| matches!(part, StreamPart::Mark(_))).count();
            prop_assert_eq!(marks(&pieces), marks(&read(&all)));
        }

        #[test]
        fn text_is_neither_lost_nor_held(text: String) {
            prop_assume!(!text.contains('\u{10}'));
            let mut reader = Reader::default();
            let shown: String = text.as_bytes().chunks(3).flat_map(|piece| reader.split(piece, "\u{10}w:"))
                .map(|part| match part { StreamPart::Text(text) => text, StreamPart::Mark(_) => "?".to_owned() })
                .collect();
            prop_assert_eq!(shown, text);
        }
    }
}
