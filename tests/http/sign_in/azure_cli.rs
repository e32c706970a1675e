//! Signing in as the user of `az`, for which a stand-in is on the path.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use evenhand::{Error, ErrorKind};

use super::{bearer, client, shown};
use crate::support::server::{Reply, Server};

/// A folder with a program `az` that runs this script, and counts its runs.
fn az(script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("az");
    let note = folder.path().join("note").display().to_string();
    let script = format!("#!/bin/sh\n{{ echo \"$@\"; pwd; env; echo; }} >> '{note}'\n{script}\n");
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    folder
}

/// What a client says whose `az` does this. It asks the service nothing.
fn refused(script: &str) -> Error {
    let az = az(script);
    let server = Server::new([Reply::text("x")]);
    let path = az.path().display().to_string();
    let client = client(&server, &[("PATH", &path)]).unwrap();
    let error = client.complete("Hi").unwrap_err();
    assert!(server.requests().is_empty());
    error
}

fn noted(folder: &Path) -> String {
    fs::read_to_string(folder.join("note")).unwrap()
}

#[test]
fn the_token_of_az_is_fetched_once_and_az_is_given_no_more_than_it_needs() {
    let az = az(r#"echo 'WARNING: the {configuration} is old' >&2
echo 'WARNING: {not json}'
printf '{\n "accessToken": "of-az-0123456789",\n "expires_on": %s,\n "tokenType": "Bearer"\n}\n' "$(($(date +%s) + 3600))"
echo 'A new version is available.'"#);
    let server = Server::answering(|_, _| Reply::text("x"));
    let path = az.path().display().to_string();
    let client = client(&server, &[("PATH", &path)]).unwrap();
    let answers = client.batch((0..20).map(|n| n.to_string())).run().unwrap();
    assert_eq!(answers.failed().count(), 0);
    let noted = noted(az.path());
    let mut lines = noted.lines();
    assert_eq!(
        lines.next(),
        Some("account get-access-token --resource https://cognitiveservices.azure.com -o json")
    );
    assert_eq!(
        lines.next(),
        Some("/"),
        "no module of a notebook's folder is its own"
    );
    assert_eq!(noted.matches("account get-access-token").count(), 1);
    let given = noted
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0));
    let given: Vec<_> = given.filter(|name| !name.is_empty()).collect();
    assert!(
        given.contains(&"HOME") && given.contains(&"PATH"),
        "{given:?}"
    );
    let strange = given
        .iter()
        .find(|name| name.starts_with("CARGO") || name.contains("KEY"));
    assert_eq!(
        strange, None,
        "cargo's own variables show that all are given"
    );
    assert!(
        server
            .requests()
            .iter()
            .all(|it| bearer(it) == "Bearer of-az-0123456789")
    );
}

#[test]
fn who_is_not_signed_in_is_told_how() {
    let error = refused("echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1");
    assert_eq!(error.kind(), ErrorKind::Authentication);
    let told = shown(&error);
    assert!(
        told.contains("`az` is not signed in") && told.contains("run `az login`"),
        "{told}"
    );
}

#[test]
fn what_az_prints_instead_of_a_token_is_told() {
    for (script, told) in [
        ("echo '{\"accessToken\": \"\"}'", "printed no token"),
        ("echo nothing", "printed no token"),
        (
            "echo 'ERROR: AADSTS500011: not found in the tenant' >&2; exit 1",
            "AZURE_TENANT_ID",
        ),
        ("kill -9 $$", "gave no token"),
    ] {
        let error = refused(script);
        assert!(shown(&error).contains(told), "{script}: {}", shown(&error));
    }
}
