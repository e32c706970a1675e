//! Versions of models, which are easily mistaken for API versions: the portal shows both as dates.

/// Model versions, each with one of its models.
const VERSIONS: [(&str, &str); 31] = [
    ("2023-03-01", "gpt-35-turbo"),
    ("2023-06-13", "gpt-35-turbo"),
    ("2023-11-06", "gpt-4"),
    ("2024-01-25", "gpt-35-turbo"),
    ("2024-04-09", "gpt-4"),
    ("2024-05-13", "gpt-4o"),
    ("2024-07-18", "gpt-4o-mini"),
    ("2024-08-06", "gpt-4o"),
    ("2024-09-12", "o1-mini"),
    ("2024-11-20", "gpt-4o"),
    ("2024-12-17", "o1"),
    ("2025-01-31", "o3-mini"),
    ("2025-02-27", "gpt-4.5-preview"),
    ("2025-03-11", "computer-use-preview"),
    ("2025-03-20", "gpt-4o-mini-tts"),
    ("2025-04-14", "gpt-4.1"),
    ("2025-04-16", "o4-mini"),
    ("2025-05-16", "codex-mini"),
    ("2025-05-19", "model-router"),
    ("2025-06-10", "o3-pro"),
    ("2025-06-26", "o3-deep-research"),
    ("2025-08-07", "gpt-5"),
    ("2025-08-28", "gpt-realtime"),
    ("2025-09-15", "gpt-5-codex"),
    ("2025-10-03", "gpt-5-chat"),
    ("2025-10-06", "gpt-5-pro"),
    ("2025-11-13", "gpt-5.1"),
    ("2025-11-18", "model-router"),
    ("2025-12-11", "gpt-5.2"),
    ("2026-03-05", "gpt-5.4"),
    ("2026-03-17", "gpt-5.4-mini"),
];

/// The model of this version, if one is known.
pub(super) fn model_of(date: &str) -> Option<&'static str> {
    let known = VERSIONS.iter().find(|(version, _)| *version == date);
    known.map(|(_, model)| *model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_version_of_the_api_is_among_them() {
        for api in [
            "2022-12-01",
            "2023-05-15",
            "2024-02-01",
            "2024-06-01",
            "2024-10-21",
        ] {
            assert_eq!(model_of(api), None, "{api}");
        }
        assert!(VERSIONS.is_sorted());
    }
}
