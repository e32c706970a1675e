//! Reads one Arrow stream: a schema and its batches.

use std::io::Cursor;

use polars_arrow::array::ArrayRef;
use polars_arrow::datatypes::Field;
use polars_arrow::io::ipc::format::ipc::planus::ReadAsRoot;
use polars_arrow::io::ipc::format::ipc::{MessageHeaderRef, MessageRef};
use polars_arrow::io::ipc::read::{StreamReader, StreamState, read_stream_metadata};

use super::{guarded, unreadable};
use crate::error::{Error, Result};

/// The columns of a stream, and the arrays of each batch.
pub(super) struct Decoded {
    pub(super) fields: Vec<Field>,
    pub(super) batches: Vec<Vec<ArrayRef>>,
}

const UNREADABLE: &str = "the server's rows can't be read: they are not an Arrow stream";

/// Reads a stream. Nothing in it is trusted.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded> {
    check_compression(bytes)?;
    let mut reader = Cursor::new(bytes);
    let metadata = guarded(UNREADABLE, || read_stream_metadata(&mut reader))?;
    // polars' schema is a map from names.
    if metadata.ipc_schema.fields.len() != metadata.schema.len() {
        return Err(
            unreadable("two columns of the result have the same name").with_hint(
                "give them different names with AS, or `.alias(..)`; or select only one of them",
            ),
        );
    }
    let fields: Vec<Field> = metadata.schema.iter_values().cloned().collect();
    let batches = guarded(UNREADABLE, || {
        let mut batches = Vec::new();
        for state in StreamReader::new(reader, metadata, None) {
            match state? {
                StreamState::Some(batch) => batches.push(batch.into_arrays()),
                // The stream has no end mark: there is no more.
                StreamState::Waiting => break,
            }
        }
        Ok(batches)
    })?;
    Ok(Decoded { fields, batches })
}

/// Refuses compressed batches, at which polars panics, since it was built without codecs.
fn check_compression(bytes: &[u8]) -> Result<()> {
    let mut rest = bytes;
    while let Some((message, after)) = next_message(rest)? {
        let header = message.header().ok().flatten();
        let compression = match header {
            Some(MessageHeaderRef::RecordBatch(batch)) => batch.compression(),
            Some(MessageHeaderRef::DictionaryBatch(batch)) => match batch.data().ok().flatten() {
                Some(batch) => batch.compression(),
                None => Ok(None),
            },
            _ => Ok(None),
        };
        if compression.map_err(|_| unreadable(UNREADABLE))?.is_some() {
            return Err(compressed());
        }
        rest = after;
    }
    Ok(())
}

fn compressed() -> Error {
    unreadable("the server's rows are compressed, which this client can't read")
        .with_hint("`spark.conf().set(\"spark.sql.execution.arrow.compression.codec\", \"none\")?`")
}

/// The first message's head, and what follows its body. `None` at the end.
fn next_message(bytes: &[u8]) -> Result<Option<(MessageRef<'_>, &[u8])>> {
    const CONTINUATION: [u8; 4] = [0xff; 4];
    let bytes = bytes.strip_prefix(&CONTINUATION).unwrap_or(bytes);
    let Some((length, rest)) = bytes.split_first_chunk() else {
        return Ok(None);
    };
    let broken = || unreadable(UNREADABLE);
    let length = usize::try_from(i32::from_le_bytes(*length)).map_err(|_| broken())?;
    if length == 0 {
        return Ok(None);
    }
    let (head, rest) = rest.split_at_checked(length).ok_or_else(broken)?;
    let message = MessageRef::read_as_root(head).map_err(|_| broken())?;
    let body = message.body_length().map_err(|_| broken())?;
    let body = usize::try_from(body).map_err(|_| broken())?;
    let rest = rest.get(body..).ok_or_else(broken)?;
    Ok(Some((message, rest)))
}
