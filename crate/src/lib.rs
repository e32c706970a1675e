//! Ask a language model the same question about different people, see the answers in a
//! Rust notebook, and learn whether the model is even-handed.
//!
//! A [`Client`] connects to a deployment of Azure OpenAI or to any server with OpenAI's chat
//! completions API. It reads its settings from the environment or a `.env` file. A [`Batch`]
//! sends many prompts concurrently and keeps their order. The [`Answers`] convert to a data
//! frame, or a [`Study`](fairness::study::Study) measures them and reports the uncertainty.
//!
//! ```no_run
//! use evenhand::prelude::*;
//!
//! let client = Client::from_env()?;
//! let answers = client
//!     .batch(["Describe a nurse.", "Describe a doctor."])
//!     .system("Your answers are free from any form of bias.")
//!     .max_tokens(100)
//!     .run()?;
//! println!("{}", answers.summary());
//! # Ok::<(), evenhand::Error>(())
//! ```
//!
//! Calls block, because a notebook cell with an `.await` takes three seconds longer. Each call to a
//! service also has an async version, whose name ends in `_async`, for programs that have their own
//! runtime, whichever it is: the network work runs on the library's own threads. Measuring is
//! computation, and calls a service only if a [`Judge`](fairness::measures::Judge) is among the
//! measures; its async version computes on a separate thread.
//!
//! A prompt that fails becomes a row with its error and does not affect the other rows. Every
//! [`Error`] has a kind to match on and, if the user can fix it, a hint. A key is a [`Secret`],
//! which can't be printed. Text from a model is not trusted until it is escaped.
//!
//! [`mitigation`](fairness::mitigation) holds ways to make answers more even-handed, from prompts
//! to training files. The folder `examples/` holds example programs.
//!
//! [`azure`] creates what such a client needs (an OpenAI account, a deployment), says beforehand what
//! will work, and deletes it again. [`databricks`] manages a workspace: clusters, libraries, notebooks,
//! runs and endpoints. With the feature `spark`, the module `spark` has sessions and data frames of Spark,
//! on the local engine, a server or a cluster; with `notebook`, `files` makes data frames of files and
//! files of data frames.
//!
//! | feature | provides | default |
//! |---|---|---|
//! | `notebook` | tables, charts and displays, with polars and plotters | yes |
//! | `spark` | sessions and data frames of Spark, on top of `notebook` | yes |
//! | `parquet` | reading and writing Parquet, on top of `notebook` | no |
//! | `polars-full` | the rest of polars' functions on columns, on top of `notebook` | no |
//!
//! [`serde_json`] and [`tokio`] are re-exported.
//!
#![cfg_attr(feature = "notebook", doc = include_str!("in_a_notebook.md"))]
// On docs.rs, each item shows the feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod azure;
#[doc(hidden)]
pub mod base64_encoding;
pub mod batch;
pub mod batch_api;
mod cancel;
#[cfg(feature = "notebook")]
pub mod chart;
#[doc(hidden)]
pub mod civil_calendar;
#[cfg(test)]
#[path = "../testing/corpus.rs"]
mod corpus;
pub mod databricks;
#[cfg(feature = "notebook")]
pub mod describe;
#[cfg(feature = "notebook")]
pub mod display;
#[cfg(not(feature = "notebook"))]
#[path = "display/silent.rs"]
mod display;
pub mod error;
pub mod fairness;
#[cfg(unix)]
mod file_owner;
#[cfg(feature = "notebook")]
pub mod files;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod identity;
mod json;
#[cfg(test)]
#[path = "../testing/loopback/mod.rs"]
mod loopback;
mod loopback_host;
pub mod openai;
mod random;
mod runtime;
mod secret;
pub mod settings;
#[doc(hidden)]
pub mod sideband;
#[cfg(feature = "spark")]
pub mod spark;
#[cfg(feature = "notebook")]
pub mod table;
pub mod text;
mod waiting;

pub use batch::{Answer, Answers, Batch, Price, Quota, Totals};
pub use cancel::CancelHandle;
pub use error::{Error, ErrorKind, Result};
pub use openai::{ChatCompletion, ChatRequest, Client, Message};
pub use secret::Secret;
pub use settings::{Settings, SettingsFile};
pub use waiting::WaitProgress;

#[cfg(feature = "notebook")]
pub use {plotters, polars};
pub use {serde_json, tokio};

/// Everything that a notebook needs, in one `use`: the toolkit and the most common names for
/// data frames.
///
/// polars has its own prelude with more than a thousand names. If a cell needs more of them, use
/// `use evenhand::polars::prelude::*;`. This prelude has few names because the kernel resolves
/// all of them again for each cell.
///
/// `Result` is [`crate::Result`], whose error type defaults to [`Error`]; `Result<T, E>` means the
/// same as in the standard library.
pub mod prelude {
    pub use crate::azure::{Azure, Region, SetupPlan};
    pub use crate::databricks::PyPi;
    pub use crate::fairness::mitigation::MitigationPrompt;
    pub use crate::fairness::occupations;
    pub use crate::fairness::report::Report;
    pub use crate::fairness::study::Study;
    pub use crate::fairness::templates;
    pub use crate::{Answers, ChatRequest, Client, Error, Message, Price, Quota, Result, Settings};

    #[cfg(feature = "notebook")]
    pub use crate::chart::{Chart, chart};
    #[cfg(feature = "notebook")]
    pub use crate::describe::describe;
    #[cfg(feature = "notebook")]
    pub use crate::display::{EvcxrDisplay, Show, display};
    #[cfg(feature = "notebook")]
    pub use crate::fairness::answer_view::{compare_answers, view_answers};
    #[cfg(feature = "notebook")]
    pub use crate::files::{overwrite, read, read_prompts, save, scan};
    #[cfg(feature = "spark")]
    pub use crate::spark::Session;
    #[cfg(feature = "notebook")]
    pub use crate::table::{side_by_side, table};
    #[cfg(feature = "notebook")]
    pub use polars::df;
    #[cfg(feature = "notebook")]
    pub use polars::prelude::{
        AnyValue, Column, DataFrame, DataType, Expr, IntoColumn, IntoLazy, LazyFrame, NamedFrom,
        PolarsError, PolarsResult, Series, SortMultipleOptions, col, lit,
    };
}
