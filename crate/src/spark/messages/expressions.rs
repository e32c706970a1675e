//! Expressions: columns, literals, functions.

use prost::bytes::Bytes;

use super::Empty;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Expression {
    #[prost(message, optional, tag = "1")]
    pub(crate) literal: Option<Literal>,
    #[prost(message, optional, tag = "2")]
    pub(crate) unresolved_attribute: Option<UnresolvedAttribute>,
    #[prost(message, optional, tag = "3")]
    pub(crate) unresolved_function: Option<UnresolvedFunction>,
    #[prost(message, optional, tag = "4")]
    pub(crate) expression_string: Option<ExpressionString>,
    #[prost(message, optional, tag = "5")]
    pub(crate) unresolved_star: Option<UnresolvedStar>,
    #[prost(message, optional, tag = "6")]
    pub(crate) alias: Option<Alias>,
    #[prost(message, optional, tag = "7")]
    pub(crate) cast: Option<Cast>,
    #[prost(message, optional, tag = "9")]
    pub(crate) sort_order: Option<SortOrder>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Literal {
    /// The type of the null.
    #[prost(message, optional, tag = "1")]
    pub(crate) null: Option<NullType>,
    #[prost(bool, optional, tag = "3")]
    pub(crate) boolean: Option<bool>,
    #[prost(int32, optional, tag = "6")]
    pub(crate) integer: Option<i32>,
    #[prost(int64, optional, tag = "7")]
    pub(crate) long: Option<i64>,
    #[prost(float, optional, tag = "10")]
    pub(crate) float: Option<f32>,
    #[prost(double, optional, tag = "11")]
    pub(crate) double: Option<f64>,
    #[prost(string, optional, tag = "13")]
    pub(crate) string: Option<String>,
}

/// The data type of nulls.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct NullType {
    #[prost(message, optional, tag = "1")]
    pub(crate) null: Option<Empty>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct UnresolvedAttribute {
    #[prost(string, tag = "1")]
    pub(crate) unparsed_identifier: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct UnresolvedFunction {
    #[prost(string, tag = "1")]
    pub(crate) function_name: String,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub(crate) arguments: Vec<Bytes>,
    #[prost(bool, tag = "3")]
    pub(crate) is_distinct: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ExpressionString {
    #[prost(string, tag = "1")]
    pub(crate) expression: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct UnresolvedStar {
    #[prost(string, optional, tag = "1")]
    pub(crate) unparsed_target: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Alias {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) expr: Bytes,
    #[prost(string, repeated, tag = "2")]
    pub(crate) name: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Cast {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) expr: Bytes,
    #[prost(string, optional, tag = "3")]
    pub(crate) type_str: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SortOrder {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) child: Bytes,
    /// 1 ascending, 2 descending.
    #[prost(int32, tag = "2")]
    pub(crate) direction: i32,
    /// 1 nulls first, 2 nulls last.
    #[prost(int32, tag = "3")]
    pub(crate) null_ordering: i32,
}
