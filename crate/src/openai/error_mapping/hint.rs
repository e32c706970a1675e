//! Hints: what the user can change, for each kind of rejection.

use std::time::Duration;

use super::too_large::Excess;
use super::{POLICY_VIOLATION, PROXY_AUTHENTICATION, RequestContext, ServiceMessage, lacks_credit};
use crate::error::ErrorKind;
use crate::http::proxy::{Destination, Proxy};
use crate::openai::CredentialKind;
use crate::openai::credential::Credential;
use crate::openai::credential::sending::tells_of_expired_token;
use crate::openai::endpoint::{GENERALLY_AVAILABLE, Protocol};
use crate::text::grouped;

impl RequestContext<'_> {
    pub(super) fn hint(
        &self,
        (kind, status): (ErrorKind, u16),
        service_message: &ServiceMessage,
        asked: Option<Duration>,
    ) -> Option<String> {
        if asked.is_none() && lacks_credit(Some(status), service_message.code.as_deref()) {
            return Some("the account has no credit left: waiting won't help".to_owned());
        }
        if kind == ErrorKind::BadRequest
            && let Some(excess) = service_message.excess
        {
            return Some(too_large(excess));
        }
        match kind {
            ErrorKind::ContentFilter => Some(match service_message.filter.to_string() {
                found if found.is_empty() => {
                    "reword the prompt: the service's content filter refused it".to_owned()
                }
                found => format!("reword the prompt: the service's content filter found {found}"),
            }),
            ErrorKind::Authentication => Some(self.who(self.credential, status, service_message)),
            ErrorKind::PermissionDenied if service_message.is_page => Some(
                "a web page answered in place of the service: a firewall or gateway in front of it \
                 blocks this request, perhaps because of words in its prompt; its operator can tell"
                    .to_owned(),
            ),
            ErrorKind::PermissionDenied => Some(match self.endpoint.protocol() {
                Protocol::OpenAi => "the key may not do this: check its permissions".to_owned(),
                _ => {
                    "the resource's firewall must let this machine in, and a Microsoft Entra token \
                      needs the role 'Cognitive Services OpenAI User'"
                        .to_owned()
                }
            }),
            ErrorKind::BadRequest if service_message.wants_newer_version() => Some(
                "leave AZURE_OPENAI_API_VERSION out: the v1 protocol is then used, which every current \
                 model takes"
                    .to_owned(),
            ),
            ErrorKind::BadRequest | ErrorKind::NotFound if service_message.is_about_version() => {
                Some(format!(
                    "set AZURE_OPENAI_API_VERSION to a version that the service has, such as {GENERALLY_AVAILABLE}"
                ))
            }
            ErrorKind::NotFound if status == 410 || service_message.is_about_retirement() => Some(format!(
                "the model of the deployment '{}' is retired: deploy one that the portal offers, and set {} \
                 to that deployment",
                self.deployment,
                self.endpoint.deployment_variable()
            )),
            ErrorKind::NotFound => Some(self.where_to(service_message)),
            ErrorKind::BadRequest if service_message.is_about_operation() => Some(format!(
                "the model of the deployment '{}' is retired, or does not support chat completions, \
                 like those for images, embeddings or only the Responses API (-codex, -pro): set {} \
                 to a deployment of a current chat model",
                self.deployment,
                self.endpoint.deployment_variable()
            )),
            ErrorKind::BadRequest | ErrorKind::UnprocessableEntity => service_message.refused_field(),
            ErrorKind::RateLimit => Some(quota(asked)),
            _ if status == PROXY_AUTHENTICATION => self.proxy(),
            _ => None,
        }
    }

    fn who(
        &self,
        credential: &Credential,
        status: u16,
        service_message: &ServiceMessage,
    ) -> String {
        let variable = credential.variable();
        if let Some(who) = credential.signed_in_as() {
            let token = match status == 401 || service_message.is_about_expiry() {
                true => "a new token was rejected, too. It",
                false => "the token",
            };
            return format!(
                "{token} was issued to {who}: check that this is the tenant \
                 of the resource ({}), and that its role there is 'Cognitive Services OpenAI User'",
                self.endpoint.host()
            );
        }
        match (credential.kind(), self.endpoint.protocol()) {
            (CredentialKind::EntraToken, _) if service_message.is_about_tenant() => format!(
                "get a token of the tenant of the resource ({}), and set {variable}: az account \
                 get-access-token --tenant TENANT --resource https://cognitiveservices.azure.com",
                self.endpoint.host()
            ),
            (CredentialKind::EntraToken, _) => format!(
                "get a new token, since one is valid for about an hour, and set {variable}: az \
                 account \
                 get-access-token --resource https://cognitiveservices.azure.com"
            ),
            (CredentialKind::None, _) => format!("the server wants a key: set {variable}"),
            (_, Protocol::OpenAi) => format!("check {variable}"),
            _ => format!(
                "check {variable}, and that it belongs to the resource in AZURE_OPENAI_ENDPOINT ({})",
                self.endpoint.host()
            ),
        }
    }

    fn proxy(&self) -> Option<String> {
        let destination = Destination {
            is_loopback: self.endpoint.is_loopback(),
            is_plain_http: self.endpoint.is_plain_http(),
        };
        let proxy = Proxy::of_environment(destination, self.endpoint.host());
        Some(match proxy {
            Some(proxy) => proxy.password_hint(),
            None => "a proxy in front of the service wants a password: ask its operator".to_owned(),
        })
    }

    fn where_to(&self, service_message: &ServiceMessage) -> String {
        let deployment = self.deployment;
        let variable = self.endpoint.deployment_variable();
        let missing = ["DeploymentNotFound", "model_not_found"]
            .iter()
            .any(|code| service_message.code.as_deref() == Some(code));
        match self.endpoint.protocol() {
            Protocol::OpenAi if missing => {
                format!("the server has no model '{deployment}': set {variable} to one that it has")
            }
            Protocol::OpenAi => {
                "check OPENAI_BASE_URL (for most servers it ends in /v1), and the model's name"
                    .to_owned()
            }
            _ if missing => format!(
                "the resource has no deployment '{deployment}': set {variable} to one that it has (a new \
                 one takes some minutes)"
            ),
            Protocol::AzureDated => format!(
                "check AZURE_OPENAI_ENDPOINT, the deployment '{deployment}' ({variable}), whose model may \
                 be retired, and AZURE_OPENAI_API_VERSION ({GENERALLY_AVAILABLE} is one that the service \
                 has)"
            ),
            Protocol::AzureV1 => format!(
                "check AZURE_OPENAI_ENDPOINT and the deployment '{deployment}' ({variable}), whose model \
                 may be retired; if the resource has no v1 path, set AZURE_OPENAI_API_VERSION to \
                 {GENERALLY_AVAILABLE}"
            ),
        }
    }
}

impl ServiceMessage {
    fn text(&self) -> String {
        self.message
            .as_deref()
            .unwrap_or_default()
            .to_ascii_lowercase()
    }

    fn has_code(&self, codes: &[&str]) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        codes.iter().any(|known| known.eq_ignore_ascii_case(code))
    }

    /// A gateway's quota: Azure API Management answers 403 when a quota of calls is used up.
    pub(super) fn is_about_quota(&self) -> bool {
        const CODES: [&str; 4] = [
            "429",
            "RateLimitReached",
            "rate_limit_exceeded",
            "too_many_requests",
        ];
        const WORDS: [&str; 3] = [
            "quota will be replenished",
            "rate limit is exceeded",
            "rate limit exceeded",
        ];
        let text = self.text();
        self.has_code(&CODES) || WORDS.iter().any(|words| text.contains(words))
    }

    /// A content filter refused the prompt: the service's own, or that of a gateway in front of it, which
    /// may wrap the service's error or have another status.
    pub(super) fn is_about_filter(&self) -> bool {
        const CODES: [&str; 5] = [
            "content_filter",
            "content_filtered",
            "content_policy_violation",
            "data_inspection_failed",
            POLICY_VIOLATION,
        ];
        const WORDS: [&str; 7] = [
            "content management policy",
            "content safety",
            "content policy",
            "contentpolicyviolation",
            "flagged as potentially violating",
            "flagged by",
            "inappropriate content",
        ];
        let text = self.text();
        self.is_filtered || self.has_code(&CODES) || WORDS.iter().any(|words| text.contains(words))
    }

    /// The token is of another tenant than the resource. The service answers 400 to that, too.
    pub(super) fn is_about_tenant(&self) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        let text = format!("{} {}", code.to_ascii_lowercase(), self.text());
        let is_mismatch = ["does not match", "mismatch", "not match"];
        text.contains("tenant") && is_mismatch.iter().any(|words| text.contains(words))
    }

    /// The token has expired. Some gateways do not answer 401 to that.
    pub(super) fn is_about_expiry(&self) -> bool {
        tells_of_expired_token(&self.text())
    }

    /// The model is retired. The service also answers 404, or that the model does not know the
    /// operation, without saying so.
    pub(super) fn is_about_retirement(&self) -> bool {
        const CODES: [&str; 4] = [
            "ServiceModelDeprecated",
            "ModelDeprecated",
            "model_deprecated",
            "DeploymentModelNotSupported",
        ];
        let text = self.text();
        let is_gone = ["retired", "has been deprecated"];
        self.has_code(&CODES)
            || text.contains("model") && is_gone.iter().any(|words| text.contains(words))
    }

    /// The model has no chat completions.
    fn is_about_operation(&self) -> bool {
        let text = self.text();
        self.has_code(&["OperationNotSupported"])
            || text.contains("does not work with the specified model")
            || text.contains("only supported in v1/responses")
    }

    /// The model or a parameter is newer than the API version.
    fn wants_newer_version(&self) -> bool {
        self.text().contains("enabled only for api versions")
    }

    fn is_about_version(&self) -> bool {
        let text = self.text();
        let code = self
            .code
            .as_deref()
            .unwrap_or_default()
            .to_ascii_lowercase();
        code.contains("apiversion") || text.contains("api-version") || text.contains("api version")
    }

    /// The service refused a field that other models accept.
    fn refused_field(&self) -> Option<String> {
        let text = self.text();
        let code = self.code.as_deref().unwrap_or_default();
        let unsupported = code.starts_with("unsupported_")
            || ["unsupported", "not supported", "does not support"]
                .iter()
                .any(|s| text.contains(s));
        if !unsupported {
            return None;
        }
        let about = |field: &str| match self.param.as_deref() {
            Some(param) => param == field,
            None => text.contains(field),
        };
        let is_about_message = about("messages[0].role") || text.contains("'system'");
        if is_about_message && text.contains("role") {
            if text.contains("'developer'") {
                return Some(
                    "this model takes developer messages in place of system messages: change the role, \
                     or write the text at the beginning of the prompt"
                        .to_owned(),
                );
            }
            return Some(
                "this model takes no system message: write its text at the beginning of the prompt"
                    .to_owned(),
            );
        }
        if about("max_tokens") {
            return Some(
                "this model takes max_completion_tokens: write .max_completion_tokens(n) in place of \
                 .max_tokens(n)"
                    .to_owned(),
            );
        }
        [
            "max_completion_tokens",
            "temperature",
            "top_p",
            "seed",
            "stop",
        ]
        .into_iter()
        .find(|field| about(field))
        .map(|field| match field {
            "max_completion_tokens" => {
                "this model or API version takes max_tokens: write .max_tokens(n) in its place"
                    .to_owned()
            }
            field => format!("this model refuses that {field}: leave .{field}() out"),
        })
        .or_else(|| {
            let is_about_parameter = text.contains("parameter") || text.contains("argument");
            (self.param.is_none() && is_about_parameter).then(|| {
                "the service does not name the parameter that it refuses: leave out the request's \
                 settings one by one to find it"
                    .to_owned()
            })
        })
    }
}

fn too_large(Excess { limit, requested }: Excess) -> String {
    let (limit, requested) = (grouped(limit), grouped(requested));
    format!(
        "this request alone, with {requested}, is larger than the limit of {limit}, so waiting won't \
         help: shorten the prompt, lower max_tokens (or the thinking allowance, if the model thinks), \
         or raise the quota"
    )
}

fn quota(asked: Option<Duration>) -> String {
    match asked.map(|wait| wait.as_secs_f64().ceil()) {
        Some(seconds) if seconds > 60.0 => format!(
            "the service asks to wait {seconds} s, which is longer than evenhand waits \
             automatically: \
             raise the deployment's quota, or come back later"
        ),
        Some(seconds) if seconds > 0.0 => format!(
            "the quota is used up; the service asks to wait {seconds} s. A batch keeps within the \
             quota automatically"
        ),
        _ => "the quota is used up: wait a minute, or raise it in the portal. A batch keeps \
              within the quota automatically"
            .to_owned(),
    }
}
