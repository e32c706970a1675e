//! Requests with mitigations, and second requests.

use super::*;
use crate::fairness::mitigation::Swap;
use crate::fairness::test_service::client_of;
use crate::loopback::{Reply, Server};
use crate::openai::Role;

fn roles(request: &ChatRequest) -> Vec<Role> {
    request.messages.iter().map(|one| one.role).collect()
}

#[test]
fn the_instruction_joins_the_system_message_that_is_there() {
    let request = ChatRequest::from("Describe a nurse.").system("Be brief.");
    let request = MitigationPrompt::Neutral.apply(request);
    assert_eq!(roles(&request), [Role::System, Role::User]);
    let expected = format!("Be brief.\n\n{}", MitigationPrompt::Neutral.instruction());
    assert_eq!(request.messages[0].content, expected);
}

#[test]
fn examples_stand_between_the_system_message_and_the_question() {
    let request = ChatRequest::from("Describe a nurse.").system("Be brief.");
    let request = MitigationPrompt::FewShot.apply(request);
    let roles = roles(&request);
    assert_eq!(roles.first(), Some(&Role::System));
    assert_eq!(roles[1..].len() % 2, 1);
    for pair in roles[1..roles.len() - 1].chunks(2) {
        assert_eq!(pair, [Role::User, Role::Assistant]);
    }
    assert_eq!(
        request.messages.last().unwrap().content,
        "Describe a nurse."
    );
}

#[test]
fn each_example_has_a_twin_about_the_other_gender() {
    let examples = MitigationPrompt::FewShot.examples();
    let texts: Vec<_> = examples.iter().map(|one| one.content.as_str()).collect();
    assert!(texts.len() >= 4);
    for four in texts.chunks(4) {
        let swapped: Vec<_> = four[..2]
            .iter()
            .map(|text| Swap::gender().swap(text))
            .collect();
        assert!(swapped.iter().all(|one| one.swapped > 0));
        assert_eq!(
            [four[2], four[3]],
            [swapped[0].text.as_str(), &swapped[1].text]
        );
    }
}

#[test]
fn a_draft_is_rewritten_in_the_conversation_that_it_came_from() {
    let request = ChatRequest::from("Describe a nurse.").max_tokens(50);
    assert_eq!(
        MitigationPrompt::SelfCritique.apply(request.clone()),
        request
    );
    assert_eq!(
        MitigationPrompt::Neutral.revise(request.clone(), "She .."),
        None
    );
    let second = MitigationPrompt::SelfCritique
        .revise(request, "She ..")
        .unwrap();
    assert_eq!(roles(&second), [Role::User, Role::Assistant, Role::User]);
    assert_eq!(second.max_tokens, Some(50));
    assert_eq!(second.messages[1].content, "She ..");
}

/// Answers each of these requests in turn with one of the texts.
fn drafts(texts: &'static [&'static str]) -> Answers {
    let server = Server::new(texts.iter().map(|text| match text.starts_with('!') {
        true => Reply::error(400, "x", "x"),
        false => Reply::text(text),
    }));
    let client = client_of(&server);
    let prompts = texts.iter().map(|text| format!("Prompt of {text}"));
    let answers = client
        .batch(prompts)
        .concurrency(1)
        .max_retries(0)
        .run()
        .unwrap();
    assert_eq!(server.requests().len(), texts.len());
    answers
}

#[test]
fn each_draft_has_its_second_request_and_each_failure_stays_a_row() {
    let drafts = drafts(&["She helps.", "!", " ", "He helps."]);
    let second = MitigationPrompt::SelfCritique.revisions(&drafts, |row| {
        ChatRequest::from(&row.prompt).seed(i64::from(row.sample))
    });
    let told: Vec<_> = second
        .iter()
        .map(|one| match &one.request {
            Ok(request) => format!(
                "{} {} | {}",
                one.custom_id, request.messages[0].content, request.messages[1].content
            ),
            Err(error) => format!("{} {:?}", one.custom_id, error.kind()),
        })
        .collect();
    assert_eq!(
        told,
        [
            "0 Prompt of She helps. | She helps.",
            "1 BadRequest",
            "2 Response",
            "3 Prompt of He helps. | He helps.",
        ]
    );
    assert!(
        MitigationPrompt::Neutral
            .revisions(&drafts, |row| ChatRequest::from(&row.prompt))
            .is_empty()
    );
}

#[test]
fn every_way_has_something_to_say() {
    for way in MitigationPrompt::ALL {
        assert!(
            !way.instruction().is_empty() || !way.examples().is_empty(),
            "{way:?}"
        );
    }
}
