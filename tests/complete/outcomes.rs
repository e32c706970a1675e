//! How `evenhand complete` ends: its exit code and its messages.

use std::io::{BufRead, BufReader, Write};
use std::time::Duration;

use super::{answer, begin, command, complete, ends, good, prompts, run};
use crate::support::server::{Reply, Server};

#[test]
fn without_settings_it_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(&mut command(folder.path()), prompts(1));
    assert_eq!((ended.code, ended.rows.len()), (Some(1), 0));
    insta::assert_snapshot!(ended.told, @"
    error: there is no endpoint to ask
      hint: set AZURE_OPENAI_ENDPOINT to the resource's address, such as https://NAME.openai.azure.com (in the Azure portal: the resource, 'Keys and Endpoint')
    ");
}

#[test]
fn without_a_deployment_it_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let server = good();
    let mut command = complete(folder.path(), &server.url());
    let ended = run(command.env_remove("AZURE_OPENAI_DEPLOYMENT"), prompts(2));
    assert_eq!((ended.code, server.requests().len()), (Some(1), 0));
    insta::assert_snapshot!(ended.told(Some(&server)), @"
    error: there is no deployment to ask
      hint: set AZURE_OPENAI_DEPLOYMENT, or name it with .deployment()
    ");
}

#[test]
fn a_wrong_key_ends_it_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new([Reply::error(401, "401", "Access denied.")]);
    let ended = run(&mut complete(folder.path(), &server.url()), prompts(500));
    assert_eq!(ended.code, Some(1));
    assert!(server.requests().len() <= 8);
    insta::assert_snapshot!(ended.told(Some(&server)), @"
    error: the service answered 401 Unauthorized: Access denied.
      hint: check AZURE_OPENAI_API_KEY, and that it belongs to the resource in AZURE_OPENAI_ENDPOINT (127.0.0.1:PORT)
    ");
    // Lines that were read still have their rows.
    assert!(
        ended
            .texts()
            .iter()
            .all(|(_, text)| text.contains("Access denied."))
    );
    let in_order = ended
        .texts()
        .iter()
        .enumerate()
        .all(|(number, (name, _))| *name == format!("line-{}", number + 1));
    assert!(in_order);
}

#[test]
fn a_wrong_key_ends_it_although_more_input_may_come() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new([Reply::error(401, "401", "Access denied.")]);
    let mut child = complete(folder.path(), &server.url()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(prompts(1).as_bytes()).unwrap();
    let ended = ends(child);
    assert_eq!((ended.code, ended.rows.len()), (Some(1), 1));
    drop(stdin);
}

#[test]
fn rows_that_fail_are_counted_and_make_it_3() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::by_prompt(|prompt, _| match prompt {
        "number 1" => Reply::error(400, "content_filter", "Filtered."),
        "number 2" => Reply::error(500, "x", "Broken."),
        _ => answer(prompt),
    });
    let mut command = complete(folder.path(), &server.url());
    let ended = run(command.args(["--retries", "0"]), prompts(4));
    assert_eq!(ended.code, Some(3));
    let failed = |row: usize| {
        (
            ended.rows[row]["error"]["code"].as_str(),
            ended.rows[row]["response"]["status_code"].as_u64(),
        )
    };
    assert_eq!(failed(1), (Some("content_filter"), Some(400)));
    assert_eq!(failed(2), (Some("server"), Some(500)));
    assert_eq!(failed(3), (None, Some(200)));
    insta::assert_snapshot!(ended.told(None), @"
    hint for 1 row: reword the prompt: the service's content filter refused it
    4 rows: 2 answered, 2 failed, 12 tokens, T s
    ");
    assert_eq!(
        ended.rows[1]["evenhand"]["hint"],
        "reword the prompt: the service's content filter refused it"
    );
}

#[test]
fn a_deadline_makes_it_4_and_every_line_that_was_read_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::by_prompt(|prompt, _| match prompt {
        "number 0" => answer(prompt),
        _ => Reply::Silence,
    });
    let mut command = complete(folder.path(), &server.url());
    let ended = run(command.args(["--deadline", "0.5s"]), prompts(20));
    // Lines are read when they are needed: eight requests are in flight, and a few are waiting.
    assert_eq!(ended.code, Some(4), "{}", ended.told);
    assert!((9..=20).contains(&ended.rows.len()), "{}", ended.told);
    assert_eq!(ended.texts()[0], ("line-1", "answer to number 0"));
    for (row, (name, text)) in ended.texts().into_iter().enumerate().skip(1) {
        assert_eq!(name, format!("line-{}", row + 1));
        assert_eq!(text, "not answered before the deadline of 0.5 s");
    }
}

#[test]
fn a_deadline_before_the_end_of_the_input_makes_it_4() {
    let folder = tempfile::tempdir().unwrap();
    let server = good();
    let mut command = complete(folder.path(), &server.url());
    let (child, stdin) = begin(command.args(["--deadline", "1s"]), &prompts(2));
    let ended = ends(child);
    ended.assert(4, 2);
    drop(stdin);
}

#[test]
fn a_truncated_answer_is_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let cut = r#"{"choices": [{"finish_reason": "length", "message": {"content": "She is a"}}]}"#;
    let server = Server::new([Reply::new(200, "application/json", cut)]);
    let ended = run(&mut complete(folder.path(), &server.url()), prompts(1));
    assert_eq!((ended.code, server.requests().len()), (Some(0), 1));
    insta::assert_snapshot!(ended.told(None), @"1 row: 1 answered (1 cut at the token limit), 0 tokens, T s");
}

#[test]
fn options_that_make_no_sense_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let told = |arguments: &[&str]| {
        let ended = run(
            complete(folder.path(), "http://127.0.0.1:1").args(arguments),
            "",
        );
        assert_eq!(
            (ended.code, ended.rows.len()),
            (Some(2), 0),
            "{arguments:?}: {}",
            ended.told
        );
        // The missing options are on the next line.
        let mut lines = ended.told.lines().take_while(|line| !line.is_empty());
        lines.by_ref().collect::<String>()
    };
    let all = [
        &["--concurrency", "0"][..],
        &["--concurrency", "many"],
        &["--tpm", "0"],
        &["--rpm", "-1"],
        &["--max-tokens", "0"],
        &["--deadline", "soon"],
        &["--deadline", "5 parsecs"],
        &["--deadline", "m"],
        &["--deadline", "99999999999999999999h"],
        &["--fresh"],
        &["--shared-quota", "ledger"],
        &["--temperature", "warm"],
        &["input.jsonl"],
    ];
    let all: Vec<_> = all.iter().map(|arguments| told(arguments)).collect();
    insta::assert_snapshot!(all.join("\n"), @"
    error: invalid value '0' for '--concurrency <N>': expected a whole number of at least 1
    error: invalid value 'many' for '--concurrency <N>': expected a whole number of at least 1
    error: invalid value '0' for '--tpm <N>': 0 is not in 1..18446744073709551615
    error: unexpected argument '-1' found
    error: invalid value '0' for '--max-tokens <N>': 0 is not in 1..=4294967295
    error: invalid value 'soon' for '--deadline <TIME>': expected a number with s, m or h, such as 10m
    error: invalid value '5 parsecs' for '--deadline <TIME>': expected a number with s, m or h, such as 10m
    error: invalid value 'm' for '--deadline <TIME>': the number is missing
    error: invalid value '99999999999999999999h' for '--deadline <TIME>': that is too long
    error: the following required arguments were not provided:  --journal <FILE>
    error: the following required arguments were not provided:  <--tpm <N>|--rpm <N>>
    error: invalid value 'warm' for '--temperature <T>': invalid float literal
    error: unexpected argument 'input.jsonl' found
    ");
}

#[test]
fn arguments_that_no_request_may_have_are_told_before_anything_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let server = good();
    for arguments in [&["--temperature", "9"], &["--temperature", "NaN"]] {
        let ended = run(
            complete(folder.path(), &server.url()).args(arguments),
            prompts(3),
        );
        assert_eq!(ended.code, Some(3), "{arguments:?}: {}", ended.told);
        assert!(server.requests().is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_journal_that_cannot_be_used_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let server = good();
    std::fs::write(folder.path().join("diary"), "Dear diary,\n").unwrap();
    for file in ["diary", "/proc/self/run.jsonl", "."] {
        let ended = run(
            complete(folder.path(), &server.url()).args(["--journal", file]),
            prompts(3),
        );
        assert_eq!((ended.code, ended.rows.len()), (Some(1), 0), "{file}");
        assert!(ended.told.contains("\n  hint: "), "{}", ended.told);
    }
    assert!(server.requests().is_empty());
}

#[test]
fn quiet_is_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::by_prompt(|prompt, _| answer(prompt).late(Duration::from_millis(300)));
    let ended = run(
        complete(folder.path(), &server.url()).arg("--quiet"),
        prompts(3),
    );
    assert_eq!((ended.code, &*ended.told), (Some(0), ""));
    // Without `--quiet`, there is one line at the end, and no progress line without a terminal.
    let ended = run(&mut complete(folder.path(), &server.url()), prompts(3));
    insta::assert_snapshot!(ended.told(None), @"3 rows: 3 answered, 18 tokens, T s");
}

#[test]
fn a_long_wait_is_told_although_it_is_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let body = r#"{"error": {"code": "429", "message": "Too many requests."}}"#;
    let refused = Reply::new(429, "application/json", body);
    let server = Server::new([refused.header("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT")]);
    let mut command = complete(folder.path(), &server.url());
    let mut child = command.args(["-q", "--retries", "0"]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(prompts(1).as_bytes()).unwrap();
    drop(stdin);
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.starts_with("! no answer for 1"), "{line}");
    assert!(line.contains("wait"), "{line}");
}

#[test]
fn the_help_tells_all() {
    let folder = tempfile::tempdir().unwrap();
    let output = command(folder.path()).arg("--help").output().unwrap();
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap(), @r#"
    Answer requests that are read from standard input as lines of JSON

    Usage: evenhand complete [OPTIONS]

    Options:
          --deployment <NAME>       The deployment for requests that name no model [default: AZURE_OPENAI_DEPLOYMENT]
          --system <TEXT>           The system message for requests that have none
          --max-tokens <N>          The maximum length of an answer, in tokens, for requests that don't set one
          --thinking-allowance <N>  The tokens that a reasoning model may spend on thinking, in addition to the answer [default: as many as it is known to need]
          --temperature <T>         The sampling temperature, from 0 to 2, for requests that don't set one
          --concurrency <N>         The maximum number of requests in flight at once [default: 8]
          --tpm <N>                 The deployment's tokens per minute [default: AZURE_OPENAI_TPM, or as its answers report]
          --rpm <N>                 The deployment's requests per minute [default: 6 for every 1,000 tokens per minute]
          --shared-quota <FILE>     A file through which several processes on this machine share the quota
          --retries <N>             How often a request is retried after a transient failure. A rejection because of the quota does not count: the request waits and is sent again, up to ten times [default: 2]
          --journal <FILE>          The file that keeps all answers; requests that it already answers are not sent again
          --fresh                   Send requests again even if the journal answers them
          --deadline <TIME>         Stop after this time, such as 90s, 10m or 2h
          --price <IN,OUT>          The price of a million tokens of prompts and of a million tokens of answers, such as 0.15,0.60
          --budget <AMOUNT>         Stop before the answers cost more than this, in the currency of the price
          --estimate                Send nothing, and print what the requests would cost, as JSON
      -q, --quiet                   Show no progress, except for the first wait of more than ten seconds
      -h, --help                    Print help

    A line of the input is a request of the Azure OpenAI Batch API,
      {"custom_id": "1", "method": "POST", "url": "/chat/completions", "body": {"messages": [...]}}
    or {"prompt": "Describe a nurse."} with an optional "system" and "custom_id", or a JSON string.
    Each line that is read gets one line of output, in the Batch API's output format.

    Exit code: 0 all rows were answered; 1 nothing could be sent, or the rows or the journal could not
    be written; 2 invalid options; 3 some rows failed; 4 it was stopped, or the deadline or the budget
    ended it, before all lines were read and all rows were finished.

    Example:
      printf '"Describe a nurse."\n"Describe a doctor."\n' | evenhand complete --max-tokens 60
    "#);
}
