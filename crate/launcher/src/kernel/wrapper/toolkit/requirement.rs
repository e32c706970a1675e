//! Cargo's version requirements, for a version without a pre-release: `0.1`, `^0.1.0`, `~0.1`,
//! `=0.1.0`, `>=0.1, <0.3`, `0.*`, `*`.

/// Whether the version meets the requirement. What can't be read is met by no version.
pub fn matches(requirement: &str, version: &str) -> bool {
    let Some([Some(major), Some(minor), Some(patch)]) = numbers(version) else {
        return false;
    };
    requirement
        .split(',')
        .all(|part| meets(part.trim(), [major, minor, patch]))
}

fn meets(part: &str, version: [u64; 3]) -> bool {
    const OPERATORS: [&str; 7] = [">=", "<=", ">", "<", "=", "~", "^"];
    let operator = OPERATORS.into_iter().find(|name| part.starts_with(name));
    let number = part[operator.map_or(0, str::len)..].trim();
    if operator.is_none() && number == "*" {
        return true;
    }
    let Some(wanted) = numbers(number) else {
        return false;
    };
    let is_wildcard = number.ends_with('*');
    let lowest = wanted.map(|number| number.unwrap_or(0));
    let given = wanted.iter().flatten().count();
    // The first version that no longer begins like the first `count` numbers.
    let after = |count: usize| {
        let mut end = [0; 3];
        for (at, number) in lowest.iter().take(count).enumerate() {
            end[at] = *number;
        }
        if let Some(last) = count.checked_sub(1).and_then(|last| end.get_mut(last)) {
            *last = last.saturating_add(1);
        }
        end
    };
    let within = |count: usize| lowest <= version && version < after(count);
    match operator {
        Some(">=") => version >= lowest,
        Some("<") => version < lowest,
        Some(">") if given < 3 => version >= after(given),
        Some(">") => version > lowest,
        Some("<=") if given < 3 => version < after(given),
        Some("<=") => version <= lowest,
        Some("=") => within(given),
        Some("~") => within(given.min(2)),
        // Up to the first number that is not 0, among those that are written.
        _ if !is_wildcard => within(
            lowest
                .iter()
                .take(given)
                .position(|number| *number != 0)
                .map_or(given, |first| first + 1),
        ),
        _ => within(given),
    }
}

/// Up to three numbers; those after the last are `None`. The last may be a `*`.
fn numbers(text: &str) -> Option<[Option<u64>; 3]> {
    let mut numbers = [None; 3];
    let mut parts: Vec<&str> = text.split('.').collect();
    if parts.len() > 1 && parts.last() == Some(&"*") {
        parts.pop();
        if parts.last() == Some(&"*") {
            parts.pop();
        }
    }
    if parts.len() > 3 {
        return None;
    }
    for (number, part) in numbers.iter_mut().zip(&parts) {
        let is_number = !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit());
        *number = Some(part.parse().ok().filter(|_| is_number)?);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn requirements_mean_what_cargo_says() {
        for (requirement, met, unmet) in [
            ("0.1", ["0.1.0", "0.1.9"], ["0.2.0", "1.1.0"]),
            ("^0.1.2", ["0.1.2", "0.1.9"], ["0.1.1", "0.2.0"]),
            ("0", ["0.0.1", "0.9.0"], ["1.0.0", "2.0.0"]),
            ("1", ["1.0.0", "1.9.0"], ["0.9.9", "2.0.0"]),
            ("1.2.3", ["1.2.3", "1.9.0"], ["1.2.2", "2.0.0"]),
            ("0.0", ["0.0.0", "0.0.9"], ["0.1.0", "1.0.0"]),
            ("0.0.3", ["0.0.3", "0.0.3"], ["0.0.2", "0.0.4"]),
            ("~1.2", ["1.2.0", "1.2.9"], ["1.1.9", "1.3.0"]),
            ("~1", ["1.0.0", "1.9.9"], ["0.9.9", "2.0.0"]),
            ("~1.2.3", ["1.2.3", "1.2.9"], ["1.2.2", "1.3.0"]),
            ("=0.1", ["0.1.0", "0.1.9"], ["0.2.0", "0.0.9"]),
            ("= 0.1.0", ["0.1.0", "0.1.0"], ["0.1.1", "0.0.9"]),
            (">=0.1, <0.3", ["0.1.0", "0.2.9"], ["0.0.9", "0.3.0"]),
            (">0.1", ["0.2.0", "1.0.0"], ["0.1.0", "0.1.9"]),
            (">0.1.1", ["0.1.2", "1.0.0"], ["0.1.0", "0.1.1"]),
            ("<=0.1", ["0.0.9", "0.1.9"], ["0.2.0", "1.0.0"]),
            ("<=0.1.1", ["0.1.0", "0.1.1"], ["0.1.2", "0.2.0"]),
            ("0.*", ["0.1.0", "0.9.0"], ["1.0.0", "2.0.0"]),
            ("1.2.*", ["1.2.0", "1.2.9"], ["1.1.0", "1.3.0"]),
        ] {
            for version in met {
                assert!(matches(requirement, version), "{requirement} {version}");
            }
            for version in unmet {
                assert!(!matches(requirement, version), "{requirement} {version}");
            }
        }
        assert!(matches("*", "0.1.0"));
        for unread in [
            "",
            "x",
            "0.1.0-alpha",
            "0.1.0.0",
            "99999999999999999999",
            "+1",
            ">",
            "0..1",
        ] {
            assert!(!matches(unread, "0.1.0"), "{unread}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_an_answer(text in "[~^<>=*., 0-9]{0,12}", other: String) {
            let _ = matches(&text, "0.1.0");
            let _ = matches(&other, "0.1.0");
        }

        #[test]
        fn a_version_meets_itself(numbers in prop::array::uniform3(0u64..20)) {
            let version = numbers.map(|number| number.to_string()).join(".");
            prop_assert!(matches(&version, &version));
            let exact = format!("={version}");
            prop_assert!(matches(&exact, &version));
        }
    }
}
