//! The columns that rows of JSON are read into.

use std::collections::HashMap;

use polars::prelude::{DataFrame, DataType, PlSmallStr, PolarsResult};

use crate::files::cells::{Cells, Value};

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing but `null` so far.
    Null,
    Boolean,
    Integer,
    Float,
    Text,
    /// Lists and objects, as the text of their JSON.
    Nested,
}

impl Kind {
    /// The kind that holds both, if there is one.
    pub(super) fn join(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Null, kind) | (kind, Self::Null) => Some(kind),
            (Self::Integer, Self::Float) | (Self::Float, Self::Integer) => Some(Self::Float),
            (one, other) => (one == other).then_some(one),
        }
    }

    pub(super) fn dtype(self) -> DataType {
        match self {
            Self::Null => DataType::Null,
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Text | Self::Nested => DataType::String,
        }
    }

    /// The kind of a column that has to have a type.
    pub(super) fn known(self) -> Self {
        match self {
            Self::Null => Self::Text,
            kind => kind,
        }
    }

    /// In words, for messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "true or false",
            Self::Integer => "an integer",
            Self::Float => "a number",
            Self::Text => "a string",
            Self::Nested => "a list or an object",
        }
    }
}

/// The most columns: a file whose names are data, such as a number of each row, would take a table of
/// nulls.
pub(super) const MAX_COUNT: usize = 10_000;

/// Why a value does not go into its column.
pub(super) enum Misfit {
    Twice,
    /// The kind of the value, that of the column, and where the column got it.
    Kind(Kind, Kind, u64),
}

/// One column.
pub(super) struct Field {
    pub(super) name: PlSmallStr,
    pub(super) kind: Kind,
    /// The offset of the row that gave the column its kind.
    pub(super) first: u64,
    cells: Option<Cells>,
}

/// Columns that grow by rows.
pub(super) struct Columns {
    fields: Vec<Field>,
    places: HashMap<PlSmallStr, usize>,
    rows: usize,
    /// Whether other columns and kinds may come.
    is_open: bool,
}

impl Columns {
    /// No column yet: rows make them.
    pub(super) fn open() -> Self {
        Self {
            fields: Vec::new(),
            places: HashMap::new(),
            rows: 0,
            is_open: true,
        }
    }

    /// These columns and no other; the values are kept of those in `kept` alone.
    pub(super) fn fixed(kinds: &[(PlSmallStr, Kind, u64)], kept: Option<&[PlSmallStr]>) -> Self {
        let fields = kinds.iter().map(|(name, kind, first)| Field {
            name: name.clone(),
            kind: *kind,
            first: *first,
            cells: kept
                .is_none_or(|kept| kept.contains(name))
                .then(|| Cells::new(&kind.dtype(), 0)),
        });
        let places = kinds.iter().enumerate();
        Self {
            fields: fields.collect(),
            places: places.map(|(at, (name, ..))| (name.clone(), at)).collect(),
            rows: 0,
            is_open: false,
        }
    }

    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Whether there are as many columns as may be.
    pub(super) fn is_full(&self) -> bool {
        self.is_open && self.fields.len() == MAX_COUNT
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The place of the column with this name, which is probably `expected`. `None` if it may not
    /// come.
    pub(super) fn place(&mut self, name: &str, expected: usize) -> Option<usize> {
        let is_expected = self
            .fields
            .get(expected)
            .is_some_and(|field| field.name == name);
        if is_expected {
            return Some(expected);
        }
        if let Some(place) = self.places.get(name) {
            return Some(*place);
        }
        if !self.is_open || self.fields.len() == MAX_COUNT {
            return None;
        }
        let name = PlSmallStr::from(name);
        self.places.insert(name.clone(), self.fields.len());
        let mut cells = Cells::new(&DataType::Null, 0);
        cells.pad(self.rows);
        self.fields.push(Field {
            name,
            kind: Kind::Null,
            first: 0,
            cells: Some(cells),
        });
        Some(self.fields.len() - 1)
    }

    /// Puts a value of the current row, which begins at this offset, into a column.
    pub(super) fn push(
        &mut self,
        place: usize,
        kind: Kind,
        value: Value,
        offset: u64,
    ) -> Result<(), Misfit> {
        let (rows, is_open) = (self.rows, self.is_open);
        let Some(field) = self.fields.get_mut(place) else {
            return Ok(());
        };
        let Some(cells) = &mut field.cells else {
            return Ok(());
        };
        if cells.len() > rows {
            return Err(Misfit::Twice);
        }
        cells.pad(rows);
        if kind != field.kind && kind != Kind::Null {
            let joined = field
                .kind
                .join(kind)
                .filter(|joined| is_open || *joined == field.kind);
            let Some(joined) = joined else {
                return Err(Misfit::Kind(kind, field.kind, field.first));
            };
            if joined != field.kind {
                if field.kind == Kind::Null {
                    field.first = offset;
                }
                cells.widen(&joined.dtype());
                field.kind = joined;
            }
        }
        cells.push(value);
        Ok(())
    }

    /// Ends the row: what it lacks is null.
    pub(super) fn end_row(&mut self) {
        self.rows += 1;
    }

    pub(super) fn into_frame(self) -> PolarsResult<DataFrame> {
        let rows = self.rows;
        let columns = self.fields.into_iter().filter_map(|field| {
            let mut cells = field.cells?;
            cells.pad(rows);
            Some(cells.finish(field.name))
        });
        DataFrame::new(rows, columns.collect())
    }
}
