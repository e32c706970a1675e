//! The client with servers that follow the protocol and servers that do not.

mod errors;
mod gateway;
mod hostile;
mod paths;
mod retries;
mod sign_in;
mod transport;

use crate::support::server::Server;
use evenhand::openai::ClientBuilder;
use evenhand::{Client, Error};

/// A key that must not appear anywhere but in its header.
const KEY: &str = "Hunter2-Hunter2-Hunter2";

/// A client of the dated path.
fn azure(server: &Server) -> ClientBuilder {
    Client::builder()
        .endpoint(server.url())
        .api_key(KEY)
        .api_version("2024-10-21")
        .deployment("gpt")
}

/// What an error shows: kind, message and hint. The port and the causes, which come from the
/// operating system, vary and are left out.
fn shown(error: &Error) -> String {
    let text = format!("{}: {error:?}", error.kind().name());
    assert!(!text.contains(KEY), "{text}");
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("  because: "))
        .collect();
    let text = lines.join("\n");
    let mut parts = text.split("127.0.0.1:");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str("127.0.0.1:PORT");
        plain.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    plain
}
