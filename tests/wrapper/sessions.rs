//! Random sessions: whatever the cells are, the kernel answers, outputs belong to their cells, variables
//! live unless their loss was said, and no process is left.

use serde_json::Value;

use super::told;

/// The generator, in Python, where the kernel's client is.
const GENERATOR: &str = include_str!("../support/sessions.py");

/// How many sessions are run: more by this variable.
const SESSIONS: (&str, u64) = ("EVENHAND_TESTS_SESSIONS", 2);

/// The seed of the first session.
const SEED: (&str, u64) = ("EVENHAND_TESTS_SEED", 16);

fn number((name, default): (&str, u64)) -> u64 {
    let set = std::env::var(name).ok();
    set.map_or(default, |set| set.parse().unwrap())
}

#[test]
fn no_random_session_is_a_finding() {
    let said = told(&format!(
        "{GENERATOR}\ntell(findings({}, {}))",
        number(SEED),
        number(SESSIONS)
    ));
    assert_eq!(said, Value::Array(Vec::new()), "{said:#}");
}
