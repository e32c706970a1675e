//! Relations: what a data frame is made of.

use std::collections::HashMap;

use prost::bytes::Bytes;

use super::Alias;
use super::expressions::SortOrder;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Relation {
    #[prost(message, optional, tag = "2")]
    pub(crate) read: Option<Read>,
    #[prost(message, optional, tag = "3")]
    pub(crate) project: Option<Project>,
    #[prost(message, optional, tag = "4")]
    pub(crate) filter: Option<Filter>,
    #[prost(message, optional, tag = "5")]
    pub(crate) join: Option<Join>,
    #[prost(message, optional, tag = "6")]
    pub(crate) set_op: Option<SetOperation>,
    #[prost(message, optional, tag = "7")]
    pub(crate) sort: Option<Sort>,
    #[prost(message, optional, tag = "8")]
    pub(crate) limit: Option<Limit>,
    #[prost(message, optional, tag = "9")]
    pub(crate) aggregate: Option<Aggregate>,
    #[prost(message, optional, tag = "10")]
    pub(crate) sql: Option<Sql>,
    #[prost(message, optional, tag = "11")]
    pub(crate) local_relation: Option<LocalRelation>,
    #[prost(message, optional, tag = "12")]
    pub(crate) sample: Option<Sample>,
    #[prost(message, optional, tag = "13")]
    pub(crate) offset: Option<Offset>,
    #[prost(message, optional, tag = "14")]
    pub(crate) deduplicate: Option<Deduplicate>,
    #[prost(message, optional, tag = "15")]
    pub(crate) range: Option<Range>,
    #[prost(message, optional, tag = "16")]
    pub(crate) subquery_alias: Option<SubqueryAlias>,
    #[prost(message, optional, tag = "19")]
    pub(crate) with_columns_renamed: Option<WithColumnsRenamed>,
    #[prost(message, optional, tag = "21")]
    pub(crate) drop: Option<Drop>,
    #[prost(message, optional, tag = "23")]
    pub(crate) with_columns: Option<WithColumns>,
    #[prost(message, optional, tag = "91")]
    pub(crate) drop_na: Option<NaDrop>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Read {
    #[prost(message, optional, tag = "1")]
    pub(crate) named_table: Option<NamedTable>,
    #[prost(message, optional, tag = "2")]
    pub(crate) data_source: Option<DataSource>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct NamedTable {
    #[prost(string, tag = "1")]
    pub(crate) unparsed_identifier: String,
    #[prost(map = "string, string", tag = "2")]
    pub(crate) options: HashMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DataSource {
    #[prost(string, optional, tag = "1")]
    pub(crate) format: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) schema: Option<String>,
    #[prost(map = "string, string", tag = "3")]
    pub(crate) options: HashMap<String, String>,
    #[prost(string, repeated, tag = "4")]
    pub(crate) paths: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Project {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) input: Bytes,
    #[prost(bytes = "bytes", repeated, tag = "3")]
    pub(crate) expressions: Vec<Bytes>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Filter {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) input: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) condition: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Join {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) left: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) right: Bytes,
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub(crate) join_condition: Option<Bytes>,
    #[prost(int32, tag = "4")]
    pub(crate) join_type: i32,
    #[prost(string, repeated, tag = "5")]
    pub(crate) using_columns: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SetOperation {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) left_input: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) right_input: Bytes,
    /// 1 intersect, 2 union, 3 except.
    #[prost(int32, tag = "3")]
    pub(crate) set_op_type: i32,
    #[prost(bool, optional, tag = "4")]
    pub(crate) is_all: Option<bool>,
    #[prost(bool, optional, tag = "5")]
    pub(crate) by_name: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Sort {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) input: Bytes,
    #[prost(message, repeated, tag = "2")]
    pub(crate) order: Vec<SortOrder>,
    #[prost(bool, optional, tag = "3")]
    pub(crate) is_global: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Limit {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) input: Bytes,
    #[prost(int32, tag = "2")]
    pub(crate) limit: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Offset {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) input: Bytes,
    #[prost(int32, tag = "2")]
    pub(crate) offset: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Aggregate {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) input: Bytes,
    /// 1 group by, 2 rollup, 3 cube.
    #[prost(int32, tag = "2")]
    pub(crate) group_type: i32,
    #[prost(bytes = "bytes", repeated, tag = "3")]
    pub(crate) grouping_expressions: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "4")]
    pub(crate) aggregate_expressions: Vec<Bytes>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Sql {
    #[prost(string, tag = "1")]
    pub(crate) query: String,
    #[prost(map = "string, bytes", tag = "4")]
    pub(crate) named_arguments: HashMap<String, Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct LocalRelation {
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub(crate) data: Option<Bytes>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Sample {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) input: Bytes,
    #[prost(double, tag = "2")]
    pub(crate) lower_bound: f64,
    #[prost(double, tag = "3")]
    pub(crate) upper_bound: f64,
    #[prost(bool, optional, tag = "4")]
    pub(crate) with_replacement: Option<bool>,
    #[prost(int64, optional, tag = "5")]
    pub(crate) seed: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Deduplicate {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) input: Bytes,
    #[prost(string, repeated, tag = "2")]
    pub(crate) column_names: Vec<String>,
    #[prost(bool, optional, tag = "3")]
    pub(crate) all_columns_as_keys: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Range {
    #[prost(int64, optional, tag = "1")]
    pub(crate) start: Option<i64>,
    #[prost(int64, tag = "2")]
    pub(crate) end: i64,
    #[prost(int64, tag = "3")]
    pub(crate) step: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SubqueryAlias {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) input: Bytes,
    #[prost(string, tag = "2")]
    pub(crate) alias: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct WithColumnsRenamed {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) input: Bytes,
    /// The field that servers from 3.4 on know.
    #[prost(map = "string, string", tag = "2")]
    pub(crate) rename_columns_map: HashMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Drop {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) input: Bytes,
    #[prost(string, repeated, tag = "3")]
    pub(crate) column_names: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct WithColumns {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) input: Bytes,
    #[prost(message, repeated, tag = "2")]
    pub(crate) aliases: Vec<Alias>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct NaDrop {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) input: Bytes,
    #[prost(string, repeated, tag = "2")]
    pub(crate) cols: Vec<String>,
}
