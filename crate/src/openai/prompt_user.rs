//! Asking the reader for the settings that are missing, through Jupyter's own prompt.

use crate::error::Result;
use crate::openai::{Client, tell_once};
use crate::secret::Secret;
use crate::settings::{Missing, Settings, clean};

/// What stands in the key's place where its reader signs in.
const SIGN_IN: &str = "browser";

impl Client {
    /// A client of the environment's settings, as [`from_env`](Self::from_env), that asks
    /// the reader of the notebook for those that are missing. The key is not echoed, and
    /// nothing is stored: the next kernel asks again. Who has no key may sign in in a browser: the
    /// first request then shows an address and a code to type there.
    ///
    /// # Errors
    /// A setting is malformed, or none was given: a notebook that runs without a reader
    /// answers every question with nothing.
    pub fn from_env_or_prompt() -> Result<Self> {
        let mut settings = Settings::from_env()?;
        tell_once(settings.notes());
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
                "The API key (it is not shown, and not kept), or the word browser to sign in there",
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

/// Asks for a text. evcxr cuts a prompt at its first colon, so there is none in ours.
fn text(prompt: &str) -> Option<String> {
    Some(evcxr_input::get_string(prompt)).filter(|value| !value.is_empty())
}
