//! Which failures are retried, and how often.

use super::{azure, shown};
use crate::support::server::{Reply, Server};
use evenhand::ErrorKind;

/// The number of requests until it fails for good.
fn requests(reply: Reply) -> usize {
    let server = Server::new([reply]);
    azure(&server).build().unwrap().complete("Hi").unwrap_err();
    server.requests().len()
}

#[test]
fn what_may_pass_is_tried_three_times() {
    for status in [408, 409, 429, 500, 502, 503, 529] {
        assert_eq!(requests(Reply::error(status, "x", "x")), 3, "{status}");
    }
}

#[test]
fn what_stays_wrong_is_tried_once() {
    for status in [400, 401, 403, 404, 413, 422] {
        assert_eq!(requests(Reply::error(status, "x", "x")), 1, "{status}");
    }
    assert_eq!(requests(Reply::new(200, "text/html", "<html>")), 1);
}

#[test]
fn the_service_has_the_last_word() {
    assert_eq!(
        requests(Reply::error(500, "x", "x").header("x-should-retry", "false")),
        1
    );
    assert_eq!(
        requests(Reply::error(400, "x", "x").header("x-should-retry", "true")),
        3
    );
}

#[test]
fn the_number_of_retries_is_the_users() {
    for (retries, expected) in [(0, 1), (1, 2), (4, 5)] {
        let server = Server::new([Reply::error(500, "x", "x")]);
        let client = azure(&server).max_retries(retries).build().unwrap();
        assert_eq!(client.complete("Hi").unwrap_err().kind(), ErrorKind::Server);
        assert_eq!(server.requests().len(), expected);
    }
}

#[test]
fn an_answer_at_the_third_attempt_is_an_answer() {
    let server = Server::new([
        Reply::error(429, "x", "x"),
        Reply::new(503, "text/plain", "busy").header("retry-after", "0.001"),
        Reply::text("at last"),
    ]);
    let answer = azure(&server).build().unwrap().complete("Hi").unwrap();
    assert_eq!((answer.text(), answer.attempts()), (Some("at last"), 3));
    let bodies: Vec<_> = server
        .requests()
        .into_iter()
        .map(|request| request.body)
        .collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]));
}

#[test]
fn a_connection_that_breaks_is_tried_again() {
    let server = Server::new([
        Reply::text("whole").cut(5),
        Reply::Bytes(b"HTTP/1.1 200".to_vec()),
        Reply::text("whole"),
    ]);
    let answer = azure(&server).build().unwrap().complete("Hi").unwrap();
    assert_eq!((answer.text(), answer.attempts()), (Some("whole"), 3));
}

#[test]
fn a_connection_that_keeps_breaking_is_told() {
    let server = Server::new([Reply::text("whole").cut(5)]);
    let error = azure(&server)
        .max_retries(1)
        .build()
        .unwrap()
        .complete("Hi")
        .unwrap_err();
    assert_eq!(server.requests().len(), 2);
    insta::assert_snapshot!(shown(&error), @r"
    connection: the connection to 127.0.0.1:PORT broke
      hint: check the network, or a proxy on the way
    ");
}
