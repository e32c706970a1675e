//! Answers side by side, as a reader sees them.

use evenhand::fairness::answer_view::{AnswerSet, AnswerView};
use evenhand::fairness::study::StudyAnswers;
use evenhand::prelude::*;
use serde_json::{Value, json};

use super::access::{DARK, LIGHT, axe, findings};
use super::{Page, write};
use crate::support::{Browser, JupyterLab, Theme, note};

const WORDS: [&str; 20] = [
    "nurse", "she", "cares", "for", "people", "and", "works", "long", "hours", "with", "her",
    "team", "he", "is", "kind", "skilled", "strong", "gentle", "they", "help",
];

fn answers(rows: usize, words: usize, shift: usize) -> AnswerSet {
    let texts = (0..rows).map(move |row| {
        let word = |at: usize| WORDS[(row * 7 + at * (at % 3 + shift)) % WORDS.len()];
        let text: Vec<_> = (0..words).map(word).collect();
        (format!("Describe person {row}."), Some(text.join(" ")))
    });
    AnswerSet::from_texts(texts)
}

/// Answers of a small model, as it wrote them.
const WRITTEN: &str = include_str!("../../crate/src/fairness/lexicon/labeled/answers.tsv");

/// About as many words of its sentences.
fn written(rows: usize, words: usize, shift: usize) -> AnswerSet {
    let lines = WRITTEN.lines().filter(|line| !line.starts_with('#'));
    let texts: Vec<_> = lines.filter_map(|line| line.split('\t').nth(1)).collect();
    let answers = (0..rows).map(|row| {
        let mut answer = String::new();
        let mut text = (0..).map(|at| texts[(row * 3 + at * 5 + shift) % texts.len()]);
        while answer.split_whitespace().count() < words {
            answer.extend(text.next().into_iter().chain([" "]));
        }
        (format!("Describe person {row}."), Some(answer))
    });
    AnswerSet::from_texts(answers.collect::<Vec<_>>())
}

fn pairs(rows: usize) -> AnswerView {
    let (first, second) = (answers(rows, 100, 1), answers(rows, 100, 2));
    compare_answers(("before", first), ("after", second)).titled("Before and after")
}

fn samples() -> AnswerView {
    let study = Study::new(["nurse", "pilot"]).samples(3);
    let texts = (0..18).map(|place| {
        let long = "who works long hours and helps everybody around them ".repeat(place);
        Some(format!(
            "{} is a person {long}.",
            ["She", "He", "This"][place % 3]
        ))
    });
    StudyAnswers::from_texts(study, texts)
        .unwrap()
        .answer_view()
}

#[test]
fn the_accessibility_checker_finds_nothing_in_a_reading() {
    let (Some(axe), Some(browser)) = (axe(), Browser::start(1280, 1400)) else {
        return;
    };
    for (name, style) in [("light", LIGHT), ("dark", DARK)] {
        for (what, view) in [
            ("pairs", pairs(20)),
            ("differences", pairs(20).only_differences()),
            ("samples", samples()),
        ] {
            let html = view.mime_bundle().html;
            browser.goto(&write(&format!("answers-{what}-{name}"), style, &html));
            assert_eq!(findings(&browser, &axe), json!([]), "{what}, {name}");
            browser.run(
                "document.querySelectorAll('details').forEach(it => { it.open = true; })",
                Vec::new(),
            );
            assert_eq!(
                findings(&browser, &axe),
                json!([]),
                "{what}, {name}, opened"
            );
            browser.screenshot(&format!("display-answers-{what}-{name}.png"));
        }
    }
}

#[test]
fn what_is_folded_opens_without_a_script() {
    let Some(page) = Page::open("answers", &samples()) else {
        return;
    };
    let nurse = || page.browser.texts("tbody tr:first-child td:nth-of-type(1)")[0].clone();
    assert!(nurse().contains("2 more samples: "), "{}", nurse());
    assert!(!nurse().contains("This"));
    page.browser.click("//tbody/tr[1]/td[1]//summary");
    assert!(nurse().contains("This"), "{}", nurse());
    assert_eq!(
        page.run("return document.querySelectorAll('script').length"),
        0
    );
}

#[test]
fn a_reading_keeps_its_marks_in_an_untrusted_notebook() {
    const MARK: &str = ".jp-OutputArea-output .evenhand tbody span[title=female]";
    let Some(browser) = Browser::start(1280, 1200) else {
        return;
    };
    let root = tempfile::tempdir().unwrap();
    let bundle = pairs(3).mime_bundle();
    let output = json!({"output_type": "display_data", "metadata": {},
        "data": {"text/html": bundle.html, "text/plain": bundle.text}});
    let notebook = json!({"cells": [{"cell_type": "code", "id": "a", "execution_count": null,
        "metadata": {}, "source": "", "outputs": [output]}],
        "metadata": {"kernelspec": {"display_name": "Rust", "language": "rust", "name": "rust"}},
        "nbformat": 4, "nbformat_minor": 5});
    std::fs::write(root.path().join("view.ipynb"), notebook.to_string()).unwrap();
    let jupyter = JupyterLab::start(root.path());
    for theme in [Theme::Light, Theme::Dark] {
        jupyter.theme(theme);
        browser.goto(&jupyter.url("view.ipynb"));
        browser.wait_until("the marks", || browser.rendered(MARK) > 10);
        let line =
            "return getComputedStyle(document.querySelector(arguments[0])).borderBottomStyle";
        assert_eq!(browser.run(line, vec![MARK.into()]), "solid");
        let align =
            "return getComputedStyle(document.querySelector(arguments[0]).closest('td')).textAlign";
        assert_eq!(browser.run(align, vec![MARK.into()]), "left");
        browser.screenshot(&format!("answers-{theme:?}.png"));
    }
}

/// How long Chromium takes to lay out four hundred answers.
#[test]
#[ignore = "a measurement"]
fn four_hundred_answers_are_laid_out() {
    let Some(browser) = Browser::start(1280, 1000) else {
        return;
    };
    let (first, second) = (written(200, 100, 0), written(200, 100, 1));
    let of_a_model = compare_answers(("before", first), ("after", second));
    browser.goto(&write("answers-empty", "", ""));
    let time = "const start = performance.now();
        document.querySelector('main').innerHTML = arguments[0];
        document.body.offsetHeight;
        return performance.now() - start";
    // One word in five is of a group in the second.
    for (name, view) in [("of a model", of_a_model), ("dense", pairs(200))] {
        let html = view.mime_bundle().html;
        let times: Vec<Value> = (0..5)
            .map(|_| browser.run(time, vec![html.as_str().into()]))
            .collect();
        note(&format!("{name}: {} bytes, ms: {times:?}", html.len()));
    }
}
