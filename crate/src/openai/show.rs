//! The display of a client and of an answer in a notebook.

use super::{ChatCompletion, Client, FinishReason};
use crate::display::{MimeBundle, Show, card, escaped, stack};
use crate::text::terminal::sanitize;

impl Show for Client {
    /// Where the client sends requests, and with what kind of credential; never the credential itself.
    fn mime_bundle(&self) -> MimeBundle {
        let mut rows = vec![
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
        ];
        if let Some(profile) = self.deployment_profile() {
            rows.push(("the deployment", profile));
        }
        card("Client", &rows)
    }
}

impl Show for ChatCompletion {
    /// The text, then the model, the reason why it ended, and its cost.
    fn mime_bundle(&self) -> MimeBundle {
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
                            "{} prompt + {} completion{}",
                            usage.prompt_tokens,
                            usage.completion_tokens,
                            match usage.reasoning_tokens {
                                0 => String::new(),
                                thought => format!(", {thought} of them thinking"),
                            }
                        )
                    }),
                ),
            ],
        );
        let words = MimeBundle {
            html: format!(
                "<div class=\"evenhand tex2jax_ignore mathjax_ignore\" dir=\"auto\" style=\"white-space:pre-wrap;max-width:60em\">{}</div>",
                escaped(words)
            ),
            text: sanitize(words).into_owned(),
        };
        stack(&[words, about])
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
        let card = client.mime_bundle();
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
        let shown = ChatCompletion::from_body(body.to_string().into_bytes())
            .unwrap()
            .mime_bundle();
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
