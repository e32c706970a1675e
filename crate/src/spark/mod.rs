//! Spark: sessions and data frames on a cluster, on a server, or on the local engine.
//!
//! The library speaks Spark Connect, the protocol that Apache Spark (3.4 and newer), Databricks and
//! Sail serve. Names are those of PySpark.
//!
//! ```no_run
//! use evenhand::prelude::*;
//! use evenhand::spark::{Session, functions as f};
//!
//! let spark = Session::builder().get_or_create()?;
//! let answers = spark.read().parquet("answers.parquet");
//! let she = answers
//!     .filter(f::col("answer").ilike("%she%"))
//!     .group_by(["occupation"])
//!     .agg([f::count("*").alias("n")])
//!     .order_by([f::col("n").desc()]);
//! display(&she);
//! let frame = she.to_polars()?;
//! # Ok::<(), evenhand::Error>(())
//! ```
//!
//! A data frame of Spark is a plan. Nothing is computed until rows are asked for, a file is written
//! or the frame is displayed, and then on the server. [`DataFrame::to_polars`] fetches the rows.
//!
//! - `session`, `connected`, `builder`, `config`: sessions; `remote` is their address, `engine` the local engine,
//!   `workspace` Databricks.
//! - `frame`, `actions`, `grouped`, `reader`, `writer`, `column`, [`functions`], `schema`, `batches`: data frames.
//! - `table_batch` asks a model the prompts in a frame's column, and `answer_table` keeps the answers;
//!   `executors` lets a cluster ask them, with `artifacts`; `journal` reads a batch's journal.
//! - `execution` runs one query, and survives broken connections; `operation_status` tells
//!   what a status says about it, `execution_errors` what the user is told.
//! - `grpc`, `status`, `messages`: the protocol; `error_mapping` translates its errors.
//! - `arrow`: rows from and to polars.

mod actions;
mod answer_table;
mod arrow;
mod artifacts;
mod batches;
mod builder;
mod cluster;
mod column;
mod config;
mod connected;
mod engine;
mod error_mapping;
mod execution;
mod execution_errors;
mod executors;
mod frame;
pub mod functions;
mod grouped;
mod grpc;
mod journal;
mod memory;
mod messages;
mod names;
mod operation_status;
mod reader;
mod remote;
mod schema;
mod session;
mod show;
mod status;
mod table_batch;
#[cfg(test)]
mod tests;
mod uuid;
mod workspace;
mod writer;

pub use actions::ExplainMode;
pub use batches::Batches;
pub use builder::SessionBuilder;
pub use column::{Column, Condition, Operand};
pub use config::RuntimeConfig;
pub use frame::{DataFrame, JoinKind};
pub use grouped::GroupedData;
pub use reader::DataFrameReader;
pub use schema::{Field, Schema};
pub use session::Session;
pub use table_batch::FrameRows;
pub use writer::{DataFrameWriter, SaveMode};

/// What the library calls itself at the server.
const CLIENT_TYPE: &str = concat!("evenhand/", env!("CARGO_PKG_VERSION"));
