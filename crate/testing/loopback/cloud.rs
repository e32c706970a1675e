//! A small cloud: the token endpoint of Microsoft Entra, Azure Resource Manager, and a Databricks workspace,
//! with the lab's resources. What it answers is data in `testing/cloud`, in the shapes of the recorded
//! tests of azure-cli (MIT) and of databricks-sdk-py (Apache-2.0).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{Reply, Request, Server};

const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000000";

/// What the cloud answers instead, if anything.
type Fault = Box<dyn Fn(&Request, usize) -> Option<Reply> + Send + Sync>;

/// The running cloud; it stops when it is dropped.
pub(crate) struct Cloud {
    server: Server,
}

#[derive(Default)]
struct State {
    registered: BTreeSet<String>,
    /// What there is in Azure, by path in lower case.
    things: BTreeMap<String, Value>,
    deleted: Vec<Value>,
    clusters: BTreeMap<String, Value>,
    libraries: Vec<Value>,
    endpoints: BTreeSet<String>,
}

impl Cloud {
    pub(crate) fn start() -> Self {
        Self::with_faults(|_, _| None)
    }

    /// The cloud, with other answers where `fault` gives one. It also gets the number of requests before.
    pub(crate) fn with_faults(
        fault: impl Fn(&Request, usize) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let (state, fault): (_, Fault) = (Mutex::new(State::default()), Box::new(fault));
        let address = Arc::new(Mutex::new(String::new()));
        let known = Arc::clone(&address);
        let server = Server::answering(move |request, before| {
            let host = known.lock().unwrap().clone();
            fault(request, before).unwrap_or_else(|| state.lock().unwrap().answer(request, &host))
        });
        *address.lock().unwrap() = server.url();
        Self { server }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// The requests so far, without those for tokens.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let mut requests = self.server.requests();
        requests.retain(|request| !request.target.contains("/oauth2/"));
        requests
    }

    /// The requests so far that change something: `PUT .../accounts/x`.
    pub(crate) fn changes(&self) -> Vec<String> {
        let requests = self.requests();
        let changes = requests.iter().filter(|request| is_change(request));
        changes
            .map(|request| format!("{} {}", request.method, path(request)))
            .collect()
    }

    /// The variable of this name, for a client of this cloud.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        Some(match name {
            "AZURE_RESOURCE_MANAGER_URL" | "AZURE_AUTHORITY_HOST" => self.url(),
            "AZURE_TENANT_ID" => "practice".to_owned(),
            "AZURE_CLIENT_ID" => "an-app".to_owned(),
            "AZURE_CLIENT_SECRET" => "a-secret-of-practice".to_owned(),
            "DATABRICKS_HOST" => self.url(),
            "DATABRICKS_TOKEN" => "dapi-of-practice".to_owned(),
            _ => return None,
        })
    }
}

fn path(request: &Request) -> &str {
    request.target.split('?').next().unwrap_or_default()
}

fn is_change(request: &Request) -> bool {
    let reads = ["/listKeys", "/checkDomainAvailability", "/clusters/events"];
    request.method != "GET" && !reads.iter().any(|read| path(request).ends_with(read))
}

fn data(text: &str) -> Reply {
    Reply::new(200, "application/json", text)
}

pub(crate) fn arm_error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, json!({"error": {"code": code, "message": message}}))
}

impl State {
    fn answer(&mut self, request: &Request, host: &str) -> Reply {
        let path = path(request).to_owned();
        if path.ends_with("/oauth2/v2.0/token") {
            let token = json!({"token_type": "Bearer", "expires_in": 3599, "access_token": "a-token-0123456789"});
            return Reply::json(200, token);
        }
        match path.strip_prefix("/api/") {
            Some(rest) => self.databricks(request, rest),
            None => self.azure(request, &path, host),
        }
    }

    fn azure(&mut self, request: &Request, path: &str, host: &str) -> Reply {
        let method = request.method.as_str();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let last = parts.last().copied().unwrap_or_default();
        let provider = |name: &str| json!({"namespace": name, "registrationState": "Registered"});
        match (method, &parts[..]) {
            ("GET", ["subscriptions"]) => {
                let one = include_str!("../cloud/subscription.json");
                data(&format!("{{\"value\":[{one}]}}"))
            }
            ("GET", ["subscriptions", _]) => data(include_str!("../cloud/subscription.json")),
            ("POST", [.., "providers", name, "register"]) => {
                self.registered.insert((*name).to_owned());
                Reply::json(200, provider(name))
            }
            ("GET", ["subscriptions", _, "providers", name]) => {
                match self.registered.contains(*name) {
                    true => Reply::json(200, provider(name)),
                    false => Reply::json(
                        200,
                        json!({"namespace": name, "registrationState": "NotRegistered"}),
                    ),
                }
            }
            ("GET", [.., "Microsoft.Authorization", "permissions"]) => {
                data(include_str!("../cloud/permissions.json"))
            }
            ("GET", [.., "Microsoft.Compute", "locations", _, "usages"]) => {
                data(include_str!("../cloud/cores.json"))
            }
            ("GET", [.., "Microsoft.Compute", "skus"]) => {
                data(include_str!("../cloud/machines.json"))
            }
            ("GET", [.., "locations", _, "models"]) => data(include_str!("../cloud/models.json")),
            ("GET", [.., "locations", _, "usages"]) => data(include_str!("../cloud/usages.json")),
            ("GET", [.., "operationResults", id]) => {
                Reply::json(200, json!({"name": id, "status": "Succeeded"}))
            }
            ("POST", [.., "checkDomainAvailability"]) => Reply::json(
                200,
                json!({"isSubdomainAvailable": true, "type": "x", "subdomainName": "x"}),
            ),
            ("POST", [.., "listKeys"]) => {
                let keys = json!({"key1": "key-one-0123456789", "key2": "key-two-0123456789"});
                Reply::json(200, keys)
            }
            ("GET", [.., "deletedAccounts"]) => Reply::json(200, json!({"value": self.deleted})),
            ("DELETE", [.., "deletedAccounts", name]) => {
                let ending = format!("/deletedAccounts/{name}");
                self.deleted
                    .retain(|one| !one["id"].as_str().unwrap().ends_with(&ending));
                Reply::json(200, json!({}))
            }
            ("GET", [.., "accounts", _, "deployments"]) => {
                let prefix = format!("{}/", path.to_ascii_lowercase());
                let things = self
                    .things
                    .iter()
                    .filter(|(path, _)| path.starts_with(&prefix));
                let things: Vec<&Value> = things.map(|(_, thing)| thing).collect();
                Reply::json(200, json!({"value": things}))
            }
            ("GET", _) => match self.things.get(&path.to_ascii_lowercase()) {
                Some(thing) => Reply::json(200, thing.clone()),
                None => arm_error(404, "ResourceNotFound", "The Resource was not found."),
            },
            ("PUT", _) => self.make(request, path, &parts, host),
            ("DELETE", _) => self.remove(path, last),
            _ => arm_error(405, "MethodNotAllowed", "no such operation"),
        }
    }

    fn make(&mut self, request: &Request, path: &str, parts: &[&str], host: &str) -> Reply {
        let mut thing = request.json();
        thing["id"] = json!(path);
        thing["name"] = json!(parts.last());
        thing["properties"]["provisioningState"] = json!("Succeeded");
        let is_slow = match parts {
            [.., "accounts", _] => {
                let name = &thing["properties"]["customSubDomainName"];
                assert!(name.is_string(), "without a subdomain there is no sign-in");
                thing["properties"]["endpoint"] = json!(format!("{host}/"));
                true
            }
            [.., "workspaces", _] => {
                let address = host.trim_start_matches("http://");
                thing["properties"]["workspaceUrl"] = json!(address);
                true
            }
            [.., "deployments", _] => {
                let capacity = thing["sku"]["capacity"].as_u64().unwrap();
                thing["properties"]["rateLimits"] = json!([
                    {"key": "request", "renewalPeriod": 10, "count": capacity},
                    {"key": "token", "renewalPeriod": 60, "count": capacity * 1000},
                ]);
                false
            }
            _ => false,
        };
        self.things.insert(path.to_ascii_lowercase(), thing.clone());
        if !is_slow {
            return Reply::json(201, thing);
        }
        let operation = format!(
            "{host}/subscriptions/{SUBSCRIPTION}/providers/x/locations/y/operationResults/1?api-version=1"
        );
        thing["properties"]["provisioningState"] = json!("Creating");
        Reply::json(201, thing)
            .header("azure-asyncoperation", &operation)
            .header("retry-after", "0")
    }

    fn remove(&mut self, path: &str, name: &str) -> Reply {
        let Some(thing) = self.things.remove(&path.to_ascii_lowercase()) else {
            return Reply::new(204, "application/json", "");
        };
        if path.contains("/accounts/") && !path.contains("/deployments/") {
            let region = thing["location"].as_str().unwrap();
            let group = path.split('/').nth(4).unwrap();
            let id = format!(
                "/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/{region}\
                 /resourceGroups/{group}/deletedAccounts/{name}"
            );
            self.deleted.push(json!({"id": id, "name": name, "properties": {
                "deletionDate": "2026-11-28T12:00:00Z", "scheduledPurgeDate": "2026-11-30T12:00:00Z"}}));
        }
        Reply::new(200, "application/json", "")
    }

    fn databricks(&mut self, request: &Request, rest: &str) -> Reply {
        let (_, rest) = rest.split_once('/').unwrap_or_default();
        let query = request
            .target
            .split_once('?')
            .map_or("", |(_, query)| query);
        let body = || request.json();
        match (request.method.as_str(), rest) {
            ("GET", "preview/scim/v2/Me") => {
                Reply::json(200, json!({"userName": "me@example.org"}))
            }
            ("GET", "clusters/spark-versions") => {
                data(include_str!("../cloud/spark_versions.json"))
            }
            ("GET", "clusters/list-node-types") => data(include_str!("../cloud/node_types.json")),
            ("GET", "clusters/list") => {
                let clusters: Vec<&Value> = self.clusters.values().collect();
                Reply::json(200, json!({"clusters": clusters}))
            }
            ("POST", "clusters/create") => {
                let mut cluster = body();
                let id = format!("0101-{:04}", self.clusters.len());
                cluster["cluster_id"] = json!(id);
                cluster["state"] = json!("PENDING");
                self.clusters.insert(id.clone(), cluster);
                Reply::json(200, json!({"cluster_id": id}))
            }
            ("GET", "clusters/get") => self.cluster(query.trim_start_matches("cluster_id=")),
            ("POST", "clusters/start") => self.turn(&body(), "PENDING"),
            ("POST", "clusters/delete") => self.turn(&body(), "TERMINATING"),
            ("POST", "clusters/permanent-delete") => {
                self.clusters.remove(body()["cluster_id"].as_str().unwrap());
                Reply::json(200, json!({}))
            }
            ("POST", "clusters/events") => Reply::json(
                200,
                json!({"events": [
                {"cluster_id": "x", "timestamp": 1_764_000_000_000_u64, "type": "TERMINATING", "details":
                    {"reason": {"code": "INACTIVITY", "type": "SUCCESS",
                        "parameters": {"inactivity_duration_min": "20"}}}}]}),
            ),
            ("POST", "libraries/install") => {
                let libraries = body()["libraries"].as_array().unwrap().clone();
                self.libraries.extend(libraries);
                Reply::json(200, json!({}))
            }
            ("GET", "libraries/cluster-status") => {
                let status = |library: &Value| json!({"library": library, "status": "INSTALLED"});
                let statuses: Vec<Value> = self.libraries.iter().map(status).collect();
                Reply::json(
                    200,
                    json!({"cluster_id": "x", "library_statuses": statuses}),
                )
            }
            ("POST", "jobs/runs/submit") => Reply::json(200, json!({"run_id": 7})),
            ("GET", "jobs/runs/get") => Reply::json(
                200,
                json!({"run_id": 7, "run_page_url": "https://x/7",
                "tasks": [{"run_id": 8, "task_key": "notebook"}],
                "state": {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS"}}),
            ),
            ("GET", "jobs/runs/get-output") => Reply::json(
                200,
                json!({"notebook_output": {"result": "ten answers", "truncated": false}}),
            ),
            ("POST", "serving-endpoints") => {
                let name = body()["name"].as_str().unwrap().to_owned();
                self.endpoints.insert(name.clone());
                Reply::json(200, json!({"name": name}))
            }
            ("DELETE", rest) => {
                self.endpoints
                    .remove(rest.trim_start_matches("serving-endpoints/"));
                Reply::json(200, json!({}))
            }
            ("GET", rest) if rest.starts_with("serving-endpoints/") => {
                match self
                    .endpoints
                    .contains(rest.trim_start_matches("serving-endpoints/"))
                {
                    true => Reply::json(
                        200,
                        json!({"state": {"ready": "READY", "config_update": "NOT_UPDATING"}}),
                    ),
                    false => {
                        databricks_error(404, "RESOURCE_DOES_NOT_EXIST", "Endpoint does not exist.")
                    }
                }
            }
            ("PUT", _) => Reply::new(204, "application/json", ""),
            ("POST", _) => Reply::json(200, json!({})),
            _ => databricks_error(404, "ENDPOINT_NOT_FOUND", "no such endpoint"),
        }
    }

    /// A cluster, which is one state on at each look.
    fn cluster(&mut self, id: &str) -> Reply {
        let Some(cluster) = self.clusters.get_mut(id) else {
            let message = format!("Cluster {id} does not exist");
            return databricks_error(400, "INVALID_PARAMETER_VALUE", &message);
        };
        let seen = cluster.clone();
        let next = match seen["state"].as_str() {
            Some("PENDING") => "RUNNING",
            Some("TERMINATING") => "TERMINATED",
            _ => return Reply::json(200, seen),
        };
        cluster["state"] = json!(next);
        Reply::json(200, seen)
    }

    fn turn(&mut self, body: &Value, state: &str) -> Reply {
        match self.clusters.get_mut(body["cluster_id"].as_str().unwrap()) {
            Some(cluster) => {
                cluster["state"] = json!(state);
                Reply::json(200, json!({}))
            }
            None => databricks_error(400, "INVALID_PARAMETER_VALUE", "Cluster does not exist"),
        }
    }
}

pub(crate) fn databricks_error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, json!({"error_code": code, "message": message}))
}
