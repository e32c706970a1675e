//! Writing files and tables.

use super::frame::DataFrame;
use super::messages::{Command, SaveTable, WriteOperation};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime;

/// What to do with what is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SaveMode {
    /// Refuse to write.
    #[default]
    ErrorIfExists,
    /// Add the rows.
    Append,
    /// Replace it.
    Overwrite,
    /// Keep it, and write nothing.
    Ignore,
}

impl SaveMode {
    fn code(self) -> i32 {
        match self {
            Self::Append => 1,
            Self::Overwrite => 2,
            Self::ErrorIfExists => 3,
            Self::Ignore => 4,
        }
    }
}

/// How rows are written: [`DataFrame::write`] makes it. The server writes, so a path refers to its
/// machine. Spark writes a folder with several files.
#[derive(Clone, Debug)]
#[must_use = "nothing is written until a path or a table is named"]
pub struct DataFrameWriter {
    frame: DataFrame,
    operation: WriteOperation,
}

impl DataFrameWriter {
    pub(super) fn new(frame: DataFrame) -> Self {
        let operation = WriteOperation {
            input: frame.relation(),
            mode: SaveMode::default().code(),
            ..WriteOperation::default()
        };
        Self { frame, operation }
    }

    /// What to do with what is there already.
    ///
    /// # Default
    /// [`SaveMode::default`]: refuse to write.
    pub fn mode(mut self, mode: SaveMode) -> Self {
        self.operation.mode = mode.code();
        self
    }

    /// The format: `parquet`, `csv`, `json`, `delta`, or another one that the server knows.
    ///
    /// # Default
    /// The server's, usually `parquet`.
    pub fn format(mut self, name: &str) -> Self {
        self.operation.source = Some(name.to_owned());
        self
    }

    /// An option of the format, such as `header` or `sep` of CSV.
    ///
    /// # Default
    /// Spark's own.
    pub fn option(mut self, name: &str, value: impl ToString) -> Self {
        self.operation
            .options
            .insert(name.to_owned(), value.to_string());
        self
    }

    /// Writes a folder for each value of these columns.
    pub fn partition_by<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.operation.partitioning_columns = names.into_iter().map(Into::into).collect();
        self
    }

    /// Writes to a folder.
    ///
    /// # Errors
    /// It exists and the mode refuses that; the plan is wrong or fails; the server can't write there.
    pub fn save(self, path: &str) -> Result<()> {
        runtime::wait(self.save_async(path))
    }

    /// The same as [`save`](Self::save) for async code.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn save_async(mut self, path: &str) -> impl Future<Output = Result<()>> + Send + use<> {
        let path = path.to_owned();
        async move {
            if path.is_empty() {
                return Err(Error::new(
                    ErrorKind::Argument,
                    "the path to write to is empty",
                ));
            }
            self.operation.path = Some(path);
            self.run().await
        }
    }

    /// Writes to a table, which is created if it is not there.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn save_as_table(self, name: &str) -> Result<()> {
        runtime::wait(self.save_as_table_async(name))
    }

    /// The same as [`save_as_table`](Self::save_as_table) for async code.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn save_as_table_async(
        self,
        name: &str,
    ) -> impl Future<Output = Result<()>> + Send + use<> {
        self.table(name, 1)
    }

    /// Adds the rows to a table that is there, by the position of the columns.
    ///
    /// # Errors
    /// As [`save`](Self::save), and if there is no such table.
    pub fn insert_into(self, name: &str) -> Result<()> {
        runtime::wait(self.insert_into_async(name))
    }

    /// The same as [`insert_into`](Self::insert_into) for async code.
    ///
    /// # Errors
    /// As [`insert_into`](Self::insert_into).
    pub fn insert_into_async(
        mut self,
        name: &str,
    ) -> impl Future<Output = Result<()>> + Send + use<> {
        if self.operation.mode == SaveMode::ErrorIfExists.code() {
            self.operation.mode = SaveMode::Append.code();
        }
        self.table(name, 2)
    }

    fn table(
        mut self,
        name: &str,
        save_method: i32,
    ) -> impl Future<Output = Result<()>> + Send + use<> {
        self.operation.table = Some(SaveTable {
            table_name: name.to_owned(),
            save_method,
        });
        self.run()
    }

    async fn run(self) -> Result<()> {
        let session = self.frame.connected().clone();
        let command = Command {
            write_operation: Some(self.operation),
            ..Command::default()
        };
        runtime::run(async move { session.command(command).await }).await
    }

    /// Writes CSV files to a folder.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn csv(self, path: &str) -> Result<()> {
        runtime::wait(self.csv_async(path))
    }

    /// The same as [`csv`](Self::csv) for async code.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn csv_async(self, path: &str) -> impl Future<Output = Result<()>> + Send + use<> {
        self.format("csv").save_async(path)
    }

    /// Writes files of JSON lines to a folder.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn json(self, path: &str) -> Result<()> {
        runtime::wait(self.json_async(path))
    }

    /// The same as [`json`](Self::json) for async code.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn json_async(self, path: &str) -> impl Future<Output = Result<()>> + Send + use<> {
        self.format("json").save_async(path)
    }

    /// Writes Parquet files to a folder.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn parquet(self, path: &str) -> Result<()> {
        runtime::wait(self.parquet_async(path))
    }

    /// The same as [`parquet`](Self::parquet) for async code.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn parquet_async(self, path: &str) -> impl Future<Output = Result<()>> + Send + use<> {
        self.format("parquet").save_async(path)
    }

    /// Writes a Delta table to a folder.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn delta(self, path: &str) -> Result<()> {
        runtime::wait(self.delta_async(path))
    }

    /// The same as [`delta`](Self::delta) for async code.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn delta_async(self, path: &str) -> impl Future<Output = Result<()>> + Send + use<> {
        self.format("delta").save_async(path)
    }
}
