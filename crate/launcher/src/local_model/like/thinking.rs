//! How many reasoning tokens a deployment spends on a request.
//!
//! For a real one, that depends on the question. Here it is derived from a hash of the request's
//! text, so that the same request always costs the same. The service reports multiples of 64.

use serde_json::Value;

const GRAIN: u64 = 64;

/// The reasoning tokens for these messages, for the answer with this index.
pub(crate) fn tokens(effort: Option<&str>, messages: Option<&Value>, answer: u64) -> u64 {
    let (from, to) = grains(effort);
    let text = messages.map(Value::to_string).unwrap_or_default();
    (from + hash(&text, answer) % (to - from + 1)) * GRAIN
}

/// The lowest and the highest number of reasoning tokens, in multiples of 64.
fn grains(effort: Option<&str>) -> (u64, u64) {
    match effort {
        Some("minimal") => (0, 1),
        Some("low") => (1, 5),
        Some("medium") => (3, 17),
        Some("high") => (8, 48),
        Some("xhigh") => (16, 96),
        _ => (0, 0),
    }
}

/// FNV-1a: the same on every machine and in every version.
fn hash(text: &str, answer: u64) -> u64 {
    let bytes = text.bytes().chain(answer.to_le_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash >> 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn more_effort_thinks_longer_and_the_same_request_as_long() {
        let mean = |effort: &str| -> u64 {
            let messages =
                (0..200).map(|row| json!([{ "role": "user", "content": row.to_string() }]));
            messages
                .map(|messages| tokens(Some(effort), Some(&messages), 0))
                .sum::<u64>()
                / 200
        };
        let means = ["none", "minimal", "low", "medium", "high", "xhigh"].map(mean);
        assert_eq!(means[0], 0);
        assert!(means.is_sorted_by(|less, more| less < more), "{means:?}");
        let messages = json!([{ "role": "user", "content": "Describe a nurse." }]);
        let once = tokens(Some("medium"), Some(&messages), 0);
        assert_eq!(once, tokens(Some("medium"), Some(&messages), 0));
        assert!(once >= 192 && once.is_multiple_of(64), "{once}");
    }
}
