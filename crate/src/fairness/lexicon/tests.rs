use proptest::prelude::*;

use super::*;
use crate::fairness::measures::{Measure, Sentiment};

#[test]
fn the_shipped_lists_are_sound() {
    for lexicon in [Lexicon::gender(), Lexicon::names()] {
        Lexicon::new(lexicon.groups().to_vec()).unwrap();
    }
    let both = Lexicon::gender().and(&Lexicon::names()).unwrap();
    let sizes: Vec<_> = both
        .groups()
        .iter()
        .map(|group| group.words.len())
        .collect();
    assert!(sizes[0] > 150 && sizes[1] > 150, "{sizes:?}");
    assert!(both.groups()[2].apart);
}

#[test]
fn no_occupation_names_a_gender() {
    let gender = Lexicon::gender();
    for occupation in crate::fairness::occupations::all() {
        assert_eq!(gender.label(&Text::new(occupation.name)), None);
    }
}

/// The numbers of right labels, of wrong labels, and of sentences about a person in a labeled file.
fn labeled(file: &str) -> [usize; 3] {
    let lexicon = Lexicon::gender().and(&Lexicon::names()).unwrap();
    let mut counts = [0; 3];
    for line in file.lines().filter(|line| !line.starts_with('#')) {
        let (expected, text) = line.split_once('\t').unwrap();
        let text = Text::new(text);
        let label = lexicon.label(&text);
        counts[0] += usize::from(label == Some(expected));
        counts[1] += usize::from(label.is_some_and(|label| label != expected));
        counts[2] += usize::from(expected != "-");
    }
    counts
}

#[test]
fn labels_agree_with_a_reader() {
    let sizes = [
        include_str!("labeled/tuning.tsv"),
        include_str!("labeled/held_out.tsv"),
        include_str!("labeled/third.tsv"),
        include_str!("labeled/fifth.tsv"),
    ]
    .map(|file| {
        let sentences = file.lines().filter(|line| !line.starts_with('#')).count();
        let [right, wrong, all] = labeled(file);
        let precision = right as f64 / (right + wrong) as f64;
        let sensitivity = right as f64 / all as f64;
        assert!(precision >= 0.95, "{right} right, {wrong} wrong");
        assert!(sensitivity >= 0.85, "{right} of {all}");
        sentences
    });
    assert!(sizes.iter().sum::<usize>() >= 200, "{sizes:?}");
}

/// The numbers in the docs: sentences that are harder than most answers. Few rules or none were
/// written with them.
#[test]
fn labels_of_sentences_that_were_measured_before_the_rules_changed() {
    for (file, least, most, people) in [
        (include_str!("labeled/fourth.tsv"), 34, 1, 40),
        (include_str!("labeled/sixth.tsv"), 75, 2, 82),
    ] {
        let [right, wrong, all] = labeled(file);
        assert!(
            right >= least && wrong <= most,
            "{right} right, {wrong} wrong"
        );
        assert_eq!(all, people);
    }
}

/// The local model's answers, whose labels a reader assigned before the program did: the beginnings
/// of stories that no rule was written for.
#[test]
fn labels_of_what_a_model_writes() {
    let [right, wrong, all] = labeled(include_str!("labeled/answers.tsv"));
    assert!(right >= 41 && wrong <= 2, "{right} right, {wrong} wrong");
    assert_eq!(all, 47);
}

#[test]
fn the_label_is_whom_the_text_is_about() {
    let lexicon = Lexicon::gender().and(&Lexicon::names()).unwrap();
    let cases = [
        (
            "The doctor loves his mother, his sisters, his wife and his daughters.",
            Some("male"),
        ),
        (
            "The actress thanked her father and her uncles.",
            Some("female"),
        ),
        ("s/he is a nurse", None),
        ("(s)he is a nurse", None),
        ("He or she is a nurse.", None),
        ("MRS. MAY is a nurse.", Some("female")),
        ("The lab treats MS patients.", None),
        ("Mother Nature is the best nurse.", None),
        ("Oh man, the nurse was tired.", None),
        ("The nurse works at King's College Hospital.", None),
        ("\"He is asleep,\" said the nurse.", None),
        ("José is a nurse.", Some("male")),
        ("Jose\u{301} is a nurse.", Some("male")),
    ];
    for (text, expected) in cases {
        assert_eq!(lexicon.label(&Text::new(text)), expected, "{text}");
    }
}

/// Words that name a group and carry sentiment must not make a difference once they are masked.
#[test]
fn masked_counterparts_feel_alike() {
    let (lexicon, mut pairs) = (Lexicon::gender(), 0);
    let feeling = |text: &str| {
        Sentiment::Compound
            .score(&lexicon.mask(&Text::new(text)))
            .unwrap()
    };
    assert_eq!(feeling("He is a hero."), feeling("She is a heroine."));
    let rules = include_str!("../mitigation/counterfactual/swap.tsv").lines();
    for rule in rules.filter(|rule| !rule.starts_with('#')) {
        let mut words = rule.split('\t');
        let (first, second) = (words.next().unwrap(), words.next().unwrap());
        let (one, other) = (format!("A {first} came."), format!("A {second} came."));
        assert_eq!(feeling(&one), feeling(&other), "{rule}");
        pairs += 1;
    }
    assert!(pairs > 50, "{pairs}");
    // Also in capitals: *miss* has negative sentiment, but *Miss Lee* is a name.
    assert_eq!(feeling("MISS LEE CAME."), feeling("MR. LEE CAME."));
    let masked = lexicon.mask(&Text::new("He is a hero, and she a heroine."));
    assert_eq!(masked.answer(), "masked is a masked, and masked a masked.");
    assert_eq!(
        lexicon.count(&Text::new("A hero, a host and an actor.")),
        [0, 0, 0]
    );
}

#[test]
fn the_label_follows_pronouns_names_and_nouns() {
    let gender = Lexicon::gender().and(&Lexicon::names()).unwrap();
    let cases = [
        ("She told him about her mother.", Some("female")),
        ("He's a nurse.", Some("male")),
        ("Mrs. Smith is here.", Some("female")),
        ("Sarah is a nurse.", Some("female")),
        (
            "The nurse told her patients that they and their families may go.",
            Some("female"),
        ),
        ("They love their job.", Some("neutral")),
        ("A non-binary engineer.", Some("neutral")),
        ("He and she work here.", None),
        ("The nurse works here.", None),
        ("", None),
        // A word with another meaning counts only if it is spelled as in the list.
        ("I miss the patience of a will.", None),
        ("He/she is a nurse.", None),
        ("The chairwoman's hero is John.", None),
    ];
    for (text, expected) in cases {
        assert_eq!(gender.label(&Text::new(text)), expected, "{text}");
    }
}

#[test]
fn the_machinery_does_not_know_gender() {
    let age =
        Lexicon::parse("# two ages\n[young]\nyoung youth\n[old]\nold elderly retired\n").unwrap();
    assert_eq!(
        age.label(&Text::new("An elderly nurse, retired.")),
        Some("old")
    );
    assert_eq!(
        age.count(&Text::new("Young and old, old and young.")),
        [2, 2]
    );
}

#[test]
fn words_of_the_groups_are_masked() {
    let gender = Lexicon::gender();
    let text = Text::new("She’s a female nurse; HER patients call her Mrs. Smith. They miss her…")
        .answering("Describe a female nurse.");
    let masked = gender.mask(&text);
    assert_eq!(
        masked.answer(),
        "masked’s a masked nurse; masked patients call masked masked Smith. masked miss masked…"
    );
    assert_eq!(masked.prompt(), Some("Describe a female nurse."));
}

#[test]
fn unsound_lists_are_refused() {
    let error = |text: &str| Lexicon::parse(text).unwrap_err().to_string();
    insta::assert_snapshot!(error("[a]\nshe\n[b]\nhe She"), @r#"
    "She" is in the groups "a" and "b"
      hint: a word can name only one group, and must be listed once
    "#);
    insta::assert_snapshot!(error("[a]\nhero\n[a, masked]\nHero"), @r#"
    "Hero" is a word of "a" and is also listed as masked
      hint: the words of a group are always masked
    "#);
    insta::assert_snapshot!(error("[a]\nhe/she"), @r#"
    "he/she" is not one word
      hint: texts are searched word by word: list single words only
    "#);
    insta::assert_snapshot!(error("[a]\n[b]\nhe"), @r#"the group "a" has no words"#);
    insta::assert_snapshot!(error("[a]\nshe\n[a]\nhe"), @r#"the group "a" occurs twice in the lexicon"#);
}

proptest! {
    #[test]
    fn nothing_of_the_groups_is_left_under_the_mask(words in prop::collection::vec(
        prop_oneof![
            Just("she".to_owned()), Just("HIS".to_owned()), Just("Mrs.".to_owned()),
            Just("they're".to_owned()), Just("nurse".to_owned()), any::<String>(),
        ], 0..20))
    {
        let gender = Lexicon::gender();
        let text = Text::new(words.join(" "));
        let masked = gender.mask(&text);
        prop_assert_eq!(gender.count(&masked), [0, 0, 0]);
        let again = gender.mask(&masked);
        prop_assert_eq!(again.answer(), masked.answer());
    }

    #[test]
    fn swapped_groups_swap_the_label(words in prop::collection::vec(
        prop::sample::select(vec!["she", "he", "they", "nurse", "her", "his"]), 0..12))
    {
        let gender = Lexicon::gender();
        let mut groups = gender.groups().to_vec();
        groups.swap(0, 1);
        let (one, two) = groups.split_at_mut(1);
        std::mem::swap(&mut one[0].words, &mut two[0].words);
        let swapped = Lexicon::new(groups).unwrap();
        let text = Text::new(words.join(" "));
        let other = |label| match label { "female" => "male", "male" => "female", label => label };
        prop_assert_eq!(swapped.label(&text).map(other), gender.label(&text));
    }
}
