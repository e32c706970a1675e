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
    article_of(first_word(phrase))
}

/// Like [`article`], in a text that may be written in capitals throughout (*AN UNCLE*). There, a
/// word in capitals is only spelled out if it can't be read as a word (*AN MRI*).
pub(crate) fn article_in_text(phrase: &str) -> &'static str {
    let word = first_word(phrase).split(['-', '\'']).next();
    let word = word.unwrap_or_default();
    match is_unreadable(word) {
        true => article_of(word),
        false => article_of(&word.to_lowercase()),
    }
}

fn first_word(phrase: &str) -> &str {
    let start = phrase.trim_start_matches(|c: char| !c.is_alphanumeric());
    start.split(char::is_whitespace).next().unwrap_or_default()
}

fn article_of(word: &str) -> &'static str {
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

/// Whether a word in capitals has to be spelled out, like *X*, *HR*, *MRI*: it has at most two
/// letters, or a beginning that no English word has.
fn is_unreadable(word: &str) -> bool {
    const STARTS: &str = "bl br ch cl cr dr dw fl fr gh gl gn gr kn ph pl pr ps rh sc sh sk sl sm \
        sn sp sq st sw th tr tw wh wr";
    let vowel = |letter: &u8| b"AEIOUY".contains(letter);
    match word.as_bytes() {
        letters if !letters.iter().all(u8::is_ascii_uppercase) => false,
        [first, second, _, ..] if !vowel(first) && !vowel(second) => {
            let start = word.get(..2).unwrap_or_default().to_lowercase();
            !STARTS.split(' ').any(|one| one == start)
        }
        letters => letters.len() <= 2,
    }
}

/// Whether a number begins with a vowel sound: eight, eighty, eight hundred, eleven and eighteen.
fn number(digits: &str) -> bool {
    let groups_of_three = digits.len() % 3;
    digits.starts_with('8') || groups_of_three == 2 && matches!(digits.get(..2), Some("11" | "18"))
}
