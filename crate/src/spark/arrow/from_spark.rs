//! Converts arrays of types that polars lacks, at any depth.
//!
//! | Spark | polars |
//! |---|---|
//! | `tinyint`, `smallint` | `Int32` |
//! | `map` | a list of structs |
//! | `timestamp` in a time zone that polars does not know | the same instants in UTC |
//! | intervals of months | refused |

use polars::prelude::TimeZone;
use polars_arrow::array::{
    Array, ArrayRef, FixedSizeListArray, ListArray, MapArray, PrimitiveArray, StructArray,
};
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_arrow::offset::Offset;
use polars_arrow::types::NativeType;

use super::{guarded, unreadable};
use crate::error::{Error, Result};

const FAILED: &str = "the server's rows can't be converted";

/// The type that polars takes in place of this one. `None` if it takes this one.
///
/// # Errors
/// polars has no such type. The message names it.
pub(super) fn target(dtype: &ArrowDataType) -> Result<Option<ArrowDataType>> {
    use ArrowDataType as A;
    Ok(match dtype {
        A::Int8 | A::Int16 | A::UInt8 | A::UInt16 => Some(A::Int32),
        A::Float16 => Some(A::Float32),
        A::Timestamp(unit, Some(zone)) if TimeZone::opt_try_new(Some(zone.clone())).is_err() => {
            Some(A::Timestamp(*unit, Some("UTC".into())))
        }
        A::Interval(_) => return Err(no_type("an interval of months", dtype)),
        A::Union(_) => return Err(no_type("a union", dtype)),
        A::List(item) => field(item)?.map(|item| A::List(Box::new(item))),
        A::LargeList(item) => field(item)?.map(|item| A::LargeList(Box::new(item))),
        A::FixedSizeList(item, _) => {
            let item = field(item)?.unwrap_or_else(|| (**item).clone());
            Some(A::LargeList(Box::new(item)))
        }
        A::Map(entries, _) => {
            let entries = field(entries)?.unwrap_or_else(|| (**entries).clone());
            Some(A::List(Box::new(entries)))
        }
        A::Struct(fields) => {
            check_names(fields)?;
            let targets: Vec<_> = fields.iter().map(field).collect::<Result<_>>()?;
            targets.iter().any(Option::is_some).then(|| {
                let pairs = fields.iter().zip(targets);
                A::Struct(
                    pairs
                        .map(|(field, target)| target.unwrap_or_else(|| field.clone()))
                        .collect(),
                )
            })
        }
        _ => None,
    })
}

fn field(of: &Field) -> Result<Option<Field>> {
    Ok(target(&of.dtype)?.map(|dtype| Field {
        dtype,
        ..of.clone()
    }))
}

/// polars panics at two fields of one name.
fn check_names(fields: &[Field]) -> Result<()> {
    let mut names: Vec<_> = fields.iter().map(|field| &field.name).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(()),
        Some(pair) => Err(unreadable(&format!(
            "two fields of a struct have the same name, `{}`",
            pair[0]
        ))
        .with_hint("give them different names with AS")),
    }
}

fn no_type(what: &str, dtype: &ArrowDataType) -> Error {
    unreadable(&format!("polars has no type for {what} ({dtype:?})"))
        .with_hint("cast it in the query: `cast(x as string)`")
}

/// The array with the type that [`target`] says.
pub(super) fn convert(array: ArrayRef, target: &ArrowDataType) -> Result<ArrayRef> {
    if array.dtype() == target {
        return Ok(array);
    }
    guarded(FAILED, || Ok(converted(&*array, target)))?.ok_or_else(|| unreadable(FAILED))
}

fn converted(array: &dyn Array, target: &ArrowDataType) -> Option<ArrayRef> {
    use ArrowDataType as A;
    if array.dtype() == target {
        return Some(array.to_boxed());
    }
    match (array.dtype(), target) {
        (A::Int8, A::Int32) => widened::<i8>(array),
        (A::Int16, A::Int32) => widened::<i16>(array),
        (A::UInt8, A::Int32) => widened::<u8>(array),
        (A::UInt16, A::Int32) => widened::<u16>(array),
        (A::Timestamp(..), A::Timestamp(..)) => {
            let times = array.as_any().downcast_ref::<PrimitiveArray<i64>>()?;
            Some(times.clone().to(target.clone()).boxed())
        }
        (A::List(_), A::List(item)) => list::<i32>(array, item, target),
        (A::LargeList(_), A::LargeList(item)) => list::<i64>(array, item, target),
        (A::FixedSizeList(_, size), A::LargeList(item)) => {
            let lists = array.as_any().downcast_ref::<FixedSizeListArray>()?;
            let size = i64::try_from(*size).ok()?;
            let count = i64::try_from(lists.len()).ok()?;
            let offsets: Vec<i64> = (0..=count).map(|at| at * size).collect();
            let values = converted(&**lists.values(), &item.dtype)?;
            let offsets = offsets.try_into().ok()?;
            ListArray::<i64>::try_new(target.clone(), offsets, values, lists.validity().cloned())
                .ok()
                .map(ListArray::boxed)
        }
        (A::Map(..), A::List(item)) => {
            let maps = array.as_any().downcast_ref::<MapArray>()?;
            let entries = converted(&**maps.field(), &item.dtype)?;
            let offsets = maps.offsets().clone();
            ListArray::<i32>::try_new(target.clone(), offsets, entries, maps.validity().cloned())
                .ok()
                .map(ListArray::boxed)
        }
        (A::Struct(_), A::Struct(fields)) => {
            let structs = array.as_any().downcast_ref::<StructArray>()?;
            let values = structs.values().iter().zip(fields);
            let values: Option<Vec<_>> = values
                .map(|(array, field)| converted(&**array, &field.dtype))
                .collect();
            let validity = structs.validity().cloned();
            StructArray::try_new(target.clone(), structs.len(), values?, validity)
                .ok()
                .map(StructArray::boxed)
        }
        _ => None,
    }
}

fn widened<T: NativeType + Into<i32>>(array: &dyn Array) -> Option<ArrayRef> {
    let narrow = array.as_any().downcast_ref::<PrimitiveArray<T>>()?;
    let values: Vec<i32> = narrow
        .values()
        .iter()
        .map(|value| (*value).into())
        .collect();
    let wide = PrimitiveArray::try_new(
        ArrowDataType::Int32,
        values.into(),
        narrow.validity().cloned(),
    );
    wide.ok().map(PrimitiveArray::boxed)
}

fn list<O: Offset>(array: &dyn Array, item: &Field, target: &ArrowDataType) -> Option<ArrayRef> {
    let lists = array.as_any().downcast_ref::<ListArray<O>>()?;
    let values = converted(&**lists.values(), &item.dtype)?;
    let (offsets, validity) = (lists.offsets().clone(), lists.validity().cloned());
    ListArray::<O>::try_new(target.clone(), offsets, values, validity)
        .ok()
        .map(ListArray::boxed)
}
