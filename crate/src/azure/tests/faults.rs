//! What Azure refuses, and what a network does in the middle of it.

use std::sync::atomic::{AtomicUsize, Ordering};

use insta::assert_snapshot;
use serde_json::json;

use super::signed_in;
use crate::CancelHandle;
use crate::azure::Azure;
use crate::error::{Error, ErrorKind};
use crate::loopback::{Cloud, Reply, Request, arm_error};

/// The error of making an account if requests to it are answered so.
fn refused(fault: impl Fn(&Request, usize) -> Option<Reply> + Send + Sync + 'static) -> Error {
    let cloud = Cloud::with_faults(fault);
    signed_in(&cloud)
        .openai("even-lab")
        .region("eastus2")
        .create()
        .unwrap_err()
}

fn is_account(request: &Request, method: &str) -> bool {
    request.method == method && request.target.contains("/accounts/even-lab?")
}

#[test]
fn each_error_names_what_where_and_a_hint() {
    for (status, code, hint) in [
        (409, "FlagMustBeSetForRestore", "purge_deleted_account"),
        (409, "CustomDomainInUse", "another one"),
        (400, "SpecialFeatureOrQuotaIdRequired", "practice"),
        (
            409,
            "MissingSubscriptionRegistration",
            "az provider register",
        ),
        (403, "RequestDisallowedByPolicy", "policy"),
        (403, "AuthorizationFailed", "Contributor"),
        (409, "ReadOnlyDisabledSubscription", "AZURE_SUBSCRIPTION_ID"),
        (401, "InvalidAuthenticationTokenTenant", "az login"),
    ] {
        let error = refused(move |request, _| {
            is_account(request, "PUT").then(|| arm_error(status, code, "No.\u{1b}[2J"))
        });
        assert_eq!(
            error.message(),
            "127.0.0.1 did not create the OpenAI account even-lab: No.�[2J"
        );
        assert_eq!((error.status(), error.code()), (Some(status), Some(code)));
        assert!(error.hint().unwrap().contains(hint), "{code}: {error}");
    }
}

#[test]
fn transient_faults_are_repeated_and_a_change_under_way_is_waited_for() {
    for fault in [
        Reply::json(
            429,
            json!({"error": {"code": "TooManyRequests", "message": "slowly"}}),
        )
        .header("retry-after-ms", "1"),
        Reply::new(503, "text/html", "<title>later</title>").header("retry-after-ms", "1"),
        arm_error(
            409,
            "RequestConflict",
            "another operation is being performed",
        ),
        Reply::Bytes(Vec::new()),
        Reply::Broken(b"HTTP/1.1 200".to_vec()),
    ] {
        let cloud = Cloud::with_faults({
            let times = AtomicUsize::new(0);
            move |request, _| {
                let is_first =
                    is_account(request, "PUT") && times.fetch_add(1, Ordering::SeqCst) < 2;
                is_first.then(|| fault.clone())
            }
        });
        signed_in(&cloud)
            .openai("even-lab")
            .region("eastus2")
            .create()
            .unwrap();
        let puts = cloud
            .requests()
            .into_iter()
            .filter(|request| is_account(request, "PUT"));
        assert_eq!(puts.count(), 3);
    }
}

#[test]
fn a_wait_beyond_reason_is_not_waited_for() {
    let error = refused(|request, _| {
        is_account(request, "PUT")
            .then(|| arm_error(429, "TooManyRequests", "tomorrow").header("retry-after", "86400"))
    });
    assert_eq!(error.kind(), ErrorKind::RateLimit);
    assert_eq!(error.retry_after().map(|wait| wait.as_secs()), Some(86_400));
}

#[test]
fn a_failed_operation_says_why() {
    let failed = json!({"status": "Failed", "error": {"code": "InsufficientResources",
        "message": "No room.", "details": [{"code": "X", "message": "Really none."}]}});
    let error = refused(move |request, _| {
        request
            .target
            .contains("operationResults")
            .then(|| Reply::json(200, failed.clone()))
    });
    assert_snapshot!(error, @r"
    127.0.0.1 did not create the OpenAI account even-lab: No room.; Really none.
      hint: try again; status.azure.com may say more
    ");
}

#[test]
fn a_token_goes_to_no_other_host() {
    let other = Cloud::start();
    let address = format!("{}/status", other.url());
    for header in ["azure-asyncoperation", "location"] {
        let address = address.clone();
        let error = refused(move |request, _| {
            let accepted = Reply::new(202, "application/json", "").header(header, &address);
            is_account(request, "PUT").then_some(accepted)
        });
        assert!(error.message().contains("another host"), "{error}");
    }
    let cloud = Cloud::with_faults(move |request, _| {
        let page = json!({"value": [], "nextLink": address});
        request
            .target
            .contains("/models?")
            .then(|| Reply::json(200, page))
    });
    let error = signed_in(&cloud).models("eastus2").unwrap_err();
    assert!(error.message().contains("another host"), "{error}");
    assert!(other.requests().is_empty());
}

#[test]
fn a_stop_ends_the_wait_and_the_same_cell_waits_again() {
    let stop = CancelHandle::new();
    let pressed = stop.clone();
    let cloud = Cloud::with_faults(move |request, before| {
        let is_status = request.target.contains("operationResults");
        if is_status {
            pressed.cancel();
        }
        (is_status && before > 0).then(|| Reply::json(200, json!({"status": "Running"})))
    });
    let azure = signed_in(&cloud);
    let stopped = azure
        .cancel_with(&stop)
        .openai("even-lab")
        .region("eastus2")
        .create();
    assert!(stopped.unwrap_err().is_cancelled());
    azure.openai("even-lab").create().unwrap();
}

#[test]
fn an_account_that_is_being_deleted_is_made_again() {
    let cloud = Cloud::with_faults({
        let looks = AtomicUsize::new(0);
        move |request, _| {
            let going =
                json!({"location": "eastus2", "properties": {"provisioningState": "Deleting"}});
            let is_look = is_account(request, "GET");
            (is_look && looks.fetch_add(1, Ordering::SeqCst) < 2).then(|| Reply::json(200, going))
        }
    });
    signed_in(&cloud)
        .openai("even-lab")
        .region("eastus2")
        .create()
        .unwrap();
    assert_eq!(cloud.changes().len(), 3);
}

/// The error of signing in if the subscriptions are these.
fn with_subscriptions(subscriptions: serde_json::Value) -> Result<Azure, Error> {
    let cloud = Cloud::with_faults(move |request, _| {
        let is_it = request.target.starts_with("/subscriptions?");
        is_it.then(|| Reply::json(200, json!({"value": subscriptions})))
    });
    Azure::from_lookup(|name| cloud.variable(name))
}

#[test]
fn a_subscription_is_taken_only_if_it_is_clear_which() {
    let one = |id: &str, state: &str| json!({"subscriptionId": id, "displayName": format!("S{id}"), "state": state});
    let azure = with_subscriptions(json!([one("1", "Enabled"), one("2", "Disabled")])).unwrap();
    assert_eq!(azure.subscription().id(), "1");
    let error = with_subscriptions(json!([one("1", "Enabled"), one("2", "Warned")])).unwrap_err();
    assert_snapshot!(error, @r"
    you have 2 subscriptions: S1 (1), S2 (2)
      hint: set AZURE_SUBSCRIPTION_ID to the ID of one of them
    ");
    let error = with_subscriptions(json!([one("2", "Disabled")])).unwrap_err();
    assert!(
        error.message().contains("no subscription is enabled"),
        "{error}"
    );
    let error = with_subscriptions(json!([])).unwrap_err();
    assert!(error.hint().unwrap().contains("--tenant"), "{error}");
    // An ID that would change a path is none.
    assert!(with_subscriptions(json!([one("../x", "Enabled")])).is_err());
}

#[test]
fn names_that_azure_refuses_are_refused_before_anything_is_sent() {
    let cloud = Cloud::start();
    let azure = signed_in(&cloud);
    let before = cloud.requests().len();
    assert!(azure.openai("even lab").create().is_err());
    assert!(azure.databricks("x/y").create().is_err());
    assert!(azure.in_resource_group("..").is_err());
    assert!(azure.models("../x").is_err());
    assert!(
        azure
            .openai("even-lab")
            .region(crate::azure::Region::any_of([""; 0]))
            .get()
            .is_ok()
    );
    assert_eq!(cloud.requests().len(), before + 1);
}
