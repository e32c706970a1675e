//! The lookup of variables for parts that have settings of their own: the environment, then the `.env`
//! file, as for a client's settings. The variables of one service form a group, which comes from one
//! source, so that a token never goes to an address from another one.

use std::path::Path;

use super::clean;
use super::sources::{Sources, of_two_places, sources};
use crate::error::Result;

/// The variables of a service that all come from one source.
pub(crate) struct Group {
    /// The service's address.
    pub(crate) address: &'static str,
    /// What is sent there.
    pub(crate) credentials: &'static [&'static str],
    /// Names a source that has both.
    pub(crate) profile: &'static str,
    /// What belongs to them.
    pub(crate) others: &'static [&'static str],
}

impl Group {
    fn contains(&self, name: &str) -> bool {
        name == self.address
            || name == self.profile
            || self.credentials.contains(&name)
            || self.others.contains(&name)
    }
}

/// Looks variables up, those of a group in one source.
pub(crate) struct Lookup<E> {
    sources: Sources<E>,
    group: &'static Group,
    /// Whether the group is the file's.
    is_of_file: bool,
}

/// The lookup for a program in this folder.
///
/// # Errors
/// A `.env` file exists but can't be read.
pub(crate) fn lookup(
    folder: &Path,
    group: &'static Group,
) -> Result<Lookup<impl Fn(&str) -> Option<String>>> {
    Ok(Lookup::new(sources(folder)?, group))
}

impl<E: Fn(&str) -> Option<String>> Lookup<E> {
    pub(super) fn new(sources: Sources<E>, group: &'static Group) -> Self {
        let mut deciding = [group.address, group.profile].into_iter();
        let is_ours = |name: &str| sources.of_environment(name).is_some();
        let any_is_ours = deciding.any(is_ours) || group.credentials.iter().copied().any(is_ours);
        Self {
            is_of_file: !any_is_ours,
            sources,
            group,
        }
    }

    /// The value of a variable, without white space and quotes around it. An empty one counts as unset.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        let value = match (self.group.contains(name), self.is_of_file) {
            (false, _) => self.sources.value(name),
            (true, true) => self.sources.of_file(name),
            (true, false) => self.sources.of_environment(name),
        };
        value.map(|value| clean(&value).to_owned())
    }

    /// Refuses an address from the environment with a credential from the file, or vice versa.
    ///
    /// # Errors
    /// The message names both places.
    pub(crate) fn check(&self) -> Result<()> {
        let Group {
            address,
            credentials,
            profile,
            ..
        } = self.group;
        let Some(file) = self.sources.file_path().filter(|_| !self.is_of_file) else {
            return Ok(());
        };
        let ours = |name: &&&'static str| self.sources.of_environment(name).is_some();
        let files = |name: &&&'static str| self.sources.of_file(name).is_some();
        let (our_credential, file_credential) = (
            credentials.iter().find(ours),
            credentials.iter().find(files),
        );
        let mixed = match (ours(&address), our_credential) {
            _ if ours(&profile) => None,
            (true, None) => file_credential.map(|theirs| (*address, *theirs)),
            (false, Some(credential)) if files(&address) => Some((*credential, *address)),
            _ => None,
        };
        match mixed {
            Some((here, there)) => Err(of_two_places(here, there, file)),
            None => Ok(()),
        }
    }

    /// The value of a variable that is never read from a file.
    pub(crate) fn of_environment(&self, name: &str) -> Option<String> {
        let value = self.sources.of_environment(name);
        value.map(|value| clean(&value).to_owned())
    }

    /// The `.env` file, if it names the address or a profile, and the environment does not.
    pub(crate) fn file_of_group(&self) -> Option<&Path> {
        let names = [self.group.address, self.group.profile];
        let any_of_file = names
            .iter()
            .any(|name| self.sources.of_file(name).is_some());
        let is_of_file = self.is_of_file && any_of_file;
        self.sources.file_path().filter(|_| is_of_file)
    }

    /// Notes for the user about `.env` files that were skipped.
    pub(crate) fn notes(&self) -> &[String] {
        &self.sources.notes
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::settings::sources::tests::of_pairs;

    const GROUP: Group = Group {
        address: "X_HOST",
        credentials: &["X_TOKEN", "X_SECRET"],
        profile: "X_PROFILE",
        others: &["X_AUTH"],
    };

    type Pairs<'a> = &'a [(&'a str, &'a str)];

    /// The values of host, token, kind and cluster.
    fn read(environment: Pairs<'_>, file: Pairs<'_>) -> Result<String> {
        let lookup = Lookup::new(of_pairs(environment, file), &GROUP);
        lookup.check()?;
        let value = |name| lookup.value(name).unwrap_or("-".to_owned());
        let values = ["X_HOST", "X_TOKEN", "X_AUTH", "X_CLUSTER"].map(value);
        Ok(values.join(" "))
    }

    #[test]
    fn the_environment_comes_first_and_a_group_from_one_source() {
        let file = [
            ("X_HOST", "file"),
            ("X_TOKEN", " 'files' "),
            ("X_AUTH", "pat"),
            ("X_CLUSTER", "files-cluster"),
        ];
        let read = |environment| read(environment, &file).unwrap();
        assert_eq!(read(&[]), "file files pat files-cluster");
        assert_eq!(read(&[("X_CLUSTER", "own")]), "file files pat own");
        assert_eq!(read(&[("X_AUTH", "own")]), "file files pat files-cluster");
        let ours = [("X_HOST", "env"), ("X_TOKEN", "ours")];
        assert_eq!(read(&ours), "env ours - files-cluster");
        assert_eq!(read(&[("X_PROFILE", "p")]), "- - - files-cluster");
        assert_eq!(read(&[("X_HOST", " ")]), "file files pat files-cluster");
    }

    #[test]
    fn an_address_and_a_token_from_two_places_are_refused() {
        assert_snapshot!(read(&[("X_HOST", "env")], &[("X_TOKEN", "t")]).unwrap_err(), @r"
        X_HOST is set in the environment and X_TOKEN in /project/.env: an address and its key must come from one place, or a key could go to an address that is not meant for it
          hint: set X_TOKEN in the environment too; or unset X_HOST, and write it into /project/.env if that file is yours
        ");
        let error = read(&[("X_SECRET", "s")], &[("X_HOST", "file")]).unwrap_err();
        assert!(
            error
                .message()
                .starts_with("X_SECRET is set in the environment and X_HOST in")
        );
        assert!(read(&[("X_HOST", "env")], &[("X_HOST", "file")]).is_ok());
        assert!(read(&[("X_TOKEN", "t")], &[("X_TOKEN", "t")]).is_ok());
    }
}
