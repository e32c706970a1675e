//! Notebooks and files: into the workspace, and into volumes.

use serde_json::json;

use super::workspace::Workspace;
use crate::base64_encoding::base64;
use crate::error::{Error, ErrorKind, Result};
use crate::json::AnyObject;
use crate::runtime;
use crate::text::sanitize_line;

/// The largest notebook that a workspace takes, in bytes.
const MAX_NOTEBOOK: usize = 10 * 1024 * 1024;

const IMPORT: &str = "/api/2.0/workspace/import";

impl Workspace {
    /// Writes a Jupyter notebook (the content of an `.ipynb` file) into the workspace, in place of the one
    /// that is there, and makes the folders above it. Its path begins with `/`.
    ///
    /// # Errors
    /// The path is malformed, the notebook is larger than 10 MB or none, or the user may not write there.
    pub fn import_notebook(&self, path: &str, content: &[u8]) -> Result<()> {
        runtime::wait(self.import_notebook_async(path, content))
    }

    /// Async version of [`import_notebook`](Self::import_notebook).
    ///
    /// # Errors
    /// As [`import_notebook`](Self::import_notebook).
    pub fn import_notebook_async(
        &self,
        path: &str,
        content: &[u8],
    ) -> impl Future<Output = Result<()>> + Send + 'static {
        let (workspace, path, content) = (self.clone(), path.to_owned(), content.to_vec());
        runtime::run(async move {
            check(&path)?;
            if content.len() > MAX_NOTEBOOK {
                let message = format!("{path} would be {} MB large", content.len() / 1024 / 1024);
                return Err(Error::new(ErrorKind::Argument, message)
                    .with_hint("a workspace takes notebooks of 10 MB: clear the outputs"));
            }
            if let Some((folder, _)) = path
                .rsplit_once('/')
                .filter(|(folder, _)| !folder.is_empty())
            {
                let body = json!({"path": folder});
                let _: AnyObject = workspace
                    .rest
                    .post("/api/2.0/workspace/mkdirs", &body)
                    .await?;
            }
            let body = json!({
                "path": path, "format": "JUPYTER", "content": base64(&content), "overwrite": true,
            });
            let _: AnyObject = workspace.rest.post(IMPORT, &body).await?;
            Ok(())
        })
    }

    /// Deletes a notebook, a file or an empty folder of the workspace. It is no error if it is gone.
    ///
    /// # Errors
    /// The path is malformed, the folder is not empty, or the user may not delete it.
    pub fn delete_path(&self, path: &str) -> Result<()> {
        runtime::wait(self.delete_path_async(path))
    }

    /// Async version of [`delete_path`](Self::delete_path).
    ///
    /// # Errors
    /// As [`delete_path`](Self::delete_path).
    pub fn delete_path_async(
        &self,
        path: &str,
    ) -> impl Future<Output = Result<()>> + Send + 'static {
        let (workspace, path) = (self.clone(), path.to_owned());
        runtime::run(async move {
            check(&path)?;
            let body = json!({"path": path});
            let deleted: Result<AnyObject> = workspace
                .rest
                .post("/api/2.0/workspace/delete", &body)
                .await;
            match deleted {
                Err(error) if error.is_not_found() => Ok(()),
                deleted => deleted.map(drop),
            }
        })
    }

    /// Writes a file of a volume, in place of the one that is there: `/Volumes/CATALOG/SCHEMA/VOLUME/..`.
    ///
    /// # Errors
    /// The path is malformed or not one of a volume, or the user may not write there.
    pub fn upload(&self, path: &str, content: Vec<u8>) -> Result<()> {
        runtime::wait(self.upload_async(path, content))
    }

    /// Async version of [`upload`](Self::upload).
    ///
    /// # Errors
    /// As [`upload`](Self::upload).
    pub fn upload_async(
        &self,
        path: &str,
        content: Vec<u8>,
    ) -> impl Future<Output = Result<()>> + Send + 'static {
        let (workspace, path) = (self.clone(), path.to_owned());
        runtime::run(async move {
            check(&path)?;
            if !path.starts_with("/Volumes/") {
                return Err(malformed(&path, "is not one of a volume"));
            }
            let whole = format!("/api/2.0/fs/files{path}");
            workspace
                .rest
                .put(&whole, &[("overwrite", "true")], content)
                .await
        })
    }
}

/// # Errors
/// The path could mean another place.
fn check(path: &str) -> Result<()> {
    let is_sound = path.starts_with('/')
        && path.len() > 1
        && !path.ends_with('/')
        && !path.chars().any(char::is_control)
        && path
            .split('/')
            .skip(1)
            .all(|part| !matches!(part, "" | "." | ".."));
    match is_sound {
        true => Ok(()),
        false => Err(malformed(path, "is malformed")),
    }
}

fn malformed(path: &str, why: &str) -> Error {
    let path = sanitize_line(path, 120);
    Error::new(ErrorKind::Argument, format!("the path {path:?} {why}")).with_hint(
        "a notebook is at a path such as `/Users/me@example.org/lab`, a file at \
         `/Volumes/CATALOG/SCHEMA/VOLUME/name`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_means_one_place() {
        check("/Users/me@example.org/my lab").unwrap();
        for path in ["", "/", "x", "/a/", "/a//b", "/a/../b", "/./a", "/a\nb"] {
            assert!(check(path).unwrap_err().hint().is_some(), "{path:?}");
        }
    }
}
