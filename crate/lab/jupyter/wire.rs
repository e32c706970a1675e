//! The Jupyter wire protocol: one message as ZeroMQ frames, signed.
//!
//! Contents stay plain JSON. Typed messages would have to be turned back into
//! JSON for the notebook, and whatever the types do not know would be lost.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};
use zeromq::ZmqMessage;

use crate::failure::{Context, Failure, Result};

/// Separates the routing frames from the message.
const DELIMITER: &[u8] = b"<IDS|MSG>";

/// The version of the protocol that the headers claim.
pub const PROTOCOL: &str = "5.3";

/// One message that was received.
#[derive(Clone, Debug)]
pub struct Message {
    /// Whom an answer is for, as a router has to know it.
    pub identities: Vec<Bytes>,
    /// Who says what kind of thing.
    pub header: Value,
    parent: Value,
    metadata: Value,
    /// What the message says.
    pub content: Value,
}

impl Message {
    /// A message that was not received, such as one that nobody sent.
    pub fn of(kind: &str, content: Value) -> Self {
        Self {
            identities: Vec::new(),
            header: json!({"msg_type": kind}),
            parent: json!({}),
            metadata: json!({}),
            content,
        }
    }

    /// The message type, such as `stream` or `execute_reply`.
    pub fn kind(&self) -> &str {
        self.header["msg_type"].as_str().unwrap_or_default()
    }

    /// The id under which it is answered.
    pub fn id(&self) -> &str {
        self.header["msg_id"].as_str().unwrap_or_default()
    }

    /// The id of the request that this message belongs to.
    pub fn parent(&self) -> &str {
        self.parent["msg_id"].as_str().unwrap_or_default()
    }

    /// Whether it says that the kernel has nothing more to do for this request.
    pub fn ends(&self, request: &str) -> bool {
        self.kind() == "status"
            && self.parent() == request
            && self.content["execution_state"] == "idle"
    }

    /// The header of the request that this message belongs to.
    pub fn parent_header(&self) -> &Value {
        &self.parent
    }
}

/// One end of the conversation: signs what it says, checks what comes back.
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

    /// A signed request, and the id under which the kernel will answer.
    pub fn request(&mut self, kind: &str, content: &Value) -> (String, ZmqMessage) {
        let header = self.header(kind);
        let id = header["msg_id"].as_str().unwrap_or_default().to_owned();
        let empty = json!({});
        (id, self.frames(&[], [&header, &empty, &empty, content]))
    }

    /// A signed message about the request with this header, for these identities.
    pub fn about(
        &mut self,
        request: &Value,
        identities: &[Bytes],
        kind: &str,
        content: &Value,
    ) -> ZmqMessage {
        let header = self.header(kind);
        let parts = [&header, request, &json!({}), content];
        self.frames(identities, parts)
    }

    /// Another's message, under its own header.
    pub fn forward(&self, message: &Message) -> ZmqMessage {
        let Message {
            header,
            parent,
            metadata,
            content,
            ..
        } = message;
        self.frames(&[], [header, parent, metadata, content])
    }

    /// The header of a message that is sent next.
    pub fn header(&mut self, kind: &str) -> Value {
        self.sent += 1;
        json!({
            "msg_id": format!("{}_{}", self.id, self.sent),
            "session": self.id,
            "username": "evenhand",
            "date": timestamp(SystemTime::now()),
            "msg_type": kind,
            "version": PROTOCOL,
        })
    }

    fn frames(&self, identities: &[Bytes], parts: [&Value; 4]) -> ZmqMessage {
        let parts = parts.map(|part| part.to_string().into_bytes());
        let mut message = ZmqMessage::from(DELIMITER.to_vec());
        message.push_back(self.sign(&parts).into_bytes().into());
        for part in parts {
            message.push_back(part.into());
        }
        for identity in identities.iter().rev() {
            message.push_front(identity.clone());
        }
        message
    }

    /// Reads a message; its signature must be right.
    pub fn read(&self, message: ZmqMessage) -> Result<Message> {
        let mut frames = message.into_vec();
        let start = frames.iter().position(|frame| &frame[..] == DELIMITER);
        let rest = start.map(|start| frames.split_off(start));
        let Some([_, signature, parts @ ..]) = rest.as_deref() else {
            return Err(unreadable("it has no delimiter"));
        };
        let Some(parts) = parts.get(..4) else {
            return Err(unreadable("it has too few frames"));
        };
        let signed = self.key.as_ref().is_none_or(|key| {
            unhex(signature).is_some_and(|tag| hmac::verify(key, &parts.concat(), &tag).is_ok())
        });
        if !signed {
            return Err(unreadable("its signature is wrong"));
        }
        let json = |index: usize| {
            serde_json::from_slice(&parts[index]).doing(|| "a message is not JSON".to_owned())
        };
        Ok(Message {
            identities: frames,
            header: json(0)?,
            parent: json(1)?,
            metadata: json(2)?,
            content: json(3)?,
        })
    }

    fn sign(&self, parts: &[Vec<u8>]) -> String {
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

/// As many random bytes, in hexadecimal.
pub fn random_hex(bytes: usize) -> Result<String> {
    let mut random = vec![0; bytes];
    SystemRandom::new()
        .fill(&mut random)
        .map_err(|_| Failure::new("the operating system gives no random numbers"))?;
    Ok(hex(&random))
}

fn unreadable(why: &str) -> Failure {
    Failure::new(format!("a message cannot be read: {why}"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digits = std::str::from_utf8(text)
        .ok()
        .filter(|digits| digits.is_ascii())?;
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok())
        .collect()
}

/// ISO 8601 in UTC, as the protocol wants its dates.
fn timestamp(time: SystemTime) -> String {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days since 1 March of the year 0, in cycles of 400 years: leap days come last.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        rest / 3_600,
        rest / 60 % 60,
        rest % 60
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_request_can_be_read_with_the_same_key_only() {
        let mut session = Session::new("secret").unwrap();
        let (id, request) = session.request("execute_request", &json!({"code": "1"}));
        let message = session.read(request.clone()).unwrap();
        assert_eq!(message.kind(), "execute_request");
        assert_eq!(message.header["msg_id"], id);
        assert_eq!(message.content["code"], "1");
        assert!(Session::new("other").unwrap().read(request).is_err());
    }

    #[test]
    fn an_answer_goes_back_to_who_asked() {
        let mut session = Session::new("").unwrap();
        let (id, request) = session.request("execute_request", &json!({}));
        let request = session.read(request).unwrap();
        let asker = [Bytes::from_static(b"asker")];
        let answer = session.about(&request.header, &asker, "execute_reply", &json!({"a": 1}));
        let answer = session.read(answer).unwrap();
        assert_eq!(answer.identities, asker);
        assert_eq!(
            (answer.parent(), answer.kind()),
            (id.as_str(), "execute_reply")
        );
        let forwarded = session.read(session.forward(&answer)).unwrap();
        assert_eq!(
            (forwarded.parent(), forwarded.id()),
            (id.as_str(), answer.id())
        );
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let session = Session::new("secret").unwrap();
        assert!(session.read(ZmqMessage::from("hello")).is_err());
        let mut short = ZmqMessage::from(DELIMITER.to_vec());
        assert!(session.read(short.clone()).is_err());
        short.push_back(b"zz\xff".to_vec().into());
        assert!(session.read(short).is_err());
    }

    #[test]
    fn dates_are_the_calendars() {
        let at = |seconds| timestamp(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01T00:00:00Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(at(1_735_689_599), "2024-12-31T23:59:59Z");
    }
}
