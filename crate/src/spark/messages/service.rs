//! The requests and responses of the service.

use std::collections::HashMap;

use prost::bytes::Bytes;

use super::{DataType, Empty};

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct UserContext {
    #[prost(string, tag = "1")]
    pub(crate) user_id: String,
    #[prost(string, tag = "2")]
    pub(crate) user_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Plan {
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub(crate) root: Option<Bytes>,
    #[prost(message, optional, tag = "2")]
    pub(crate) command: Option<Command>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Command {
    #[prost(message, optional, tag = "2")]
    pub(crate) write_operation: Option<WriteOperation>,
    #[prost(message, optional, tag = "3")]
    pub(crate) create_dataframe_view: Option<CreateView>,
    #[prost(message, optional, tag = "5")]
    pub(crate) sql_command: Option<SqlCommand>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SqlCommand {
    /// For servers before 4.0, which do not know `input`.
    #[prost(string, tag = "1")]
    pub(crate) sql: String,
    #[prost(map = "string, bytes", tag = "4")]
    pub(crate) named_arguments: HashMap<String, Vec<u8>>,
    #[prost(bytes = "bytes", optional, tag = "6")]
    pub(crate) input: Option<Bytes>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CreateView {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) input: Bytes,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(bool, tag = "3")]
    pub(crate) is_global: bool,
    #[prost(bool, tag = "4")]
    pub(crate) replace: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct WriteOperation {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) input: Bytes,
    #[prost(string, optional, tag = "2")]
    pub(crate) source: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(crate) path: Option<String>,
    #[prost(message, optional, tag = "4")]
    pub(crate) table: Option<SaveTable>,
    #[prost(int32, tag = "5")]
    pub(crate) mode: i32,
    #[prost(string, repeated, tag = "7")]
    pub(crate) partitioning_columns: Vec<String>,
    #[prost(map = "string, string", tag = "9")]
    pub(crate) options: HashMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SaveTable {
    #[prost(string, tag = "1")]
    pub(crate) table_name: String,
    /// 1 save as a table, 2 insert into one.
    #[prost(int32, tag = "2")]
    pub(crate) save_method: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ExecutePlanRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) user_context: Option<UserContext>,
    #[prost(message, optional, tag = "3")]
    pub(crate) plan: Option<Plan>,
    #[prost(string, optional, tag = "4")]
    pub(crate) client_type: Option<String>,
    #[prost(message, repeated, tag = "5")]
    pub(crate) request_options: Vec<RequestOption>,
    #[prost(string, optional, tag = "6")]
    pub(crate) operation_id: Option<String>,
    #[prost(string, repeated, tag = "7")]
    pub(crate) tags: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RequestOption {
    #[prost(message, optional, tag = "1")]
    pub(crate) reattach_options: Option<ReattachOptions>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReattachOptions {
    #[prost(bool, tag = "1")]
    pub(crate) reattachable: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ExecutePlanResponse {
    #[prost(message, optional, tag = "2")]
    pub(crate) arrow_batch: Option<ArrowBatch>,
    #[prost(message, optional, tag = "5")]
    pub(crate) sql_command_result: Option<SqlCommandResult>,
    #[prost(string, tag = "13")]
    pub(crate) response_id: String,
    #[prost(message, optional, tag = "14")]
    pub(crate) result_complete: Option<Empty>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ArrowBatch {
    #[prost(int64, tag = "1")]
    pub(crate) row_count: i64,
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) data: Bytes,
    #[prost(int64, optional, tag = "3")]
    pub(crate) start_offset: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SqlCommandResult {
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub(crate) relation: Option<Bytes>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReattachExecuteRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) user_context: Option<UserContext>,
    #[prost(string, tag = "3")]
    pub(crate) operation_id: String,
    #[prost(string, optional, tag = "5")]
    pub(crate) last_response_id: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReleaseExecuteRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) user_context: Option<UserContext>,
    #[prost(string, tag = "3")]
    pub(crate) operation_id: String,
    #[prost(message, optional, tag = "5")]
    pub(crate) release_all: Option<Empty>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReleaseSessionRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) user_context: Option<UserContext>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct InterruptRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) user_context: Option<UserContext>,
    /// 1 all, 2 those with the tag, 3 the operation.
    #[prost(int32, tag = "4")]
    pub(crate) interrupt_type: i32,
    #[prost(string, optional, tag = "5")]
    pub(crate) operation_tag: Option<String>,
    #[prost(string, optional, tag = "6")]
    pub(crate) operation_id: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct InterruptResponse {
    #[prost(string, repeated, tag = "2")]
    pub(crate) interrupted_ids: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AnalyzePlanRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) user_context: Option<UserContext>,
    #[prost(message, optional, tag = "4")]
    pub(crate) schema: Option<PlanOnly>,
    #[prost(message, optional, tag = "5")]
    pub(crate) explain: Option<Explain>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct PlanOnly {
    #[prost(message, optional, tag = "1")]
    pub(crate) plan: Option<Plan>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Explain {
    #[prost(message, optional, tag = "1")]
    pub(crate) plan: Option<Plan>,
    #[prost(int32, tag = "2")]
    pub(crate) explain_mode: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AnalyzePlanResponse {
    #[prost(message, optional, tag = "2")]
    pub(crate) schema: Option<AnalyzedSchema>,
    #[prost(message, optional, tag = "3")]
    pub(crate) explain: Option<Explained>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AnalyzedSchema {
    #[prost(message, optional, tag = "1")]
    pub(crate) schema: Option<DataType>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Explained {
    #[prost(string, tag = "1")]
    pub(crate) explain_string: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ConfigRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) user_context: Option<UserContext>,
    #[prost(message, optional, tag = "3")]
    pub(crate) operation: Option<ConfigOperation>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ConfigOperation {
    #[prost(message, optional, tag = "1")]
    pub(crate) set: Option<Set>,
    #[prost(message, optional, tag = "4")]
    pub(crate) get_option: Option<Get>,
    #[prost(message, optional, tag = "6")]
    pub(crate) unset: Option<Unset>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Set {
    #[prost(message, repeated, tag = "1")]
    pub(crate) pairs: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Get {
    #[prost(string, repeated, tag = "1")]
    pub(crate) keys: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Unset {
    #[prost(string, repeated, tag = "1")]
    pub(crate) keys: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct KeyValue {
    #[prost(string, tag = "1")]
    pub(crate) key: String,
    #[prost(string, optional, tag = "2")]
    pub(crate) value: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ConfigResponse {
    #[prost(message, repeated, tag = "2")]
    pub(crate) pairs: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct FetchErrorDetailsRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) user_context: Option<UserContext>,
    #[prost(string, tag = "3")]
    pub(crate) error_id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct FetchErrorDetailsResponse {
    #[prost(int32, optional, tag = "1")]
    pub(crate) root_error_idx: Option<i32>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) errors: Vec<ErrorDetails>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ErrorDetails {
    #[prost(string, tag = "2")]
    pub(crate) message: String,
}

impl FetchErrorDetailsResponse {
    /// The text of the outermost error.
    pub(crate) fn root_message(&self) -> Option<&str> {
        let at = usize::try_from(self.root_error_idx?).ok()?;
        self.errors.get(at).map(|error| error.message.as_str())
    }
}
