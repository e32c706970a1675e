//! The settings of a running session.

use super::connected::Connected;
use super::messages::{ConfigOperation, Get, Unset};
use crate::error::Result;
use crate::runtime;

/// Reads and changes the settings of a session on the server, as `spark.conf` does in PySpark.
#[derive(Clone, Debug)]
pub struct RuntimeConfig(Connected);

impl RuntimeConfig {
    pub(super) fn new(session: &Connected) -> Self {
        Self(session.clone())
    }

    /// A setting's value; `None` if it has none.
    ///
    /// # Errors
    /// The server can't be reached.
    pub fn get(&self, name: &str) -> Result<Option<String>> {
        runtime::wait(self.get_async(name))
    }

    /// The same as [`get`](Self::get) for async code.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_async(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Option<String>>> + Send + use<> {
        let (session, name) = (self.0.clone(), name.to_owned());
        runtime::run(async move {
            let answer = session
                .config(ConfigOperation {
                    get_option: Some(Get { keys: vec![name] }),
                    ..ConfigOperation::default()
                })
                .await?;
            Ok(answer.pairs.into_iter().next().and_then(|pair| pair.value))
        })
    }

    /// Sets a setting, also for a session that has to begin again.
    ///
    /// # Errors
    /// The server refuses it: some settings are fixed when the server starts.
    pub fn set(&self, name: &str, value: impl ToString) -> Result<()> {
        runtime::wait(self.set_async(name, value))
    }

    /// The same as [`set`](Self::set) for async code.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn set_async(
        &self,
        name: &str,
        value: impl ToString,
    ) -> impl Future<Output = Result<()>> + Send + 'static {
        let session = self.0.clone();
        let settings = vec![(name.to_owned(), value.to_string())];
        runtime::run(async move { session.configure(settings).await })
    }

    /// Sets a setting back to the server's own value.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn unset(&self, name: &str) -> Result<()> {
        runtime::wait(self.unset_async(name))
    }

    /// The same as [`unset`](Self::unset) for async code.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn unset_async(&self, name: &str) -> impl Future<Output = Result<()>> + Send + use<> {
        let (session, name) = (self.0.clone(), name.to_owned());
        runtime::run(async move {
            session.forget(&name);
            session
                .config(ConfigOperation {
                    unset: Some(Unset { keys: vec![name] }),
                    ..ConfigOperation::default()
                })
                .await?;
            Ok(())
        })
    }
}
