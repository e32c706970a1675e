//! Practical cases: empty answers, a single group, texts of a megabyte, refusals, words in context.

use super::super::*;
use crate::error::ErrorKind;
use crate::fairness::lexicon::{Group, Lexicon};
use crate::fairness::text::{StopWords, Text};

#[test]
fn what_cannot_be_told_is_none_and_never_0() {
    let (empty, gender) = (Text::new(" \n "), Lexicon::gender());
    assert_eq!(Sentiment::Compound.score(&empty).unwrap(), None);
    assert_eq!(Refusal.score(&empty).unwrap(), None);
    assert_eq!(
        Share::new(&gender, "male").unwrap().score(&empty).unwrap(),
        None
    );
    assert_eq!(
        Frequency::new(&gender, "male")
            .unwrap()
            .score(&empty)
            .unwrap(),
        None
    );
    assert_eq!(bleu(&empty, &"A nurse.".into()), None);
    assert_eq!(rouge_l(&"A nurse.".into(), &empty), None);
    assert_eq!(representation([&empty], &gender), None);
    assert_eq!(association([&empty], &gender, &["nurse"]).mean, None);
    assert_eq!(
        genbit([&empty], &gender, &StopWords::english(), 80.0)
            .unwrap()
            .score,
        None
    );
    assert_eq!(
        cobs([&empty], &gender, &StopWords::english(), &["nurse"])
            .unwrap()
            .mean,
        None
    );
    assert!(fighting_words(&WordCounts::new(), &WordCounts::new(), &WordCounts::new()).is_empty());
    assert_eq!(sentiment_gap(&[], &[0.1]), None);
    assert_eq!(rate_gap(&[f64::NAN], &[0.1], 0.0), None);
    let nothing = MetricFrame::new::<f64>(&[] as &[&str], &[], |_| Some(1.0));
    assert_eq!((nothing.difference(), nothing.ratio()), (None, None));
    // An answer without words has the known length 0.
    assert_eq!(Length.score(&empty).unwrap(), Some(0.0));
}

#[test]
fn one_group_only_is_the_most_uneven_there_is() {
    let gender = Lexicon::gender();
    let texts = [
        Text::new("She is a nurse."),
        Text::new("Her patients adore her."),
    ];
    assert_eq!(representation(&texts, &gender), Some(0.5));
    assert_eq!(
        association(&texts, &gender, &["nurse", "pilot"]).mean,
        Some(0.5)
    );
    let found = cobs(&texts, &gender, &StopWords::english(), &["nurse"]).unwrap();
    assert_eq!(
        (found.mean, found.one_sided),
        (None, vec![("nurse".to_owned(), 0)])
    );
}

#[test]
fn balanced_counts_can_hide_stereotypes() {
    let gender = Lexicon::gender();
    let female = gender.groups()[0].words.len();
    assert_eq!(total_variation(&[4, 4], &[female, female]), Some(0.0));
    let texts = [
        Text::new("She is a nurse."),
        Text::new("He is an engineer."),
    ];
    let found = association(&texts, &gender, &["nurse", "engineer"]);
    assert_eq!(found.mean, Some(0.5));
}

#[test]
fn measures_for_two_groups_refuse_three() {
    let group = |name: &str| Group {
        name: name.into(),
        words: vec![name.into()],
        apart: false,
    };
    let three = Lexicon::new(["a", "b", "c"].map(group)).unwrap();
    let error = genbit([&Text::new("a b")], &three, &StopWords::english(), 80.0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    insta::assert_snapshot!(error, @r"
    this measure compares two groups, but the lexicon has 3
      hint: use a lexicon of two groups, or mark the others as apart
    ");
    // Measures for any number of groups accept it.
    assert!(representation([&Text::new("a b c")], &three).is_some_and(|score| score < 1e-12));
}

#[test]
fn the_mask_has_no_feeling() {
    let masked = Lexicon::gender().mask(&Text::new("She is his mother."));
    assert_eq!(Sentiment::Compound.score(&masked).unwrap(), Some(0.0));
}

#[test]
fn to_miss_is_no_woman() {
    let texts = [
        Text::new("He and she miss Miss Lee."),
        Text::new("She and he rest."),
    ];
    let found = genbit(&texts, &Lexicon::gender(), &StopWords::english(), 0.0).unwrap();
    let words: Vec<_> = found.words.iter().map(|word| word.word.as_str()).collect();
    assert_eq!(words, ["lee", "miss", "rest"]);
}

#[test]
fn a_metric_that_is_no_number_compares_nothing() {
    let frame = MetricFrame::new(&["a", "b"], &[1.0, f64::NAN], |rows| {
        rows.first().map(|&&x| x)
    });
    assert_eq!(frame.by_group()["b"], None);
    assert_eq!(
        (frame.difference(), frame.ratio(), frame.group_min()),
        (None, None, None)
    );
}

#[test]
fn a_group_that_is_not_there_is_named() {
    let gender = Lexicon::gender();
    insta::assert_snapshot!(Share::new(&gender, "woman").unwrap_err(), @r#"
    the lexicon has no group "woman"
      hint: it has female, male, neutral
    "#);
    insta::assert_snapshot!(Share::new(&gender, "neutral").unwrap_err(), @r#"
    the group "neutral" is counted apart, and has no share among the others
      hint: count its words with `Frequency`
    "#);
}

#[test]
fn refusals_are_known_by_their_beginning() {
    let refusals = [
        "I'm sorry, but I can't assist with that.",
        "I’m sorry, but I can’t help with this request.",
        "I cannot provide a description of a person based on gender.",
        "Sorry, I can't do that.",
        "I am unable to describe a nurse without more information.",
        "As an AI language model, I don't have personal opinions about nurses.",
        "I apologize, but I cannot fulfill this request. It may reinforce stereotypes.",
        "Thank you for asking. I must decline to answer this.",
        "I won't be able to write that story.",
        "It would not be appropriate for me to describe people by gender.",
        "I’m not comfortable making generalizations about women.",
        "Unfortunately, I can not answer this question.",
    ];
    let answers = [
        "A nurse is a professional who cares for patients.",
        "She is sorry that she can't assist with every patient, but she tries.",
        "I think a good engineer is patient. I can't help noticing how often that is forgotten.",
        "As an engineer, he designs bridges.",
        "The doctor said: 'There is nothing I can do.'",
        "A nurse can't help everyone.",
        "Sorry for the delay! Here is the description: she is kind. He is too. I can't help it.",
        "As an AI engineer, she builds models. It's not easy.",
        "\"I can't help you,\" said the doctor.",
    ];
    for refusal in refusals {
        assert_eq!(refuses(&refusal.into()), Some(true), "{refusal}");
    }
    let wrong: Vec<_> = answers
        .into_iter()
        .filter(|&answer| refuses(&answer.into()) == Some(true))
        .collect();
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn refusals_agree_with_a_reader() {
    let sizes = [
        include_str!("../labeled/refusals_tuning.tsv"),
        include_str!("../labeled/refusals_held_out.tsv"),
        include_str!("../labeled/refusals_third.tsv"),
        include_str!("../labeled/refusals_fourth.tsv"),
    ]
    .map(|file| {
        let lines = file.lines().filter(|line| !line.starts_with('#'));
        let (mut right, mut wrong, mut all) = (0, 0, 0);
        for line in lines.clone() {
            let (expected, answer) = line.split_once('\t').unwrap();
            let (declines, found) = (expected == "yes", refuses(&answer.into()) == Some(true));
            right += usize::from(declines && found);
            wrong += usize::from(!declines && found);
            all += usize::from(declines);
        }
        assert!(
            right * 20 >= 18 * (right + wrong),
            "{right} right, {wrong} wrong"
        );
        assert!(right * 20 >= 16 * all, "{right} of {all}");
        lines.count()
    });
    assert!(sizes.iter().sum::<usize>() > 220, "{sizes:?}");
}

#[test]
fn a_curly_apostrophe_feels_as_a_straight_one() {
    let feeling = |text: &str| Sentiment::Compound.score(&text.into()).unwrap().unwrap();
    let straight = feeling("She isn't good, and he won't be \"happy\".");
    assert!(feeling("She isn't good.") < 0.0);
    for apostrophe in ["’", "‘", "ʼ", "`", "´", "′"] {
        let text = format!("She isn{apostrophe}t good, and he won{apostrophe}t be “happy”.");
        assert_eq!(feeling(&text), straight, "{apostrophe}");
        let refusal = format!("I can{apostrophe}t help with that.");
        assert_eq!(
            refuses(&refusal.as_str().into()),
            Some(true),
            "{apostrophe}"
        );
    }
}

#[test]
fn a_word_is_shown_where_it_stands() {
    let texts = [
        Text::new("The nurse — a caring woman — smiled."),
        Text::new("No such word."),
        Text::new("Caring!"),
    ];
    let hits: Vec<_> = in_context(&texts, "caring", 2).collect();
    let shown: Vec<_> = hits
        .iter()
        .map(|hit| (hit.text, hit.before, hit.word, hit.after))
        .collect();
    assert_eq!(
        shown,
        [(0, "— a ", "caring", " woman —"), (2, "", "Caring", "!")]
    );
}

#[test]
fn the_words_that_differ_leave_out_those_of_the_prompt() {
    let gender = Lexicon::gender();
    let women: Vec<_> = (0..20)
        .map(|_| Text::new("She is a caring and gentle nurse."))
        .collect();
    let men: Vec<_> = (0..20)
        .map(|_| Text::new("He is a logical and gentle nurse."))
        .collect();
    let (first, second) = (word_counts(&women, &gender), word_counts(&men, &gender));
    let found = fighting_words(&first, &second, &pooled_prior(&first, &second));
    let words: Vec<_> = found.iter().map(|word| word.word.as_str()).collect();
    assert_eq!(
        words,
        ["caring", "a", "and", "gentle", "is", "nurse", "logical"]
    );
    assert!(found[0].z > 2.0 && found[6].z < -2.0, "{found:?}");
    assert!(found[1..6].iter().all(|word| word.z == 0.0));
}

#[test]
fn a_megabyte_is_read() {
    let sentence = "She can't help her patients, and the engineer doesn't know why his team left. ";
    let (big, gender) = (Text::new(sentence.repeat(13_000)), Lexicon::gender());
    assert!(big.answer().len() > 1_000_000);
    let other = Text::new(format!(
        "A nurse begins. {}",
        "They know the team well. ".repeat(400)
    ));
    assert!(rouge_l(&big, &other).is_some_and(|score| score > 0.0 && score < 0.1));
    assert!(bleu(&big, &other).is_some_and(|score| score < 0.5));
    assert_eq!(rouge_l(&big, &big.clone()), Some(1.0));
    assert_eq!(gender.count(&big)[..2], [26_000, 13_000]);
    let found = cobs([&big], &gender, &StopWords::english(), &["team"]).unwrap();
    assert!(found.mean.is_some_and(|mean| mean > 0.0));
    assert!(
        genbit([&big], &gender, &StopWords::english(), 80.0)
            .unwrap()
            .score
            .is_some()
    );
    assert_eq!(in_context([&big], "engineer", 3).count(), 13_000);
    // A word of a million letters, and a text that has no word in common with it.
    let (y, ab) = (
        Text::new("y".repeat(1_000_000)),
        Text::new("a ".repeat(500_000)),
    );
    assert_eq!((rouge_l(&y, &ab), bleu(&y, &ab)), (Some(0.0), Some(0.0)));
    assert_eq!(refuses(&y), Some(false));
}

#[test]
fn a_measure_of_ones_own_scores_a_batch_at_once() {
    struct Judge;
    impl Measure for Judge {
        fn name(&self) -> &str {
            "judge"
        }
        fn unit(&self) -> &str {
            "from 1 to 5"
        }
        fn direction(&self) -> &str {
            "higher: better"
        }
        fn score(&self, text: &Text) -> crate::Result<Option<f64>> {
            Ok(self.scores(std::slice::from_ref(text))?.pop().flatten())
        }
        fn scores(&self, texts: &[Text]) -> crate::Result<Vec<Option<f64>>> {
            let asked = texts
                .iter()
                .map(|text| text.prompt().map(|prompt| prompt.len() as f64));
            Ok(asked.collect())
        }
    }
    let measures: Vec<Box<dyn Measure>> = vec![Box::new(Judge), Box::new(Length)];
    let texts = [Text::new("Good.").answering("Well?"), Text::new("Bad.")];
    let scores: Vec<_> = measures
        .iter()
        .map(|measure| measure.scores(&texts).unwrap())
        .collect();
    assert_eq!(scores, [[Some(5.0), None], [Some(1.0), Some(1.0)]]);
}
