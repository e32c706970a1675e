//! The address of a Spark Connect server: `sc://HOST:PORT/;NAME=VALUE;..`, as in `SPARK_REMOTE`.

use reqwest::Url;

use crate::error::{Error, ErrorKind, Result};
use crate::loopback_host::is_loopback;
use crate::secret::Secret;

/// The port of Spark Connect.
const PORT: u16 = 15002;

/// The longest address that is read.
const MAX_LENGTH: usize = 8_192;

/// Where a server is, and what it needs to know about the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remote {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) uses_tls: bool,
    pub(crate) token: Option<Secret>,
    pub(crate) user_id: Option<String>,
    pub(crate) session_id: Option<String>,
    /// Sent as headers, as Spark's own clients do, such as `x-databricks-cluster-id`.
    pub(crate) headers: Vec<(String, Secret)>,
}

impl Remote {
    /// Reads an address.
    ///
    /// # Errors
    /// It is not the address of a Spark Connect server; or a token would be sent unencrypted; or the
    /// connection to another machine would be unencrypted and `allow_http` is not set. No message
    /// contains the address, since it may hold a token.
    pub(crate) fn parse(text: &str, allow_http: bool) -> Result<Self> {
        let rest = text
            .trim()
            .strip_prefix("sc://")
            .ok_or_else(|| no_address(text))?;
        if rest.len() > MAX_LENGTH {
            return Err(malformed("it is too long"));
        }
        let (authority, parameters) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = host_and_port(authority)?;
        let mut remote = Self {
            host,
            port,
            uses_tls: false,
            token: None,
            user_id: None,
            session_id: None,
            headers: Vec::new(),
        };
        let mut says_no_tls = false;
        for parameter in parameters.split(';').filter(|part| !part.trim().is_empty()) {
            let (name, value) = parameter
                .split_once('=')
                .ok_or_else(|| malformed("a parameter has no `=`"))?;
            let value = decoded(value.trim())?;
            match name.trim() {
                "use_ssl" => match &*value.to_ascii_lowercase() {
                    "true" => remote.uses_tls = true,
                    "false" => says_no_tls = true,
                    _ => return Err(malformed("use_ssl is neither true nor false")),
                },
                "token" => remote.token = Some(Secret::new(value)),
                "user_id" => remote.user_id = Some(value),
                "session_id" => remote.session_id = Some(session_id(value)?),
                // The library says itself who it is, and how large a message may be.
                "user_agent" | "grpc_max_message_size" => {}
                "" => return Err(malformed("a parameter has no name")),
                name => remote.headers.push((name.to_owned(), Secret::new(value))),
            }
        }
        // Spark's own clients encrypt as soon as there is a token.
        remote.uses_tls |= remote.token.is_some() && !says_no_tls && !remote.is_loopback();
        remote.check(allow_http)?;
        Ok(remote)
    }

    fn check(&self, allow_http: bool) -> Result<()> {
        if self.uses_tls || self.is_loopback() {
            return Ok(());
        }
        if self.token.is_some() || !self.headers.is_empty() {
            return Err(Error::new(
                ErrorKind::Settings,
                format!(
                    "a token for the Spark server {} would be sent unencrypted",
                    self.host
                ),
            )
            .with_hint("write `use_ssl=true` into the address"));
        }
        if !allow_http {
            return Err(Error::new(
                ErrorKind::Settings,
                format!(
                    "the connection to the Spark server {} would be unencrypted",
                    self.host
                ),
            )
            .with_hint(
                "write `;use_ssl=true` into the address; or, in a network that you trust, set \
                 EVENHAND_ALLOW_HTTP=1",
            ));
        }
        Ok(())
    }

    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// `http://HOST:PORT`.
    pub(crate) fn base_url(&self) -> String {
        let scheme = if self.uses_tls { "https" } else { "http" };
        format!("{scheme}://{}:{}", self.host, self.port)
    }

    /// `HOST:PORT`, for messages.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

fn host_and_port(authority: &str) -> Result<(String, u16)> {
    if authority.contains(['@', '?', '#', '\\']) {
        return Err(malformed("its host contains a character that no host has"));
    }
    // The parser of `http` makes the host what a connection is made to.
    let url = Url::parse(&format!("http://{authority}/"))
        .map_err(|_| malformed("its host or port is malformed"))?;
    let host = url.host_str().filter(|host| !host.is_empty());
    let host = host.ok_or_else(|| malformed("it has no host"))?.to_owned();
    // `:80` is the default of `http`, and left out by the parser.
    let names_port = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.contains(']'));
    let port = match names_port {
        true => url.port().unwrap_or(80),
        false => PORT,
    };
    Ok((host, port))
}

fn session_id(value: String) -> Result<String> {
    let is_hex = |at: usize, byte: u8| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    match value.len() == 36 && value.bytes().enumerate().all(|(at, byte)| is_hex(at, byte)) {
        true => Ok(value),
        false => Err(malformed("its session_id is not a UUID")),
    }
}

/// The value without percent encoding.
fn decoded(value: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let digits = rest
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let digit = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(digit.ok_or_else(|| malformed("a `%` is not followed by two hex digits"))?);
        rest = &rest[2..];
    }
    let value = String::from_utf8(bytes).map_err(|_| malformed("a value is not UTF-8"))?;
    match value.chars().any(char::is_control) {
        true => Err(malformed("a value contains a control character")),
        false => Ok(value),
    }
}

fn malformed(what: &str) -> Error {
    Error::new(
        ErrorKind::Settings,
        format!("the address of the Spark server is malformed: {what}"),
    )
    .with_hint(HINT)
}

const HINT: &str = "it looks like `sc://HOST:15002` or `sc://HOST:443/;use_ssl=true;token=..`";

fn no_address(text: &str) -> Error {
    let text = text.trim();
    if text.starts_with("local") || text.starts_with("yarn") || text.starts_with("spark:") {
        return Error::new(
            ErrorKind::Settings,
            "the address names a Spark master, and this client speaks Spark Connect",
        )
        .with_hint(
            "start a server there with `$SPARK_HOME/sbin/start-connect-server.sh --master ..`, and set \
             SPARK_REMOTE=sc://HOST:15002; `local[*]` starts Apache Spark on this machine; without the \
             variable, the local engine starts",
        );
    }
    malformed("it does not begin with `sc://`")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    fn refused(text: &str) -> String {
        Remote::parse(text, false).unwrap_err().to_string()
    }

    #[test]
    fn an_address_is_read() {
        let local = Remote::parse("sc://localhost", false).unwrap();
        assert_eq!(local.base_url(), "http://localhost:15002");
        for (text, url) in [
            ("sc://127.0.0.1:80", "http://127.0.0.1:80"),
            (" sc://[::1]:9/ ", "http://[::1]:9"),
            ("sc://[::1]", "http://[::1]:15002"),
            (
                "sc://spark.example:443/;use_ssl=true",
                "https://spark.example:443",
            ),
            (
                "sc://spark.example/;token=abc",
                "https://spark.example:15002",
            ),
            ("sc://localhost/;token=abc", "http://localhost:15002"),
        ] {
            assert_eq!(
                Remote::parse(text, false).unwrap().base_url(),
                url,
                "{text}"
            );
        }
        let id = "8e1d5a2c-0a5e-4f6c-9f0e-d3a1b2c3d4e5";
        let text = format!(
            "sc://adb-1.azuredatabricks.net:443/;token=dapi%3D1;use_ssl=true;user_id=me;\
             session_id={id};x-databricks-cluster-id=0101-abc;user_agent=x"
        );
        let remote = Remote::parse(&text, false).unwrap();
        assert!(remote.token == Some(Secret::new("dapi=1")));
        assert_eq!(remote.user_id.as_deref(), Some("me"));
        assert_eq!(remote.session_id.as_deref(), Some(id));
        assert_eq!(remote.headers.len(), 1);
        assert!(!format!("{remote:?}").contains("dapi"));
    }

    #[test]
    fn nothing_secret_travels_unencrypted() {
        assert_snapshot!(refused("sc://spark.example/;token=abc;use_ssl=false"), @r"
        a token for the Spark server spark.example would be sent unencrypted
          hint: write `use_ssl=true` into the address
        ");
        assert!(refused("sc://spark.example/;x-key=abc").contains("unencrypted"));
        let allowed = Remote::parse("sc://spark.example/;token=abc;use_ssl=false", true);
        assert!(allowed.unwrap_err().is_settings());
        assert_snapshot!(refused("sc://spark.example"), @r"
        the connection to the Spark server spark.example would be unencrypted
          hint: write `;use_ssl=true` into the address; or, in a network that you trust, set EVENHAND_ALLOW_HTTP=1
        ");
        assert!(Remote::parse("sc://spark.example", true).is_ok());
        assert!(refused("sc://localhost.evil.example").contains("unencrypted"));
        assert!(refused("sc://127.0.0.1@evil.example").contains("malformed"));
    }

    #[test]
    fn what_is_no_address_is_refused_without_quoting_it() {
        assert_snapshot!(refused("yarn"), @r"
        the address names a Spark master, and this client speaks Spark Connect
          hint: start a server there with `$SPARK_HOME/sbin/start-connect-server.sh --master ..`, and set SPARK_REMOTE=sc://HOST:15002; `local[*]` starts Apache Spark on this machine; without the variable, the local engine starts
        ");
        assert_snapshot!(refused("http://dapi123"), @r"
        the address of the Spark server is malformed: it does not begin with `sc://`
          hint: it looks like `sc://HOST:15002` or `sc://HOST:443/;use_ssl=true;token=..`
        ");
        for text in [
            "sc://",
            "sc://:15002",
            "sc://host:port",
            "sc://host:99999",
            "sc://localhost/;secret",
            "sc://localhost/;=secret",
            "sc://localhost/;use_ssl=secret",
            "sc://localhost/;token=secret%",
            "sc://localhost/;token=secret%0a",
            "sc://localhost/;session_id=secret",
        ] {
            let refused = refused(text);
            assert!(
                refused.contains("malformed") && !refused.contains("secret"),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_has_an_answer(text: String, parameters in "[a-z=;%0-9]{0,40}") {
            let _ = Remote::parse(&text, true);
            let _ = Remote::parse(&format!("sc://localhost/;{parameters}"), true);
            let _ = Remote::parse(&format!("sc://{text}"), false);
        }
    }
}
