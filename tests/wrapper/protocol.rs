//! The rest of the protocol (history, completeness, counts, comms), and a kernel that cannot start.

use std::process::{Output, Stdio};

use serde_json::{Value, json};

use super::told;
use crate::support::{evenhand, home};

#[test]
fn requests_are_answered_as_the_protocol_says() {
    let said = told(
        r#"
kernel = Kernel()
def asked(name, **content):
    message = kernel.client.session.msg(name, content)
    kernel.client.shell_channel.send(message)
    return kernel.reply(message["header"]["msg_id"])
counts = [kernel.run(code, **options)["execution_count"] for code, options in [
    ("let apple = 1;", {}), ("2", {"silent": True}), ("3", {"store_history": False}), ("apple", {})]]
tell({
    "counts": counts,
    "info": asked("kernel_info_request"),
    "comms": asked("comm_info_request"),
    "whole": asked("is_complete_request", code="let a = 1;"),
    "open": asked("is_complete_request", code="fn f() {"),
    "wrong": asked("is_complete_request", code="}"),
    "history": asked("history_request", hist_access_type="tail", n=10, output=False, raw=True),
    "complete": asked("complete_request", code="app", cursor_pos=3),
    "inspect": asked("inspect_request", code="apple", cursor_pos=2, detail_level=0),
})
kernel.end()
"#,
    );
    assert_eq!(said["counts"], json!([1, 1, 1, 2]));
    assert_eq!(said["info"]["implementation"], "evenhand");
    assert_eq!(said["info"]["language_info"]["name"], "rust");
    assert_eq!(said["comms"], json!({"status": "ok", "comms": {}}));
    let complete = |name: &str| said[name]["status"].clone();
    assert_eq!(
        [complete("whole"), complete("open"), complete("wrong")],
        ["complete", "incomplete", "invalid"]
    );
    assert_eq!(said["open"]["indent"], "    ");
    assert_eq!(
        said["history"]["history"],
        json!([[0, 1, "let apple = 1;"], [0, 2, "apple"]])
    );
    let matches = said["complete"]["matches"].as_array().unwrap();
    assert!(matches.contains(&"apple".into()), "{}", said["complete"]);
    assert_eq!(said["inspect"]["status"], "ok");
}

fn started(connection: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("connection.json");
    std::fs::write(&file, connection).unwrap();
    evenhand()
        .args(["kernel", "--connection-file"])
        .arg(file)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn said_of(connection: &str) -> String {
    let output = started(connection);
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_connection_that_cannot_be_is_refused_in_words() {
    let said = said_of("hello");
    assert!(
        said.contains("is not a connection file") && said.contains("hint: "),
        "{said}"
    );

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let connection = json!({"transport": "tcp", "ip": "127.0.0.1", "key": "", "signature_scheme": "hmac-sha256",
        "shell_port": port, "control_port": port, "iopub_port": port, "stdin_port": port, "hb_port": port});
    let said = said_of(&connection.to_string());
    assert!(
        said.contains("cannot listen at") && said.contains("in use"),
        "{said}"
    );
}

/// The output of the first cell in a kernel with this folder as its home.
fn first_cell_in(folder: &std::path::Path) -> Value {
    told(&format!(
        "kernel = Kernel(EVENHAND_HOME={folder:?})\ntell(kernel.run('1'))\nkernel.end()"
    ))
}

#[test]
fn a_kernel_that_cannot_work_says_why_in_the_notebook() {
    let empty = tempfile::tempdir().unwrap();
    let said = first_cell_in(empty.path());
    assert_eq!(said["ename"], "KernelError", "{said}");
    let why = said["evalue"].as_str().unwrap();
    assert!(
        why.contains("not installed yet") && why.contains("cargo run"),
        "{why}"
    );

    let full = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(full.path().join("kernel/bin")).unwrap();
    let program = "kernel/bin/evcxr_jupyter";
    std::fs::copy(home().join(program), full.path().join(program)).unwrap();
    // Not even root can create a folder inside a file.
    std::fs::write(full.path().join("kernel/running"), "").unwrap();
    let said = first_cell_in(full.path());
    let why = said["evalue"].as_str().unwrap();
    assert!(
        why.contains("build directory") && why.contains("hint: set EVENHAND_HOME"),
        "{why}"
    );
}

#[test]
fn an_evcxr_of_another_version_is_named_and_tried() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("kernel/bin")).unwrap();
    let program = "kernel/bin/evcxr_jupyter";
    let place = folder.path().join(program);
    std::fs::copy(home().join(program), &place).unwrap();
    // The same evcxr with another version number in its binary.
    let mut bytes = std::fs::read(&place).unwrap();
    let (ours, other) = (b"0.22", b"0.23");
    let mut at = 0;
    while let Some(found) = bytes[at..]
        .windows(ours.len())
        .position(|part| part == ours)
    {
        at += found;
        bytes[at..at + ours.len()].copy_from_slice(other);
    }
    assert!(at > 0, "it does not say its version");
    std::fs::write(&place, bytes).unwrap();
    let said = first_cell_in(folder.path());
    let outputs = said["outputs"].to_string();
    assert!(outputs.contains("this is evcxr 0.23"), "{outputs}");
    assert!(outputs.contains("dependencies are not built"), "{outputs}");
    assert!(outputs.contains(r#""text/plain":"1""#), "{outputs}");
}

#[test]
fn a_request_with_a_wrong_signature_is_ignored() {
    let said = told(
        r#"
kernel = Kernel()
from jupyter_client.session import Session
right = kernel.client.session.key
kernel.client.session.key = b"wrong"
kernel.ask('std::fs::write("/tmp/never", "x")')
kernel.client.session.key = right
tell(kernel.run("40 + 2"))
kernel.end()
"#,
    );
    assert_eq!(said["outputs"][0]["data"]["text/plain"], "42");
    assert_eq!(said["execution_count"], 1);
}
