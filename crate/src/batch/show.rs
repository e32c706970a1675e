//! The answers of a batch in a notebook.

use super::{Answers, Totals};
use crate::display::{MimeBundle, Show, card, escaped, stack};

impl Show for Answers {
    /// The summary, then all rows with their informative columns.
    fn mime_bundle(&self) -> MimeBundle {
        let summary = self.summary();
        let summary = MimeBundle {
            html: format!("<p class=\"evenhand\">{}</p>", escaped(&summary)),
            text: summary,
        };
        match self.informative_frame() {
            Ok(frame) => stack(&[summary, frame.mime_bundle()]),
            Err(error) => stack(&[
                summary,
                card(
                    "The table could not be made",
                    &[("error", error.message().to_owned())],
                ),
            ]),
        }
    }
}

impl Show for Totals {
    /// Rows, requests, tokens and times.
    fn mime_bundle(&self) -> MimeBundle {
        let rows = |count: usize, what: &str| format!("{count} {what}");
        let mut of_rows = vec![rows(self.rows, "in all"), rows(self.answered, "answered")];
        let rest = [
            (self.from_journal, "from the journal"),
            (self.shared, "shared"),
            (self.cut, "cut at the token limit"),
            (self.failed, "failed"),
            (self.cancelled, "cancelled"),
        ];
        let rest = rest.into_iter().filter(|(count, _)| *count > 0);
        of_rows.extend(rest.map(|(count, what)| rows(count, what)));
        card(
            "Totals",
            &[
                ("rows", of_rows.join(", ")),
                (
                    "requests",
                    format!(
                        "{} sent, {} refused for the quota",
                        self.requests, self.refused
                    ),
                ),
                (
                    "tokens",
                    format!(
                        "{} prompt + {} completion{}",
                        self.prompt_tokens,
                        self.completion_tokens,
                        match self.reasoning_tokens {
                            0 => String::new(),
                            thought => format!(", {thought} of them thinking"),
                        }
                    ),
                ),
                ("time", format!("{:.1} s", self.wall_time.as_secs_f64())),
                (
                    "longest wait of a row",
                    format!("{:.1} s", self.longest_wait.as_secs_f64()),
                ),
            ],
        )
    }
}
