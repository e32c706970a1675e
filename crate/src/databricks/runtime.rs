//! Databricks' runtimes, and which one the lab wants: the newest for machine learning that is no beta,
//! without GPU and Photon, of Scala above 2.11 and Spark above 3.4.

use serde::Deserialize;

use super::workspace::Workspace;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime;
use crate::text::sanitize_line;

/// A runtime. Its key has the form `MAJOR.MINOR.x[-cpu-ml|-gpu-ml|-photon]-scalaX`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Runtime {
    /// Its key, such as `17.3.x-cpu-ml-scala2.13`.
    pub key: String,
    /// Its name, such as `17.3 LTS ML (includes Apache Spark 4.0.0, Scala 2.13)`.
    pub name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Listed {
    versions: Vec<RuntimeResponse>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RuntimeResponse {
    key: String,
    name: String,
}

/// A version, whose parts compare as numbers: 9.1 is older than 16.4.
type Version = (u64, u64);

/// The version at the beginning of a text. A part that is no number, such as `x`, is 0.
fn version(text: &str) -> Option<Version> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let mut parts = text.get(..end)?.split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
    Some((major, minor))
}

/// The version after a word.
fn after(text: &str, word: &str) -> Option<Version> {
    version(text.split_once(word)?.1)
}

impl Runtime {
    fn version(&self) -> Version {
        version(&self.key).unwrap_or_default()
    }

    fn scala(&self) -> Version {
        after(&self.key, "-scala").unwrap_or_default()
    }

    /// Whether it has a version that is supported for long.
    pub fn is_long_term(&self) -> bool {
        self.name.contains("LTS")
    }

    /// Whether it is one that the lab wants.
    fn suits_the_lab(&self) -> bool {
        let has = |word: &str| self.key.contains(word);
        let is_beta = self.name.contains("Beta") || self.name.contains("Preview");
        // A name that does not tell its Spark is judged by its own version: 14 has Spark 3.5.
        let spark = match after(&self.name, "Apache Spark ") {
            Some(spark) => spark > (3, 4),
            None => self.version() >= (14, 0),
        };
        has("-cpu-ml-")
            && !is_beta
            && !["-gpu-", "-photon-", "-aarch64-", "-hls-", "apache-spark-"]
                .iter()
                .any(|word| has(word))
            && self.scala() > (2, 11)
            && spark
    }

    /// The key without the part for machine learning, as clusters that name this part apart want it.
    pub(super) fn plain_key(&self) -> String {
        self.key.replace("-cpu-ml", "")
    }
}

/// The runtime of a key that the user names.
pub(super) fn named(key: &str) -> Runtime {
    Runtime {
        key: key.to_owned(),
        name: String::new(),
    }
}

/// The runtime that the lab wants.
///
/// # Errors
/// The workspace has none.
pub(super) fn of_the_lab(runtimes: &[Runtime]) -> Result<Runtime> {
    let suited = runtimes.iter().filter(|runtime| runtime.suits_the_lab());
    let newest = suited.max_by_key(|runtime| (runtime.version(), runtime.scala()));
    newest.cloned().ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            format!(
                "none of the workspace's {} runtimes suits the lab",
                runtimes.len()
            ),
        )
        .with_hint(
            "in a notebook, `.runtime(\"17.3.x-cpu-ml-scala2.13\")` names one, and `workspace.runtimes()` lists them",
        )
    })
}

impl Workspace {
    /// The runtimes of the workspace.
    ///
    /// # Errors
    /// The workspace refuses or can't be reached.
    pub fn runtimes(&self) -> Result<Vec<Runtime>> {
        runtime::wait(self.runtimes_async())
    }

    /// Async version of [`runtimes`](Self::runtimes).
    ///
    /// # Errors
    /// As [`runtimes`](Self::runtimes).
    pub fn runtimes_async(&self) -> impl Future<Output = Result<Vec<Runtime>>> + Send + 'static {
        let workspace = self.clone();
        runtime::run(async move { workspace.all_runtimes().await })
    }

    pub(super) async fn all_runtimes(&self) -> Result<Vec<Runtime>> {
        let listed: Listed = self
            .rest
            .get("/api/2.1/clusters/spark-versions", &[])
            .await?;
        let read = |answer: RuntimeResponse| Runtime {
            key: sanitize_line(&answer.key, 120),
            name: sanitize_line(&answer.name, 200),
        };
        Ok(listed.versions.into_iter().map(read).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime(key: &str, name: &str) -> Runtime {
        Runtime {
            key: key.to_owned(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn the_newest_that_the_lab_wants_is_taken_by_number_not_by_letter() {
        let runtimes = [
            runtime(
                "9.1.x-cpu-ml-scala2.12",
                "9.1 LTS ML (includes Apache Spark 3.1.2, Scala 2.12)",
            ),
            runtime(
                "16.4.x-cpu-ml-scala2.12",
                "16.4 LTS ML (includes Apache Spark 3.5.2, Scala 2.12)",
            ),
            runtime(
                "16.4.x-cpu-ml-scala2.13",
                "16.4 LTS ML (includes Apache Spark 3.5.2, Scala 2.13)",
            ),
            runtime(
                "17.3.x-cpu-ml-scala2.13",
                "17.3 LTS ML (includes Apache Spark 4.0.0, Scala 2.13)",
            ),
            runtime(
                "17.3.x-gpu-ml-scala2.13",
                "17.3 LTS ML (includes Apache Spark 4.0.0, GPU, Scala 2.13)",
            ),
            runtime(
                "17.3.x-photon-scala2.13",
                "17.3 LTS Photon (includes Apache Spark 4.0.0, Scala 2.13)",
            ),
            runtime(
                "18.3.x-cpu-ml-scala2.13",
                "18.3 ML Beta (includes Apache Spark 4.1.0, Scala 2.13)",
            ),
            runtime("custom:x-cpu-ml-scala2.13", "My own"),
            runtime(
                "17.10.x-scala2.13",
                "17.10 (includes Apache Spark 4.0.0, Scala 2.13)",
            ),
        ];
        let chosen = of_the_lab(&runtimes).unwrap();
        assert_eq!(chosen.key, "17.3.x-cpu-ml-scala2.13");
        assert_eq!(chosen.plain_key(), "17.3.x-scala2.13");
        assert_eq!(
            of_the_lab(&runtimes[..3]).unwrap().key,
            "16.4.x-cpu-ml-scala2.13"
        );
        let error = of_the_lab(&runtimes[..1]).unwrap_err();
        assert!(error.is_not_found() && error.hint().is_some(), "{error}");
        assert_eq!(version("99999999999999999999.1"), None);
        assert_eq!(version("x"), None);
    }
}
