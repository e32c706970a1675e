//! Tests of the journal as a run uses it. `damage` tests damaged files, `processes` other runs
//! and runs that are killed.

mod damage;
#[cfg(target_os = "linux")]
mod processes;

use std::collections::HashMap;
use std::fs;
use std::sync::Barrier;
use std::thread;

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::batch::format::Account;
use crate::error::ErrorKind;
use crate::openai::ChatCompletion;

fn body(prompt: &str) -> Value {
    json!({"model": "gpt-4o", "max_tokens": 100,
        "messages": [{"role": "user", "content": prompt}]})
}

fn parameters() -> Parameters {
    Parameters::new("contoso.openai.azure.com", "gpt-4o", &body(""))
}

fn name(prompt: &str) -> String {
    let question = parameters().question(&body(prompt));
    question.custom_id(0)
}

fn answered(name: &str, words: &str) -> OutputLine {
    let body = json!({"choices": [{"message": {"content": words}, "finish_reason": "stop"}]});
    let answer = ChatCompletion::from_body(body.to_string().into_bytes()).unwrap();
    let account = Account {
        host: parameters().host().to_owned(),
        deployment: parameters().deployment().to_owned(),
        attempts: 1,
        ..Account::default()
    };
    OutputLine::answered(name, &answer, account)
}

fn failed(name: &str) -> OutputLine {
    let error = Error::new(ErrorKind::RateLimit, "the quota is used up").with_status(429);
    OutputLine::failed(name, &error, Account::default())
}

/// A folder and the path of a journal in it.
fn place_for_one() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    (folder, path)
}

fn open_journal(path: &Path) -> Journal {
    Journal::open(path, Some(&parameters())).unwrap().unwrap()
}

fn words(journal: &Journal, name: &str) -> Option<String> {
    let line = journal.find(name).unwrap()?;
    let answer = line.completion().unwrap().unwrap();
    answer.text().map(str::to_owned)
}

/// The error as the user sees it, without the folder's own name.
fn told(error: &Error, path: &Path) -> String {
    let folder = path.parent().unwrap().to_str().unwrap();
    error.to_string().replace(folder, "FOLDER")
}

fn ask(journal: &Journal, request: &RequestLine) {
    let line = crate::batch::format::write(request).unwrap();
    journal.asked(&request.custom_id, line).unwrap();
}

#[test]
fn what_was_answered_is_found_by_the_next_run() {
    let (_folder, path) = place_for_one();
    let (a, b) = (name("A?"), name("B?"));
    let journal = open_journal(&path);
    assert!(journal.find(&a).unwrap().is_none());
    ask(&journal, &RequestLine::new(&*a, body("A?")));
    journal.append(&answered(&a, "Yes")).unwrap();
    journal.append(&failed(&b)).unwrap();
    journal.sync().unwrap();
    drop(journal);

    let journal = open_journal(&path);
    assert_eq!(words(&journal, &a).as_deref(), Some("Yes"));
    assert_eq!(words(&journal, &b), None, "a failure is asked again");
    assert!(journal.notes().is_empty());
    assert!(journal.unwritten().is_empty());
}

#[test]
fn the_newest_answer_counts_and_no_later_failure_takes_it_away() {
    let (_folder, path) = place_for_one();
    let a = name("A?");
    let journal = open_journal(&path);
    journal.append(&failed(&a)).unwrap();
    journal.append(&answered(&a, "first")).unwrap();
    journal.append(&answered(&a, "second")).unwrap();
    journal.append(&failed(&a)).unwrap();
    drop(journal);
    assert_eq!(words(&open_journal(&path), &a).as_deref(), Some("second"));
}

#[test]
fn a_success_with_an_error_beside_it_is_asked_again() {
    let (_folder, path) = place_for_one();
    let mut row = answered("a", "Yes");
    row.error = failed("a").error;
    open_journal(&path).append(&row).unwrap();
    assert!(open_journal(&path).find("a").unwrap().is_none());
}

#[test]
fn a_request_is_noted_once() {
    let (_folder, path) = place_for_one();
    for _ in 0..3 {
        let journal = open_journal(&path);
        for prompt in ["A?", "B?"] {
            let request = RequestLine::new(name(prompt), body(prompt));
            ask(&journal, &request);
        }
    }
    let text = fs::read_to_string(path.with_file_name("run.requests.jsonl")).unwrap();
    let requests: Vec<RequestLine> = text
        .lines()
        .map(|line| format::parse(line.as_bytes()).unwrap())
        .collect();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].body, body("B?"));
}

#[cfg(unix)]
#[test]
fn only_its_user_can_read_a_journal() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folder/run.jsonl");
    drop(open_journal(&path));
    for path in [&path, &requests_path(&path)] {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_batch_that_names_no_journal_finds_its_own_again() {
    let folder = tempfile::tempdir().unwrap();
    let own = || place(folder.path(), &parameters()).unwrap().unwrap();
    open_journal(&own()).append(&answered("a", "Yes")).unwrap();
    assert_eq!(words(&open_journal(&own()), "a").as_deref(), Some("Yes"));
    let mut other = body("");
    other["max_tokens"] = json!(200);
    let other = Parameters::new("contoso.openai.azure.com", "gpt-4o", &other);
    assert_ne!(place(folder.path(), &other).unwrap().unwrap(), own());
}

#[test]
fn the_requests_lie_beside_the_answers() {
    let beside = |path: &str| requests_path(Path::new(path)).display().to_string();
    assert_eq!(beside("a/run.jsonl"), "a/run.requests.jsonl");
    assert_eq!(beside("a/run.json"), "a/run.json.requests.jsonl");
    assert_eq!(beside("a/run"), "a/run.requests.jsonl");
}

#[test]
fn names_that_share_a_fingerprint_are_told_apart() {
    let (_folder, path) = place_for_one();
    let (a, b) = (name("A?"), name("B?"));
    open_journal(&path).append(&answered(&a, "Yes")).unwrap();
    let mut journal = open_journal(&path);
    journal.answered.push(&b, 0);
    journal.answered.sort();
    assert!(journal.find(&b).unwrap().is_none());
    assert_eq!(words(&journal, &a).as_deref(), Some("Yes"));
}

#[test]
fn any_name_can_be_kept() {
    let (_folder, path) = place_for_one();
    let names = [
        "",
        "\n",
        "a\"}\n{",
        "\0",
        "../../x",
        "😀\u{202e}",
        &"x".repeat(100_000),
    ];
    let journal = open_journal(&path);
    for name in names {
        journal.append(&answered(name, "Yes")).unwrap();
        ask(&journal, &RequestLine::new(name, body(name)));
    }
    drop(journal);
    let journal = open_journal(&path);
    for name in names {
        assert_eq!(words(&journal, name).as_deref(), Some("Yes"));
    }
    assert!(journal.notes().is_empty());
}

#[test]
fn halves_of_characters_do_not_cost_a_row() {
    let (_folder, path) = place_for_one();
    let line = |name: &str| {
        format!(
            r#"{{"id":"","custom_id":"{name}","response":{{"status_code":200,"body":{{"\udfff":0,"choices":[{{"message":{{"content":"a\ud800b\u0000"}}}}]}}}}}}"#
        )
    };
    fs::write(&path, line("plain") + "\n" + &line(r"x\ud800") + "\n").unwrap();
    let journal = open_journal(&path);
    assert_eq!(words(&journal, "plain").as_deref(), Some("a\u{fffd}b\0"));
    assert_eq!(
        words(&journal, "x\u{fffd}").as_deref(),
        Some("a\u{fffd}b\0")
    );
    assert!(journal.notes().is_empty());
}

#[test]
fn ten_megabytes_are_a_row_like_others() {
    let (_folder, path) = place_for_one();
    let long = "é\n".repeat(3 << 20);
    let journal = open_journal(&path);
    journal.append(&answered("a", &long)).unwrap();
    journal.append(&answered("b", "short")).unwrap();
    drop(journal);
    let journal = open_journal(&path);
    assert_eq!(words(&journal, "a"), Some(long));
    assert_eq!(words(&journal, "b").as_deref(), Some("short"));
}

#[test]
fn a_row_of_more_megabytes_than_a_line_may_have_is_refused_and_costs_the_others_nothing() {
    let (_folder, path) = place_for_one();
    let journal = open_journal(&path);
    let long = "x".repeat(format::MAX_LINE);
    assert!(journal.append(&answered("a", &long)).is_err());
    journal.append(&answered("b", "short")).unwrap();
    assert!(journal.unwritten().is_empty());
    drop(journal);
    assert_eq!(words(&open_journal(&path), "b").as_deref(), Some("short"));
}

#[test]
fn a_file_of_the_batch_api_is_a_journal() {
    let (_folder, path) = place_for_one();
    let (a, b) = (name("A?"), name("B?"));
    let text = format!(
        r#"{{"custom_id": "{a}", "response": {{"body": {{"choices": [{{"message": {{"content": "Yes"}}}}]}}, "request_id": "r", "status_code": 200}}, "error": null}}
{{"id": "batch_req_2", "custom_id": "{b}", "response": null, "error": {{"code": "batch_expired", "message": "too late"}}}}
"#
    );
    fs::write(&path, text).unwrap();
    let journal = open_journal(&path);
    assert_eq!(words(&journal, &a).as_deref(), Some("Yes"));
    assert!(journal.find(&b).unwrap().is_none());
    assert!(journal.notes().is_empty());
}

#[test]
fn rows_of_many_threads_stay_whole() {
    let (_folder, path) = place_for_one();
    let (threads, rows) = (8, 200);
    let journal = open_journal(&path);
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        for thread in 0..threads {
            let (journal, start) = (&journal, &start);
            scope.spawn(move || {
                start.wait();
                for row in 0..rows {
                    let words = "w".repeat(row * 37 % 5000);
                    let name = format!("{thread}-{row}");
                    journal.append(&answered(&name, &words)).unwrap();
                }
            });
        }
    });
    drop(journal);
    let mut seen: HashMap<String, Vec<usize>> = HashMap::new();
    for row in read_rows(&path).unwrap() {
        let row = row.unwrap();
        let (thread, number) = row.custom_id.split_once('-').unwrap();
        let number: usize = number.parse().unwrap();
        seen.entry(thread.to_owned()).or_default().push(number);
        let answer = row.completion().unwrap().unwrap();
        assert_eq!(answer.text().unwrap().len(), number * 37 % 5000);
    }
    assert_eq!(seen.len(), threads);
    // Each thread's rows are there, in the order in which it wrote them.
    assert!(
        seen.values()
            .all(|numbers| numbers.iter().copied().eq(0..rows))
    );
}

#[test]
fn a_journal_of_other_parameters_is_left_alone() {
    let (_folder, path) = place_for_one();
    let journal = open_journal(&path);
    journal.append(&answered(&name("A?"), "Yes")).unwrap();
    ask(&journal, &RequestLine::new(name("A?"), body("A?")));
    drop(journal);
    let before = fs::read(&path).unwrap();

    let mut other = body("A?");
    other["max_tokens"] = json!(200);
    other["temperature"] = json!(0.7);
    let other = Parameters::new("fabrikam.openai.azure.com", "gpt-4", &other);
    let refused = || Journal::open(&path, Some(&other)).map(|_| ()).unwrap_err();
    let error = refused();
    assert_eq!(error.kind(), ErrorKind::Journal);
    assert_snapshot!(told(&error, &path), @"
    FOLDER/run.jsonl holds answers to other requests: the host was contoso.openai.azure.com and is fabrikam.openai.azure.com, the deployment was gpt-4o and is gpt-4, max_tokens was 100 and is 200, temperature was not set and is 0.7
      hint: give this batch its own journal, in another file
    ");
    fs::remove_file(requests_path(&path)).unwrap();
    assert_snapshot!(told(&refused(), &path), @"
    FOLDER/run.jsonl holds answers to other requests: the host was contoso.openai.azure.com and is fabrikam.openai.azure.com, the deployment was gpt-4o and is gpt-4
      hint: give this batch its own journal, in another file
    ");
    assert_eq!(fs::read(&path).unwrap(), before);

    // A caller that allows different parameters reads them all.
    let journal = Journal::open(&path, None).unwrap().unwrap();
    assert_eq!(words(&journal, &name("A?")).as_deref(), Some("Yes"));
}

#[test]
fn other_parameters_of_unknown_kind_are_told_too() {
    let (_folder, path) = place_for_one();
    let foreign = name("A?").replace(&parameters().hash(), "00000000");
    let mut row = answered(&foreign, "Yes");
    row.evenhand = None;
    fs::write(&path, format::write(&row).unwrap()).unwrap();
    let error = Journal::open(&path, Some(&parameters()))
        .map(|_| ())
        .unwrap_err();
    assert_snapshot!(told(&error, &path), @"
    FOLDER/run.jsonl holds answers to requests with other parameters
      hint: give this batch its own journal, in another file
    ");
}

#[test]
fn failures_with_other_parameters_do_not_stand_in_the_way() {
    let (_folder, path) = place_for_one();
    let foreign = name("A?").replace(&parameters().hash(), "00000000");
    open_journal(&path).append(&failed(&foreign)).unwrap();
    open_journal(&path)
        .append(&answered(&name("A?"), "Yes"))
        .unwrap();
    assert_eq!(
        words(&open_journal(&path), &name("A?")).as_deref(),
        Some("Yes")
    );
}

proptest! {
    // Each case writes files to disk.
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whichever runs finish, in whatever order, the last answer of each row is found.
    #[test]
    fn a_journal_is_a_map_of_the_last_answers(
        runs in prop::collection::vec(prop::collection::vec((0_u8..6, any::<Option<u8>>()), 0..8), 1..5),
    ) {
        let (_folder, path) = place_for_one();
        let mut expected = HashMap::new();
        for run in runs {
            let journal = open_journal(&path);
            for row in 0..6_u8 {
                let found = words(&journal, &row.to_string());
                prop_assert_eq!(found.as_ref(), expected.get(&row));
            }
            for (row, words) in run {
                let name = row.to_string();
                match words {
                    Some(words) => {
                        journal.append(&answered(&name, &words.to_string())).unwrap();
                        expected.insert(row, words.to_string());
                    }
                    None => journal.append(&failed(&name)).unwrap(),
                }
            }
        }
    }
}
