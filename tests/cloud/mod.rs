//! Compares our requests to Azure and Databricks with those of the official Python clients from PyPI: the
//! same method, path, query, headers and body for everything that the lab does. `up_and_down`, `interrupted`
//! and `practice` are about the commands.

mod interrupted;
mod learner;
mod practice;
mod up_and_down;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use evenhand::azure::{Azure, SetupPlan};
use evenhand::databricks::{ExternalModel, PyPi, Workspace};
use serde_json::{Value, json};

use crate::support::python::environment;
use crate::support::server::{Cloud, Request};
use crate::support::skip;

const PACKAGES: [&str; 7] = [
    "azure-mgmt-authorization==4.0.0",
    "azure-mgmt-cognitiveservices==14.1.0",
    "azure-mgmt-compute==39.0.0",
    "azure-mgmt-databricks==3.0.0",
    "azure-mgmt-resource==26.0.0",
    "azure-mgmt-resource-subscriptions==1.0.0",
    "databricks-sdk==0.162.0",
];

/// Everything that the lab does.
fn do_the_lab(cloud: &Cloud) -> evenhand::Result<()> {
    let azure = Azure::from_lookup(|name| cloud.variable(name))?;
    let plan = SetupPlan::lab().region("swedencentral");
    azure.check(&plan)?;
    let openai = azure.openai("even-lab").region("swedencentral").create()?;
    let model = openai.deploy("gpt-35-turbo").create()?;
    model.client()?;
    let dbx = azure
        .databricks("even-dbx")
        .region("swedencentral")
        .create()?;
    azure.check(&plan)?;
    assert_eq!(azure.resources()?.len(), 2);
    let workspace = Workspace::from_lookup(|name| cloud.variable(name))?;
    let cluster = workspace.cluster().single_node().create()?;
    cluster.install(PyPi("openai==1.42.0"))?;
    workspace.import_notebook("/Users/me@example.org/lab", b"{}")?;
    workspace.contents()?;
    workspace.upload("/Volumes/main/default/lab/a.csv", b"x".to_vec())?;
    let run = cluster.run_notebook("/Users/me@example.org/lab")?;
    run.output()?;
    run.cancel()?;
    let external = ExternalModel::new(
        "https://x.openai.azure.com/",
        "gpt-5-mini",
        "key-one-0123456789",
    );
    workspace
        .serving_endpoint("even", &external)
        .create()?
        .delete()?;
    cluster.events()?;
    workspace.delete_path("/Users/me@example.org/lab")?;
    cluster.terminate()?;
    cluster.start()?;
    cluster.delete()?;
    dbx.delete()?;
    openai.delete()?;
    azure.purge_deleted_account("even-lab")?;
    azure.delete_resource_group()
}

/// The text without percent-encoding.
fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    let mut parts = text.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (hex, rest) = part.split_at(2);
        let byte = u8::from_str_radix(hex, 16).unwrap();
        format!("{text}{}{rest}", char::from(byte))
    })
}

/// What matters of a request, as one line of JSON.
fn told(request: &Request) -> String {
    let (path, query) = request
        .target
        .split_once('?')
        .unwrap_or((&request.target, ""));
    let query: BTreeSet<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(decoded)
        .collect();
    let text = String::from_utf8_lossy(&request.body).into_owned();
    let mut body = serde_json::from_str(&text).unwrap_or(Value::from(text));
    if body["idempotency_token"].is_string() {
        body["idempotency_token"] = json!("any");
    }
    let header = |name: &str| request.header(name).join(", ");
    let content_type = match request.body.is_empty() {
        true => String::new(),
        false => header("content-type"),
    };
    json!({
        "method": request.method, "path": path, "query": query, "body": sorted(&body),
        "content-type": content_type, "authorization": header("authorization"),
    })
    .to_string()
}

/// The same with the fields of each object in alphabetical order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| (name.clone(), sorted(value)));
            json!(fields.collect::<BTreeMap<String, Value>>())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// Whether only one side asks this: the Databricks SDK what kind of host it is, and we for the rights in
/// a whole subscription, for which Azure's client has no function.
fn is_alone(target: &str) -> bool {
    let rights = "000000000000/providers/Microsoft.Authorization/permissions";
    target.starts_with("/.well-known/") || target.contains(rights)
}

fn all(cloud: &Cloud) -> BTreeSet<String> {
    let requests = cloud.requests();
    let asked = requests.iter().filter(|request| !is_alone(&request.target));
    asked.map(told).collect()
}

/// A name that our client chose, from the body of a request.
fn chosen(cloud: &Cloud, field: &str) -> String {
    let requests = cloud.requests();
    let puts = requests
        .iter()
        .filter(|request| request.method == "PUT" && !request.body.is_empty());
    let bodies = puts.filter_map(|request| serde_json::from_slice::<Value>(&request.body).ok());
    let mut values =
        bodies.filter_map(|body| body["properties"][field].as_str().map(str::to_owned));
    values.next().unwrap()
}

#[test]
fn our_requests_are_those_of_the_official_clients() {
    let python = environment("official-cloud-clients", Path::new("python3"), &PACKAGES);
    let Ok(python) = python.map(|bin| bin.join("python")) else {
        skip("the official clients of Azure and Databricks can't be installed here");
        return;
    };
    let ours = Cloud::start();
    do_the_lab(&ours).unwrap();
    let theirs = Cloud::start();
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/cloud/official_clients.py"
    );
    let managed = chosen(&ours, "managedResourceGroupId");
    let managed = managed.rsplit('/').next().unwrap();
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(python)
        .args(["-I", script, &theirs.url(), "evenhand"])
        .args([&chosen(&ours, "customSubDomainName"), managed])
        // No profile and no proxy of this machine.
        .env_clear()
        .env("HOME", home.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let (ours, theirs) = (all(&ours), all(&theirs));
    assert!(ours.len() > 40, "{ours:#?}");
    let own: Vec<_> = ours.difference(&theirs).collect();
    let lacking: Vec<_> = theirs.difference(&ours).collect();
    assert!(
        own.is_empty(),
        "only we send: {own:#?}\nonly they send: {lacking:#?}"
    );
    assert!(lacking.is_empty(), "only they send: {lacking:#?}");
}
