//! The words of rejections: phrases that services and gateways use, and what is searched for in a
//! message. Messages are compared in lower case.

/// The known efforts, lowest first.
pub(super) const EFFORTS: [&str; 6] = ["none", "minimal", "low", "medium", "high", "xhigh"];

/// Phrases of a message about an unsupported field or value.
pub(super) const PHRASES: [&str; 24] = [
    "unsupported",
    "not supported",
    "not support",
    "n't support",
    "unrecognized",
    "unknown parameter",
    "unknown argument",
    "unknown field",
    "unknown name",
    "inputs are not permitted",
    "additional properties",
    "unexpected keyword",
    "only the default",
    "must be 1",
    "must be equal to 1",
    "has been removed",
    "is deprecated",
    "only 1 is allowed",
    "only be set to 1",
    "not accept",
    "n't accept",
    "invalid parameter",
    "invalid argument",
    "not a valid parameter",
];

/// Phrases that other messages use too: they count if the message uses the name as that of a field.
pub(super) const WEAK_PHRASES: [&str; 10] = [
    "not allowed",
    "not permitted",
    "not available",
    "not valid for",
    "invalid for",
    "cannot be used",
    "can't be used",
    "cannot both be",
    "only supports",
    "remove",
];

/// Phrases that leave no doubt, whatever status a gateway gives them.
pub(super) const EXPLICIT: [&str; 4] = [
    "unsupported parameter",
    "unsupported value",
    "unsupported_parameter",
    "unsupported_value",
];

/// Phrases of the error of a service whose model reached the limit before it could answer.
pub(super) const EXHAUSTED: [&str; 2] = [
    "max_tokens or model output limit was reached",
    "could not finish the message because",
];

/// Phrases of a message about a value that is out of range: the row's own error.
pub(super) const OUT_OF_RANGE: [&str; 12] = [
    "a value between",
    "a value from",
    "a value <",
    "a value >",
    "above maximum",
    "below minimum",
    "values from",
    "values between",
    "must be between",
    "out of range",
    "less than or equal",
    "greater than or equal",
];

/// Phrases that refuse a field as such, whatever its value.
pub(super) const AS_SUCH: [&str; 19] = [
    "only the default",
    "must be equal to 1",
    "only 1 is allowed",
    "only be set to 1",
    "has been removed",
    "is deprecated",
    "unsupported parameter",
    "unrecognized",
    "unknown parameter",
    "unknown argument",
    "unknown field",
    "inputs are not permitted",
    "additional properties",
    "unexpected keyword",
    "unsupportedparams",
    "not support parameter",
    "extraneous key",
    "not a valid parameter",
    "unknown name",
];

/// Codes of an error about the value of a field.
pub(super) const VALUE_CODES: [&str; 4] = [
    "invalid_value",
    "above_max_value",
    "below_min_value",
    "invalid_type",
];

/// Phrases that precede the list of accepted values.
pub(super) const BEFORE_VALUES: [&str; 7] = [
    "supported values",
    "allowed values",
    "valid values",
    "must be one of",
    "expected one of",
    "input should be",
    "must be",
];

/// Phrases of an error about the size of a request or about the type of a value, not about a field.
const LIMITS: [&str; 13] = [
    "at least",
    "at most",
    "context length",
    "context window",
    "context_length",
    "exceed",
    "integer",
    "invalid type",
    "maximum",
    "minimum",
    "too large",
    "too long",
    "too small",
];

/// 'parameter' and 'argument' in several languages, or their beginnings.
const PARAMETER: [&str; 10] = [
    "param",
    "parám",
    "argument",
    "параметр",
    "аргумент",
    "参数",
    "參數",
    "パラメ",
    "매개변수",
    "파라미터",
];

/// Is the message about a limit or a type, whatever field it names?
pub(super) fn is_about_limit(text: &str) -> bool {
    let mut all = OUT_OF_RANGE.iter().chain(&LIMITS);
    all.any(|phrase| text.contains(phrase))
}

/// Does the message use the name as that of a field, in whatever language? A name such as
/// `temperature` is also a word, unlike `max_tokens`.
pub(super) fn names_as_field(text: &str, name: &str) -> bool {
    position(text, name).is_some_and(|place| {
        name.contains('_')
            || is_marked(text, place, name)
            || PARAMETER.iter().any(|word| text.contains(word))
    })
}

/// The position of the name as a whole word.
pub(super) fn position(text: &str, name: &str) -> Option<usize> {
    positions(text, name).next()
}

fn positions<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let found = text.match_indices(name).filter(move |(start, name)| {
        let before = text.get(..*start).unwrap_or_default();
        let after = text.get(start + name.len()..).unwrap_or_default();
        !before.ends_with(is_word) && !after.starts_with(is_word)
    });
    found.map(|(start, _)| start)
}

/// Is the name at this position in quotation marks or brackets?
fn is_quoted(text: &str, place: usize, name: &str) -> bool {
    const MARKS: [char; 18] = [
        '\'', '"', '`', '´', '[', ']', '«', '»', '‹', '›', '“', '”', '„', '‘', '’', '‚', '「', '」',
    ];
    let (before, after) = around(text, place, name);
    before.ends_with(MARKS) && after.starts_with(MARKS)
}

/// Is the name at this position marked as that of a field, by quotation marks or by its value, as in
/// 'temperature=1'?
pub(super) fn is_marked(text: &str, place: usize, name: &str) -> bool {
    let (_, after) = around(text, place, name);
    is_quoted(text, place, name) || after.trim_start().starts_with('=')
}

/// Where the message names a field whose name is also a word of any sentence: by marks, on a
/// line of its own, or as in 'unsupported parameter: stop'.
pub(super) fn position_as_field(text: &str, name: &str) -> Option<usize> {
    positions(text, name).find(|place| {
        let (before, after) = around(text, *place, name);
        let begins_line = before.trim_end_matches(' ').is_empty() || before.ends_with('\n');
        let is_line = begins_line && (after.starts_with('\n') || after.starts_with(": "));
        let is_person = ARTICLES.iter().any(|article| before.ends_with(article));
        let is_refused = REFUSED.iter().any(|words| after.starts_with(words)) && !is_person;
        let is_called = KINDS
            .iter()
            .any(|kind| after.trim_start().starts_with(kind));
        let before = before_list(before);
        let is_lacking = before.ends_with("not support ") || before.ends_with("n't support ");
        let before = before.trim_end_matches([':', ' ']);
        let before = before.strip_suffix(" supplied").unwrap_or(before);
        let before = before.strip_suffix('s').unwrap_or(before);
        let is_listed = KINDS.iter().any(|kind| before.ends_with(kind));
        is_marked(text, *place, name)
            || is_line
            || is_lacking
            || is_refused
            || is_called
            || is_listed
    })
}

/// What a field is called.
const KINDS: [&str; 3] = ["parameter", "argument", "field"];

/// What follows the name of a field that is refused, and what precedes the word for a person.
const REFUSED: [&str; 3] = [" is not supported", " is unsupported", " not supported"];
const ARTICLES: [&str; 4] = ["the ", "this ", "your ", "that "];

/// The text before a list of names such as `metadata, store`, of which the last one is cut off.
fn before_list(before: &str) -> &str {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match before.trim_end().strip_suffix(',') {
        Some(more) => before_list(more.trim_end_matches(is_name)),
        None => before,
    }
}

/// Does the message repeat the request? Then the names in it are those of any request.
pub(super) fn repeats_the_request(text: &str) -> bool {
    ["role", "content"].iter().all(|name| {
        let quoted = ['"', '\''].map(|mark| format!("{mark}{name}{mark}:"));
        quoted.iter().any(|quoted| text.contains(quoted))
    })
}

fn around<'a>(text: &'a str, place: usize, name: &str) -> (&'a str, &'a str) {
    let before = text.get(..place).unwrap_or_default();
    let after = text.get(place + name.len()..).unwrap_or_default();
    (before, after)
}

/// The efforts that the message lists as accepted.
pub(super) fn listed_efforts(text: &str) -> Vec<&'static str> {
    let starts = BEFORE_VALUES.iter().filter_map(|before| {
        let start = text.find(before)?;
        text.get(start + before.len()..)
    });
    let list = starts.min_by_key(|rest| text.len() - rest.len());
    let list = list.and_then(|rest| rest.split(['.', '\n']).next());
    let words = list.unwrap_or_default();
    let words = words.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .filter_map(|word| EFFORTS.into_iter().find(|effort| *effort == word))
        .collect()
}

/// Phrases that precede the maximum of a field.
const BEFORE_MOST: [&str; 12] = [
    "<=",
    "≤",
    "at most",
    "between 1 and",
    "between 0 and",
    "[1,",
    "less than or equal",
    "limited to",
    "maximum",
    "no more than",
    "not exceed",
    "up to",
];

/// How far behind such a phrase the number may be, in characters.
const MAX_DISTANCE: usize = 40;

/// The maximum that an error about the token limit states: 'This model supports at most 16384
/// completion tokens'. Whether it can be right is up to the caller.
pub(super) fn most_tokens(text: &str, param: &str) -> Option<u32> {
    let is_about_tokens = ["max_tokens", "max_completion_tokens"]
        .iter()
        .any(|name| param.ends_with(name) || position(text, name).is_some());
    if !is_about_tokens || text.contains("context") {
        return None;
    }
    let found = BEFORE_MOST.iter().filter_map(|phrase| {
        let (before, rest) = text.split_once(phrase)?;
        Some((before.len(), first_number(rest)?))
    });
    found.min_by_key(|(place, _)| *place).map(|(_, most)| most)
}

/// The first number, whose digits may be grouped by commas, of the sentence.
fn first_number(text: &str) -> Option<u32> {
    let near: String = text.chars().take(MAX_DISTANCE).collect();
    let sentence = near.split(". ").next().unwrap_or_default();
    leading_number(sentence.trim_start_matches(|c: char| !c.is_ascii_digit()))
}

/// The number at the beginning of a text, in digits that may be grouped by commas.
pub(super) fn leading_number(text: &str) -> Option<u32> {
    let digits = text.chars().take_while(|c| c.is_ascii_digit() || *c == ',');
    let digits: String = digits.filter(|c| *c != ',').collect();
    digits.parse().ok()
}
