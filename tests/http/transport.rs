//! The transport: timeouts, redirects, proxies, sizes.

use std::process::Command;
use std::time::Duration;

use super::{KEY, azure, shown};
use crate::support::server::{Reply, Server};
use evenhand::{Client, ErrorKind};

#[test]
fn a_redirect_is_refused_and_its_target_never_asked() {
    let thief = Server::new([Reply::text("x")]);
    for status in [301, 302, 303, 307, 308] {
        let there = format!("{}/a?code=s3cret", thief.url());
        let server = Server::new([Reply::new(status, "text/plain", "").header("location", &there)]);
        let error = azure(&server).build().unwrap().complete("Hi").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedStatus);
        assert_eq!(server.requests().len(), 1);
        let text = shown(&error);
        assert!(
            text.contains("127.0.0.1") && !text.contains("s3cret"),
            "{text}"
        );
    }
    assert!(thief.requests().is_empty());
}

#[test]
fn silence_ends_in_a_time_out() {
    let server = Server::new([Reply::Silence]);
    let client = azure(&server)
        .timeout(Duration::from_millis(50))
        .max_retries(1)
        .build()
        .unwrap();
    let error = client.complete("Hi").unwrap_err();
    assert_eq!(server.requests().len(), 2);
    insta::assert_snapshot!(shown(&error), @r"
    timeout: no answer from 127.0.0.1:PORT within 50ms
      hint: ask for a shorter answer, or allow more with .timeout()
    ");
}

#[test]
fn nobody_there_is_told() {
    let server = Server::new([]);
    let client = azure(&server).max_retries(0);
    drop(server);
    let error = client
        .endpoint("http://127.0.0.1:1")
        .build()
        .unwrap()
        .complete("Hi")
        .unwrap_err();
    insta::assert_snapshot!(shown(&error), @r"
    connection: could not connect to 127.0.0.1:PORT
      hint: check the address and the network; behind a proxy set HTTPS_PROXY
    ");
}

#[test]
fn an_answer_without_end_is_cut_off() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n".to_vec();
    let server = Server::new([Reply::Bytes([head, vec![b' '; 17 * 1024 * 1024]].concat())]);
    let error = azure(&server).build().unwrap().complete("Hi").unwrap_err();
    assert_eq!(
        (error.kind(), server.requests().len()),
        (ErrorKind::Response, 1)
    );
    insta::assert_snapshot!(error.message(), @"the answer is larger than 16 MB");
}

/// Runs one of the ignored tests below in a process of its own with these variables.
fn elsewhere(test: &str, variables: &[(&str, &str)]) {
    let name = format!("http::transport::{test}");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &name, "--ignored", "--nocapture"]);
    // The developer's own environment must not affect the test.
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_ascii_uppercase();
        let ours = ["AZURE_OPENAI_", "OPENAI_", "SSL_CERT_"]
            .iter()
            .any(|start| upper.starts_with(start));
        if ours || upper.ends_with("_PROXY") {
            command.env_remove(name);
        }
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{told}"
    );
}

#[test]
fn the_proxy_of_the_environment_is_asked_for_a_tunnel_and_never_gets_the_key() {
    let proxy = Server::new([Reply::new(403, "text/plain", "no")]);
    elsewhere("asks_a_host_far_away", &[("HTTPS_PROXY", &proxy.url())]);
    let request = proxy.request();
    assert_eq!(
        (&*request.method, &*request.target),
        ("CONNECT", "far.invalid:443")
    );
    assert!(request.headers().all(|(_, value)| !value.contains(KEY)));
    elsewhere(
        "asks_a_host_far_away",
        &[("HTTPS_PROXY", &proxy.url()), ("NO_PROXY", "far.invalid")],
    );
    assert_eq!(proxy.requests().len(), 1);
}

#[test]
fn a_proxy_that_wants_a_password_is_told_as_that() {
    let reply = Reply::new(407, "text/plain", "").header("proxy-authenticate", "Basic");
    let proxy = Server::new([reply]);
    elsewhere("is_told_of_the_password", &[("HTTPS_PROXY", &proxy.url())]);
}

/// A proxy that speaks SOCKS 5 and refuses; it tells whom it was asked to connect to.
fn socks() -> (u16, std::sync::mpsc::Receiver<String>) {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut greeting = [0; 2];
        stream.read_exact(&mut greeting).unwrap();
        stream
            .read_exact(&mut vec![0; usize::from(greeting[1])])
            .unwrap();
        stream.write_all(&[5, 0]).unwrap();
        let mut request = [0; 5];
        stream.read_exact(&mut request).unwrap();
        let mut host = vec![0; usize::from(request[4])];
        stream.read_exact(&mut host).unwrap();
        sender.send(String::from_utf8(host).unwrap()).unwrap();
        stream.write_all(&[5, 2, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
    });
    (port, receiver)
}

#[test]
fn a_proxy_that_speaks_socks_is_asked_for_the_host() {
    for variable in ["ALL_PROXY", "https_proxy"] {
        let (port, asked) = socks();
        let proxy = format!("socks5h://127.0.0.1:{port}");
        elsewhere("asks_a_host_far_away", &[(variable, &proxy)]);
        assert_eq!(asked.recv().unwrap(), "far.invalid");
    }
}

#[test]
fn a_proxy_of_another_kind_is_named_and_not_passed_by() {
    for proxy in ["quic://127.0.0.1:1", "ftp://127.0.0.1:1"] {
        elsewhere("names_the_proxy", &[("ALL_PROXY", proxy)]);
    }
}

#[test]
fn this_machine_is_asked_without_a_proxy() {
    let proxy = Server::new([Reply::new(403, "text/plain", "no")]);
    let server = Server::new([Reply::text("x")]);
    elsewhere(
        "asks_this_machine",
        &[
            ("HTTP_PROXY", &proxy.url()),
            ("http_proxy", &proxy.url()),
            ("EVENHAND_TEST", &server.url()),
        ],
    );
    assert!(proxy.requests().is_empty());
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_file_of_certificates_that_is_none_is_named() {
    elsewhere("wants_certificates", &[("SSL_CERT_FILE", "/no/such/file")]);
    elsewhere("wants_certificates", &[("SSL_CERT_FILE", file!())]);
}

#[test]
fn only_a_certificate_that_someone_vouches_for_gets_the_key() {
    let server = Server::tls([Reply::text("x")]);
    let address = format!("https://localhost:{}", server.port());
    elsewhere("mistrusts_a_server", &[("EVENHAND_TEST", &address)]);
    assert!(server.requests().is_empty());
    let authority = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/tls/authority.pem"
    );
    elsewhere(
        "asks_this_machine",
        &[("EVENHAND_TEST", &address), ("SSL_CERT_FILE", authority)],
    );
    assert_eq!(server.request().header("api-key"), [KEY]);
}

#[test]
fn the_environment_makes_a_client() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join(".env"),
        "AZURE_OPENAI_ENDPOINT=https://x.openai.azure.com\nAZURE_OPENAI_API_KEY='k3y-k3y'\n\
         AZURE_OPENAI_DEPLOYMENT=from-file\n",
    )
    .unwrap();
    elsewhere(
        "reads_the_environment",
        &[
            ("EVENHAND_TEST", folder.path().to_str().unwrap()),
            ("AZURE_OPENAI_DEPLOYMENT", "from-environment"),
        ],
    );
}

#[test]
#[ignore = "run by another test, with variables of its own"]
fn asks_a_host_far_away() {
    let client = Client::builder()
        .endpoint("https://far.invalid")
        .api_key(KEY)
        .deployment("gpt");
    let error = client
        .max_retries(0)
        .build()
        .unwrap()
        .complete("Hi")
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(!format!("{error:?}").contains(KEY));
}

#[test]
#[ignore = "run by another test, with variables of its own"]
fn is_told_of_the_password() {
    let client = Client::builder()
        .endpoint("https://far.invalid")
        .api_key(KEY)
        .deployment("gpt")
        .max_retries(0);
    let error = client.build().unwrap().complete("Hi").unwrap_err();
    let hint = error.hint().unwrap_or_default();
    assert!(
        hint.contains("the proxy wants a user name and a password: set HTTPS_PROXY"),
        "{error:?}"
    );
}

#[test]
#[ignore = "run by another test, with variables of its own"]
fn names_the_proxy() {
    let client = Client::builder()
        .endpoint("https://far.invalid")
        .api_key(KEY);
    let error = client.deployment("gpt").build().unwrap_err();
    assert!(
        error.is_settings() && error.message().contains("ALL_PROXY"),
        "{error:?}"
    );
}

#[test]
#[ignore = "run by another test, with variables of its own"]
fn asks_this_machine() {
    let client = Client::builder()
        .endpoint(std::env::var("EVENHAND_TEST").unwrap())
        .api_key(KEY);
    assert_eq!(
        client
            .deployment("gpt")
            .build()
            .unwrap()
            .complete("Hi")
            .unwrap()
            .text(),
        Some("x")
    );
}

#[test]
#[ignore = "run by another test, with variables of its own"]
fn mistrusts_a_server() {
    let client = Client::builder()
        .endpoint(std::env::var("EVENHAND_TEST").unwrap())
        .api_key(KEY);
    let error = client
        .deployment("gpt")
        .build()
        .unwrap()
        .complete("Hi")
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.hint().unwrap().contains("SSL_CERT_FILE"), "{error:?}");
}

#[test]
#[ignore = "run by another test, with variables of its own"]
fn wants_certificates() {
    let builder = |address: &str| Client::builder().endpoint(address).api_key(KEY);
    let error = builder("https://x.openai.azure.com").build().unwrap_err();
    assert!(
        error.is_settings() && error.message().contains("SSL_CERT_FILE"),
        "{error:?}"
    );
    builder("http://localhost:1").build().unwrap();
}

#[test]
#[ignore = "run by another test, with variables of its own"]
fn reads_the_environment() {
    std::env::set_current_dir(std::env::var("EVENHAND_TEST").unwrap()).unwrap();
    let client = Client::from_env().unwrap();
    assert_eq!(client.host(), "x.openai.azure.com");
    assert_eq!(client.deployment(), Some("from-environment"));
    assert!(std::env::var_os("AZURE_OPENAI_API_KEY").is_none());
}
