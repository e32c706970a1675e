//! The openai package from PyPI, old and new, as a client of `evenhand serve --like`: it observes what
//! the service's documentation describes.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::serve::{KEY, Serve};
use crate::support::home;
use crate::support::python::environment;

const SCRIPT: &str = include_str!("openai_python.py");

/// A Python with these packages.
fn python(name: &str, packages: &[&str]) -> PathBuf {
    let bin = environment(name, &home().join("venv/bin/python"), packages);
    bin.unwrap().join("python")
}

/// What a user of the package observes of a gpt-5-mini.
fn seen(python: &Path, serve: &Serve) -> Value {
    let endpoint = format!("http://{}", serve.address);
    let output = Command::new(python)
        .args(["-c", SCRIPT, &endpoint, KEY.1])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(code: &str, param: &str, message: &str) -> Value {
    json!({
        "error": "BadRequestError", "code": code, "param": param,
        "type": "invalid_request_error", "message": message,
    })
}

fn meets_a_reasoning_deployment(python: &Path) -> Value {
    let serve = Serve::start(&["--like", "gpt-5-mini"]);
    let seen = seen(python, &serve);
    assert_eq!(seen["models"], json!(["gpt-5-mini-2025-08-07"]));
    let expected = refused(
        "unsupported_parameter",
        "max_tokens",
        "Unsupported parameter: 'max_tokens' is not supported with this model. \
         Use 'max_completion_tokens' instead.",
    );
    assert_eq!(seen["max_tokens"], expected);
    let expected = refused(
        "unsupported_value",
        "temperature",
        "Unsupported value: 'temperature' does not support 0 with this model. \
         Only the default (1) value is supported.",
    );
    assert_eq!(seen["temperature"], expected);
    let expected = refused(
        "unsupported_value",
        "reasoning_effort",
        "Unsupported value: 'reasoning_effort' does not support 'none' with this model. \
         Supported values are: 'minimal', 'low', 'medium', and 'high'.",
    );
    assert_eq!(seen["effort"], expected);
    // At the default effort all hundred tokens are thought.
    let expected = json!({
        "model": "gpt-5-mini-2025-08-07", "text": "", "finish": "length",
        "completion": 100, "total": 100, "thought": 100,
    });
    assert_eq!(seen["hundred"], expected);
    let expected = json!({ "text": "", "finish": "length", "thought": 100 });
    assert_eq!(seen["streamed"], expected);
    for minimal in [&seen["minimal"], &seen["streamed_minimal"]] {
        assert_ne!(minimal["text"], "");
        assert!(minimal["thought"].as_u64() <= Some(64), "{minimal}");
    }
    assert_eq!(seen["minimal"]["completion"], seen["minimal"]["total"]);
    seen
}

#[test]
fn the_labs_package_meets_a_reasoning_deployment() {
    let python = python("test-openai-lab", &["openai==1.42.0", "httpx<0.28"]);
    assert_eq!(meets_a_reasoning_deployment(&python)["version"], "1.42.0");
}

#[test]
fn the_newest_package_meets_a_reasoning_deployment() {
    meets_a_reasoning_deployment(&python("test-openai-newest", &["openai"]));
}

#[test]
fn another_kind_takes_what_it_took() {
    let serve = Serve::start(&["--like", "gpt-4o"]);
    let body = json!({
        "messages": [{ "role": "user", "content": "Describe a nurse." }],
        "max_tokens": 3, "temperature": 0,
    });
    let path = "/openai/deployments/any/chat/completions?api-version=2024-10-21";
    let reply = crate::support::http::send(&serve.address, "POST", path, &[KEY], &body.to_string());
    assert_eq!(reply.status, 200, "{reply:?}");
    let answer = reply.json();
    assert_eq!(answer["model"], "gpt-4o-2024-11-20");
    assert_eq!(answer["usage"]["completion_tokens"], 3);
}
