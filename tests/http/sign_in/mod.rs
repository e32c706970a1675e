//! Signing in with Microsoft Entra, against a stand-in for each source of tokens, and compared with
//! azure-identity.

mod azure_cli;
mod beside;
mod slow_and_wrong_clock;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use evenhand::openai::{ClientBuilder, CredentialKind};
use evenhand::{Client, ErrorKind, Settings};
use serde_json::{Value, json};

use super::shown;
use crate::support::server::{Reply, Request, Server};

const SECRET: &str = "Hunter2-Hunter2-of-the-app";

/// A client with these variables, whose deployment is at this server.
fn client(server: &Server, variables: &[(&str, &str)]) -> evenhand::Result<Client> {
    let endpoint = server.url();
    let settings = Settings::from_lookup(|name| {
        let fixed = [
            ("AZURE_OPENAI_ENDPOINT", endpoint.as_str()),
            ("AZURE_OPENAI_DEPLOYMENT", "gpt"),
            ("AZURE_OPENAI_API_VERSION", "2024-10-21"),
        ];
        let mut all = fixed.iter().chain(variables);
        let found = all.find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    });
    ClientBuilder::from(settings?).build()
}

/// The variables of an application that gets its tokens there.
fn application(entra: &Server) -> [(&'static str, String); 4] {
    [
        ("AZURE_AUTHORITY_HOST", entra.url()),
        ("AZURE_TENANT_ID", "contoso.onmicrosoft.com".to_owned()),
        ("AZURE_CLIENT_ID", "an-app".to_owned()),
        ("AZURE_CLIENT_SECRET", SECRET.to_owned()),
    ]
}

fn client_of(server: &Server, entra: &Server) -> Client {
    let variables = application(entra);
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    client(server, &variables).unwrap()
}

fn token(token: &str, seconds: u64) -> Reply {
    Reply::json(
        200,
        json!({"token_type": "Bearer", "expires_in": seconds, "access_token": token}),
    )
}

fn bearer(request: &Request) -> String {
    request.header("authorization").join(" ")
}

#[test]
fn an_application_signs_in_once_for_all_rows() {
    let entra = Server::new([token("token-one-0123456789", 3600).late(Duration::from_millis(100))]);
    let server = Server::answering(|_, _| Reply::text("Kind."));
    let client = client_of(&server, &entra);
    assert_eq!(client.credential_kind(), CredentialKind::EntraToken);
    assert!(
        entra.requests().is_empty(),
        "nothing is asked before a request"
    );
    let prompts = (0..40).map(|number| format!("Describe job {number}."));
    let answers = client.batch(prompts).run().unwrap();
    assert_eq!(answers.failed().count(), 0);
    assert_eq!(entra.requests().len(), 1);
    for request in server.requests() {
        assert_eq!(bearer(&request), "Bearer token-one-0123456789");
        assert!(request.header("api-key").is_empty());
    }
    // A cell that makes its client again does not sign in again.
    client_of(&server, &entra).complete("Hi").unwrap();
    assert_eq!(entra.requests().len(), 1);
}

/// All rows are answered, and one new token is fetched, if the first one is rejected so.
fn is_fetched_anew_after(rejection: Reply) {
    let entra = Server::new([token("old-0123456789", 3600), token("new-0123456789", 3600)]);
    let server = Server::answering(move |request, _| match bearer(request).as_str() {
        "Bearer new-0123456789" => Reply::text("Kind."),
        _ => rejection.clone(),
    });
    let answers = client_of(&server, &entra)
        .batch((0..20).map(|number| number.to_string()))
        .run()
        .unwrap();
    assert_eq!(answers.failed().count(), 0);
    assert_eq!(entra.requests().len(), 2);
}

#[test]
fn a_token_that_is_refused_is_fetched_anew_once() {
    is_fetched_anew_after(Reply::error(401, "401", "the token was revoked"));
}

/// Gateways do not always answer 401 to a token that has expired.
#[test]
fn a_token_that_has_expired_is_fetched_anew_whatever_the_status() {
    let challenge = "Bearer error=\"invalid_token\", error_description=\"expired\"";
    let said = [
        Reply::error(403, "Forbidden", "Access token has expired"),
        Reply::error(400, "invalid_request", "JWT is expired"),
        Reply::new(403, "text/plain", "").header("www-authenticate", challenge),
    ];
    for expired in said {
        is_fetched_anew_after(expired);
    }
}

#[test]
fn a_token_of_another_tenant_is_told_with_what_was_asked_for() {
    let entra = Server::new([token("of-another-tenant-0123", 3600)]);
    let server = Server::new([Reply::error(
        401,
        "invalid_token",
        "Token tenant 1 does not match resource tenant 2.",
    )]);
    let client = client_of(&server, &entra);
    for _ in 0..3 {
        let error = client.complete("Hi").unwrap_err();
        insta::allow_duplicates! {
            insta::assert_snapshot!(shown(&error), @r"
            authentication: the service answered 401 Unauthorized: Token tenant 1 does not match resource tenant 2.
              hint: a new token was rejected, too. It was issued to the application an-app in the tenant contoso.onmicrosoft.com, for https://cognitiveservices.azure.com: check that this is the tenant of the resource (127.0.0.1:PORT), and that its role there is 'Cognitive Services OpenAI User'
            ");
        }
    }
    assert_eq!(entra.requests().len(), 2, "the token was not the reason");
}

/// The service answers 400 to that, too. Who signs in again and makes the client anew gets a new token.
#[test]
fn another_tenant_in_a_400_ends_the_batch_and_the_next_client_signs_in_again() {
    let entra = Server::new([
        token("of-another-tenant-0123", 3600),
        token("ours-0123", 3600),
    ]);
    let server = Server::answering(|request, _| match bearer(request).as_str() {
        "Bearer ours-0123" => Reply::text("Kind."),
        _ => Reply::error(
            400,
            "Tenant provided in token does not match resource token",
            "Token tenant 1 does not match resource tenant.",
        ),
    });
    let batch = client_of(&server, &entra).batch((0..50).map(|number| number.to_string()));
    let error = batch.concurrency(1).run().unwrap_err();
    insta::assert_snapshot!(shown(&error), @r"
    authentication: the service answered 400 Bad Request: Token tenant 1 does not match resource tenant.
      hint: the token was issued to the application an-app in the tenant contoso.onmicrosoft.com, for https://cognitiveservices.azure.com: check that this is the tenant of the resource (127.0.0.1:PORT), and that its role there is 'Cognitive Services OpenAI User'
    ");
    assert_eq!((server.requests().len(), entra.requests().len()), (1, 1));
    client_of(&server, &entra).complete("Hi").unwrap();
    assert_eq!(entra.requests().len(), 2);
}

#[test]
fn a_refused_sign_in_ends_the_batch_and_shows_no_secret() {
    let body = json!({"error": "invalid_client", "error_codes": [7_000_215],
        "error_description": format!("AADSTS7000215: Invalid client secret provided: '{SECRET}'.\r\nTrace ID: 1")});
    let entra = Server::new([Reply::json(401, body)]);
    let server = Server::new([Reply::text("x")]);
    let client = client_of(&server, &entra);
    let error = client.complete("Hi").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    let told = shown(&error);
    assert!(
        !told.contains(SECRET) && !format!("{client:?}").contains(SECRET),
        "{told}"
    );
    insta::assert_snapshot!(told, @r"
    authentication: 127.0.0.1:PORT refused to sign in the application an-app in the tenant contoso.onmicrosoft.com: AADSTS7000215: Invalid client secret provided: '[key]'.
      hint: set AZURE_CLIENT_SECRET to the secret's value, not its ID
    ");
    let ended = client.batch((0..50).map(|number| number.to_string())).run();
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Authentication);
    assert_eq!(entra.requests().len(), 1);
    assert!(server.requests().is_empty());
}

#[test]
fn what_is_no_token_is_told() {
    let page = "<html><title>Welcome to the hotel</title></html>";
    let entra = Server::new([Reply::new(200, "text/html", page)]);
    let server = Server::new([Reply::text("x")]);
    let error = client_of(&server, &entra).complete("Hi").unwrap_err();
    insta::assert_snapshot!(shown(&error), @r"
    authentication: 127.0.0.1:PORT returned no token for the application an-app in the tenant contoso.onmicrosoft.com: Welcome to the hotel
      hint: check AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, the network, and AZURE_AUTHORITY_HOST if it is set
    ");
}

#[test]
fn a_token_endpoint_that_fails_in_passing_costs_no_row() {
    let entra = Server::new([
        Reply::error(503, "temporarily_unavailable", "AADSTS90033: try again"),
        Reply::Broken(Vec::new()),
        token("token-0123456789", 3600).late(Duration::from_millis(300)),
    ]);
    let server = Server::answering(|_, _| Reply::text("Kind."));
    let client = client_of(&server, &entra);
    let answers = client.batch(["1", "2", "3"]).run().unwrap();
    assert_eq!((answers.failed().count(), entra.requests().len()), (0, 3));
}

/// Tokens that are valid for two seconds, which the service checks.
#[test]
fn rows_outlive_their_tokens() {
    const LIFETIME: Duration = Duration::from_secs(2);
    let began = Instant::now();
    let entra = Server::answering(move |_, _| {
        let now = began.elapsed().as_millis();
        token(&format!("token-of-{now:010}"), LIFETIME.as_secs())
    });
    let late = Arc::new(AtomicUsize::new(0));
    let server = Server::answering({
        let late = Arc::clone(&late);
        move |request, _| {
            let issued = bearer(request).replace("Bearer token-of-", "");
            let issued = Duration::from_millis(issued.parse().unwrap());
            if began.elapsed().saturating_sub(issued) > LIFETIME {
                late.fetch_add(1, Ordering::SeqCst);
                return Reply::error(401, "401", "the token has ended");
            }
            Reply::text("Kind.").late(Duration::from_millis(100))
        }
    });
    let client = client_of(&server, &entra);
    let prompts = (0..300).map(|number| number.to_string());
    let answers = client.batch(prompts).concurrency(8).run().unwrap();
    assert_eq!(answers.failed().count(), 0);
    let mut used: Vec<_> = server.requests().iter().map(bearer).collect();
    used.sort();
    used.dedup();
    assert!(used.len() > 1, "no token was renewed");
    assert_eq!(
        entra.requests().len(),
        used.len(),
        "one sign-in for each token"
    );
}

#[test]
fn the_identity_of_app_service_is_asked_for_with_its_header() {
    let identity = Server::new([Reply::json(
        200,
        json!({"access_token": "of-the-machine-0123",
        "expires_on": "4102444800", "resource": "r", "token_type": "Bearer"}),
    )]);
    let server = Server::new([Reply::text("x")]);
    let endpoint = format!("{}/msi/token", identity.url());
    let variables = [
        ("IDENTITY_ENDPOINT", endpoint.as_str()),
        ("IDENTITY_HEADER", "a-header-0123456789"),
    ];
    client(&server, &variables).unwrap().complete("Hi").unwrap();
    assert_eq!(bearer(&server.request()), "Bearer of-the-machine-0123");
    assert_eq!(
        identity.request().header("x-identity-header"),
        ["a-header-0123456789"]
    );
    let error = client(&server, &variables[..1]).unwrap_err();
    insta::assert_snapshot!(shown(&error), @r"
    settings: IDENTITY_ENDPOINT is set, but IDENTITY_HEADER is not
      hint: set both, as App Service does, or unset IDENTITY_ENDPOINT; machines with Azure Arc sign in with `az login`
    ");
}

#[test]
fn half_an_application_is_named() {
    let server = Server::new([Reply::text("x")]);
    let error = client(
        &server,
        &[("AZURE_CLIENT_SECRET", SECRET), ("AZURE_CLIENT_ID", "a")],
    )
    .unwrap_err();
    insta::assert_snapshot!(shown(&error), @r"
    settings: AZURE_CLIENT_SECRET is set, but AZURE_TENANT_ID is not
      hint: set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET in one place, or unset all three
    ");
}

#[test]
fn a_key_comes_before_any_sign_in() {
    let entra = Server::new([token("t", 3600)]);
    let server = Server::new([Reply::text("x")]);
    let mut variables = vec![("AZURE_OPENAI_API_KEY", "k3y-k3y")];
    let application = application(&entra);
    variables.extend(
        application
            .iter()
            .map(|(name, value)| (*name, value.as_str())),
    );
    client(&server, &variables).unwrap().complete("Hi").unwrap();
    assert_eq!(server.request().header("api-key"), ["k3y-k3y"]);
    assert!(entra.requests().is_empty());
}

#[test]
fn a_fetched_token_that_comes_back_is_kept_nowhere() {
    const TOKEN: &str = "e.fetched-token-0123456789";
    let entra = Server::new([token(TOKEN, 3600)]);
    let body: Value = json!({"choices": [{"message": {"content": format!("You sent {TOKEN}")}}]});
    let server = Server::new([Reply::json(200, body)]);
    let answer = client_of(&server, &entra).complete("Hi").unwrap();
    assert_eq!(answer.text(), Some("You sent [key]"));
    let server = Server::new([Reply::error(400, "x", TOKEN)]);
    let error = client_of(&server, &entra).complete("Hi").unwrap_err();
    assert!(!format!("{error:?}").contains(TOKEN), "{error:?}");
}
