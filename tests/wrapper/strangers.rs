//! Strangers without the key: at a kernel's sockets, and in a notebook that is opened but not run.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::{library, told};
use crate::support::is_root;

/// What strangers can send.
const STRANGERS: &str = include_str!("../support/strangers.py");

/// How many strangers connect. Set `EVENHAND_STRANGERS` for more.
fn count() -> String {
    std::env::var("EVENHAND_STRANGERS").unwrap_or_else(|_| "600".to_owned())
}

fn attacked(kernel: &str) -> Value {
    let count = count();
    told(&format!(
        r#"{STRANGERS}
kernel = {kernel}
said = attacked(kernel, {count})
newcomer(kernel)
said["beats"] = kernel.client.hb_channel.is_beating() and kernel.client.is_alive()
print(said, file=sys.stderr)
tell(said)
kernel.end()
"#
    ))
}

#[test]
fn strangers_end_no_kernel_and_take_no_memory() {
    for kernel in ["Kernel()", "Kernel(by_sockets=True)"] {
        let said = attacked(kernel);
        assert_eq!(said["failed"], 0, "{kernel}: {said}");
        assert!(said["ran"].as_u64() >= Some(6), "{kernel}: {said}");
        assert!(said["growth"].as_i64() < Some(10_000), "{kernel}: {said}");
        assert_eq!(said["beats"], true, "{kernel}: {said}");
    }
}

#[test]
fn a_kernel_by_sockets_is_as_one_by_ports() {
    let said = told(
        r#"
kernel = Kernel(by_sockets=True)
first = kernel.run("let a = 41; a + 1")
asked = kernel.ask('println!("runs"); loop { std::thread::sleep(std::time::Duration::from_millis(10)); }')
kernel.runs(asked)
kernel.interrupt()
stopped = kernel.reply(asked)["status"]
sockets = [oct(os.stat(os.path.join(kernel.sockets.name, name)).st_mode & 0o777) for name in os.listdir(kernel.sockets.name) if "-ipc-" in name]
processes = kernel.processes()
kernel.end()
left = [name for name in os.listdir(kernel.sockets.name)]
tell([first["outputs"][-1]["data"]["text/plain"], stopped, sockets, ended(processes), left])
"#,
    );
    assert_eq!(
        said,
        json!(["42", "error", (vec!["0o600"; 5]), [], []]),
        "answer, stop, sockets' modes, processes and sockets that are left"
    );
}

#[test]
fn evcxr_and_a_kernel_by_sockets_listen_to_no_port() {
    let said = told(
        r#"
kernel = Kernel(by_sockets=True)
kernel.run("1")
listening = set()
for table in ["tcp", "tcp6"]:
    with open(f"/proc/net/{table}") as lines:
        listening |= {fields[9] for fields in map(str.split, lines) if fields[3] == "0A"}
found = []
for process, command in kernel.processes().items():
    for descriptor in os.listdir(f"/proc/{process}/fd"):
        try:
            target = os.readlink(f"/proc/{process}/fd/{descriptor}")
        except OSError:
            continue
        if target.startswith("socket:[") and target[8:-1] in listening:
            found.append(command[0])
tell(found)
kernel.end()
"#,
    );
    assert_eq!(said, json!([]));
}

#[test]
fn another_user_reaches_no_socket() {
    if !is_root() {
        return;
    }
    let script = |kernel: &str| {
        format!(
            r#"{STRANGERS}
kernel = {kernel}
def heard():
    """What nobody hears at each socket."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setgid(65534)
        os.setuid(65534)
        said = []
        for family, address in addresses(kernel.manager):
            stranger = socket.socket(family)
            stranger.settimeout(20)
            try:
                stranger.connect(address)
                stranger.sendall(greeting() + ready(b"SUB") + frame(b"\x01"))
                said.append(len(stranger.recv(1)))
            except OSError as error:
                said.append(0 if not isinstance(error, TimeoutError) else -1)
        os.write(writing, json.dumps(said).encode())
        os._exit(0)
    os.close(writing)
    os.wait()
    return json.loads(os.read(reading, 1000))
tell([heard(), kernel.run("40 + 2")["outputs"][-1]["data"]["text/plain"]])
kernel.end()
"#
        )
    };
    for kernel in ["Kernel()", "Kernel(by_sockets=True)"] {
        assert_eq!(
            told(&script(kernel)),
            json!([(vec![0; 5]), "42"]),
            "{kernel}"
        );
    }
}

/// A notebook that was opened and then run: whether what lies beside it ran before, the answer of its cell,
/// whether it ran then, and what the reader was told.
fn opened(line: &str, beside: &[(&str, &str)]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let notebook = json!({
        "cells": [{"cell_type": "code", "source": line, "metadata": {}, "outputs": [], "execution_count": null}],
        "metadata": {}, "nbformat": 4, "nbformat_minor": 5,
    });
    std::fs::write(folder.path().join("a.ipynb"), notebook.to_string()).unwrap();
    for (name, text) in beside {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = text.replace("FOLDER", folder.path().to_str().unwrap());
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(path, Permissions::from_mode(0o700)).unwrap();
    }
    told(&format!(
        r#"
folder = {:?}
# cargo, which runs the tests, has chosen the compiler.
os.environ.pop("RUSTUP_TOOLCHAIN", None)
kernel = Kernel(cwd=folder, JPY_SESSION_NAME=folder + "/a.ipynb")
time.sleep(8)
before = os.path.exists(folder + "/ran")
outputs = kernel.run("1")["outputs"]
answer = outputs[-1].get("data", {{}}).get("text/plain")
told = "".join(output["text"] for output in outputs if output.get("name") == "stderr")
tell([before, answer, os.path.exists(folder + "/ran"), told])
kernel.end()
"#,
        folder.path()
    ))
}

#[test]
fn a_notebook_that_is_opened_builds_nothing_of_a_strangers() {
    let manifest = "[package]\nname = \"evenhand\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    let evil = [
        ("evil/Cargo.toml", manifest),
        ("evil/src/lib.rs", ""),
        (
            "evil/build.rs",
            r#"fn main() { std::fs::write("FOLDER/ran", "").unwrap(); }"#,
        ),
    ];
    let own = library();
    let own = own.lines().next().unwrap();
    for line in [
        ":dep evenhand = { path = \"evil\" }".to_owned(),
        format!(":dep evenhand = {{ path = \"evil\" }}\n{own}"),
        own.replace(" }", ", package = \"evil\" }"),
    ] {
        let found = opened(&line, &evil);
        assert_eq!(found, json!([false, "1", false, ""]), "{line}");
    }
}

#[test]
fn what_lies_beside_a_notebook_is_run_with_its_first_cell() {
    let settings = (
        "evcxr.toml",
        "[evcxr]\nprelude = '''\nstd::fs::write(\"FOLDER/ran\", \"\").unwrap();\n'''\n",
    );
    let found = opened("1", &[settings]);
    assert_eq!(
        found.as_array().unwrap()[..3],
        [json!(false), json!("1"), json!(true)]
    );
    let told = found[3].as_str().unwrap();
    assert!(
        told.contains("/evcxr.toml belongs to the notebook: what it contains is run together with the first cell"),
        "{told}"
    );
    let compiler = (
        "rust-toolchain.toml",
        "[toolchain]\npath = \"FOLDER/toolchain\"\n",
    );
    let evil = (
        "toolchain/bin/rustc",
        "#!/bin/sh\ntouch FOLDER/ran\nexit 1\n",
    );
    assert_eq!(opened("1", &[compiler, evil])[0], false);
}
