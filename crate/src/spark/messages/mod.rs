//! The messages of Spark Connect, as far as they are used here.
//!
//! They are written by hand, so that a build needs no `protoc`. Two rules keep them small:
//!
//! - The alternatives of a `oneof` are optional fields. They look the same on the wire, and only
//!   one of them is ever set.
//! - A relation or an expression inside another message is kept encoded, as `bytes`, which also
//!   looks the same on the wire. So nothing is recursive, and a relation that the server has made
//!   returns to it unchanged.
//!
//! A test compares the numbers of the fields with those of Spark's own client.

mod artifacts;
mod expressions;
mod relations;
mod service;
mod status;
#[cfg(test)]
mod tests;
mod types;

pub(crate) use artifacts::{
    AddArtifactsRequest, AddArtifactsResponse, ArtifactChunk, BeginChunkedArtifact,
};
pub(crate) use expressions::{
    Alias, Cast, Expression, ExpressionString, Literal, NullType, SortOrder, UnresolvedAttribute,
    UnresolvedFunction, UnresolvedStar,
};
pub(crate) use relations::{
    Aggregate, DataSource, Deduplicate, Drop as DropColumns, Filter, Join, Limit, LocalRelation,
    NaDrop, NamedTable, Offset, Project, Range, Read, Relation, Sample, SetOperation, Sort, Sql,
    SubqueryAlias, WithColumns, WithColumnsRenamed,
};
pub(crate) use service::ArrowBatch;
pub(crate) use service::{
    AnalyzePlanRequest, AnalyzePlanResponse, Command, ConfigOperation, ConfigRequest,
    ConfigResponse, CreateView, ExecutePlanRequest, ExecutePlanResponse, Explain,
    FetchErrorDetailsRequest, FetchErrorDetailsResponse, Get, InterruptRequest, InterruptResponse,
    KeyValue, Plan, PlanOnly, ReattachExecuteRequest, ReattachOptions, ReleaseExecuteRequest,
    ReleaseSessionRequest, RequestOption, SaveTable, Set, SqlCommand, Unset, UserContext,
    WriteOperation,
};
#[cfg(test)]
pub(crate) use status::any;
pub(crate) use status::{ErrorInfo, RpcStatus};
pub(crate) use types::DataType;

/// A message without fields, or one whose fields do not matter here.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Empty {}
