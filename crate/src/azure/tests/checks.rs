//! What a check finds beforehand.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::signed_in;
use crate::azure::{Azure, Check, FindingStatus, SetupPlan};
use crate::loopback::{Cloud, Reply};

fn checked(part: &'static str, answer: Value) -> Check {
    let cloud = Cloud::with_faults(move |request, _| {
        request
            .target
            .contains(part)
            .then(|| Reply::json(200, answer.clone()))
    });
    check(&signed_in(&cloud))
}

fn check(azure: &Azure) -> Check {
    azure
        .check(&SetupPlan::lab().region("swedencentral"))
        .unwrap()
}

/// The finding about a part: its status, and what to do.
fn found(check: &Check, what: &str) -> (FindingStatus, String) {
    let finding = check
        .findings
        .iter()
        .find(|finding| finding.what == what)
        .unwrap();
    let hint = finding.hint.clone().unwrap_or_default();
    (finding.status, format!("{} | {hint}", finding.detail))
}

#[test]
fn a_fresh_subscription_is_ready() {
    let cloud = Cloud::start();
    let check = check(&signed_in(&cloud));
    assert!(check.is_ready());
    assert_eq!(cloud.changes(), [""; 0], "a check makes nothing");
    assert_snapshot!(check, @r"
    subscription  works     Practice (00000000-0000-0000-0000-000000000000)
    rights        works     you may make what is needed in the subscription
    providers     doubtful  Microsoft.CognitiveServices, Microsoft.Databricks, Microsoft.Compute will be registered, which takes minutes
                            hint: nothing, if you have the role Contributor on the subscription; otherwise ask someone who has to run `az provider register --namespace NAME` for each
    account       works     even-lab is free
    model         works     gpt-35-turbo is retired: gpt-5-mini (GlobalStandard, until 2999-02-06) with 5,000 tokens per minute, in swedencentral
    workspace     works     even-dbx is free
    cluster       works     4 cores of Standard_D4ds_v5 are free in swedencentral
    ");
}

#[test]
fn each_pain_that_can_be_known_is_found() {
    let usage = |name: &str, used: u64, limit: u64| json!({"value": [{"name": {"value": name}, "currentValue": used, "limit": limit}]});
    let fails = |part: &'static str, answer: Value, what: &str, words: &str| {
        let check = checked(part, answer);
        let (status, reported) = found(&check, what);
        assert!(
            status == FindingStatus::Fails && reported.contains(words),
            "{check}"
        );
        assert!(!reported.ends_with("| "), "no hint: {check}");
    };
    let reader = json!({"value": [{"actions": ["*/read"], "notActions": []}]});
    fails("/permissions?", reader, "rights", "Contributor");
    fails(
        "swedencentral/models?",
        json!({"value": []}),
        "model",
        "another region",
    );
    let full = usage("OpenAI.S0.AccountCount", 30, 30);
    fails(
        "CognitiveServices/locations/swedencentral/usages?",
        full,
        "model",
        "purge",
    );
    let taken = json!({"isSubdomainAvailable": false, "reason": "x"});
    fails("checkDomainAvailability", taken, "account", "another name");
    let deleted = json!({"value": [{"id": "/locations/x/resourceGroups/evenhand-lab/deletedAccounts/even-lab"}]});
    fails(
        "/deletedAccounts?",
        deleted,
        "account",
        "purge_deleted_account",
    );
    fails(
        "Microsoft.Compute/locations",
        usage("cores", 8, 10),
        "cluster",
        "2 of 10 cores",
    );
    let family = usage("standardDDSv5Family", 0, 0);
    fails(
        "Microsoft.Compute/locations",
        family,
        "cluster",
        "serverless",
    );
    let closed = json!({"value": [{"resourceType": "virtualMachines", "name": "Standard_D4ds_v5",
        "restrictions": [{"type": "Location", "reasonCode": "NotAvailableForSubscription"}]}]});
    fails("Microsoft.Compute/skus", closed, "cluster", "does not have");
    fails(
        "resourcegroups/databricks-rg",
        json!({"name": "x"}),
        "workspace",
        "az group delete",
    );
}

#[test]
fn too_little_quota_is_told_in_tokens() {
    let quotas = json!({"value": [
        {"name": {"value": "OpenAI.GlobalStandard.gpt-5-mini"}, "currentValue": 498, "limit": 500},
        {"name": {"value": "OpenAI.DataZoneStandard.gpt-5-mini"}, "currentValue": 0, "limit": 0},
    ]});
    let check = checked("CognitiveServices/locations/swedencentral/usages?", quotas);
    let (status, reported) = found(&check, "model");
    assert_eq!(status, FindingStatus::Fails);
    assert!(
        reported.contains("2,000 tokens per minute of GlobalStandard"),
        "{reported}"
    );
}

#[test]
fn a_trial_is_told_before_anything_is_made_and_what_is_not_seen_is_doubtful() {
    let mut trial: Value = serde_json::from_str(include_str!(
        "../../../launcher/src/practice/cloud/data/subscription.json"
    ))
    .unwrap();
    trial["subscriptionPolicies"]["quotaId"] = json!("FreeTrial_2014-09-01");
    let check = checked("/subscriptions?", json!({"value": [trial]}));
    let (status, reported) = found(&check, "subscription");
    assert!(
        status == FindingStatus::Doubtful && reported.contains("practice"),
        "{reported}"
    );
    let cloud = Cloud::with_faults(|request, _| {
        let denied = crate::loopback::arm_error(403, "AuthorizationFailed", "No.");
        request
            .target
            .contains("/deletedAccounts?")
            .then_some(denied)
    });
    let (status, reported) = found(&self::check(&signed_in(&cloud)), "account");
    assert!(
        status == FindingStatus::Doubtful && reported.contains("Contributor"),
        "{reported}"
    );
}

#[test]
fn a_region_without_the_model_is_left_out_by_name() {
    let cloud = Cloud::with_faults(|request, _| {
        let nothing = Reply::json(200, json!({"value": []}));
        request
            .target
            .contains("eastus2/models?")
            .then_some(nothing)
    });
    let plan = SetupPlan::lab().region(crate::azure::Region::any_of(["eastus2", "swedencentral"]));
    let check = signed_in(&cloud).check(&plan).unwrap();
    let (status, reported) = found(&check, "model");
    assert!(
        status == FindingStatus::Works && reported.contains("in swedencentral alone"),
        "{reported}"
    );
}
