//! What answers the notebooks: the service that the user has configured, or the local model.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use evenhand::Settings;

use crate::error::Result;
use crate::local_model::{self, weights};
use crate::paths::checkout::Checkout;
use crate::paths::home::Home;
use crate::setup;
use crate::terminal::err;

/// Starts the local model when the first notebook needs it, and keeps it until dropped.
pub struct Provider<'a> {
    project: &'a Checkout,
    home: &'a Home,
    behavior: local_model::ModelBehavior,
    server: Option<local_model::Server>,
}

impl<'a> Provider<'a> {
    /// A provider that has started nothing yet. The behavior is that of the local model.
    pub fn new(
        project: &'a Checkout,
        home: &'a Home,
        behavior: local_model::ModelBehavior,
    ) -> Self {
        Self {
            project,
            home,
            behavior,
            server: None,
        }
    }

    /// The variables to add for notebooks in this folder: none if the environment or a `.env`
    /// file names a service. Otherwise the local model is set up and started, and the variables
    /// are those that a user would set for it. So the notebooks have one code path.
    pub fn environment_for(&mut self, folder: &Path) -> Result<Vec<(OsString, OsString)>> {
        let settings = Settings::from_env_in(folder)?;
        tell_once(&settings);
        if settings.names_a_service() {
            if self.behavior != local_model::ModelBehavior::default() {
                err!(
                    "! --tpm, --rpm and --like are ignored: they apply to the local model only, but your own service is used"
                );
            }
            return Ok(Vec::new());
        }
        let server = match self.server.take() {
            Some(server) => server,
            None => self.start()?,
        };
        let endpoint = server.endpoint();
        let like = self.behavior.deployment();
        let variables = [
            ("AZURE_OPENAI_ENDPOINT", endpoint.as_str()),
            ("AZURE_OPENAI_API_KEY", server.key()),
            ("AZURE_OPENAI_API_VERSION", local_model::API_VERSION),
            (
                "AZURE_OPENAI_DEPLOYMENT",
                like.map_or(weights::NAME, |like| &like.name),
            ),
        ]
        .map(|(name, value)| (name.into(), value.into()));
        self.server = Some(server);
        Ok(variables.to_vec())
    }

    fn start(&self) -> Result<local_model::Server> {
        let options = local_model::Options {
            behavior: self.behavior,
            ..local_model::Options::default()
        };
        let server = local_model::Server::start(options, self.home, || {
            setup::model(self.project, self.home)
        })?;
        err!(
            "✓ no Azure settings found, so {} answers: a small model on this machine. It is weak \
             and visibly biased, which suits the lesson",
            weights::NAME
        );
        if let Some(like) = self.behavior.deployment() {
            err!("✓ it behaves like {}, but writes its own text", like.name);
        }
        Ok(server)
    }
}

/// Prints each note about how the settings were found, but only once.
pub fn tell_once(settings: &Settings) {
    static SHOWN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    for note in settings.notes() {
        if shown.insert(note.clone()) {
            err!("! {note}");
        }
    }
}
