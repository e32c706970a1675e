//! The Jupyter wire protocol: one signed message as ZeroMQ frames.
//!
//! Contents stay plain JSON. Typed messages would have to be converted back to JSON for the
//! notebook, and fields that the types do not have would be lost.

use bytes::Bytes;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::header::{Header, NOTHING};
use super::zmtp::Frames;
use crate::error::{Context, Failure, Result};

/// Separates the routing frames from the message.
const DELIMITER: &[u8] = b"<IDS|MSG>";

/// A message.
#[derive(Clone, Debug)]
pub struct Message {
    /// The routing frames, which address an answer to the sender.
    pub identities: Vec<Bytes>,
    /// Its own header.
    pub header: Header,
    /// The header of the request that it belongs to.
    pub parent: Header,
    metadata: Bytes,
    /// The content of the message.
    pub content: Value,
    /// Binary buffers, unchanged: the data of widgets.
    pub buffers: Vec<Bytes>,
}

impl Message {
    /// A message that was not received.
    pub fn with_header(header: Header, content: Value) -> Self {
        Self {
            identities: Vec::new(),
            header,
            parent: Header::none(),
            metadata: NOTHING.clone(),
            content,
            buffers: Vec::new(),
        }
    }

    /// The message type, such as `stream` or `execute_reply`.
    pub fn kind(&self) -> &str {
        self.header.kind()
    }

    /// Whether it reports that the kernel has nothing more to do for this request.
    pub fn ends(&self, request: &str) -> bool {
        self.kind() == "status"
            && self.parent.id() == request
            && self.content["execution_state"] == "idle"
    }
}

/// One end of a connection: signs what it sends, and checks what it receives.
pub struct Session {
    id: String,
    key: Option<hmac::Key>,
    sent: u64,
}

impl Session {
    /// A session with the key of the connection file; an empty key signs nothing.
    pub fn new(key: &str) -> Result<Self> {
        let key = (!key.is_empty()).then(|| hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()));
        Ok(Self {
            id: random_hex(16)?,
            key,
            sent: 0,
        })
    }

    /// A signed request, and its id, to which the kernel's answers refer.
    pub fn request(&mut self, kind: &str, content: &Value) -> (String, Frames) {
        let header = self.header(kind);
        let id = header.id().to_owned();
        let heads = [header.json(), &NOTHING, &NOTHING];
        (id, self.frames(&[], heads, content))
    }

    /// A signed message about the request with this header, for these identities.
    pub fn about(
        &mut self,
        request: &Header,
        identities: &[Bytes],
        kind: &str,
        content: &Value,
    ) -> Frames {
        let header = self.header(kind);
        let heads = [header.json(), request.json(), &NOTHING];
        self.frames(identities, heads, content)
    }

    /// Somebody else's message, with its original header.
    pub fn forward(&self, message: &Message) -> Frames {
        let heads = [
            message.header.json(),
            message.parent.json(),
            &message.metadata,
        ];
        let mut frames = self.frames(&[], heads, &message.content);
        frames.extend_from_slice(&message.buffers);
        frames
    }

    /// The header for the next message.
    pub fn header(&mut self, kind: &str) -> Header {
        self.sent += 1;
        Header::new(&self.id, self.sent, kind)
    }

    fn frames(&self, identities: &[Bytes], heads: [&Bytes; 3], content: &Value) -> Frames {
        let [header, parent, metadata] = heads.map(Bytes::clone);
        let parts = [header, parent, metadata, content.to_string().into()];
        let mut message = identities.to_vec();
        message.push(Bytes::from_static(DELIMITER));
        message.push(self.sign(&parts).into_bytes().into());
        message.extend(parts);
        message
    }

    /// Reads a message; its signature must be right.
    pub fn read_message(&self, mut frames: Frames) -> Result<Message> {
        let start = frames.iter().position(|frame| &frame[..] == DELIMITER);
        let rest = start.map(|start| frames.split_off(start));
        let Some([_, signature, parts @ ..]) = rest.as_deref() else {
            return Err(unreadable("it has no delimiter"));
        };
        let [header, parent, metadata, content, buffers @ ..] = parts else {
            return Err(unreadable("it has too few frames"));
        };
        let signed = self.key.as_ref().is_none_or(|key| {
            unhex(signature)
                .is_some_and(|tag| hmac::verify(key, &parts[..4].concat(), &tag).is_ok())
        });
        if !signed {
            return Err(unreadable("its signature is wrong"));
        }
        let _: IgnoredAny = json(metadata)?;
        Ok(Message {
            header: Header::from_json(header.clone())?,
            parent: Header::from_json(parent.clone())?,
            metadata: metadata.clone(),
            content: json(content)?,
            buffers: buffers.to_vec(),
            identities: frames,
        })
    }

    fn sign(&self, parts: &[Bytes]) -> String {
        let Some(key) = &self.key else {
            return String::new();
        };
        let mut context = hmac::Context::with_key(key);
        for part in parts {
            context.update(part);
        }
        hex(context.sign().as_ref())
    }
}

/// This many random bytes, in hexadecimal.
pub fn random_hex(bytes: usize) -> Result<String> {
    let mut random = vec![0; bytes];
    SystemRandom::new()
        .fill(&mut random)
        .map_err(|_| Failure::new("the operating system provides no random numbers"))?;
    Ok(hex(&random))
}

fn json<'a, T: Deserialize<'a>>(part: &'a [u8]) -> Result<T> {
    serde_json::from_slice(part).with_context(|| "a part of a message is not JSON".to_owned())
}

fn unreadable(why: &str) -> Failure {
    Failure::new(format!("a message cannot be read: {why}"))
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(digit).collect()
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for pair in text.chunks(2) {
        let &[high, low] = pair else { return None };
        bytes.push(value(high)? << 4 | value(low)?);
    }
    Some(bytes)
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_can_be_read_with_the_same_key_only() {
        let mut session = Session::new("secret").unwrap();
        let (id, request) = session.request("execute_request", &json!({"code": "1"}));
        let message = session.read_message(request.clone()).unwrap();
        assert_eq!(message.kind(), "execute_request");
        assert_eq!(message.header.id(), id);
        assert_eq!(message.content["code"], "1");
        assert!(
            Session::new("other")
                .unwrap()
                .read_message(request)
                .is_err()
        );
    }

    #[test]
    fn an_answer_goes_back_to_who_asked() {
        let mut session = Session::new("").unwrap();
        let (id, request) = session.request("execute_request", &json!({}));
        let request = session.read_message(request).unwrap();
        let asker = [Bytes::from_static(b"asker")];
        let answer = session.about(&request.header, &asker, "execute_reply", &json!({"a": 1}));
        let answer = session.read_message(answer).unwrap();
        assert_eq!(answer.identities, asker);
        assert_eq!(
            (answer.parent.id(), answer.kind()),
            (id.as_str(), "execute_reply")
        );
        let forwarded = session.read_message(session.forward(&answer)).unwrap();
        assert_eq!(
            (forwarded.parent.id(), forwarded.header.id()),
            (id.as_str(), answer.header.id())
        );
    }

    #[test]
    fn what_a_message_brings_beside_goes_with_it() {
        let mut session = Session::new("secret").unwrap();
        let (_, mut request) = session.request("comm_msg", &json!({}));
        request.extend([Bytes::from_static(b"one"), Bytes::new()]);
        let read = session.read_message(request).unwrap();
        assert_eq!(read.buffers, ["one", ""]);
        assert_eq!(
            session
                .read_message(session.forward(&read))
                .unwrap()
                .buffers,
            read.buffers
        );
    }

    proptest! {
        #[test]
        fn any_frames_have_an_answer(
            frames in prop::collection::vec(
                prop_oneof![
                    any::<Vec<u8>>(),
                    Just(DELIMITER.to_vec()),
                    Just(b"{}".to_vec()),
                    r#"[{}\[\]":,a0-9]{0,20}"#.prop_map(String::into_bytes),
                ], 0..9),
            key in "[a-z]{0,3}",
        ) {
            let frames: Frames = frames.into_iter().map(Bytes::from).collect();
            let read = Session::new(&key).unwrap().read_message(frames);
            prop_assert!(key.is_empty() || read.is_err(), "nobody signed it");
        }

        #[test]
        fn any_header_has_an_answer(bytes: Vec<u8>, depth in 0_usize..5000) {
            let _ = Header::from_json(bytes.into());
            let deep = format!(r#"{{"msg_id": {}"#, "[".repeat(depth));
            assert!(Header::from_json(deep.into()).is_err());
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let session = Session::new("secret").unwrap();
        assert!(
            session
                .read_message(vec![Bytes::from_static(b"hello")])
                .is_err()
        );
        let mut short = vec![Bytes::from_static(DELIMITER)];
        assert!(session.read_message(short.clone()).is_err());
        short.push(Bytes::from_static(b"zz\xff"));
        assert!(session.read_message(short).is_err());
        let open = Session::new("").unwrap();
        for wrong in 0..4 {
            let mut message = vec![Bytes::from_static(DELIMITER), Bytes::new()];
            for part in 0..4 {
                message.push(Bytes::from_static(if part == wrong { b"{" } else { b"{}" }));
            }
            assert!(open.read_message(message).is_err(), "{wrong}");
        }
    }
}
