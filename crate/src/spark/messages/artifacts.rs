//! The messages that send files to the server.

use prost::bytes::Bytes;

use super::UserContext;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AddArtifactsRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) user_context: Option<UserContext>,
    #[prost(message, optional, tag = "4")]
    pub(crate) begin_chunk: Option<BeginChunkedArtifact>,
    #[prost(message, optional, tag = "5")]
    pub(crate) chunk: Option<ArtifactChunk>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct BeginChunkedArtifact {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(int64, tag = "2")]
    pub(crate) total_bytes: i64,
    #[prost(int64, tag = "3")]
    pub(crate) num_chunks: i64,
    #[prost(message, optional, tag = "4")]
    pub(crate) initial_chunk: Option<ArtifactChunk>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ArtifactChunk {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) data: Bytes,
    #[prost(int64, tag = "2")]
    pub(crate) crc: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AddArtifactsResponse {
    #[prost(message, repeated, tag = "1")]
    pub(crate) artifacts: Vec<ArtifactSummary>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ArtifactSummary {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(bool, tag = "2")]
    pub(crate) is_crc_successful: bool,
}
