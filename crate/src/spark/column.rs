//! Columns: expressions that a server computes.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Rem, Sub};

use prost::Message;
use prost::bytes::Bytes;

use super::messages::{
    Alias, Cast, Empty, Expression, ExpressionString, Literal, NullType, SortOrder,
    UnresolvedAttribute, UnresolvedFunction, UnresolvedStar,
};

/// A column or any other expression, with PySpark's names. [`functions`](super::functions) makes
/// them.
///
/// Comparisons are methods, since Rust's operators yield `bool`: `col("n").gt(5)`. Arithmetic, `&`,
/// `|` and `!` are operators. A string next to a column is a value in a comparison, and the name of a
/// column where columns are expected, as in PySpark.
///
/// ```
/// use evenhand::spark::functions::{col, lit};
///
/// let long = col("tokens").gt(100) & col("answer").like("%nurse%");
/// let share = (col("women") / (col("women") + col("men"))).alias("share");
/// # let _ = (long, share, lit(1));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a column does nothing until a data frame selects it or filters by it"]
pub struct Column(Expression);

/// The other side of an operator: a column or a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Operand(Column);

/// What rows must satisfy: a column, or a condition in SQL, such as `tokens > 100`.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition(Column);

impl From<&str> for Column {
    /// The column of this name; `*` means all.
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}

impl From<String> for Column {
    fn from(name: String) -> Self {
        Self::named(&name)
    }
}

impl From<&Column> for Column {
    fn from(column: &Column) -> Self {
        column.clone()
    }
}

impl From<Column> for Condition {
    fn from(column: Column) -> Self {
        Self(column)
    }
}

impl From<&Column> for Condition {
    fn from(column: &Column) -> Self {
        Self(column.clone())
    }
}

impl From<&str> for Condition {
    fn from(sql: &str) -> Self {
        Self(Column::sql(sql))
    }
}

impl Condition {
    pub(super) fn into_column(self) -> Column {
        self.0
    }

    pub(super) fn encoded(&self) -> Bytes {
        self.0.encoded()
    }
}

impl From<Column> for Operand {
    fn from(column: Column) -> Self {
        Self(column)
    }
}

impl From<&Column> for Operand {
    fn from(column: &Column) -> Self {
        Self(column.clone())
    }
}

macro_rules! values {
    ($($type:ty => $field:ident,)+) => {
        $(
            impl From<$type> for Operand {
                fn from(value: $type) -> Self {
                    Self(Column::literal(Literal {
                        $field: Some(value.into()),
                        ..Literal::default()
                    }))
                }
            }
        )+
    };
}

values! {
    bool => boolean,
    i8 => integer,
    i16 => integer,
    i32 => integer,
    i64 => long,
    u8 => integer,
    u16 => integer,
    u32 => long,
    f32 => float,
    f64 => double,
    &str => string,
    String => string,
}

impl<T: Into<Operand>> From<Option<T>> for Operand {
    fn from(value: Option<T>) -> Self {
        value.map_or_else(|| Self(Column::null()), Into::into)
    }
}

impl Operand {
    pub(super) fn into_column(self) -> Column {
        self.0
    }
}

impl Column {
    pub(super) fn expression(&self) -> &Expression {
        &self.0
    }

    pub(super) fn encoded(&self) -> Bytes {
        self.0.encode_to_vec().into()
    }

    pub(super) fn named(name: &str) -> Self {
        let expression = match name {
            "*" => Expression {
                unresolved_star: Some(UnresolvedStar {
                    unparsed_target: None,
                }),
                ..Expression::default()
            },
            name => Expression {
                unresolved_attribute: Some(UnresolvedAttribute {
                    unparsed_identifier: name.to_owned(),
                }),
                ..Expression::default()
            },
        };
        Self(expression)
    }

    pub(super) fn sql(text: &str) -> Self {
        Self(Expression {
            expression_string: Some(ExpressionString {
                expression: text.to_owned(),
            }),
            ..Expression::default()
        })
    }

    fn literal(literal: Literal) -> Self {
        Self(Expression {
            literal: Some(literal),
            ..Expression::default()
        })
    }

    fn null() -> Self {
        Self::literal(Literal {
            null: Some(NullType {
                null: Some(Empty {}),
            }),
            ..Literal::default()
        })
    }

    pub(super) fn function(name: &str, arguments: &[Self], is_distinct: bool) -> Self {
        Self(Expression {
            unresolved_function: Some(UnresolvedFunction {
                function_name: name.to_owned(),
                arguments: arguments.iter().map(Self::encoded).collect(),
                is_distinct,
            }),
            ..Expression::default()
        })
    }

    fn with(&self, function: &str, other: impl Into<Operand>) -> Self {
        Self::function(function, &[self.clone(), other.into().0], false)
    }

    /// The column under another name.
    pub fn alias(&self, name: &str) -> Self {
        Self(Expression {
            alias: Some(self.as_alias(name)),
            ..Expression::default()
        })
    }

    pub(super) fn as_alias(&self, name: &str) -> Alias {
        Alias {
            expr: self.encoded(),
            name: vec![name.to_owned()],
        }
    }

    /// The values in another type, by its name in SQL: `bigint`, `decimal(10,2)`, `array<string>`.
    pub fn cast(&self, to: &str) -> Self {
        Self(Expression {
            cast: Some(Cast {
                expr: self.encoded(),
                type_str: Some(to.to_owned()),
            }),
            ..Expression::default()
        })
    }

    /// Sorts from the smallest; nulls come first.
    pub fn asc(&self) -> Self {
        self.sorted(1, 1)
    }

    /// Sorts from the largest; nulls come last.
    pub fn desc(&self) -> Self {
        self.sorted(2, 2)
    }

    /// Sorts from the smallest; nulls come last.
    pub fn asc_nulls_last(&self) -> Self {
        self.sorted(1, 2)
    }

    /// Sorts from the largest; nulls come first.
    pub fn desc_nulls_first(&self) -> Self {
        self.sorted(2, 1)
    }

    fn sorted(&self, direction: i32, null_ordering: i32) -> Self {
        Self(Expression {
            sort_order: Some(SortOrder {
                child: self.encoded(),
                direction,
                null_ordering,
            }),
            ..Expression::default()
        })
    }

    pub(super) fn sort_order(&self) -> SortOrder {
        match &self.0.sort_order {
            Some(order) => order.clone(),
            None => SortOrder {
                child: self.encoded(),
                direction: 1,
                null_ordering: 1,
            },
        }
    }

    /// Whether both are equal; null if one is null.
    #[allow(
        clippy::should_implement_trait,
        reason = "it yields a column, and is named as in PySpark"
    )]
    pub fn eq(&self, other: impl Into<Operand>) -> Self {
        self.with("==", other)
    }

    /// Whether both are equal, or both null.
    pub fn eq_null_safe(&self, other: impl Into<Operand>) -> Self {
        self.with("<=>", other)
    }

    /// Whether they differ; null if one is null.
    #[allow(clippy::should_implement_trait, reason = "it yields a column")]
    pub fn ne(&self, other: impl Into<Operand>) -> Self {
        !self.eq(other)
    }

    /// Whether it is greater.
    pub fn gt(&self, other: impl Into<Operand>) -> Self {
        self.with(">", other)
    }

    /// Whether it is greater or equal.
    pub fn ge(&self, other: impl Into<Operand>) -> Self {
        self.with(">=", other)
    }

    /// Whether it is less.
    pub fn lt(&self, other: impl Into<Operand>) -> Self {
        self.with("<", other)
    }

    /// Whether it is less or equal.
    pub fn le(&self, other: impl Into<Operand>) -> Self {
        self.with("<=", other)
    }

    /// Whether it lies between the two, or is equal to one of them.
    pub fn between(&self, lowest: impl Into<Operand>, highest: impl Into<Operand>) -> Self {
        self.ge(lowest) & self.le(highest)
    }

    /// Whether it is one of the values.
    pub fn isin<T: Into<Operand>>(&self, values: impl IntoIterator<Item = T>) -> Self {
        let values = values.into_iter().map(|value| value.into().0);
        let all: Vec<_> = std::iter::once(self.clone()).chain(values).collect();
        Self::function("in", &all, false)
    }

    /// Whether it is null.
    pub fn is_null(&self) -> Self {
        Self::function("isnull", std::slice::from_ref(self), false)
    }

    /// Whether it is not null.
    pub fn is_not_null(&self) -> Self {
        Self::function("isnotnull", std::slice::from_ref(self), false)
    }

    /// Whether the string matches the pattern: `%` matches any string, `_` one character.
    pub fn like(&self, pattern: impl Into<Operand>) -> Self {
        self.with("like", pattern)
    }

    /// The same without regard to upper and lower case.
    pub fn ilike(&self, pattern: impl Into<Operand>) -> Self {
        self.with("ilike", pattern)
    }

    /// Whether the string contains a match of the regular expression.
    pub fn rlike(&self, pattern: impl Into<Operand>) -> Self {
        self.with("rlike", pattern)
    }

    /// Whether the string contains the other.
    pub fn contains(&self, part: impl Into<Operand>) -> Self {
        self.with("contains", part)
    }

    /// Whether the string begins with the other.
    pub fn startswith(&self, part: impl Into<Operand>) -> Self {
        self.with("startswith", part)
    }

    /// Whether the string ends with the other.
    pub fn endswith(&self, part: impl Into<Operand>) -> Self {
        self.with("endswith", part)
    }

    /// A part of the string: `length` characters from `start`, which counts from 1.
    pub fn substr(&self, start: i32, length: i32) -> Self {
        let arguments = [
            self.clone(),
            Operand::from(start).0,
            Operand::from(length).0,
        ];
        Self::function("substr", &arguments, false)
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $name:literal,)+) => {
        $(
            impl<T: Into<Operand>> $trait<T> for Column {
                type Output = Self;

                fn $method(self, other: T) -> Self {
                    self.with($name, other)
                }
            }

            impl<T: Into<Operand>> $trait<T> for &Column {
                type Output = Column;

                fn $method(self, other: T) -> Column {
                    self.with($name, other)
                }
            }
        )+
    };
}

operators! {
    Add add "+",
    Sub sub "-",
    Mul mul "*",
    Div div "/",
    Rem rem "%",
    BitAnd bitand "and",
    BitOr bitor "or",
}

impl Not for Column {
    type Output = Self;

    fn not(self) -> Self {
        Self::function("not", &[self], false)
    }
}

impl Neg for Column {
    type Output = Self;

    fn neg(self) -> Self {
        Self::function("negative", &[self], false)
    }
}
