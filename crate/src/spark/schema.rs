//! The names and types of a data frame's columns.

use std::fmt;

use prost::Message;
use prost::bytes::Bytes;

use super::messages::DataType;

/// How deep types are read.
const MAX_DEPTH: usize = 64;

/// The columns of a data frame. Its `Display` is the tree that PySpark's `printSchema` prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema(Vec<Field>);

/// A column, or a field of a struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    name: String,
    data_type: String,
    is_nullable: bool,
}

impl Schema {
    /// The schema, if it is one of columns.
    pub(super) fn from_data_type(schema: &DataType) -> Option<Self> {
        let columns = schema.struct_type.as_ref()?;
        let fields = columns.fields.iter().map(|field| Field {
            name: field.name.clone(),
            data_type: name_of(&field.data_type, 0),
            is_nullable: field.nullable,
        });
        Some(Self(fields.collect()))
    }

    /// The columns in their order.
    pub fn fields(&self) -> &[Field] {
        &self.0
    }
}

impl Field {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its type, as SQL writes it: `bigint`, `array<string>`, `struct<a:int,b:double>`.
    pub fn data_type(&self) -> &str {
        &self.data_type
    }

    /// Whether it may contain nulls.
    pub fn is_nullable(&self) -> bool {
        self.is_nullable
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("root")?;
        for field in &self.0 {
            let Field {
                name,
                data_type,
                is_nullable,
            } = field;
            write!(f, "\n |-- {name}: {data_type} (nullable = {is_nullable})")?;
        }
        Ok(())
    }
}

/// A type's name in SQL.
fn name_of(encoded: &Bytes, depth: usize) -> String {
    let unknown = || "unknown".to_owned();
    if depth == MAX_DEPTH {
        return unknown();
    }
    let Ok(data_type) = DataType::decode(encoded.clone()) else {
        return unknown();
    };
    let inner = |encoded: &Bytes| name_of(encoded, depth + 1);
    if let Some(name) = plain_name(&data_type) {
        return name.to_owned();
    }
    match data_type {
        DataType {
            decimal: Some(decimal),
            ..
        } => {
            let (precision, scale) = (decimal.precision.unwrap_or(10), decimal.scale.unwrap_or(0));
            format!("decimal({precision},{scale})")
        }
        DataType {
            char: Some(char), ..
        } => format!("char({})", char.length),
        DataType {
            var_char: Some(char),
            ..
        } => format!("varchar({})", char.length),
        DataType {
            array: Some(array), ..
        } => format!("array<{}>", inner(&array.element_type)),
        DataType { map: Some(map), .. } => {
            format!("map<{},{}>", inner(&map.key_type), inner(&map.value_type))
        }
        DataType {
            struct_type: Some(fields),
            ..
        } => {
            let fields = fields.fields.iter();
            let fields: Vec<_> = fields
                .map(|field| format!("{}:{}", field.name, inner(&field.data_type)))
                .collect();
            format!("struct<{}>", fields.join(","))
        }
        DataType {
            unparsed: Some(unparsed),
            ..
        } => unparsed.data_type_string,
        _ => unknown(),
    }
}

fn plain_name(of: &DataType) -> Option<&'static str> {
    let names = [
        (of.null.is_some(), "void"),
        (of.binary.is_some(), "binary"),
        (of.boolean.is_some(), "boolean"),
        (of.byte.is_some(), "tinyint"),
        (of.short.is_some(), "smallint"),
        (of.integer.is_some(), "int"),
        (of.long.is_some(), "bigint"),
        (of.float.is_some(), "float"),
        (of.double.is_some(), "double"),
        (of.string.is_some(), "string"),
        (of.date.is_some(), "date"),
        (of.timestamp.is_some(), "timestamp"),
        (of.timestamp_ntz.is_some(), "timestamp_ntz"),
        (of.calendar_interval.is_some(), "interval"),
        (of.year_month_interval.is_some(), "interval year to month"),
        (of.day_time_interval.is_some(), "interval day to second"),
        (of.variant.is_some(), "variant"),
        (of.time.is_some(), "time"),
    ];
    names
        .iter()
        .find(|(is_it, _)| *is_it)
        .map(|(_, name)| *name)
}
