//! Whether a client signs in, and for which resource.

use std::sync::Arc;

use super::super::endpoint::{Endpoint, Protocol};
use crate::display::log_line;
use crate::error::{Error, ErrorKind, Result};
use crate::identity::{self, Chain, TokenCache};
use crate::settings::{Service, Settings};

/// The clouds that have Azure OpenAI: host suffixes, and the resources for tokens on the dated path
/// and on the v1 path.
const CLOUDS: [(&[&str], &str, &str); 3] = [
    (
        &[
            ".openai.azure.com",
            ".cognitiveservices.azure.com",
            ".services.ai.azure.com",
        ],
        "https://cognitiveservices.azure.com",
        "https://ai.azure.com",
    ),
    (
        &[
            ".openai.azure.us",
            ".cognitiveservices.azure.us",
            ".services.ai.azure.us",
        ],
        "https://cognitiveservices.azure.us",
        "https://ai.azure.us",
    ),
    (
        &[".openai.azure.cn", ".cognitiveservices.azure.cn"],
        "https://cognitiveservices.azure.cn",
        "https://ai.azure.cn",
    ),
];

/// The tokens of a client without key and token, if a way to sign in is configured.
///
/// # Errors
/// A setting is malformed; or the endpoint is from a `.env` file and not Azure's own, so that it
/// must not get a token of the environment's identity.
pub(super) fn sign_in_credential(
    settings: &Settings,
    endpoint: &Endpoint,
) -> Result<Option<Arc<TokenCache<Chain>>>> {
    let identity = &settings.identity;
    if settings.service != Service::Azure || !identity.is_configured() {
        return Ok(None);
    }
    let cloud = cloud_of(endpoint.host());
    if identity.is_apart && cloud.is_none() {
        return Err(Error::new(
            ErrorKind::Settings,
            format!(
                "AZURE_OPENAI_ENDPOINT comes from a .env file, and {} is not an address of Azure: \
                 whoever wrote the file would get your token",
                endpoint.host()
            ),
        )
        .with_hint("if the address is right, set AZURE_OPENAI_ENDPOINT in the environment"));
    }
    let (_, dated, v1) = cloud.unwrap_or(&CLOUDS[0]);
    let resource = match endpoint.protocol() {
        Protocol::AzureDated => dated,
        Protocol::AzureV1 | Protocol::OpenAi => v1,
    };
    identity::tokens(identity, resource, log_line).map(Some)
}

fn cloud_of(host: &str) -> Option<&'static (&'static [&'static str], &'static str, &'static str)> {
    let name = host.split(':').next().unwrap_or_default();
    let name = name.to_ascii_lowercase();
    CLOUDS
        .iter()
        .find(|(ends, ..)| ends.iter().any(|end| name.ends_with(end)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::IdentitySettings;

    fn signed_in(endpoint: &str, version: Option<&str>, is_apart: bool) -> Result<String> {
        let settings = Settings {
            endpoint: Some(endpoint.to_owned()),
            api_version: version.map(str::to_owned),
            identity: IdentitySettings {
                client_id: Some("an-identity".to_owned()),
                is_apart,
                ..IdentitySettings::default()
            },
            ..Settings::default()
        };
        let tokens = sign_in_credential(&settings, &Endpoint::new(&settings)?)?;
        Ok(tokens.unwrap().issuer().describe())
    }

    #[test]
    fn each_path_has_tokens_of_its_own() {
        let dated = Some("2024-10-21");
        for (endpoint, version, resource) in [
            (
                "https://x.openai.azure.com",
                dated,
                "https://cognitiveservices.azure.com",
            ),
            ("https://x.openai.azure.com", None, "https://ai.azure.com"),
            (
                "https://x.services.ai.azure.com/api/projects/p",
                None,
                "https://ai.azure.com",
            ),
            (
                "https://x.openai.azure.us",
                dated,
                "https://cognitiveservices.azure.us",
            ),
            (
                "https://gateway.example",
                dated,
                "https://cognitiveservices.azure.com",
            ),
        ] {
            let outcome = signed_in(endpoint, version, false).unwrap();
            assert!(
                outcome.ends_with(&format!("for {resource}")),
                "{endpoint}: {outcome}"
            );
        }
    }

    #[test]
    fn an_endpoint_from_a_file_gets_no_token_of_the_environment_unless_it_is_azures() {
        signed_in("https://x.openai.azure.com", None, true).unwrap();
        for endpoint in [
            "https://evil.example",
            "https://x.openai.azure.com.evil.example",
        ] {
            let error = signed_in(endpoint, None, true).unwrap_err();
            assert!(
                error.is_settings() && error.message().contains(".env"),
                "{error:?}"
            );
        }
    }
}
