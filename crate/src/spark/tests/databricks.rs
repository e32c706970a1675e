//! Databricks: the cluster's states, the identity, the headers, the end of the session.

use insta::assert_snapshot;
use serde_json::json;

use super::stand_in::{Answer, StandIn, complete, framed, response};
use super::{rows, text};
use crate::databricks::{Auth, Compute, DatabricksSettings, Workspace};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime;
use crate::secret::Secret;
use crate::spark::Session;
use crate::spark::messages::{Empty, ExecutePlanRequest};
use crate::spark::workspace::{Target, session_on};
use prost::Message as _;

fn workspace(answer: impl Fn(&str, usize) -> Option<Answer> + Send + Sync + 'static) -> StandIn {
    StandIn::start(move |method, before| {
        answer(method, before).unwrap_or_else(|| match method {
            "get" => state("RUNNING"),
            "ExecutePlan" => Answer::Whole(vec![response("1", Some(&rows(&[7]))), complete("2")]),
            _ => Answer::Whole(vec![framed(&Empty {})]),
        })
    })
}

fn state(state: &str) -> Answer {
    let cluster = json!({"cluster_name": "lab", "state": state, "state_message": "", "new": [1]});
    Answer::Json(200, cluster.to_string())
}

fn rejection(status: u16, code: &str, message: &str) -> Answer {
    let body = json!({"error_code": code, "message": message});
    Answer::Json(status, body.to_string())
}

fn connect(server: &StandIn, auth: Auth, compute: Compute) -> Result<Session> {
    let target = Target {
        settings: DatabricksSettings {
            host: server.url().parse().unwrap(),
            auth,
            compute: None,
            azure_resource_id: None,
            source: "a test".to_owned(),
        },
        compute,
    };
    let connected = runtime::wait(runtime::run(
        async move { target.connect(Vec::new()).await },
    ))?;
    Ok(Session::from_connected(connected))
}

fn on_cluster(server: &StandIn) -> Result<Session> {
    let cluster = Compute::Cluster("0101-abc".to_owned());
    connect(server, Auth::Token(Secret::new("dapi-secret")), cluster)
}

fn application() -> Auth {
    Auth::Application {
        client_id: "an-application".to_owned(),
        secret: Secret::new("its-secret"),
    }
}

fn refused(answer: impl Fn(&str, usize) -> Option<Answer> + Send + Sync + 'static) -> Error {
    on_cluster(&workspace(answer)).unwrap_err()
}

#[test]
fn a_cluster_that_runs_is_used_at_once_and_the_session_is_closed() {
    let server = workspace(|_, _| None);
    let spark = on_cluster(&server).unwrap();
    assert_eq!(spark.range(0, 1).to_polars().unwrap().height(), 1);
    assert!(!format!("{spark:?}").contains("dapi"));
    drop(spark);
    let methods = server.methods();
    assert_eq!(
        methods,
        [
            "get",
            "Config",
            "ExecutePlan",
            "ReleaseExecute",
            "ReleaseSession"
        ]
    );
    server.with_asked(|asked| {
        for one in asked {
            assert_eq!(
                one.headers["authorization"], "Bearer dapi-secret",
                "{}",
                one.method
            );
            let is_rest = one.method == "get";
            let cluster = one.headers.get("x-databricks-cluster-id");
            assert_eq!(cluster.is_none(), is_rest, "{}", one.method);
        }
    });
}

#[test]
fn a_cluster_has_one_session_however_often_a_cell_asks() {
    let server = workspace(|_, _| None);
    let address = server.url();
    let workspace = Workspace::from_lookup(|name| match name {
        "DATABRICKS_HOST" => Some(address.clone()),
        "DATABRICKS_TOKEN" => Some("dapi-secret".to_owned()),
        _ => None,
    });
    let workspace = workspace.unwrap();
    let session = || {
        let workspace = workspace.clone();
        let begun = async move { session_on(&workspace, "0101-lab").await };
        runtime::wait(runtime::run(begun)).unwrap()
    };
    let spark = session();
    session();
    assert_eq!(spark.range(0, 1).to_polars().unwrap().height(), 1);
    let methods = server.methods();
    let greetings = methods.iter().filter(|method| *method == "Config");
    assert_eq!(greetings.count(), 1, "{methods:?}");
}

#[test]
fn a_cluster_that_is_terminated_is_started_and_waited_for() {
    let server = workspace(|method, before| match (method, before) {
        ("get", 0) => Some(state("TERMINATING")),
        ("get", 1) => Some(state("TERMINATED")),
        ("start", _) => Some(Answer::Json(200, "{}".to_owned())),
        ("get", 2) => Some(state("PENDING")),
        // Spark is not there yet when the cluster is.
        ("Config", 0..3) => Some(Answer::Page(503)),
        _ => None,
    });
    on_cluster(&server).unwrap();
    let methods = server.methods();
    assert_eq!(methods[..5], ["get", "get", "start", "get", "get"]);
    server.with_asked(|asked| {
        let start = asked.iter().find(|asked| asked.method == "start").unwrap();
        assert_eq!(&start.body[..], br#"{"cluster_id":"0101-abc"}"#);
    });
}

#[test]
fn a_cluster_that_does_not_start_says_why() {
    let error = refused(|method, before| match (method, before) {
        ("get", 0) => Some(state("TERMINATED")),
        ("start", _) => Some(Answer::Json(200, "{}".to_owned())),
        ("get", _) => {
            let cluster = json!({"cluster_name": "lab", "state": "TERMINATED", "termination_reason": {
                "code": "AZURE_QUOTA_EXCEEDED_EXCEPTION", "type": "CLIENT_ERROR",
                "parameters": {"azure_error_message": "Total regional cores: 4\u{1b}[31m"}}});
            Some(Answer::Json(200, cluster.to_string()))
        }
        _ => None,
    });
    for words in [
        "the cluster lab did not start: AZURE_QUOTA_EXCEEDED_EXCEPTION (CLIENT_ERROR)",
        "Total regional cores: 4",
    ] {
        assert!(error.message().contains(words), "{error}");
    }
    assert!(!error.message().contains('\u{1b}'));
    assert!(error.hint().unwrap().contains("serverless"), "{error}");
    assert_eq!(error.code(), Some("AZURE_QUOTA_EXCEEDED_EXCEPTION"));
    let error = refused(|method, _| (method == "get").then(|| state("ERROR")));
    assert!(error.message().contains("did not start"), "{error}");
}

#[test]
fn rejections_of_the_workspace_have_hints() {
    for (status, code, said, kind, hint) in [
        (
            400,
            "INVALID_PARAMETER_VALUE",
            "Cluster 0101-abc does not exist",
            ErrorKind::NotFound,
            "DATABRICKS_CLUSTER_ID",
        ),
        (
            403,
            "PERMISSION_DENIED",
            "You do not have Restart",
            ErrorKind::PermissionDenied,
            "Can Restart",
        ),
        (
            401,
            "UNAUTHENTICATED",
            "Invalid access token",
            ErrorKind::Authentication,
            "DATABRICKS_TOKEN",
        ),
    ] {
        let error =
            refused(move |method, _| (method == "get").then(|| rejection(status, code, said)));
        assert_eq!((error.kind(), error.code()), (kind, Some(code)));
        assert!(error.hint().unwrap().contains(hint), "{error}");
        assert!(error.message().contains(said), "{error}");
    }
    // The cluster may be used, and not started.
    let error = refused(|method, _| match method {
        "get" => Some(state("TERMINATED")),
        "start" => Some(rejection(403, "PERMISSION_DENIED", "no Restart permission")),
        _ => None,
    });
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    // Busy, and then not.
    let busy = workspace(|method, before| {
        (method == "get" && before == 0).then(|| rejection(429, "REQUEST_LIMIT_EXCEEDED", "busy"))
    });
    assert!(on_cluster(&busy).is_ok());
    // Somebody else has started it meanwhile.
    let raced = workspace(|method, before| match (method, before) {
        ("get", 0) => Some(state("TERMINATED")),
        ("start", _) => Some(rejection(
            400,
            "INVALID_STATE",
            "it is in unexpected state Pending",
        )),
        _ => None,
    });
    assert!(on_cluster(&raced).is_ok());
    let no_json =
        refused(|method, _| (method == "get").then(|| Answer::Json(200, "<html>".to_owned())));
    assert!(
        no_json.hint().unwrap().contains("DATABRICKS_HOST"),
        "{no_json}"
    );
}

#[test]
fn a_token_that_ends_in_mid_query_is_renewed_and_no_row_is_lost() {
    let server = workspace(|method, before| match (method, before) {
        ("token", _) => {
            let token = json!({"access_token": format!("token-{before}"), "token_type": "Bearer", "expires_in": 3600});
            Some(Answer::Json(200, token.to_string()))
        }
        ("ExecutePlan", 0) => Some(Answer::Failing(
            vec![response("1", None), response("2", Some(&rows(&[1, 2])))],
            "16",
        )),
        ("ReattachExecute", _) => Some(Answer::Whole(vec![
            response("2", Some(&rows(&[1, 2]))),
            response("3", Some(&rows(&[3]))),
            complete("4"),
        ])),
        _ => None,
    });
    let spark = connect(&server, application(), Compute::Serverless).unwrap();
    assert_eq!(spark.range(0, 3).to_polars().unwrap().height(), 3);
    server.with_asked(|asked| {
        let token = |method: &str| {
            let one = asked.iter().find(|asked| asked.method == method).unwrap();
            one.headers["authorization"].to_str().unwrap().to_owned()
        };
        assert_eq!(token("ExecutePlan"), "Bearer token-0");
        assert_eq!(token("ReattachExecute"), "Bearer token-1");
        let sign_in = asked.iter().find(|asked| asked.method == "token").unwrap();
        assert!(
            sign_in.headers["authorization"]
                .to_str()
                .unwrap()
                .starts_with("Basic ")
        );
        assert_eq!(
            &sign_in.body[..],
            b"grant_type=client_credentials&scope=all-apis"
        );
    });
}

#[test]
fn a_token_that_is_refused_at_once_is_renewed_once() {
    let server = workspace(|method, before| match (method, before) {
        ("token", _) => {
            let token = json!({"access_token": format!("token-{before}"), "expires_in": 3600});
            Some(Answer::Json(200, token.to_string()))
        }
        ("ExecutePlan", 0) => Some(Answer::Page(401)),
        _ => None,
    });
    let spark = connect(&server, application(), Compute::Serverless).unwrap();
    assert_eq!(spark.range(0, 1).to_polars().unwrap().height(), 1);
    // A token that is given can't be.
    let server = workspace(|method, _| match method {
        "ExecutePlan" => Some(Answer::Page(401)),
        _ => None,
    });
    let error = on_cluster(&server)
        .unwrap()
        .range(0, 1)
        .to_polars()
        .unwrap_err();
    assert_snapshot!(text(&error), @r"
    SERVER wants a valid token
      hint: make a new token in the workspace's settings, and set DATABRICKS_TOKEN
    ");
}

#[test]
fn serverless_compute_knows_the_session_by_a_header() {
    let server = workspace(|method, before| match (method, before) {
        ("ExecutePlan", 0) => Some(super::refused("[INVALID_HANDLE.SESSION_CLOSED] closed")),
        _ => None,
    });
    let auth = Auth::Token(Secret::new("dapi"));
    let spark = connect(&server, auth, Compute::Serverless).unwrap();
    assert_eq!(spark.range(0, 1).to_polars().unwrap().height(), 1);
    drop(spark);
    assert!(
        !server.methods().contains(&"get".to_owned()),
        "there is no cluster"
    );
    server.with_asked(|asked| {
        let plans = asked.iter().filter(|asked| asked.method == "ExecutePlan");
        let mut ids = Vec::new();
        for plan in plans {
            let request = ExecutePlanRequest::decode(plan.body.slice(5..)).unwrap();
            assert_eq!(plan.headers["x-databricks-session-id"], request.session_id);
            ids.push(request.session_id);
        }
        assert_eq!(ids.len(), 2);
        assert_ne!(ids[0], ids[1], "it has begun anew");
    });
}
