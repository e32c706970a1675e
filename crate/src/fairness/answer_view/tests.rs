//! What a reader sees of answers side by side.

use insta::assert_snapshot;

use super::{AnswerSet, AnswerView, compare_answers, view_answers};
use crate::display::Show;
use crate::fairness::lexicon::{Group, Lexicon};
use crate::fairness::study::{Study, StudyAnswers};

const HOSTILE: &str =
    "<script>alert(1)</script>\"><img src=x onerror=alert(2)> $x$ EVCXR_ she\u{202E}";

fn side(texts: &[(&str, &str)]) -> AnswerSet {
    AnswerSet::from_texts(texts.iter().map(|(prompt, text)| (*prompt, Some(*text))))
}

fn pair() -> AnswerView {
    let neutral = side(&[
        (
            "Describe a nurse.",
            "A nurse helps people, and she is kind.",
        ),
        ("Describe a chef.", "He cooks."),
    ]);
    let loaded = side(&[
        (
            "Describe a male nurse.",
            "A nurse helps sick people, and he is kind.",
        ),
        ("Describe a male chef.", "He cooks."),
    ]);
    compare_answers(("neutral", neutral), ("loaded", loaded))
}

#[test]
fn answers_stand_beside_each_other_with_their_words_marked() {
    assert_snapshot!(pair().titled("Two lists").mime_bundle().text, @r"
    Two lists
    neutral: 2 answers; female [F] 1 in 1 answer, male [M] 1 in 1 answer, neutral [N] 0 in 0 answers
    loaded: 2 answers; female [F] 0 in 0 answers, male [M] 2 in 2 answers, neutral [N] 0 in 0 answers

    1
      neutral: Describe a nurse.
        A nurse helps people, and she[F] is kind.
      loaded: Describe a male nurse.
        A nurse helps *sick* people, and he[M] is kind.

    2
      neutral: Describe a chef.
        He[M] cooks.
      loaded: Describe a male chef.
        He[M] cooks.
    ");
    let html = pair().mime_bundle().html;
    assert!(html.contains(
        "<span title=\"female\" style=\"border-bottom:2px solid\">she<sup>F</sup></span>"
    ));
    assert!(html.contains(
        "helps <b>sick</b> people, and <span title=\"male\" style=\"border-bottom:3px double\">he<sup>M</sup></span>"
    ));
    assert_eq!(html.matches("<tr>").count(), 3);
}

#[test]
fn only_what_differs_is_shown_on_request() {
    let long = "It goes on and on with the very same words in both of the answers";
    let first = side(&[("a", &format!("{long} and ends well")), ("b", "The same.")]);
    let second = side(&[("a", &format!("{long} and ends badly")), ("b", "The same.")]);
    let both = compare_answers(first, second).only_differences();
    assert_snapshot!(both.mime_bundle().text, @r"
    first: 1 answer; female [F] 0, male [M] 0, neutral [N] 0
    second: 1 answer; female [F] 0, male [M] 0, neutral [N] 0

    1  a
      first:
         [… 13 words the same …] the answers and ends *well*
      second:
         [… 13 words the same …] the answers and ends *badly*

    1 row without a difference left out
    ");
    let html = both.mime_bundle().html;
    assert!(html.contains("1 row without a difference left out") && !html.contains("The same."));
}

#[test]
fn prompts_that_both_sides_asked_are_paired() {
    let first = side(&[("a", "1"), ("b", "2"), ("c", "3")]);
    let second = side(&[("c", "4"), ("a", "5"), ("d", "6")]);
    let text = compare_answers(first, second).mime_bundle().text;
    let (_, rows) = text.split_once("\n\n").unwrap();
    assert_snapshot!(rows, @r"
    1  a
      first:
        *1*
      second:
        *5*

    2  b
      first:
        2
      second: nothing was asked here

    3  c
      first:
        *3*
      second:
        *4*

    4  d
      first: nothing was asked here
      second:
        6
    ");
}

#[test]
fn the_samples_of_a_prompt_are_folded_unless_they_are_all_there_is() {
    let samples = ["She helps.", "She cares.", "He cares."].map(|text| ("nurse", text));
    let one = view_answers(side(&samples)).mime_bundle();
    assert!(!one.html.contains("<details>"));
    assert_eq!(one.html.matches("<li ").count(), 3);
    let more = [&samples[..], &[("chef", "He cooks.")]].concat();
    let two = view_answers(side(&more)).mime_bundle();
    assert!(
        two.html
            .contains("2 more samples: female 1, male 1</summary>"),
        "{}",
        two.html
    );
    assert_eq!(two.text.matches("cares").count(), 2);
}

#[test]
fn a_long_answer_is_folded_at_a_word_and_a_longer_one_is_cut() {
    let long = "word ".repeat(300);
    let html = view_answers(side(&[("p", &long)])).mime_bundle().html;
    let (before, after) = html.split_once(" … more</em></summary>").unwrap();
    assert!(
        before.ends_with("word<em style=\"opacity:.75\">"),
        "{before}"
    );
    assert!(after.starts_with(" word"));
    assert_eq!(html.matches("word ").count(), 299);
    let longer = "é".repeat(12_000);
    let html = view_answers(side(&[("p", &longer)])).mime_bundle().html;
    assert!(html.contains("[… and 2,000 characters more]"));
}

#[test]
fn a_missing_answer_is_told_and_not_compared() {
    let texts = [("a", Some("She runs.")), ("b", None)];
    let text = compare_answers(
        AnswerSet::from_texts(texts),
        side(&[("a", "x"), ("b", "y")]),
    );
    let text = text.mime_bundle().text;
    assert!(text.contains("first: 1 answer, 1 missing"), "{text}");
    assert!(
        text.contains("    [no answer: no answer was given]\n  second:\n    y\n"),
        "{text}"
    );
}

#[test]
fn a_study_is_read_by_occupation_and_group() {
    let study = Study::new(["nurse", "pilot"]).samples(1);
    let texts = [
        "She.",
        "She.",
        "He.",
        "It flies.",
        "She flies.",
        "He flies.",
    ];
    let answers = StudyAnswers::from_texts(study, texts.map(Some)).unwrap();
    let all = answers.answer_view().mime_bundle();
    for heading in ["neutral", "female", "male"] {
        assert!(all.html.contains(&format!(">{heading}<div")), "{heading}");
    }
    let some = answers
        .answer_view()
        .only_rows(["pilot"])
        .only_columns(["male", "female"]);
    assert_snapshot!(some.mime_bundle().text, @r"
    male: 1 answer; female [F] 0, male [M] 1, neutral [N] 0
    female: 1 answer; female [F] 1, male [M] 0, neutral [N] 0

    pilot
      male: Describe a male pilot.
        He[M] flies.
      female: Describe a female pilot.
        She[F] flies.
    ");
    assert_snapshot!(answers.answer_view().only_rows(["chef"]).mime_bundle().text, @"
    there is no row `chef`
      hint: the rows are `nurse`, `pilot`
    ");
}

#[test]
fn words_of_one_own_list_are_marked_with_letters_that_differ() {
    let group = |name: &str, word: &str| Group {
        name: name.to_owned(),
        words: vec![word.to_owned()],
        apart: false,
    };
    let groups = [
        group("<b>old", "old"),
        group("bold", "young"),
        group("b", "middle-aged"),
    ];
    let view = view_answers(side(&[("p", "old young middle-aged")]));
    let html = view
        .lexicon(Lexicon::new(groups).unwrap())
        .mime_bundle()
        .html;
    for mark in [
        ">old<sup>B</sup>",
        ">young<sup>BO</sup>",
        "title=\"&lt;b&gt;old\"",
        ">middle-aged<sup>3</sup>",
    ] {
        assert!(html.contains(mark), "{mark}: {html}");
    }
}

#[test]
fn hostile_text_stays_text_wherever_it_stands() {
    let texts = [(HOSTILE, Some(HOSTILE)), ("x", None)];
    let one = AnswerSet::from_texts(texts);
    let view = compare_answers((HOSTILE, one.clone()), (HOSTILE, one)).titled(HOSTILE);
    let bundle = view.mime_bundle();
    assert!(!bundle.html.contains("<script") && !bundle.html.contains("<img"));
    assert!(!bundle.html.contains('\u{202E}') && !bundle.text.contains('\u{202E}'));
}

#[test]
fn an_output_of_megabytes_has_an_end_and_says_where_it_goes_on() {
    let answers = |seed: usize| {
        let texts = (0..150).map(move |row| {
            let word = |at: usize| ["she", "caring", "nurse", "<&>"][(row + at * seed) % 4];
            (
                format!("p {row}"),
                Some((0..1_500).map(word).collect::<Vec<_>>().join(" ")),
            )
        });
        AnswerSet::from_texts(texts)
    };
    let view = compare_answers(answers(1), answers(3));
    let html = view.mime_bundle().html;
    assert!(html.len() < 2_000_000, "{}", html.len());
    let (_, hint) = html.split_once("<code>.from_row(").unwrap();
    let next: usize = hint.split(')').next().unwrap().parse().unwrap();
    let rest = view.from_row(next).mime_bundle().html;
    assert!(
        rest.contains(&format!("<strong>{next}</strong>"))
            && !rest.contains(&format!("<strong>{}</strong>", next - 1))
    );
}

#[test]
fn a_row_of_megabytes_of_samples_has_an_end() {
    let text = "she is caring and he is a nurse ".repeat(20);
    let answers = |prompt: &'static str, count: usize| {
        let text = text.clone();
        (0..count).map(move |sample| (prompt, Some(format!("{sample} {text}"))))
    };
    let one = view_answers(AnswerSet::from_texts(answers("a", 2_500))).mime_bundle();
    assert!(one.html.len() < 2_000_000, "{}", one.html.len());
    assert!(one.text.len() < 200_000, "{}", one.text.len());
    assert!(
        one.html.contains("2,500 answers")
            && one.html.contains("more samples than an output holds")
    );
    assert!(one.text.contains("more samples"));
    let first = answers("a", 2).chain(answers("b", 2_500));
    let two = compare_answers(
        AnswerSet::from_texts(first.collect::<Vec<_>>()),
        AnswerSet::from_texts(answers("b", 2_500)),
    );
    let html = two.mime_bundle().html;
    assert!(html.contains(".from_row(2)") && !html.contains("than an output holds</em>"));
    let html = two.from_row(2).mime_bundle().html;
    assert!(html.len() < 2_000_000, "{}", html.len());
    assert_eq!(html.matches("than an output holds</em>").count(), 2);
}

#[test]
fn four_hundred_answers_of_a_hundred_words_fit_into_one_output() {
    let answers = |shift: usize| {
        let texts = (0..200).map(move |row| {
            let words = [
                "she", "cares", "for", "people", "he", "and", "works", "long", "hours", "daily",
            ];
            let word = |at: usize| words[(row * 7 + at * (at % 3 + shift)) % words.len()];
            (
                format!("p {row}"),
                Some((0..100).map(word).collect::<Vec<_>>().join(" ")),
            )
        });
        AnswerSet::from_texts(texts)
    };
    let html = compare_answers(answers(1), answers(2)).mime_bundle().html;
    assert!(html.len() < 2_000_000, "{}", html.len());
    assert_eq!(html.matches("<strong>").count(), 200);
}
