//! What an input line may contain.

use std::fmt::Write;

use super::{complete, good, prompts, run};
use crate::support::server::{Reply, Server};

fn asks(input: impl Into<Vec<u8>>) -> (super::Ended, Server) {
    let folder = tempfile::tempdir().unwrap();
    let server = good();
    let ended = run(&mut complete(folder.path(), &server.url()), input);
    (ended, server)
}

#[test]
fn every_line_has_its_row_in_order() {
    let input = r#""plain"

{"prompt": "a prompt"}
{"custom_id": "same", "prompt": "first", "system": "Be brief."}
{"custom_id": "same", "method": "POST", "url": "/chat/completions", "body": {"messages": [{"role": "user", "content": "second"}], "max_tokens": 5}}
{"custom_id": "x", "body": {"messages": []}}
{"custom_id": "y", "body": {"messages": "no list"}}
{"custom_id": "z", "body": 7}
{"prompt": 7}
{"propmt": "a typing error"}
{"prompt": "cut o
7
null
[]
Describe a nurse.
"the last, without an end""#;
    let (ended, server) = asks(input);
    assert_eq!(ended.code, Some(3), "{}", ended.told);
    let texts: String = ended
        .texts()
        .iter()
        .fold(String::new(), |mut texts, (name, text)| {
            writeln!(texts, "{name}: {text}").unwrap();
            texts
        });
    insta::assert_snapshot!(texts, @r#"
    line-1: answer to plain
    line-3: answer to a prompt
    same: answer to first
    same: answer to second
    x: the request has no message
    y: the line is not a valid request: its body is not a chat request: `messages` is wrong: invalid type: string "no list", expected a sequence
    z: the line is not a valid request: its `body` is not an object
    line-9: the line is not a valid request: `prompt` is not a string
    line-10: the line is not a valid request: it is neither a request with its `body`, nor an object with a `prompt` and at most `system` and `custom_id`, nor a string; it has `propmt`
    line-11: the line is not a valid request: it is not JSON: EOF while parsing a string at column 17
    line-12: the line is not a valid request: it is neither a request with its `body`, nor an object with a `prompt` and at most `system` and `custom_id`, nor a string
    line-13: the line is not a valid request: it is neither a request with its `body`, nor an object with a `prompt` and at most `system` and `custom_id`, nor a string
    line-14: the line is not a valid request: it is neither a request with its `body`, nor an object with a `prompt` and at most `system` and `custom_id`, nor a string
    line-15: the line is not a valid request: it is not JSON: expected value at column 1
    line-16: answer to the last, without an end
    "#);
    assert_eq!(server.requests().len(), 5);
    insta::assert_snapshot!(ended.told(None), @r#"
    hint for 9 rows: a line is {"custom_id": .., "body": {"messages": [..]}}, {"prompt": ..} or a string in quotes
    15 rows: 5 answered, 10 failed, 30 tokens, T s
    "#);
}

#[test]
fn texts_of_any_kind_are_asked() {
    let (ended, server) = asks(
        "\u{feff}\"with a mark\"\r\n\"\\u0000\"\r\n\"a\\ud800b\"\n\"\\ud83d\\ude00\"\n \t\n\"\"",
    );
    let texts: Vec<_> = ended
        .texts()
        .into_iter()
        .map(|(_, text)| text.to_owned())
        .collect();
    assert_eq!(
        texts,
        [
            "answer to with a mark",
            "answer to \0",
            "answer to a\u{fffd}b",
            "answer to \u{1F600}",
            "answer to "
        ]
    );
    assert_eq!((ended.code, server.requests().len()), (Some(0), 5));
}

#[test]
fn bytes_that_are_no_text_cost_their_line_at_most() {
    let (ended, _server) = asks(b"\"a\xffb\"\n\xff\xfe\n\"good\"\n".to_vec());
    let texts: Vec<_> = ended
        .texts()
        .into_iter()
        .map(|(_, text)| text.to_owned())
        .collect();
    assert_eq!(texts.len(), 3);
    assert_eq!(
        (&*texts[0], &*texts[2]),
        ("answer to a\u{fffd}b", "answer to good")
    );
}

#[test]
fn no_line_and_a_hundred_thousand_empty_ones() {
    for input in ["".to_owned(), "\n".repeat(100_000), " \r\n".repeat(1000)] {
        let (ended, server) = asks(input);
        assert_eq!(
            (ended.code, ended.rows.len(), server.requests().len()),
            (Some(0), 0, 0)
        );
        insta::allow_duplicates! { insta::assert_snapshot!(ended.told(None), @"0 rows: 0 answered, 0 tokens, T s"); }
    }
}

#[test]
fn a_line_of_ten_megabytes_is_asked() {
    let long = "w".repeat(10 << 20);
    let (ended, server) = asks(format!("\"{long}\"\n\"short\"\n"));
    assert_eq!(ended.code, Some(0), "{}", ended.told);
    assert_eq!(
        server.requests()[..]
            .iter()
            .map(|one| one.prompt().len())
            .max(),
        Some(10 << 20)
    );
}

#[test]
fn a_line_without_end_is_a_row_and_ends_the_input() {
    let mut input = b"\"first\"\n".to_vec();
    input.resize(66 << 20, b'w');
    let (ended, server) = asks(input);
    assert_eq!(
        (ended.code, ended.rows.len(), server.requests().len()),
        (Some(3), 2, 1)
    );
    insta::assert_snapshot!(ended.texts()[1].1, @"the line is not a valid request: it is longer than 64 MB, and the rest of the input is not read");
}

#[test]
fn what_the_command_says_holds_where_the_line_is_silent() {
    let folder = tempfile::tempdir().unwrap();
    let server = good();
    let mut command = complete(folder.path(), &server.url());
    command.args([
        "--max-tokens",
        "60",
        "--temperature",
        "0.5",
        "--system",
        "Be fair.",
        "--concurrency",
        "1",
    ]);
    let line = r#"{"custom_id": "1", "body": {"model": "own", "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "b"}], "max_tokens": 5}}"#;
    let ended = run(&mut command, format!("\"a\"\n{line}\n"));
    assert_eq!(ended.code, Some(0), "{}", ended.told);
    let [plain, whole] = &server.requests()[..] else {
        panic!("two requests")
    };
    let (plain, whole) = (plain.json(), whole.json());
    assert_eq!(
        (&plain["max_tokens"], &plain["temperature"]),
        (&60.into(), &0.5.into())
    );
    assert_eq!(plain["messages"][0]["content"], "Be fair.");
    assert_eq!(plain["model"], "gpt");
    assert_eq!(
        (&whole["max_tokens"], &whole["model"]),
        (&5.into(), &"own".into())
    );
    assert_eq!(whole["messages"].as_array().unwrap().len(), 2);
}

#[test]
fn each_deployment_has_answers_of_its_own_in_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let server = good();
    let ask = |model: &str| {
        let line = format!(
            r#"{{"custom_id": "1", "body": {{"model": "{model}", "messages": [{{"role": "user", "content": "a"}}]}}}}"#
        );
        let mut command = complete(folder.path(), &server.url());
        let ended = run(command.args(["--journal", "run.jsonl"]), line);
        assert_eq!(ended.code, Some(0), "{}", ended.told);
        ended.rows[0]["evenhand"]["source"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        [ask("one"), ask("two"), ask("one"), ask("two")],
        ["service", "service", "journal", "journal"]
    );
    let requests = std::fs::read_to_string(folder.path().join("run.requests.jsonl")).unwrap();
    assert!(
        requests.contains(r#""model":"one""#) && requests.contains(r#""model":"two""#),
        "{requests}"
    );
}

#[test]
fn a_deployment_that_only_one_line_names_costs_the_others_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::by_prompt(|prompt, _| match prompt {
        "lost" => Reply::error(404, "DeploymentNotFound", "No such deployment."),
        _ => super::answer(prompt),
    });
    let line = r#"{"custom_id": "1", "body": {"model": "typo", "messages": [{"role": "user", "content": "lost"}]}}"#;
    let mut command = complete(folder.path(), &server.url());
    let ended = run(
        command.args(["--concurrency", "1"]),
        format!("{line}\n{}", prompts(2)),
    );
    assert_eq!(ended.code, Some(3), "{}", ended.told);
    let texts: Vec<_> = ended
        .texts()
        .into_iter()
        .map(|(_, text)| text.to_owned())
        .collect();
    assert_eq!(texts[1..], ["answer to number 0", "answer to number 1"]);
}

#[test]
fn a_journal_makes_a_second_run_ask_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let server = good();
    let ask = |count: usize, more: &[&str]| {
        let mut command = complete(folder.path(), &server.url());
        run(
            command.args(["--journal", "run.jsonl"]).args(more),
            prompts(count),
        )
    };
    assert_eq!(ask(3, &[]).code, Some(0));
    let again = ask(5, &[]);
    let sources: Vec<_> = again
        .rows
        .iter()
        .map(|row| row["evenhand"]["source"].as_str().unwrap())
        .collect();
    assert_eq!(
        sources,
        ["journal", "journal", "journal", "service", "service"]
    );
    assert_eq!(server.requests().len(), 5);
    insta::assert_snapshot!(again.told(None), @"5 rows: 5 answered (3 from the journal), 12 tokens, T s");
    assert_eq!(ask(5, &["--fresh"]).code, Some(0));
    assert_eq!(server.requests().len(), 10);
}

#[test]
fn a_line_that_is_put_in_front_asks_that_line_alone() {
    let folder = tempfile::tempdir().unwrap();
    let server = good();
    let ask = |input: String| {
        let mut command = complete(folder.path(), &server.url());
        run(command.args(["--journal", "run.jsonl"]), input)
    };
    // The same prompt twice is asked twice.
    assert_eq!(ask(prompts(2) + &prompts(2)).code, Some(0));
    assert_eq!(server.requests().len(), 4);
    let again = ask(format!("\"new\"\n{}{}", prompts(2), prompts(2)));
    assert_eq!(server.requests().len(), 5);
    let names = again.texts().into_iter().map(|(name, _)| name.to_owned());
    let numbered = (1..=5).map(|number| format!("line-{number}"));
    assert!(names.eq(numbered));
}
