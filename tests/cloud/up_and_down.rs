//! `evenhand cloud up`, `status` and `down` against the practice cloud: what is made, made once, and removed
//! again, with nothing else.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use evenhand::azure::{Azure, DatabricksWorkspaceBuilder};
use serde_json::json;

use super::learner::{Learner, told};
use crate::support::server::practice::Fault;
use crate::support::server::{Cloud, Reply};

const UP: [&str; 2] = ["up", "--yes"];
const DOWN: [&str; 3] = ["down", "--yes", "--purge"];

#[test]
fn what_is_there_is_not_made_again_and_down_leaves_nothing() {
    let (learner, cloud) = (Learner::new(), Cloud::start());
    fs::write(learner.settings(), "MINE=1\n").unwrap();
    let told = learner.succeeds(&cloud, &UP);
    assert!(told.contains("nothing: this is practice"), "{told}");
    assert!(told.contains("with 5,000 tokens per minute"), "{told}");
    assert!(
        told.contains("gpt-35-turbo is retired: gpt-5-mini replaces it"),
        "{told}"
    );
    assert_eq!(cloud.left().len(), 6, "{:?}", cloud.left());
    let settings = fs::read_to_string(learner.settings()).unwrap();
    assert!(settings.starts_with("MINE=1\n"), "{settings}");
    assert!(
        settings.contains(
            "AZURE_OPENAI_DEPLOYMENT='gpt-5-mini'\nAZURE_OPENAI_TPM='5000'\nAZURE_OPENAI_RPM='30'\n"
        ),
        "{settings}"
    );
    let key = settings
        .split("API_KEY='")
        .nth(1)
        .unwrap()
        .split('\'')
        .next()
        .unwrap();
    assert!(
        key.len() > 20 && !told.contains(key),
        "a key is not printed"
    );
    for file in [learner.settings(), learner.ledger()] {
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
    let ledger = fs::read_to_string(learner.ledger()).unwrap();
    assert!(!ledger.contains(key));

    let made = cloud.changes();
    learner.succeeds(&cloud, &UP);
    assert_eq!(cloud.changes(), made, "the second time changes nothing");
    assert_eq!(fs::read_to_string(learner.ledger()).unwrap(), ledger);

    let status = learner.succeeds(&cloud, &["status"]);
    assert!(
        status.contains(" runs\n") && !status.contains("is charged"),
        "{status}"
    );
    learner.succeeds(&cloud, &DOWN);
    assert_eq!(cloud.left(), [""; 0]);
    let azure = Azure::from_lookup(|name| cloud.variable(name)).unwrap();
    assert_eq!(azure.deleted_accounts().unwrap(), []);
    assert_eq!(fs::read_to_string(learner.settings()).unwrap(), "MINE=1\n");
    assert!(!learner.ledger().exists());
}

#[test]
fn down_deletes_nothing_that_is_not_in_the_ledger() {
    let (learner, other, cloud) = (Learner::new(), Learner::new(), Cloud::start());
    let azure = Azure::from_lookup(|name| cloud.variable(name)).unwrap();
    let output = learner.types(&cloud, &DOWN);
    assert!(!output.status.success());
    assert!(
        told(&output).contains("there is no ledger"),
        "{}",
        told(&output)
    );

    other.succeeds(&cloud, &["up", "--yes", "--without-databricks"]);
    let theirs = cloud.left();
    learner.succeeds(&cloud, &["up", "--yes", "--without-databricks"]);
    // Somebody puts an account of their own into the learner's group.
    let ledger = fs::read_to_string(learner.ledger()).unwrap();
    let ledger: serde_json::Value = serde_json::from_str(&ledger).unwrap();
    let group = ledger["entries"]["resource_group"].as_str().unwrap();
    let account = azure
        .in_resource_group(group)
        .unwrap()
        .openai("foreign")
        .create()
        .unwrap();
    let output = learner.types(&cloud, &DOWN);
    assert!(!output.status.success());
    assert!(
        told(&output).contains("not in the ledger: foreign"),
        "{}",
        told(&output)
    );
    assert!(cloud.left().iter().any(|path| path.ends_with("/foreign")));
    account.delete().unwrap();
    learner.succeeds(&cloud, &DOWN);
    assert_eq!(cloud.left(), theirs);
}

#[test]
fn a_group_that_others_made_is_used_and_stays() {
    let (learner, cloud) = (Learner::new(), Cloud::start());
    let azure = Azure::from_lookup(|name| cloud.variable(name)).unwrap();
    let shared = azure.in_resource_group("class").unwrap();
    shared.openai("of-the-teacher").create().unwrap();
    let theirs = cloud.left();
    for arguments in [&["up", "--yes", "--without-databricks"][..], &DOWN] {
        let mut command = learner.in_cloud(&cloud, arguments);
        let output = command
            .env("AZURE_RESOURCE_GROUP", "class")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", told(&output));
    }
    assert_eq!(cloud.left(), theirs);
}

#[test]
fn without_a_purge_the_name_is_kept_in_the_ledger_until_it_is_purged() {
    let (learner, cloud) = (Learner::new(), Cloud::start());
    learner.succeeds(&cloud, &["up", "--yes", "--without-databricks"]);
    let told = learner.succeeds(&cloud, &["down", "--yes"]);
    assert!(told.contains("--purge"), "{told}");
    assert_eq!(cloud.left(), [""; 0]);
    // Another account can be made in the meantime.
    learner.succeeds(&cloud, &["up", "--yes", "--without-databricks"]);
    learner.succeeds(&cloud, &DOWN);
    let azure = Azure::from_lookup(|name| cloud.variable(name)).unwrap();
    assert_eq!(azure.deleted_accounts().unwrap(), []);
    assert!(!learner.ledger().exists());
}

#[test]
fn what_a_workspace_leaves_behind_is_removed_too() {
    let (learner, cloud) = (Learner::new(), Cloud::start());
    cloud.fail(Fault::Leftovers);
    learner.succeeds(&cloud, &UP);
    learner.succeeds(&cloud, &DOWN);
    assert_eq!(cloud.left(), [""; 0]);
}

#[test]
fn a_right_to_purge_that_is_missing_is_told_and_nothing_else_is_left() {
    let (learner, cloud) = (Learner::new(), Cloud::start());
    cloud.fail(Fault::NoPurge);
    learner.succeeds(&cloud, &["up", "--yes", "--without-databricks"]);
    let told = learner.succeeds(&cloud, &DOWN);
    assert!(
        told.contains("purging is a right of the subscription"),
        "{told}"
    );
    assert!(learner.ledger().exists() && cloud.left().is_empty());
}

#[test]
fn whatever_is_refused_leaves_nothing_half_made_and_says_what_to_do() {
    for (fault, words) in [
        (Fault::FreeTrial, "practice"),
        (Fault::Reader, "Contributor"),
        (Fault::NoQuota, "ask for fewer"),
        (Fault::ModelRetired, "another region"),
        (Fault::WrongSku, "paid by the token"),
        (Fault::NameTaken, "taken"),
        (Fault::NotRegistered, "Contributor"),
        (Fault::Disabled, "activate it"),
    ] {
        let (learner, cloud) = (Learner::new(), Cloud::start());
        cloud.fail(fault);
        let output = learner.types(&cloud, &UP);
        assert!(!output.status.success(), "{fault:?}");
        assert!(
            told(&output).contains(words),
            "{fault:?}: {}",
            told(&output)
        );
        assert_eq!(cloud.left(), [""; 0], "{fault:?}");
        assert!(
            !learner.ledger().exists() && !learner.settings().exists(),
            "{fault:?}"
        );
    }
}

#[test]
fn what_is_met_on_the_way_is_no_failure() {
    for fault in [
        Fault::Busy,
        Fault::Crowded,
        Fault::OddRuntimes,
        Fault::OldForm,
        Fault::NotAMember,
    ] {
        let (learner, cloud) = (Learner::new(), Cloud::start());
        cloud.fail(fault);
        learner.succeeds(&cloud, &UP);
        assert_eq!(cloud.left().len(), 6, "{fault:?}");
        learner.succeeds(&cloud, &DOWN);
        assert_eq!(cloud.left(), [""; 0], "{fault:?}");
    }
}

#[test]
fn a_cluster_that_does_not_start_takes_back_what_was_made_for_it() {
    let learner = Learner::new();
    // The region says that it has cores, and then it has none.
    let cloud = Cloud::with_faults(|request, _| {
        let is_usage = request.target.contains("Microsoft.Compute/locations");
        is_usage.then(|| Reply::json(200, json!({"value": []})))
    });
    cloud.fail(Fault::NoCores);
    let output = learner.types(&cloud, &UP);
    assert!(!output.status.success());
    let told = told(&output);
    assert!(told.contains("AZURE_QUOTA_EXCEEDED_EXCEPTION"), "{told}");
    assert!(
        told.contains("choose another node type or region"),
        "{told}"
    );
    assert_eq!(cloud.left(), [""; 0]);
    assert!(!learner.ledger().exists());
}

#[test]
fn a_ledger_that_is_not_ours_changes_nothing() {
    let (learner, cloud) = (Learner::new(), Cloud::start());
    learner.succeeds(&cloud, &["up", "--yes", "--without-databricks"]);
    let (whole, there) = (fs::read_to_string(learner.ledger()).unwrap(), cloud.left());
    let subscription = "00000000-0000-0000-0000-000000000000";
    for (edited, words) in [
        (whole.replace("even-lab-", "prod-"), "was edited by hand"),
        (whole.replace(subscription, "1"), "was edited by hand"),
        (
            whole.replace("\"version\": 1", "\"version\": 2"),
            "another version",
        ),
        ("{}".to_owned(), "can't be read"),
        (whole[..whole.len() / 2].to_owned(), "can't be read"),
    ] {
        fs::write(learner.ledger(), edited).unwrap();
        for arguments in [&UP[..], &DOWN, &["status"]] {
            let output = learner.types(&cloud, arguments);
            assert!(!output.status.success());
            assert!(told(&output).contains(words), "{}", told(&output));
        }
    }
    fs::write(learner.ledger(), whole).unwrap();
    assert_eq!(cloud.left(), there);
    learner.succeeds(&cloud, &DOWN);
}

#[test]
fn nobody_is_asked_where_nobody_is() {
    let (learner, cloud) = (Learner::new(), Cloud::start());
    let output = learner.types(&cloud, &["up"]);
    assert!(!output.status.success() && told(&output).contains("--yes"));
    assert_eq!(
        (cloud.changes(), learner.ledger().exists()),
        (Vec::new(), false)
    );
    fs::write(learner.settings(), "AZURE_OPENAI_API_KEY=mine").unwrap();
    let output = learner.types(&cloud, &UP);
    assert!(
        told(&output).contains("sets AZURE_OPENAI_API_KEY already"),
        "{}",
        told(&output)
    );
    assert_eq!(cloud.changes(), [""; 0]);
}

#[test]
fn down_deletes_no_workspace_with_what_others_made_in_it() {
    let (learner, cloud) = (Learner::new(), Cloud::start());
    learner.succeeds(&cloud, &UP);
    let (_, workspace) = in_group(&learner, &cloud);
    let workspace = workspace.get().unwrap().unwrap();
    let workspace = workspace.workspace();
    workspace
        .import_notebook("/Shared/theirs", b"{\"cells\": []}")
        .unwrap();
    let cluster = workspace.cluster().name("theirs").create().unwrap();
    for _ in 0..2 {
        let output = learner.types(&cloud, &DOWN);
        assert!(!output.status.success());
        let told = told(&output);
        let words = "holds what is not in the ledger: cluster theirs, notebook /Shared/theirs";
        assert!(
            told.contains(words) && told.contains("delete_path"),
            "{told}"
        );
    }
    assert_eq!(workspace.contents().unwrap().len(), 2);
    cluster.delete().unwrap();
    let output = learner.types(&cloud, &DOWN);
    assert!(
        told(&output).contains("ledger: notebook"),
        "{}",
        told(&output)
    );
    let ledger = fs::read_to_string(learner.ledger()).unwrap();
    assert!(ledger.contains("\"workspace\""), "{ledger}");
}

#[test]
fn the_settings_of_each_file_and_of_each_learner_are_their_own() {
    let (learner, other, cloud) = (Learner::new(), Learner::new(), Cloud::start());
    let up = ["up", "--yes", "--without-databricks"];
    learner.succeeds(&cloud, &up);
    // A second file, which `down` knows too.
    let second = learner.folder.path().join("second.env");
    let to = |path: &std::path::Path| {
        let path = path.to_str().unwrap().to_owned();
        ["up", "--yes", "--without-databricks", "--env", &path].map(str::to_owned)
    };
    let arguments = to(&second);
    learner.succeeds(&cloud, &arguments.each_ref().map(String::as_str));
    assert!(second.exists());
    // Another learner with the same file is refused before anything is made.
    let before = cloud.left();
    let arguments = to(&learner.settings());
    let arguments = arguments.each_ref().map(String::as_str);
    let output = other.types(&cloud, &arguments);
    assert!(
        told(&output).contains("has the settings of even-lab-"),
        "{}",
        told(&output)
    );
    // So is one whose file can't be written.
    let arguments = to(std::path::Path::new("/proc/none/.env"));
    let output = other.types(&cloud, &arguments.each_ref().map(String::as_str));
    assert!(told(&output).contains("folder exists"), "{}", told(&output));
    assert_eq!(cloud.left(), before);
    // A kill while the file was written leaves nothing.
    let left = learner.folder.path().join(".env.evenhand-tmp");
    fs::write(&left, "AZURE_OPENAI_API_KEY='half").unwrap();
    // What can't be taken out of a file is not forgotten.
    let whole = fs::read_to_string(&second).unwrap();
    fs::write(&second, whole.replace("# evenhand cloud: end", "")).unwrap();
    for arguments in [&DOWN[..], &["down", "--yes"], &up] {
        let output = learner.types(&cloud, arguments);
        let words = told(&output);
        assert!(
            !output.status.success() && words.contains("are still in"),
            "{words}"
        );
        assert_eq!(cloud.left(), [""; 0]);
    }
    fs::write(&second, whole).unwrap();
    learner.succeeds(&cloud, &DOWN);
    assert!(!left.exists() && !second.exists() && !learner.settings().exists());
}

#[test]
fn the_plan_says_what_there_is() {
    let (learner, cloud) = (Learner::new(), Cloud::start());
    let up = [
        "up",
        "--yes",
        "--without-databricks",
        "--tokens-per-minute",
        "1500",
    ];
    let told = learner.succeeds(&cloud, &[&up[..], &["--region", "eastus"]].concat());
    assert!(told.contains("with 2,000 tokens per minute"), "{told}");
    let up = [
        "up",
        "--yes",
        "--without-databricks",
        "--tokens-per-minute",
        "9000",
    ];
    let told = learner.succeeds(&cloud, &[&up[..], &["--region", "westus"]].concat());
    let words = "stays as it is: --region, --tokens-per-minute would count after";
    assert!(
        told.contains(words) && told.contains("with 2,000 tokens"),
        "{told}"
    );
    assert!(told.contains("exists resource group"), "{told}");
    learner.succeeds(&cloud, &DOWN);
    let output = learner.types(&cloud, &["up", "--yes", "--region", "mars"]);
    let told = super::learner::told(&output);
    assert!(
        told.contains("no such region") && cloud.left().is_empty(),
        "{told}"
    );
}

#[test]
fn a_failing_up_purges_nothing_that_an_earlier_down_kept() {
    let (learner, cloud) = (Learner::new(), Cloud::start());
    let up = ["up", "--yes", "--without-databricks"];
    learner.succeeds(&cloud, &up);
    learner.succeeds(&cloud, &["down", "--yes"]);
    let azure = Azure::from_lookup(|name| cloud.variable(name)).unwrap();
    let kept = azure.deleted_accounts().unwrap();
    assert_eq!(kept.len(), 1);
    cloud.fail(Fault::FreeTrial);
    let output = learner.types(&cloud, &up);
    assert!(!output.status.success(), "{}", told(&output));
    assert_eq!(cloud.left(), [""; 0]);
    assert_eq!(azure.deleted_accounts().unwrap(), kept);
    learner.succeeds(&cloud, &DOWN);
    assert_eq!(azure.deleted_accounts().unwrap(), []);
}

#[test]
fn what_was_deleted_in_another_way_is_shown_as_new_and_asked_for() {
    let (learner, cloud) = (Learner::new(), Cloud::start());
    learner.succeeds(&cloud, &UP);
    let (azure, workspace) = in_group(&learner, &cloud);
    workspace.get().unwrap().unwrap().delete().unwrap();
    let output = learner.types(&cloud, &["up"]);
    let words = told(&output);
    assert!(words.contains("new    Databricks workspace"), "{words}");
    assert!(words.contains("new    cluster"), "{words}");
    assert!(words.contains("exists OpenAI account"), "{words}");
    assert!(
        words.contains("`--yes` agrees") && !output.status.success(),
        "{words}"
    );
    assert!(workspace.get().unwrap().is_none());
    // The whole group goes: the account keeps its name, and the mend is named.
    azure.delete_resource_group().unwrap();
    let words = told(&learner.types(&cloud, &UP));
    assert!(words.contains("could not be made again"), "{words}");
    assert!(words.contains("`evenhand cloud down --purge`"), "{words}");
    learner.succeeds(&cloud, &DOWN);
    learner.succeeds(&cloud, &UP);
    learner.succeeds(&cloud, &DOWN);
    assert_eq!(cloud.left(), [""; 0]);
}

#[test]
fn only_our_cluster_goes_whatever_others_call_theirs() {
    let (learner, cloud) = (Learner::new(), Cloud::start());
    learner.succeeds(&cloud, &UP);
    let (_, workspace) = in_group(&learner, &cloud);
    let workspace = workspace.get().unwrap().unwrap();
    let ours = workspace.workspace().clusters().unwrap();
    make_cluster(&cloud, ours[0].name(), workspace.id());
    for _ in 0..2 {
        let words = told(&learner.types(&cloud, &DOWN));
        assert!(
            words.contains("not in the ledger: cluster even-"),
            "{words}"
        );
    }
    let left = workspace.workspace().clusters().unwrap();
    assert!(left.len() == 1 && left[0].id() != ours[0].id());
    // A notebook in a folder that is only called like a bin, with a name that has to be encoded.
    let path = "/Shared/Trash/my thesis \u{e4}+";
    workspace.workspace().import_notebook(path, b"{}").unwrap();
    left[0].delete().unwrap();
    let words = told(&learner.types(&cloud, &DOWN));
    assert!(words.contains(path), "{words}");
    workspace.workspace().delete_path(path).unwrap();
    learner.succeeds(&cloud, &DOWN);
    assert_eq!(cloud.left(), [""; 0]);
}

/// Makes a cluster by the workspace's API: our own client would take the one that has the name.
fn make_cluster(cloud: &Cloud, name: &str, workspace: &str) {
    use std::io::{Read, Write};
    let body = json!({"cluster_name": name, "spark_version": "17.3.x-scala2.13", "num_workers": 0,
        "node_type_id": "Standard_D4ds_v5"})
    .to_string();
    let host = cloud.url();
    let host = host.trim_start_matches("http://").trim_end_matches('/');
    let mut server = std::net::TcpStream::connect(host).unwrap();
    write!(
        server,
        "POST /api/2.1/clusters/create HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         authorization: Bearer dapi-of-practice\r\nx-databricks-azure-workspace-resource-id: {workspace}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    server.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// The learner's resource group, and the workspace in it.
fn in_group(learner: &Learner, cloud: &Cloud) -> (Azure, DatabricksWorkspaceBuilder) {
    let azure = Azure::from_lookup(|name| cloud.variable(name)).unwrap();
    let azure = azure.in_resource_group(&learner.entry("resource_group"));
    let azure = azure.unwrap();
    let workspace = azure.databricks(format!("even-dbx-{}", learner.entry("suffix")));
    (azure, workspace)
}
