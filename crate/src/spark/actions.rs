//! What is computed of a data frame: its schema, its plan, its rows; and where they are kept.

use super::batches::{self, Batches};
use super::frame::DataFrame;
use super::functions::{count, lit};
use super::messages::{
    AnalyzePlanRequest, AnalyzePlanResponse, Command, CreateView, Explain, Plan, PlanOnly,
};
use super::schema::Schema;
use super::writer::DataFrameWriter;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime;

/// How much [`DataFrame::explain`] tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExplainMode {
    /// The physical plan.
    #[default]
    Simple,
    /// The logical plans too.
    Extended,
    /// The physical plan with its details below it.
    Formatted,
}

impl DataFrame {
    /// Makes it a temporary view, which SQL of this session can name. It replaces one of the same
    /// name, and lives as long as the session.
    ///
    /// # Errors
    /// The name or the plan is invalid.
    pub fn create_or_replace_temp_view(&self, name: &str) -> Result<()> {
        runtime::wait(self.create_or_replace_temp_view_async(name))
    }

    /// The same as [`create_or_replace_temp_view`](Self::create_or_replace_temp_view) for async code.
    ///
    /// # Errors
    /// As [`create_or_replace_temp_view`](Self::create_or_replace_temp_view).
    pub fn create_or_replace_temp_view_async(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<()>> + Send + use<> {
        self.create_view(name, true)
    }

    /// The same, but refuses a name that is taken.
    ///
    /// # Errors
    /// As [`create_or_replace_temp_view`](Self::create_or_replace_temp_view).
    pub fn create_temp_view(&self, name: &str) -> Result<()> {
        runtime::wait(self.create_temp_view_async(name))
    }

    /// The same as [`create_temp_view`](Self::create_temp_view) for async code.
    ///
    /// # Errors
    /// As [`create_or_replace_temp_view`](Self::create_or_replace_temp_view).
    pub fn create_temp_view_async(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<()>> + Send + use<> {
        self.create_view(name, false)
    }

    fn create_view(
        &self,
        name: &str,
        replace: bool,
    ) -> impl Future<Output = Result<()>> + Send + use<> {
        let session = self.connected().clone();
        let command = Command {
            create_dataframe_view: Some(CreateView {
                input: self.relation(),
                name: name.to_owned(),
                is_global: false,
                replace,
            }),
            ..Command::default()
        };
        runtime::run(async move { session.command(command).await })
    }

    /// Writes the rows to files or to a table: `df.write().mode(SaveMode::Overwrite).parquet("answers")?`.
    pub fn write(&self) -> DataFrameWriter {
        DataFrameWriter::new(self.clone())
    }

    /// The names and types of the columns.
    ///
    /// # Errors
    /// The plan is wrong.
    pub fn schema(&self) -> Result<Schema> {
        runtime::wait(self.schema_async())
    }

    /// The same as [`schema`](Self::schema) for async code.
    ///
    /// # Errors
    /// As [`schema`](Self::schema).
    pub fn schema_async(&self) -> impl Future<Output = Result<Schema>> + Send + use<> {
        let frame = self.clone();
        runtime::run(async move {
            let answer = frame
                .analyze(|plan| AnalyzePlanRequest {
                    schema: Some(PlanOnly { plan: Some(plan) }),
                    ..AnalyzePlanRequest::default()
                })
                .await?;
            let schema = answer.schema.and_then(|answer| answer.schema);
            schema
                .as_ref()
                .and_then(Schema::from_data_type)
                .ok_or_else(|| no_answer("a schema"))
        })
    }

    /// The names of the columns.
    ///
    /// # Errors
    /// The plan is wrong.
    pub fn columns(&self) -> Result<Vec<String>> {
        runtime::wait(self.columns_async())
    }

    /// The same as [`columns`](Self::columns) for async code.
    ///
    /// # Errors
    /// As [`columns`](Self::columns).
    pub fn columns_async(&self) -> impl Future<Output = Result<Vec<String>>> + Send + use<> {
        let schema = self.schema_async();
        async move {
            let schema = schema.await?;
            let fields = schema.fields().iter();
            Ok(fields.map(|field| field.name().to_owned()).collect())
        }
    }

    /// How the server would compute the rows.
    ///
    /// # Errors
    /// The plan is wrong.
    pub fn explain(&self, mode: ExplainMode) -> Result<String> {
        runtime::wait(self.explain_async(mode))
    }

    /// The same as [`explain`](Self::explain) for async code.
    ///
    /// # Errors
    /// As [`explain`](Self::explain).
    pub fn explain_async(
        &self,
        mode: ExplainMode,
    ) -> impl Future<Output = Result<String>> + Send + use<> {
        let frame = self.clone();
        let explain_mode = match mode {
            ExplainMode::Simple => 1,
            ExplainMode::Extended => 2,
            ExplainMode::Formatted => 5,
        };
        runtime::run(async move {
            let answer = frame
                .analyze(|plan| AnalyzePlanRequest {
                    explain: Some(Explain {
                        plan: Some(plan),
                        explain_mode,
                    }),
                    ..AnalyzePlanRequest::default()
                })
                .await?;
            let explained = answer.explain.map(|explained| explained.explain_string);
            explained.ok_or_else(|| no_answer("a plan"))
        })
    }

    async fn analyze(
        &self,
        request: impl Fn(Plan) -> AnalyzePlanRequest,
    ) -> Result<AnalyzePlanResponse> {
        let ask = |session_id, user| AnalyzePlanRequest {
            session_id,
            user_context: Some(user),
            ..request(self.plan())
        };
        self.connected().call("AnalyzePlan", ask).await
    }

    /// The number of rows.
    ///
    /// # Errors
    /// The query fails, or is stopped.
    pub fn count(&self) -> Result<u64> {
        runtime::wait(self.count_async())
    }

    /// The same as [`count`](Self::count) for async code.
    ///
    /// # Errors
    /// As [`count`](Self::count).
    pub fn count_async(&self) -> impl Future<Output = Result<u64>> + Send + use<> {
        let counted = self.agg([count(lit(1)).alias("count")]);
        async move {
            let counted = counted.to_polars_async().await?;
            let column = counted.columns().first();
            let count = column.and_then(|column| column.get(0).ok()?.extract::<u64>());
            count.ok_or_else(|| no_answer("a number of rows"))
        }
    }

    /// The rows as a data frame of polars. They are converted while they arrive.
    ///
    /// polars lacks some types: `tinyint` and `smallint` become `Int32`, and a line says so; a map
    /// becomes a list of structs.
    ///
    /// # Errors
    /// The query fails, or is stopped; two columns have the same name; a column has a type that
    /// polars lacks; or the rows do not fit into memory: then it ends while there is some left.
    pub fn to_polars(&self) -> Result<polars::prelude::DataFrame> {
        runtime::wait(self.to_polars_async())
    }

    /// The same as [`to_polars`](Self::to_polars) for async code.
    ///
    /// # Errors
    /// As [`to_polars`](Self::to_polars).
    pub fn to_polars_async(
        &self,
    ) -> impl Future<Output = Result<polars::prelude::DataFrame>> + Send + use<> {
        let execution = self.connected().execute(self.plan());
        async move { runtime::run(batches::collect(execution?)).await }
    }

    /// The rows in parts as they arrive, so that a result may be larger than memory.
    ///
    /// # Errors
    /// The session was stopped.
    pub fn batches(&self) -> Result<Batches> {
        Ok(Batches::new(self.connected().execute(self.plan())?))
    }
}

fn no_answer(what: &str) -> Error {
    Error::new(
        ErrorKind::Response,
        format!("the server was asked for {what}, but returned none"),
    )
}
