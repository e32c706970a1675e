//! A request that alone is larger than a limit: 'Limit 30000, Requested 40000'. Services answer it like
//! a used-up quota, but it can never pass, however long it waits.

/// The limit that a service states, and what it says was requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::openai) struct Excess {
    pub(in crate::openai) limit: u64,
    pub(in crate::openai) requested: u64,
}

impl Excess {
    /// What the message states, if a request exceeds a limit by itself. A request that only no longer
    /// fits beside what has been used ('Limit 30000, Used 20000, Requested 15000') does not.
    pub(in crate::openai) fn stated_in(message: &str) -> Option<Self> {
        let message = message.to_ascii_lowercase();
        let mut stated: Vec<(usize, Part, u64)> =
            [("limit", Part::Limit), ("requested", Part::Requested)]
                .into_iter()
                .flat_map(|(word, part)| {
                    let places = numbers_after(&message, word);
                    places.map(move |(place, number)| (place, part, number))
                })
                .collect();
        stated.sort_by_key(|(place, ..)| *place);
        // A message may state several limits, each with its own request.
        let (mut limit, mut requested) = (None, None);
        for (_, part, number) in stated {
            match part {
                Part::Limit => limit = Some(number),
                Part::Requested => requested = Some(number),
            }
            if let (Some(most), Some(wanted)) = (limit, requested) {
                if wanted > most {
                    return Some(Self {
                        limit: most,
                        requested: wanted,
                    });
                }
                (limit, requested) = (None, None);
            }
        }
        None
    }
}

#[derive(Clone, Copy)]
enum Part {
    Limit,
    Requested,
}

/// The numbers that directly follow the word, with its positions.
fn numbers_after<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = (usize, u64)> + 'a {
    text.match_indices(word).filter_map(move |(place, _)| {
        let before = text.get(..place)?;
        let after = text.get(place + word.len()..)?;
        let is_part_of_word = before.ends_with(|c: char| c.is_alphanumeric());
        let number = (!is_part_of_word).then(|| number(after))??;
        Some((place, number))
    })
}

/// The number at the beginning, whose digits may be grouped by commas.
fn number(text: &str) -> Option<u64> {
    const MARKS: [char; 7] = [' ', ':', '=', '\'', '"', '`', '('];
    let text = text.trim_start_matches(MARKS);
    let text = text.strip_prefix("is ").unwrap_or(text);
    let mut digits = String::new();
    let mut rest = text;
    loop {
        let end = rest.find(|c: char| !c.is_ascii_digit());
        let (group, after) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        digits.push_str(group);
        let next = after
            .strip_prefix(',')
            .filter(|next| begins_with_group(next));
        match next {
            Some(next) => rest = next,
            None if after.starts_with(char::is_alphanumeric) => return None,
            None => return digits.parse().ok(),
        }
    }
}

/// Are there exactly three digits at the beginning?
fn begins_with_group(text: &str) -> bool {
    text.chars().take_while(char::is_ascii_digit).count() == 3
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stated(message: &str) -> Option<(u64, u64)> {
        Excess::stated_in(message).map(|excess| (excess.limit, excess.requested))
    }

    #[test]
    fn a_request_beyond_a_limit_is_told_from_one_that_has_to_wait() {
        for (message, excess) in [
            (
                "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 40000. Shorten.",
                Some((30_000, 40_000)),
            ),
            ("limit: 30,000, requested: 140,000", Some((30_000, 140_000))),
            (
                "requested 40000 tokens, the limit is 30000",
                Some((30_000, 40_000)),
            ),
            (r#"{"limit":6000,"requested":7000}"#, Some((6_000, 7_000))),
            // The second of two limits.
            (
                "RPM: Limit 3, Used 1, Requested 1. TPM: Limit 100, Used 0, Requested 101",
                Some((100, 101)),
            ),
            (
                "RPD: Limit 1, Used 1. TPM: Limit 100, Used 90, Requested 20",
                None,
            ),
            ("Limit 30000, Used 20000, Requested 15000", None),
            ("Limit 30000, Requested 30000", None),
            ("rate_limit 5 was hit; requested by 10 users", None),
            ("Delimit 5, Requested 10", None),
            ("Limit 30k, Requested 40k", None),
            ("Limit 99999999999999999999, Requested 40", None),
            ("Limit 30000", None),
            ("", None),
        ] {
            assert_eq!(stated(message), excess, "{message}");
        }
    }

    proptest! {
        #[test]
        fn any_message_is_read(before in any::<String>(), after in any::<String>()) {
            stated(&before);
            stated(&format!("{before}limit{after}requested{before}"));
        }
    }
}
