//! Operations that take a while, in each of the ways in which Azure tells how they stand.

use std::sync::Mutex;

use serde_json::{Value, json};

use super::signed_in;
use crate::error::Result;
use crate::loopback::{Cloud, Reply, Request};

fn is_workspace(request: &Request, method: &str) -> bool {
    request.method == method && request.target.contains("/workspaces/even-dbx?")
}

fn workspace(state: &str) -> Value {
    json!({"id": "/x", "location": "eastus2", "properties": {
        "provisioningState": state, "workspaceUrl": "127.0.0.1:9"}})
}

/// What comes of a workspace, if the making of it is answered by the first reply, and the looks after it
/// by the others, the last of them again and again. Also the paths of the looks.
fn made(
    first: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    looks: Vec<Reply>,
) -> (Result<()>, Vec<String>) {
    let begun = Mutex::new(None);
    let cloud = Cloud::with_faults(move |request, before| {
        let mut begun = begun.lock().unwrap();
        if is_workspace(request, "PUT") {
            *begun = Some(before);
            return Some(first(request));
        }
        let number = before - (*begun)? - 1;
        (request.method == "GET").then(|| looks.get(number).or(looks.last()).unwrap().clone())
    });
    let made = signed_in(&cloud)
        .databricks("even-dbx")
        .region("eastus2")
        .create();
    let requests = cloud.requests();
    let put = requests
        .iter()
        .position(|request| is_workspace(request, "PUT"))
        .unwrap();
    let looks = requests[put + 1..].iter().map(|request| {
        let path = request.target.split('?').next().unwrap();
        path.rsplit('/').next().unwrap().to_owned()
    });
    (made.map(drop), looks.collect())
}

fn soon(reply: Reply) -> Reply {
    reply.header("retry-after-ms", "1")
}

#[test]
fn the_header_of_the_operation_comes_first() {
    let (made, looks) = made(
        |request| {
            let host = format!("http://{}", request.header("host")[0]);
            soon(Reply::json(201, workspace("Creating")))
                .header("azure-asyncoperation", &format!("{host}/status"))
                .header("location", &format!("{host}/location"))
        },
        vec![
            soon(Reply::json(200, json!({"status": "Running"}))),
            Reply::json(200, json!({"status": "Succeeded"})),
            Reply::json(200, workspace("Succeeded")),
        ],
    );
    made.unwrap();
    assert_eq!(looks, ["status", "status", "even-dbx"]);
}

#[test]
fn then_the_location() {
    let (made, looks) = made(
        |request| {
            let host = format!("http://{}", request.header("host")[0]);
            soon(Reply::new(202, "application/json", ""))
                .header("location", &format!("{host}/location"))
        },
        vec![
            soon(Reply::new(202, "application/json", "")),
            Reply::json(200, workspace("Succeeded")),
        ],
    );
    made.unwrap();
    assert_eq!(looks, ["location", "location"]);
}

#[test]
fn then_the_thing_itself() {
    let (made, looks) = made(
        |_| soon(Reply::json(201, workspace("Accepted"))),
        vec![
            soon(Reply::json(200, workspace("Creating"))),
            Reply::json(200, workspace("Succeeded")),
        ],
    );
    made.unwrap();
    assert_eq!(looks, ["even-dbx", "even-dbx"]);
    for state in ["Failed", "Canceled"] {
        let failed =
            json!({"properties": {"provisioningState": state}, "error": {"code": "QuotaExceeded"}});
        let (made, _) = self::made(
            |_| soon(Reply::json(201, workspace("Creating"))),
            vec![Reply::json(200, failed)],
        );
        let error = made.unwrap_err();
        assert!(
            error
                .message()
                .contains("the Databricks workspace even-dbx"),
            "{error}"
        );
        assert_eq!(error.code(), Some("QuotaExceeded"));
    }
}

#[test]
fn a_list_is_read_page_by_page() {
    let cloud = Cloud::with_faults(|request, _| {
        let host = format!("http://{}", request.header("host")[0]);
        let deleted = |name: &str| json!({"id": format!("/locations/eastus2/resourceGroups/g/deletedAccounts/{name}")});
        let page = match request.target.as_str() {
            "/page" => json!({"value": [deleted("b")], "nextLink": null}),
            target if target.contains("deletedAccounts") => {
                json!({"value": [deleted("a")], "nextLink": format!("{host}/page")})
            }
            _ => return None,
        };
        Some(Reply::json(200, page))
    });
    let deleted = signed_in(&cloud).deleted_accounts().unwrap();
    let names: Vec<_> = deleted.iter().map(|it| &*it.name).collect();
    assert_eq!(names, ["a", "b"]);
    let circle = Cloud::with_faults(|request, _| {
        let page = json!({"value": [], "nextLink": request.target});
        request
            .target
            .contains("deletedAccounts")
            .then(|| Reply::json(200, page))
    });
    let error = signed_in(&circle).deleted_accounts().unwrap_err();
    assert!(error.message().contains("leads to itself"), "{error}");
}
