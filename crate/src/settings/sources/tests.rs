use insta::assert_snapshot;

use super::*;

/// Sources with these variables in the environment and in the file.
pub(in crate::settings) fn of_pairs(
    environment: &[(&str, &str)],
    file: &[(&str, &str)],
) -> Sources<impl Fn(&str) -> Option<String>> {
    let of = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<std::collections::HashMap<_, _>>()
    };
    let environment = of(environment);
    Sources {
        environment: move |name: &str| environment.get(name).cloned(),
        file: Some(DotEnv {
            path: "/project/.env".into(),
            values: of(file),
        }),
        notes: Vec::new(),
    }
}

/// The settings from these variables in the environment and in the file.
fn settings(environment: &[(&str, &str)], file: &[(&str, &str)]) -> Result<Settings> {
    of_pairs(environment, file).settings()
}

const ENDPOINT: (&str, &str) = (AZURE_ENDPOINT, "https://env.example");
const KEY: (&str, &str) = ("AZURE_OPENAI_API_KEY", "key-of-env");
const TOKEN: (&str, &str) = ("AZURE_OPENAI_AD_TOKEN", "token-of-env");
const FILE_ENDPOINT: (&str, &str) = (AZURE_ENDPOINT, "https://file.example");
const FILE_KEY: (&str, &str) = ("AZURE_OPENAI_API_KEY", "key-of-file");
const FILE_TOKEN: (&str, &str) = ("AZURE_OPENAI_AD_TOKEN", "token-of-file");

fn parts(settings: &Settings) -> String {
    let secret = |secret: &Option<crate::Secret>| {
        secret
            .as_ref()
            .map_or("-".to_owned(), |it| it.expose().to_owned())
    };
    let endpoint = settings.endpoint.as_deref().unwrap_or("-");
    format!(
        "{endpoint} {} {}",
        secret(&settings.api_key),
        secret(&settings.ad_token)
    )
}

#[test]
fn a_service_that_only_stands_in_gives_way_to_the_files() {
    let own = ("AZURE_OPENAI_DEPLOYMENT", "own");
    let read = |stand_in: &'static str, file: &[(&str, &str)]| {
        let environment = [ENDPOINT, KEY, own, (STAND_IN_VARIABLE, stand_in)];
        let Sources {
            environment,
            file,
            notes,
        } = of_pairs(&environment, file);
        let environment = without_stand_in(environment, file.as_ref());
        let sources = Sources {
            environment,
            file,
            notes,
        };
        sources.settings().unwrap()
    };
    let file = [FILE_ENDPOINT, FILE_KEY];
    let files = read(ENDPOINT.1, &file);
    assert_eq!(parts(&files), "https://file.example key-of-file -");
    assert_eq!(files.deployment, None, "nothing of the two is mixed");
    for (stand_in, file) in [
        (ENDPOINT.1, &[("AZURE_OPENAI_TPM", "9")][..]),
        ("https://another.example", &file),
    ] {
        let ours = read(stand_in, file);
        assert_eq!(parts(&ours), "https://env.example key-of-env -");
        assert_eq!(ours.deployment.as_deref(), Some("own"));
    }
}

#[test]
fn an_address_and_its_key_come_from_one_place() {
    let parts = |environment, file| parts(&settings(environment, file).unwrap());
    let file = [FILE_ENDPOINT, FILE_KEY, FILE_TOKEN];
    assert_eq!(
        parts(&[], &file),
        "https://file.example key-of-file token-of-file"
    );
    assert_eq!(
        parts(&[ENDPOINT, KEY], &file),
        "https://env.example key-of-env -"
    );
    assert_eq!(
        parts(&[ENDPOINT, TOKEN], &file),
        "https://env.example - token-of-env"
    );
    assert_eq!(parts(&[KEY], &[FILE_KEY]), "- key-of-env -");
    assert_eq!(
        parts(&[ENDPOINT], &[FILE_ENDPOINT]),
        "https://env.example - -"
    );
    assert_eq!(
        parts(&[(AZURE_ENDPOINT, " ")], &file),
        "https://file.example key-of-file token-of-file"
    );
}

#[test]
fn two_places_are_refused_by_name() {
    let refused = |environment, file| settings(environment, file).unwrap_err().to_string();
    assert_snapshot!(refused(&[KEY], &[FILE_ENDPOINT]), @r"
    AZURE_OPENAI_API_KEY is set in the environment and AZURE_OPENAI_ENDPOINT in /project/.env: an address and its key must come from one place, or a key could go to an address that is not meant for it
      hint: set AZURE_OPENAI_ENDPOINT in the environment too; or unset AZURE_OPENAI_API_KEY, and write it into /project/.env if that file is yours
    ");
    assert_snapshot!(refused(&[ENDPOINT], &[FILE_TOKEN]), @r"
    AZURE_OPENAI_ENDPOINT is set in the environment and AZURE_OPENAI_AD_TOKEN in /project/.env: an address and its key must come from one place, or a key could go to an address that is not meant for it
      hint: set AZURE_OPENAI_AD_TOKEN in the environment too; or unset AZURE_OPENAI_ENDPOINT, and write it into /project/.env if that file is yours
    ");
    for (environment, file) in [
        (&[KEY][..], &[FILE_ENDPOINT, FILE_KEY][..]),
        (&[TOKEN], &[FILE_ENDPOINT]),
        (&[ENDPOINT], &[FILE_ENDPOINT, FILE_KEY]),
        (
            &[("OPENAI_API_KEY", "k")],
            &[("OPENAI_BASE_URL", "https://file.example")],
        ),
        (
            &[("OPENAI_BASE_URL", "https://env.example")],
            &[("OPENAI_API_KEY", "k")],
        ),
    ] {
        let error = settings(environment, file).unwrap_err();
        assert!(error.is_settings(), "{environment:?} {file:?}");
        assert!(!format!("{error:?}").contains("-of-"), "{error:?}");
    }
}

#[test]
fn another_service_that_is_set_by_the_way_gets_nothing() {
    let openai = ("OPENAI_API_KEY", "sk-env");
    let azure = settings(&[openai], &[FILE_ENDPOINT, FILE_KEY]).unwrap();
    assert_eq!(parts(&azure), "https://file.example key-of-file -");
    let azure = settings(
        &[ENDPOINT, KEY],
        &[("OPENAI_BASE_URL", "https://file.example")],
    );
    assert_eq!(parts(&azure.unwrap()), "https://env.example key-of-env -");
    let openai = settings(&[openai], &[("OPENAI_MODEL", "m")]).unwrap();
    assert_eq!(openai.service, Service::OpenAi);
    assert_eq!(openai.deployment.as_deref(), Some("m"));
}

#[test]
fn a_service_that_the_environment_gives_completely_is_used() {
    let openai = [
        ("OPENAI_BASE_URL", "https://env.example"),
        ("OPENAI_API_KEY", "sk-env"),
        ("OPENAI_MODEL", "m"),
    ];
    let azure = [
        (AZURE_ENDPOINT, "http://127.0.0.1:1"),
        ("AZURE_OPENAI_API_KEY", "key-of-file"),
        ("AZURE_OPENAI_DEPLOYMENT", "gpt"),
        ("AZURE_OPENAI_TPM", "5000"),
    ];
    for given in [&openai[..], &openai[..2], &openai[1..]] {
        for file in [&azure[..], &azure[..1]] {
            let read = settings(given, file).unwrap();
            assert_eq!(read.service, Service::OpenAi);
            let address = read.endpoint.as_deref().unwrap_or("https://env.example");
            assert_eq!(address, "https://env.example");
            assert!(read.api_key == Some(crate::Secret::new("sk-env")));
            assert_ne!(read.deployment.as_deref(), Some("gpt"));
            assert_eq!(read.tokens_per_minute, None);
            assert_eq!(read.notes.len(), 1, "{:?}", read.notes);
        }
    }
    let read = settings(&openai, &azure).unwrap();
    assert_snapshot!(read.notes.join("\n"), @"the service in /project/.env (AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY, AZURE_OPENAI_DEPLOYMENT) is not used, because the environment names another one");
    let read = settings(&[ENDPOINT, KEY], &openai).unwrap();
    assert_eq!(parts(&read), "https://env.example key-of-env -");
    assert_snapshot!(read.notes.join("\n"), @"the service in /project/.env (OPENAI_BASE_URL, OPENAI_API_KEY, OPENAI_MODEL) is not used, because the environment names another one");
    // What the file says of the same service is not another's.
    let read = settings(&openai[..2], &[("OPENAI_MODEL", "of-file")]).unwrap();
    assert_eq!(read.deployment.as_deref(), Some("of-file"));
    assert!(read.notes.is_empty());
}

#[test]
fn what_carries_no_key_may_come_from_the_file() {
    let file = [
        ("AZURE_OPENAI_DEPLOYMENT", "gpt"),
        ("OPENAI_API_VERSION", "2024-10-21"),
        ("AZURE_OPENAI_TPM", "5000"),
    ];
    let settings_of = |file: &[(&str, &str)]| settings(&[ENDPOINT, KEY], file).unwrap();
    let alone = settings_of(&file);
    assert_eq!(alone.deployment.as_deref(), Some("gpt"));
    assert_eq!(alone.api_version.as_deref(), Some("2024-10-21"));
    assert_eq!(alone.tokens_per_minute, Some(5000));
    // If the file names a service, the quota belongs to that one.
    let apart = settings_of(&[&file[..], &[FILE_ENDPOINT]].concat());
    assert_eq!(apart.tokens_per_minute, None);
    assert_eq!(apart.endpoint.as_deref(), Some("https://env.example"));
}

#[test]
fn a_quota_that_is_no_number_is_named_with_its_place() {
    let quota = ("AZURE_OPENAI_RPM", "many");
    let error = |environment: &[_], file: &[_]| settings(environment, file).unwrap_err();
    assert_snapshot!(error(&[ENDPOINT, KEY], &[quota]), @r"
    AZURE_OPENAI_RPM in /project/.env is not a whole number
      hint: write the quota in digits alone, such as 5000 for 5K
    ");
    let error = error(&[ENDPOINT, KEY, quota], &[]);
    assert_eq!(
        error.message(),
        "AZURE_OPENAI_RPM in the environment is not a whole number"
    );
    // A quota of another service is not read.
    assert!(settings(&[ENDPOINT, KEY], &[FILE_ENDPOINT, quota]).is_ok());
}

#[test]
fn a_service_principal_comes_from_one_source_and_the_machine_from_the_environment() {
    let of_env = [
        ("AZURE_TENANT_ID", "t-of-env"),
        ("AZURE_CLIENT_ID", "c-of-env"),
        ("AZURE_CLIENT_SECRET", "s-of-env"),
    ];
    let of_file = [
        FILE_ENDPOINT,
        ("AZURE_AUTHORITY_HOST", "https://login.evil.example"),
        ("AZURE_CLIENT_SECRET", "s-of-file"),
        ("IDENTITY_ENDPOINT", "http://127.0.0.1:1/evil"),
        ("PATH", "/evil"),
    ];
    let identity = settings(&of_env, &of_file).unwrap().identity;
    assert_eq!(identity.authority, None);
    assert!(identity.client_secret == Some(crate::Secret::new("s-of-env")));
    assert_eq!(
        (identity.identity_endpoint, identity.azure_cli),
        (None, None)
    );
    assert!(identity.is_apart, "the endpoint is the file's");

    let identity = settings(&[], &of_file).unwrap().identity;
    assert!(identity.client_secret == Some(crate::Secret::new("s-of-file")));
    assert!(!identity.is_apart, "both are the file's");
    let identity = settings(&[ENDPOINT], &of_file).unwrap().identity;
    assert!(identity.client_secret.is_none());
    let identity = settings(&[], &of_file[..2]).unwrap().identity;
    assert_eq!(identity.authority, None, "nobody is asked to sign in there");
}

#[test]
fn a_tenant_alone_hides_no_service_principal_of_the_file() {
    let of_file = [
        FILE_ENDPOINT,
        ("AZURE_CLIENT_ID", "c-of-file"),
        ("AZURE_CLIENT_SECRET", "s-of-file"),
    ];
    let with_tenant = [&of_file[..], &[("AZURE_TENANT_ID", "t-of-file")]].concat();
    let tenant = ("AZURE_TENANT_ID", "t-of-env");
    let read = settings(&[tenant], &with_tenant).unwrap();
    assert_eq!(read.identity.tenant.as_deref(), Some("t-of-file"));
    assert!(read.identity.client_secret == Some(crate::Secret::new("s-of-file")));
    assert_snapshot!(read.notes.join("\n"), @"AZURE_TENANT_ID from the environment is not used, because /project/.env names another with its service principal");
    let read = settings(&[tenant], &of_file).unwrap();
    assert_eq!(read.identity.tenant.as_deref(), Some("t-of-env"));
    assert!(read.identity.client_secret.is_some() && read.notes.is_empty());
    let read = settings(&[tenant, ENDPOINT], &with_tenant).unwrap();
    assert!(read.identity.client_secret.is_none());
    assert_snapshot!(read.notes.join("\n"), @"the service principal in /project/.env is not used, because the environment names the service: set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET there too");
}
