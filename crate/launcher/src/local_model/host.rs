//! Whether a request is meant for this server.
//!
//! A web page can send requests to any address. If its owner points the page's host name to
//! 127.0.0.1 while the page is open, the browser lets the page read our answers (DNS rebinding).
//! Such a request has the page's host name in `Host`, so requests with any other name than ours are
//! refused.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};

/// Whether all host names in the request mean this server, which is bound to `bound`.
pub(crate) fn is_ours(headers: &HeaderMap, uri: &Uri, bound: SocketAddr) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let Ok(host) = Authority::try_from(host.as_bytes()) else {
        return false;
    };
    is_name_of(&host, bound.ip())
        && uri
            .authority()
            .is_none_or(|host| is_name_of(host, bound.ip()))
}

/// Whether this is a name of a server that is bound to `bound`. IP addresses cannot be rebound, so
/// a server that listens on all addresses accepts each of them.
fn is_name_of(authority: &Authority, bound: IpAddr) -> bool {
    if authority.as_str().contains('@') {
        return false;
    }
    let host = authority.host();
    // `host` ends at the first colon, behind which a name may go on.
    let port = authority.as_str().strip_prefix(host).unwrap_or_default();
    let is_port = |port: &str| port.parse::<u16>().is_ok() && !port.starts_with('+');
    if !port.is_empty() && !port.strip_prefix(':').is_some_and(is_port) {
        return false;
    }
    let address = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    match address.map(|address| address.to_canonical()) {
        Ok(address) => {
            address.is_loopback() || bound.is_unspecified() || address == bound.to_canonical()
        }
        Err(_) => host.eq_ignore_ascii_case("localhost") || host.eq_ignore_ascii_case("localhost."),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn answers(host: &str, bound: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        is_ours(&headers, &Uri::from_static("/x"), bound.parse().unwrap())
    }

    #[test]
    fn loopback_names_and_the_bound_address_are_ours() {
        for host in [
            "localhost",
            "LocalHost:80",
            "localhost.:1",
            "127.0.0.1:8089",
            "127.9.9.9",
            "[::1]:1",
            "[::1]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(answers(host, "127.0.0.1:8089"), "{host}");
        }
        assert!(answers("192.168.1.5:8089", "192.168.1.5:8089"));
        assert!(answers("10.0.0.7", "0.0.0.0:8089") && answers("[fe80::1]", "[::]:1"));
    }

    #[test]
    fn a_name_that_may_be_pointed_here_is_not() {
        for host in [
            "evil.example",
            "evil.example:8089",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil-localhost",
            "localhost:18120.evil.example",
            "localhost:1:2",
            "localhost:",
            "localhost:+1",
            "localhost:99999",
            "127.0.0.1:80.evil.example",
            "[::1]:80.evil.example",
            "[::1]evil.example",
            "localhost@evil.example",
            "evil.example@localhost",
            "192.168.1.5",
            "0.0.0.0",
            "127.1",
            "2130706433",
            "",
            ":80",
            "local host",
            "[evil]",
        ] {
            assert!(!answers(host, "127.0.0.1:8089"), "{host}");
        }
        assert!(!answers("evil.example", "0.0.0.0:8089"));
        assert!(!answers("192.168.1.6", "192.168.1.5:8089"));
    }

    #[test]
    fn a_request_that_names_two_servers_or_none_is_not_ours() {
        let bound = "127.0.0.1:1".parse().unwrap();
        let mut headers = HeaderMap::new();
        assert!(!is_ours(&headers, &Uri::from_static("/"), bound));
        headers.append(HOST, HeaderValue::from_static("localhost"));
        assert!(!is_ours(
            &headers,
            &Uri::from_static("http://evil.example/"),
            bound
        ));
        assert!(is_ours(
            &headers,
            &Uri::from_static("http://localhost/"),
            bound
        ));
        headers.append(HOST, HeaderValue::from_static("evil.example"));
        assert!(!is_ours(&headers, &Uri::from_static("/"), bound));
    }
}
