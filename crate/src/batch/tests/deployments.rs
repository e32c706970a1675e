//! What it costs a batch to learn what a deployment accepts, and that it loses no row.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use insta::assert_snapshot;

use crate::loopback::{Deployment, Rules, Sampling, Shape};
use crate::{Answers, Batch, Client, ErrorKind};

pub(super) fn client(deployment: &Deployment, name: &str) -> Client {
    Client::builder()
        .endpoint(deployment.url())
        .api_key("key")
        .deployment(name)
        .build()
        .unwrap()
}

/// A name that tells nothing about the model, and that no other test uses: a profile belongs to a port
/// and a name, and ports are used again.
fn nameless() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("class-{}", COUNT.fetch_add(1, Ordering::SeqCst))
}

fn prompts() -> Vec<String> {
    (0..200).map(|n| format!("Describe number {n}.")).collect()
}

fn batch(client: &Client) -> Batch {
    client.batch(prompts()).max_tokens(100).concurrency(32)
}

fn few(client: &Client) -> Batch {
    let prompts = prompts().into_iter().take(40);
    client.batch(prompts).max_tokens(100).concurrency(32)
}

fn all_are_answered(answers: &Answers) {
    let texts = answers.texts().zip(prompts());
    for (text, prompt) in texts {
        assert_eq!(text, Some(format!("Yes: {prompt}").as_str()));
    }
}

/// The four published kinds of deployments, and variations of them.
fn kinds() -> Vec<Rules> {
    let no_temperature = Rules {
        sampling: Sampling::Refused,
        ..Rules::COMPLETION_TOKENS
    };
    let kinds = [
        Rules::OLD,
        Rules::COMPLETION_TOKENS,
        no_temperature,
        Rules::O4_MINI,
        Rules::GPT_5_MINI,
        Rules::GPT_5_1,
    ];
    let kinds = kinds.into_iter().flat_map(|rules| {
        [true, false].map(|effort_first| Rules {
            effort_first,
            ..rules
        })
    });
    let shapes = [Shape::Message, Shape::Text, Shape::Foreign, Shape::Wrapped];
    let by_gateways = shapes.map(|shape| Rules {
        shape,
        ..Rules::GPT_5_MINI
    });
    kinds.chain(by_gateways).collect()
}

#[test]
fn every_kind_of_deployment_answers_every_row_for_at_most_two_rejections() {
    for rules in kinds() {
        for temperature in [None, Some(0.7)] {
            let deployment = Deployment::start(rules);
            let batch = batch(&client(&deployment, &nameless()));
            let batch = match temperature {
                Some(temperature) => batch.temperature(temperature).seed(3),
                None => batch,
            };
            let answers = batch.run().unwrap();
            all_are_answered(&answers);
            let refused = deployment.refused();
            assert!(refused <= 2, "{refused} refused: {rules:?} {temperature:?}");
            assert!(deployment.count() <= 204, "{rules:?}");
            // Whatever takes a temperature is sent it.
            let takes = rules.sampling != Sampling::Refused;
            for body in deployment.answered().iter().skip(2) {
                let sent = body["temperature"].as_f64();
                assert_eq!(sent, temperature.filter(|_| takes), "{rules:?} {body}");
            }
        }
    }
}

/// As in the first lesson, which sets no temperature, and what a reader adds to it.
#[test]
fn a_second_batch_with_a_temperature_is_within_the_two_rejections() {
    for rules in kinds() {
        let deployment = Deployment::start(rules);
        let client = client(&deployment, &nameless());
        all_are_answered(&few(&client).run().unwrap());
        let answers = few(&client).temperature(0.7).run().unwrap();
        all_are_answered(&answers);
        let refused = deployment.refused();
        assert!(refused <= 2, "{refused} refused: {rules:?}");
    }
}

#[test]
fn the_lowest_effort_is_asked_for_of_every_row_that_counts() {
    for (rules, lowest) in [
        (Rules::O4_MINI, Some("low")),
        (Rules::GPT_5_MINI, Some("minimal")),
        (Rules::COMPLETION_TOKENS, None),
        (Rules::OLD, None),
    ] {
        for name in [nameless(), rules.model.to_owned()] {
            for temperature in [1.0, 0.0] {
                let deployment = Deployment::start(rules);
                let answers = few(&client(&deployment, &name))
                    .temperature(temperature)
                    .run()
                    .unwrap();
                all_are_answered(&answers);
                let profiles = answers.rows().iter().map(|row| {
                    let completion = row.outcome.as_ref().unwrap();
                    completion.profile().map(str::to_owned)
                });
                let efforts = profiles.map(|profile| {
                    let (_, effort) = profile.as_deref()?.split_once("effort ")?;
                    effort.split(',').next().map(str::to_owned)
                });
                for effort in efforts {
                    assert_eq!(effort.as_deref(), lowest, "{name} {temperature} {rules:?}");
                }
                assert!(deployment.refused() <= 2);
            }
        }
    }
}

#[test]
fn a_model_that_takes_a_temperature_without_thinking_is_asked_for_both() {
    let deployment = Deployment::start(Rules::GPT_5_1);
    let client = client(&deployment, "gpt-5.1");
    let answers = batch(&client).temperature(0.7).run().unwrap();
    all_are_answered(&answers);
    assert_eq!(deployment.refused(), 1);
    assert_eq!(answers.totals().reasoning_tokens, 0);
    let bodies = deployment.answered();
    assert!(bodies.iter().all(|body| body["temperature"] == 0.7));
    // What does not think needs no more than the answer.
    assert!(
        bodies
            .iter()
            .all(|body| body["max_completion_tokens"] == 100)
    );
}

#[test]
fn what_is_learned_is_told() {
    let deployment = Deployment::start(Rules::GPT_5_MINI);
    let client = client(&deployment, "gpt-5-mini");
    let answers = batch(&client).temperature(0.5).run().unwrap();
    assert_snapshot!(client.deployment_profile().unwrap(), @"takes max_completion_tokens, no temperature; it thinks with effort minimal");
    assert_snapshot!(answers.totals().notes.join("\n"), @"gpt-5-mini refuses temperature 0.5, which was left out");
    #[cfg(feature = "notebook")]
    {
        let card = crate::display::Show::mime_bundle(&client);
        let told = "the deployment  takes max_completion_tokens, no temperature";
        assert!(card.text.contains(told), "{}", card.text);
    }
    // All clients of a deployment know what one has learned.
    let another = super::deployments::client(&deployment, "gpt-5-mini");
    let refused = deployment.refused();
    another.complete("Hi").unwrap();
    batch(&another).temperature(0.2).run().unwrap();
    assert_eq!(deployment.refused(), refused);
}

#[test]
fn a_rejection_of_nothing_by_name_is_an_error_with_a_hint_and_no_loop() {
    let rules = Rules {
        shape: Shape::Nameless,
        ..Rules::GPT_5_MINI
    };
    let deployment = Deployment::start(rules);
    let answers = client(&deployment, "class")
        .batch(["a", "b"])
        .max_tokens(9)
        .temperature(0.5)
        .run()
        .unwrap();
    assert_eq!(deployment.count(), 2);
    assert_snapshot!(answers.rows()[0].error().unwrap(), @r"
    the service answered 400 Bad Request: Unsupported parameter.
      hint: the service does not name the parameter that it refuses: leave out the request's settings one by one to find it
    ");
}

#[test]
fn a_rejection_without_a_name_means_the_one_field_that_it_can_mean() {
    let rules = Rules {
        shape: Shape::Nameless,
        ..Rules::GPT_5_MINI
    };
    let deployment = Deployment::start(rules);
    all_are_answered(&batch(&client(&deployment, "class")).run().unwrap());
    assert_eq!(deployment.refused(), 1);
}

#[test]
fn an_effort_of_the_users_own_is_never_dropped() {
    let deployment = Deployment::start(Rules::GPT_5_1);
    let client = client(&deployment, "class");
    let answers = client
        .batch(["a"])
        .with(|request| request.set("reasoning_effort", "minimal"))
        .run()
        .unwrap();
    assert_eq!(deployment.count(), 1);
    assert_snapshot!(answers.rows()[0].error().unwrap(), @r"
    the service answered 400 Bad Request: Unsupported value: 'reasoning_effort' does not support 'minimal' with this model. Supported values are: 'none', 'low', 'medium', and 'high'.
      hint: this deployment takes the efforts none, low, medium, high: set one of them, or leave out reasoning_effort, and the lowest is used
    ");
}

#[test]
fn a_service_that_takes_neither_limit_is_an_error() {
    let rules = Rules {
        max_completion_tokens: false,
        ..Rules::GPT_5_MINI
    };
    let deployment = Deployment::start(rules);
    let error = client(&deployment, "class")
        .complete(crate::ChatRequest::from("x").max_tokens(9))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    // It says to use the other name, as one of two models behind a gateway would.
    assert_eq!(deployment.count(), 8);
    assert_snapshot!(error.hint().unwrap(), @"the service takes neither max_tokens nor max_completion_tokens: leave out the limit, or ask the service's operator");
}

#[test]
fn an_effort_that_is_refused_after_it_was_taken_is_learned_anew() {
    let deployment = Deployment::start(Rules::GPT_5_MINI);
    let client = client(&deployment, "class");
    all_are_answered(&batch(&client).run().unwrap());
    deployment.replace(Rules {
        efforts: &["low", "high"],
        ..Rules::GPT_5_MINI
    });
    let before = deployment.refused();
    let answers = batch(&client).fresh().run().unwrap();
    all_are_answered(&answers);
    let low = answers.rows().iter().filter(|row| {
        let completion = row.outcome.as_ref().unwrap();
        completion.profile() == Some("max_completion_tokens, effort low")
    });
    assert_eq!(low.count(), 200);
    // Those that were under way.
    assert!(deployment.refused() - before <= 32);
}

#[test]
fn a_deployment_that_becomes_another_model_in_the_middle_loses_no_row_and_says_so() {
    for (first, second) in [
        (Rules::OLD, Rules::GPT_5_MINI),
        (Rules::GPT_5_MINI, Rules::OLD),
        (Rules::GPT_5_MINI, Rules::GPT_5_1),
    ] {
        let deployment = std::sync::Arc::new(Deployment::slow(first, Duration::from_millis(5)));
        let client = client(&deployment, "class");
        let changed = std::sync::Arc::clone(&deployment);
        let changing = std::thread::spawn(move || {
            while changed.answered().len() < 60 {
                std::thread::yield_now();
            }
            changed.replace(second);
        });
        let answers = batch(&client).concurrency(8).run().unwrap();
        changing.join().unwrap();
        all_are_answered(&answers);
        let notes = answers.totals().notes.join("\n");
        assert!(
            notes.contains("not all rows were answered by the same model"),
            "{notes}"
        );
        assert!(notes.contains("the model behind"), "{notes}");
        assert!(
            deployment.refused() <= 2 + 2 * 8 + 2,
            "{}",
            deployment.refused()
        );
    }
}

#[test]
fn the_next_process_reads_what_this_one_learned_and_passes_over_what_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("nurses.jsonl");
    let deployment = Deployment::start(Rules::GPT_5_MINI);
    // Another name for the deployment acts as another process: nothing is known of it.
    let answers = batch(&client(&deployment, "one")).journal(&journal).run();
    all_are_answered(&answers.unwrap());
    let file = folder.path().join("nurses.profile.json");
    let kept = fs::read_to_string(&file).unwrap();
    assert!(!kept.contains("key\""), "{kept}");
    let mode = fs::metadata(&file).unwrap().permissions();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777,
        0o600
    );

    let refused = deployment.refused();
    let run = |name: &str, kept: &str| {
        let journal = folder.path().join(format!("{name}.jsonl"));
        fs::write(folder.path().join(format!("{name}.profile.json")), kept).unwrap();
        let answers = batch(&client(&deployment, name)).journal(journal).run();
        let answers = answers.unwrap();
        all_are_answered(&answers);
        answers
            .totals()
            .notes
            .join("\n")
            .replace(folder.path().to_str().unwrap(), "FOLDER")
    };
    assert_eq!(run("two", &kept.replace("\"one\"", "\"two\"")), "");
    assert_eq!(
        deployment.refused(),
        refused,
        "a second run is refused nothing"
    );

    let newer = kept
        .replace("\"one\"", "\"three\"")
        .replace("\"version\": 1", "\"version\": 7");
    assert_snapshot!(run("three", &newer), @"FOLDER/three.profile.json is ignored: it was written by another version of evenhand; the profile of three is learned again");
    assert_snapshot!(run("four", &kept), @"FOLDER/four.profile.json is ignored: it belongs to another deployment; the profile of four is learned again");
    for foreign in ["{\"format\":", "{\"mine\": 1}", ""] {
        let told = run("five", foreign);
        insta::allow_duplicates! { assert_snapshot!(told, @"FOLDER/five.profile.json is not a deployment profile, so it is left alone: what is learned about five is not stored"); }
        let left = fs::read_to_string(folder.path().join("five.profile.json"));
        assert_eq!(left.unwrap(), foreign);
        fs::remove_file(folder.path().join("five.jsonl")).unwrap();
    }
    let wrong = kept
        .replace("\"one\"", "\"six\"")
        .replace("\"minimal\"", "\"\\u001b[2J\"");
    assert_snapshot!(run("six", &wrong), @"FOLDER/six.profile.json is ignored: it has an unknown reasoning effort; the profile of six is learned again");
}

#[test]
fn a_row_keeps_its_name_whatever_the_deployment_takes() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("rows.jsonl");
    let deployment = Deployment::start(Rules::OLD);
    let client = client(&deployment, "class");
    let ask = |rows: usize| {
        let prompts = prompts().into_iter().take(rows);
        client
            .batch(prompts)
            .max_tokens(100)
            .temperature(0.5)
            .journal(&journal)
            .run()
            .unwrap()
    };
    ask(4);
    // Old rows count, and new ones are asked in other words: that is said.
    deployment.replace(Rules::GPT_5_MINI);
    let answers = ask(8);
    let totals = answers.totals();
    assert_eq!((totals.answered, totals.from_journal), (8, 4));
    let notes = totals.notes.join("\n");
    assert!(notes.contains("not all rows were sent in the same way, so compare them with care: 4 as written; 4 max_completion_tokens"), "{notes}");
    let lines = fs::read_to_string(&journal).unwrap();
    let profiles = lines.lines().filter(|line| {
        line.contains(r#""profile":"max_completion_tokens, effort minimal, without temperature""#)
    });
    assert_eq!(profiles.count(), 4, "{lines}");
    let asked = fs::read_to_string(folder.path().join("rows.requests.jsonl")).unwrap();
    assert!(!asked.contains("max_completion_tokens"), "{asked}");
}
