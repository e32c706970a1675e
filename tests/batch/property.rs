//! Whatever the faults, every prompt ends in exactly one row, in order, with its own answer or with
//! an error; the totals add up; and with the journal, a second run only sends what failed.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use evenhand::batch::AnswerSource;
use evenhand::{Answers, Batch, CancelHandle};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::faults::{answer, batch, words};
use crate::support::server::{Reply, Server};

/// A fault of the service.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Refuses because of the quota.
    Quota,
    /// Answers with this status, and asks for a retry at once.
    Passing(u16),
    /// Closes the connection after this many bytes of a successful answer.
    Cut(usize, bool),
    Redirect,
    Invalid,
    Truncated,
    Filtered,
}

impl Fault {
    fn reply(self, prompt: &str) -> Reply {
        match self {
            Self::Quota => Reply::new(429, "text/plain", "no").header("retry-after-ms", "5"),
            Self::Passing(status) => Reply::error(status, "x", "x"),
            Self::Cut(after, is_clean) => {
                let mut bytes = answer(prompt).bytes();
                bytes.truncate(after % bytes.len());
                if is_clean {
                    Reply::Bytes(bytes)
                } else {
                    Reply::Broken(bytes)
                }
            }
            Self::Redirect => {
                Reply::new(308, "text/plain", "").header("location", "http://127.0.0.1:1/")
            }
            Self::Invalid => Reply::new(200, "application/json", "{\"choices\": nothing}"),
            Self::Truncated => Reply::new(200, "application/json", "{\"choices\": [{\"mess"),
            Self::Filtered => Reply::json(400, json!({"error": {"code": "content_filter"}})),
        }
    }

    /// Whether the request is retried, and whether that counts as one of the retries.
    fn costs(self) -> Option<u32> {
        match self {
            Self::Quota => Some(0),
            Self::Passing(_) | Self::Cut(..) | Self::Truncated => Some(1),
            Self::Redirect | Self::Invalid | Self::Filtered => None,
        }
    }
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        3 => Just(Fault::Quota),
        3 => prop::sample::select(vec![408, 409, 500, 502, 503]).prop_map(Fault::Passing),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(after, is_clean)| Fault::Cut(after, is_clean)),
        1 => Just(Fault::Redirect),
        1 => Just(Fault::Invalid),
        1 => Just(Fault::Truncated),
        1 => Just(Fault::Filtered),
    ]
}

/// What happens to a prompt: its faults, one after the other, and the delay of answers.
type Fate = (Vec<Fault>, u64);

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    prop::collection::vec((prop::collection::vec(fault(), 0..4), 0_u64..12), 0..14)
}

fn prompt(number: usize) -> String {
    format!("prompt {number}")
}

/// A service with these faults.
fn serve(fates: Vec<Fate>) -> Server {
    let fates: HashMap<_, _> = fates
        .into_iter()
        .enumerate()
        .map(|(number, fate)| (prompt(number), fate))
        .collect();
    Server::by_prompt(move |prompt, before| {
        let (faults, late) = &fates[prompt];
        let reply = match faults.get(before) {
            Some(fault) => fault.reply(prompt),
            None => answer(prompt),
        };
        reply.late(Duration::from_millis(*late))
    })
}

/// How many requests a prompt takes, and whether it is answered.
fn expected(faults: &[Fault], retries: u32) -> (u32, bool) {
    let (mut sent, mut spent) = (0, 0);
    for fault in faults {
        sent += 1;
        spent += match fault.costs() {
            Some(cost) => cost,
            None => return (sent, false),
        };
        if spent > retries {
            return (sent, false);
        }
    }
    (sent + 1, true)
}

/// The answers in the journal, by their text.
fn kept(path: &Path) -> HashMap<String, usize> {
    let mut kept = HashMap::new();
    for line in std::fs::read_to_string(path).unwrap_or_default().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["error"].is_null() {
            let text = &line["response"]["body"]["choices"][0]["message"]["content"];
            *kept.entry(text.as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    kept
}

fn check(
    answers: &Answers,
    prompts: &[String],
    server: &Server,
    sent_before: usize,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(answers.len(), prompts.len());
    for (number, (row, prompt)) in answers.rows().iter().zip(prompts).enumerate() {
        prop_assert_eq!(row.id, number);
        prop_assert_eq!(&row.prompt, prompt);
        if let Some(text) = row.text() {
            prop_assert_eq!(text, words(prompt));
        }
    }
    let totals = answers.totals();
    prop_assert_eq!(totals.rows, prompts.len());
    prop_assert_eq!(
        totals.answered + totals.failed + totals.cancelled,
        totals.rows
    );
    prop_assert_eq!(
        totals.requests as usize,
        server.requests().len() - sent_before
    );
    let paid = answers
        .rows()
        .iter()
        .filter(|row| row.source == AnswerSource::Service);
    let paid = paid.filter(|row| row.outcome.is_ok()).count() as u64;
    prop_assert_eq!(
        (totals.prompt_tokens, totals.completion_tokens),
        (5 * paid, paid)
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.div_ceil(8),
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_prompt_ends_in_one_row_and_is_paid_for_once(
        fates in fates(), retries in 0_u32..3, concurrency in 1_usize..9,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        let prompts: Vec<_> = (0..fates.len()).map(prompt).collect();
        let server = serve(fates.clone());
        let ask = || -> Batch {
            batch(&server, prompts.clone()).max_retries(retries).concurrency(concurrency).journal(&path)
        };

        let answers = ask().run().unwrap();
        check(&answers, &prompts, &server, 0)?;
        let mut answered = 0;
        for (row, (faults, _)) in answers.rows().iter().zip(&fates) {
            let (sent, is_answered) = expected(faults, retries);
            prop_assert_eq!((row.stats.attempts, row.outcome.is_ok()), (sent, is_answered), "{:?}", row);
            answered += usize::from(is_answered);
        }
        let journal = kept(&path);
        prop_assert_eq!(journal.len(), answered);
        prop_assert!(journal.values().all(|times| *times == 1));

        // Remaining faults may affect the second run, but only prompts that were not answered.
        let before = server.requests().len();
        let again = ask().run().unwrap();
        check(&again, &prompts, &server, before)?;
        prop_assert_eq!(again.totals().from_journal, answered);
        for (row, first) in again.rows().iter().zip(answers.rows()) {
            prop_assert_eq!(row.source == AnswerSource::Journal, first.outcome.is_ok());
            prop_assert!(first.outcome.is_err() || row.text() == first.text());
        }
        let journal = kept(&path);
        prop_assert_eq!(journal.len(), again.totals().answered);
        prop_assert!(journal.values().all(|times| *times == 1));
    }

    /// A batch that is stopped has all its rows, too, and continues where it was.
    #[test]
    fn a_batch_that_is_stopped_has_all_its_rows(
        fates in fates(), after in 0_u64..30, concurrency in 1_usize..9,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        let prompts: Vec<_> = (0..fates.len()).map(prompt).collect();
        let server = serve(fates);
        let ask = || batch(&server, prompts.clone()).max_retries(0).concurrency(concurrency).journal(&path);

        let stop = CancelHandle::new();
        let stopper = std::thread::spawn({
            let stop = stop.clone();
            move || {
                std::thread::sleep(Duration::from_millis(after));
                stop.cancel();
            }
        });
        let answers = ask().cancel_with(&stop).run().unwrap();
        stopper.join().unwrap();
        let totals = answers.totals();
        prop_assert_eq!(answers.len(), prompts.len());
        prop_assert_eq!(totals.answered + totals.failed + totals.cancelled, totals.rows);
        prop_assert_eq!(kept(&path).len(), totals.answered);

        let again = ask().run().unwrap();
        prop_assert!(again.totals().from_journal >= totals.answered);
        prop_assert_eq!(again.totals().cancelled, 0);
        for (row, prompt) in again.rows().iter().zip(&prompts) {
            prop_assert!(row.text().is_none_or(|text| text == words(prompt)));
        }
        prop_assert!(kept(&path).values().all(|times| *times == 1));
    }

    /// With equal prompts and several samples, each row has the answer to its own prompt.
    #[test]
    fn equal_prompts_keep_their_rows(
        numbers in prop::collection::vec(0_usize..4, 0..10), samples in 1_u32..4, is_likeliest: bool,
    ) {
        let prompts: Vec<_> = numbers.iter().copied().map(prompt).collect();
        let server = Server::by_prompt(|prompt, _| answer(prompt));
        let asked = batch(&server, prompts.clone()).samples(samples);
        let asked = if is_likeliest { asked.temperature(0.0) } else { asked };
        let answers = asked.run().unwrap();
        let rows: Vec<_> = prompts
            .iter()
            .flat_map(|prompt| (0..samples).map(move |sample| (prompt.clone(), sample)))
            .collect();
        prop_assert_eq!(answers.len(), rows.len());
        for (row, (prompt, sample)) in answers.rows().iter().zip(&rows) {
            prop_assert_eq!((&row.prompt, row.sample), (prompt, *sample));
            prop_assert_eq!(row.text(), Some(&*words(prompt)));
        }
        let different: std::collections::HashSet<_> = numbers.iter().collect();
        let sent = if is_likeliest { different.len() } else { rows.len() };
        prop_assert_eq!(server.requests().len(), sent);
        prop_assert_eq!(answers.totals().shared, rows.len() - sent);
    }
}
