//! Converts arrays of types that Spark refuses, at any depth.
//!
//! | polars | Spark | told |
//! |---|---|---|
//! | `UInt8`, `UInt16` | `smallint`, `int` | yes |
//! | `UInt32` | `bigint` | yes |
//! | `UInt64` | `decimal(20,0)`, which holds all of its values | yes |
//! | lists with 64-bit offsets | `array`, with 32-bit offsets | no, the values are the same |
//! | `Datetime` and `Duration` in ms | the same in µs; refused where it overflows | no |
//! | `Datetime` and `Duration` in ns | the same in µs | if a value is not a whole number of µs |
//! | `Time` | `string`, such as `12:30:00.5` | yes |
//! | `Categorical`, `Enum` | `string` | yes |

use polars::prelude::DataType;
use polars_arrow::array::{
    Array, ArrayRef, DictionaryArray, DictionaryKey, FixedSizeListArray, ListArray,
    MutableUtf8Array, PrimitiveArray, StructArray, Utf8Array, Utf8ViewArray,
};
use polars_arrow::datatypes::{ArrowDataType, Field, IntegerType, TimeUnit};
use polars_arrow::offset::OffsetsBuffer;
use polars_arrow::types::NativeType;

use crate::error::{Error, ErrorKind, Result};

/// What has become of a column.
#[derive(Default)]
pub(super) struct Change {
    /// Some values have another type.
    to: Option<&'static str>,
    /// Some times were rounded down to µs.
    is_rounded: bool,
}

impl Change {
    /// The sentences about it.
    pub(super) fn notes(&self, column: &str, dtype: &DataType) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(to) = self.to {
            notes.push(format!("column `{column}`: {dtype} is {to} in Spark"));
        }
        if self.is_rounded {
            notes.push(format!(
                "column `{column}`: Spark's times have microseconds, so its nanoseconds are cut off"
            ));
        }
        notes
    }
}

/// The array with a type that Spark takes.
///
/// # Errors
/// Spark has no such type, or a value is out of its range.
pub(super) fn convert(array: ArrayRef, change: &mut Change) -> Result<ArrayRef> {
    use ArrowDataType as A;
    let array: &dyn Array = &*array;
    match array.dtype() {
        A::UInt8 => {
            change.to = Some("smallint");
            widened::<u8, i16>(array, A::Int16)
        }
        A::UInt16 => {
            change.to = Some("int");
            widened::<u16, i32>(array, A::Int32)
        }
        A::UInt32 => {
            change.to = Some("bigint");
            widened::<u32, i64>(array, A::Int64)
        }
        A::UInt64 => {
            change.to = Some("decimal(20,0)");
            widened::<u64, i128>(array, A::Decimal(20, 0))
        }
        A::Timestamp(unit, zone) => {
            let target = A::Timestamp(TimeUnit::Microsecond, zone.clone());
            in_microseconds(array, *unit, target, change)
        }
        A::Duration(unit) => {
            in_microseconds(array, *unit, A::Duration(TimeUnit::Microsecond), change)
        }
        A::Time64(_) => {
            change.to = Some("string");
            clock_times(array)
        }
        A::Dictionary(key, ..) => {
            change.to = Some("string");
            match key {
                IntegerType::UInt8 => texts::<u8>(array),
                IntegerType::UInt16 => texts::<u16>(array),
                IntegerType::UInt32 => texts::<u32>(array),
                _ => Err(refused(array.dtype())),
            }
        }
        A::LargeList(item) => large_list(array, item, change),
        A::FixedSizeList(item, size) => fixed_size_list(array, (item, *size), change),
        A::Struct(fields) => fields_of(array, fields, change),
        A::Int128 | A::UInt128 | A::Float16 | A::Extension(_) | A::Interval(_) | A::Union(_) => {
            Err(refused(array.dtype()))
        }
        _ => Ok(array.to_boxed()),
    }
}

fn refused(dtype: &ArrowDataType) -> Error {
    Error::new(
        ErrorKind::Argument,
        format!("Spark has no type for {dtype:?}"),
    )
    .with_hint("cast the column first, to a string if nothing else fits")
}

/// An array that is not what its type says. polars makes none.
fn odd(dtype: &ArrowDataType) -> Error {
    Error::new(
        ErrorKind::Argument,
        format!("the column is not valid as {dtype:?}"),
    )
}

fn downcast<T: 'static>(array: &dyn Array) -> Result<&T> {
    array
        .as_any()
        .downcast_ref()
        .ok_or_else(|| odd(array.dtype()))
}

fn widened<T: NativeType + Into<W>, W: NativeType>(
    array: &dyn Array,
    target: ArrowDataType,
) -> Result<ArrayRef> {
    let narrow: &PrimitiveArray<T> = downcast(array)?;
    let values: Vec<W> = narrow
        .values()
        .iter()
        .map(|value| (*value).into())
        .collect();
    PrimitiveArray::try_new(target, values.into(), narrow.validity().cloned())
        .map(PrimitiveArray::boxed)
        .map_err(|error| odd(array.dtype()).with_source(error))
}

fn in_microseconds(
    array: &dyn Array,
    unit: TimeUnit,
    target: ArrowDataType,
    change: &mut Change,
) -> Result<ArrayRef> {
    let times: &PrimitiveArray<i64> = downcast(array)?;
    let factor = match unit {
        TimeUnit::Microsecond => return Ok(times.clone().to(target).boxed()),
        TimeUnit::Second => 1_000_000,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Nanosecond => {
            // Values under a null are arbitrary.
            change.is_rounded |= times.iter().flatten().any(|time| time % 1_000 != 0);
            let values: Vec<i64> = times
                .values()
                .iter()
                .map(|time| time.div_euclid(1_000))
                .collect();
            return Ok(
                PrimitiveArray::new(target, values.into(), times.validity().cloned()).boxed(),
            );
        }
    };
    let values = times.iter().map(|time| match time {
        None => Ok(0),
        Some(time) => time.checked_mul(factor).ok_or_else(|| {
            Error::new(
                ErrorKind::Argument,
                format!("a time is outside of Spark's range: {time} {unit:?}s"),
            )
            .with_hint("filter it out, or send it as a number")
        }),
    });
    let values: Vec<i64> = values.collect::<Result<_>>()?;
    Ok(PrimitiveArray::new(target, values.into(), times.validity().cloned()).boxed())
}

/// Times of the day as texts.
fn clock_times(array: &dyn Array) -> Result<ArrayRef> {
    let times: &PrimitiveArray<i64> = downcast(array)?;
    Ok(strings(
        times.iter().map(|time| time.map(|time| clock_time(*time))),
    ))
}

fn clock_time(nanoseconds: i64) -> String {
    let (seconds, rest) = (
        nanoseconds.div_euclid(1_000_000_000),
        nanoseconds.rem_euclid(1_000_000_000),
    );
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let text = format!("{hours:02}:{minutes:02}:{seconds:02}");
    match rest {
        0 => text,
        rest => format!("{text}.{rest:09}").trim_end_matches('0').to_owned(),
    }
}

fn strings(texts: impl Iterator<Item = Option<String>>) -> ArrayRef {
    let mut array = MutableUtf8Array::<i64>::new();
    for text in texts {
        array.push(text);
    }
    let array: Utf8Array<i64> = array.into();
    array.boxed()
}

/// The texts of categories.
fn texts<K: DictionaryKey>(array: &dyn Array) -> Result<ArrayRef> {
    let categories: &DictionaryArray<K> = downcast(array)?;
    let values = categories.values();
    let text = |at: usize| -> Option<String> {
        let any = values.as_any();
        if let Some(texts) = any.downcast_ref::<Utf8ViewArray>() {
            return texts.get(at).map(str::to_owned);
        }
        any.downcast_ref::<Utf8Array<i64>>()
            .and_then(|texts| texts.get(at).map(str::to_owned))
    };
    Ok(strings(
        categories.keys_iter().map(|key| key.and_then(text)),
    ))
}

fn large_list(array: &dyn Array, item: &Field, change: &mut Change) -> Result<ArrayRef> {
    let lists: &ListArray<i64> = downcast(array)?;
    // The values of a sliced list begin anywhere: only those that are used are sent.
    let (first, last) = (*lists.offsets().first(), *lists.offsets().last());
    let offsets = lists
        .offsets()
        .iter()
        .map(|offset| i32::try_from(offset - first));
    let offsets: Vec<i32> = offsets.collect::<Result<_, _>>().map_err(|_| {
        Error::new(
            ErrorKind::Argument,
            "the lists hold more than 2 billion items together, which is more than Spark allows",
        )
        .with_hint("send the frame in parts")
    })?;
    let (start, length) = match (usize::try_from(first), usize::try_from(last - first)) {
        (Ok(start), Ok(length)) => (start, length),
        _ => return Err(odd(array.dtype())),
    };
    let values = convert(lists.values().sliced(start, length), change)?;
    list_of(offsets, values, item, lists)
}

fn fixed_size_list(
    array: &dyn Array,
    (item, size): (&Field, usize),
    change: &mut Change,
) -> Result<ArrayRef> {
    let lists: &FixedSizeListArray = downcast(array)?;
    let offsets = (0..=lists.len()).map(|at| i32::try_from(at * size));
    let offsets: Vec<i32> = offsets
        .collect::<Result<_, _>>()
        .map_err(|_| odd(array.dtype()))?;
    let values = convert(lists.values().clone(), change)?;
    list_of(offsets, values, item, lists)
}

fn list_of(
    offsets: Vec<i32>,
    values: ArrayRef,
    item: &Field,
    lists: &dyn Array,
) -> Result<ArrayRef> {
    let item = Field {
        dtype: values.dtype().clone(),
        metadata: None,
        ..item.clone()
    };
    let dtype = ArrowDataType::List(Box::new(item));
    OffsetsBuffer::try_from(offsets)
        .and_then(|offsets| {
            ListArray::<i32>::try_new(dtype, offsets, values, lists.validity().cloned())
        })
        .map(ListArray::boxed)
        .map_err(|error| odd(lists.dtype()).with_source(error))
}

fn fields_of(array: &dyn Array, fields: &[Field], change: &mut Change) -> Result<ArrayRef> {
    let structs: &StructArray = downcast(array)?;
    if fields.is_empty() {
        return Err(refused(array.dtype()));
    }
    let values = structs
        .values()
        .iter()
        .map(|values| convert(values.clone(), change));
    let values: Vec<ArrayRef> = values.collect::<Result<_>>()?;
    let fields = fields.iter().zip(&values).map(|(field, values)| Field {
        dtype: values.dtype().clone(),
        metadata: None,
        ..field.clone()
    });
    let dtype = ArrowDataType::Struct(fields.collect());
    StructArray::try_new(dtype, structs.len(), values, structs.validity().cloned())
        .map(StructArray::boxed)
        .map_err(|error| odd(array.dtype()).with_source(error))
}
