//! What requests cost: told before, and limited.

use super::{complete, good, prompts, run};

#[test]
fn an_estimate_sends_nothing_and_knows_the_journal() {
    let (folder, server) = (tempfile::tempdir().unwrap(), good());
    let estimate = |count: usize| {
        let mut command = complete(folder.path(), &server.url());
        command.args([
            "--max-tokens",
            "50",
            "--journal",
            "j.jsonl",
            "--tpm",
            "1000",
        ]);
        command.args(["--price", "1,2", "--estimate"]);
        run(&mut command, prompts(count))
    };
    let before = estimate(20);
    before.assert(0, 1);
    assert_eq!(before.rows[0]["requests"], 20);
    assert_eq!(before.rows[0]["completion_tokens"], 1_000);
    assert!(before.told.contains("20 requests, "), "{}", before.told);
    assert!(server.requests().is_empty());

    let mut command = complete(folder.path(), &server.url());
    command.args(["--max-tokens", "50", "--journal", "j.jsonl", "--quiet"]);
    run(&mut command, prompts(5)).assert(0, 5);
    let after = estimate(20);
    assert_eq!(after.rows[0]["requests"], 15);
    assert_eq!(after.rows[0]["from_journal"], 5);
}

#[test]
fn a_budget_ends_the_work_and_every_line_still_has_its_row() {
    let (folder, server) = (tempfile::tempdir().unwrap(), good());
    let mut command = complete(folder.path(), &server.url());
    command.args([
        "--max-tokens",
        "50",
        "--concurrency",
        "1",
        "--price",
        "0,1000000",
    ]);
    command.args(["--budget", "60"]);
    let ended = run(&mut command, prompts(30));
    assert_eq!(ended.code, Some(4), "{}", ended.told);
    let (answered, rest): (Vec<_>, Vec<_>) = ended
        .texts()
        .into_iter()
        .partition(|(_, text)| text.starts_with("answer to"));
    assert!(!answered.is_empty() && !rest.is_empty());
    for (_, text) in rest {
        assert!(text.contains("of the budget of 60.00"), "{text}");
    }
}

#[test]
fn an_option_that_is_no_price_or_budget_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (options, told) in [
        (&["--price", "1"][..], "such as 0.15,0.60"),
        (&["--price", "1,-2"], "such as 0.15,0.60"),
        (&["--price", "1,2", "--budget", "0"], "an amount above 0"),
        (&["--budget", "5"], "--price"),
        (&["--estimate"], "--price"),
    ] {
        let mut command = complete(folder.path(), "http://127.0.0.1:9");
        command.args(options);
        let ended = run(&mut command, "");
        ended.assert(2, 0);
        assert!(ended.told.contains(told), "{}", ended.told);
    }
}
