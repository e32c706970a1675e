//! Language detection: word lists, sentiment and refusal phrases only work for English.
//!
//! A text in which at least a quarter of the words are English function words is English. Otherwise
//! trigrams decide (`whatlang`, which takes fifty times as long); but they classify one in seven
//! lists of English adjectives as French, so a text must also look like prose in another language
//! before it is refused.
//!
//! Short texts are judged together: those with hardly any English function words are joined and
//! judged as one text.

use std::sync::OnceLock;

use whatlang::{Detector, Lang};

use super::{StopWords, Text};
use crate::error::{Error, ErrorKind, Result};
use crate::text::sanitize_line;

/// Below this number of words, the language of a text in Latin letters is not judged.
const ENOUGH_WORDS: usize = 20;

/// The most characters that are examined; more text does not change the result.
const ENOUGH_CHARS: usize = 4_000;

/// Below this share of English function words a text may be in another language.
const FEW: f64 = 0.15;

/// The language of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Language {
    /// English.
    English,
    /// Undetermined: fewer than 20 words in Latin letters, a list, or a mixture. Measured as
    /// English.
    Unsure,
    /// Another language, with its English name.
    Other(&'static str),
}

pub(super) fn detect(text: &Text) -> Language {
    if text.word_count() < ENOUGH_WORDS && !foreign_letters(text.answer()) {
        return Language::Unsure;
    }
    let function_words = function_words(text);
    if function_words >= 0.25 {
        return Language::English;
    }
    match whatlang::detect(start(text)).map(|found| found.lang()) {
        Some(Lang::Eng) => Language::English,
        Some(lang) if is_foreign(text, function_words, lang) => Language::Other(lang.eng_name()),
        _ => Language::Unsure,
    }
}

/// The beginning of a text that is examined.
fn start(text: &Text) -> &str {
    let answer = text.answer();
    let end = answer.char_indices().nth(ENOUGH_CHARS).map(|(at, _)| at);
    answer
        .get(..end.unwrap_or(answer.len()))
        .unwrap_or_default()
}

fn is_foreign(text: &Text, function_words: f64, lang: Lang) -> bool {
    function_words < FEW && foreign_prose(text) && not_english(start(text), lang)
}

/// The languages of texts that belong together, such as the answers of a study, in the same order.
///
/// Each text is judged alone first. Those that remain [`Language::Unsure`], have hardly any English
/// function words and look like prose are joined, both all together and grouped by their most
/// likely language. If a joined text is in another language, each of its texts that is closer to
/// that language than to English is assigned to it. Five short Spanish answers among 180 are
/// detected as Spanish; a single one remains unsure.
pub fn languages(texts: &[Text]) -> Vec<Language> {
    let mut languages: Vec<_> = texts.iter().map(Text::language).collect();
    let doubtful: Vec<(usize, &Text)> = texts
        .iter()
        .enumerate()
        .filter(|(row, text)| {
            languages.get(*row) == Some(&Language::Unsure)
                && text.word_count() > 0
                && function_words(text) < FEW
                && foreign_prose(text)
        })
        .collect();
    let mut seeming: Vec<(Lang, Vec<&Text>)> = Vec::new();
    for &(_, text) in &doubtful {
        let Some(found) = whatlang::detect(start(text)) else {
            continue;
        };
        match seeming.iter_mut().find(|(lang, _)| *lang == found.lang()) {
            Some((_, alike)) => alike.push(text),
            None => seeming.push((found.lang(), vec![text])),
        }
    }
    let all = doubtful.iter().map(|(_, text)| *text).collect();
    let joined = seeming.into_iter().map(|(_, alike)| alike).chain([all]);
    let mut known: Vec<Lang> = joined.filter_map(|texts| joined_language(&texts)).collect();
    if known.is_empty() {
        return languages;
    }
    known.push(Lang::Eng);
    let detector = Detector::with_allowlist(known);
    for (row, text) in doubtful {
        let lang = detector.detect_lang(start(text));
        if let (Some(lang), Some(language)) = (lang, languages.get_mut(row))
            && lang != Lang::Eng
        {
            *language = Language::Other(lang.eng_name());
        }
    }
    languages
}

/// The language of the joined texts, if it is not English.
fn joined_language(texts: &[&Text]) -> Option<Lang> {
    let mut joined = String::new();
    for text in texts {
        joined.push_str(start(text));
        joined.push('\n');
        if joined.len() > ENOUGH_CHARS {
            break;
        }
    }
    let joined = Text::new(joined);
    let lang = whatlang::detect_lang(start(&joined)).filter(|lang| *lang != Lang::Eng)?;
    let foreign = is_foreign(&joined, function_words(&joined), lang);
    (joined.word_count() >= ENOUGH_WORDS && foreign).then_some(lang)
}

/// Whether the text is reliably not English. Danish and Norwegian are hard to tell apart, but not
/// from English.
fn not_english(text: &str, lang: Lang) -> bool {
    let detector = Detector::with_allowlist(vec![Lang::Eng, lang]);
    detector
        .detect(text)
        .is_some_and(|found| found.lang() == lang && found.is_reliable())
}

/// A list has few short words, and prose has many; languages with few short words (Finnish,
/// Turkish) have letters that English lacks.
fn foreign_prose(text: &Text) -> bool {
    let short = text
        .words()
        .filter(|word| word.chars().count() <= 3)
        .count();
    let letters = text.answer().chars().filter(|c| c.is_alphabetic());
    let (own, all) = letters.fold((0, 0), |(own, all), c| {
        (own + u32::from(!c.is_ascii()), all + 1)
    });
    5 * short >= text.word_count() || 100 * own >= all
}

/// Whether most letters are not Latin. Such a script may have no spaces, and therefore no words.
fn foreign_letters(text: &str) -> bool {
    let letters = || text.chars().filter(|c| c.is_alphabetic());
    let latin = letters().filter(|&c| c < '\u{250}').count();
    letters().count() > 2 * latin
}

fn function_words(text: &Text) -> f64 {
    static STOP: OnceLock<StopWords> = OnceLock::new();
    let stop = STOP.get_or_init(StopWords::english);
    // One-letter words are just as common in Polish.
    let known = text
        .words()
        .filter(|word| word.len() > 1 && stop.contains(word))
        .count();
    known as f64 / text.word_count().max(1) as f64
}

/// Returns an error if any text is in a language other than English, according to [`languages`].
///
/// # Errors
/// `ErrorKind::Argument` with the number of such texts, and the first of them with its language.
pub fn all_english(texts: &[Text]) -> Result<()> {
    let foreign =
        texts
            .iter()
            .enumerate()
            .zip(languages(texts))
            .filter_map(|((row, text), language)| match language {
                Language::Other(name) => Some((row, name, text)),
                _ => None,
            });
    let mut foreign = foreign.fuse();
    let Some((row, name, text)) = foreign.next() else {
        return Ok(());
    };
    let message = format!(
        "{} of {} texts are not English: text {row} is {name}, {:?}",
        1 + foreign.count(),
        texts.len(),
        sanitize_line(text.answer(), 60),
    );
    Err(Error::new(ErrorKind::Argument, message)
        .with_hint("ask in English, or leave these answers out: the word lists, sentiment scores and refusal phrases are English"))
}
