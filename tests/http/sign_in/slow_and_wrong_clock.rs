//! A token endpoint that is slow, and machines whose clocks differ by an hour.

use std::time::{Duration, Instant, SystemTime};

use evenhand::ErrorKind;
use serde_json::json;

use super::{bearer, client, client_of, shown, token};
use crate::support::server::{Reply, Server};

const HOUR: Duration = Duration::from_secs(3600);

/// Each renewal takes half of the time for which the token before is still valid.
#[test]
fn no_row_is_lost_by_a_slow_renewal_and_each_token_is_one_sign_in() {
    const LIFETIME: Duration = Duration::from_secs(4);
    let began = Instant::now();
    let entra = Server::answering(move |_, number| {
        let issued = began.elapsed().as_millis();
        let slow = Duration::from_millis(if number == 0 { 0 } else { 1_000 });
        token(&format!("token-of-{issued:010}"), LIFETIME.as_secs()).late(slow)
    });
    let server = Server::answering(move |request, _| {
        let issued = bearer(request).replace("Bearer token-of-", "");
        let issued = Duration::from_millis(issued.parse().unwrap());
        match began.elapsed().saturating_sub(issued) > LIFETIME {
            true => Reply::error(401, "401", "the token has ended"),
            false => Reply::text("Kind.").late(Duration::from_millis(100)),
        }
    });
    let batch = client_of(&server, &entra).batch((0..400).map(|number| number.to_string()));
    let answers = batch.concurrency(8).run().unwrap();
    assert_eq!(answers.failed().count(), 0);
    let mut used: Vec<_> = server.requests().iter().map(bearer).collect();
    used.sort();
    used.dedup();
    assert!(used.len() > 1, "no token was renewed");
    let fetched = entra.requests().len();
    // The last one may have come after the last row.
    assert!(
        (used.len()..=used.len() + 1).contains(&fetched),
        "{fetched}"
    );
}

/// The endpoint of App Service names the end of a token by its own clock, and its answer bears the date
/// of that clock. This machine's is an hour behind or ahead of it.
#[test]
fn the_clock_of_the_token_endpoint_counts_and_not_this_machines() {
    let now = SystemTime::now();
    for theirs in [now - HOUR, now + HOUR] {
        let identity = Server::answering(move |_, number| {
            let ends = (theirs + HOUR).duration_since(SystemTime::UNIX_EPOCH);
            let body = json!({"access_token": format!("of-the-machine-{number}"),
                "expires_on": ends.unwrap().as_secs().to_string(), "token_type": "Bearer"});
            Reply::json(200, body).header("date", &httpdate::fmt_http_date(theirs))
        });
        let server = Server::answering(|_, _| Reply::text("Kind."));
        let endpoint = format!("{}/msi/token", identity.url());
        let variables = [
            ("IDENTITY_ENDPOINT", endpoint.as_str()),
            ("IDENTITY_HEADER", "a-header-0123456789"),
        ];
        let batch = client(&server, &variables).unwrap();
        let answers = batch.batch((0..40).map(|number| number.to_string())).run();
        assert_eq!(answers.unwrap().failed().count(), 0);
        assert_eq!(identity.requests().len(), 1, "one sign-in for one token");
        assert!(
            server
                .requests()
                .iter()
                .all(|it| bearer(it) == "Bearer of-the-machine-0")
        );
    }
}

/// A service whose clock is an hour ahead refuses a token that this machine still takes for valid.
#[test]
fn a_token_that_the_service_takes_for_ended_is_told_with_the_service_and_asked_for_once_more() {
    let seconds = HOUR.as_secs();
    let entra = Server::new([
        token("first-0123456789", seconds),
        token("second-0123456789", seconds),
    ]);
    let server = Server::answering(|request, number| match bearer(request).as_str() {
        "Bearer first-0123456789" if number < 10 => Reply::text("Kind."),
        _ => Reply::error(
            401,
            "401",
            "Lifetime validation failed. The token is expired.",
        ),
    });
    let batch = client_of(&server, &entra).batch((0..30).map(|number| number.to_string()));
    let answers = batch.concurrency(1).run().unwrap();
    // What was answered stays answered, and is asked once.
    assert_eq!(answers.failed().count(), 20);
    assert_eq!(entra.requests().len(), 2);
    let error = answers.failed().next().unwrap().error().unwrap();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    let told = shown(error);
    assert!(told.contains("The token is expired"), "{told}");
}
