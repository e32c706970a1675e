//! Who may ask a server: its key, and the host that a page names.

use super::{DATED, KEY, Serve, fails, question};
use crate::support::evenhand;

#[test]
fn each_start_has_a_key_of_its_own() {
    let servers =
        [(); 2].map(|()| Serve::start_with(evenhand().env_remove("EVENHAND_SERVE_KEY"), &[]));
    let [one, other] = servers.each_ref().map(Serve::key);
    assert!(one.len() >= 32 && one != other, "{one} {other}");
    let ask = question("nurse", 1).to_string();
    let status = |key: &str| servers[0].post(DATED, &[("api-key", key)], &ask).status;
    assert_eq!([one, other, "evenhand-local"].map(status), [200, 401, 401]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_key_of_ones_own_is_seen_by_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "from-a-file\n").unwrap();
    let named = Serve::start_with(
        evenhand().env("EVENHAND_SERVE_KEY", "from-a-variable"),
        &["--key-file", file.to_str().unwrap()],
    );
    let ask = question("nurse", 1).to_string();
    assert_eq!(
        named
            .post(DATED, &[("api-key", "from-a-file")], &ask)
            .status,
        200
    );
    assert_eq!(named.key(), format!("\"$(cat {})\"", file.display()));
    // The key is not in the output or in any list of processes, and the engine does not get it.
    assert!(!named.said.concat().contains("from-a-"));
    let processes = [named.child.id(), named.engine()];
    for (process, name) in processes
        .iter()
        .flat_map(|id| [(id, "cmdline"), (id, "environ")])
    {
        let text = std::fs::read_to_string(format!("/proc/{process}/{name}")).unwrap();
        assert!(!text.contains("from-a-file"), "{name} of {process}");
        assert!(
            *process == processes[0] || !text.contains("from-a-variable"),
            "{name}"
        );
    }
    let variable = Serve::start(&[]);
    assert_eq!(variable.key(), "\"$EVENHAND_SERVE_KEY\"");
    assert!(!variable.said.concat().contains(KEY.1));
}

#[test]
fn a_page_whose_name_was_pointed_here_is_refused() {
    let serve = Serve::start(&[]);
    let ask = question("nurse", 1).to_string();
    let port = serve.address.rsplit(':').next().unwrap();
    let status = |host: &str, key: &(&str, &str)| {
        let mut stream = std::net::TcpStream::connect(&serve.address).unwrap();
        let request = format!(
            "POST {DATED} HTTP/1.1\r\nhost: {host}\r\n{}: {}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{ask}",
            key.0,
            key.1,
            ask.len()
        );
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
        answer
    };
    for host in [
        format!("localhost:{port}"),
        serve.address.clone(),
        "[::1]".to_owned(),
    ] {
        assert!(status(&host, &KEY).starts_with("HTTP/1.1 200 "), "{host}");
    }
    for host in [
        format!("evil.example:{port}"),
        format!("localhost.evil.example:{port}"),
    ] {
        let answer = status(&host, &KEY);
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        assert!(answer.contains("names another server"), "{answer}");
    }
}

#[test]
fn a_key_that_is_none_is_refused_without_being_told() {
    let folder = tempfile::tempdir().unwrap();
    let said = fails(folder.path(), &["--port", "0", "--key", "two words"]);
    assert!(said.contains("the key of --key is invalid"), "{said}");
    assert!(!said.contains("two words"), "{said}");
    let said = fails(
        folder.path(),
        &["--port", "0", "--key-file", "/nowhere/key"],
    );
    assert!(
        said.contains("the key can't be read from /nowhere/key"),
        "{said}"
    );
}
