//! The start of a connection: both ends send a greeting and then their socket type.

use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::codec::{Heard, Reader, broken, encode_command};

/// The size limit for a peer's READY command.
const MAX_LENGTH: usize = 1024;

/// The type of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Dealer,
    Router,
    Publish,
    Subscribe,
    Reply,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Dealer => "DEALER",
            Self::Router => "ROUTER",
            Self::Publish => "PUB",
            Self::Subscribe => "SUB",
            Self::Reply => "REP",
        }
    }

    /// Whether a socket of this type can be connected to one of that type.
    fn speaks_to(self, peer: &[u8]) -> bool {
        let peers: &[&str] = match self {
            Self::Dealer => &["ROUTER"],
            Self::Router => &["DEALER", "REQ"],
            Self::Publish => &["SUB", "XSUB"],
            Self::Subscribe => &["PUB", "XPUB"],
            Self::Reply => &["REQ", "DEALER"],
        };
        peers.iter().any(|name| name.as_bytes() == peer)
    }
}

/// What is sent first: the ZMTP 3.0 greeting, and a READY command with this end's socket type.
pub fn opening(kind: Kind, identity: &[u8]) -> Bytes {
    let mut bytes = BytesMut::zeroed(64);
    (bytes[0], bytes[9], bytes[10]) = (0xff, 0x7f, 3);
    bytes[12..16].copy_from_slice(b"NULL");
    let mut ready = b"\x05READY".to_vec();
    for (name, value) in [
        ("Socket-Type", kind.name().as_bytes()),
        ("Identity", identity),
    ] {
        ready.put_u8(name.len() as u8);
        ready.put_slice(name.as_bytes());
        ready.put_u32(value.len() as u32);
        ready.put_slice(value);
    }
    bytes.extend_from_slice(&encode_command(&ready));
    bytes.freeze()
}

/// Reads a peer's opening. Returns its identity, which may be empty.
pub async fn receive_opening(reader: &mut Reader, own: Kind) -> io::Result<Bytes> {
    let greeting: [u8; 64] = reader.exactly().await?;
    if greeting[0] != 0xff || greeting[9] & 1 == 0 || greeting[10] < 3 {
        return Err(broken("its greeting is not that of ZMTP 3"));
    }
    if &greeting[12..17] != b"NULL\0" {
        return Err(broken("it asks for a mechanism other than NULL"));
    }
    match reader.next(MAX_LENGTH).await? {
        Heard::Command(body) => ready(body, own),
        Heard::Message(_) => Err(broken("it sent a message before READY")),
    }
}

fn ready(mut body: Bytes, own: Kind) -> io::Result<Bytes> {
    let ill = || broken("its READY command is malformed");
    if !body.starts_with(b"\x05READY") {
        return Err(ill());
    }
    body.advance(6);
    let (mut kind, mut identity) = (Bytes::new(), Bytes::new());
    while !body.is_empty() {
        let length = usize::from(body.get_u8());
        if body.len() < length + 4 {
            return Err(ill());
        }
        let name = body.split_to(length);
        let length = usize::try_from(body.get_u32()).unwrap_or(usize::MAX);
        if body.len() < length {
            return Err(ill());
        }
        let value = body.split_to(length);
        match name.to_ascii_lowercase().as_slice() {
            b"socket-type" => kind = value,
            b"identity" => identity = value,
            _ => {}
        }
    }
    if !own.speaks_to(&kind) {
        return Err(broken("its socket type does not fit"));
    }
    // Identities that begin with zero are assigned by the server.
    if identity.len() > 255 || identity.first() == Some(&0) {
        return Err(broken("its identity is invalid"));
    }
    // Copied, so that the rest of the buffer is not kept in memory.
    Ok(Bytes::copy_from_slice(&identity))
}

/// Reads the opening of a peer that sends these bytes and nothing else.
#[cfg(any(test, fuzzing))]
pub fn heard(bytes: &[u8]) -> io::Result<Bytes> {
    let mut reader = Reader::new(io::Cursor::new(bytes.to_vec()));
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime?.block_on(receive_opening(&mut reader, Kind::Router))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_opening_is_understood_by_the_other_side_alone() {
        let dealer = opening(Kind::Dealer, b"me");
        assert_eq!(heard(&dealer).unwrap(), "me");
        let publisher = opening(Kind::Publish, b"");
        assert!(heard(&publisher).is_err());
        assert!(heard(&opening(Kind::Dealer, b"\0given")).is_err());
        for end in 0..dealer.len() {
            assert!(heard(&dealer[..end]).is_err(), "{end}");
        }
    }

    proptest! {
        #[test]
        fn any_opening_has_an_answer(bytes: Vec<u8>, at in 0_usize..120, change: u8) {
            let _ = heard(&bytes);
            let mut opening = opening(Kind::Dealer, b"me").to_vec();
            if let Some(byte) = opening.get_mut(at) {
                *byte = change;
            }
            opening.extend_from_slice(&bytes);
            let _ = heard(&opening);
            let _ = ready(bytes.into(), Kind::Router);
        }
    }
}
