use super::*;

fn settings(pairs: &[(&str, &str)]) -> Settings {
    Settings::from_lookup(|name| {
        pairs
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned())
    })
    .unwrap()
}

#[test]
fn azure_variables_are_read_and_cleaned() {
    let settings = settings(&[
        ("AZURE_OPENAI_ENDPOINT", " \"https://x.openai.azure.com/\" "),
        ("AZURE_OPENAI_API_KEY", "'k3y'\n"),
        ("AZURE_OPENAI_API_VERSION", ""),
        ("OPENAI_API_VERSION", "2024-10-21"),
        ("AZURE_OPENAI_DEPLOYMENT", "gpt"),
    ]);
    assert_eq!(settings.service, Service::Azure);
    assert_eq!(
        settings.endpoint.as_deref(),
        Some("https://x.openai.azure.com/")
    );
    assert_eq!(settings.api_key, Some(Secret::new("k3y")));
    assert_eq!(settings.api_version.as_deref(), Some("2024-10-21"));
    assert!(settings.missing().is_empty());
}

#[test]
fn the_azure_version_comes_first() {
    let settings = settings(&[
        ("AZURE_OPENAI_API_VERSION", "v1"),
        ("OPENAI_API_VERSION", "2024-10-21"),
    ]);
    assert_eq!(settings.api_version.as_deref(), Some("v1"));
}

#[test]
fn nothing_set_is_azure_with_everything_missing() {
    let settings = settings(&[("AZURE_OPENAI_API_KEY", "  ")]);
    assert_eq!(settings.service, Service::Azure);
    assert_eq!(
        settings.missing(),
        [Missing::Endpoint, Missing::Credential, Missing::Deployment]
    );
}

#[test]
fn an_openai_key_counts_where_nothing_is_azure() {
    let settings = settings(&[("OPENAI_API_KEY", "sk-1"), ("OPENAI_MODEL", "gpt-4o-mini")]);
    assert_eq!(settings.service, Service::OpenAi);
    assert_eq!(settings.deployment.as_deref(), Some("gpt-4o-mini"));
    assert!(settings.missing().is_empty());
}

#[test]
fn a_forgotten_azure_endpoint_does_not_turn_to_openai() {
    let settings = settings(&[("AZURE_OPENAI_API_KEY", "k"), ("OPENAI_API_KEY", "sk-1")]);
    assert_eq!(settings.service, Service::Azure);
    assert_eq!(settings.missing(), [Missing::Endpoint, Missing::Deployment]);
}

#[test]
fn a_server_of_ones_own_may_do_without_a_key() {
    let settings = settings(&[("OPENAI_BASE_URL", "http://localhost:11434/v1")]);
    assert_eq!(settings.service, Service::OpenAi);
    assert_eq!(settings.missing(), [Missing::Deployment]);
}

#[test]
fn debug_shows_no_key_and_no_password() {
    let settings = settings(&[
        (
            "AZURE_OPENAI_ENDPOINT",
            "https://me:hunter2@x.openai.azure.com",
        ),
        ("AZURE_OPENAI_API_KEY", "hunter2"),
        ("AZURE_OPENAI_AD_TOKEN", "hunter2"),
    ]);
    assert!(!format!("{settings:?}").contains("hunter2"));
}
