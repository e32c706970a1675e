//! The content of a training file, and rejected examples.

use super::*;
use proptest::prelude::*;
use serde_json::Value;

fn example(n: usize) -> Example {
    Example::new([
        Message::user(format!("Question {n}")),
        Message::assistant(format!("Answer {n}")),
    ])
}

fn weighted(weights: &[f64]) -> Training {
    let examples = weights.iter().enumerate();
    Training::new(examples.map(|(n, weight)| example(n).weight(*weight)))
}

fn parsed(text: &str) -> Vec<Value> {
    let lines = text.strip_prefix('\u{feff}').unwrap().lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn the_file_is_the_one_that_azure_shows() {
    let golden = include_str!("../fixtures/azure_finetune_example.jsonl");
    let examples = parsed(golden).into_iter().map(|line| {
        let messages = line["messages"].as_array().unwrap().iter();
        Example::new(messages.map(|one| {
            Message::new(
                serde_json::from_value(one["role"].clone()).unwrap(),
                one["content"].as_str().unwrap(),
            )
        }))
    });
    let file = Training::new(examples).file().unwrap();
    assert_eq!(parsed(file.as_str()), parsed(golden));
    assert!(file.as_str().as_bytes().starts_with(b"\xef\xbb\xbf{"));
}

#[test]
fn only_the_last_answer_is_learned() {
    let two = Example::new([
        Message::system("s"),
        Message::user("a"),
        Message::assistant("draft"),
        Message::user("again"),
        Message::assistant("better"),
    ]);
    let file = Training::new(vec![two; 10]).file().unwrap();
    let first = &parsed(file.as_str())[0]["messages"];
    let weights: Vec<_> = first
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["weight"])
        .collect();
    assert_eq!(
        weights,
        [
            &Value::Null,
            &Value::Null,
            &0.into(),
            &Value::Null,
            &1.into()
        ]
    );
}

#[test]
fn weights_become_copies() {
    let file = weighted(&[2.0, 0.0, 3.0, 1.0, 4.0]).file().unwrap();
    assert_eq!(file.copies(), [2, 0, 3, 1, 4]);
    assert_eq!(parsed(file.as_str()).len(), file.lines());
    let file = weighted(&[0.5; 4]).copies_per_weight(6.0).file().unwrap();
    assert_eq!(file.copies(), [3; 4]);
}

#[test]
fn a_fraction_is_a_probability() {
    let copies = |seed| weighted(&[1.25; 4000]).seed(seed).file().unwrap().lines();
    assert_eq!(copies(1), copies(1));
    // Four standard deviations of the binomial distribution, sqrt(4000 * 1/4 * 3/4) = 27.4.
    assert!((copies(1) as f64 - 5000.0).abs() < 110.0, "{}", copies(1));
}

#[test]
fn what_the_service_would_refuse_is_refused_here() {
    let error = |examples: Vec<Example>| Training::new(examples).file().unwrap_err().to_string();
    insta::assert_snapshot!(error(vec![example(1); 9]), @"
    9 examples make 9 lines, but fine-tuning needs at least 10
      hint: add examples, or write each more often with `.copies_per_weight(..)`
    ");
    let but = |messages: Vec<Message>| {
        let mut examples = vec![example(1); 9];
        examples.push(Example::new(messages));
        error(examples)
    };
    let (system, user, assistant) = (
        Message::system("s"),
        Message::user("u"),
        Message::assistant("a"),
    );
    let wrong = [
        vec![],
        vec![system.clone()],
        vec![user.clone()],
        vec![assistant.clone(), user.clone()],
        vec![user.clone(), system.clone(), assistant.clone()],
        vec![user.clone(), assistant.clone(), assistant.clone()],
        vec![user.clone(), Message::assistant(" ")],
    ];
    let said: Vec<String> = wrong
        .into_iter()
        .map(|messages| but(messages).lines().next().unwrap().to_owned())
        .collect();
    insta::assert_snapshot!(said.join("\n"), @"
    example 9 has no question
    example 9 has no question
    example 9 ends with a question
    example 9 has a message of the wrong role at position 0
    example 9 has a message of the wrong role at position 1
    example 9 has a message of the wrong role at position 2
    example 9 has an empty message at position 1
    ");
}

#[test]
fn a_weight_that_is_none_and_one_that_fills_the_disk_are_errors() {
    insta::assert_snapshot!(weighted(&[f64::NAN; 10]).file().unwrap_err(), @"
    example 0 has the invalid weight NaN
      hint: a weight is a finite number of at least 0
    ");
    insta::assert_snapshot!(weighted(&[1e15; 10]).file().unwrap_err(), @"
    the training file would have 512 MB or more
      hint: use smaller weights or fewer `.copies_per_weight(..)`, or fewer examples
    ");
    weighted(&[-1.0; 10]).file().unwrap_err();
    weighted(&[1.0; 10])
        .copies_per_weight(f64::INFINITY)
        .file()
        .unwrap_err();
}

#[test]
fn the_file_is_its_owners() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.jsonl");
    let file = weighted(&[1.0; 10]).file().unwrap();
    file.write(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), file.as_str());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let error = file
        .write(folder.path().join("no/such/folder"))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
}

proptest! {
    #[test]
    fn a_line_is_a_line_whatever_is_said(question in ".+[a-z]", answer in "[a-z].+") {
        let example = Example::new([Message::user(question.as_str()), Message::assistant(answer.as_str())]);
        let file = Training::new(vec![example; 10]).file().unwrap();
        let lines = parsed(file.as_str());
        prop_assert_eq!(lines.len(), 10);
        prop_assert_eq!(lines[0]["messages"][1]["content"].as_str(), Some(answer.as_str()));
    }

    #[test]
    fn copies_are_within_one_of_the_weight(weights in proptest::collection::vec(1.0_f64..5.0, 10..30), seed: u64) {
        let file = weighted(&weights).seed(seed).copies_per_weight(1.5).file().unwrap();
        for (copies, weight) in file.copies().iter().zip(weights) {
            prop_assert!((*copies as f64 - weight * 1.5).abs() < 1.0);
        }
    }
}
