//! The choice of *a* or *an* by the initial sound of a phrase, which mostly follows from its
//! letters.

/// Beginnings with a vowel letter but a consonant sound (*you*, *won*).
const CONSONANT_SOUND: [&str; 22] = [
    "eu", "ew", "one", "once", "ouija", "uni", "unanim", "unesco", "use", "usi", "usu", "usa",
    "uti", "ute", "uto", "ura", "ure", "uro", "uk", "ubiq", "uga", "uvu",
];

/// Beginnings in *uni* that consist of *un-* and a word with *i*.
const UN_I: [&str; 8] = [
    "unide", "unill", "unima", "unime", "unimp", "unin", "unir", "uniss",
];

/// Beginnings with a silent h.
const SILENT_H: [&str; 5] = ["heir", "honest", "honor", "honour", "hour"];

/// Acronyms that are pronounced as words.
const SPOKEN: [&str; 7] = ["NASA", "NATO", "FIFA", "NAFTA", "SWAT", "NICU", "UNESCO"];

/// The indefinite article of a phrase: `"a"` or `"an"`.
///
/// The first word decides. A word in capitals is spelled out (*an MRI technician*, *a UX
/// designer*), except for a few that are pronounced as words (*a NASA engineer*). The list of rules
/// and exceptions is short, so an unusual word may get the wrong article.
///
/// ```
/// use evenhand::fairness::occupations::article;
///
/// assert_eq!(article("engineer"), "an");
/// assert_eq!(article("female engineer"), "a");
/// assert_eq!(article("hourly worker"), "an");
/// ```
pub fn article(phrase: &str) -> &'static str {
    let start = phrase.trim_start_matches(|c: char| !c.is_alphanumeric());
    let word = start.split(char::is_whitespace).next().unwrap_or_default();
    if vowel_sound(word) { "an" } else { "a" }
}

/// A phrase with its indefinite article: `an hourly worker`.
pub fn with_article(phrase: &str) -> String {
    format!("{} {phrase}", article(phrase))
}

fn vowel_sound(word: &str) -> bool {
    let run = |keep: fn(char) -> bool| word.split(|c| !keep(c)).next().unwrap_or_default();
    let digits = run(|c| c.is_ascii_digit());
    if !digits.is_empty() {
        return number(digits);
    }
    let letters = run(char::is_alphabetic);
    if spelled_out(word, letters) && !SPOKEN.contains(&letters) {
        return letters.starts_with(|c| "AEFHILMNORSX".contains(c));
    }
    let lower = word.to_lowercase();
    let begins = |list: &[&str]| list.iter().any(|start| lower.starts_with(start));
    if begins(&SILENT_H) {
        return true;
    }
    lower.starts_with(|c| "aeiouàáâäãåæèéêëìíîïòóôöõøœùúûü".contains(c))
        && (!begins(&CONSONANT_SOUND) || begins(&UN_I))
}

/// Whether the word is pronounced letter by letter: `MRI`, `X-ray`, `L.A.`, but not `A` in a title.
fn spelled_out(word: &str, letters: &str) -> bool {
    let capitals = letters.chars().all(char::is_uppercase);
    let joined = word
        .get(letters.len()..)
        .is_some_and(|rest| rest.starts_with(['-', '.', '&']));
    match letters.chars().count() {
        0 => false,
        1 => capitals && (joined || word.len() == letters.len()),
        _ => capitals,
    }
}

/// Whether a number begins with a vowel sound: eight, eighty, eight hundred, eleven and eighteen.
fn number(digits: &str) -> bool {
    let groups_of_three = digits.len() % 3;
    digits.starts_with('8') || groups_of_three == 2 && matches!(digits.get(..2), Some("11" | "18"))
}
