//! A data frame: a plan, and the plans that can be made of it. `actions` has what computes.

use std::fmt;

use prost::Message;
use prost::bytes::Bytes;

use super::column::{Column, Condition};
use super::connected::Connected;
use super::messages::{
    Aggregate, Deduplicate, DropColumns, Filter, Join, Limit, NaDrop, Offset, Plan, Project,
    Relation, Sample, SetOperation, Sort, SubqueryAlias, WithColumns, WithColumnsRenamed,
};

/// A data frame of Spark: how rows are computed, on the server, when they are asked for.
///
/// It is cheap to clone, and unchanging: each method makes another one. Errors in its columns show
/// when rows, the schema or a plan are asked for. Displaying it computes the first rows only.
#[derive(Clone)]
pub struct DataFrame {
    session: Connected,
    /// The relation, encoded. A relation that the server has made is sent back as it came.
    relation: Bytes,
}

/// Which rows a join keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JoinKind {
    /// Pairs that match.
    #[default]
    Inner,
    /// Pairs, and rows of either side without a match.
    Outer,
    /// Pairs, and rows of the left side without a match.
    Left,
    /// Pairs, and rows of the right side without a match.
    Right,
    /// Rows of the left side without a match.
    LeftAnti,
    /// Rows of the left side with a match, once.
    LeftSemi,
}

impl JoinKind {
    fn code(self) -> i32 {
        match self {
            Self::Inner => 1,
            Self::Outer => 2,
            Self::Left => 3,
            Self::Right => 4,
            Self::LeftAnti => 5,
            Self::LeftSemi => 6,
        }
    }
}

const CROSS: i32 = 7;

impl DataFrame {
    pub(super) fn new(session: Connected, relation: Bytes) -> Self {
        Self { session, relation }
    }

    pub(super) fn connected(&self) -> &Connected {
        &self.session
    }

    pub(super) fn relation(&self) -> Bytes {
        self.relation.clone()
    }

    pub(super) fn plan(&self) -> Plan {
        Plan {
            root: Some(self.relation()),
            command: None,
        }
    }

    pub(super) fn derive(&self, relation: &Relation) -> Self {
        Self::new(self.session.clone(), relation.encode_to_vec().into())
    }

    /// Only these columns, by name or computed.
    pub fn select<C: Into<Column>>(&self, columns: impl IntoIterator<Item = C>) -> Self {
        self.derive(&Relation {
            project: Some(Project {
                input: self.relation(),
                expressions: encoded(columns),
            }),
            ..Relation::default()
        })
    }

    /// Only these columns, as expressions in SQL: `["occupation", "tokens / 2 as half"]`.
    pub fn select_expr<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> Self {
        self.select(texts.into_iter().map(Column::sql))
    }

    /// Only the rows that satisfy the condition: a column, or a condition in SQL.
    pub fn filter(&self, condition: impl Into<Condition>) -> Self {
        self.derive(&Relation {
            filter: Some(Filter {
                input: self.relation(),
                condition: condition.into().encoded(),
            }),
            ..Relation::default()
        })
    }

    /// With another column, which replaces one of the same name.
    pub fn with_column(&self, name: &str, column: impl Into<Column>) -> Self {
        self.derive(&Relation {
            with_columns: Some(WithColumns {
                input: self.relation(),
                aliases: vec![column.into().as_alias(name)],
            }),
            ..Relation::default()
        })
    }

    /// With one column renamed. A column that is not there changes nothing.
    pub fn with_column_renamed(&self, from: &str, to: &str) -> Self {
        let renamed = [(from.to_owned(), to.to_owned())];
        self.derive(&Relation {
            with_columns_renamed: Some(WithColumnsRenamed {
                input: self.relation(),
                rename_columns_map: renamed.into(),
            }),
            ..Relation::default()
        })
    }

    /// Without these columns.
    pub fn drop<S: Into<String>>(&self, names: impl IntoIterator<Item = S>) -> Self {
        self.derive(&Relation {
            drop: Some(DropColumns {
                input: self.relation(),
                column_names: owned(names),
            }),
            ..Relation::default()
        })
    }

    /// Aggregates of all rows.
    pub fn agg<C: Into<Column>>(&self, columns: impl IntoIterator<Item = C>) -> Self {
        self.aggregate(Vec::new(), encoded(columns))
    }

    pub(super) fn aggregate(&self, by: Vec<Bytes>, aggregates: Vec<Bytes>) -> Self {
        self.derive(&Relation {
            aggregate: Some(Aggregate {
                input: self.relation(),
                group_type: 1,
                grouping_expressions: by,
                aggregate_expressions: aggregates,
            }),
            ..Relation::default()
        })
    }

    /// The rows in this order: `["occupation"]`, or `[col("n").desc()]`.
    pub fn order_by<C: Into<Column>>(&self, columns: impl IntoIterator<Item = C>) -> Self {
        let order = columns.into_iter().map(|column| column.into().sort_order());
        self.derive(&Relation {
            sort: Some(Sort {
                input: self.relation(),
                order: order.collect(),
                is_global: Some(true),
            }),
            ..Relation::default()
        })
    }

    /// The first rows; without an order, any.
    pub fn limit(&self, rows: usize) -> Self {
        self.derive(&Relation {
            limit: Some(Limit {
                input: self.relation(),
                limit: i32::try_from(rows).unwrap_or(i32::MAX),
            }),
            ..Relation::default()
        })
    }

    /// Without the first rows.
    pub fn offset(&self, rows: usize) -> Self {
        self.derive(&Relation {
            offset: Some(Offset {
                input: self.relation(),
                offset: i32::try_from(rows).unwrap_or(i32::MAX),
            }),
            ..Relation::default()
        })
    }

    /// Pairs of rows that have the same values in these columns, which the result has once.
    pub fn join<S: Into<String>>(
        &self,
        other: &Self,
        on: impl IntoIterator<Item = S>,
        kind: JoinKind,
    ) -> Self {
        self.joined(other, None, owned(on), kind.code())
    }

    /// Pairs of rows that satisfy the condition. Where both sides have a column of one name, give
    /// each an [`alias`](Self::alias), and name the column `a.name`.
    pub fn join_on(&self, other: &Self, on: impl Into<Condition>, kind: JoinKind) -> Self {
        self.joined(other, Some(on.into().encoded()), Vec::new(), kind.code())
    }

    /// All pairs of rows.
    pub fn cross_join(&self, other: &Self) -> Self {
        self.joined(other, None, Vec::new(), CROSS)
    }

    fn joined(
        &self,
        other: &Self,
        join_condition: Option<Bytes>,
        using_columns: Vec<String>,
        join_type: i32,
    ) -> Self {
        self.derive(&Relation {
            join: Some(Join {
                left: self.relation(),
                right: other.relation(),
                join_condition,
                join_type,
                using_columns,
            }),
            ..Relation::default()
        })
    }

    /// The rows of both, by the position of the columns.
    pub fn union(&self, other: &Self) -> Self {
        self.united(other, false)
    }

    /// The rows of both, by the names of the columns.
    pub fn union_by_name(&self, other: &Self) -> Self {
        self.united(other, true)
    }

    fn united(&self, other: &Self, by_name: bool) -> Self {
        self.derive(&Relation {
            set_op: Some(SetOperation {
                left_input: self.relation(),
                right_input: other.relation(),
                set_op_type: 2,
                is_all: Some(true),
                by_name: Some(by_name),
            }),
            ..Relation::default()
        })
    }

    /// Each row once.
    pub fn distinct(&self) -> Self {
        self.deduplicated(Vec::new())
    }

    /// One row for each combination of values in these columns.
    pub fn drop_duplicates<S: Into<String>>(&self, names: impl IntoIterator<Item = S>) -> Self {
        self.deduplicated(owned(names))
    }

    fn deduplicated(&self, column_names: Vec<String>) -> Self {
        self.derive(&Relation {
            deduplicate: Some(Deduplicate {
                input: self.relation(),
                all_columns_as_keys: Some(column_names.is_empty()),
                column_names,
            }),
            ..Relation::default()
        })
    }

    /// Without the rows that have a null in one of these columns, or, if none is named, in any.
    pub fn drop_na<S: Into<String>>(&self, names: impl IntoIterator<Item = S>) -> Self {
        self.derive(&Relation {
            drop_na: Some(NaDrop {
                input: self.relation(),
                cols: owned(names),
            }),
            ..Relation::default()
        })
    }

    /// About this share of the rows, between 0 and 1. With the same seed, the same data gives the same rows.
    pub fn sample(&self, share: f64, seed: u32) -> Self {
        self.derive(&Relation {
            sample: Some(Sample {
                input: self.relation(),
                lower_bound: 0.0,
                upper_bound: share,
                with_replacement: Some(false),
                seed: Some(i64::from(seed)),
            }),
            ..Relation::default()
        })
    }

    /// Under a name, by which columns are told apart after a join: `col("a.name")`.
    pub fn alias(&self, name: &str) -> Self {
        self.derive(&Relation {
            subquery_alias: Some(SubqueryAlias {
                input: self.relation(),
                alias: name.to_owned(),
            }),
            ..Relation::default()
        })
    }
}

pub(super) fn encoded<C: Into<Column>>(columns: impl IntoIterator<Item = C>) -> Vec<Bytes> {
    let columns = columns.into_iter().map(|column| column.into().encoded());
    columns.collect()
}

fn owned<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Vec<String> {
    names.into_iter().map(Into::into).collect()
}

impl fmt::Debug for DataFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("spark::DataFrame")
            .field("server", &self.session.channel().place())
            .finish_non_exhaustive()
    }
}
