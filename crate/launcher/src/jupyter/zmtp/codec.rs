//! Encodes and decodes messages. Each message is a list of frames.

use std::io::{self, ErrorKind};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// A message.
pub type Frames = Vec<Bytes>;

const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// The limit for frames in a message, more than any Jupyter message has. Even an empty frame
/// takes a few bytes of memory.
const FRAMES: usize = 1024;

/// The size of the read buffer, in bytes, for an unknown peer and for a known one.
const LITTLE: usize = 512;
const MUCH: usize = 64 * 1024;

/// What a peer has sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    Message(Frames),
    Command(Bytes),
}

/// Extracts messages from the received bytes.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: BytesMut,
    /// The frames of a message whose last frame has not arrived.
    frames: Frames,
    size: usize,
}

impl Decoder {
    /// The next message of at most `longest` bytes, if it is complete. A length above that is an
    /// error before its bytes arrive.
    pub fn next(&mut self, longest: usize) -> io::Result<Option<Heard>> {
        while let Some((flags, start, length)) = self.head()? {
            let size = self.size.saturating_add(length);
            if size > longest || self.frames.len() == FRAMES {
                return Err(broken(format!(
                    "its message is longer than {longest} bytes or {FRAMES} frames"
                )));
            }
            if self.buffer.len() - start < length {
                return Ok(None);
            }
            self.buffer.advance(start);
            let frame = self.buffer.split_to(length).freeze();
            if flags & COMMAND != 0 {
                return Ok(Some(Heard::Command(frame)));
            }
            self.size = size;
            self.frames.push(frame);
            if flags & MORE == 0 {
                self.size = 0;
                return Ok(Some(Heard::Message(std::mem::take(&mut self.frames))));
            }
        }
        Ok(None)
    }

    /// A frame's flags, the start of its body, and the body's length.
    fn head(&self) -> io::Result<Option<(u8, usize, usize)>> {
        let Some(&flags) = self.buffer.first() else {
            return Ok(None);
        };
        let is_command = flags & COMMAND != 0;
        if flags & !(MORE | LONG | COMMAND) != 0 || is_command && flags & MORE != 0 {
            return Err(broken("a frame has invalid flags"));
        }
        let (start, length) = if flags & LONG != 0 {
            let Some((length, _)) = self.buffer[1..].split_first_chunk() else {
                return Ok(None);
            };
            let length = usize::try_from(u64::from_be_bytes(*length));
            (9, length.unwrap_or(usize::MAX))
        } else {
            let Some(&length) = self.buffer.get(1) else {
                return Ok(None);
            };
            (2, usize::from(length))
        };
        Ok(Some((flags, start, length)))
    }

    /// How many bytes of an incomplete message are buffered.
    pub fn held(&self) -> usize {
        self.buffer.len() + self.size
    }
}

/// The reading half of a connection.
pub struct Reader {
    stream: Box<dyn AsyncRead + Send + Unpin>,
    decoder: Decoder,
    room: usize,
}

impl Reader {
    pub fn new(stream: impl AsyncRead + Send + Unpin + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            decoder: Decoder::default(),
            room: LITTLE,
        }
    }

    /// Uses the larger read buffer, for a known peer.
    pub fn trust(&mut self) {
        self.room = MUCH;
    }

    /// Reads `LENGTH` bytes that are not a frame: the greeting at the start of a connection.
    pub async fn exactly<const LENGTH: usize>(&mut self) -> io::Result<[u8; LENGTH]> {
        let mut bytes = [0; LENGTH];
        while self.decoder.buffer.len() < LENGTH {
            self.more().await?;
        }
        self.decoder.buffer.copy_to_slice(&mut bytes);
        Ok(bytes)
    }

    /// The next message or command. Cancel safe: nothing is lost if the future is dropped.
    pub async fn next(&mut self, longest: usize) -> io::Result<Heard> {
        loop {
            match self.decoder.next(longest)? {
                Some(heard) => return Ok(heard),
                None => self.more().await?,
            }
        }
    }

    /// The next message or command, or `None` as soon as more than `short` bytes of it have
    /// arrived.
    pub async fn next_short(&mut self, longest: usize, short: usize) -> io::Result<Option<Heard>> {
        loop {
            match self.decoder.next(longest)? {
                Some(heard) => return Ok(Some(heard)),
                None if self.decoder.held() > short => return Ok(None),
                None => self.more().await?,
            }
        }
    }

    async fn more(&mut self) -> io::Result<()> {
        let buffer = &mut self.decoder.buffer;
        // The buffer grows with the bytes that have arrived, and never by an announced length.
        buffer.reserve(self.room);
        match self.stream.read_buf(buffer).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// A message as it is sent.
pub fn encode(frames: &[Bytes]) -> Bytes {
    let length = frames.iter().map(|frame| frame.len() + 9).sum();
    let mut bytes = BytesMut::with_capacity(length);
    for (at, frame) in frames.iter().enumerate() {
        let more = if at + 1 < frames.len() { MORE } else { 0 };
        put(&mut bytes, more, frame);
    }
    bytes.freeze()
}

/// A command as it is sent.
pub fn encode_command(body: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(body.len() + 9);
    put(&mut bytes, COMMAND, body);
    bytes.freeze()
}

fn put(bytes: &mut BytesMut, flags: u8, frame: &[u8]) {
    match u8::try_from(frame.len()) {
        Ok(length) => {
            bytes.put_u8(flags);
            bytes.put_u8(length);
        }
        Err(_) => {
            bytes.put_u8(flags | LONG);
            bytes.put_u64(frame.len() as u64);
        }
    }
    bytes.put_slice(frame);
}

/// The error for a peer that violates the protocol.
pub fn broken(why: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why.into())
}

/// Decodes these bytes, which arrive in pieces of this size.
#[cfg(any(test, fuzzing))]
pub fn heard(bytes: &[u8], piece: usize) -> io::Result<Vec<Heard>> {
    const MAX_LENGTH: usize = 4096;
    let mut decoder = Decoder::default();
    let mut heard = Vec::new();
    for piece in bytes.chunks(piece) {
        decoder.buffer.extend_from_slice(piece);
        while let Some(next) = decoder.next(MAX_LENGTH)? {
            heard.push(next);
        }
        assert!(decoder.held() <= MAX_LENGTH + 9 + piece.len(), "it grows");
    }
    Ok(heard)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_length_is_refused_before_its_bytes_come() {
        let terabyte = [[LONG].as_slice(), &(1_u64 << 40).to_be_bytes()].concat();
        assert!(heard(&terabyte, 100).is_err());
        assert!(heard(&[LONG, 255, 255, 255, 255, 255, 255, 255, 255], 1).is_err());
        let endless: Vec<u8> = [MORE, 0].repeat(FRAMES + 1);
        assert!(heard(&endless, 100).is_err(), "frames without end");
        assert!(heard(&[0xff], 1).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_have_an_answer(bytes: Vec<u8>, piece in 1_usize..50) {
            let _ = heard(&bytes, piece);
        }

        #[test]
        fn frames_with_odd_heads_have_an_answer(
            parts in prop::collection::vec((0_u8..9, any::<u64>(), any::<Vec<u8>>()), 0..9),
        ) {
            let bytes: Vec<u8> = parts
                .iter()
                .flat_map(|(flags, length, body)| {
                    let length = length >> (length % 64);
                    [&[*flags][..], &length.to_be_bytes()[..], body].concat()
                })
                .collect();
            let _ = heard(&bytes, 64);
        }

        #[test]
        fn what_is_written_is_read(
            messages in prop::collection::vec(
                prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 1..5), 0..5),
            piece in 1_usize..300,
        ) {
            let messages: Vec<Frames> = messages
                .into_iter()
                .map(|frames| frames.into_iter().map(Bytes::from).collect())
                .collect();
            let bytes: Vec<u8> = messages.iter().flat_map(|frames| encode(frames)).collect();
            let expected: Vec<_> = messages.into_iter().map(Heard::Message).collect();
            prop_assert_eq!(heard(&bytes, piece).unwrap(), expected);
        }
    }
}
