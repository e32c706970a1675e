//! Properties that hold for any texts: hostile, empty, in any script.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::*;
use crate::fairness::lexicon::{Group, Lexicon};
use crate::fairness::text::{StopWords, Text};

/// Sentences of words that the measures know, so that they have a value.
fn sentence() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "she",
        "he",
        "her",
        "his",
        "they",
        "nurse",
        "engineer",
        "kind",
        "brilliant",
        "the",
        "caring",
        "terrible",
        "never",
        "Mrs.",
        "can't",
        "and",
        ".",
        ",",
        "team",
        "patients",
    ]);
    vec(words, 1..25).prop_map(|words| words.join(" "))
}

fn answer() -> impl Strategy<Value = String> {
    prop_oneof![4 => sentence(), 1 => any::<String>()]
}

fn answers() -> impl Strategy<Value = Vec<Text>> {
    vec(answer().prop_map(Text::new), 1..8)
}

/// The gender lexicon with its two compared groups in reverse order.
fn swapped() -> Lexicon {
    let mut groups = Lexicon::gender().groups().to_vec();
    groups.swap(0, 1);
    Lexicon::new(groups).unwrap()
}

fn near(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-9,
        (a, b) => a == b,
    }
}

fn measures() -> Vec<Box<dyn Measure>> {
    let gender = Lexicon::gender();
    vec![
        Box::new(Length),
        Box::new(Sentiment::Compound),
        Box::new(Sentiment::Positive),
        Box::new(Sentiment::Negative),
        Box::new(Refusal),
        Box::new(Share::new(&gender, "female").unwrap()),
        Box::new(Frequency::new(&gender, "neutral").unwrap()),
    ]
}

proptest! {
    #[test]
    fn scores_are_finite_and_one_for_each(texts in answers()) {
        for measure in measures() {
            let scores = measure.scores(&texts).unwrap();
            prop_assert_eq!(scores.len(), texts.len());
            for score in scores.into_iter().flatten() {
                prop_assert!(score.is_finite(), "{}", measure.name());
            }
        }
    }

    #[test]
    fn the_shares_of_two_groups_are_one(text in answer().prop_map(Text::new)) {
        let gender = Lexicon::gender();
        let share = |group| Share::new(&gender, group).unwrap().score(&text).unwrap();
        let one = share("female").zip(share("male")).map(|(a, b)| a + b);
        prop_assert!(near(one, share("female").map(|_| 1.0)));
    }

    #[test]
    fn likeness_is_symmetric_and_between_0_and_1(a in answer(), b in answer()) {
        let (a, b) = (Text::new(a), Text::new(b));
        for likeness in [bleu, rouge_l] {
            prop_assert!(near(likeness(&a, &b), likeness(&b, &a)));
            prop_assert!(likeness(&a, &b).is_none_or(|score| (0.0..=1.0).contains(&score)));
        }
    }

    #[test]
    fn equal_texts_are_alike(text in answer().prop_map(Text::new)) {
        for likeness in [bleu, rouge_l] {
            prop_assert!(likeness(&text, &text.clone()).is_none_or(|score| score == 1.0));
        }
    }

    #[test]
    fn the_longest_sequence_is_that_of_the_textbook(
        a in vec(0..6u8, 0..200), b in vec(0..6u8, 0..200),
    ) {
        let text = |words: &[u8]| {
            let words: Vec<_> = words.iter().map(|word| format!("w{word}")).collect();
            Text::new(words.join(" "))
        };
        let mut table = vec![vec![0usize; b.len() + 1]; a.len() + 1];
        for (i, x) in a.iter().enumerate() {
            for (j, y) in b.iter().enumerate() {
                table[i + 1][j + 1] = match x == y {
                    true => table[i][j] + 1,
                    false => table[i][j + 1].max(table[i + 1][j]),
                };
            }
        }
        let expected = 2.0 * table[a.len()][b.len()] as f64 / (a.len() + b.len()) as f64;
        let expected = (!a.is_empty() && !b.is_empty()).then_some(expected);
        prop_assert!(near(rouge_l(&text(&a), &text(&b)), expected));
    }

    #[test]
    fn the_corpus_measures_dont_see_the_order_of_texts(texts in answers()) {
        let (gender, stop) = (Lexicon::gender(), StopWords::english());
        let targets = ["nurse", "engineer", "kind"];
        let backwards: Vec<_> = texts.iter().rev().cloned().collect();
        prop_assert!(near(representation(&texts, &gender), representation(&backwards, &gender)));
        let mean = |texts: &[Text]| association(texts, &gender, &targets).mean;
        prop_assert!(near(mean(&texts), mean(&backwards)));
        let mean = |texts: &[Text]| cobs(texts, &gender, &stop, &targets).unwrap().mean;
        prop_assert!(near(mean(&texts), mean(&backwards)));
        let score = |texts: &[Text]| genbit(texts, &gender, &stop, 80.0).unwrap().score;
        prop_assert!(near(score(&texts), score(&backwards)));
    }

    #[test]
    fn swapped_groups_turn_the_signs(texts in answers()) {
        let (gender, swapped, stop) = (Lexicon::gender(), swapped(), StopWords::english());
        let targets = ["nurse", "engineer", "kind"];
        prop_assert!(near(representation(&texts, &gender), representation(&texts, &swapped)));
        let mean = |lexicon| cobs(&texts, lexicon, &stop, &targets).unwrap().mean;
        prop_assert!(near(mean(&gender), mean(&swapped)));
        let found = |lexicon| genbit(&texts, lexicon, &stop, 0.0).unwrap();
        prop_assert!(near(found(&gender).score, found(&swapped).score));
        let turned = found(&swapped).signed.map(|bias| -bias);
        prop_assert!(near(found(&gender).signed, turned));
    }

    #[test]
    fn swapped_sides_turn_the_words(a in answers(), b in answers()) {
        let gender = Lexicon::gender();
        let (a, b) = (word_counts(&a, &gender), word_counts(&b, &gender));
        let there = fighting_words(&a, &b, &pooled_prior(&a, &b));
        let mut back = fighting_words(&b, &a, &pooled_prior(&b, &a));
        prop_assert_eq!(there.len(), back.len());
        back.sort_by(|a, b| a.z.total_cmp(&b.z).then_with(|| a.word.cmp(&b.word)));
        let find = |word: &str| back.iter().find(|other| other.word == word);
        for word in &there {
            let other = find(&word.word).unwrap();
            prop_assert!((word.delta + other.delta).abs() < 1e-9);
            prop_assert!((word.z + other.z).abs() < 1e-9);
        }
        for word in fighting_words(&a, &a, &pooled_prior(&a, &a)) {
            prop_assert_eq!(word.z, 0.0);
        }
    }

    #[test]
    fn gaps_of_scores(
        a in vec(-1.0..1.0f64, 1..20), b in vec(-1.0..1.0f64, 1..20), shift in -2.0..2.0f64,
    ) {
        prop_assert_eq!(sentiment_gap(&a, &a), Some(0.0));
        prop_assert_eq!(rate_gap(&a, &a, 0.2), Some(0.0));
        prop_assert!(near(sentiment_gap(&a, &b), sentiment_gap(&b, &a)));
        prop_assert!(near(rate_gap(&a, &b, 0.2), rate_gap(&b, &a, 0.2).map(|gap| -gap)));
        let backwards: Vec<_> = a.iter().rev().copied().collect();
        prop_assert_eq!(sentiment_gap(&backwards, &b), sentiment_gap(&a, &b));
        let moved: Vec<_> = a.iter().map(|score| score + shift).collect();
        prop_assert!(near(sentiment_gap(&a, &moved), Some(shift.abs())));
        // A sample and the same sample repeated have the same distribution.
        prop_assert!(near(sentiment_gap(&a, &[a.clone(), a.clone()].concat()), Some(0.0)));
    }

    #[test]
    fn hits_are_parts_of_the_answer(texts in answers(), width in 0..5usize) {
        for hit in in_context(&texts, "nurse", width) {
            let joined = [hit.before, hit.word, hit.after].concat();
            prop_assert!(texts[hit.text].answer().contains(&joined));
            prop_assert_eq!(hit.word.to_lowercase(), "nurse");
        }
    }

    #[test]
    fn equal_groups_are_at_parity(rows in vec(0.0..1.0f64, 1..20)) {
        let groups: Vec<_> = rows.iter().flat_map(|_| ["a", "b"]).collect();
        let doubled: Vec<_> = rows.iter().flat_map(|&row| [row, row]).collect();
        let mean = |rows: &[&f64]| Some(rows.iter().copied().sum::<f64>() / rows.len() as f64);
        let frame = MetricFrame::new(&groups, &doubled, mean);
        prop_assert_eq!(frame.difference(), Some(0.0));
        prop_assert!(frame.ratio().is_none_or(|ratio| ratio == 1.0));
    }
}

/// A word of a third group does not affect the two compared groups.
#[test]
fn a_group_that_is_counted_apart_has_no_say() {
    let gender = Lexicon::gender();
    let without: Vec<Group> = gender.compared().map(|(_, group)| group.clone()).collect();
    let without = Lexicon::new(without).unwrap();
    let texts = [
        Text::new("She and he and they and them."),
        Text::new("Her team. Their team."),
    ];
    assert_eq!(
        representation(&texts, &gender),
        representation(&texts, &without)
    );
    let mean = |lexicon| association(&texts, lexicon, &["team"]).mean;
    assert_eq!(mean(&gender), mean(&without));
}
