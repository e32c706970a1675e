//! The answers of a batch in a notebook.

use polars::prelude::DataFrame;

use super::{Answers, Estimate, Totals};
use crate::display::{MimeBundle, Show, card, escaped, stack};

impl Show for Answers {
    /// The summary, then prompts and answers. What else is known about the rows is folded.
    fn mime_bundle(&self) -> MimeBundle {
        let summary = self.summary();
        let summary = MimeBundle {
            html: format!("<p class=\"evenhand\">{}</p>", escaped(&summary)),
            text: summary,
        };
        match self
            .readable_frame()
            .and_then(|read| Ok((read, self.informative_frame()?)))
        {
            Ok((read, all)) => stack(&[summary, read.mime_bundle(), folded(&all)]),
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

/// A table that is folded, and in plain text only named.
fn folded(frame: &DataFrame) -> MimeBundle {
    let html = format!(
        "<details class=\"evenhand\"><summary style=\"cursor:pointer\">Tokens, times and sources</summary>{}</details>",
        frame.mime_bundle().html
    );
    MimeBundle {
        html,
        text: "Tokens, times and sources: `full_frame()`".to_owned(),
    }
}

impl Show for Estimate {
    /// Requests, tokens, time and cost.
    fn mime_bundle(&self) -> MimeBundle {
        let text = self.to_string();
        MimeBundle {
            html: format!("<p class=\"evenhand\">{}</p>", escaped(&text)),
            text,
        }
    }
}

impl Show for Totals {
    /// Rows, requests, tokens and times.
    fn mime_bundle(&self) -> MimeBundle {
        let rows = |count: usize, what: &str| format!("{count} {what}");
        let mut of_rows = vec![rows(self.rows, "in all"), rows(self.answered, "answered")];
        of_rows.extend(self.of_the_answered());
        let rest = [(self.failed, "failed"), (self.cancelled, "cancelled")];
        let rest = rest.into_iter().filter(|(count, _)| *count > 0);
        of_rows.extend(rest.map(|(count, what)| rows(count, what)));
        card(
            "Totals",
            &[
                ("rows", of_rows.join(", ")),
                (
                    "requests",
                    format!(
                        "{} sent, {} refused because of the quota",
                        self.requests, self.rate_limited
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::batch::{Answer, AnswerSource, RequestStats};
    use crate::openai::ChatCompletion;

    fn row(id: usize, finish_reason: &str) -> Answer {
        let body = json!({"choices": [{"message": {"content": format!("Answer {id}.")},
            "finish_reason": finish_reason}], "usage": {"prompt_tokens": 1_234, "completion_tokens": 5}});
        Answer {
            custom_id: String::new(),
            id,
            prompt: format!("Prompt {id}."),
            sample: 0,
            outcome: Ok(ChatCompletion::from_body(body.to_string().into_bytes()).unwrap()),
            stats: RequestStats::default(),
            source: AnswerSource::Service,
        }
    }

    fn heads(html: &str) -> Vec<&str> {
        let heads = html.split("<th scope=\"col\"").skip(1);
        let names = heads.filter_map(|rest| rest.split_once('>')?.1.split_once("</th>"));
        names.map(|(name, _)| name).collect()
    }

    #[test]
    fn prompts_and_answers_come_first_and_numbers_are_folded_away() {
        let rows = vec![row(0, "stop"), row(1, "stop")];
        let shown = Answers::new(rows, Duration::ZERO, None).mime_bundle();
        let (read, folded) = shown
            .html
            .split_once("<details class=\"evenhand\">")
            .unwrap();
        assert_eq!(heads(read), ["prompt", "answer"]);
        assert!(!read.contains("1,234") && folded.contains("1,234"));
        assert_eq!(heads(folded)[0], "id");
        assert!(shown.text.contains("Prompt 1.") && !shown.text.contains("latency_ms"));
    }

    #[test]
    fn an_answer_that_was_cut_says_so_beside_it() {
        let rows = vec![row(0, "stop"), row(1, "length"), row(2, "content_filter")];
        let shown = Answers::new(rows, Duration::ZERO, None).mime_bundle();
        let (read, _) = shown
            .html
            .split_once("<details class=\"evenhand\">")
            .unwrap();
        assert_eq!(heads(read), ["prompt", "answer", "ended"]);
        assert!(
            read.contains("cut at the token limit")
                && read.contains("cut off by the content filter")
        );
    }
}
