//! Reading files.

use prost::Message;

use super::connected::Connected;
use super::frame::DataFrame;
use super::messages::{DataSource, NamedTable, Read, Relation};

/// How files are read: [`Session::read`](super::Session::read) makes it.
///
/// A path is one of the machine on which the server runs, or of a storage that it knows. On the
/// local engine, that is your machine, and a relative path begins in the notebook's folder.
#[derive(Clone, Debug)]
#[must_use = "a reader does nothing until a file is named"]
pub struct DataFrameReader {
    session: Connected,
    source: DataSource,
}

impl DataFrameReader {
    pub(super) fn new(session: &Connected) -> Self {
        Self {
            session: session.clone(),
            source: DataSource::default(),
        }
    }

    /// The files' format: `parquet`, `csv`, `json`, `delta`, or another one that the server knows.
    ///
    /// # Default
    /// The server's, usually `parquet`.
    pub fn format(mut self, name: &str) -> Self {
        self.source.format = Some(name.to_owned());
        self
    }

    /// An option of the format, such as `header` or `sep` of CSV.
    ///
    /// # Default
    /// Spark's own.
    pub fn option(mut self, name: &str, value: impl ToString) -> Self {
        self.source
            .options
            .insert(name.to_owned(), value.to_string());
        self
    }

    /// The columns' names and types, as in `occupation string, tokens bigint`, instead of those that
    /// the server finds.
    ///
    /// # Default
    /// The server finds them.
    pub fn schema(mut self, ddl: &str) -> Self {
        self.source.schema = Some(ddl.to_owned());
        self
    }

    /// The file or the folder as a data frame. Whether it exists shows when rows are asked for.
    pub fn load(self, path: &str) -> DataFrame {
        self.load_all([path])
    }

    /// Several files or folders as one data frame.
    pub fn load_all<'a>(mut self, paths: impl IntoIterator<Item = &'a str>) -> DataFrame {
        self.source.paths = paths.into_iter().map(str::to_owned).collect();
        let data_source = Some(std::mem::take(&mut self.source));
        self.frame(Read {
            named_table: None,
            data_source,
        })
    }

    /// A CSV file, or a folder of them. `.option("header", true)` takes the names of the first line,
    /// and `.option("inferSchema", true)` finds the types.
    pub fn csv(self, path: &str) -> DataFrame {
        self.format("csv").load(path)
    }

    /// A file of JSON lines, such as a journal, or a folder of them.
    pub fn json(self, path: &str) -> DataFrame {
        self.format("json").load(path)
    }

    /// A Parquet file, or a folder of them.
    pub fn parquet(self, path: &str) -> DataFrame {
        self.format("parquet").load(path)
    }

    /// A Delta table by its folder. `.option("versionAsOf", 3)` reads an older version.
    pub fn delta(self, path: &str) -> DataFrame {
        self.format("delta").load(path)
    }

    /// A table or a view by its name.
    pub fn table(self, name: &str) -> DataFrame {
        let named_table = NamedTable {
            unparsed_identifier: name.to_owned(),
            ..NamedTable::default()
        };
        self.frame(Read {
            named_table: Some(named_table),
            data_source: None,
        })
    }

    fn frame(self, read: Read) -> DataFrame {
        let relation = Relation {
            read: Some(read),
            ..Relation::default()
        };
        DataFrame::new(self.session, relation.encode_to_vec().into())
    }
}
