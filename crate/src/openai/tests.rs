use super::*;
use crate::error::ErrorKind;
use crate::secret::Secret;
use proptest::prelude::*;
use std::time::Duration;

fn builder() -> ClientBuilder {
    Client::builder()
        .endpoint("http://127.0.0.1:1")
        .api_key("k3y-k3y")
        .api_version("2024-10-21")
        .deployment("gpt")
}

#[test]
fn a_client_shows_where_it_asks_and_not_with_what() {
    let client = builder().build().unwrap();
    insta::assert_snapshot!(format!("{client:?}"), @r#"Client { host: "127.0.0.1:1", deployment: Some("gpt"), api_version: Some("2024-10-21"), protocol: AzureDated, credential: ApiKey }"#);
    assert_eq!(client.credential_kind().as_str(), "api key");
    assert_eq!(client.max_retries(), 2);
    fn shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    shared(&client);
}

#[test]
fn what_is_missing_is_named() {
    let told = |builder: ClientBuilder| format!("{:?}", builder.build().unwrap_err());
    insta::assert_snapshot!(told(Client::builder()), @r"
    there is no endpoint to ask
      hint: set AZURE_OPENAI_ENDPOINT to the resource's address, such as https://NAME.openai.azure.com (in the Azure portal: the resource, 'Keys and Endpoint')
    ");
    insta::assert_snapshot!(told(Client::builder().endpoint("https://x.openai.azure.com")), @r"
    there is no key for Azure OpenAI
      hint: set AZURE_OPENAI_API_KEY (in the Azure portal: the resource, 'Keys and Endpoint'), or AZURE_OPENAI_AD_TOKEN for a Microsoft Entra token; or sign in: with `az login`, or with AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET
    ");
    let openai = Settings {
        service: crate::settings::Service::OpenAi,
        ..Settings::default()
    };
    insta::assert_snapshot!(told(openai.into()), @r"
    there is no key for OpenAI
      hint: set OPENAI_API_KEY, or OPENAI_BASE_URL for a server without keys
    ");
}

#[test]
fn a_token_wins_over_a_key() {
    let client = builder().ad_token("Bearer e.y.J").build().unwrap();
    assert_eq!(client.credential_kind(), CredentialKind::EntraToken);
}

#[test]
fn a_server_of_ones_own_needs_no_key() {
    let client = Client::builder()
        .openai_base_url("http://localhost:1/v1")
        .build()
        .unwrap();
    assert_eq!(client.credential_kind(), CredentialKind::None);
    assert_eq!(client.protocol(), Protocol::OpenAi);
}

#[test]
fn a_key_that_cannot_be_one_is_refused_and_not_shown() {
    for key in ["two words", "schlüssel", "a\nb", "<your key>"] {
        let error = builder().api_key(key).build().unwrap_err();
        let shown = format!("{error:?}");
        assert!(
            shown.contains("AZURE_OPENAI_API_KEY") && !shown.contains(key),
            "{shown}"
        );
    }
    builder().api_key(" \"quoted\"\n").build().unwrap();
}

#[test]
fn two_addresses_are_refused_whichever_came_last() {
    let base_url = "http://localhost:1/v1";
    let first = builder().openai_base_url(base_url);
    let last = Client::builder()
        .openai_base_url(base_url)
        .endpoint("http://127.0.0.1:1");
    let [refused, also] = [first, last].map(|builder| builder.build().unwrap_err().to_string());
    insta::assert_snapshot!(refused, @"
    `endpoint` and `openai_base_url` were both given, and a client has one address
      hint: keep `endpoint` for Azure OpenAI, `openai_base_url` for any other server
    ");
    assert_eq!(refused, also);
    // The address of the settings that a builder starts from is only its default.
    let settings = Settings {
        endpoint: Some("http://127.0.0.1:1".to_owned()),
        ..Settings::default()
    };
    let client = ClientBuilder::from(settings).openai_base_url(base_url);
    assert_eq!(client.build().unwrap().protocol(), Protocol::OpenAi);
}

#[test]
fn a_builder_takes_what_settings_take() {
    let client = builder()
        .api_key(Secret::new("k3y-k3y"))
        .tokens_per_minute(5_000)
        .requests_per_minute(9)
        .build()
        .unwrap();
    assert_eq!(client.quota(), Some(crate::Quota::tpm(5_000).with_rpm(9)));
    let other = |allow| {
        let builder = Client::builder().openai_base_url("http://192.0.2.1/v1");
        builder.allow_http(allow).build()
    };
    assert!(other(false).is_err() && other(true).is_ok());
}

#[test]
fn a_time_out_of_zero_is_refused() {
    assert!(
        builder()
            .timeout(Duration::ZERO)
            .build()
            .unwrap_err()
            .is_settings()
    );
}

#[test]
fn a_missing_deployment_is_named_before_anything_is_sent() {
    let client = Client::builder()
        .endpoint("http://127.0.0.1:1")
        .api_key("k3y")
        .build()
        .unwrap();
    let error = client.complete("Hi").unwrap_err();
    insta::assert_snapshot!(format!("{error:?}"), @r"
    there is no deployment to ask
      hint: set AZURE_OPENAI_DEPLOYMENT, or name it with .deployment()
    ");
    assert_eq!(
        client.complete(Vec::new()).unwrap_err().kind(),
        ErrorKind::Argument
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_key_is_never_shown(key in "[A-Za-z0-9]{12,60}") {
        let settings = Settings {
            endpoint: Some("http://localhost:1".to_owned()),
            api_key: Some(Secret::new(&key)),
            ..Settings::default()
        };
        let builder = ClientBuilder::from(settings.clone());
        let client = Client::new(settings.clone()).unwrap();
        let error = client.complete("Hi").unwrap_err();
        let shown = format!("{settings:?} {builder:?} {client:?} {error:?} {error}");
        prop_assert!(!shown.contains(&key));
    }
}
