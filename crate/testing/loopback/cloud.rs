//! The practice cloud of the launcher as a test double: on loopback, without waits, with other answers
//! where a test wants them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::practice::{self, CloudRequest, CloudResponse, Identity, State};
use super::{Reply, Request, Server};

/// What the cloud answers instead, if anything.
type Fault = Box<dyn Fn(&Request, usize) -> Option<Reply> + Send + Sync>;
/// What happens after the cloud has done what was asked, and before it answers.
type Done = Box<dyn Fn(&Request, usize) + Send + Sync>;

/// The running cloud; it stops when it is dropped.
pub(crate) struct Cloud {
    server: Server,
    cloud: Arc<Mutex<practice::Cloud>>,
}

impl Cloud {
    pub(crate) fn start() -> Self {
        Self::with_faults(|_, _| None)
    }

    /// The cloud, with other answers where `fault` gives one. It also gets the number of requests before.
    pub(crate) fn with_faults(
        fault: impl Fn(&Request, usize) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        Self::with(Box::new(fault), Box::new(|_, _| ()))
    }

    /// The cloud, with something that happens after it has done what was asked, and before it answers.
    pub(crate) fn watched(done: impl Fn(&Request, usize) + Send + Sync + 'static) -> Self {
        Self::with(Box::new(|_, _| None), Box::new(done))
    }

    fn with(fault: Fault, done: Done) -> Self {
        let identity = Identity {
            client_secret: "a-secret-of-practice".to_owned(),
            token: "a-token-0123456789".to_owned(),
            workspace_token: "dapi-of-practice".to_owned(),
            keys: "key-one-0123456789".to_owned(),
        };
        let cloud = Arc::new(Mutex::new(practice::Cloud::new(State::new(identity))));
        let (ours, address) = (Arc::clone(&cloud), Arc::new(Mutex::new(String::new())));
        let known = Arc::clone(&address);
        let server = Server::answering(move |request, before| {
            let origin = known.lock().unwrap().clone();
            fault(request, before).unwrap_or_else(|| {
                let told = lock(&ours).answer(&ask(request, &origin));
                done(request, before);
                reply(told)
            })
        });
        *address.lock().unwrap() = server.url();
        Self { server, cloud }
    }

    /// Changes how the cloud behaves.
    pub(crate) fn change(&self, change: impl FnOnce(&mut practice::Cloud)) {
        change(&mut lock(&self.cloud));
    }

    /// Makes something go wrong from now on.
    pub(crate) fn fail(&self, fault: practice::Fault) {
        self.change(|cloud| {
            cloud.faults.insert(fault);
        });
    }

    /// What there is in it.
    pub(crate) fn left(&self) -> Vec<String> {
        lock(&self.cloud).state.left()
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

/// A test that fails while it holds the cloud must not hide why.
fn lock(cloud: &Mutex<practice::Cloud>) -> std::sync::MutexGuard<'_, practice::Cloud> {
    cloud.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ask<'a>(request: &'a Request, origin: &'a str) -> CloudRequest<'a> {
    let header = |name: &str| request.header(name).first().copied();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    CloudRequest {
        method: &request.method,
        target: &request.target,
        body: &request.body,
        bearer: header("authorization").and_then(|value| value.strip_prefix("Bearer ")),
        workspace: header("x-databricks-azure-workspace-resource-id"),
        origin,
        now: now.as_millis() as u64,
    }
}

fn reply(told: CloudResponse) -> Reply {
    let reply = Reply::new(told.status, "application/json", told.body);
    told.headers
        .iter()
        .fold(reply, |reply, (name, value)| reply.header(name, value))
}

fn path(request: &Request) -> &str {
    request.target.split('?').next().unwrap_or_default()
}

fn is_change(request: &Request) -> bool {
    let reads = ["/listKeys", "/checkDomainAvailability", "/clusters/events"];
    request.method != "GET" && !reads.iter().any(|read| path(request).ends_with(read))
}

pub(crate) fn arm_error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, json!({"error": {"code": code, "message": message}}))
}

pub(crate) fn databricks_error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, json!({"error_code": code, "message": message}))
}
