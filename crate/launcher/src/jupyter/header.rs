//! The header of a message. It is passed on unchanged, byte for byte, and only two fields are read.
//!
//! Each line that a cell prints is a message. To parse and write all four parts of each message
//! would take the wrapper longer than evcxr takes to send it.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use evenhand::civil_calendar::date;
use serde::Deserialize;
use serde_json::json;

use crate::error::{Context, Result};

/// The protocol version in the headers.
pub const PROTOCOL: &str = "5.3";

/// An empty part of a message.
pub static NOTHING: Bytes = Bytes::from_static(b"{}");

/// The header of a message.
#[derive(Clone, Debug)]
pub struct Header {
    json: Bytes,
    names: Names,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Names {
    msg_id: Option<String>,
    msg_type: Option<String>,
}

impl Header {
    /// An empty header: the parent of a request.
    pub fn none() -> Self {
        Self {
            json: NOTHING.clone(),
            names: Names::default(),
        }
    }

    /// The header of the message with this number in a session.
    pub fn new(session: &str, number: u64, kind: &str) -> Self {
        let id = format!("{session}_{number}");
        let json = json!({
            "msg_id": id,
            "session": session,
            "username": "evenhand",
            "date": timestamp(SystemTime::now()),
            "msg_type": kind,
            "version": PROTOCOL,
        });
        Self {
            json: json.to_string().into(),
            names: Names {
                msg_id: Some(id),
                msg_type: Some(kind.to_owned()),
            },
        }
    }

    /// Reads a header from a frame.
    pub fn from_json(json: Bytes) -> Result<Self> {
        let names = serde_json::from_slice(&json)
            .with_context(|| "the header of a message cannot be read".to_owned())?;
        Ok(Self { json, names })
    }

    /// The header as it is sent.
    pub fn json(&self) -> &Bytes {
        &self.json
    }

    /// The message id, to which answers refer.
    pub fn id(&self) -> &str {
        self.names.msg_id.as_deref().unwrap_or_default()
    }

    /// The message type, such as `stream` or `execute_reply`.
    pub fn kind(&self) -> &str {
        self.names.msg_type.as_deref().unwrap_or_default()
    }
}

/// The time in ISO 8601 and UTC, as the protocol requires.
fn timestamp(time: SystemTime) -> String {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(i64::try_from(days).unwrap_or_default());
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
    fn dates_are_the_calendars() {
        let at = |seconds| timestamp(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01T00:00:00Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(at(1_735_689_599), "2024-12-31T23:59:59Z");
    }

    #[test]
    fn a_header_is_passed_on_as_it_came() {
        let read = |json: &'static str| Header::from_json(Bytes::from_static(json.as_bytes()));
        let odd = r#"{"msg_type":"x_request", "new": [1e400], "msg_id": "\u0041"}"#;
        let header = read(odd).unwrap();
        assert_eq!((header.id(), header.kind()), ("A", "x_request"));
        assert_eq!(header.json(), odd.as_bytes());
        assert_eq!(read("{}").unwrap().id(), Header::none().id());
        assert_eq!(read(r#"{"msg_id": null}"#).unwrap().id(), "");
        for wrong in ["", "{", "1", r#"{"msg_id": 1}"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
