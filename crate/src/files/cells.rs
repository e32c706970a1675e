//! The values of a column while its file is read.

use polars::prelude::{
    BooleanChunkedBuilder, ChunkedBuilder, Column, DataType, Float64Type, Int64Type, IntoColumn,
    IntoSeries, PlSmallStr, PrimitiveChunkedBuilder, StringChunkedBuilder,
};

/// A value of a column.
pub(super) enum Value<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(&'a str),
}

/// A column that grows by values of one kind.
pub(super) struct Cells {
    values: Values,
    len: usize,
}

enum Values {
    /// Nothing but nulls so far.
    Null,
    Boolean(BooleanChunkedBuilder),
    Integer(PrimitiveChunkedBuilder<Int64Type>),
    Float(PrimitiveChunkedBuilder<Float64Type>),
    Text(StringChunkedBuilder),
}

impl Cells {
    /// No value yet. Whatever is none of the other types is read as text.
    pub(super) fn new(kind: &DataType, capacity: usize) -> Self {
        let name = PlSmallStr::EMPTY;
        let values = match kind {
            DataType::Null => Values::Null,
            DataType::Boolean => Values::Boolean(BooleanChunkedBuilder::new(name, capacity)),
            DataType::Int64 => Values::Integer(PrimitiveChunkedBuilder::new(name, capacity)),
            DataType::Float64 => Values::Float(PrimitiveChunkedBuilder::new(name, capacity)),
            _ => Values::Text(StringChunkedBuilder::new(name, capacity)),
        };
        Self { values, len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds nulls up to this number of values.
    pub(super) fn pad(&mut self, len: usize) {
        if let Values::Null = self.values {
            self.len = self.len.max(len);
        }
        while self.len < len {
            self.push_null();
        }
    }

    pub(super) fn push_null(&mut self) {
        match &mut self.values {
            Values::Null => {}
            Values::Boolean(cells) => cells.append_null(),
            Values::Integer(cells) => cells.append_null(),
            Values::Float(cells) => cells.append_null(),
            Values::Text(cells) => cells.append_null(),
        }
        self.len += 1;
    }

    /// Adds a value; a null where the column holds others.
    pub(super) fn push(&mut self, value: Value) {
        match (&mut self.values, value) {
            (Values::Boolean(cells), Value::Boolean(value)) => cells.append_value(value),
            (Values::Integer(cells), Value::Integer(value)) => cells.append_value(value),
            (Values::Float(cells), Value::Integer(value)) => cells.append_value(value as f64),
            (Values::Float(cells), Value::Float(value)) => cells.append_value(value),
            (Values::Text(cells), Value::Text(value)) => cells.append_value(value),
            _ => return self.push_null(),
        }
        self.len += 1;
    }

    /// Adds what a cell of CSV says, an empty one as null. Returns `None` for what is not written as a
    /// value of this kind usually is.
    pub(super) fn push_cell(&mut self, cell: &str) -> Option<()> {
        // A code such as `01234` is looked at by those who know where it stands.
        let begins_a_number = || match cell.strip_prefix('-').unwrap_or(cell).as_bytes() {
            [b'0', next, ..] => !next.is_ascii_digit(),
            [first, ..] => first.is_ascii_digit(),
            [] => false,
        };
        match (&mut self.values, cell) {
            (Values::Text(cells), _) => cells.append_value(cell),
            (_, "") => {
                self.push_null();
                return Some(());
            }
            (Values::Integer(cells), _) if begins_a_number() => {
                cells.append_value(cell.parse().ok()?);
            }
            (Values::Float(cells), _) if begins_a_number() => {
                cells.append_value(cell.parse().ok()?);
            }
            (Values::Boolean(cells), "true") => cells.append_value(true),
            (Values::Boolean(cells), "false") => cells.append_value(false),
            _ => return None,
        }
        self.len += 1;
        Some(())
    }

    /// Makes the column one of another kind. Integers become numbers; any other value is lost.
    pub(super) fn widen(&mut self, kind: &DataType) {
        let mut wider = Self::new(kind, self.len);
        let before = std::mem::replace(&mut self.values, Values::Null);
        match before {
            Values::Integer(integers) if *kind == DataType::Float64 => {
                for integer in integers.finish().iter() {
                    match integer {
                        Some(integer) => wider.push(Value::Integer(integer)),
                        None => wider.push_null(),
                    }
                }
            }
            _ => wider.pad(self.len),
        }
        *self = wider;
    }

    pub(super) fn finish(self, name: PlSmallStr) -> Column {
        let series = match self.values {
            Values::Null => return Column::full_null(name, self.len, &DataType::Null),
            Values::Boolean(cells) => cells.finish().into_series(),
            Values::Integer(cells) => cells.finish().into_series(),
            Values::Float(cells) => cells.finish().into_series(),
            Values::Text(cells) => cells.finish().into_series(),
        };
        series.with_name(name).into_column()
    }
}
