//! A single fault in the middle of a batch: which rows it affects, and how.

use std::thread;
use std::time::{Duration, SystemTime};

use evenhand::{Batch, Client, ErrorKind, Quota};
use serde_json::json;

use crate::support::server::{Reply, Server};

/// A client of this server, as a deployment without a quota.
pub(super) fn client(server: &Server) -> Client {
    Client::builder()
        .endpoint(server.url())
        .api_key("Hunter2-Hunter2")
        .deployment("gpt")
        .build()
        .unwrap()
}

/// A batch that no quota delays.
pub(super) fn batch(server: &Server, prompts: impl IntoIterator<Item = String>) -> Batch {
    client(server).batch(prompts).quota(Quota::unlimited())
}

/// The successful answer to a prompt.
pub(super) fn answer(prompt: &str) -> Reply {
    Reply::text(&words(prompt))
}

/// The text of a successful answer.
pub(super) fn words(prompt: &str) -> String {
    format!("answer to {prompt}")
}

/// Answers the prompt `odd` with this reply at first, and everything else successfully.
fn once(fault: Reply) -> Server {
    Server::by_prompt(move |prompt, before| match (prompt, before) {
        ("odd", 0) => fault.clone(),
        _ => answer(prompt),
    })
}

/// Always answers the prompt `odd` with this reply, and everything else successfully.
fn always(fault: Reply) -> Server {
    Server::by_prompt(move |prompt, _| match prompt {
        "odd" => fault.clone(),
        _ => answer(prompt),
    })
}

fn three() -> [String; 3] {
    ["first", "odd", "last"].map(str::to_owned)
}

fn refused() -> Reply {
    Reply::json(
        429,
        json!({"error": {"code": "429", "message": "Too many."}}),
    )
}

#[test]
fn a_refusal_for_the_quota_is_waited_out_however_it_is_put() {
    let soon = httpdate(SystemTime::now() + Duration::from_secs(1));
    let past = httpdate(SystemTime::UNIX_EPOCH);
    let headers: [&[(&str, &str)]; 12] = [
        &[("retry-after-ms", "20")],
        &[("retry-after", "0.02")],
        &[("retry-after", "1")],
        &[("retry-after", &soon)],
        &[("retry-after", &past)],
        &[("retry-after", "soon"), ("retry-after-ms", "20")],
        &[("retry-after", "-1"), ("retry-after-ms", "NaN")],
        &[("x-rate-limit-reset-tokens", "1")],
        &[
            ("x-ratelimit-remaining-tokens", "-1"),
            ("x-ratelimit-remaining-requests", "-1"),
        ],
        &[
            ("x-ratelimit-remaining-tokens", "0"),
            ("x-ratelimit-remaining-requests", "0"),
        ],
        &[
            ("x-ratelimit-limit-tokens", "99999999999999999999999"),
            ("x-ratelimit-reset-requests", "6m0s6m"),
            ("retry-after-ms", "20"),
        ],
        &[],
    ];
    // In parallel, since a silent server takes a second or so to time out.
    thread::scope(|scope| {
        for headers in headers {
            scope.spawn(move || {
                let reply = headers
                    .iter()
                    .fold(refused(), |reply, (name, value)| reply.header(name, value));
                let server = once(reply);
                let answers = batch(&server, three()).run().unwrap();
                let told = format!("{headers:?}: {answers:?}");
                assert_eq!(answers.failed().count(), 0, "{told}");
                let odd = &answers.rows()[1];
                assert_eq!(odd.text(), Some("answer to odd"), "{told}");
                assert_eq!(
                    (odd.stats.attempts, odd.stats.rate_limited),
                    (2, 1),
                    "{told}"
                );
                assert_eq!(answers.totals().rate_limited, 1, "{told}");
                assert_eq!(server.requests().len(), 4, "{told}");
            });
        }
    });
}

#[test]
fn a_refusal_by_a_gateway_need_not_be_json() {
    for body in [
        "<html><h1>429</h1>",
        "",
        "\u{0}\u{1}",
        "null",
        "[]",
        "{\"error\":",
    ] {
        let reply = Reply::new(429, "text/html", body).header("retry-after-ms", "20");
        let server = once(reply);
        let answers = batch(&server, three()).run().unwrap();
        assert_eq!(answers.totals().answered, 3, "{body:?}: {answers:?}");
    }
}

#[test]
fn a_storm_of_refusals_costs_no_row() {
    let server = Server::by_prompt(|prompt, before| match before {
        0..=2 => refused().header("retry-after-ms", "20"),
        _ => answer(prompt),
    });
    let prompts: Vec<_> = (0..20).map(|n| format!("number {n}")).collect();
    let answers = batch(&server, prompts.clone())
        .max_retries(0)
        .run()
        .unwrap();
    for (row, prompt) in answers.rows().iter().zip(&prompts) {
        assert_eq!(row.text(), Some(&*words(prompt)), "{row:?}");
    }
    let totals = answers.totals();
    assert_eq!((totals.requests, totals.rate_limited), (80, 60));
}

#[test]
fn a_row_that_is_always_refused_ends_as_such() {
    let server = always(refused().header("retry-after-ms", "10"));
    let answers = batch(&server, three()).run().unwrap();
    let odd = &answers.rows()[1];
    let error = odd.error().unwrap();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::RateLimit, Some(429))
    );
    assert_eq!(odd.stats.rate_limited, odd.stats.attempts);
    assert!((2..=20).contains(&odd.stats.attempts), "{odd:?}");
    assert_eq!(answers.totals().answered, 2);
}

#[test]
fn a_wait_of_a_day_does_not_hold_the_batch_beyond_its_deadline() {
    let server = always(refused().header("retry-after", "86400"));
    let answers = batch(&server, three())
        .concurrency(1)
        .deadline(Duration::from_secs(1))
        .run()
        .unwrap();
    assert_eq!(answers.rows()[0].text(), Some("answer to first"));
    let kind = answers.rows()[1].error().unwrap().kind();
    let expected = [ErrorKind::RateLimit, ErrorKind::Cancelled];
    assert!(expected.contains(&kind), "{answers:?}");
    assert!(
        server.requests().len() <= 13,
        "{} requests against a wait of a day",
        server.requests().len()
    );
}

#[test]
fn what_may_pass_is_asked_again_and_what_stays_is_a_row() {
    for status in [408, 409, 500, 502, 503, 504, 529] {
        let fault = Reply::error(status, "x", "x");
        let (passes, stays) = (once(fault.clone()), always(fault));
        let answers = batch(&passes, three()).run().unwrap();
        assert_eq!(answers.totals().answered, 3, "{status}: {answers:?}");
        let answers = batch(&stays, three()).run().unwrap();
        let totals = answers.totals();
        assert_eq!((totals.answered, totals.failed), (2, 1), "{status}");
        assert_eq!(answers.rows()[1].error().unwrap().status(), Some(status));
        assert_eq!(answers.rows()[1].stats.attempts, 3);
        assert_eq!(totals.requests, 5);
    }
}

#[test]
fn what_is_no_answer_is_an_error_of_its_row_alone() {
    let good = String::from_utf8(answer("odd").bytes()).unwrap();
    let (head, body) = good.split_once("\r\n\r\n").unwrap();
    let longer = head.replace("content-length: ", "content-length: 9");
    let shorter = head.replace(
        &format!("content-length: {}", body.len()),
        "content-length: 9",
    );
    let twice = head.replace("content-type:", "content-length: 3\r\ncontent-type:");
    let endless = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n".to_vec();
    let redirect = Reply::new(307, "text/plain", "").header("location", "http://127.0.0.1:1/");
    let raw = |text: &str| Reply::Bytes(format!("{text}\r\n\r\n{body}").into_bytes());
    let cases = [
        (
            "JSON cut off",
            Reply::new(200, "application/json", &body[..body.len() - 3]),
        ),
        (
            "no JSON",
            Reply::new(200, "text/html", "<html>Sign in</html>"),
        ),
        (
            "JSON of another kind",
            Reply::json(200, json!({"choices": {"0": []}})),
        ),
        ("no choices", Reply::json(200, json!({"choices": []}))),
        ("nothing", Reply::new(200, "application/json", "")),
        (
            "no text",
            Reply::new(200, "application/json", b"{\"choices\": \"\xff\"}"),
        ),
        (
            "deep",
            Reply::new(200, "application/json", "[".repeat(100_000)),
        ),
        ("a length too long", raw(&longer)),
        ("a length too short", raw(&shorter)),
        ("two lengths", raw(&twice)),
        ("no HTTP", Reply::Bytes(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec())),
        (
            "huge",
            Reply::Bytes([endless, vec![b'x'; 17 << 20]].concat()),
        ),
        ("a redirect", redirect),
        ("a refusal", Reply::error(400, "x", "x")),
    ];
    let mut told = Vec::new();
    for (name, fault) in cases {
        let server = always(fault);
        let answers = batch(&server, three()).max_retries(0).run().unwrap();
        let texts: Vec<_> = answers.texts().collect();
        let expected = [Some("answer to first"), None, Some("answer to last")];
        assert_eq!(texts, expected, "{name}");
        let error = answers.rows()[1].error().unwrap();
        assert_eq!(server.requests().len(), 3, "{name}: {error}");
        let host = client(&server).host().to_owned();
        let message = error.message().replace(&host, "HOST");
        told.push(format!("{name}: {message:.75}"));
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    JSON cut off: the answer breaks off after 254 bytes: {"id":"chatcmpl-1","object":"chat.co
    no JSON: the answer is not JSON: <html>Sign in</html>
    JSON of another kind: the answer has no `choices`: {"choices":{"0":[]}}
    no choices: the answer's `choices` are empty: {"choices":[]}
    nothing: the answer is empty
    no text: the answer is not UTF-8 text: {"choices": "�"}
    deep: the answer is not JSON: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
    a length too long: the connection to HOST broke
    a length too short: the answer breaks off after 9 bytes: {"id":"ch
    two lengths: the connection to HOST broke
    no HTTP: the connection to HOST broke
    huge: the answer is larger than 16 MB
    a redirect: the service answered 307: it redirects to the host 127.0.0.1, and the key i
    a refusal: the service answered 400 Bad Request: x
    "#);
}

#[test]
fn what_follows_an_answer_is_not_the_answer_to_the_next() {
    let server = Server::by_prompt(|prompt, _| {
        let plain = |text: &str| {
            let bytes = String::from_utf8(Reply::text(text).bytes()).unwrap();
            bytes.replace("connection: close\r\n", "")
        };
        Reply::Kept((plain(&words(prompt)) + &plain("of nobody")).into_bytes())
    });
    let prompts: Vec<_> = (0..20).map(|n| format!("number {n}")).collect();
    let answers = batch(&server, prompts.clone())
        .concurrency(2)
        .run()
        .unwrap();
    for (row, prompt) in answers.rows().iter().zip(&prompts) {
        let text = row.text();
        assert!(text.is_none_or(|text| text == words(prompt)), "{row:?}");
    }
}

#[test]
fn a_connection_may_end_after_any_byte_and_no_row_is_lost() {
    let length = answer("after 100").bytes().len();
    type End = fn(Vec<u8>) -> Reply;
    let ends: [End; 2] = [Reply::Bytes, Reply::Broken];
    thread::scope(|scope| {
        for end in ends {
            scope.spawn(move || {
                let server = Server::by_prompt(move |prompt, before| {
                    let place: usize = prompt["after ".len()..].parse().unwrap();
                    match before {
                        0 => end(answer("after 100").bytes()[..place].to_vec()),
                        _ => answer(prompt),
                    }
                });
                let prompts: Vec<_> = (0..length).map(|place| format!("after {place}")).collect();
                let answers = batch(&server, prompts.clone())
                    .concurrency(64)
                    .max_retries(1)
                    .run()
                    .unwrap();
                for (row, prompt) in answers.rows().iter().zip(&prompts) {
                    assert_eq!(row.text(), Some(&*words(prompt)), "{row:?}");
                    assert_eq!(row.stats.attempts, 2, "{row:?}");
                }
                assert_eq!(server.requests().len(), 2 * length);
            });
        }
    });
}

#[test]
fn an_answer_in_drops_is_an_answer() {
    let server = Server::by_prompt(|prompt, _| match prompt {
        "odd" => Reply::Drip(answer(prompt).bytes(), Duration::from_millis(5)),
        _ => answer(prompt),
    });
    let answers = batch(&server, three()).run().unwrap();
    assert_eq!(answers.totals().answered, 3);
    assert_eq!(answers.totals().requests, 3);
}

#[test]
fn an_answer_that_drips_for_ever_is_a_time_out() {
    let drip = Reply::Drip(answer("odd").bytes(), Duration::from_secs(1));
    let server = always(drip);
    let quick = Client::builder()
        .endpoint(server.url())
        .api_key("key")
        .deployment("gpt")
        .timeout(Duration::from_millis(300))
        .build()
        .unwrap();
    let answers = quick
        .batch(three())
        .quota(Quota::unlimited())
        .max_retries(0)
        .run()
        .unwrap();
    assert_eq!(
        answers.rows()[1].error().unwrap().kind(),
        ErrorKind::Timeout
    );
    assert_eq!(answers.totals().answered, 2);
}

#[test]
fn any_text_goes_there_and_back() {
    let prompts: Vec<_> = [
        "",
        "\0",
        "a\u{2028}b\u{feff}",
        "\u{1F600}\"\\\r\n",
        "EVCXR_BEGIN_CONTENT text/html",
    ]
    .map(str::to_owned)
    .into();
    let server = Server::by_prompt(|prompt, _| answer(prompt));
    let answers = batch(&server, prompts.clone()).run().unwrap();
    for (row, prompt) in answers.rows().iter().zip(&prompts) {
        assert_eq!(row.text(), Some(&*words(prompt)));
    }
}

/// The time in HTTP's format.
fn httpdate(time: SystemTime) -> String {
    httpdate::fmt_http_date(time)
}
