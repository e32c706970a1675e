//! The sources of settings: the environment, and one `.env` file. An address and its credential
//! come from the same source, so that a file can't send a key from the environment to its own
//! address, or vice versa.

use std::path::Path;

use super::dotenv::DotEnv;
use super::identity::{CLIENT_ID, CLIENT_SECRET, OF_APPLICATIONS, OF_THE_MACHINE};
use super::{STAND_IN_VARIABLE, Service, Settings, clean};
use crate::error::{Error, ErrorKind, Result};

const AZURE_ENDPOINT: &str = "AZURE_OPENAI_ENDPOINT";
const AZURE_CREDENTIALS: [&str; 2] = ["AZURE_OPENAI_AD_TOKEN", "AZURE_OPENAI_API_KEY"];
const OPENAI_ENDPOINT: &str = "OPENAI_BASE_URL";
const OPENAI_CREDENTIALS: [&str; 1] = ["OPENAI_API_KEY"];

/// The environment and the `.env` file.
pub(super) struct Sources<E> {
    environment: E,
    file: Option<DotEnv>,
    pub(super) notes: Vec<String>,
}

/// The variables of a service's address and credential that one source sets.
#[derive(Default)]
struct Named {
    address: Option<&'static str>,
    credential: Option<&'static str>,
}

impl Named {
    fn any(&self) -> bool {
        self.address.or(self.credential).is_some()
    }
}

/// The sources for a program in this folder.
///
/// # Errors
/// A `.env` file exists but can't be read.
pub(super) fn sources(folder: &Path) -> Result<Sources<impl Fn(&str) -> Option<String>>> {
    let (file, notes) = DotEnv::find_above(folder)?;
    let environment =
        |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    Ok(Sources {
        environment: without_stand_in(environment, file.as_ref()),
        file,
        notes,
    })
}

/// The `.env` file for a program in this folder, and nothing else.
///
/// # Errors
/// A `.env` file exists but can't be read.
pub(super) fn of_file_alone(folder: &Path) -> Result<Sources<impl Fn(&str) -> Option<String>>> {
    let (file, notes) = DotEnv::find_above(folder)?;
    Ok(Sources {
        environment: |_: &str| None,
        file,
        notes,
    })
}

/// The environment without the service that only stands in for one, if the file names one.
pub(super) fn without_stand_in<E: Fn(&str) -> Option<String>>(
    environment: E,
    file: Option<&DotEnv>,
) -> impl Fn(&str) -> Option<String> + use<E> {
    let of_file = |name: &str| file?.values.get(name).filter(|it| !clean(it).is_empty());
    let is_named = [Service::Azure, Service::OpenAi]
        .iter()
        .any(|service| named(*service, |name| of_file(name).cloned()).any());
    let stand_in = environment(STAND_IN_VARIABLE);
    let is_left_out = is_named && stand_in.is_some() && stand_in == environment(AZURE_ENDPOINT);
    move |name| match is_left_out && name.starts_with("AZURE_OPENAI_") {
        true => None,
        false => environment(name),
    }
}

impl<E: Fn(&str) -> Option<String>> Sources<E> {
    /// The settings. The environment takes precedence: a service that it gives completely is used,
    /// whatever the file names. Missing values may come from the file, but an address and its
    /// credential come from the same source.
    ///
    /// # Errors
    /// An address and its credential come from different sources; a quota is not a whole number.
    pub(super) fn settings(&self) -> Result<Settings> {
        let whole = self.whole_service();
        let left_out = whole.map_or(&[][..], of_other_service);
        let merged = Settings::without_quota(|name| match left_out.contains(&name) {
            true => self.of_environment(name),
            false => self.value(name),
        });
        let service = merged.service;
        let (ours, files) = (
            named(service, |name| self.of_environment(name)),
            named(service, |name| self.of_file(name)),
        );
        if ours.any() {
            self.check(&ours, &files)?;
        }
        // If the file names a service too, its quota belongs to that one.
        let is_apart = ours.any()
            && [Service::Azure, Service::OpenAi]
                .iter()
                .any(|service| named(*service, |name| self.of_file(name)).any());
        // An application is of one source, and a file's gets nothing to an address of ours. A tenant
        // or an authority alone is not an application.
        let names_one = |of: &dyn Fn(&str) -> Option<String>| {
            [CLIENT_ID, CLIENT_SECRET]
                .iter()
                .any(|name| of(name).is_some())
        };
        let of_environment = |name: &str| self.of_environment(name);
        let is_the_files = names_one(&|name| self.of_file(name)) && !names_one(&of_environment);
        let application_is_ours = ours.any() || !is_the_files && self.any_of_environment();
        let mut settings = Settings::without_quota(|name| match name {
            _ if OF_THE_MACHINE.contains(&name) || left_out.contains(&name) => {
                self.of_environment(name)
            }
            _ if OF_APPLICATIONS.contains(&name) && application_is_ours => {
                self.of_environment(name)
            }
            // What the file's application lacks, such as the tenant, may be the environment's.
            _ if OF_APPLICATIONS.contains(&name) => self
                .of_file(name)
                .or_else(|| self.of_environment(name).filter(|_| is_the_files)),
            AZURE_ENDPOINT | OPENAI_ENDPOINT if ours.any() => self.of_environment(name),
            _ if ours.any() && is_credential(name) => self.of_environment(name),
            _ => self.value(name),
        })
        .with_quota(
            |name| match is_apart {
                true => self.of_environment(name),
                false => self.value(name),
            },
            |name| self.place(name),
        )?;
        settings
            .notes
            .extend(self.application_note(is_the_files, ours.any()));
        settings
            .notes
            .extend(whole.and_then(|service| self.service_note(service)));
        let identity = &mut settings.identity;
        let application_is_the_files = !application_is_ours && identity.client_secret.is_some();
        if !application_is_ours && !application_is_the_files {
            // Whom a file names without an application of its own must not ask the reader to sign in.
            identity.authority = None;
        }
        identity.is_apart = files.address.is_some() && !ours.any() && !application_is_the_files;
        Ok(settings)
    }

    /// The service that the environment specifies completely, if it does. A file takes nothing of
    /// it away.
    fn whole_service(&self) -> Option<Service> {
        let alone = Settings::without_quota(|name| self.of_environment(name));
        let given = named(alone.service, |name| self.of_environment(name));
        let is_whole = given.address.is_some() && given.credential.is_some()
            || given.any() && alone.missing().is_empty();
        is_whole.then_some(alone.service)
    }

    /// A note about another service that the file names, and that is not used.
    fn service_note(&self, service: Service) -> Option<String> {
        let file = self.file.as_ref()?.path.display();
        let is_set = |name: &&&str| self.of_file(name).is_some();
        let unused: Vec<&str> = of_other_service(service)
            .iter()
            .filter(is_set)
            .copied()
            .collect();
        let names_one = named(other(service), |name| self.of_file(name)).any();
        names_one.then(|| {
            format!(
                "the service in {file} ({}) is not used, because the environment names another one",
                unused.join(", ")
            )
        })
    }

    fn any_of_environment(&self) -> bool {
        OF_APPLICATIONS
            .iter()
            .any(|name| self.of_environment(name).is_some())
    }

    /// A note about variables of an application that are not used, because they are from another
    /// source than the rest.
    fn application_note(&self, is_the_files: bool, service_is_ours: bool) -> Option<String> {
        let file = self.file.as_ref().filter(|_| is_the_files)?.path.display();
        if service_is_ours {
            return Some(format!(
                "the service principal in {file} is not used, because the environment names the \
                 service: set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET there too"
            ));
        }
        let is_in_both = |name: &&'static str| {
            let pair = self.of_environment(name).zip(self.of_file(name));
            pair.is_some_and(|(ours, files)| ours != files)
        };
        let unused: Vec<&str> = OF_APPLICATIONS.into_iter().filter(is_in_both).collect();
        (!unused.is_empty()).then(|| {
            format!(
                "{} from the environment is not used, because {file} names another with its service \
                 principal",
                unused.join(", ")
            )
        })
    }

    /// Refuses an address from the environment with a credential from the file, or vice versa.
    fn check(&self, ours: &Named, files: &Named) -> Result<()> {
        let mixed = match (ours.address, ours.credential) {
            (None, Some(credential)) => files.address.map(|address| (credential, address)),
            (Some(address), None) => files.credential.map(|credential| (address, credential)),
            _ => None,
        };
        match mixed.zip(self.file.as_ref()) {
            Some(((here, there), file)) => Err(of_two_places(here, there, &file.path)),
            None => Ok(()),
        }
    }

    /// The value from the environment or else from the file. An empty value counts as unset.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        self.of_environment(name).or_else(|| self.of_file(name))
    }

    /// Where a variable was found, after its name in a message.
    fn place(&self, name: &str) -> String {
        match self
            .file
            .as_ref()
            .filter(|_| self.of_environment(name).is_none())
        {
            Some(file) => format!(" in {}", file.path.display()),
            None => " in the environment".to_owned(),
        }
    }

    pub(super) fn of_environment(&self, name: &str) -> Option<String> {
        (self.environment)(name).filter(|value| !clean(value).is_empty())
    }

    /// The path of the `.env` file, if there is one.
    pub(super) fn file_path(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| &*file.path)
    }

    pub(super) fn of_file(&self, name: &str) -> Option<String> {
        let value = self.file.as_ref()?.values.get(name)?;
        Some(value.clone()).filter(|value| !clean(value).is_empty())
    }
}

fn is_credential(name: &str) -> bool {
    AZURE_CREDENTIALS.contains(&name) || OPENAI_CREDENTIALS.contains(&name)
}

fn other(service: Service) -> Service {
    match service {
        Service::Azure => Service::OpenAi,
        Service::OpenAi => Service::Azure,
    }
}

/// The variables of the other service alone.
fn of_other_service(service: Service) -> &'static [&'static str] {
    match service {
        Service::Azure => &[OPENAI_ENDPOINT, OPENAI_CREDENTIALS[0], "OPENAI_MODEL"],
        Service::OpenAi => &[
            AZURE_ENDPOINT,
            AZURE_CREDENTIALS[0],
            AZURE_CREDENTIALS[1],
            "AZURE_OPENAI_API_VERSION",
            "AZURE_OPENAI_DEPLOYMENT",
        ],
    }
}

fn named(service: Service, value: impl Fn(&str) -> Option<String>) -> Named {
    let (address, credentials) = match service {
        Service::Azure => (AZURE_ENDPOINT, &AZURE_CREDENTIALS[..]),
        Service::OpenAi => (OPENAI_ENDPOINT, &OPENAI_CREDENTIALS[..]),
    };
    let is_set = |name: &&'static str| value(name).is_some();
    Named {
        address: Some(address).filter(is_set),
        credential: credentials.iter().copied().find(is_set),
    }
}

pub(super) fn of_two_places(here: &str, there: &str, file: &Path) -> Error {
    let file = file.display();
    Error::new(
        ErrorKind::Settings,
        format!(
            "{here} is set in the environment and {there} in {file}: an address and its key must \
             come from one place, or a key could go to an address that is not meant for it"
        ),
    )
    .with_hint(format!(
        "set {there} in the environment too; or unset {here}, and write it into {file} if that \
         file is yours"
    ))
}

#[cfg(test)]
pub(super) mod tests;
