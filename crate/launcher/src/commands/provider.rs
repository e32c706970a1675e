//! What answers the notebooks: the service that the user has configured, or the local model; with
//! `--practice`, what is made in the practice cloud.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use evenhand::Settings;
use evenhand::settings::STAND_IN_VARIABLE;

use crate::error::{Failure, Result};
use crate::local_model::{self, weights};
use crate::paths::checkout::Checkout;
use crate::paths::home::Home;
use crate::practice::{NOTICE, Place, Practice};
use crate::setup;
use crate::terminal::err;

/// Starts the local model or the practice cloud when the first notebook needs it, and keeps it until dropped.
pub struct Provider<'a> {
    project: &'a Checkout,
    home: &'a Home,
    behavior: local_model::ModelBehavior,
    place: Place,
    server: Option<local_model::Server>,
    practice: Option<Practice>,
}

/// How the environment of a notebook differs from the launcher's own.
#[derive(Debug, Default)]
pub struct Environment {
    /// The variables that it lacks.
    pub unset: Vec<OsString>,
    /// The variables that are added.
    pub set: Vec<(OsString, OsString)>,
}

impl<'a> Provider<'a> {
    /// A provider that has started nothing yet. The behavior is that of the local model.
    pub fn new(
        project: &'a Checkout,
        home: &'a Home,
        behavior: local_model::ModelBehavior,
        place: Place,
    ) -> Self {
        Self {
            project,
            home,
            behavior,
            place,
            server: None,
            practice: None,
        }
    }

    /// The variables for notebooks in this folder: the user's own if the environment or a `.env`
    /// file names a service. Otherwise the local model is set up and started, and the variables
    /// are those that a user would set for it. So the notebooks have one code path.
    pub fn environment_for(&mut self, folder: &Path) -> Result<Environment> {
        if let Some(port) = self.place.practice {
            return self.in_practice(port, folder);
        }
        let settings = Settings::from_env_in(folder)?;
        tell_once(&settings);
        if settings.names_a_service() {
            if self.behavior != local_model::ModelBehavior::default() {
                err!(
                    "! --tpm, --rpm and --like are ignored: they apply to the local model only, but your own service is used"
                );
            }
            return Ok(Environment::default());
        }
        let server = match self.server.take() {
            Some(server) => server,
            None => self.start()?,
        };
        let endpoint = server.endpoint();
        let like = self.behavior.deployment();
        let variables = [
            ("AZURE_OPENAI_ENDPOINT", endpoint.as_str()),
            // A notebook may write the settings of a deployment that it has made: those count then.
            (STAND_IN_VARIABLE, endpoint.as_str()),
            ("AZURE_OPENAI_API_KEY", server.key()),
            ("AZURE_OPENAI_API_VERSION", local_model::API_VERSION),
            (
                "AZURE_OPENAI_DEPLOYMENT",
                like.map_or(weights::NAME, |like| &like.name),
            ),
        ]
        .map(|(name, value)| (name.into(), value.into()));
        self.server = Some(server);
        Ok(Environment {
            set: variables.to_vec(),
            ..Environment::default()
        })
    }

    /// The variables of the practice cloud, and none of the user's own clouds and services: in practice,
    /// nothing of them is asked, and none of their keys is at hand.
    fn in_practice(&mut self, port: u16, folder: &Path) -> Result<Environment> {
        let practice = match self.practice.take() {
            Some(practice) => practice,
            None => self.start_practice(port)?,
        };
        let origin = practice.origin();
        let settings = Settings::from_dotenv_in(folder)?;
        let is_of_practice = |address: &str| address.trim_end_matches('/') == origin;
        if settings.names_a_service() && !settings.endpoint.as_deref().is_some_and(is_of_practice) {
            return Err(Failure::new(format!(
                "the file .env for {} names a service that is not in the practice cloud, and asking it may \
                 cost money",
                folder.display()
            ))
            .hint(
                "move the file elsewhere, or leave out --practice; if it comes from an earlier practice \
                 cloud with another port, delete it",
            ));
        }
        let own = std::env::vars_os().map(|(name, _)| name);
        let set = practice.variables();
        let environment = Environment {
            unset: own.filter(|name| is_of_a_cloud(name)).collect(),
            set: set
                .map(|(name, value)| (name.into(), value.into()))
                .to_vec(),
        };
        self.practice = Some(practice);
        Ok(environment)
    }

    fn start_practice(&self, port: u16) -> Result<Practice> {
        setup::model(self.project, self.home)?;
        let practice = Practice::open(self.home, port, Some(self.home))?;
        err!(
            "! {NOTICE}. The practice cloud answers at {}",
            practice.origin()
        );
        if self.behavior != local_model::ModelBehavior::default() {
            err!(
                "! --tpm, --rpm and --like are ignored: in practice, each deployment has its own quota and model"
            );
        }
        Ok(practice)
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

/// Whether a variable is of a cloud or a service that the user has: an address, a credential, or where
/// things are made.
fn is_of_a_cloud(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let is_of_a_family = ["AZURE_", "ARM_", "OPENAI_", "DATABRICKS_"]
        .iter()
        .any(|family| name.starts_with(family));
    is_of_a_family || ["SPARK_REMOTE", "IDENTITY_ENDPOINT", "IDENTITY_HEADER"].contains(&&*name)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_to_a_cloud_or_a_service_is_known_by_its_name() {
        for name in [
            "AZURE_OPENAI_API_KEY",
            "AZURE_CLIENT_SECRET",
            "ARM_CLIENT_SECRET",
            "OPENAI_API_KEY",
            "DATABRICKS_TOKEN",
            "SPARK_REMOTE",
            "IDENTITY_HEADER",
        ] {
            assert!(is_of_a_cloud(name.as_ref()), "{name}");
        }
        for name in [
            "PATH",
            "HOME",
            "EVENHAND_HOME",
            "EVENHAND_JOURNAL",
            "HTTPS_PROXY",
        ] {
            assert!(!is_of_a_cloud(name.as_ref()), "{name}");
        }
    }
}
