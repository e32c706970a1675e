//! The types of columns.

use prost::bytes::Bytes;

use super::Empty;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DataType {
    #[prost(message, optional, tag = "1")]
    pub(crate) null: Option<Empty>,
    #[prost(message, optional, tag = "2")]
    pub(crate) binary: Option<Empty>,
    #[prost(message, optional, tag = "3")]
    pub(crate) boolean: Option<Empty>,
    #[prost(message, optional, tag = "4")]
    pub(crate) byte: Option<Empty>,
    #[prost(message, optional, tag = "5")]
    pub(crate) short: Option<Empty>,
    #[prost(message, optional, tag = "6")]
    pub(crate) integer: Option<Empty>,
    #[prost(message, optional, tag = "7")]
    pub(crate) long: Option<Empty>,
    #[prost(message, optional, tag = "8")]
    pub(crate) float: Option<Empty>,
    #[prost(message, optional, tag = "9")]
    pub(crate) double: Option<Empty>,
    #[prost(message, optional, tag = "10")]
    pub(crate) decimal: Option<DecimalType>,
    #[prost(message, optional, tag = "11")]
    pub(crate) string: Option<Empty>,
    #[prost(message, optional, tag = "12")]
    pub(crate) char: Option<Length>,
    #[prost(message, optional, tag = "13")]
    pub(crate) var_char: Option<Length>,
    #[prost(message, optional, tag = "14")]
    pub(crate) date: Option<Empty>,
    #[prost(message, optional, tag = "15")]
    pub(crate) timestamp: Option<Empty>,
    #[prost(message, optional, tag = "16")]
    pub(crate) timestamp_ntz: Option<Empty>,
    #[prost(message, optional, tag = "17")]
    pub(crate) calendar_interval: Option<Empty>,
    #[prost(message, optional, tag = "18")]
    pub(crate) year_month_interval: Option<Empty>,
    #[prost(message, optional, tag = "19")]
    pub(crate) day_time_interval: Option<Empty>,
    #[prost(message, optional, tag = "20")]
    pub(crate) array: Option<ArrayType>,
    #[prost(message, optional, tag = "21")]
    pub(crate) struct_type: Option<StructType>,
    #[prost(message, optional, tag = "22")]
    pub(crate) map: Option<MapType>,
    #[prost(message, optional, tag = "24")]
    pub(crate) unparsed: Option<Unparsed>,
    #[prost(message, optional, tag = "25")]
    pub(crate) variant: Option<Empty>,
    #[prost(message, optional, tag = "28")]
    pub(crate) time: Option<Empty>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DecimalType {
    #[prost(int32, optional, tag = "1")]
    pub(crate) scale: Option<i32>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) precision: Option<i32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Length {
    #[prost(int32, tag = "1")]
    pub(crate) length: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ArrayType {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) element_type: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StructType {
    #[prost(message, repeated, tag = "1")]
    pub(crate) fields: Vec<StructField>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StructField {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) data_type: Bytes,
    #[prost(bool, tag = "3")]
    pub(crate) nullable: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct MapType {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) key_type: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) value_type: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Unparsed {
    #[prost(string, tag = "1")]
    pub(crate) data_type_string: String,
}
