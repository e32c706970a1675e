//! Azure against a small cloud on loopback.

mod checks;
mod faults;
mod operations;

use std::sync::{Arc, Mutex};

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{Azure, Region};
use crate::loopback::{Cloud, Reply, Request};

/// Whoever signs in there.
fn signed_in(cloud: &Cloud) -> Azure {
    Azure::from_lookup(|name| cloud.variable(name)).unwrap()
}

fn query(request: &Request) -> &str {
    request
        .target
        .split_once('?')
        .map_or("", |(_, query)| query)
}

#[test]
fn the_lab_is_made_once_and_removed_without_a_rest() {
    let cloud = Cloud::start();
    let azure = signed_in(&cloud);
    let make = || {
        let openai = azure
            .openai("even-lab")
            .region("Sweden Central")
            .create()
            .unwrap();
        let model = openai
            .deploy("gpt-35-turbo")
            .tokens_per_minute(5_000)
            .create()
            .unwrap();
        (openai, model)
    };
    let (openai, model) = make();
    assert_eq!(openai.region(), "swedencentral");
    assert_snapshot!(model, @"the deployment gpt-5-mini of gpt-5-mini 2025-08-07 (GlobalStandard, 5,000 tokens per minute)");
    assert_eq!(model.replaces(), Some("gpt-35-turbo"));
    assert_eq!(model.requests_per_minute(), Some(30));
    let made = cloud.changes();
    assert_snapshot!(made.join("\n"), @r"
    POST /subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.CognitiveServices/register
    PUT /subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/evenhand-lab
    PUT /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/evenhand-lab/providers/Microsoft.CognitiveServices/accounts/even-lab
    PUT /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/evenhand-lab/providers/Microsoft.CognitiveServices/accounts/even-lab/deployments/gpt-5-mini
    ");
    // The same cells again.
    let (_, again) = make();
    assert_eq!(again.to_string(), model.to_string());
    assert_eq!(cloud.changes(), made, "what exists is not made again");

    let client = model.client().unwrap();
    assert_eq!(client.deployment(), Some("gpt-5-mini"));
    assert!(!format!("{client:?} {:?}", openai.keys()).contains("key-one"));

    openai.delete().unwrap();
    openai.delete().unwrap();
    assert_eq!(
        azure
            .openai("even-lab")
            .get()
            .unwrap()
            .map(|it| it.to_string()),
        None
    );
    let deleted = azure.deleted_accounts().unwrap();
    assert_eq!(
        (&*deleted[0].name, &*deleted[0].region),
        ("even-lab", "swedencentral")
    );
    azure.purge_deleted_account("even-lab").unwrap();
    assert_eq!(azure.deleted_accounts().unwrap(), []);
    let error = azure.purge_deleted_account("even-lab").unwrap_err();
    assert!(error.is_not_found() && error.hint().is_some(), "{error}");
}

#[test]
fn a_resource_group_that_others_made_is_not_deleted() {
    let deleted = |group: Value| {
        let cloud = Cloud::with_faults(move |request, _| {
            let is_group = request.method == "GET" && request.target.contains("/resourcegroups/");
            is_group.then(|| Reply::json(200, group.clone()))
        });
        let result = signed_in(&cloud).delete_resource_group();
        (result, cloud.changes().len())
    };
    for group in [
        json!({"name": "x"}),
        json!({"name": "x", "tags": {"made-by": "azd"}, "managedBy": null}),
    ] {
        let (result, changes) = deleted(group);
        let error = result.unwrap_err();
        assert!(error.is_settings() && error.hint().is_some(), "{error}");
        assert_eq!(changes, 0, "nothing was deleted");
    }
    let by = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Databricks/workspaces/w";
    for group in [
        json!({"tags": {"made-by": "evenhand"}}),
        json!({"managedBy": by}),
    ] {
        let (result, changes) = deleted(group);
        result.unwrap();
        assert_eq!(changes, 1);
    }
}

#[test]
fn every_request_has_a_version_and_the_token_and_no_key_is_shown() {
    let cloud = Cloud::start();
    let azure = signed_in(&cloud);
    azure.openai("even-lab").create().unwrap().keys().unwrap();
    for request in cloud.requests() {
        assert!(
            query(&request).contains("api-version="),
            "{}",
            request.target
        );
        assert_eq!(
            request.header("authorization"),
            ["Bearer a-token-0123456789"]
        );
    }
    assert!(!format!("{azure:?} {azure}").contains("secret"));
}

#[test]
fn a_databricks_workspace_has_a_cluster_that_is_made_once() {
    let cloud = Cloud::start();
    let azure = signed_in(&cloud);
    let make = || {
        let workspace = azure
            .databricks("even-dbx")
            .region("swedencentral")
            .create()
            .unwrap();
        let cluster = workspace.cluster().single_node().create().unwrap();
        (workspace, cluster)
    };
    let (workspace, cluster) = make();
    assert_snapshot!(cluster, @"the cluster evenhand (Standard_D4ds_v5, 17.3.x-scala2.13), which terminates after 20 idle minutes");
    let made = cloud.changes();
    assert_eq!(make().1.id(), cluster.id());
    assert_eq!(cloud.changes(), made, "what exists is not made again");
    // Who is no member of the workspace yet is one of Azure.
    let asked = cloud.requests();
    let asked = asked
        .iter()
        .find(|request| request.target.starts_with("/api/"))
        .unwrap();
    let id = asked.header("x-databricks-azure-workspace-resource-id");
    assert_eq!(id, [workspace.id()]);
    assert_eq!(
        asked.header("x-databricks-azure-sp-management-token").len(),
        1
    );
    workspace.delete().unwrap();
    assert!(azure.databricks("even-dbx").get().unwrap().is_none());
}

#[test]
fn what_takes_minutes_tells_how_far_it_is() {
    let cloud = Cloud::start();
    let reported: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&reported);
    let azure = signed_in(&cloud).on_progress(move |progress| {
        heard
            .lock()
            .unwrap()
            .push(format!("{}: {}", progress.what, progress.state));
    });
    azure
        .openai("even-lab")
        .region(Region::named("eastus2"))
        .create()
        .unwrap();
    let reported = reported.lock().unwrap().clone();
    assert_eq!(
        reported.last().unwrap(),
        "the OpenAI account even-lab: done"
    );
    assert!(
        reported.contains(&"the OpenAI account even-lab: in progress".to_owned()),
        "{reported:?}"
    );
}
