//! Makes a frame of the batches of a result, as they arrive.

use polars::prelude::{Column, DataFrame, IntoColumn, Series};
use polars_arrow::array::ArrayRef;
use polars_arrow::datatypes::{ArrowDataType, Field};

use super::decode::decode;
use super::{from_spark, guarded, unreadable};
use crate::error::Result;

/// The columns so far. All batches have the columns of the first.
#[derive(Default)]
pub(crate) struct Assembly {
    columns: Vec<Collected>,
    has_schema: bool,
    height: usize,
}

struct Collected {
    /// As the server sent it.
    sent: Field,
    /// As polars takes it.
    taken: Field,
    chunks: Vec<ArrayRef>,
}

impl Assembly {
    /// Adds one message of the server. Returns the number of its rows.
    pub(crate) fn add(&mut self, data: &[u8]) -> Result<usize> {
        let decoded = decode(data)?;
        if self.has_schema {
            self.check(&decoded.fields)?;
        } else {
            self.columns = decoded
                .fields
                .into_iter()
                .map(Collected::new)
                .collect::<Result<_>>()?;
            self.has_schema = true;
        }
        let mut rows = 0;
        for arrays in decoded.batches {
            let height = arrays.first().map_or(0, |array| array.len());
            rows += height;
            if height == 0 {
                continue;
            }
            for (column, array) in self.columns.iter_mut().zip(arrays) {
                let array = from_spark::convert(array, &column.taken.dtype)?;
                column.chunks.push(array);
            }
        }
        self.height += rows;
        Ok(rows)
    }

    fn check(&self, fields: &[Field]) -> Result<()> {
        let same = self.columns.len() == fields.len()
            && self.columns.iter().zip(fields).all(|(column, field)| {
                column.sent.name == field.name && column.sent.dtype == field.dtype
            });
        match same {
            true => Ok(()),
            false => Err(unreadable(
                "the server changed the columns in the middle of a result",
            )),
        }
    }

    /// The rows so far as a frame, after which there are none.
    pub(crate) fn take_frame(&mut self) -> Result<DataFrame> {
        let height = std::mem::take(&mut self.height);
        let columns = self
            .columns
            .iter_mut()
            .map(Collected::take_column)
            .collect::<Result<Vec<Column>>>()?;
        guarded("the server's rows do not form a data frame", || {
            DataFrame::new(height, columns)
        })
    }

    /// What polars holds in another type than the server does: one sentence for each column.
    pub(crate) fn changes(&self) -> Vec<String> {
        self.columns
            .iter()
            .filter(|column| is_reported(&column.sent.dtype, &column.taken.dtype))
            .map(|column| {
                let name = &column.sent.name;
                match column.taken.dtype {
                    ArrowDataType::Timestamp(..) => format!(
                        "column `{name}`: polars does not know the session's time zone, so its times are in UTC"
                    ),
                    _ => format!("column `{name}`: its small integers are Int32 in polars"),
                }
            })
            .collect()
    }
}

/// A list in place of a map holds the same values; only what changes values' types is reported.
fn is_reported(sent: &ArrowDataType, taken: &ArrowDataType) -> bool {
    use ArrowDataType as A;
    match (sent, taken) {
        (A::Map(sent, _), A::List(taken))
        | (A::List(sent), A::List(taken))
        | (A::LargeList(sent) | A::FixedSizeList(sent, _), A::LargeList(taken)) => {
            is_reported(&sent.dtype, &taken.dtype)
        }
        (A::Struct(sent), A::Struct(taken)) => sent
            .iter()
            .zip(taken)
            .any(|(sent, taken)| is_reported(&sent.dtype, &taken.dtype)),
        (sent, taken) => sent != taken,
    }
}

impl Collected {
    fn new(sent: Field) -> Result<Self> {
        let target = from_spark::target(&sent.dtype).map_err(|error| {
            let message = format!("column `{}`: {}", sent.name, error.message());
            let named = unreadable(&message);
            match error.hint() {
                Some(hint) => named.with_hint(hint),
                None => named,
            }
        })?;
        let taken = Field {
            dtype: target.unwrap_or_else(|| sent.dtype.clone()),
            // Whatever the server notes about a column is not polars' own notes.
            metadata: None,
            ..sent.clone()
        };
        Ok(Self {
            sent,
            taken,
            chunks: Vec::new(),
        })
    }

    fn take_column(&mut self) -> Result<Column> {
        let mut chunks = std::mem::take(&mut self.chunks);
        if chunks.is_empty() {
            chunks.push(polars_arrow::array::new_empty_array(
                self.taken.dtype.clone(),
            ));
        }
        let field = &self.taken;
        let what = format!("column `{}` can't be converted for polars", field.name);
        guarded(&what, || Series::try_from((field, chunks))).map(IntoColumn::into_column)
    }
}
