use insta::assert_snapshot;
use serde_json::json;

use super::*;

fn deployment(name: &str) -> &'static Deployment {
    match parse(name) {
        Ok(Like::Deployment(deployment)) => deployment,
        other => panic!("{name}: {other:?}"),
    }
}

fn refusal(name: &str, body: Value) -> String {
    let Value::Object(body) = body else { panic!() };
    format!("{:?}", deployment(name).check(&body).unwrap_err())
}

#[test]
fn the_table_is_one_and_names_the_source_of_each_line() {
    let table: Value = serde_json::from_str(TABLE).unwrap();
    assert_eq!(table["deployments"].as_array().unwrap().len(), all().len());
    for one in all() {
        assert!(!one.sources.is_empty());
        assert!(
            one.sources
                .iter()
                .all(|source| table["sources"][source].is_string()),
            "{one:?}"
        );
        assert_eq!(one.thinks(), one.default_effort.is_some(), "{one:?}");
        assert!(
            one.default_effort
                .iter()
                .all(|effort| one.efforts.contains(effort))
        );
        assert!(one.most_output < one.context && list().contains(&one.name));
    }
}

#[test]
fn an_unknown_name_lists_the_known_ones() {
    assert_snapshot!(parse("gpt-6").unwrap_err(), @"it is one of gpt-35-turbo, gpt-4o, gpt-4o-mini, gpt-4.1-mini, o4-mini, gpt-5-mini, gpt-5-nano, gpt-5.1, gpt-5.4-mini, gpt-5.4-nano, or list");
}

#[test]
fn each_kind_refuses_in_the_services_words() {
    let tokens = refusal("gpt-5-mini", json!({ "max_tokens": 100 }));
    assert!(
        tokens.contains("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."),
        "{tokens}"
    );
    let value = refusal("gpt-5-mini", json!({ "temperature": 0 }));
    assert!(
        value.contains("Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported."),
        "{value}"
    );
    let value = refusal("o4-mini", json!({ "temperature": 0.1 }));
    assert!(
        value.contains("Only the default (1) value is supported."),
        "{value}"
    );
    let parameter = refusal("o4-mini", json!({ "logprobs": true }));
    assert!(
        parameter.contains("'logprobs' is not supported with this model."),
        "{parameter}"
    );
    let verbosity = refusal("gpt-5-mini", json!({ "verbosity": "mute" }));
    assert!(
        verbosity.contains("'low', 'medium', and 'high'"),
        "{verbosity}"
    );
    let effort = refusal("gpt-5.1", json!({ "reasoning_effort": "minimal" }));
    assert!(
        effort.contains("Unsupported value: 'reasoning_effort' does not support 'minimal' with this model. Supported values are: 'none', 'low', 'medium', and 'high'."),
        "{effort}"
    );
}

#[test]
fn what_each_kind_takes_passes() {
    for (name, body) in [
        (
            "gpt-4o",
            json!({ "max_tokens": 100, "temperature": 0, "stop": "x" }),
        ),
        (
            "gpt-5-mini",
            json!({ "max_completion_tokens": 100, "temperature": 1, "reasoning_effort": "minimal", "verbosity": "low" }),
        ),
        ("gpt-5.1", json!({ "temperature": 0.2, "top_p": 0.5 })),
    ] {
        let Value::Object(body) = body else { panic!() };
        assert_eq!(deployment(name).check(&body), Ok(()), "{name}");
    }
    assert!(
        refusal(
            "gpt-5.1",
            json!({ "temperature": 0.2, "reasoning_effort": "low" })
        )
        .contains("temperature")
    );
    assert!(refusal("gpt-4o", json!({ "max_tokens": 20_000 })).contains("16384"));
}
