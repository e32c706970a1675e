//! Compares our token requests with those of azure-identity from PyPI: the same method, path, query,
//! form and headers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::{client, token};
use crate::support::python::environment;
use crate::support::server::{Reply, Request, Server};
use crate::support::skip;

const PACKAGE: &str = "azure-identity==1.27.0";

/// The requests that azure-identity makes for this scope.
fn theirs(python: PathBuf, scope: &str) -> Vec<Value> {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/http/sign_in/azure_identity.py"
    );
    let output = Command::new(python)
        .args(["-I", script, scope])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn pairs(encoded: &str) -> BTreeMap<String, String> {
    let decode = |text: &str| {
        let bytes = text.replace('+', " ");
        let mut decoded = Vec::new();
        let mut rest = bytes.as_bytes();
        while let [first, after @ ..] = rest {
            let hex = (*first == b'%').then(|| std::str::from_utf8(&after[..2]).unwrap());
            decoded.push(hex.map_or(*first, |hex| u8::from_str_radix(hex, 16).unwrap()));
            rest = &after[hex.map_or(0, str::len)..];
        }
        String::from_utf8(decoded).unwrap()
    };
    let pairs = encoded.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn told(request: &Request) -> Value {
    let (path, query) = request
        .target
        .split_once('?')
        .unwrap_or((&request.target, ""));
    let tells = ["metadata", "x-identity-header", "content-type"];
    let headers: BTreeMap<_, _> = request
        .headers()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .filter(|(name, _)| tells.contains(&name.as_str()))
        .collect();
    json!({"method": request.method, "path": path, "query": pairs(query), "headers": headers,
        "form": pairs(std::str::from_utf8(&request.body).unwrap())})
}

/// The single token request that these variables cause.
fn ours(variables: impl Fn(&Server) -> Vec<(&'static str, String)>) -> Value {
    let entra = Server::new([token("token-0123456789", 3600)]);
    let server = Server::new([Reply::text("x")]);
    let variables = variables(&entra);
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    client(&server, &variables).unwrap().complete("Hi").unwrap();
    told(&entra.request())
}

#[test]
fn our_token_requests_are_those_of_azure_identity() {
    let python = environment("azure-identity", Path::new("python3"), &[PACKAGE]);
    let Ok(python) = python.map(|bin| bin.join("python")) else {
        skip("azure-identity can't be installed here");
        return;
    };
    let theirs = theirs(python, "https://cognitiveservices.azure.com/.default");
    let application = ours(|entra| {
        vec![
            ("AZURE_AUTHORITY_HOST", entra.url()),
            ("AZURE_TENANT_ID", "contoso".to_owned()),
            ("AZURE_CLIENT_ID", "an-app".to_owned()),
            ("AZURE_CLIENT_SECRET", "a-secret+/=&".to_owned()),
        ]
    });
    let of_app_service = |entra: &Server| {
        vec![
            ("IDENTITY_ENDPOINT", format!("{}/msi/token", entra.url())),
            ("IDENTITY_HEADER", "a-header".to_owned()),
        ]
    };
    let of_machine = |entra: &Server| vec![("AZURE_POD_IDENTITY_AUTHORITY_HOST", entra.url())];
    let chosen = ("AZURE_CLIENT_ID", "an-identity".to_owned());
    let ours = [
        application,
        ours(of_app_service),
        ours(|entra| [of_app_service(entra), vec![chosen.clone()]].concat()),
        ours(of_machine),
        ours(|entra| [of_machine(entra), vec![chosen.clone()]].concat()),
    ];
    assert_eq!(theirs.len(), ours.len());
    for (theirs, ours) in theirs.iter().zip(&ours) {
        assert_eq!(ours, theirs);
    }
}
