//! Where `evenhand complete` takes its settings from, as a user sees it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::server::{Reply, Server};
use crate::support::{evenhand, is_root, skip};

/// Sends one request from this folder, with these variables in addition to `.env`.
fn ask(folder: &Path, variables: &[(&str, &str)]) -> Output {
    let prompt = folder.join("prompt.jsonl");
    fs::write(&prompt, "\"Hi\"\n").unwrap();
    let mut command: Command = evenhand();
    command
        .args(["complete", "--quiet", "--retries", "0"])
        .current_dir(folder)
        .env("HOME", folder.parent().unwrap())
        .envs(variables.iter().copied())
        .stdin(Stdio::from(fs::File::open(&prompt).unwrap()))
        .output()
        .unwrap()
}

fn told(output: &Output, folder: &Path) -> String {
    let told = String::from_utf8_lossy(&output.stderr);
    told.replace(folder.to_str().unwrap(), "FOLDER")
        .trim_end()
        .to_owned()
}

/// A home folder with a folder in it.
fn place() -> (tempfile::TempDir, std::path::PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let folder = fs::canonicalize(home.path()).unwrap().join("project");
    fs::create_dir(&folder).unwrap();
    (home, folder)
}

#[test]
fn a_key_of_the_environment_goes_to_no_address_of_a_file() {
    let (_home, folder) = place();
    let server = Server::new([Reply::text("x")]);
    fs::write(
        folder.join(".env"),
        format!(
            "AZURE_OPENAI_ENDPOINT={}\nAZURE_OPENAI_DEPLOYMENT=gpt\n",
            server.url()
        ),
    )
    .unwrap();
    let refused = ask(
        &folder,
        &[("AZURE_OPENAI_API_KEY", "k3y-of-the-environment")],
    );
    assert!(!refused.status.success());
    assert!(server.requests().is_empty());
    let told = told(&refused, &folder);
    for word in [
        "AZURE_OPENAI_API_KEY is set in the environment",
        "AZURE_OPENAI_ENDPOINT in FOLDER/.env",
        "hint: ",
    ] {
        assert!(told.contains(word), "{told}");
    }
    assert!(!told.contains("k3y"), "{told}");
}

#[test]
fn a_service_of_the_environment_stays_whole_beside_a_file() {
    let (_home, folder) = place();
    let (own, other) = (
        Server::new([Reply::text("x")]),
        Server::new([Reply::text("y")]),
    );
    fs::write(
        folder.join(".env"),
        format!(
            "AZURE_OPENAI_ENDPOINT={}\nAZURE_OPENAI_AD_TOKEN=t0ken-of-the-file\n\
             AZURE_OPENAI_DEPLOYMENT=gpt\nAZURE_OPENAI_TPM=1\n",
            other.url()
        ),
    )
    .unwrap();
    let answered = ask(
        &folder,
        &[
            ("AZURE_OPENAI_ENDPOINT", &own.url()),
            ("AZURE_OPENAI_API_KEY", "k3y-of-the-environment"),
        ],
    );
    assert!(answered.status.success(), "{}", told(&answered, &folder));
    assert_eq!(own.request().header("api-key"), ["k3y-of-the-environment"]);
    assert!(other.requests().is_empty());
}

#[test]
fn a_value_in_a_file_is_what_stands_there() {
    let (_home, folder) = place();
    let server = Server::new([Reply::text("x")]);
    fs::write(
        folder.join(".env"),
        format!(
            "OWNER=O'Brien\nOPENAI_BASE_URL={}/x/$HOME\nOPENAI_API_KEY=abc$HOME$def0123\n\
             OPENAI_MODEL=gpt\nOTHER='\n",
            server.url()
        ),
    )
    .unwrap();
    let answered = ask(&folder, &[]);
    assert!(answered.status.success(), "{}", told(&answered, &folder));
    let request = server.request();
    assert_eq!(request.header("authorization"), ["Bearer abc$HOME$def0123"]);
    assert_eq!(request.target, "/x/$HOME/chat/completions");
}

#[test]
fn a_file_of_somebody_else_is_passed_over_and_told() {
    let (home, folder) = place();
    let server = Server::new([Reply::text("x")]);
    let file = folder.join(".env");
    let settings = format!(
        "OPENAI_BASE_URL={}\nOPENAI_MODEL=gpt\nEVENHAND_JOURNAL={}\n",
        server.url(),
        home.path().display()
    );
    fs::write(&file, &settings).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    let refused = ask(&folder, &[]);
    assert!(!refused.status.success() && server.requests().is_empty());
    let note = "! FOLDER/.env was skipped: other users can write to it.";
    assert!(
        told(&refused, &folder).contains(note),
        "{}",
        told(&refused, &folder)
    );

    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(ask(&folder, &[]).status.success());
    if !is_root() {
        return skip("only root gives files away");
    }
    chown(&file, Some(65_534), None).unwrap();
    let refused = ask(&folder, &[]);
    assert!(!refused.status.success());
    assert!(told(&refused, &folder).contains("belongs to another user (65534)"));
    fs::rename(&file, folder.join("theirs")).unwrap();
    symlink("theirs", &file).unwrap();
    assert!(!ask(&folder, &[]).status.success());
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn nothing_is_looked_for_above_the_repository_or_home() {
    let (home, folder) = place();
    let server = Server::new([Reply::text("x")]);
    let settings = format!("OPENAI_BASE_URL={}\nOPENAI_MODEL=gpt\n", server.url());
    fs::write(home.path().join(".env"), settings).unwrap();
    assert!(ask(&folder, &[]).status.success());
    fs::create_dir(folder.join(".git")).unwrap();
    assert!(!ask(&folder, &[]).status.success());
    fs::remove_dir(folder.join(".git")).unwrap();
    assert!(!ask(&folder, &[("HOME", "/nonexistent")]).status.success());
    assert_eq!(server.requests().len(), 1);
}
