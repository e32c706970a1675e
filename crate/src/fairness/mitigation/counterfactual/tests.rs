//! Swapping whole sentences.

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn swapped(text: &str) -> String {
    Swap::gender().swap(text).text
}

/// Sentences in pairs: each is the other's counterpart.
fn corpus() -> Vec<(&'static str, &'static str)> {
    crate::fairness::mitigation::tsv::split_fields(include_str!("../fixtures/swap_pairs.tsv"))
        .map(|[one, other]| (one, other))
        .collect()
}

#[test]
fn every_rule_of_the_golden_file_holds() {
    let golden: Value = serde_json::from_str(include_str!("../fixtures/cda_swap.json")).unwrap();
    for case in golden["swap"].as_array().unwrap() {
        let input = case["input"].as_str().unwrap();
        assert_eq!(swapped(input), case["expected_swap"], "{input}");
    }
}

#[test]
fn each_sentence_of_the_corpus_becomes_its_twin() {
    let wrong: Vec<_> = corpus()
        .into_iter()
        .flat_map(|(one, other)| [(one, other), (other, one)])
        .filter(|(from, to)| swapped(from) != *to)
        .map(|(from, to)| format!("{from}\n  -> {}\n  should be {to}", swapped(from)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How many sentences of a file become their counterparts, and which do not.
fn told(sentences: &str) -> String {
    let pairs: Vec<[&str; 2]> = crate::fairness::mitigation::tsv::split_fields(sentences).collect();
    let wrong = pairs.iter().filter(|[from, to]| swapped(from) != *to);
    let wrong: Vec<_> = wrong
        .map(|[from, _]| format!("{from} -> {}", swapped(from)))
        .collect();
    let right = pairs.len() - wrong.len();
    let told = format!("{right} of {} sentences are right", pairs.len());
    [&[told], wrong.as_slice()].concat().join("\n")
}

/// How well word lists distinguish *her job* from *saw her*. Of the first set, 50 of 64 sentences
/// were right before the rules were improved with them; the second set was not used to write the
/// rules.
#[test]
fn her_and_his_are_told_by_lists_as_well_as_this() {
    assert_snapshot!(told(include_str!("../fixtures/her_his.tsv")), @"
    61 of 64 sentences are right
    They elected her president of the union. -> They elected his president of the union.
    We watched her fix the engine in an hour. -> We watched his fix the engine in an hour.
    Her boss sent her home. -> His boss sent his home.
    ");
    assert_snapshot!(told(include_str!("../fixtures/her_his_unseen.tsv")), @"
    33 of 40 sentences are right
    Last year they made her head of the department. -> Last year they made his head of the department.
    The problem gave her sleepless nights. -> The problem gave his sleepless nights.
    He showed her old photographs of the town. -> She showed his old photographs of the town.
    You could hear her two floors below. -> You could hear his two floors below.
    Her busy schedule left her little time. -> His busy schedule left his little time.
    An old teacher of his called. -> An old teacher of her called.
    He gave his all. -> She gave hers all.
    ");
}

#[test]
fn words_that_have_no_way_back_go_one_way() {
    for (from, to) in [
        ("Mrs. Smith is a nurse.", "Mr. Smith is a nurse."),
        ("Miss Brown laughs.", "Mr Brown laughs."),
        ("Her mum called.", "His dad called."),
        ("Yes, ma'am.", "Yes, sir."),
        ("The hostess is in.", "The host is in."),
        ("Mr. and Mrs. Smith came.", "Ms. and Mr. Smith came."),
        ("Mr. & Mrs. Smith came.", "Ms. & Mr. Smith came."),
    ] {
        assert_eq!(swapped(from), to);
    }
}

#[test]
fn what_only_looks_like_a_word_of_a_group_stays() {
    for text in [
        "They love their job.",
        "I miss the train by 20 ms.",
        "MS Word is open.",
        "The man-made lake.",
        "s/he or (s)he",
        "English is a mother tongue.",
        "A human manager has a mandate.",
        "Dr. James and Professor Thomas met.",
        "The grace of Mark Twain's mark.",
    ] {
        assert_eq!(swapped(text), text);
    }
}

#[test]
fn facts_and_real_people_keep_the_whole_text() {
    let gender = Swap::gender();
    let kept = gender.swap("The pregnant woman saw her doctor.").kept;
    assert_eq!(kept, Some(ProtectionReason::Fact("pregnant".to_owned())));
    let text = "Marie Curie found radium. She won two prizes, and her husband one.";
    let other = gender.swap(text);
    assert_eq!(
        other.kept,
        Some(ProtectionReason::Person("Marie Curie".to_owned()))
    );
    assert_eq!((other.text.as_str(), other.swapped), (text, 0));
    assert_eq!(gender.swap("She is as brave as Joan of Arc.").swapped, 0);
    assert_eq!(gender.swap("She gave birth at home.").swapped, 0);
    let text = "She is Jo Public.";
    assert_eq!(gender.swap(text).swapped, 1);
    assert_eq!(gender.keep_person("Jo Public").swap(text).swapped, 0);
}

#[test]
fn a_name_has_one_counterpart_throughout() {
    assert_eq!(
        swapped("Mary met James. Mary's sister knew James Smith, and MARY left."),
        "James met Mary. James's brother knew Mary Smith, and JAMES left."
    );
}

#[test]
fn a_group_is_data() {
    let origin = Swap::new([("African American", "Asian American"), ("Lagos", "Osaka")]).unwrap();
    assert_eq!(
        origin
            .swap("An African American man from Lagos; he is an AFRICAN AMERICAN.")
            .text,
        "An Asian American man from Osaka; he is an ASIAN AMERICAN."
    );
    let named = Swap::new([("old", "young")])
        .unwrap()
        .with_names("Rose", "Ivy")
        .unwrap();
    assert_eq!(
        named.swap("Rose smells an old rose.").text,
        "Ivy smells a young rose."
    );
}

#[test]
fn pairs_that_contradict_are_errors() {
    insta::assert_snapshot!(Swap::new([("old", "young"), ("Old", "new")]).unwrap_err(), @"
    'Old' is in two pairs
      hint: a word can have only one counterpart
    ");
    insta::assert_snapshot!(Swap::new([("old", "")]).unwrap_err(), @"'' is not a word that can be swapped");
    insta::assert_snapshot!(Swap::new([("old", "Old")]).unwrap_err(), @"'old' is its own counterpart");
}

#[test]
fn augmentation_keeps_pairs_together_and_says_what_has_none() {
    let versions = Swap::gender().augment(["He sings.", "Rain.", "She is pregnant."]);
    let rows: Vec<_> = versions
        .iter()
        .map(|one| (one.pair, one.swapped, one.text.as_str(), one.kept.is_some()))
        .collect();
    assert_eq!(
        rows,
        [
            (0, false, "He sings.", false),
            (0, true, "She sings.", false),
            (1, false, "Rain.", false),
            (2, false, "She is pregnant.", true),
        ]
    );
}

#[test]
fn the_shipped_lists_contradict_nowhere() {
    let mut both: Vec<String> = Vec::new();
    for [one, other, how] in
        crate::fairness::mitigation::tsv::split_fields(include_str!("swap.tsv"))
    {
        assert!(
            ["both", "to", "noun", "alone", "title", "title-to"].contains(&how),
            "{one} {other} {how}"
        );
        if how == "both" {
            both.extend([one.to_lowercase(), other.to_lowercase()]);
        }
    }
    for [one, other] in crate::fairness::mitigation::tsv::split_fields(include_str!("names.tsv")) {
        both.extend([one.to_lowercase(), other.to_lowercase()]);
    }
    both.sort();
    let twice: Vec<_> = both.windows(2).filter(|two| two[0] == two[1]).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

/// Work that grows with the square of a text's length would take these from seconds to hours.
#[test]
fn megabytes_are_exchanged_to_their_end() {
    for (from, to) in [
        ("the actress' room ", "the actor's room "),
        ("see her very often ", "see him very often "),
        ("an aunt ", "an uncle "),
        ("she’s 'a' ", "he’s 'a' "),
        ("(his and her x) ", "(her and his x) "),
        ("Mrs. A ", "Mr. A "),
        ("ex-wife-", "ex-husband-"),
    ] {
        let times = 300_000 / from.len();
        let text = format!("{}end", from.repeat(times));
        // Not `assert_eq!`, which would print the long texts.
        assert!(
            swapped(&text) == format!("{}end", to.repeat(times)),
            "{from}"
        );
    }
    assert_eq!(
        Swap::gender().swap(&"his/her/".repeat(40_000)).swapped,
        80_000
    );
}

proptest! {
    #[test]
    fn any_text_is_read(text in any::<String>()) {
        Swap::gender().swap(&text);
    }

    #[test]
    fn a_text_without_words_of_the_groups_stays(text in "[^a-zA-Z]*") {
        prop_assert_eq!(swapped(&text), text);
    }

    #[test]
    fn sentences_in_a_row_are_exchanged_back_and_forth(
        chosen in proptest::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..8),
    ) {
        let corpus = corpus();
        let (mut text, mut twin) = (Vec::new(), Vec::new());
        for (index, turned) in chosen {
            let (one, other) = corpus[index.index(corpus.len())];
            text.push(if turned { other } else { one });
            twin.push(if turned { one } else { other });
        }
        let (text, twin) = (text.join(" "), twin.join(" "));
        prop_assert_eq!(swapped(&text), twin.as_str());
        prop_assert_eq!(swapped(&twin), text);
    }
}
