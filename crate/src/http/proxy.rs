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

/// A proxy: the variable that names it, and its host and port.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    pub(super) variable: &'static str,
    pub(super) address: String,
}

impl Proxy {
    /// The proxy on the way to this host, if it can be used and the host is not excepted.
    pub(crate) fn of_environment(destination: Destination, host: &str) -> Option<Self> {
        Self::from_settings(destination, host, of_environment)
    }

    fn from_settings(
        destination: Destination,
        host: &str,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Option<Self> {
        let excepted = ["NO_PROXY", "no_proxy"].into_iter().find_map(&lookup);
        match is_excepted(host, &excepted.unwrap_or_default()) {
            true => None,
            false => check(destination, lookup).ok()?,
        }
    }

    /// The hint if it wants a password.
    pub(crate) fn password_hint(&self) -> String {
        let Self { variable, address } = self;
        format!(
            "the proxy wants a user name and a password: set {variable} to an address such as \
             http://USER:PASSWORD@{address}"
        )
    }
}

pub(super) fn of_environment(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Whether the list of exceptions contains the host or a domain that it is in.
fn is_excepted(host: &str, exceptions: &str) -> bool {
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    exceptions.split(',').map(str::trim).any(|exception| {
        let domain = exception.trim_start_matches("*.").trim_start_matches('.');
        let rest = host.strip_suffix(domain);
        exception == "*"
            || !domain.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// Checks the proxy for this destination, and returns it if there is one.
///
/// # Errors
/// It can't be used; the message names its variable, not its value, which may contain a password.
pub(super) fn check(
    destination: Destination,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<Option<Proxy>> {
    if destination.is_loopback {
        return Ok(None);
    }
    let own = match destination.is_plain_http {
        true => ["HTTP_PROXY", "http_proxy"],
        false => ["HTTPS_PROXY", "https_proxy"],
    };
    let named = own.into_iter().chain(["ALL_PROXY", "all_proxy"]);
    // The first non-empty one counts.
    let first = named
        .filter_map(|name| Some((name, lookup(name)?)))
        .find(|(_, value)| !value.trim().is_empty());
    let Some((name, value)) = first else {
        return Ok(None);
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
    if scheme == "socks" {
        return refused(format!(
            "{name} does not say which version of SOCKS its proxy speaks: write socks5h:// or socks4a://"
        ));
    }
    // The connector compares the schemes of SOCKS by letter, and would pass such a proxy by.
    if scheme.starts_with("socks") && !value.starts_with(&scheme) {
        return refused(format!(
            "{name} names its proxy's scheme in capitals: write {scheme}://"
        ));
    }
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
            "{name} names a proxy of the kind {scheme}://, which evenhand does not support"
        )),
        scheme => match url {
            None => refused(format!("{name} is not the address of a proxy")),
            Some(url) if scheme.starts_with("socks") && url.port().is_none() => refused(format!(
                "{name} names no port of its proxy (1080 is the usual one)"
            )),
            Some(url) => {
                let host = url.host_str().unwrap_or_default();
                let port = url.port_or_known_default();
                Ok(Some(Proxy {
                    variable: name,
                    address: port.map_or(host.to_owned(), |port| format!("{host}:{port}")),
                }))
            }
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

    fn outcome(name: &str, value: &str) -> String {
        let lookup = |asked: &str| (asked == name).then(|| value.to_owned());
        match check(FAR, lookup) {
            Ok(_) => "used".to_owned(),
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
            "HTTP://me:Hunter2@[::1]:1080",
            "socks5h://me:Hunter2@[::1]:1080",
            "socks4a://proxy.example:9050/",
            "",
            " ",
        ] {
            for name in ["HTTPS_PROXY", "all_proxy"] {
                assert_eq!(outcome(name, value), "used", "{value}");
            }
        }
        assert_eq!(
            outcome("HTTP_PROXY", "quic://x"),
            "used",
            "it only comes before http://"
        );
    }

    #[test]
    fn any_other_is_named_without_its_password() {
        insta::assert_snapshot!(outcome("ALL_PROXY", "quic://me:Hunter2@proxy.example:1"), @r"
        ALL_PROXY names a proxy of the kind quic://, which evenhand does not support
          hint: set ALL_PROXY to an address such as http://HOST:8080 or socks5h://HOST:1080, or unset it
        ");
        for value in ["socks://proxy.example:1080", "SOCKS://proxy.example:1080"] {
            let outcome = outcome("ALL_PROXY", value);
            assert!(
                outcome.contains("write socks5h:// or socks4a://"),
                "{outcome}"
            );
        }
        insta::assert_snapshot!(outcome("https_proxy", "socks5://me:Hunter2@proxy.example"), @r"
        https_proxy names no port of its proxy (1080 is the usual one)
          hint: set https_proxy to an address such as http://HOST:8080 or socks5h://HOST:1080, or unset it
        ");
        insta::assert_snapshot!(outcome("ALL_PROXY", "SOCKS5h://me:Hunter2@proxy.example:1080"), @r"
        ALL_PROXY names its proxy's scheme in capitals: write socks5h://
          hint: set ALL_PROXY to an address such as http://HOST:8080 or socks5h://HOST:1080, or unset it
        ");
        for value in ["http://", "socks5://", "http://a b", "://", "http://[::1"] {
            let outcome = outcome("HTTPS_PROXY", value);
            assert!(
                outcome.starts_with("HTTPS_PROXY is not the address of a proxy"),
                "{value}: {outcome}"
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

    #[test]
    fn the_proxy_on_the_way_is_known_without_its_password() {
        let of = |host: &str, exceptions: &str| {
            let lookup = |name: &str| match name {
                "HTTPS_PROXY" => Some("http://me:Hunter2@proxy.example:3128".to_owned()),
                "NO_PROXY" => Some(exceptions.to_owned()),
                _ => None,
            };
            let proxy = Proxy::from_settings(FAR, host, lookup);
            proxy.map(|proxy| format!("{} {}", proxy.variable, proxy.address))
        };
        let used = Some("HTTPS_PROXY proxy.example:3128".to_owned());
        assert_eq!(of("api.example", ""), used);
        assert_eq!(of("api.example:8443", "other.example, ple"), used);
        for exceptions in ["*", "example", "a,.example", "*.example", "api.example"] {
            assert_eq!(of("api.example:8443", exceptions), None, "{exceptions}");
        }
    }

    proptest! {
        #[test]
        fn any_value_is_used_or_refused(value in any::<String>()) {
            outcome("ALL_PROXY", &value);
        }
    }
}
