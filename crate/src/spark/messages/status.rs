//! The details of an error, in Google's format, which gRPC services use.

use std::collections::HashMap;

use prost::Message;
use prost::bytes::Bytes;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) details: Vec<Any>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Any {
    #[prost(string, tag = "1")]
    pub(crate) type_url: String,
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) value: Bytes,
}

/// What is known about an error: its class, its SQL state.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ErrorInfo {
    #[prost(string, tag = "1")]
    pub(crate) reason: String,
    #[prost(map = "string, string", tag = "3")]
    pub(crate) metadata: HashMap<String, String>,
}

impl RpcStatus {
    /// The first detail that is an `ErrorInfo`.
    pub(crate) fn error_info(&self) -> Option<ErrorInfo> {
        let mut details = self.details.iter();
        let found = details.find(|any| any.type_url.ends_with("google.rpc.ErrorInfo"))?;
        ErrorInfo::decode(found.value.clone()).ok()
    }
}

/// A detail, as a server packs it.
#[cfg(test)]
pub(crate) fn any(type_url: &str, message: &impl Message) -> Any {
    Any {
        type_url: type_url.to_owned(),
        value: message.encode_to_vec().into(),
    }
}
