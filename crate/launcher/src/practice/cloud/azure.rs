//! Azure Resource Manager: which resource a request means; subscriptions, providers, groups, operations.

use serde_json::{Value, json};

use super::fields::{set, text};
use super::state::Group;
use super::{
    Cloud, CloudRequest, CloudResponse, Fault, SUBSCRIPTION, USER, arm_error, not_found, regions,
};

const ONE: &str = include_str!("data/subscription.json");
const RIGHTS: &str = include_str!("data/permissions.json");

/// How long things take in the real Azure, in seconds.
const REGISTRATION: u64 = 60;
const GROUP_DELETION: u64 = 60;

/// How many operations are remembered.
const MAX_OPERATIONS: usize = 200;

impl Cloud {
    pub(super) fn azure(
        &mut self,
        request: &CloudRequest<'_>,
    ) -> Result<CloudResponse, CloudResponse> {
        if !self.knows(request.bearer) {
            return Err(arm_error(
                401,
                "InvalidAuthenticationToken",
                "The access token is invalid.",
            ));
        }
        if self.has(Fault::Crowded) && self.asked.is_multiple_of(3) {
            let words = "The request is being throttled as the limit has been reached.";
            return Err(
                arm_error(429, "TooManyRequests", words).header("retry-after-ms", "50".to_owned())
            );
        }
        let path = request.path();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let rest = match parts.as_slice() {
            ["subscriptions"] => {
                return Ok(CloudResponse::list(vec![self.subscription()]));
            }
            ["subscriptions", id, rest @ ..] if *id == SUBSCRIPTION => rest,
            ["subscriptions", id, ..] => {
                let words = format!("The subscription '{id}' could not be found.");
                return Err(arm_error(404, "SubscriptionNotFound", &words));
            }
            _ => return Err(not_found()),
        };
        self.may_change(request, &path, rest)?;
        if request.method == "GET"
            && let Some(items) = self.list(request, rest)?
        {
            return Ok(CloudResponse::list(items));
        }
        match (request.method, rest) {
            ("GET", []) => Ok(CloudResponse::ok(&self.subscription())),
            (_, ["providers", name]) => Ok(CloudResponse::ok(&self.provider(name, request.now))),
            ("POST", ["providers", name, "register"]) => self.register(name, request),
            (_, [.., "providers", "Microsoft.Authorization", "permissions"]) => {
                Ok(CloudResponse::text(200, self.rights()))
            }
            (_, [.., "operationResults", id]) => self.operation(id, request.now),
            (_, ["providers", "Microsoft.Compute", rest @ ..]) => self.compute(rest),
            (_, ["providers", "Microsoft.CognitiveServices", rest @ ..]) => {
                self.cognitive(request, rest)
            }
            (_, [word, name]) if is_groups(word) => self.group(request, name),
            (
                _,
                [
                    word,
                    group,
                    "providers",
                    "Microsoft.CognitiveServices",
                    rest @ ..,
                ],
            ) if is_groups(word) => self.accounts(request, group, rest),
            (
                _,
                [
                    word,
                    group,
                    "providers",
                    "Microsoft.Databricks",
                    "workspaces",
                    name,
                ],
            ) if is_groups(word) => self.workspace(request, group, name),
            _ => Err(not_found()),
        }
    }

    fn subscription(&self) -> Value {
        let mut one: Value = serde_json::from_str(ONE).unwrap_or_default();
        if self.has(Fault::FreeTrial) {
            set(
                &mut one,
                &["subscriptionPolicies", "quotaId"],
                json!("FreeTrial_2014-09-01"),
            );
        }
        if self.has(Fault::Disabled) {
            set(&mut one, &["state"], json!("Disabled"));
        }
        one
    }

    fn rights(&self) -> String {
        match self.has(Fault::Reader) {
            true => json!({"value": [{"actions": ["*/read"], "notActions": []}]}).to_string(),
            false => RIGHTS.to_owned(),
        }
    }

    /// Whether this change is allowed now. The words are those of the recorded refusals.
    fn may_change(
        &self,
        request: &CloudRequest<'_>,
        path: &str,
        rest: &[&str],
    ) -> Result<(), CloudResponse> {
        let last = rest.last().copied().unwrap_or_default();
        if matches!(request.method, "GET" | "HEAD")
            || ["listKeys", "checkDomainAvailability"].contains(&last)
        {
            return Ok(());
        }
        let forbidden = |action: &str| {
            let words = format!(
                "The client '{USER}' with object id '1' does not have authorization to perform action \
                 '{action}' over scope '{path}' or the scope is invalid."
            );
            Err(arm_error(403, "AuthorizationFailed", &words))
        };
        let provider = rest.iter().position(|part| *part == "providers");
        let provider = provider.and_then(|at| rest.get(at + 1)).copied();
        if self.has(Fault::Reader) {
            let what = provider.unwrap_or("Microsoft.Resources");
            return forbidden(&format!("{what}/write"));
        }
        if self.has(Fault::NoPurge) && rest.contains(&"deletedAccounts") {
            return forbidden(
                "Microsoft.CognitiveServices/locations/resourceGroups/deletedAccounts/delete",
            );
        }
        if self.has(Fault::NotRegistered) && last == "register" {
            let what = provider.unwrap_or_default();
            return forbidden(&format!("{what}/register/action"));
        }
        if self.has(Fault::Disabled) {
            let words = format!(
                "The subscription '{SUBSCRIPTION}' is disabled and therefore marked as read only."
            );
            return Err(arm_error(409, "ReadOnlyDisabledSubscription", &words));
        }
        if self.has(Fault::Busy) && self.asked.is_multiple_of(2) && provider.is_some() {
            return Err(busy());
        }
        Ok(())
    }

    pub(super) fn provider(&self, name: &str, now: u64) -> Value {
        let state = match self.state.providers.get(&name.to_lowercase()) {
            Some(at) if *at <= now => "Registered",
            Some(_) => "Registering",
            None => "NotRegistered",
        };
        json!({"namespace": name, "registrationState": state})
    }

    fn register(
        &mut self,
        name: &str,
        request: &CloudRequest<'_>,
    ) -> Result<CloudResponse, CloudResponse> {
        let done = self.after(request.now, REGISTRATION);
        let providers = &mut self.state.providers;
        providers.entry(name.to_lowercase()).or_insert(done);
        Ok(CloudResponse::ok(&self.provider(name, request.now)))
    }

    /// Refuses what needs a provider that is not registered.
    pub(super) fn needs(&self, provider: &str, now: u64) -> Result<(), CloudResponse> {
        let since = self.state.providers.get(&provider.to_lowercase());
        if since.is_some_and(|at| *at <= now) {
            return Ok(());
        }
        let words = format!("The subscription is not registered to use namespace '{provider}'.");
        Err(arm_error(409, "MissingSubscriptionRegistration", &words))
    }

    /// The address of a new operation, which ends at this time.
    pub(super) fn begin(&mut self, request: &CloudRequest<'_>, place: &str, done: u64) -> String {
        let operations = &mut self.state.operations;
        let id = operations.keys().next_back().map_or(1, |last| last + 1);
        operations.insert(id, done);
        while operations.len() > MAX_OPERATIONS {
            operations.pop_first();
        }
        let origin = request.origin;
        format!(
            "{origin}/subscriptions/{SUBSCRIPTION}/providers/{place}/operationResults/{id}?api-version=2024-01-01"
        )
    }

    fn operation(&self, id: &str, now: u64) -> Result<CloudResponse, CloudResponse> {
        let done = id
            .parse()
            .ok()
            .and_then(|id: u64| self.state.operations.get(&id));
        let is_done = done.is_none_or(|done| *done <= now);
        let status = if is_done { "Succeeded" } else { "InProgress" };
        let code = if is_done { 200 } else { 202 };
        Ok(CloudResponse::json(
            code,
            &json!({"name": id, "status": status}),
        ))
    }

    fn group(
        &mut self,
        request: &CloudRequest<'_>,
        name: &str,
    ) -> Result<CloudResponse, CloudResponse> {
        let key = name.to_lowercase();
        match request.method {
            "GET" => {
                let group = self.group_of(name)?;
                Ok(CloudResponse::ok(&group.body))
            }
            "HEAD" => {
                let status = if self.group_of(name).is_ok() {
                    204
                } else {
                    404
                };
                Ok(CloudResponse::text(status, ""))
            }
            "PUT" => {
                let mut body = request.json()?;
                check_group_name(name)?;
                regions::made_in(
                    text(&body, &["location"]),
                    "Microsoft.Resources/resourceGroups",
                )?;
                let old = self.state.groups.get(&key);
                let is_new = old.is_none();
                let is_elsewhere = old.is_some_and(|old| {
                    let [old, new] = [&old.body, &body].map(|it| text(it, &["location"]));
                    !regions::is_same(old, new)
                });
                if is_elsewhere {
                    let words = format!(
                        "Invalid resource group location. The Resource group already exists in another \
                         location: '{name}'."
                    );
                    return Err(arm_error(409, "InvalidResourceGroupLocation", &words));
                }
                let id = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}");
                set(&mut body, &["id"], json!(id));
                set(&mut body, &["name"], json!(name));
                set(
                    &mut body,
                    &["type"],
                    json!("Microsoft.Resources/resourceGroups"),
                );
                set(
                    &mut body,
                    &["properties"],
                    json!({"provisioningState": "Succeeded"}),
                );
                if self
                    .state
                    .groups
                    .get(&key)
                    .is_some_and(|it| it.gone_at.is_some())
                {
                    let words = format!(
                        "The resource group '{name}' is in deprovisioning state and cannot perform this operation."
                    );
                    return Err(arm_error(409, "ResourceGroupBeingDeleted", &words));
                }
                let group = Group {
                    body: body.clone(),
                    gone_at: None,
                };
                self.state.groups.insert(key, group);
                Ok(CloudResponse::json(if is_new { 201 } else { 200 }, &body))
            }
            "DELETE" => {
                self.group_of(name)?;
                let done = self.after(request.now, GROUP_DELETION);
                if let Some(group) = self.state.groups.get_mut(&key) {
                    group.gone_at.get_or_insert(done);
                }
                let address = self.begin(request, "Microsoft.Resources", done);
                Ok(CloudResponse::text(202, "")
                    .header("location", address)
                    .header("retry-after", "0"))
            }
            _ => Err(not_found()),
        }
    }

    pub(super) fn group_of(&self, name: &str) -> Result<&Group, CloudResponse> {
        self.state.groups.get(&name.to_lowercase()).ok_or_else(|| {
            let words = format!("Resource group '{name}' could not be found.");
            arm_error(404, "ResourceGroupNotFound", &words)
        })
    }

    pub(super) fn remove_group(&mut self, name: &str, now: u64) {
        self.state.groups.remove(name);
        let prefix = group_path(name);
        let inside = self.state.things.keys();
        let inside: Vec<String> = inside
            .filter(|path| path.starts_with(&prefix))
            .cloned()
            .collect();
        for path in inside {
            self.remove_thing(&path, now);
        }
    }

    /// Removes an account, a deployment or a workspace with all that is in it.
    pub(super) fn remove_thing(&mut self, path: &str, now: u64) {
        let Some(thing) = self.state.things.remove(path) else {
            return;
        };
        let prefix = format!("{path}/");
        self.state
            .things
            .retain(|path, _| !path.starts_with(&prefix));
        if path.contains("/workspaces/") {
            self.empty_workspace(path, &thing.body);
        } else if !path.contains("/deployments/") {
            self.keep_deleted(&thing.body, now);
        }
    }
}

/// The beginning of the paths of what is in a group.
pub(super) fn group_path(group: &str) -> String {
    let group = group.to_lowercase();
    format!("/subscriptions/{SUBSCRIPTION}/resourcegroups/{group}/")
}

/// # Errors
/// Azure has no groups of such a name.
fn check_group_name(name: &str) -> Result<(), CloudResponse> {
    let is_plain = |it: char| it.is_alphanumeric() || "-._()".contains(it);
    let is_sound = name.chars().all(is_plain) && !name.ends_with('.') && name.chars().count() <= 90;
    match is_sound {
        true => Ok(()),
        false => {
            let words = format!(
                "The provided resource group name '{name}' is invalid. The name can only be a letter, digit, \
                 '-', '.', '(', ')' or '_', has at most 90 characters and does not end with '.'."
            );
            Err(arm_error(400, "InvalidResourceGroup", &words))
        }
    }
}

pub(super) fn is_groups(word: &str) -> bool {
    word.eq_ignore_ascii_case("resourceGroups")
}

/// Another change is under way, as recorded.
pub(super) fn busy() -> CloudResponse {
    arm_error(
        409,
        "RequestConflict",
        "Another operation is being performed on the parent resource. Please wait for it to complete before \
         issuing this request.",
    )
}
