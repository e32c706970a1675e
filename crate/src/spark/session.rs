//! Sessions, as a notebook has them.

use std::fmt;

use prost::Message;
use prost::bytes::Bytes;

use super::arrow;
use super::column::Column;
use super::config::RuntimeConfig;
use super::connected::Connected;
use super::frame::DataFrame;
use super::messages::{Command, LocalRelation, Plan, Range, Relation, Sql, SqlCommand};
use super::reader::DataFrameReader;
use crate::display;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime;

/// A Spark session: on a server that `SPARK_REMOTE` names, or on the local engine.
///
/// A session is cheap to clone: clones are the same session. When the last clone, and the last data
/// frame of it, are dropped, the server forgets the session with its temporary views.
///
/// Calls block. If a connection breaks in the middle of a query, the rest is fetched over a new one.
/// The stop button of the notebook stops the query on the server too, and the session goes on. If
/// the server has closed the session in the meantime, after idle time or a restart, a new one begins, and
/// a line says that the temporary views are gone.
///
/// ```no_run
/// use evenhand::prelude::*;
/// use evenhand::spark::Session;
///
/// let spark = Session::builder().get_or_create()?;
/// let answers = spark.create_data_frame(&polars::df!["answer" => ["She is kind."]]?)?;
/// answers.create_or_replace_temp_view("answers")?;
/// display(&spark.sql("select count(*) as n from answers where answer ilike '%she%'")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Session(Connected);

impl Session {
    pub(super) fn from_connected(connected: Connected) -> Self {
        Self(connected)
    }

    pub(super) fn connected(&self) -> &Connected {
        &self.0
    }

    /// Runs a query, or a statement that changes something. A statement runs at once, and exactly
    /// once. A query is only analyzed: its rows are computed when they are asked for.
    ///
    /// # Errors
    /// The statement is wrong, or fails. The error's [`code`](Error::code) is Spark's class of it.
    pub fn sql(&self, query: &str) -> Result<DataFrame> {
        self.sql_with(query, std::iter::empty::<(String, Column)>())
    }

    /// The same as [`sql`](Self::sql) for async code.
    ///
    /// # Errors
    /// As [`sql`](Self::sql).
    pub fn sql_async(&self, query: &str) -> impl Future<Output = Result<DataFrame>> + Send + use<> {
        runtime::run(sql(self.0.clone(), query.to_owned(), Vec::new()))
    }

    /// Runs a statement with values for its parameters, such as `:name`. They are sent apart from
    /// the text, so that no value can change what the statement means.
    ///
    /// ```no_run
    /// # use evenhand::spark::{Session, functions::lit};
    /// # let spark = Session::builder().get_or_create()?;
    /// let query = "select * from answers where occupation = :job and tokens < :most";
    /// spark.sql_with(query, [("job", lit("nurse")), ("most", lit(100))])?;
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`sql`](Self::sql).
    pub fn sql_with<N: Into<String>>(
        &self,
        query: &str,
        arguments: impl IntoIterator<Item = (N, Column)>,
    ) -> Result<DataFrame> {
        runtime::wait(self.sql_with_async(query, arguments))
    }

    /// The same as [`sql_with`](Self::sql_with) for async code.
    ///
    /// # Errors
    /// As [`sql`](Self::sql).
    pub fn sql_with_async<N: Into<String>>(
        &self,
        query: &str,
        arguments: impl IntoIterator<Item = (N, Column)>,
    ) -> impl Future<Output = Result<DataFrame>> + Send + 'static {
        let arguments = arguments
            .into_iter()
            .map(|(name, value)| (name.into(), value))
            .collect();
        runtime::run(sql(self.0.clone(), query.to_owned(), arguments))
    }

    /// A table or a view.
    pub fn table(&self, name: &str) -> DataFrame {
        self.read().table(name)
    }

    /// Reads files: `spark.read().option("header", true).csv("answers.csv")`.
    pub fn read(&self) -> DataFrameReader {
        DataFrameReader::new(&self.0)
    }

    /// The numbers from `start` to `end`, without `end`, in a column `id`. Their order is not
    /// defined.
    pub fn range(&self, start: i64, end: i64) -> DataFrame {
        let range = Range {
            start: Some(start),
            end,
            step: 1,
        };
        self.frame(Relation {
            range: Some(range),
            ..Relation::default()
        })
    }

    /// A data frame of Spark with the rows of a data frame of polars, which are sent with each query
    /// that uses them: at most 64 MB. A view or a table of it is sent once.
    ///
    /// Spark lacks some types. These columns are converted, and a line says so: unsigned integers
    /// become wider signed ones (`UInt64` becomes `decimal(20,0)`), categories and times of the day
    /// become strings. Nanoseconds are cut to microseconds.
    ///
    /// # Errors
    /// The frame is larger than 64 MB or has no columns; or a column has a type or a value that
    /// Spark lacks.
    pub fn create_data_frame(&self, frame: &polars::prelude::DataFrame) -> Result<DataFrame> {
        let encoded = arrow::encode(frame)?;
        for change in &encoded.changes {
            display::log_line(change);
        }
        let local = LocalRelation {
            data: Some(Bytes::from(encoded.bytes)),
        };
        Ok(self.frame(Relation {
            local_relation: Some(local),
            ..Relation::default()
        }))
    }

    /// The session's settings on the server.
    pub fn conf(&self) -> RuntimeConfig {
        RuntimeConfig::new(&self.0)
    }

    /// Marks all queries that start from now on, until the tag is removed. Other threads can stop
    /// them by it.
    ///
    /// # Errors
    /// The tag is empty or contains a comma.
    pub fn add_tag(&self, tag: &str) -> Result<()> {
        if tag.is_empty() || tag.contains(',') {
            return Err(Error::new(
                ErrorKind::Argument,
                "a tag is a non-empty string without a comma",
            ));
        }
        self.0.with_tags(|tags| {
            if !tags.iter().any(|known| known == tag) {
                tags.push(tag.to_owned());
            }
        });
        Ok(())
    }

    /// No longer marks queries with the tag.
    pub fn remove_tag(&self, tag: &str) {
        self.0.with_tags(|tags| tags.retain(|known| known != tag));
    }

    /// The tags of the queries that start from now on.
    pub fn tags(&self) -> Vec<String> {
        self.0.tags()
    }

    /// Stops all running queries of the session, which end with an error. Returns their ids.
    ///
    /// # Errors
    /// The server can't be reached.
    pub fn interrupt_all(&self) -> Result<Vec<String>> {
        runtime::wait(self.interrupt_all_async())
    }

    /// The same as [`interrupt_all`](Self::interrupt_all) for async code.
    ///
    /// # Errors
    /// As [`interrupt_all`](Self::interrupt_all).
    pub fn interrupt_all_async(&self) -> impl Future<Output = Result<Vec<String>>> + Send + use<> {
        let session = self.0.clone();
        runtime::run(async move { session.interrupt(None).await })
    }

    /// Stops the running queries with the tag.
    ///
    /// # Errors
    /// The server can't be reached.
    pub fn interrupt_tag(&self, tag: &str) -> Result<Vec<String>> {
        runtime::wait(self.interrupt_tag_async(tag))
    }

    /// The same as [`interrupt_tag`](Self::interrupt_tag) for async code.
    ///
    /// # Errors
    /// As [`interrupt_tag`](Self::interrupt_tag).
    pub fn interrupt_tag_async(
        &self,
        tag: &str,
    ) -> impl Future<Output = Result<Vec<String>>> + Send + use<> {
        let (session, tag) = (self.0.clone(), tag.to_owned());
        runtime::run(async move { session.interrupt(Some(&tag)).await })
    }

    /// Ends the session on the server, with its temporary views. Dropping it does the same.
    ///
    /// # Errors
    /// The server can't be reached.
    pub fn stop(&self) -> Result<()> {
        runtime::wait(self.stop_async())
    }

    /// The same as [`stop`](Self::stop) for async code.
    ///
    /// # Errors
    /// As [`stop`](Self::stop).
    pub fn stop_async(&self) -> impl Future<Output = Result<()>> + Send + use<> {
        let session = self.0.clone();
        runtime::run(async move { session.stop().await })
    }

    fn frame(&self, relation: Relation) -> DataFrame {
        DataFrame::new(self.0.clone(), relation.encode_to_vec().into())
    }
}

/// Statements run now; of queries, the server returns the relation.
async fn sql(
    session: Connected,
    query: String,
    arguments: Vec<(String, Column)>,
) -> Result<DataFrame> {
    let named_arguments: std::collections::HashMap<String, Vec<u8>> = arguments
        .into_iter()
        .map(|(name, value)| (name, value.expression().encode_to_vec()))
        .collect();
    let relation = Relation {
        sql: Some(Sql {
            query: query.clone(),
            named_arguments: named_arguments.clone(),
        }),
        ..Relation::default()
    };
    let input = Bytes::from(relation.encode_to_vec());
    let command = Command {
        sql_command: Some(SqlCommand {
            sql: query,
            named_arguments,
            input: Some(input.clone()),
        }),
        ..Command::default()
    };
    let plan = Plan {
        root: None,
        command: Some(command),
    };
    let mut made = None;
    session
        .execute(plan)?
        .finish(|response| {
            if let Some(result) = response.sql_command_result {
                made = result.relation;
            }
            Ok(())
        })
        .await?;
    Ok(DataFrame::new(session, made.unwrap_or(input)))
}

impl DataFrame {
    /// The session that it belongs to.
    pub fn session(&self) -> Session {
        Session::from_connected(self.connected().clone())
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
