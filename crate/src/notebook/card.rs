//! The toolkit's own small results: a client, an answer, a batch of answers.

use super::bundle::{Bundle, Show, stack};
use super::escape::escaped;
use crate::batch::{Answers, Submission, Totals};
use crate::client::{ChatCompletion, Client, FinishReason};
use crate::text::terminal::sanitize;

impl Show for Client {
    /// Where the client asks, and with what kind of credential; never the credential.
    fn bundle(&self) -> Bundle {
        card(
            "Client",
            &[
                ("host", self.host().to_owned()),
                (
                    "deployment",
                    self.deployment()
                        .unwrap_or("none: each request names its own")
                        .to_owned(),
                ),
                ("protocol", self.protocol().to_string()),
                (
                    "api-version",
                    self.api_version().unwrap_or("none is sent").to_owned(),
                ),
                ("credential", self.credential_kind().to_string()),
            ],
        )
    }
}

impl Show for Submission {
    /// How far it was when it was made.
    fn bundle(&self) -> Bundle {
        card("Submission", &[("when made", self.to_string())])
    }
}

impl Show for ChatCompletion {
    /// The model's words, then which model it was, why it stopped and what it cost.
    fn bundle(&self) -> Bundle {
        let words = self.text().unwrap_or("(no text)");
        let about = card(
            "",
            &[
                ("model", self.model.clone()),
                (
                    "finish reason",
                    self.finish_reason()
                        .map_or("none given", FinishReason::as_str)
                        .to_owned(),
                ),
                (
                    "tokens",
                    self.usage.map_or("not counted".to_owned(), |usage| {
                        format!(
                            "{} prompt + {} completion",
                            usage.prompt_tokens, usage.completion_tokens
                        )
                    }),
                ),
            ],
        );
        let words = Bundle {
            html: format!(
                "<div class=\"evenhand tex2jax_ignore mathjax_ignore\" dir=\"auto\" style=\"white-space:pre-wrap;max-width:60em\">{}</div>",
                escaped(words)
            ),
            text: sanitize(words).into_owned(),
        };
        stack(&[words, about])
    }
}

impl Show for Answers {
    /// How it went, then all rows with what there is to tell of them.
    fn bundle(&self) -> Bundle {
        let summary = self.summary();
        let summary = Bundle {
            html: format!("<p class=\"evenhand\">{}</p>", escaped(&summary)),
            text: summary,
        };
        match self.telling_frame() {
            Ok(frame) => stack(&[summary, frame.bundle()]),
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
    fn bundle(&self) -> Bundle {
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
                        "{} prompt + {} completion",
                        self.prompt_tokens, self.completion_tokens
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

/// A short list of names and values, as HTML table and as aligned text.
fn card(title: &str, rows: &[(&str, String)]) -> Bundle {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut html = String::from("<div class=\"evenhand tex2jax_ignore mathjax_ignore\">");
    let mut text = Vec::new();
    if !title.is_empty() {
        html.push_str(&format!("<strong>{}</strong>", escaped(title)));
        text.push(title.to_owned());
    }
    html.push_str("<table><tbody>");
    for (name, value) in rows {
        html.push_str(&format!(
            "<tr><th scope=\"row\" style=\"text-align:left\">{}</th><td dir=\"auto\" style=\"text-align:left\">{}</td></tr>",
            escaped(name),
            escaped(value)
        ));
        text.push(format!("  {name:<width$}  {}", sanitize(value)));
    }
    html.push_str("</tbody></table></div>");
    Bundle {
        html,
        text: text.join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn the_client_card_tells_all_but_the_key() {
        let client = Client::builder()
            .endpoint("https://contoso.openai.azure.com/")
            .api_key("0123456789abcdef")
            .api_version("2024-10-21")
            .deployment("gpt-4o-<mini>")
            .build()
            .unwrap();
        let card = client.bundle();
        assert!(!card.html.contains("0123") && !card.text.contains("0123"));
        assert!(card.html.contains("gpt-4o-&lt;mini&gt;"));
        assert_snapshot!(card.text, @"
        Client
          host         contoso.openai.azure.com
          deployment   gpt-4o-<mini>
          protocol     Azure OpenAI, dated
          api-version  2024-10-21
          credential   api key
        ");
    }

    #[test]
    fn what_a_model_says_steers_no_terminal() {
        let body = serde_json::json!({
            "model": "\u{1b}[2Jgpt\u{202e}",
            "choices": [{"message": {"content": "\u{1b}]0;mine\u{7}A nurse\u{9b}1A 👩‍⚕️"}}],
        });
        let shown = ChatCompletion::from_body(body.to_string().into_bytes()).unwrap().bundle();
        assert_snapshot!(shown.text, @"
        �]0;mine�A nurse�1A 👩‍⚕️

          model          �[2Jgpt�
          finish reason  none given
          tokens         not counted
        ");
        assert!(
            shown.html.contains("�]0;mine�A nurse�1A 👩‍⚕️</div>"),
            "{}",
            shown.html
        );
    }
}
