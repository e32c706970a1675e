//! Files that the server keeps for a session, and hands to its executors.

use prost::bytes::Bytes;

use super::connected::Connected;
use super::messages::{
    AddArtifactsRequest, AddArtifactsResponse, ArtifactChunk, BeginChunkedArtifact,
};
use crate::error::{Error, ErrorKind, Result};

/// How many bytes go in one message.
const CHUNK: usize = 1 << 20;

/// The table of CRC-32 (ISO 3309), one entry for each byte.
const CRC_TABLE: [u32; 256] = crc_table();

/// Sends a file, which lies in a subfolder of an executor's working directory under this name.
///
/// # Errors
/// The server takes no files, or the file arrives damaged.
pub(super) async fn add_file(session: &Connected, name: &str, content: Bytes) -> Result<()> {
    session.check()?;
    let (id, user) = (session.session_id(), session.user());
    let message = |begin_chunk, chunk| AddArtifactsRequest {
        session_id: id.clone(),
        user_context: Some(user.clone()),
        begin_chunk,
        chunk,
    };
    let mut chunks = (0..content.len()).step_by(CHUNK).map(|start| {
        let data = content.slice(start..content.len().min(start + CHUNK));
        let crc = i64::from(crc32(&data));
        ArtifactChunk { data, crc }
    });
    let begin = BeginChunkedArtifact {
        name: format!("files/{name}"),
        total_bytes: whole(content.len()),
        num_chunks: whole(content.len().div_ceil(CHUNK)),
        initial_chunk: chunks.next(),
    };
    let mut messages = vec![message(Some(begin), None)];
    messages.extend(chunks.map(|chunk| message(None, Some(chunk))));
    let answer: AddArtifactsResponse =
        match session.channel().upload("AddArtifacts", &messages).await {
            Ok(answer) => answer,
            Err(super::grpc::Fault::Status(status)) => return Err(session.error_of(status).await),
            Err(fault) => return Err(fault.into()),
        };
    match answer
        .artifacts
        .iter()
        .all(|artifact| artifact.is_crc_successful)
    {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::Response,
            format!("the file {name} arrived damaged at the Spark server"),
        )
        .with_hint("run it again")),
    }
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

const fn crc_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 {
                (value >> 1) ^ 0xedb8_8320
            } else {
                value >> 1
            };
            bit += 1;
        }
        table[byte] = value;
        byte += 1;
    }
    table
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        let [low, ..] = crc.to_le_bytes();
        CRC_TABLE[usize::from(low ^ byte)] ^ (crc >> 8)
    };
    !bytes.iter().fold(!0, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }
}
