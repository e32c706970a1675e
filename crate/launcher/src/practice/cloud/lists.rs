//! Lists of what there is in the subscription, or in a group.

use serde_json::{Value, json};

use super::accounts::account_json;
use super::azure::{group_path, is_groups};
use super::state::Thing;
use super::workspaces::workspace_json;
use super::{Cloud, CloudRequest, CloudResponse, SUBSCRIPTION, regions};

impl Cloud {
    /// The items, if this path below the subscription is that of a list.
    pub(super) fn list(
        &self,
        request: &CloudRequest<'_>,
        path: &[&str],
    ) -> Result<Option<Vec<Value>>, CloudResponse> {
        let (group, path) = match path {
            [word, group, rest @ ..] if is_groups(word) && !rest.is_empty() => (Some(*group), rest),
            path => (None, path),
        };
        let place = group.map_or_else(|| format!("/subscriptions/{SUBSCRIPTION}/"), group_path);
        let items = match path {
            ["locations"] => regions::listed(),
            ["providers"] => {
                let names = self.state.providers.keys();
                names.map(|name| self.provider(name, request.now)).collect()
            }
            [word] if is_groups(word) => {
                let groups = self.state.groups.values();
                groups.map(|group| group.body.clone()).collect()
            }
            ["resources"] => self.resources(&place),
            ["providers", "Microsoft.CognitiveServices", "accounts"] => {
                self.things(&place, "/accounts/", |thing| account_json(thing, request))
            }
            ["providers", "Microsoft.Databricks", "workspaces"] => {
                self.things(&place, "/workspaces/", |thing| {
                    workspace_json(thing, request)
                })
            }
            _ => return Ok(None),
        };
        if let Some(group) = group {
            self.group_of(group)?;
        }
        Ok(Some(items))
    }

    fn things(&self, place: &str, kind: &str, told: impl Fn(&Thing) -> Value) -> Vec<Value> {
        let things = self.state.things.iter();
        let things = things.filter(|(path, _)| {
            path.starts_with(place) && path.contains(kind) && !path.contains("/deployments/")
        });
        things.map(|(_, thing)| told(thing)).collect()
    }

    /// All of them in short, without what is inside them.
    fn resources(&self, place: &str) -> Vec<Value> {
        self.things(place, "/", |thing| {
            let field = |name: &str| thing.body.get(name).cloned().unwrap_or_default();
            json!({"id": field("id"), "name": field("name"), "type": field("type"),
                "location": field("location")})
        })
    }
}
