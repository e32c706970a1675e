use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::error::FilterResult;

fn text(line: &impl Serialize) -> String {
    String::from_utf8(write(line).unwrap()).unwrap()
}

fn account() -> Account {
    Account {
        source: None,
        host: "contoso.openai.azure.com".to_owned(),
        deployment: "gpt-4o".to_owned(),
        attempts: 2,
        latency_ms: 813,
        asked_at: 1_764_000_000,
        profile: None,
        provisional: false,
        hint: None,
    }
}

#[test]
fn a_request_is_a_line_of_the_batch_apis_input() {
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "A\nB"}]});
    let line = RequestLine::new("row-1", body);
    // The order of a body's fields depends on a serde_json feature that any crate may enable.
    let body = line.body.to_string();
    assert_eq!(
        text(&line),
        format!(
            r#"{{"custom_id":"row-1","method":"POST","url":"/v1/chat/completions","body":{body}}}"#
        ) + "\n"
    );
    assert_eq!(parse::<RequestLine>(text(&line).as_bytes()).unwrap(), line);
}

#[test]
fn an_answer_is_read_back_as_it_was_written() {
    let body = json!({"choices": [{"message": {"content": "Kind."}, "finish_reason": "stop"}]});
    let answer = ChatCompletion::from_json(Json::from(&body)).unwrap();
    let line = OutputLine::answered("row-1", &answer, account());
    assert_eq!(
        text(&line),
        format!(
            r#"{{"id":"row-1","custom_id":"row-1","response":{{"status_code":200,"request_id":null,"body":{body}}},"error":null,"#
        ) + r#""evenhand":{"host":"contoso.openai.azure.com","deployment":"gpt-4o","attempts":2,"latency_ms":813,"asked_at":1764000000}}"#
            + "\n"
    );
    let back = parse::<OutputLine>(text(&line).as_bytes()).unwrap();
    assert_eq!(back, line);
    assert_eq!(back.completion().unwrap().unwrap().text(), Some("Kind."));
}

#[test]
fn a_failure_says_what_the_service_said() {
    let found = FilterResult {
        filtered: true,
        severity: Some("high".to_owned()),
        detected: None,
    };
    let error = Error::new(ErrorKind::ContentFilter, "the prompt was filtered")
        .with_status(400)
        .with_code(Some("content_filter".to_owned()))
        .with_content_filter(ContentFilter {
            categories: [("violence".to_owned(), found)].into(),
        });
    let line = OutputLine::failed("row-1", &error, account());
    assert_eq!(
        line.response.as_ref().unwrap().body,
        Json::from(
            &json!({"error": {"code": "content_filter", "message": "the prompt was filtered",
            "innererror": {"content_filter_result": {"violence": {"filtered": true, "severity": "high"}}}}})
        )
    );
    let back = parse::<OutputLine>(text(&line).as_bytes()).unwrap();
    assert_eq!(back, line);
    assert_eq!(
        back.error.as_ref().unwrap().code.as_deref(),
        Some("content_filter")
    );
    assert!(back.completion().unwrap().is_none());

    let unreachable = Error::new(ErrorKind::Connection, "no connection");
    let line = OutputLine::failed("row-2", &unreachable, Account::default());
    assert_eq!(line.response, None);
}

#[test]
fn the_batch_apis_own_lines_are_read() {
    let lines = [
        // Azure, with its field order and without an ID.
        r#"{"custom_id": "task-0", "response": {"body": {"choices": [{"message": {"content": "Yes"}}]}, "request_id": "r-1", "status_code": 200}, "error": null}"#,
        // OpenAI.
        r#"{"id": "batch_req_1", "custom_id": "task-1", "response": {"status_code": 400, "request_id": 7, "body": {"error": {"code": "x"}}}, "error": null}"#,
        r#"{"id": "batch_req_2", "custom_id": "task-2", "response": null, "error": {"code": "batch_expired", "message": "It could not be executed in time."}}"#,
        // Undocumented shapes.
        r#"{"custom_id": "task-3", "error": "broken"}"#,
        r#"{"custom_id": "task-4", "error": {"code": 500, "message": {}}, "evenhand": {"attempts": 1, "new": true}}"#,
    ];
    let read: Vec<OutputLine> = lines
        .iter()
        .map(|line| parse(line.as_bytes()).unwrap())
        .collect();
    let told = |line: &OutputLine| {
        let status = line.response.as_ref().map(|response| response.status_code);
        let id = line
            .response
            .as_ref()
            .and_then(|response| response.request_id.clone());
        let error = line
            .error
            .as_ref()
            .map(|error| (error.code.clone(), error.message.clone()));
        format!("{} {status:?} {id:?} {error:?}", line.custom_id)
    };
    let told: Vec<String> = read.iter().map(told).collect();
    assert_snapshot!(told.join("\n"), @r#"
    task-0 Some(200) Some("r-1") None
    task-1 Some(400) Some("7") None
    task-2 None None Some((Some("batch_expired"), Some("It could not be executed in time.")))
    task-3 None None Some((None, Some("broken")))
    task-4 None None Some((Some("500"), None))
    "#);
    let answers = read
        .into_iter()
        .filter_map(|line| line.completion().unwrap());
    assert_eq!(answers.count(), 1);
}

#[test]
fn a_success_that_is_no_answer_says_so() {
    let line: OutputLine =
        parse(br#"{"custom_id": "a", "response": {"status_code": 200, "body": {}}}"#).unwrap();
    assert_snapshot!(line.completion().unwrap_err(), @"the answer has no `choices`");
}

#[test]
fn halves_of_characters_and_bytes_that_are_no_text_are_read_as_replacements() {
    let content = |line: &[u8]| {
        let line: RequestLine = parse(line).unwrap();
        line.body["content"].as_str().unwrap().to_owned()
    };
    let line = |content: &str| {
        format!(r#"{{"custom_id": "a", "body": {{"content": "{content}"}}}}"#).into_bytes()
    };
    assert_eq!(content(&line(r"a\ud800b")), "a\u{fffd}b");
    assert_eq!(content(&line(r"\udc00")), "\u{fffd}");
    assert_eq!(content(&line(r"\ud800\ud83d\ude00")), "\u{fffd}😀");
    assert_eq!(content(&line(r"\ud800\u0041\\ud800")), "\u{fffd}A\\ud800");
    assert_eq!(content(&line(r"\\\ud800\n")), "\\\u{fffd}\n");
    let mut bytes = line("x");
    let place = bytes.len() - 4;
    bytes[place] = 0xff;
    assert_eq!(content(&bytes), "\u{fffd}");
}

#[test]
fn a_row_of_more_megabytes_than_a_line_may_have_is_refused() {
    let line = RequestLine::new("a", json!("x".repeat(MAX_LINE)));
    assert_snapshot!(write(&line).unwrap_err(), @"the row is longer than the limit for a line (64 MB)");
}

proptest! {
    #[test]
    fn any_text_goes_through_a_line(name in any::<String>(), content in any::<String>()) {
        let line = RequestLine::new(name, json!({"content": content}));
        let bytes = write(&line).unwrap();
        prop_assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 1);
        prop_assert_eq!(parse::<RequestLine>(&bytes).unwrap(), line);
    }

    #[test]
    fn any_utf16_is_read(units in prop::collection::vec(any::<u16>(), 0..20)) {
        let escaped: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
        let text: String = parse(format!("\"{escaped}\"").as_bytes()).unwrap();
        prop_assert_eq!(text, String::from_utf16_lossy(&units));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
        let _ = parse::<OutputLine>(&bytes);
    }
}
