//! Hints for rejections by the Batch API.

use crate::error::Error;

/// Adds a hint specific to the Batch API, if there is one.
pub(super) fn hinted(error: Error, deployment: &str) -> Error {
    let text = format!("{} {}", error.code().unwrap_or_default(), error.message());
    match hint(&text, deployment) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// The hint for the service's code and message.
fn hint(text: &str, deployment: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let about = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if about(&["token_limit_exceeded", "enqueued token"]) {
        return Some(
            "the deployment's quota of enqueued tokens is used up: submit again when the open batches \
             are done, submit fewer prompts at once, or raise the quota in the portal"
                .to_owned(),
        );
    }
    if about(&["model_not_found", "deploymentnotfound"]) {
        return Some(format!(
            "the resource has no deployment '{deployment}' that batches can use: set \
             AZURE_OPENAI_DEPLOYMENT, or .deployment(), to one of the type Global Batch or Data Zone Batch"
        ));
    }
    about(&["sku", "globalbatch", "operationnotsupported", "deployment type", "invalid_request:"]).then(|| {
        format!(
            "the deployment '{deployment}' must be of the type Global Batch or Data Zone Batch: deploy the \
             model with such a type, and name the deployment with .deployment()"
        )
    })
}
