//! Functions of columns, by the names that PySpark has in `pyspark.sql.functions`.
//!
//! [`function`] calls any other function that the server knows, and [`expr`] takes any expression
//! of SQL.
//!
//! ```
//! use evenhand::spark::functions as f;
//!
//! let mean = f::avg("tokens").alias("tokens");
//! let short = f::when(f::col("tokens").lt(20), "short").otherwise("long");
//! let words = f::size(f::split("answer", " "));
//! # let _ = (mean, short, words);
//! ```

use super::column::{Column, Condition, Operand};

/// The column of this name; a dot reaches into a struct, `*` means all columns.
pub fn col(name: &str) -> Column {
    Column::named(name)
}

/// A value as a column. `None::<i32>` is null.
pub fn lit(value: impl Into<Operand>) -> Column {
    value.into().into_column()
}

/// An expression of SQL, such as `count(distinct answer) + 1`.
pub fn expr(sql: &str) -> Column {
    Column::sql(sql)
}

/// Any function of the server by its name.
pub fn function<C: Into<Column>>(name: &str, arguments: impl IntoIterator<Item = C>) -> Column {
    let arguments: Vec<Column> = arguments.into_iter().map(Into::into).collect();
    Column::function(name, &arguments, false)
}

/// The number of rows in which the column is not null; of `*`, of all rows.
pub fn count(column: impl Into<Column>) -> Column {
    let column = column.into();
    // A star would be expanded to all columns, and count only rows without a null.
    match column.expression().unresolved_star {
        Some(_) => Column::function("count", &[lit(1)], false),
        None => Column::function("count", &[column], false),
    }
}

/// The number of different values.
pub fn count_distinct(column: impl Into<Column>) -> Column {
    Column::function("count", &[column.into()], true)
}

/// The value for rows that satisfy the condition, and null for the others, unless
/// [`when`](Case::when) and [`otherwise`](Case::otherwise) add cases.
pub fn when(condition: impl Into<Condition>, value: impl Into<Operand>) -> Case {
    Case(Vec::new()).when(condition, value)
}

/// Values by condition. The first condition that a row satisfies decides.
#[derive(Clone, Debug)]
#[must_use = "a case is a column once `otherwise` or `end` is called"]
pub struct Case(Vec<Column>);

impl Case {
    /// The value for rows that satisfy this condition, and none before.
    pub fn when(mut self, condition: impl Into<Condition>, value: impl Into<Operand>) -> Self {
        self.0.push(condition.into().into_column());
        self.0.push(value.into().into_column());
        self
    }

    /// The value for all other rows.
    pub fn otherwise(mut self, value: impl Into<Operand>) -> Column {
        self.0.push(value.into().into_column());
        self.end()
    }

    /// The column, with null for all other rows.
    pub fn end(self) -> Column {
        Column::function("when", &self.0, false)
    }
}

/// The first value that is not null.
pub fn coalesce<C: Into<Column>>(columns: impl IntoIterator<Item = C>) -> Column {
    function("coalesce", columns)
}

/// The strings joined together; null if one is null.
pub fn concat<C: Into<Column>>(columns: impl IntoIterator<Item = C>) -> Column {
    function("concat", columns)
}

/// The strings joined with a separator between them, without those that are null.
pub fn concat_ws<C: Into<Column>>(separator: &str, columns: impl IntoIterator<Item = C>) -> Column {
    let columns = columns.into_iter().map(Into::into);
    let all: Vec<Column> = std::iter::once(lit(separator)).chain(columns).collect();
    Column::function("concat_ws", &all, false)
}

/// A struct of the columns, with their names.
pub fn struct_<C: Into<Column>>(columns: impl IntoIterator<Item = C>) -> Column {
    function("struct", columns)
}

/// An array of the columns.
pub fn array<C: Into<Column>>(columns: impl IntoIterator<Item = C>) -> Column {
    function("array", columns)
}

/// The number, rounded half up to this many decimals.
pub fn round(column: impl Into<Column>, decimals: i32) -> Column {
    Column::function("round", &[column.into(), lit(decimals)], false)
}

/// An array of the string's parts between matches of the regular expression.
pub fn split(column: impl Into<Column>, pattern: &str) -> Column {
    Column::function("split", &[column.into(), lit(pattern)], false)
}

/// The string with all matches of the regular expression replaced.
pub fn regexp_replace(column: impl Into<Column>, pattern: &str, replacement: &str) -> Column {
    let arguments = [column.into(), lit(pattern), lit(replacement)];
    Column::function("regexp_replace", &arguments, false)
}

/// A group of the first match of the regular expression; group 0 is all of it.
pub fn regexp_extract(column: impl Into<Column>, pattern: &str, group: i32) -> Column {
    let arguments = [column.into(), lit(pattern), lit(group)];
    Column::function("regexp_extract", &arguments, false)
}

macro_rules! functions_of_one {
    ($($(#[$doc:meta])+ $name:ident,)+) => {
        $(
            $(#[$doc])+
            pub fn $name(column: impl Into<Column>) -> Column {
                Column::function(stringify!($name), &[column.into()], false)
            }
        )+
    };
}

functions_of_one! {
    /// The sum of the values that are not null.
    sum,
    /// The mean of the values that are not null.
    avg,
    /// The mean, as [`avg`].
    mean,
    /// The smallest value.
    min,
    /// The largest value.
    max,
    /// Any value of the group: which one is not defined unless the rows are ordered.
    first,
    /// Any value of the group, as [`first`].
    last,
    /// The standard deviation of a sample.
    stddev,
    /// The variance of a sample.
    variance,
    /// The median.
    median,
    /// The number of different values, approximately.
    approx_count_distinct,
    /// An array of all values.
    collect_list,
    /// An array of the different values.
    collect_set,
    /// The string in lower case.
    lower,
    /// The string in upper case.
    upper,
    /// The string without surrounding spaces.
    trim,
    /// The number of characters of a string.
    length,
    /// The number of items of an array or a map.
    size,
    /// One row for each item of an array; none where it is empty.
    explode,
    /// The absolute value.
    abs,
    /// The square root.
    sqrt,
    /// Whether it is null.
    isnull,
    /// Whether it is not a number.
    isnan,
    /// A date from a string or a time.
    to_date,
    /// A time from a string.
    to_timestamp,
    /// The year of a date.
    year,
    /// The month of a date, from 1.
    month,
    /// A struct, an array or a map as JSON.
    to_json,
}
