//! What is told of the settings that are not sent.

use serde_json::Value;

use super::fields::Fields;
use super::shared::SharedProfile;
use crate::openai::ChatRequest;

impl SharedProfile {
    /// A note about the settings that are not sent.
    pub(crate) fn left_out_note(&self, wanted: &ChatRequest) -> Option<String> {
        let profile = self.profile();
        let left_out = profile.left_out(wanted);
        let listed = |fields: Fields| {
            let value = |name: &str| {
                wanted
                    .setting(name)?
                    .as_f64()
                    .map(|value| value.to_string())
            };
            let names = fields.names();
            let fields: Vec<String> = names
                .map(|name| match value(name) {
                    Some(value) => format!("{name} {value}"),
                    None => name.to_owned(),
                })
                .collect();
            (!fields.is_empty()).then(|| fields.join(", "))
        };
        let deployment = &self.deployment;
        let refused = listed(left_out.and(profile.refused))
            .map(|fields| format!("{deployment} refuses {fields}, which was left out"));
        let untried = listed(left_out.without(profile.refused)).map(|fields| {
            format!(
                "{fields} was left out untried, because {deployment} had refused two other fields"
            )
        });
        let notes: Vec<String> = refused.into_iter().chain(untried).collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }

    /// The names of the fields that a deployment may refuse and be asked without.
    pub(crate) fn optional_fields() -> impl Iterator<Item = &'static str> {
        Fields::optional_names()
    }

    /// The fields of the request without which it would be another one, apart from its effort.
    pub(crate) fn needed_fields(request: &ChatRequest) -> impl Iterator<Item = (&String, &Value)> {
        Fields::needed(request)
    }

    /// Has the deployment refused the field of this name itself?
    pub(crate) fn refuses(&self, name: &str) -> bool {
        let field = Fields::of_names([name]);
        !field.is_empty() && self.profile().refused.contains(field)
    }
}
