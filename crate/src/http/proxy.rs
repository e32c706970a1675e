//! Checks the proxy that the environment names. One that can't be used is an error: the request
//! must not bypass it.

use reqwest::Url;

use crate::error::{Error, ErrorKind, Result};

/// Supported schemes of proxies.
const SPOKEN: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

/// The properties of an address that decide how to connect to it.
#[derive(Clone, Copy)]
pub(crate) struct Destination {
    pub(crate) is_loopback: bool,
    pub(crate) is_plain_http: bool,
}

/// Checks the proxy for this destination, if there is one.
///
/// # Errors
/// It can't be used; the message names its variable, not its value, which may contain a password.
pub(super) fn check(
    destination: Destination,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<()> {
    if destination.is_loopback {
        return Ok(());
    }
    let own = match destination.is_plain_http {
        true => ["HTTP_PROXY", "http_proxy"],
        false => ["HTTPS_PROXY", "https_proxy"],
    };
    let named = own.iter().chain(&["ALL_PROXY", "all_proxy"]);
    // The first non-empty one counts.
    let first = named
        .filter_map(|name| Some((name, lookup(name)?)))
        .find(|(_, value)| !value.trim().is_empty());
    let Some((name, value)) = first else {
        return Ok(());
    };
    let refused = |what: String| {
        Err(Error::new(ErrorKind::Settings, what).with_hint(format!(
            "set {name} to an address such as http://HOST:8080 or socks5h://HOST:1080, or unset it"
        )))
    };
    let (scheme, rest) = match value.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None => ("http".to_owned(), value.as_str()),
    };
    let url = Url::parse(&format!("{scheme}://{rest}")).ok();
    let url = url.filter(|_| value.bytes().all(|byte| byte.is_ascii_graphic()));
    let url = url.filter(|url| url.host_str().is_some_and(|host| !host.is_empty()));
    let is_plain = |scheme: &str| {
        !scheme.is_empty()
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '+')
    };
    match scheme.as_str() {
        scheme if !SPOKEN.contains(&scheme) && is_plain(scheme) => refused(format!(
            "{name} names a proxy of the kind {scheme}://, which evenhand does not speak"
        )),
        scheme => match url {
            None => refused(format!("{name} is not the address of a proxy")),
            Some(url) if scheme.starts_with("socks") && url.port().is_none() => refused(format!(
                "{name} names no port of its proxy (1080 is the usual one)"
            )),
            Some(_) => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FAR: Destination = Destination {
        is_loopback: false,
        is_plain_http: false,
    };

    fn told(name: &str, value: &str) -> String {
        let lookup = |asked: &str| (asked == name).then(|| value.to_owned());
        match check(FAR, lookup) {
            Ok(()) => "used".to_owned(),
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn a_proxy_that_is_spoken_to_is_used() {
        for value in [
            "http://10.0.0.1:3128",
            "10.0.0.1:3128",
            "https://me:Hunter2@proxy.example",
            "socks5://127.0.0.1:1080",
            "SOCKS5H://me:Hunter2@[::1]:1080",
            "socks4a://proxy.example:9050/",
            "",
            " ",
        ] {
            for name in ["HTTPS_PROXY", "all_proxy"] {
                assert_eq!(told(name, value), "used", "{value}");
            }
        }
        assert_eq!(
            told("HTTP_PROXY", "quic://x"),
            "used",
            "it stands before http:// alone"
        );
    }

    #[test]
    fn any_other_is_named_without_its_password() {
        insta::assert_snapshot!(told("ALL_PROXY", "quic://me:Hunter2@proxy.example:1"), @r"
        ALL_PROXY names a proxy of the kind quic://, which evenhand does not speak
          hint: set ALL_PROXY to an address such as http://HOST:8080 or socks5h://HOST:1080, or unset it
        ");
        insta::assert_snapshot!(told("https_proxy", "socks5://me:Hunter2@proxy.example"), @r"
        https_proxy names no port of its proxy (1080 is the usual one)
          hint: set https_proxy to an address such as http://HOST:8080 or socks5h://HOST:1080, or unset it
        ");
        for value in ["http://", "socks5://", "http://a b", "://", "http://[::1"] {
            let told = told("HTTPS_PROXY", value);
            assert!(
                told.starts_with("HTTPS_PROXY is not the address of a proxy"),
                "{value}: {told}"
            );
        }
    }

    #[test]
    fn this_machine_is_asked_without_any() {
        let here = Destination {
            is_loopback: true,
            is_plain_http: true,
        };
        check(here, |_| Some("quic://x".to_owned())).unwrap();
    }

    proptest! {
        #[test]
        fn any_value_is_used_or_refused(value in any::<String>()) {
            told("ALL_PROXY", &value);
        }
    }
}
