//! Asks the reader of a notebook for missing settings, through Jupyter's own prompt.

use crate::display::note_once;
use crate::error::Result;
use crate::openai::Client;
use crate::secret::Secret;
use crate::settings::{Missing, Settings, clean};

/// What the reader enters instead of a key to sign in.
const SIGN_IN: &str = "browser";

impl Client {
    /// A client with the environment's settings, like [`from_env`](Self::from_env), that asks the reader
    /// of the notebook for those that are missing. The key is not echoed, and nothing is stored, so the
    /// next kernel asks again. Without a key, you can sign in in a browser: the first request then shows
    /// an address, and a code to enter there.
    ///
    /// # Errors
    /// A setting is malformed or missing. A notebook that runs without a reader answers every question
    /// with nothing.
    pub fn from_env_or_prompt() -> Result<Self> {
        let mut settings = Settings::from_env()?;
        note_once(settings.notes());
        for missing in settings.missing() {
            fill(&mut settings, missing);
        }
        Self::new(settings)
    }
}

fn fill(settings: &mut Settings, missing: Missing) {
    match missing {
        Missing::Endpoint => {
            settings.endpoint =
                text("The endpoint of your Azure OpenAI resource (its address, with https)");
        }
        Missing::Credential => {
            let key = evcxr_input::get_password(
                "The API key (it is not shown, and not kept), or the word browser to sign in with \
                 a browser",
            );
            match clean(&key) {
                "" => {}
                word if word.eq_ignore_ascii_case(SIGN_IN) => settings.identity.asks_reader = true,
                key => settings.api_key = Some(Secret::new(key)),
            }
        }
        Missing::Deployment => settings.deployment = text("The name of the deployment"),
    }
}

/// Asks for a text. evcxr cuts a prompt off at its first colon, so our prompts contain none.
fn text(prompt: &str) -> Option<String> {
    Some(evcxr_input::get_string(prompt)).filter(|value| !value.is_empty())
}
