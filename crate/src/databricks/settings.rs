//! Which workspace and which compute are meant, and who asks: the variables of Databricks' own tools, in
//! the environment or a `.env` file, else a profile of `~/.databrickscfg`.
//!
//! Host and credential come from one source. A host that a `.env` file names gets the file's own
//! credential, or, if it is one of Azure Databricks, a token of Microsoft Entra.

use std::path::{Path, PathBuf};

use reqwest::Url;

use super::profile::{self, Profile};
use crate::display::note_once;
use crate::error::{Error, ErrorKind, Result};
use crate::loopback_host::is_loopback;
use crate::secret::Secret;
use crate::settings::{self, Group};

/// The variables of a workspace, which all come from one source.
const GROUP: Group = Group {
    address: "DATABRICKS_HOST",
    credentials: &[
        "DATABRICKS_TOKEN",
        "DATABRICKS_CLIENT_ID",
        "DATABRICKS_CLIENT_SECRET",
    ],
    profile: "DATABRICKS_CONFIG_PROFILE",
    others: &["DATABRICKS_AUTH_TYPE", "DATABRICKS_AZURE_RESOURCE_ID"],
};

/// Where profiles are, if not in `~/.databrickscfg`.
const CONFIG_FILE: &str = "DATABRICKS_CONFIG_FILE";

/// The endings of Azure Databricks' hosts, in its clouds.
pub(crate) const AZURE_HOSTS: [&str; 3] = [
    ".azuredatabricks.net",
    ".databricks.azure.us",
    ".databricks.azure.cn",
];

/// Where a session's queries are computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Compute {
    /// A cluster, by its id.
    Cluster(String),
    Serverless,
}

/// How to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Auth {
    /// A personal access token.
    Token(Secret),
    /// A service principal of the workspace.
    Application { client_id: String, secret: Secret },
    /// Microsoft Entra, as the client of Azure OpenAI does.
    Entra,
}

/// A workspace, a compute and an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DatabricksSettings {
    /// The workspace's origin, such as `https://adb-1.2.azuredatabricks.net/`.
    pub(crate) host: Url,
    pub(crate) auth: Auth,
    /// `None` if neither a cluster nor serverless compute is named.
    pub(crate) compute: Option<Compute>,
    /// The workspace's id in Azure, for an identity that is not a member of it yet.
    pub(crate) azure_resource_id: Option<String>,
    /// Where the host comes from, for messages.
    pub(crate) source: String,
}

/// The values of one source, by the names of the profile's keys.
trait Source {
    fn get(&self, key: &str) -> Option<String>;
}

struct Environment<'a, E>(&'a E);

impl<E: Fn(&str) -> Option<String>> Source for Environment<'_, E> {
    fn get(&self, key: &str) -> Option<String> {
        let name = match key {
            "azure_workspace_resource_id" => "DATABRICKS_AZURE_RESOURCE_ID".to_owned(),
            key => format!("DATABRICKS_{}", key.to_ascii_uppercase()),
        };
        (self.0)(&name)
    }
}

impl Source for Profile {
    fn get(&self, key: &str) -> Option<String> {
        self.value(key).map(str::to_owned)
    }
}

impl DatabricksSettings {
    /// The settings of the environment and the `.env` file, or of the profile. `None` if nothing names a
    /// workspace; or if nothing names compute in it and nobody asks for it, whatever else is wrong: a
    /// profile of Databricks' other tools must not stand in the way of a local session.
    ///
    /// # Errors
    /// The file lacks the profile; the host is malformed or unsafe; host and credential come from two
    /// sources; or it is not clear who asks.
    pub(crate) fn from_env(profile: Option<&str>, is_asked_for: bool) -> Result<Option<Self>> {
        Self::from_env_in(Path::new(""), profile, is_asked_for)
    }

    fn from_env_in(
        folder: &Path,
        profile: Option<&str>,
        is_asked_for: bool,
    ) -> Result<Option<Self>> {
        let lookup = settings::lookup(folder, &GROUP)?;
        let variable = |name: &str| match name {
            // It belongs to the machine, like `PATH`.
            CONFIG_FILE => lookup.of_environment(name),
            name => lookup.value(name),
        };
        let is_wanted = is_asked_for || compute(&Environment(&variable)).is_some();
        if is_wanted {
            note_once(lookup.notes());
        }
        if is_wanted && profile.is_none() {
            lookup.check()?;
        }
        let settings = Self::from_profile(profile, is_asked_for, &variable)?;
        match (
            settings,
            lookup.file_of_group().filter(|_| profile.is_none()),
        ) {
            (Some(settings), Some(file)) => settings.of_file(file).map(Some),
            (settings, _) => Ok(settings),
        }
    }

    /// Settings whose host a `.env` file names.
    ///
    /// # Errors
    /// A token of Microsoft Entra would go to a host that is not one of Azure Databricks.
    fn of_file(self, file: &Path) -> Result<Self> {
        let source = format!("{} in {}", self.source, file.display());
        let host = self.host.host_str().unwrap_or_default();
        let is_azure = AZURE_HOSTS.iter().any(|ending| host.ends_with(ending));
        if self.auth == Auth::Entra && !is_azure {
            let message = format!(
                "{host}, from {source}, is not an address of Azure Databricks: whoever wrote the file would \
                 get your token"
            );
            return Err(Error::new(ErrorKind::Settings, message).with_hint(
                "set DATABRICKS_HOST in the environment if the address is right, or add \
                 DATABRICKS_TOKEN to the file",
            ));
        }
        Ok(Self { source, ..self })
    }

    /// The settings of any source of variables, or of the profile; `None` as for the environment.
    ///
    /// # Errors
    /// The file lacks the profile; the host is malformed or unsafe; or it is not clear who asks.
    pub(super) fn of_lookup(
        profile: Option<&str>,
        is_asked_for: bool,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>> {
        let variable = |name: &str| {
            let value = lookup(name)?.trim().to_owned();
            Some(value).filter(|value| !value.is_empty())
        };
        Self::from_profile(profile, is_asked_for, &variable)
    }

    /// The error for settings that name no workspace.
    pub(super) fn missing() -> Error {
        Error::new(ErrorKind::Settings, "no Databricks workspace is named").with_hint(
            "set DATABRICKS_HOST and DATABRICKS_TOKEN, or make a profile with `databricks configure`",
        )
    }

    fn from_profile<E>(
        profile: Option<&str>,
        is_asked_for: bool,
        variable: &E,
    ) -> Result<Option<Self>>
    where
        E: Fn(&str) -> Option<String>,
    {
        let environment = Environment(variable);
        let is_wanted = is_asked_for || compute(&environment).is_some();
        let named = profile
            .map(str::to_owned)
            .or_else(|| environment.get("config_profile"));
        if named.is_none() && environment.get("host").is_some() {
            return Self::from_variables(&environment, &environment, "DATABRICKS_HOST", is_wanted);
        }
        let file = variable(CONFIG_FILE).map(PathBuf::from);
        let file = file.or_else(|| Some(std::env::home_dir()?.join(".databrickscfg")));
        let file = file.unwrap_or_default();
        match profile::read_profile(&file, named.as_deref()) {
            // A profile without a host has nothing for us.
            Ok(Some(profile)) if profile.value("host").is_some() => {
                let source = format!("the profile {} of {}", profile.name, profile.path.display());
                Self::from_variables(&profile, &environment, &source, is_wanted)
            }
            Err(error) if is_wanted => Err(error),
            Ok(_) if is_wanted => Err(Self::missing()),
            _ => Ok(None),
        }
    }

    /// Which compute is meant may come from the environment: it is neither a secret nor an address.
    fn from_variables(
        source: &impl Source,
        environment: &impl Source,
        from: &str,
        is_wanted: bool,
    ) -> Result<Option<Self>> {
        let compute = compute(environment).or_else(|| compute(source));
        if compute.is_none() && !is_wanted {
            return Ok(None);
        }
        Ok(Some(Self {
            host: origin(&source.get("host").unwrap_or_default(), from)?,
            auth: auth(source, from)?,
            compute,
            azure_resource_id: source.get("azure_workspace_resource_id"),
            source: from.to_owned(),
        }))
    }
}

/// The compute that a source names.
fn compute(source: &impl Source) -> Option<Compute> {
    let cluster = source.get("cluster_id").map(Compute::Cluster);
    let serverless = source.get("serverless_compute_id");
    cluster.or(serverless.map(|_| Compute::Serverless))
}

/// The origin of an address, as it is copied from a browser or written without a scheme.
fn origin(text: &str, from: &str) -> Result<Url> {
    let refused = |what: &str| {
        let message = format!("the host of the Databricks workspace, from {from}, {what}");
        Error::new(ErrorKind::Settings, message)
            .with_hint("it looks like `https://adb-1234567890123456.7.azuredatabricks.net`")
    };
    let whole = match text.contains("://") {
        true => text.to_owned(),
        false => format!("https://{text}"),
    };
    let mut url = Url::parse(&whole).map_err(|_| refused("is malformed"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("contains a user or a password"));
    }
    url.set_path("/");
    url.set_query(None);
    url.set_fragment(None);
    match url.scheme() {
        "https" => Ok(url),
        "http" if url.host_str().is_some_and(is_loopback) => Ok(url),
        "http" => Err(refused("would get a token unencrypted")),
        _ => Err(refused("is malformed")),
    }
}

fn auth(source: &impl Source, from: &str) -> Result<Auth> {
    let token = source
        .get("token")
        .map(|token| Auth::Token(Secret::new(token)));
    let application = source
        .get("client_id")
        .zip(source.get("client_secret"))
        .map(|(client_id, secret)| Auth::Application {
            client_id,
            secret: Secret::new(secret),
        });
    let refused = |what: String| {
        Error::new(ErrorKind::Settings, format!("{what} (from {from})")).with_hint(
            "set DATABRICKS_TOKEN; or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET; or, on Azure, \
             sign in with `az login`",
        )
    };
    let kind = source.get("auth_type");
    match (kind.as_deref(), token, application) {
        (None, Some(_), Some(_)) => Err(refused(
            "there are both a token and a service principal for Databricks, but no auth_type"
                .to_owned(),
        )),
        (None | Some("pat"), Some(auth), _) | (None | Some("oauth-m2m"), _, Some(auth)) => Ok(auth),
        (None, None, None) => Ok(Auth::Entra),
        (Some(kind), ..) if kind.starts_with("azure-") => Ok(Auth::Entra),
        (Some(kind @ ("pat" | "oauth-m2m")), ..) => Err(refused(format!(
            "the auth_type is {kind}, and what it needs is missing"
        ))),
        (Some(kind), ..) => Err(refused(format!(
            "the auth_type {kind:?} of Databricks is not supported"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<DatabricksSettings>> {
        DatabricksSettings::from_profile(None, true, &|name: &str| {
            let pair = pairs.iter().find(|(known, _)| *known == name);
            match pair {
                Some((_, value)) => Some((*value).to_owned()),
                None => (name == "DATABRICKS_CONFIG_FILE").then(|| "/nowhere".to_owned()),
            }
        })
    }

    fn host(text: &str) -> Result<String> {
        let read = read(&[("DATABRICKS_HOST", text), ("DATABRICKS_TOKEN", "t")])?;
        Ok(read.unwrap().host.to_string())
    }

    #[test]
    fn the_environment_names_a_workspace_a_compute_and_an_identity() {
        let nothing = read(&[]).unwrap_err();
        assert!(nothing.hint().unwrap().contains("DATABRICKS_HOST"));
        let read = read(&[
            ("DATABRICKS_HOST", "adb-1.2.azuredatabricks.net"),
            ("DATABRICKS_TOKEN", "dapi"),
            ("DATABRICKS_CLUSTER_ID", "0101-abc"),
        ]);
        let read = read.unwrap().unwrap();
        assert_eq!(read.host.as_str(), "https://adb-1.2.azuredatabricks.net/");
        assert_eq!(read.auth, Auth::Token(Secret::new("dapi")));
        assert_eq!(read.compute, Some(Compute::Cluster("0101-abc".to_owned())));
    }

    #[test]
    fn a_host_is_taken_as_a_browser_shows_it_and_refused_if_it_is_unsafe() {
        assert_eq!(
            host("https://adb-1.2.azuredatabricks.net/?o=12#notebook").unwrap(),
            "https://adb-1.2.azuredatabricks.net/"
        );
        assert_eq!(host("http://127.0.0.1:9").unwrap(), "http://127.0.0.1:9/");
        for text in [
            "http://databricks.example",
            "https://me:pw@host",
            "ftp://host",
            "https://",
        ] {
            let error = host(text).unwrap_err();
            assert!(!error.to_string().contains("pw"), "{error}");
        }
    }

    #[test]
    fn who_asks_has_to_be_clear() {
        let read = |pairs: &[(&str, &str)]| {
            let host = [("DATABRICKS_HOST", "h.example")];
            read(&[host.as_slice(), pairs].concat()).map(|read| read.unwrap().auth)
        };
        let both = [
            ("DATABRICKS_TOKEN", "t"),
            ("DATABRICKS_CLIENT_ID", "id"),
            ("DATABRICKS_CLIENT_SECRET", "s"),
        ];
        assert_snapshot!(read(&both).unwrap_err(), @r"
        there are both a token and a service principal for Databricks, but no auth_type (from DATABRICKS_HOST)
          hint: set DATABRICKS_TOKEN; or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET; or, on Azure, sign in with `az login`
        ");
        let chosen = [both.as_slice(), &[("DATABRICKS_AUTH_TYPE", "oauth-m2m")]].concat();
        assert!(matches!(read(&chosen), Ok(Auth::Application { .. })));
        assert_eq!(read(&[]).unwrap(), Auth::Entra);
        assert_eq!(
            read(&[("DATABRICKS_AUTH_TYPE", "azure-cli")]).unwrap(),
            Auth::Entra
        );
        assert!(read(&[("DATABRICKS_AUTH_TYPE", "pat")]).is_err());
        assert!(read(&[("DATABRICKS_AUTH_TYPE", "basic")]).is_err());
    }

    #[test]
    fn a_profile_gives_host_and_token_together() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cfg");
        std::fs::write(
            &path,
            "[DEFAULT]\nhost = https://a.example\ntoken = one\ncluster_id = c-1\n[two]\nhost = https://b.example\ntoken = two\nserverless_compute_id = auto\n",
        )
        .unwrap();
        let path = path.to_string_lossy().into_owned();
        let read = |profile: Option<&str>, pairs: &[(&str, &str)]| {
            DatabricksSettings::from_profile(profile, true, &|name: &str| match name {
                "DATABRICKS_CONFIG_FILE" => Some(path.clone()),
                name => {
                    let pair = pairs.iter().find(|(known, _)| *known == name);
                    pair.map(|(_, value)| (*value).to_owned())
                }
            })
        };
        let one = read(None, &[]).unwrap().unwrap();
        assert_eq!(one.auth, Auth::Token(Secret::new("one")));
        assert_eq!(one.compute, Some(Compute::Cluster("c-1".to_owned())));
        // A named profile wins over the environment's host, whose token it must not get.
        let environment = [
            ("DATABRICKS_HOST", "https://c.example"),
            ("DATABRICKS_TOKEN", "three"),
        ];
        let two = read(Some("two"), &environment).unwrap().unwrap();
        assert_eq!(two.host.host_str(), Some("b.example"));
        assert_eq!(two.auth, Auth::Token(Secret::new("two")));
        assert_eq!(two.compute, Some(Compute::Serverless));
        let cluster = [("DATABRICKS_CLUSTER_ID", "c-2")];
        let moved = read(Some("two"), &cluster).unwrap().unwrap();
        assert_eq!(moved.compute, Some(Compute::Cluster("c-2".to_owned())));
    }

    #[test]
    fn a_profile_of_other_tools_stands_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cfg");
        std::fs::write(
            &path,
            "[DEFAULT]\nhost = https://a.example\nauth_type = databricks-cli\n",
        )
        .unwrap();
        let path = path.to_string_lossy().into_owned();
        let read = |cluster: Option<&str>, profile: Option<&str>| {
            DatabricksSettings::from_profile(None, false, &|name: &str| match name {
                "DATABRICKS_CONFIG_FILE" => Some(path.clone()),
                "DATABRICKS_CONFIG_PROFILE" => profile.map(str::to_owned),
                "DATABRICKS_CLUSTER_ID" => cluster.map(str::to_owned),
                _ => None,
            })
        };
        assert_eq!(read(None, None).unwrap(), None);
        assert_eq!(read(None, Some("gone")).unwrap(), None);
        assert!(read(Some("c-1"), Some("gone")).is_err());
        let error = read(Some("c-1"), None).unwrap_err();
        assert!(error.message().contains("databricks-cli"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_of_ones_own_names_a_workspace_with_its_own_credential() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        let read = |text: &str, mode: u32| {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            DatabricksSettings::from_env_in(folder.path(), None, false)
        };
        let text =
            "DATABRICKS_HOST=x.example\nDATABRICKS_TOKEN='dapi'\nDATABRICKS_CLUSTER_ID=c-1\n";
        let whole = read(text, 0o600).unwrap().unwrap();
        assert_eq!(whole.host.as_str(), "https://x.example/");
        assert_eq!(whole.auth, Auth::Token(Secret::new("dapi")));
        assert_eq!(whole.compute, Some(Compute::Cluster("c-1".to_owned())));
        assert!(whole.source.ends_with("/.env"), "{}", whole.source);
        assert_eq!(read(text, 0o666).unwrap(), None, "others may write it");
        let error = read("DATABRICKS_TOKEN=two words\n", 0o600).unwrap_err();
        assert!(error.message().contains("DATABRICKS_TOKEN"), "{error}");
        // Without a token, Microsoft Entra's go to Azure Databricks only.
        let entra = |host: &str| {
            read(
                &format!("DATABRICKS_HOST={host}\nDATABRICKS_CLUSTER_ID=c-1\n"),
                0o600,
            )
        };
        let azure = entra("adb-1.2.azuredatabricks.net").unwrap().unwrap();
        assert_eq!(azure.auth, Auth::Entra);
        let error = entra("x.example").unwrap_err();
        assert!(
            error.is_settings() && error.message().contains("your token"),
            "{error}"
        );
    }
}
