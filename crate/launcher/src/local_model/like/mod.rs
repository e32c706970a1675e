//! The deployments that the local model can imitate: which parameters each accepts and refuses,
//! and how much it thinks. They are data (`deployments.json`), with the source of each fact.
//!
//! This module checks what a deployment refuses; `thinking` determines how much it thinks.

mod thinking;

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::api_error::ApiError;
pub(crate) use thinking::tokens as thinking_tokens;

const TABLE: &str = include_str!("deployments.json");

/// The argument of `--like`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Like {
    /// Shows the table.
    List,
    Deployment(&'static Deployment),
}

/// How a deployment behaves towards its callers.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deployment {
    pub(crate) name: String,
    /// The field `model` of its answers.
    pub(crate) answers_as: String,
    /// If not, only `max_completion_tokens` limits an answer.
    takes_max_tokens: bool,
    /// Parameters that it refuses.
    refused: Vec<String>,
    /// Parameters that it accepts only with their default.
    fixed: Vec<String>,
    /// The values of `reasoning_effort`; empty if it does not think.
    efforts: Vec<String>,
    default_effort: Option<String>,
    /// At the effort `none`, the fixed parameters may have any value.
    samples_at_effort_none: bool,
    /// Accepts `verbosity`.
    #[serde(default)]
    takes_verbosity: bool,
    context: u64,
    most_output: u64,
    retires: String,
    sources: Vec<String>,
}

#[derive(Deserialize)]
struct Table {
    deployments: Vec<Deployment>,
}

/// All deployments. A test ensures that the table can be read.
fn all() -> &'static [Deployment] {
    static ALL: LazyLock<Vec<Deployment>> = LazyLock::new(|| {
        let table = serde_json::from_str(TABLE);
        table.map_or_else(|_| Vec::new(), |table: Table| table.deployments)
    });
    &ALL
}

/// The value of `--like`.
pub(crate) fn parse(name: &str) -> Result<Like, String> {
    if name == "list" {
        return Ok(Like::List);
    }
    let known = all().iter().find(|known| known.name == name);
    known.map(Like::Deployment).ok_or_else(|| {
        let names: Vec<_> = all().iter().map(|known| known.name.as_str()).collect();
        format!("it is one of {}, or list", names.join(", "))
    })
}

/// The table as text.
pub(crate) fn list() -> String {
    let mut lines = vec![format!(
        "{:<14} {:<22} {:<36} {:>9} {:>8}  {}",
        "name",
        "limit of an answer",
        "reasoning_effort (default first)",
        "context",
        "output",
        "retires"
    )];
    for one in all() {
        let limit = match one.takes_max_tokens {
            true => "max_tokens",
            false => "max_completion_tokens",
        };
        let default = one.default_effort.iter();
        let others = one
            .efforts
            .iter()
            .filter(|effort| Some(*effort) != one.default_effort.as_ref());
        let efforts: Vec<_> = default.chain(others).map(String::as_str).collect();
        lines.push(format!(
            "{:<14} {limit:<22} {:<36} {:>9} {:>8}  {}",
            one.name,
            efforts.join(", "),
            one.context,
            one.most_output,
            one.retires
        ));
    }
    lines.push("The text of the answers is always the local model's.".to_owned());
    lines.join("\n")
}

impl Deployment {
    pub(crate) fn thinks(&self) -> bool {
        !self.efforts.is_empty()
    }

    /// The effort of a request: its own, or else the default.
    pub(crate) fn effort<'a>(&'a self, given: &'a Map<String, Value>) -> Option<&'a str> {
        let asked = given.get("reasoning_effort").and_then(Value::as_str);
        asked.or(self.default_effort.as_deref())
    }

    /// Whether it knows a parameter that other deployments do not.
    pub(crate) fn knows(&self, parameter: &str) -> bool {
        match parameter {
            "reasoning_effort" => self.thinks(),
            "verbosity" => self.takes_verbosity,
            _ => false,
        }
    }

    /// Checks a request.
    ///
    /// # Errors
    /// The deployment refuses a parameter or its value; the error has the service's wording.
    pub(crate) fn check(&self, given: &Map<String, Value>) -> Result<(), ApiError> {
        if !self.takes_max_tokens && given.contains_key("max_tokens") {
            return Err(ApiError::unsupported_parameter(
                "max_tokens",
                " Use 'max_completion_tokens' instead.",
            ));
        }
        if let Some(refused) = self.refused.iter().find(|name| given.contains_key(*name)) {
            return Err(ApiError::unsupported_parameter(refused, ""));
        }
        self.check_effort(given)?;
        if let Some(value) = given.get("verbosity").filter(|_| self.takes_verbosity)
            && !["low", "medium", "high"].iter().any(|known| value == known)
        {
            let words = "Supported values are: 'low', 'medium', and 'high'.";
            return Err(ApiError::unsupported_value("verbosity", value, words));
        }
        let is_free = self.samples_at_effort_none && self.effort(given) == Some("none");
        for name in self.fixed.iter().filter(|_| !is_free) {
            let default = match name.as_str() {
                "temperature" | "top_p" => 1,
                _ => 0,
            };
            if let Some(value) = given.get(name)
                && value.as_f64() != Some(f64::from(default))
            {
                return Err(ApiError::unsupported_value(
                    name,
                    value,
                    &format!("Only the default ({default}) value is supported."),
                ));
            }
        }
        for name in ["max_tokens", "max_completion_tokens"] {
            let asked = given.get(name).and_then(Value::as_u64);
            if let Some(asked) = asked.filter(|asked| *asked > self.most_output) {
                return Err(ApiError::too_many_tokens(name, asked, self.most_output));
            }
        }
        Ok(())
    }

    fn check_effort(&self, given: &Map<String, Value>) -> Result<(), ApiError> {
        let Some(effort) = given.get("reasoning_effort").filter(|_| self.thinks()) else {
            return Ok(());
        };
        if effort
            .as_str()
            .is_some_and(|effort| self.efforts.iter().any(|known| known == effort))
        {
            return Ok(());
        }
        let words = format!("Supported values are: {}.", listed(&self.efforts));
        Err(ApiError::unsupported_value(
            "reasoning_effort",
            effort,
            &words,
        ))
    }
}

/// `'none', 'low', 'medium', and 'high'`
fn listed(values: &[String]) -> String {
    let quoted: Vec<_> = values.iter().map(|value| format!("'{value}'")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{}, and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

#[cfg(test)]
mod tests;
