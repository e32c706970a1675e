//! What is in a workspace, for whoever is about to delete it.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::workspace::Workspace;
use crate::error::Result;
use crate::json::first;
use crate::runtime;
use crate::text::sanitize_line;

/// How many things are named.
const MAX_COUNT: usize = 100;
/// How many pages of jobs are looked at.
const MAX_PAGES: usize = 100;
/// How many folders are looked into.
const MAX_FOLDERS: usize = 500;
/// The longest name that is shown, in characters.
const MAX_LENGTH: usize = 200;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Jobs {
    #[serde(deserialize_with = "first::<_, _, 100>")]
    jobs: Vec<Job>,
    next_page_token: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Job {
    job_id: u64,
    settings: Named,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Endpoints {
    #[serde(deserialize_with = "first::<_, _, 1000>")]
    endpoints: Vec<Named>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Folder {
    #[serde(deserialize_with = "first::<_, _, 10000>")]
    objects: Vec<Object>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Object {
    path: String,
    object_type: String,
}

impl Workspace {
    /// What people have made in the workspace: clusters (not those of jobs), jobs, endpoints for models,
    /// notebooks, files and repositories, each in a line such as `notebook /Shared/lab`. It names at most
    /// 100. Empty folders, what users have thrown away, and the endpoints that every workspace has are left
    /// out. Secrets, tables, volumes, warehouses and pipelines are not looked at.
    ///
    /// # Errors
    /// The user may not see all of it, or the workspace can't be reached.
    pub fn contents(&self) -> Result<Vec<String>> {
        runtime::wait(self.contents_async())
    }

    /// Async version of [`contents`](Self::contents).
    ///
    /// # Errors
    /// As [`contents`](Self::contents).
    pub fn contents_async(&self) -> impl Future<Output = Result<Vec<String>>> + Send + 'static {
        let workspace = self.clone();
        runtime::run(async move {
            let mut found = Vec::new();
            for cluster in workspace.clusters_async().await? {
                found.push(format!("cluster {}", cluster.name()));
            }
            workspace.add_jobs(&mut found).await?;
            let listed: Endpoints = workspace.listed("/api/2.0/serving-endpoints", &[]).await?;
            let names = listed.endpoints.iter().map(|endpoint| &endpoint.name);
            // Databricks' own, which nobody else can give such a name.
            let made = names.filter(|name| !name.starts_with("databricks-"));
            found.extend(made.map(|name| format!("serving endpoint {}", shown(name))));
            workspace.add_files(&mut found).await?;
            found.truncate(MAX_COUNT);
            Ok(found)
        })
    }

    /// A list; nothing where the workspace has no such things.
    async fn listed<T: DeserializeOwned + Default>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T> {
        match self.rest.get(path, query).await {
            Err(error) if error.is_not_found() => Ok(T::default()),
            listed => listed,
        }
    }

    async fn add_jobs(&self, found: &mut Vec<String>) -> Result<()> {
        let mut token = None;
        for _ in 0..MAX_PAGES {
            let query: Vec<_> = token
                .iter()
                .map(|token: &String| ("page_token", &**token))
                .collect();
            let listed: Jobs = self.listed("/api/2.2/jobs/list", &query).await?;
            found.extend(
                listed
                    .jobs
                    .iter()
                    .map(|job| match job.settings.name.is_empty() {
                        true => format!("job {}", job.job_id),
                        false => format!("job {}", shown(&job.settings.name)),
                    }),
            );
            token = listed.next_page_token.filter(|token| !token.is_empty());
            if token.is_none() || found.len() >= MAX_COUNT {
                return Ok(());
            }
        }
        found.push("jobs on more pages than were looked at".to_owned());
        Ok(())
    }

    async fn add_files(&self, found: &mut Vec<String>) -> Result<()> {
        let mut folders = vec!["/".to_owned()];
        let mut looked_into = 0;
        while let Some(folder) = folders.pop() {
            if looked_into == MAX_FOLDERS {
                found.push(format!("folder {}, with what is in it", shown(&folder)));
                return Ok(());
            }
            looked_into += 1;
            let query = [("path", folder.as_str())];
            let listed: Folder = self.rest.get("/api/2.0/workspace/list", &query).await?;
            for object in listed.objects {
                let is_in_it = object.path.len() > folder.len() && object.path.starts_with(&folder);
                match object.object_type.as_str() {
                    // Nobody knows what is in it.
                    "DIRECTORY" if object.path.is_empty() => {
                        found.push("folder without a path".to_owned());
                    }
                    // One that is elsewhere would lead around in a circle.
                    "DIRECTORY" if !is_in_it || is_trash(&object.path) => {}
                    "DIRECTORY" => folders.push(object.path),
                    kind => {
                        let kind = sanitize_line(&kind.to_lowercase(), 40);
                        found.push(format!("{kind} {}", shown(&object.path)));
                    }
                }
            }
            if found.len() >= MAX_COUNT {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Whether a user has thrown away what is in the folder: `/Users/NAME/Trash`.
fn is_trash(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    matches!(parts.as_slice(), ["", "Users", _, "Trash"])
}

fn shown(name: &str) -> String {
    sanitize_line(name, MAX_LENGTH)
}
