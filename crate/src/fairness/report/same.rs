//! What must be equal in two reports for them to be compared.

use super::Asked;
use crate::error::{Error, ErrorKind, Result};
use crate::text::sanitize_line;

/// Returns an error unless both reports asked and measured the same.
pub(super) fn same(before: &Asked, after: &Asked) -> Result<()> {
    let differs = |what: &str, one: String, other: String| {
        let (one, other) = (sanitize_line(&one, 200), sanitize_line(&other, 200));
        let message =
            format!("the reports can't be compared: {what} before is {one}, after it is {other}");
        Error::new(ErrorKind::Argument, message).with_hint(
            "keep the study and change only how it asks: `study.mitigate(Prompt::Neutral)`",
        )
    };
    let list = |names: &[String]| names.join(", ");
    let pair = |asked: &Asked| asked.compared.clone().unwrap_or_default().join(" and ");
    let numbers = |asked: &Asked| {
        [
            ("the number of samples", asked.samples.to_string()),
            ("the seed", asked.seed.to_string()),
            ("the temperature", asked.temperature.to_string()),
            ("the token limit", asked.max_tokens.to_string()),
        ]
    };
    let words = |asked: &Asked| {
        [
            ("the list of occupations", list(&asked.occupations)),
            ("the list of groups", list(&asked.groups)),
            ("the pair that is compared", pair(asked)),
            ("the list of measures", list(&asked.measures)),
        ]
    };
    let before_parts = words(before).into_iter().chain(numbers(before));
    let after_parts = words(after).into_iter().chain(numbers(after));
    for ((what, one), (_, other)) in before_parts.zip(after_parts) {
        if one != other {
            return Err(differs(what, one, other));
        }
    }
    let prompts = before.prompts.iter().zip(&after.prompts);
    match prompts.into_iter().find(|(one, other)| one != other) {
        Some((one, other)) => Err(differs(
            "a prompt",
            format!("{one:?}"),
            format!("{other:?}"),
        )),
        None if before.prompts.len() != after.prompts.len() => {
            let [one, other] = [before, after].map(|asked| asked.prompts.len().to_string());
            Err(differs("the number of prompts", one, other))
        }
        None => measured_alike(before, after),
    }
}

fn measured_alike(before: &Asked, after: &Asked) -> Result<()> {
    let sides = [("before", before), ("after", after)];
    if let Some((when, _)) = sides.iter().find(|(_, asked)| asked.measuring.is_none()) {
        let message = format!(
            "the reports can't be compared: the one {when} was made by an earlier version, which \
             did not record how it measured"
        );
        return Err(Error::new(ErrorKind::Argument, message).with_hint(
            "measure its answers again: `study.run(&client)?.measure()?` takes them from the journal",
        ));
    }
    let difference = before.measuring.as_ref().zip(after.measuring.as_ref());
    let difference = difference.and_then(|(one, other)| one.difference(other));
    let Some((what, [one, other])) = difference else {
        return Ok(());
    };
    let (one, other) = (sanitize_line(&one, 200), sanitize_line(&other, 200));
    let message = format!(
        "the reports can't be compared: {what} before is {one}, after it is {other}, so the same \
         answers would get different numbers"
    );
    Err(Error::new(ErrorKind::Argument, message)
        .with_hint("measure both with the same study, lexicon and version"))
}
