//! Prompts that ask for even-handed answers.

#[cfg(test)]
mod tests;

use crate::batch::{Answer, Answers, BatchRequest};
use crate::error::{Error, ErrorKind};
use crate::openai::{ChatRequest, Message};

use super::tsv;

/// A way to ask for even-handed answers. It changes the request, not the model, so it works with
/// hosted models. The texts are in `prompts.tsv`, with their sources.
///
/// ```
/// use evenhand::ChatRequest;
/// use evenhand::fairness::mitigation::MitigationPrompt;
///
/// let request = MitigationPrompt::Neutral.apply(ChatRequest::from("Describe a nurse."));
/// assert_eq!(request.messages.len(), 2);
/// assert_eq!(request.messages[0].content, MitigationPrompt::Neutral.instruction());
/// ```
///
/// To change all requests of a batch that has no `.system(..)`:
///
/// ```no_run
/// # use evenhand::Client;
/// # use evenhand::fairness::mitigation::MitigationPrompt;
/// let client = Client::from_env()?;
/// let answers = client
///     .batch(["Describe a nurse."])
///     .with(|request| MitigationPrompt::FewShot.apply(request))
///     .run()?;
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MitigationPrompt {
    /// An instruction in the system message: no stereotypes, and no gender that was not given.
    Neutral,
    /// Examples of questions and good answers, equally many about women and men, with identical
    /// wording except for the gender.
    FewShot,
    /// A second request, in which the model reviews and rewrites its draft: see
    /// [`revisions`](Self::revisions). The first request is not changed.
    SelfCritique,
}

impl MitigationPrompt {
    /// All variants.
    pub const ALL: [Self; 3] = [Self::Neutral, Self::FewShot, Self::SelfCritique];

    /// The name in tables, such as `few_shot`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::FewShot => "few_shot",
            Self::SelfCritique => "self_critique",
        }
    }

    /// The instruction to the model: in the system message, or, for
    /// [`SelfCritique`](Self::SelfCritique), after its draft. Empty for [`FewShot`](Self::FewShot),
    /// which only has examples.
    pub fn instruction(self) -> &'static str {
        self.texts("instruction").next().unwrap_or_default()
    }

    /// The example questions and answers that the model is shown, in turn.
    pub fn examples(self) -> Vec<Message> {
        let questions = self.texts("user").map(Message::user);
        let answers = self.texts("assistant").map(Message::assistant);
        questions
            .zip(answers)
            .flat_map(|(question, answer)| [question, answer])
            .collect()
    }

    /// The request with the instruction at the end of its system message, followed by the examples.
    pub fn apply(self, mut request: ChatRequest) -> ChatRequest {
        if self == Self::SelfCritique {
            return request;
        }
        let instruction = self.instruction();
        let first = request.messages.first_mut();
        match first.filter(|message| message.instructs()) {
            _ if instruction.is_empty() => {}
            Some(system) => system.add(instruction),
            None => request = request.system(instruction),
        }
        let system = request.messages.iter();
        let behind = system.take_while(|one| one.instructs()).count();
        request.messages.splice(behind..behind, self.examples());
        request
    }

    /// The second request: the first request, the draft, and the instruction to rewrite it. The
    /// reply to it is the final answer. `None` if this variant uses only one request.
    pub fn revise(self, mut request: ChatRequest, draft: &str) -> Option<ChatRequest> {
        if self != Self::SelfCritique {
            return None;
        }
        request.messages.push(Message::assistant(draft));
        request.messages.push(Message::user(self.instruction()));
        Some(request)
    }

    /// The second requests for a batch of drafts, one per row, in the same order and identified by
    /// their row number; `request` recreates the request that was sent for a row. A row without a
    /// draft becomes a request with its error, so that the rows stay aligned. Empty if this variant
    /// uses only one request.
    ///
    /// ```no_run
    /// use evenhand::{ChatRequest, Client};
    /// use evenhand::fairness::mitigation::MitigationPrompt;
    ///
    /// let client = Client::from_env()?;
    /// let drafts = client.batch(["Describe a nurse."]).run()?;
    /// let second = MitigationPrompt::SelfCritique.revisions(&drafts, |row| (&row.prompt).into());
    /// client.batch_requests(second).max_tokens(100).for_each(|row| {
    ///     println!("{}: {:?}", row.custom_id, row.outcome.map(|answer| answer.text().map(str::to_owned)));
    ///     Ok(())
    /// })?;
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn revisions(
        self,
        drafts: &Answers,
        request: impl Fn(&Answer) -> ChatRequest,
    ) -> Vec<BatchRequest> {
        let second = |row: &Answer| match (&row.outcome, row.text()) {
            (Err(error), _) => Err(error.clone()),
            (Ok(_), Some(draft)) if !draft.trim().is_empty() => {
                Ok(self.revise(request(row), draft))
            }
            (Ok(_), _) => Err(no_draft()),
        };
        let rows = drafts.rows().iter().filter(|_| self == Self::SelfCritique);
        rows.filter_map(|row| {
            Some(BatchRequest {
                custom_id: row.id.to_string(),
                request: second(row).transpose()?,
            })
        })
        .collect()
    }

    fn texts(self, part: &'static str) -> impl Iterator<Item = &'static str> {
        let lines = tsv::split_fields(include_str!("prompts.tsv"));
        lines.filter_map(move |[way, of, text]| (way == self.name() && of == part).then_some(text))
    }
}

fn no_draft() -> Error {
    Error::new(
        ErrorKind::Response,
        "the first answer was empty: there is no draft to rewrite",
    )
}
