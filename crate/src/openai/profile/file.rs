//! The format in which a profile is stored, so that the next process is not refused again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::condition::{Condition, MAX_COUNT, Settings};
use super::fields::Fields;
use super::wording::EFFORTS;
use super::{Profile, TokensField, model_name, thinking};

const FORMAT: &str = "evenhand-deployment-profile";
const VERSION: u32 = 1;
const OWN_EFFORT: &str = "own_reasoning_effort";

#[derive(Serialize, Deserialize)]
struct File {
    format: String,
    version: u32,
    host: String,
    deployment: String,
    /// The model that answered last.
    #[serde(default)]
    model: Option<String>,
    /// `max_tokens` or `max_completion_tokens`, where one was refused.
    #[serde(default)]
    tokens: Option<String>,
    /// The effort that is asked for.
    #[serde(default)]
    reasoning_effort: Option<String>,
    #[serde(default)]
    refused_efforts: Vec<String>,
    /// The fields that were refused.
    #[serde(default)]
    refused: Vec<String>,
    /// With which settings some of these were refused, if not always.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    refused_with: Vec<RefusedWith>,
    /// Which of these were accepted with other settings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    excepted: Vec<String>,
    /// The fields that are left out without having been refused.
    #[serde(default)]
    untried: Vec<String>,
    #[serde(default)]
    thinks: bool,
    /// The reasoning tokens that were needed.
    #[serde(default)]
    thinking_allowance: u32,
    /// The same for requests that set this effort themselves.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    thinking_allowances: BTreeMap<String, u32>,
    #[serde(default)]
    most_tokens: Option<u32>,
}

/// A field, and the settings of a request with which it was refused.
#[derive(Serialize, Deserialize)]
struct RefusedWith {
    field: String,
    settings: BTreeMap<String, String>,
}

pub(super) fn write(profile: &Profile, host: &str, deployment: &str) -> Vec<u8> {
    let names = |fields: Fields| fields.each().map(stored_name).collect();
    let tokens = match profile.tokens {
        TokensField::AsWritten => None,
        TokensField::MaxTokens => Some("max_tokens"),
        TokensField::MaxCompletionTokens => Some("max_completion_tokens"),
    };
    let file = File {
        format: FORMAT.to_owned(),
        version: VERSION,
        host: host.to_owned(),
        deployment: deployment.to_owned(),
        model: profile.model.clone(),
        tokens: tokens.map(str::to_owned),
        reasoning_effort: profile.effort.clone(),
        refused_efforts: profile.refused_efforts.clone(),
        refused: names(profile.refused),
        refused_with: profile.conditions.iter().flat_map(refused_with).collect(),
        excepted: names(profile.excepted),
        untried: names(profile.untried),
        thinks: profile.thinks,
        thinking_allowance: profile.allowance,
        thinking_allowances: profile.allowances.clone(),
        most_tokens: profile.most_tokens,
    };
    // Strings and numbers always serialize.
    let mut text = serde_json::to_vec_pretty(&file).unwrap_or_default();
    text.push(b'\n');
    text
}

fn refused_with(condition: &Condition) -> Option<RefusedWith> {
    Some(RefusedWith {
        field: condition.field.each().next().map(stored_name)?,
        settings: condition.settings.0.clone(),
    })
}

/// The name of a field in a file. An effort that the client adds has the same name in a request as one
/// of the user.
fn stored_name(field: Fields) -> String {
    let name = match field {
        Fields::OWN_EFFORT => OWN_EFFORT,
        field => field.names().next().unwrap_or_default(),
    };
    name.to_owned()
}

fn with_stored(fields: Fields, name: &str) -> Fields {
    let field = match name {
        OWN_EFFORT => Fields::OWN_EFFORT,
        name => Fields::of_names([name]),
    };
    fields.with(field)
}

/// Is it a profile, of any deployment and version?
pub(super) fn is_profile(text: &[u8]) -> bool {
    serde_json::from_slice(text).is_ok_and(|value: Value| value["format"] == FORMAT)
}

/// # Errors
/// The text is not a profile of this deployment; the message says why.
pub(super) fn parse_profile(text: &[u8], host: &str, deployment: &str) -> Result<Profile, String> {
    let value: Value = serde_json::from_slice(text).map_err(|_| "it is not JSON".to_owned())?;
    if value["version"] != VERSION {
        return Err("it was written by another version of evenhand".to_owned());
    }
    let file: File =
        serde_json::from_value(value).map_err(|_| "one of its fields is malformed".to_owned())?;
    if file.host != host || file.deployment != deployment {
        return Err("it belongs to another deployment".to_owned());
    }
    let effort = |effort: &String| EFFORTS.contains(&effort.as_str());
    if !file.reasoning_effort.iter().all(effort) || !file.refused_efforts.iter().all(effort) {
        return Err("it has an unknown reasoning effort".to_owned());
    }
    let tokens = match file.tokens.as_deref() {
        None => TokensField::AsWritten,
        Some("max_tokens") => TokensField::MaxTokens,
        Some("max_completion_tokens") => TokensField::MaxCompletionTokens,
        Some(_) => return Err("it has an unknown `tokens` field".to_owned()),
    };
    let fields = |names: &[String]| {
        let names = names.iter().map(String::as_str);
        names.fold(Fields::default(), with_stored)
    };
    let allowances = file.thinking_allowances.into_iter().take(EFFORTS.len());
    let allowances = allowances.map(|(effort, tokens)| (effort, tokens.min(thinking::MAX_COUNT)));
    let refused = fields(&file.refused);
    let conditions = file
        .refused_with
        .into_iter()
        .take(MAX_COUNT)
        .map(|it| Condition {
            field: with_stored(Fields::default(), &it.field),
            settings: Settings(it.settings),
        });
    let is_refused = |it: &Condition| !it.field.is_empty() && refused.contains(it.field);
    let model = file.model.as_deref().map(model_name);
    Ok(Profile {
        tokens,
        effort: file.reasoning_effort,
        refused_efforts: file.refused_efforts,
        refused,
        conditions: conditions.filter(is_refused).collect(),
        excepted: fields(&file.excepted),
        untried: fields(&file.untried),
        thinks: file.thinks,
        allowance: file.thinking_allowance.min(thinking::MAX_COUNT),
        allowances: allowances.collect(),
        most_tokens: file.most_tokens,
        model,
    })
}
