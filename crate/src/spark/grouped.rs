//! Groups of rows, and their aggregates.

use prost::bytes::Bytes;

use super::column::Column;
use super::frame::{DataFrame, encoded};
use super::functions::{avg, count, lit, max, min, sum};

/// The groups of a data frame: [`DataFrame::group_by`] makes them.
#[derive(Clone, Debug)]
#[must_use = "groups are shown by their aggregates"]
pub struct GroupedData {
    frame: DataFrame,
    by: Vec<Bytes>,
}

impl DataFrame {
    /// Groups the rows that have the same values in these columns.
    pub fn group_by<C: Into<Column>>(&self, columns: impl IntoIterator<Item = C>) -> GroupedData {
        GroupedData {
            frame: self.clone(),
            by: encoded(columns),
        }
    }
}

impl GroupedData {
    /// One row for each group, with these aggregates.
    pub fn agg<C: Into<Column>>(&self, columns: impl IntoIterator<Item = C>) -> DataFrame {
        self.frame.aggregate(self.by.clone(), encoded(columns))
    }

    /// The number of rows of each group, in a column `count`.
    pub fn count(&self) -> DataFrame {
        self.agg([count(lit(1)).alias("count")])
    }

    /// The sums of these columns.
    pub fn sum<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> DataFrame {
        self.agg(names.into_iter().map(sum))
    }

    /// The means of these columns.
    pub fn avg<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> DataFrame {
        self.agg(names.into_iter().map(avg))
    }

    /// The smallest values of these columns.
    pub fn min<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> DataFrame {
        self.agg(names.into_iter().map(min))
    }

    /// The largest values of these columns.
    pub fn max<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> DataFrame {
        self.agg(names.into_iter().map(max))
    }
}
