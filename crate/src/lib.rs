//! Ask a language model the same question about different people, see the answers in a
//! Rust notebook, and learn whether the model is even-handed.
//!
//! A [`Client`] knows who answers: a deployment of Azure OpenAI, or any server with
//! OpenAI's chat completions. It reads its settings from the environment or a `.env` file.
//! A [`Batch`] asks many prompts side by side and keeps their order; the [`Answers`] become
//! a data frame, or a [`Study`](fairness::study::Study) measures them and says how sure that is.
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
//! Calls block, because a notebook cell that awaits costs its reader three seconds. Each call that
//! asks a service has a twin whose name ends in `_async`, for programs that have a runtime of their
//! own, whichever it is: the network work runs on the library's own threads. Measuring computes,
//! and asks only where a [`Judge`](fairness::measures::Judge) is among the measures; a program
//! that must not block does it on a thread for that.
//!
//! A prompt that fails is a row with its error and costs the others nothing. Every [`Error`]
//! has a kind to match on and, where the user can mend it, a hint. A key is a [`Secret`],
//! which can't be printed. Text from a model is hostile until it is escaped.
//!
//! What may make answers more even-handed, from a prompt to a training file, is in
//! [`mitigation`](fairness::mitigation). The folder `examples/` holds programs to begin with.
//!
//! | feature | brings | default |
//! |---|---|---|
//! | `notebook` | tables, charts and displays, with polars and plotters | yes |
//!
//! [`serde_json`] and [`tokio`] are re-exported.
//!
#![cfg_attr(feature = "notebook", doc = include_str!("in_a_notebook.md"))]
// docs.rs then says of each item which feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod batch;
pub mod batch_api;
mod cancel;
#[cfg(feature = "notebook")]
pub mod chart;
#[cfg(feature = "notebook")]
pub mod display;
pub mod error;
pub mod fairness;
mod http;
mod json;
#[cfg(test)]
#[path = "../testing/loopback/mod.rs"]
mod loopback;
pub mod openai;
mod random;
mod runtime;
mod secret;
pub mod settings;
#[cfg(feature = "notebook")]
pub mod table;
pub mod text;

pub use batch::{Answer, Answers, Batch, Price, Quota, Totals};
pub use cancel::CancelHandle;
pub use error::{Error, ErrorKind, Result};
pub use openai::{ChatCompletion, ChatRequest, Client, Message};
pub use secret::Secret;
pub use settings::Settings;

#[cfg(feature = "notebook")]
pub use {plotters, polars};
pub use {serde_json, tokio};

/// What a notebook needs, in one `use`: the toolkit, and what one says of data frames.
///
/// polars has a prelude of its own, with more than a thousand names: where a cell wants
/// more than these, `use evenhand::polars::prelude::*;` brings them. Here they are few,
/// because the kernel looks all names through again for each cell.
///
/// `Result` is [`crate::Result`], whose error is [`Error`] unless it is named: `Result<T, E>` is
/// what it always was.
pub mod prelude {
    pub use crate::fairness::mitigation::Prompt;
    pub use crate::fairness::occupations;
    pub use crate::fairness::report::Report;
    pub use crate::fairness::study::Study;
    pub use crate::{Answers, ChatRequest, Client, Error, Message, Price, Quota, Result, Settings};

    #[cfg(feature = "notebook")]
    pub use crate::chart::{Chart, chart};
    #[cfg(feature = "notebook")]
    pub use crate::display::{EvcxrDisplay, Show, display};
    #[cfg(feature = "notebook")]
    pub use crate::table::{side_by_side, table};
    #[cfg(feature = "notebook")]
    pub use polars::df;
    #[cfg(feature = "notebook")]
    pub use polars::prelude::{
        AnyValue, Column, DataFrame, DataType, Expr, IntoColumn, IntoLazy, LazyFrame, NamedFrom,
        PolarsError, PolarsResult, Series, col, lit,
    };
}
