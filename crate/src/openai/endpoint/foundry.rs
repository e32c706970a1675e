//! The addresses that Microsoft Foundry and the Azure portal show, of which only some belong to
//! Azure OpenAI.

use reqwest::Url;

use super::refused;
use crate::error::Result;

pub(super) const AZURE_EXAMPLE: &str = "https://NAME.openai.azure.com";

/// Hosts of portals.
const PORTALS: [&str; 4] = [
    "portal.azure.com",
    "oai.azure.com",
    "ai.azure.com",
    "management.azure.com",
];

/// Host suffixes of Azure OpenAI.
const OURS: [&str; 3] = [
    ".openai.azure.com",
    ".cognitiveservices.azure.com",
    ".services.ai.azure.com",
];

/// Host suffixes of other services that the portal shows, with their owners and hints.
const OTHERS: [(&str, &str, &str); 8] = [
    (
        ".models.ai.azure.com",
        "a serverless model's",
        "unset it and set OPENAI_BASE_URL to that address with /v1 appended, OPENAI_API_KEY and OPENAI_MODEL",
    ),
    (
        ".inference.ml.azure.com",
        "a Machine Learning endpoint's",
        "unset it and set OPENAI_BASE_URL to that address with /v1 appended, OPENAI_API_KEY and OPENAI_MODEL",
    ),
    ("models.github.ai", "GitHub Models'", OF_GITHUB),
    ("models.inference.ai.azure.com", "GitHub Models'", OF_GITHUB),
    (
        ".speech.microsoft.com",
        "the speech service's",
        OF_THE_PORTAL,
    ),
    (".search.windows.net", "a search service's", OF_THE_PORTAL),
    (".vault.azure.net", "a key vault's", OF_THE_PORTAL),
    (
        ".azuredatabricks.net",
        "a Databricks workspace's",
        OF_THE_PORTAL,
    ),
];

const OF_GITHUB: &str = "unset it and set OPENAI_BASE_URL to https://models.github.ai/inference, OPENAI_API_KEY and \
                         OPENAI_MODEL";

const OF_THE_PORTAL: &str = "in the Azure portal open the Azure OpenAI resource and copy the field 'Endpoint' of \
                             'Keys and Endpoint'; in Foundry copy 'Azure OpenAI endpoint' of the project's overview";

/// Whether it is an Azure OpenAI address without its scheme.
pub(super) fn is_azures(pasted: &str) -> bool {
    let host = pasted.split(['/', '?']).next().unwrap_or_default();
    let name = host
        .strip_suffix(":443")
        .unwrap_or(host)
        .to_ascii_lowercase();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    name.chars().all(is_name) && OURS.iter().any(|end| name.ends_with(end) && name != *end)
}

/// Refuses the addresses of portals and of other services, whatever follows the host: a portal's
/// address is copied from the browser, with all that it remembers there.
///
/// # Errors
/// It is one; the message names it, the hint where the right address is.
pub(super) fn check_place(pasted: &str) -> Result<()> {
    let url = Url::parse(pasted).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    if PORTALS.contains(&host) {
        return Err(
            refused("AZURE_OPENAI_ENDPOINT is the address of a portal").with_hint(format!(
                "copy the endpoint that the portal shows, such as {AZURE_EXAMPLE}"
            )),
        );
    }
    if host == "api.openai.com" {
        return Err(
            refused("AZURE_OPENAI_ENDPOINT is OpenAI's address, not Azure's")
                .with_hint("unset it and set OPENAI_API_KEY and OPENAI_MODEL"),
        );
    }
    // The names that documentation and this project write for yours.
    let name = pasted.split_once("://").map_or(pasted, |(_, rest)| rest);
    let name = name.split('.').next().unwrap_or_default();
    let is_placeholder = name == "NAME"
        || matches!(
            name.to_ascii_lowercase().as_str(),
            "your-resource-name" | "your_resource_name" | "your-resource" | "your-endpoint"
        );
    if is_placeholder && is_azures(host) {
        return Err(
            refused("AZURE_OPENAI_ENDPOINT still holds a placeholder").with_hint(format!(
                "put the name of your resource in place of {name} (in the Azure portal: the resource, \
                 'Keys and Endpoint')"
            )),
        );
    }
    match OTHERS.iter().find(|(end, ..)| host.ends_with(end)) {
        Some((_, whose, hint)) => {
            Err(refused(format!("AZURE_OPENAI_ENDPOINT is {whose} address")).with_hint(*hint))
        }
        None => Ok(()),
    }
}

/// The parts of a path.
pub(super) struct Parts<'a> {
    /// The gateway's path before the service's own.
    pub(super) prefix: &'a [String],
    /// The part after `openai`.
    pub(super) rest: &'a [String],
    /// It is the path of the model inference API, which the v1 path replaces.
    pub(super) inference: bool,
}

/// Splits a path with or without Azure OpenAI's own part. A Foundry project (`api/projects/NAME`)
/// before it and the model inference API (`models`) instead of it are removed.
///
/// # Errors
/// It is the path of another API.
pub(super) fn parts(path: &[String]) -> Result<Parts<'_>> {
    let part = |at: usize| path.get(at).map(|part| part.to_ascii_lowercase());
    let known = |rest: Option<String>| {
        matches!(
            rest.as_deref(),
            None | Some("v1" | "deployments" | "responses" | "chat" | "models")
        )
    };
    let before = |at: usize| path.get(..at).unwrap_or_default();
    let behind = |at: usize| path.get(at..).unwrap_or_default();
    let ours = (0..path.len())
        .rev()
        .find(|&at| part(at).as_deref() == Some("openai") && known(part(at + 1)));
    if let Some(at) = ours {
        return Ok(Parts {
            prefix: without_project(before(at)),
            rest: behind(at + 1),
            inference: false,
        });
    }
    if part(0).as_deref() == Some("anthropic") {
        return Err(refused("AZURE_OPENAI_ENDPOINT is the address of Anthropic's models, which speak another protocol")
            .with_hint(OF_THE_PORTAL));
    }
    let ends = [&["models", "chat", "completions"][..], &["models"]];
    let inference = ends.iter().find(|end| {
        let at = path.len().saturating_sub(end.len());
        behind(at)
            .iter()
            .map(String::as_str)
            .eq(end.iter().copied())
    });
    let end = path.len() - inference.map_or(0, |end| end.len());
    Ok(Parts {
        prefix: without_project(before(end)),
        rest: &[],
        inference: inference.is_some(),
    })
}

/// The path before a project, because the resource serves all of its projects. What follows one are
/// its own APIs, such as `agents`.
fn without_project(path: &[String]) -> &[String] {
    let project = path
        .windows(2)
        .position(|parts| parts[0] == "api" && parts[1] == "projects");
    project.and_then(|at| path.get(..at)).unwrap_or(path)
}
