use super::*;
use proptest::prelude::*;

fn endpoint(address: &str, version: Option<&str>, deployment: Option<&str>) -> Result<Endpoint> {
    Endpoint::new(&Settings {
        endpoint: Some(address.to_owned()),
        api_version: version.map(str::to_owned),
        deployment: deployment.map(str::to_owned),
        ..Settings::default()
    })
}

fn url(address: &str, version: Option<&str>) -> String {
    let endpoint = endpoint(address, version, None).unwrap();
    let deployment = endpoint.deployment().unwrap_or("gpt").to_owned();
    endpoint.chat_url(&deployment).to_string()
}

fn rejection(address: &str) -> String {
    match endpoint(address, None, None) {
        Ok(endpoint) => panic!("accepted as {}", endpoint.chat_url("gpt")),
        Err(error) => {
            assert!(error.is_settings());
            format!("{error:?}")
        }
    }
}

const DATED: &str =
    "https://x.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=2024-10-21";
const V1: &str = "https://x.openai.azure.com/openai/v1/chat/completions";

#[test]
fn a_date_makes_the_dated_path() {
    for address in [
        "https://x.openai.azure.com",
        "https://x.openai.azure.com/",
        "https://x.openai.azure.com//",
        "https://x.openai.azure.com/openai",
        "https://x.openai.azure.com/openai/",
        DATED,
    ] {
        assert_eq!(url(address, Some("2024-10-21")), DATED, "{address}");
    }
    assert_eq!(url(DATED, None), DATED);
}

#[test]
fn no_date_makes_the_v1_path() {
    assert_eq!(url("https://x.openai.azure.com/", None), V1);
    assert_eq!(url("https://x.openai.azure.com/", Some("v1")), V1);
    assert_eq!(
        url("https://x.openai.azure.com/openai/v1/", Some("2024-10-21")),
        V1
    );
    assert_eq!(url(V1, None), V1);
    assert_eq!(
        url("https://x.openai.azure.com/", Some("preview")),
        format!("{V1}?api-version=preview")
    );
}

#[test]
fn every_address_that_a_portal_shows_leads_to_the_same_path() {
    for host in [
        "x.openai.azure.com",
        "x.cognitiveservices.azure.com",
        "x.services.ai.azure.com",
    ] {
        let v1 = format!("https://{host}/openai/v1/chat/completions");
        let dated = format!(
            "https://{host}/openai/deployments/gpt/chat/completions?api-version=2024-10-21"
        );
        for end in [
            "",
            "/",
            "/models",
            "/models/",
            "/models/chat/completions?api-version=2024-05-01-preview",
            "/api/projects/p1",
            "/api/projects/p1/",
            "/api/projects/p1/openai/v1/",
            "/api/projects/p1/agents",
            "/api/projects/p1/assistants/a1",
            "/openai/v1/",
            "/openai/v1/chat/completions",
            "/openai/v1/responses",
        ] {
            for address in [
                format!("https://{host}{end}"),
                format!(" \"{host}{end}\"\n"),
                format!("\"https://{host}{end}\","),
                format!("https://{host}{end};"),
            ] {
                assert_eq!(url(&address, None), v1, "{address}");
            }
        }
        for end in [
            "",
            "/api/projects/p1",
            "/openai",
            "/openai/deployments/gpt",
            "/openai/deployments/gpt/chat/completions?api-version=2024-10-21",
            "/openai/responses?api-version=2025-04-01-preview",
        ] {
            let address = format!("https://{host}{end}");
            assert_eq!(url(&address, Some("2024-10-21")), dated, "{address}");
        }
    }
    assert_eq!(
        url("https://gateway.example/team/models", None),
        "https://gateway.example/team/openai/v1/chat/completions"
    );
}

#[test]
fn the_address_of_another_service_is_told_as_that() {
    insta::assert_snapshot!(rejection("https://x.eastus2.models.ai.azure.com/chat/completions"), @r"
    AZURE_OPENAI_ENDPOINT is a serverless model's address
      hint: unset it and set OPENAI_BASE_URL to that address with /v1 appended, OPENAI_API_KEY and OPENAI_MODEL
    ");
    for models in [
        "https://models.github.ai/inference",
        "https://models.inference.ai.azure.com",
    ] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(rejection(models), @r"
            AZURE_OPENAI_ENDPOINT is GitHub Models' address
              hint: unset it and set OPENAI_BASE_URL to https://models.github.ai/inference, OPENAI_API_KEY and OPENAI_MODEL
            ");
        }
    }
    insta::assert_snapshot!(rejection("https://eastus.stt.speech.microsoft.com"), @r"
    AZURE_OPENAI_ENDPOINT is the speech service's address
      hint: in the Azure portal open the Azure OpenAI resource and copy the field 'Endpoint' of 'Keys and Endpoint'; in Foundry copy 'Azure OpenAI endpoint' of the project's overview
    ");
    insta::assert_snapshot!(rejection("https://x.services.ai.azure.com/anthropic/v1/messages"), @r"
    AZURE_OPENAI_ENDPOINT is the address of Anthropic's models, which speak another protocol
      hint: in the Azure portal open the Azure OpenAI resource and copy the field 'Endpoint' of 'Keys and Endpoint'; in Foundry copy 'Azure OpenAI endpoint' of the project's overview
    ");
    for portal in [
        "https://management.azure.com/subscriptions/1",
        "https://portal.azure.com/#@contoso.com/resource/subscriptions/1/overview",
        "https://ai.azure.com/foundryProject/overview?wsid=/subscriptions/1&tid=2",
    ] {
        assert!(
            rejection(portal).contains("is the address of a portal"),
            "{portal}"
        );
    }
    for placeholder in [
        "https://NAME.openai.azure.com",
        "https://YOUR-RESOURCE-NAME.openai.azure.com/openai/v1/",
        "your-resource-name.openai.azure.com",
    ] {
        assert!(
            rejection(placeholder).contains("still holds a placeholder"),
            "{placeholder}"
        );
    }
    assert!(rejection("x.openai.azure.com.evil.example").contains("https://"));
}

#[test]
fn plain_http_leaves_this_machine_only_without_a_key_and_when_asked() {
    let endpoint = |key: Option<&str>, allow_http: bool| {
        Endpoint::new(&Settings {
            service: Service::OpenAi,
            endpoint: Some("http://10.0.0.7:8000/v1".to_owned()),
            api_key: key.map(crate::Secret::new),
            allow_http,
            ..Settings::default()
        })
    };
    let told = |endpoint: Result<Endpoint>| format!("{:?}", endpoint.err().unwrap());
    let server = endpoint(None, true).unwrap();
    assert!(server.is_plain_http() && !server.is_loopback());
    endpoint(Some(" \"\" "), true).unwrap();
    insta::assert_snapshot!(told(endpoint(None, false)), @r"
    OPENAI_BASE_URL begins with http://: prompts and answers would travel where anyone can read them
      hint: write https:// (http:// is only for this machine: localhost, 127.0.0.1); for a server in your own network that takes no key, set EVENHAND_ALLOW_HTTP=1
    ");
    for allow_http in [false, true] {
        assert!(told(endpoint(Some("k3y-k3y"), allow_http)).contains("the key would travel"));
    }
    let azure = Endpoint::new(&Settings {
        endpoint: Some("http://10.0.0.7".to_owned()),
        allow_http: true,
        ..Settings::default()
    });
    assert!(told(azure).contains("the key would travel"));
}

#[test]
fn the_path_of_another_protocol_is_told_and_capitals_do_not_matter() {
    for end in ["/v1", "/v1/chat/completions", "/V1/Chat/Completions"] {
        let told = rejection(&format!("https://llm.example{end}"));
        assert!(told.contains("set OPENAI_BASE_URL"), "{told}");
    }
    let plain = url("https://x.openai.azure.com/openai/v1", None);
    assert_eq!(url("https://x.openai.azure.com/OpenAI/V1", None), plain);
}

#[test]
fn a_gateway_keeps_its_path() {
    assert_eq!(
        url("https://gateway.example/team/openai", Some("2024-10-21")),
        "https://gateway.example/team/openai/deployments/gpt/chat/completions?api-version=2024-10-21"
    );
}

#[test]
fn a_stated_deployment_wins_over_a_pasted_one() {
    let endpoint = endpoint(DATED, None, Some("mine")).unwrap();
    assert_eq!(endpoint.deployment(), Some("mine"));
}

#[test]
fn openai_compatible_servers_take_the_path_as_it_is() {
    let mut settings = Settings {
        service: Service::OpenAi,
        ..Settings::default()
    };
    let plain = Endpoint::new(&settings).unwrap();
    assert_eq!(
        plain.chat_url("m").as_str(),
        "https://api.openai.com/v1/chat/completions"
    );
    settings.endpoint = Some("http://127.0.0.1:8000/v1/".to_owned());
    let local = Endpoint::new(&settings).unwrap();
    assert_eq!(
        local.chat_url("m").as_str(),
        "http://127.0.0.1:8000/v1/chat/completions"
    );
    assert_eq!(
        (local.host(), local.protocol()),
        ("127.0.0.1:8000", Protocol::OpenAi)
    );
}

#[test]
fn http_is_for_this_machine_alone() {
    for address in [
        "http://localhost:1/",
        "http://127.0.0.1",
        "http://127.9.9.9",
        "http://[::1]:80",
    ] {
        assert!(
            endpoint(address, None, None).unwrap().is_loopback(),
            "{address}"
        );
    }
    for address in [
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://10.0.0.1",
    ] {
        assert!(rejection(address).contains("http://"), "{address}");
    }
}

#[test]
fn what_is_refused_says_how_to_mend_it() {
    insta::assert_snapshot!(rejection(" "), @r"
    there is no endpoint to ask
      hint: set AZURE_OPENAI_ENDPOINT to the resource's address, such as https://NAME.openai.azure.com (in the Azure portal: the resource, 'Keys and Endpoint')
    ");
    insta::assert_snapshot!(rejection("gateway.example/team"), @r"
    AZURE_OPENAI_ENDPOINT does not begin with https://
      hint: did you mean https://gateway.example/team ?
    ");
    insta::assert_snapshot!(rejection("localhost:8080"), @r"
    AZURE_OPENAI_ENDPOINT does not begin with https://
      hint: did you mean http://localhost:8080 ?
    ");
    insta::assert_snapshot!(rejection("https://https://x.openai.azure.com"), @r"
    AZURE_OPENAI_ENDPOINT begins with https:// twice
      hint: set it to an address such as https://NAME.openai.azure.com
    ");
    insta::assert_snapshot!(rejection("http://x.openai.azure.com"), @r"
    AZURE_OPENAI_ENDPOINT begins with http://: the key would travel where anyone can read it
      hint: write https:// (http:// is only for this machine: localhost, 127.0.0.1)
    ");
    insta::assert_snapshot!(rejection("https://me:hunter2@x.openai.azure.com"), @r"
    AZURE_OPENAI_ENDPOINT holds a user name or password
      hint: set it to an address such as https://NAME.openai.azure.com
    ");
    insta::assert_snapshot!(rejection("https://x.azurewebsites.net/?code=hunter2"), @r"
    AZURE_OPENAI_ENDPOINT has something after ? or # that would not be sent
      hint: set it to an address such as https://NAME.openai.azure.com
    ");
    insta::assert_snapshot!(rejection("https://<your-resource>.openai.azure.com"), @r"
    AZURE_OPENAI_ENDPOINT still holds a placeholder
      hint: set it to the real address, such as https://NAME.openai.azure.com
    ");
    insta::assert_snapshot!(rejection("https://oai.azure.com/resource/chat"), @r"
    AZURE_OPENAI_ENDPOINT is the address of a portal
      hint: copy the endpoint that the portal shows, such as https://NAME.openai.azure.com
    ");
    insta::assert_snapshot!(rejection("https://api.openai.com/v1"), @r"
    AZURE_OPENAI_ENDPOINT is OpenAI's address, not Azure's
      hint: unset it and set OPENAI_API_KEY and OPENAI_MODEL
    ");
    insta::assert_snapshot!(rejection("https://host.example/v1/"), @r"
    AZURE_OPENAI_ENDPOINT is not an Azure OpenAI address: it ends in /v1
      hint: for an OpenAI-compatible server unset it and set OPENAI_BASE_URL; Azure's own ends in /openai/v1
    ");
    insta::assert_snapshot!(rejection("https://"), @r"
    AZURE_OPENAI_ENDPOINT is not a web address
      because: empty host
      hint: set it to an address such as https://NAME.openai.azure.com
    ");
}

#[test]
fn a_key_in_the_wrong_place_is_not_repeated() {
    for key in [
        "0123456789abcdef0123456789abcdef",
        "ftp://hunter2.example",
        "hunter2@example.com",
    ] {
        assert!(!rejection(key).contains(key), "{key}");
    }
}

#[test]
fn a_deployment_cannot_leave_its_place() {
    let endpoint = endpoint("https://x.openai.azure.com", Some("2024-10-21"), None).unwrap();
    let url = endpoint.chat_url("a/../b?c#d%2f");
    assert_eq!(
        url.as_str(),
        "https://x.openai.azure.com/openai/deployments/a%2F..%2Fb%3Fc%23d%252f/chat/completions?api-version=2024-10-21"
    );
    for name in [
        "",
        ".",
        "..",
        "a b",
        "a\nb",
        "<name>",
        "gpt\u{200B}",
        "\u{E0041}gpt",
    ] {
        assert_eq!(
            endpoint.choose(Some(name)).unwrap_err().kind(),
            ErrorKind::Argument
        );
    }
}

proptest! {
    #[test]
    fn any_address_is_taken_or_refused(address in any::<String>()) {
        let _ = endpoint(&address, None, None);
    }

    #[test]
    fn any_deployment_stays_one_part_of_the_path(name in "[!-~]{1,20}") {
        let endpoint = endpoint("https://x.openai.azure.com", Some("2024-10-21"), None).unwrap();
        if endpoint.choose(Some(&name)).is_ok() {
            let url = endpoint.chat_url(&name);
            prop_assert_eq!(url.host_str(), Some("x.openai.azure.com"));
            prop_assert_eq!(url.path_segments().unwrap().count(), 5);
        }
    }
}
