//! One study of several models.

use super::{Study, StudyAnswers};
use crate::error::Result;
use crate::openai::Client;
use crate::runtime;

/// The answers of several models to one study.
#[derive(Clone, Debug)]
pub struct MultiModelAnswers(Vec<StudyAnswers>);

impl Study {
    /// Asks several models the same study, one after the other: two deployments, or two services.
    /// In a notebook the journal keeps every answer, so running the cell again only asks what is
    /// missing. For one model at two times, keep its first report: see
    /// [`MultiModelReport::new`](crate::fairness::report::MultiModelReport::new).
    ///
    /// ```no_run
    /// # use evenhand::prelude::*;
    /// # let (small, large) = (Client::from_env()?, Client::from_env()?);
    /// let study = Study::new(occupations::first(12)?).templates(templates::descriptions());
    /// let report = study.run_on([&small, &large])?.measure()?;
    /// println!("{report}");
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    ///
    /// # Errors
    /// An invalid study; the errors of a batch.
    pub fn run_on<'c>(
        &self,
        clients: impl IntoIterator<Item = &'c Client>,
    ) -> Result<MultiModelAnswers> {
        runtime::wait(self.run_on_async(clients))
    }

    /// Async version of [`run_on`](Self::run_on).
    ///
    /// # Errors
    /// As [`run_on`](Self::run_on).
    pub fn run_on_async<'c>(
        &self,
        clients: impl IntoIterator<Item = &'c Client>,
    ) -> impl Future<Output = Result<MultiModelAnswers>> + Send + 'static {
        let study = self.clone();
        let clients: Vec<Client> = clients.into_iter().cloned().collect();
        async move {
            let mut answers = Vec::with_capacity(clients.len());
            for client in &clients {
                answers.push(study.run_async(client).await?);
            }
            Ok(MultiModelAnswers(answers))
        }
    }
}

impl MultiModelAnswers {
    /// The answers of each model, in the order of the clients.
    pub fn answers(&self) -> &[StudyAnswers] {
        &self.0
    }
}

/// For answers that were gathered in another way, such as with settings for each model's batch.
impl FromIterator<StudyAnswers> for MultiModelAnswers {
    fn from_iter<I: IntoIterator<Item = StudyAnswers>>(answers: I) -> Self {
        Self(answers.into_iter().collect())
    }
}
