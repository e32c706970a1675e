//! A workspace against a small cloud on loopback.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{Cluster, ClusterState, ExternalModel, PyPi, Workspace};
use crate::error::{Error, ErrorKind};
use crate::loopback::{Cloud, Reply, Request, databricks_error};

fn workspace(cloud: &Cloud) -> Workspace {
    Workspace::from_lookup(|name| cloud.variable(name)).unwrap()
}

fn cluster(cloud: &Cloud) -> Cluster {
    workspace(cloud).cluster().single_node().create().unwrap()
}

fn bodies(cloud: &Cloud, path: &str) -> Vec<Value> {
    let requests = cloud.requests();
    let requests = requests
        .iter()
        .filter(|request| request.target.ends_with(path));
    requests.map(Request::json).collect()
}

#[test]
fn the_labs_cluster_is_made_in_the_new_form() {
    let cloud = Cloud::start();
    let cluster = cluster(&cloud);
    assert_eq!(cluster.state().unwrap(), ClusterState::Running);
    let expected = json!({
        "cluster_name": "evenhand", "kind": "CLASSIC_PREVIEW", "is_single_node": true,
        "use_ml_runtime": true, "spark_version": "17.3.x-scala2.13",
        "node_type_id": "Standard_D4ds_v5", "data_security_mode": "SINGLE_USER",
        "single_user_name": "me@example.org", "runtime_engine": "STANDARD",
        "autotermination_minutes": 20,
    });
    assert_eq!(bodies(&cloud, "/clusters/create"), [expected]);
}

#[test]
fn a_workspace_that_refuses_it_gets_the_old_form() {
    let cloud = Cloud::with_faults(|request, _| {
        let is_new =
            request.target.ends_with("/clusters/create") && !request.json()["kind"].is_null();
        let words = "Cannot parse: unknown field is_single_node";
        is_new.then(|| databricks_error(400, "INVALID_PARAMETER_VALUE", words))
    });
    cluster(&cloud);
    let bodies = bodies(&cloud, "/clusters/create");
    let old = &bodies[1];
    assert_eq!(old["spark_version"], "17.3.x-cpu-ml-scala2.13");
    assert_eq!(old["num_workers"], 0);
    assert_eq!(old["spark_conf"]["spark.master"], "local[*]");
    assert_eq!(old["custom_tags"], json!({"ResourceClass": "SingleNode"}));
    assert!(old["kind"].is_null() && bodies.len() == 2);
}

#[test]
fn another_error_is_reported_and_nothing_is_tried_again() {
    let cloud = Cloud::with_faults(|request, _| {
        let denied = "You are not authorized to create clusters.";
        request
            .target
            .ends_with("/clusters/create")
            .then(|| databricks_error(403, "PERMISSION_DENIED", denied))
    });
    let error = workspace(&cloud).cluster().create().unwrap_err();
    assert_snapshot!(error, @r"
    127.0.0.1 refused: You are not authorized to create clusters.
      hint: ask the cluster's owner for the permission 'Can Restart', or, if it runs, 'Can Attach To'; to make one, ask an admin for the entitlement 'Unrestricted cluster creation'
    ");
    assert_eq!(bodies(&cloud, "/clusters/create").len(), 1);
}

#[test]
fn a_cluster_ends_starts_again_and_is_removed() {
    let cloud = Cloud::start();
    let cluster = cluster(&cloud);
    cluster.terminate().unwrap();
    assert_eq!(cluster.state().unwrap(), ClusterState::Terminated);
    cluster.start().unwrap();
    let events = cluster.events().unwrap();
    let kinds: Vec<_> = events.iter().map(|event| &*event.kind).collect();
    assert_eq!(kinds, ["STARTING", "TERMINATING", "CREATING"]);
    assert_eq!(events[1].reason, "USER_REQUEST (SUCCESS): me@example.org");
    assert_eq!(workspace(&cloud).clusters().unwrap().len(), 1);
    cluster.delete().unwrap();
    assert!(workspace(&cloud).cluster().get().unwrap().is_none());
    let error = cluster.state().unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

#[test]
fn a_cluster_without_an_end_is_refused() {
    let cloud = Cloud::start();
    for minutes in [0, 9, 10_001, u64::MAX] {
        let error = workspace(&cloud)
            .cluster()
            .autotermination_minutes(minutes)
            .create()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
    }
    assert!(cloud.requests().is_empty());
}

fn not_installed(status: &'static str) -> Error {
    let cloud = Cloud::with_faults(move |request, _| {
        let library = json!({"library": {"pypi": {"package": "opnai"}}, "status": status,
            "messages": ["ERROR: No matching distribution found for opnai\u{1b}[0m"]});
        let answer = json!({"library_statuses": [library]});
        request
            .target
            .contains("libraries/cluster-status")
            .then(|| Reply::json(200, answer))
    });
    cluster(&cloud).install(PyPi("opnai")).unwrap_err()
}

#[test]
fn a_package_is_installed_once_and_a_failure_is_pips() {
    let cloud = Cloud::start();
    let cluster = cluster(&cloud);
    cluster.install(PyPi("openai==1.42.0")).unwrap();
    cluster.install(PyPi("openai==1.42.0".to_owned())).unwrap();
    let body =
        json!({"cluster_id": cluster.id(), "libraries": [{"pypi": {"package": "openai==1.42.0"}}]});
    assert_eq!(bodies(&cloud, "/libraries/install"), [body]);
    assert_eq!(cluster.libraries().unwrap()[0].status, "INSTALLED");
    assert_snapshot!(not_installed("FAILED").message(), @"the package opnai was not installed: ERROR: No matching distribution found for opnai�[0m");
    for package in ["", "--index-url=http://evil.example"] {
        assert!(cluster.install(PyPi(package)).is_err());
    }
}

#[test]
fn a_notebook_is_imported_and_run_with_its_output() {
    let cloud = Cloud::start();
    let workspace = workspace(&cloud);
    workspace
        .import_notebook("/Users/me@example.org/lab", b"{}")
        .unwrap();
    let folder = json!({"path": "/Users/me@example.org"});
    assert_eq!(bodies(&cloud, "/workspace/mkdirs"), [folder]);
    let import = &bodies(&cloud, "/workspace/import")[0];
    assert_eq!(
        (&import["content"], &import["format"]),
        (&json!("e30="), &json!("JUPYTER"))
    );
    let run = cluster(&cloud)
        .run_notebook("/Users/me@example.org/lab")
        .unwrap();
    assert_snapshot!(run.output().unwrap(), @"practice: /Users/me@example.org/lab was not run, and no cell of it");
    workspace
        .upload("/Volumes/main/default/lab/a b.csv", b"x".to_vec())
        .unwrap();
    let put = cloud
        .requests()
        .into_iter()
        .find(|request| request.method == "PUT")
        .unwrap();
    assert_eq!(
        put.target,
        "/api/2.0/fs/files/Volumes/main/default/lab/a%20b.csv?overwrite=true"
    );
    assert!(workspace.upload("/Workspace/x", Vec::new()).is_err());
}

#[test]
fn a_run_that_fails_says_what_the_notebook_said() {
    let cloud = Cloud::with_faults(|request, _| {
        let answer = match request.target.split('?').next()? {
            path if path.ends_with("runs/get") => json!({"run_page_url": "https://adb-1/run/7",
                "tasks": [{"run_id": 8}],
                "state": {"life_cycle_state": "TERMINATED", "result_state": "FAILED"}}),
            path if path.ends_with("runs/get-output") => json!({"error": "NameError: name 'x'"}),
            _ => return None,
        };
        Some(Reply::json(200, answer))
    });
    let error = cluster(&cloud)
        .run_notebook("/lab")
        .unwrap()
        .output()
        .unwrap_err();
    assert_snapshot!(error, @r"
    the notebook /lab ended as FAILED: NameError: name 'x'
      hint: its page shows the cell that failed: https://adb-1/run/7
    ");
}

#[test]
fn an_external_model_is_made_once_and_its_key_is_a_secret() {
    let cloud = Cloud::start();
    let workspace = workspace(&cloud);
    let model = ExternalModel::new(
        "https://x.openai.azure.com/",
        "gpt-5-mini",
        "the-key-0123456789",
    );
    for _ in 0..2 {
        workspace.serving_endpoint("even", &model).create().unwrap();
    }
    let made = bodies(&cloud, "/serving-endpoints");
    let external = &made[0]["config"]["served_entities"][0]["external_model"];
    assert_eq!(
        external["openai_config"]["openai_api_key"],
        "{{secrets/evenhand/even}}"
    );
    assert!(made.len() == 1 && !made[0].to_string().contains("the-key"));
    assert!(!format!("{model:?}").contains("the-key"));
    assert!(workspace.serving_endpoint("a/b", &model).create().is_err());
}

#[test]
fn a_cluster_of_someone_else_is_left_alone() {
    let cloud = Cloud::with_faults(|request, _| {
        let other = json!({"clusters": [{"cluster_id": "theirs", "cluster_name": "evenhand",
            "creator_user_name": "someone@example.org", "state": "RUNNING"}]});
        request
            .target
            .ends_with("/clusters/list")
            .then(|| Reply::json(200, other))
    });
    assert_ne!(cluster(&cloud).id(), "theirs");
}

#[test]
fn the_contents_are_what_people_made() {
    let cloud = Cloud::with_faults(|request, _| {
        let answer = |body: Value| Some(Reply::json(200, body));
        match request.target.as_str() {
            // An empty page is not the last one.
            "/api/2.2/jobs/list" => answer(json!({"next_page_token": "2"})),
            "/api/2.2/jobs/list?page_token=2" => answer(json!({"jobs": [
                {"job_id": 5, "settings": {"name": "nightly"}}, {"job_id": 6}]})),
            "/api/2.0/serving-endpoints" => {
                answer(json!({"endpoints": [{"name": "databricks-llama"}, {"name": "even"}]}))
            }
            "/api/2.0/workspace/list?path=%2F" => answer(json!({"objects": [
                {"path": "/Users", "object_type": "DIRECTORY"}, {"path": "/", "object_type": "DIRECTORY"},
                {"object_type": "DIRECTORY"},
                {"path": "/Shared", "object_type": "DIRECTORY"}]})),
            "/api/2.0/workspace/list?path=%2FUsers" => answer(json!({"objects": [
                {"path": "/Users/a", "object_type": "DIRECTORY"},
                {"path": "/Users/a/Trash", "object_type": "DIRECTORY"},
                {"path": "/Users/x\u{1b}[2J.py", "object_type": "FILE"}]})),
            "/api/2.0/workspace/list?path=%2FUsers%2Fa" => answer(json!({"objects": [
                {"path": "/Users/a/lab", "object_type": "NOTEBOOK"}]})),
            "/api/2.0/workspace/list?path=%2FShared%2FTrash" => answer(json!({"objects": [
                {"path": "/Shared/Trash/thesis", "object_type": "NOTEBOOK"}]})),
            "/api/2.0/workspace/list?path=%2FShared" => answer(json!({"objects": [
                {"path": "/Shared/Trash", "object_type": "DIRECTORY"}]})),
            _ => None,
        }
    });
    let workspace = workspace(&cloud);
    cluster(&cloud);
    insta::assert_debug_snapshot!(workspace.contents().unwrap(), @r#"
    [
        "cluster evenhand",
        "job nightly",
        "job 6",
        "serving endpoint even",
        "folder without a path",
        "notebook /Shared/Trash/thesis",
        "file /Users/x�[2J.py",
        "notebook /Users/a/lab",
    ]
    "#);
}

#[test]
fn what_only_looks_is_asked_again_after_a_failure_of_the_service() {
    let cloud = Cloud::with_faults(|request, number| {
        let is_change = request.target.ends_with("/clusters/create");
        let fails = is_change || number % 2 == 0;
        fails.then(|| databricks_error(500, "INTERNAL_ERROR", "oops"))
    });
    assert!(workspace(&cloud).clusters().unwrap().is_empty());
    let error = workspace(&cloud).cluster().create().unwrap_err();
    assert_eq!(
        error.message(),
        "127.0.0.1 could not answer /api/2.1/clusters/create (HTTP status 500): oops"
    );
    assert_eq!(bodies(&cloud, "/clusters/create").len(), 1);
}
