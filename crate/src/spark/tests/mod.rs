//! Sessions against a server that misbehaves.

mod databricks;
mod stand_in;

use insta::assert_snapshot;
use polars::df;
use prost::Message;

use self::stand_in::{Answer, StandIn, complete, response};
use super::arrow::encode;
use super::messages::{ExecutePlanRequest, ReattachExecuteRequest};
use super::{Session, functions::lit};
use crate::error::{Error, ErrorKind, Result};

/// A stream of Arrow with these numbers in a column `n`.
fn rows(numbers: &[i64]) -> Vec<u8> {
    encode(&df!["n" => numbers].unwrap()).unwrap().bytes
}

fn refused(message: &str) -> Answer {
    Answer::Refused(vec![
        ("grpc-status", "13".to_owned()),
        ("grpc-message", message.to_owned()),
    ])
}

/// A server on which all works but the answers to queries, which are these in turn.
fn server(answer: impl Fn(&str, usize) -> Option<Answer> + Send + Sync + 'static) -> StandIn {
    StandIn::start(move |method, before| {
        answer(method, before)
            .unwrap_or_else(|| Answer::Whole(vec![stand_in::framed(&super::messages::Empty {})]))
    })
}

fn session(server: &StandIn) -> Result<Session> {
    Session::builder().remote(server.remote()).create()
}

fn numbers(server: &StandIn) -> Result<Vec<i64>> {
    let frame = session(server)?.range(0, 6).to_polars()?;
    let numbers = frame.column("n").unwrap().i64().unwrap();
    Ok(numbers.iter().flatten().collect())
}

/// What can be seen without the port, which is another one each time.
fn text(error: &Error) -> String {
    let mut text = error.to_string();
    while let Some(at) = text.find("127.0.0.1:") {
        let rest = &text[at + 10..];
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        text = format!("{}SERVER{}", &text[..at], &rest[digits..]);
    }
    text
}

#[test]
fn a_stream_that_breaks_is_continued_where_it_ended() {
    for how in 0..3 {
        let server = server(move |method, _| {
            let (a, b, c) = (
                response("1", None),
                response("2", Some(&rows(&[1, 2]))),
                response("3", Some(&rows(&[3]))),
            );
            match method {
                "ExecutePlan" if how == 0 => Some(Answer::Cut(vec![a, b])),
                "ExecutePlan" if how == 1 => Some(Answer::WithoutTrailers(vec![a, b])),
                // It ends well, and is not complete.
                "ExecutePlan" => Some(Answer::Whole(vec![a, b])),
                "ReattachExecute" => Some(Answer::Whole(vec![b, c, complete("4")])),
                _ => None,
            }
        });
        assert_eq!(numbers(&server).unwrap(), [1, 2, 3], "{how}");
        server.with_asked(|asked| {
            let bodies = |method: &str| -> Vec<_> {
                let asked = asked.iter().filter(|asked| asked.method == method);
                asked.map(|asked| asked.body.slice(5..)).collect()
            };
            let sent = ExecutePlanRequest::decode(bodies("ExecutePlan")[0].clone()).unwrap();
            let again =
                ReattachExecuteRequest::decode(bodies("ReattachExecute")[0].clone()).unwrap();
            assert_eq!(again.last_response_id.as_deref(), Some("1"));
            assert_eq!(Some(again.operation_id), sent.operation_id);
            assert_eq!(again.session_id, sent.session_id);
            assert_eq!(bodies("ExecutePlan").len(), 1, "it runs once");
        });
    }
}

#[test]
fn rows_that_the_server_has_dropped_are_missed() {
    let begun = || Answer::Cut(vec![response("1", None), response("2", Some(&rows(&[1])))]);
    let gap = server(move |method, _| match method {
        "ExecutePlan" => Some(begun()),
        "ReattachExecute" => Some(Answer::Whole(vec![
            response("4", Some(&rows(&[3]))),
            complete("5"),
        ])),
        _ => None,
    });
    assert_snapshot!(text(&numbers(&gap).unwrap_err()), @r"
    rows are missing: the connection to SERVER broke, and the server has dropped rows that had not arrived
      hint: run the query again
    ");
    // A server that keeps less finds the place by itself.
    let strict = server(move |method, before| match (method, before) {
        ("ExecutePlan", _) => Some(begun()),
        ("ReattachExecute", 0) => Some(refused("[INVALID_CURSOR.POSITION_NOT_AVAILABLE] Gone.")),
        ("ReattachExecute", _) => Some(Answer::Whole(vec![
            response("3", Some(&rows(&[2]))),
            complete("4"),
        ])),
        _ => None,
    });
    assert_eq!(numbers(&strict).unwrap(), [1, 2]);
    let asked = strict.with_asked(|asked| {
        let asked = asked
            .iter()
            .filter(|asked| asked.method == "ReattachExecute");
        let last = asked.map(|asked| {
            let request = ReattachExecuteRequest::decode(asked.body.slice(5..)).unwrap();
            request.last_response_id.unwrap()
        });
        last.collect::<Vec<_>>()
    });
    assert_eq!(asked, ["1", "2"]);
}

#[test]
fn a_statement_that_was_cut_off_never_runs_twice() {
    let insert = |words: &'static str| {
        let server = server(move |method, before| match (method, before) {
            ("ExecutePlan", 0) => Some(Answer::Cut(Vec::new())),
            ("ExecutePlan", _) => Some(Answer::Whole(vec![complete("1")])),
            ("ReattachExecute", _) => Some(refused(words)),
            _ => None,
        });
        let spark = session(&server).unwrap();
        let view = spark.range(0, 1).create_temp_view("one");
        let methods = server.methods();
        let sent = methods.iter().filter(|method| *method == "ExecutePlan");
        (view.map_err(|error| text(&error)), sent.count())
    };
    assert_eq!(
        insert("internal error: task context not found for operation"),
        (Ok(()), 1)
    );
    assert_eq!(
        insert("[INVALID_HANDLE.OPERATION_NOT_FOUND] The handle is invalid."),
        (Ok(()), 2)
    );
    let (unsure, sent) = insert("invalid argument: operation not found: 1");
    assert_eq!(sent, 1);
    assert_snapshot!(unsure.unwrap_err(), @r"
    the connection to SERVER broke, and what became of the statement is unknown: it may or may not have been applied
      hint: check whether the server still runs, and look whether the statement has had its effect before you run it again
    ");
}

#[test]
fn a_plan_is_sent_again_only_if_it_never_arrived() {
    // The connection breaks before anything arrives, and the server knows no operation.
    let never = server(|method, before| match (method, before) {
        ("ExecutePlan", 0) => Some(Answer::Cut(Vec::new())),
        ("ExecutePlan", _) => Some(Answer::Whole(vec![
            response("1", Some(&rows(&[1]))),
            complete("2"),
        ])),
        ("ReattachExecute", _) => Some(refused(
            "[INVALID_HANDLE.OPERATION_NOT_FOUND] The handle is invalid.",
        )),
        _ => None,
    });
    assert_eq!(numbers(&never).unwrap(), [1]);
    // An interrupted query: its stream ends silently, and then the server knows no operation.
    let stopped = server(|method, _| match method {
        "ExecutePlan" => Some(Answer::Whole(Vec::new())),
        "ReattachExecute" => Some(refused("operation not found")),
        _ => None,
    });
    assert!(numbers(&stopped).is_err());
    let sent = |server: &StandIn| {
        let methods = server.methods();
        methods
            .iter()
            .filter(|method| *method == "ExecutePlan")
            .count()
    };
    assert_eq!((sent(&never), sent(&stopped)), (2, 1));
    // Something had arrived.
    let begun = server(|method, _| match method {
        "ExecutePlan" => Some(Answer::Cut(vec![response("1", Some(&rows(&[1])))])),
        "ReattachExecute" => Some(refused("operation not found")),
        _ => None,
    });
    assert!(numbers(&begun).is_err());
    assert_eq!(sent(&begun), 1);
}

#[test]
fn every_operation_is_released_however_it_ends() {
    let fails = server(|method, _| match method {
        "ExecutePlan" => Some(refused(
            "[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012",
        )),
        _ => None,
    });
    let error = numbers(&fails).unwrap_err();
    assert_snapshot!(text(&error), @r"
    [DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012
      hint: `try_divide(a, b)` yields null where b is 0
    ");
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::BadRequest, Some("DIVIDE_BY_ZERO"))
    );
    let methods = fails.methods();
    assert_eq!(
        methods,
        ["Config", "ExecutePlan", "ReleaseExecute", "ReleaseSession"]
    );
}

#[test]
fn what_is_no_spark_server_is_called_so() {
    for (answer, kind) in [
        (404, ErrorKind::Response),
        (200, ErrorKind::Response),
        (401, ErrorKind::Authentication),
        (403, ErrorKind::PermissionDenied),
    ] {
        let server = StandIn::start(move |_, _| Answer::Page(answer));
        assert_eq!(session(&server).unwrap_err().kind(), kind, "{answer}");
    }
    let page = StandIn::start(|_, _| Answer::Page(404));
    assert_snapshot!(text(&session(&page).unwrap_err()), @r"
    what answers at SERVER is not a Spark Connect server (HTTP status 404)
      hint: check the host and the port: a Spark Connect server has 15002 by default
    ");
    // One that speaks only HTTP/1.1.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let old = format!("sc://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let error = Session::builder().remote(old).create().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    let nobody = Session::builder()
        .remote("sc://127.0.0.1:1")
        .create()
        .unwrap_err();
    assert_snapshot!(text(&nobody), @r"
    could not connect to SERVER
      hint: check the address, and whether the server runs
    ");
}

#[test]
fn an_old_server_and_broken_messages_have_clear_errors() {
    let old = server(|method, _| match method {
        "ExecutePlan" => Some(Answer::Refused(vec![("grpc-status", "12".to_owned())])),
        _ => None,
    });
    assert!(
        numbers(&old)
            .unwrap_err()
            .hint()
            .unwrap()
            .contains("another engine")
    );
    for answer in [|| Answer::Compressed, || Answer::Huge] {
        let server = server(move |method, _| (method == "ExecutePlan").then(answer));
        let error = numbers(&server).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Response, "{error}");
    }
}

#[test]
fn a_closed_session_is_replaced_once_and_keeps_its_settings() {
    let server = server(|method, before| match (method, before) {
        ("ExecutePlan", 0) => Some(refused(
            "[INVALID_HANDLE.SESSION_CLOSED] Session was closed.",
        )),
        ("ExecutePlan", _) => Some(Answer::Whole(vec![
            response("1", Some(&rows(&[7]))),
            complete("2"),
        ])),
        _ => None,
    });
    let spark = Session::builder()
        .remote(server.remote())
        .config("a.setting", "kept")
        .create()
        .unwrap();
    assert_eq!(spark.range(0, 1).to_polars().unwrap().height(), 1);
    drop(spark);
    server.with_asked(|asked| {
        let plans = asked.iter().filter(|asked| asked.method == "ExecutePlan");
        let ids: Vec<String> = plans
            .map(|asked| {
                ExecutePlanRequest::decode(asked.body.slice(5..))
                    .unwrap()
                    .session_id
            })
            .collect();
        assert_ne!(ids[0], ids[1]);
        let configured = asked.iter().filter(|asked| asked.method == "Config");
        assert!(configured.clone().count() == 2);
        for asked in configured {
            let body = String::from_utf8_lossy(&asked.body).into_owned();
            assert!(body.contains("a.setting") && body.contains("compression.codec"));
        }
    });
}

#[test]
fn the_token_and_the_headers_arrive_and_are_nowhere_else() {
    let server = server(|_, _| None);
    let remote = format!(
        "{}/;token=dapi-secret;x-databricks-cluster-id=0101-abc",
        server.remote()
    );
    let spark = Session::builder().remote(&remote).create().unwrap();
    server.with_asked(|asked| {
        let headers = &asked[0].headers;
        assert_eq!(headers["authorization"], "Bearer dapi-secret");
        assert_eq!(headers["x-databricks-cluster-id"], "0101-abc");
        assert_eq!(headers["te"], "trailers");
        assert!(!String::from_utf8_lossy(&asked[0].body).contains("dapi"));
    });
    let shown = format!("{spark:?} {:?} {:?}", Session::builder(), spark.range(0, 1));
    assert!(!shown.contains("dapi"), "{shown}");
    let builder = format!("{:?}", Session::builder().remote(&remote));
    assert!(!builder.contains("dapi"), "{builder}");
}

#[test]
fn a_token_that_the_server_sends_back_is_in_no_error() {
    let server = server(|method, _| {
        let said = "cluster 0101-abcdef refuses Bearer dapi-0123456789, d\u{AD}api-0123456789 and hunter-2";
        (method == "ExecutePlan").then(|| refused(&said.replace('\u{AD}', "%C2%AD")))
    });
    let remote = format!(
        "{}/;token=dapi-0123456789;x-api-key=hunter-2;x-databricks-cluster-id=0101-abcdef",
        server.remote()
    );
    let spark = Session::builder().remote(&remote).create().unwrap();
    let error = spark.range(0, 6).to_polars().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cluster 0101-abcdef refuses Bearer …, … and …"),
        "{error}"
    );
    let all = format!("{error:?} {:?}", std::error::Error::source(&error));
    assert!(
        !all.contains("0123456789") && !all.contains("hunter"),
        "{all}"
    );
}

#[test]
fn arguments_travel_apart_from_the_text() {
    let server =
        server(|method, _| (method == "ExecutePlan").then(|| Answer::Whole(vec![complete("1")])));
    let spark = session(&server).unwrap();
    spark
        .sql_with("select :x", [("x", lit("'; drop table answers"))])
        .unwrap();
    server.with_asked(|asked| {
        let sent = asked
            .iter()
            .find(|asked| asked.method == "ExecutePlan")
            .unwrap();
        let request = ExecutePlanRequest::decode(sent.body.slice(5..)).unwrap();
        let command = request.plan.unwrap().command.unwrap().sql_command.unwrap();
        assert_eq!(command.sql, "select :x");
        assert!(command.named_arguments.contains_key("x"));
    });
}
