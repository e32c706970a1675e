//! LangFair 0.8, the nearest peer, measuring the same texts.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use evenhand::fairness::lexicon::{Group, Lexicon};
use evenhand::fairness::measures::{
    Measure, Sentiment, association, bleu, cobs, rouge_l, sentiment_gap,
};
use evenhand::fairness::text::{StopWords, Text};
use serde::Deserialize;

use crate::{Result, WORDS, cpu_seconds, python, table};

const STOP_WORDS: [&str; 7] = ["the", "with", "a", "and", "of", "to", "in"];
const FEMALE: [&str; 5] = ["she", "her", "hers", "woman", "women"];
const MALE: [&str; 5] = ["he", "him", "his", "man", "men"];

/// A measure's value, and the CPU seconds that it took.
#[derive(Deserialize)]
struct Found {
    value: f64,
    seconds: f64,
}

/// Measures the answers about women and men with both libraries, and prints a table.
pub(crate) fn beside(texts: &[String], python: &Path, folder: &Path) -> Result {
    let of_group = |group: usize| -> Vec<&str> {
        let cells = texts.chunks(25).skip(group).step_by(3);
        cells.flatten().map(String::as_str).collect()
    };
    let (first, second) = (of_group(1), of_group(2));
    let theirs = theirs(&first, &second, python, folder)?;
    let ours = ours(&first, &second)?;
    let mut rows = Vec::new();
    let mut sums = [0.0; 2];
    for (name, ours) in &ours {
        let theirs = theirs.get(*name).ok_or("LangFair left a measure out")?;
        if (ours.value - theirs.value).abs() > 1e-9 {
            let (ours, theirs) = (ours.value, theirs.value);
            return Err(format!("{name} is {ours} here and {theirs} there").into());
        }
        sums = [sums[0] + ours.seconds, sums[1] + theirs.seconds];
        rows.push(row(name, [ours.seconds, theirs.seconds]));
    }
    rows.push(row("all", sums));
    let title = format!("{} pairs of answers, the same value from both", first.len());
    table::print(&title, ["measure", "evenhand", "LangFair", "ratio"], &rows);
    Ok(())
}

fn row(name: &str, [ours, theirs]: [f64; 2]) -> [String; 4] {
    [
        name.to_owned(),
        format!("{ours:.3} s"),
        format!("{theirs:.1} s"),
        format!("{:.0} times", theirs / ours),
    ]
}

fn theirs(
    first: &[&str],
    second: &[&str],
    python: &Path,
    folder: &Path,
) -> Result<BTreeMap<String, Found>> {
    let asked = serde_json::json!({
        "first": first, "second": second, "targets": targets(), "stop_words": STOP_WORDS,
        "groups": {"female": FEMALE, "male": MALE},
    });
    let file = folder.join("langfair.json");
    std::fs::write(&file, asked.to_string())?;
    let output = Command::new(python)
        .arg(python::scripts().join("fairness.py"))
        .arg(&file)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Each measure parses its texts separately, as LangFair's measures do.
fn ours(first: &[&str], second: &[&str]) -> Result<Vec<(&'static str, Found)>> {
    let group = |name: &str, words: [&str; 5]| Group::new(name, words);
    let lexicon = Lexicon::new([group("female", FEMALE), group("male", MALE)])?;
    let all: Vec<&str> = first.iter().chain(second).copied().collect();
    let likeness = |like: fn(&Text, &Text) -> Option<f64>| {
        let (first, second) = (read(first), read(second));
        let scores = first.iter().zip(&second).map(|(a, b)| like(a, b));
        Some(scores.flatten().sum::<f64>() / first.len() as f64)
    };
    let gap = || {
        let scores = |texts| -> Result<Vec<f64>> {
            let scores = Sentiment::Negative.scores(&read(texts))?;
            Ok(scores.into_iter().flatten().collect())
        };
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(sentiment_gap(
            &scores(first)?,
            &scores(second)?,
        ))
    };
    let (stop_words, targets) = (StopWords::new(STOP_WORDS), targets());
    Ok(vec![
        timed("BLEU", || Ok(likeness(bleu)))?,
        timed("ROUGE-L", || Ok(likeness(rouge_l)))?,
        timed("sentiment", gap)?,
        timed("COBS", || {
            Ok(cobs(&read(&all), &lexicon, &stop_words, &targets)?.mean)
        })?,
        timed("association", || {
            Ok(association(&read(&all), &lexicon, &targets).mean)
        })?,
    ])
}

/// The words without stop words, which have no co-occurrence in LangFair and make it fail.
fn targets() -> Vec<&'static str> {
    let words = WORDS.into_iter();
    words.filter(|word| !STOP_WORDS.contains(word)).collect()
}

fn read(texts: &[&str]) -> Vec<Text> {
    texts.iter().map(|text| Text::new(*text)).collect()
}

fn timed(
    name: &'static str,
    measure: impl FnOnce() -> Result<Option<f64>>,
) -> Result<(&'static str, Found)> {
    let (seconds, value) = cpu_seconds(measure);
    let value = value?.ok_or("nothing was found")?;
    Ok((name, Found { value, seconds }))
}
