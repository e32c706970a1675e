//! The models of a region, and which of them to deploy: names are never pinned, because models retire.

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::Method;
use serde::Deserialize;

use super::rate_limit::RateLimit;
use super::{Azure, COGNITIVE, PROVIDER, names};
use crate::civil_calendar::date;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime;
use crate::text::sanitize_line;

/// Models that labs ask for, and that are or will be retired. If a region does not list one any more, it
/// is replaced; any other unknown name is a mistake.
const OF_LABS: [&str; 9] = [
    "gpt-35-turbo",
    "gpt-35-turbo-16k",
    "gpt-4",
    "gpt-4-32k",
    "gpt-4o",
    "gpt-4o-mini",
    "gpt-4.1",
    "gpt-4.1-mini",
    "gpt-4.1-nano",
];

/// The kinds of deployments that are paid by the token, in the order in which they are tried.
pub(super) const SKUS: [&str; 3] = ["Standard", "GlobalStandard", "DataZoneStandard"];

/// How many replacements of replacements are followed.
const MAX_HOPS: usize = 8;

/// A model that a region offers.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Model {
    /// Its name, such as `gpt-5-mini`.
    pub name: String,
    /// Its version, such as `2025-08-07`.
    pub version: String,
    /// Whose format it has: `OpenAI`.
    pub format: String,
    /// Its status: `GenerallyAvailable`, `Preview`, `Deprecated` and the like.
    pub status: String,
    /// The day after which every call fails, as `YYYY-MM-DD`, if it is known.
    pub retires: Option<String>,
    /// Whether it takes chat completions.
    pub is_chat: bool,
    /// Whether this version is the one that Azure takes if none is named.
    pub is_default: bool,
    /// The kinds of deployments that it has.
    pub skus: Vec<Sku>,
    pub(super) replacement: Option<String>,
}

/// A kind of deployment.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Sku {
    /// Its name, such as `GlobalStandard`.
    pub name: String,
    /// The quota that it takes, such as `OpenAI.GlobalStandard.gpt-5-mini`.
    pub usage_name: String,
    /// The most capacity that one deployment may have.
    pub maximum: Option<u64>,
    /// What one unit of capacity allows.
    pub rate_limits: Vec<RateLimit>,
}

/// A model in Azure's words.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ModelResponse {
    kind: Option<String>,
    model: Option<ModelProperties>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ModelProperties {
    format: Option<String>,
    name: Option<String>,
    version: Option<String>,
    is_default_version: Option<bool>,
    skus: Option<Vec<SkuResponse>>,
    capabilities: Option<Capabilities>,
    deprecation: Option<Deprecation>,
    lifecycle_status: Option<String>,
    replacement_config: Option<Replacement>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SkuResponse {
    name: Option<String>,
    usage_name: Option<String>,
    capacity: Option<Capacity>,
    rate_limits: Option<Vec<RateLimit>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Capacity {
    maximum: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Capabilities {
    chat_completion: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Deprecation {
    inference: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Replacement {
    target_model_name: Option<String>,
}

impl Model {
    fn from_answer(answer: ModelResponse) -> Option<Self> {
        // The same model is listed for each kind of account.
        if answer.kind.is_some_and(|kind| kind != "OpenAI") {
            return None;
        }
        let shown = |text: Option<String>| sanitize_line(&text.unwrap_or_default(), 120);
        let model = answer.model?;
        let capabilities = model.capabilities.unwrap_or_default();
        let retires = model.deprecation.and_then(|it| it.inference);
        let day = |text: String| text.get(..10).map(|day| sanitize_line(day, 10));
        Some(Self {
            name: model.name.map(|name| sanitize_line(&name, 120))?,
            version: shown(model.version),
            format: shown(model.format),
            status: shown(model.lifecycle_status),
            retires: retires.and_then(day),
            is_chat: capabilities.chat_completion.is_some_and(|it| it == "true"),
            is_default: model.is_default_version.unwrap_or(false),
            skus: model
                .skus
                .unwrap_or_default()
                .into_iter()
                .map(|sku| Sku {
                    name: shown(sku.name),
                    usage_name: shown(sku.usage_name),
                    maximum: sku.capacity.and_then(|capacity| capacity.maximum),
                    rate_limits: sku.rate_limits.unwrap_or_default(),
                })
                .collect(),
            replacement: model.replacement_config.and_then(|it| it.target_model_name),
        })
    }

    /// Whether a new deployment of it can be made and used on this day.
    fn is_deployable(&self, today: &str) -> bool {
        let is_over = self.retires.as_deref().is_some_and(|day| day <= today);
        !is_over && !["Deprecated", "Deprecating", "Retired"].contains(&&*self.status)
    }

    fn has_pay_by_token(&self) -> bool {
        self.skus.iter().any(|sku| SKUS.contains(&&*sku.name))
    }

    /// Whether it can take the place of a lab's model on this day.
    fn is_candidate(&self, today: &str) -> bool {
        self.is_chat && self.is_deployable(today) && self.has_pay_by_token()
    }
}

/// A model to deploy, and the name that was asked for, if it is another one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chosen {
    pub(super) model: Model,
    pub(super) replaces: Option<String>,
}

/// Today's model for this name: itself, or what Azure names as its replacement, or the small model that
/// lives longest.
///
/// # Errors
/// The region has no such model.
pub(super) fn choose(models: &[Model], asked: &str, today: &str) -> Result<Chosen> {
    let of = |name: &str| {
        let same = models.iter().filter(|model| model.name == name);
        let usable = same.filter(|model| model.is_candidate(today));
        usable.max_by_key(|model| (model.is_default, &model.version))
    };
    if let Some(model) = of(asked) {
        return Ok(Chosen {
            model: model.clone(),
            replaces: None,
        });
    }
    let is_known = models.iter().any(|model| model.name == asked);
    if !is_known && !OF_LABS.contains(&asked) {
        return Err(unknown(models, asked, today));
    }
    let mut name = asked.to_owned();
    for _ in 0..MAX_HOPS {
        let next = models.iter().filter(|model| model.name == name);
        let next = next.max_by_key(|model| &model.version);
        let Some(next) = next.and_then(|model| model.replacement.clone()) else {
            break;
        };
        if let Some(model) = of(&next) {
            return Ok(replaced(model, asked));
        }
        name = next;
    }
    let mut alive: Vec<&Model> = models
        .iter()
        .filter(|model| model.is_candidate(today))
        .collect();
    alive.sort_by_key(|model| {
        let size = ["mini", "nano"]
            .iter()
            .position(|size| model.name.contains(size));
        let is_preview = model.status == "Preview";
        let ends = model.retires.clone().unwrap_or_else(|| "9999".to_owned());
        (
            is_preview,
            size.unwrap_or(2),
            std::cmp::Reverse(ends),
            model.name.clone(),
        )
    });
    match alive.first() {
        Some(model) => Ok(replaced(model, asked)),
        None => Err(Error::new(
            ErrorKind::NotFound,
            "the region offers no model for chat completions that is paid by the token",
        )
        .with_hint("choose another region")),
    }
}

fn replaced(model: &Model, asked: &str) -> Chosen {
    Chosen {
        model: model.clone(),
        replaces: Some(asked.to_owned()),
    }
}

fn unknown(models: &[Model], asked: &str, today: &str) -> Error {
    let mut names: Vec<&str> = models
        .iter()
        .filter(|model| model.is_candidate(today))
        .map(|model| model.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(20);
    let hint = match names.is_empty() {
        true => "the region offers no model for chat completions: choose another one".to_owned(),
        false => format!("the region offers {}", names.join(", ")),
    };
    let asked = sanitize_line(asked, 80);
    Error::new(
        ErrorKind::NotFound,
        format!("the region has no model {asked:?}"),
    )
    .with_hint(hint)
}

/// Today, as `YYYY-MM-DD`.
pub(super) fn today() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let days = since.map_or(0, |since| since.as_secs() / 86_400);
    let (year, month, day) = date(days.cast_signed());
    format!("{year:04}-{month:02}-{day:02}")
}

impl Azure {
    /// The models that a region offers, with their quotas and the days on which they retire.
    ///
    /// # Errors
    /// Azure knows no such region, refuses, or can't be reached.
    pub fn models(&self, region: &str) -> Result<Vec<Model>> {
        runtime::wait(self.models_async(region))
    }

    /// Async version of [`models`](Self::models).
    ///
    /// # Errors
    /// As [`models`](Self::models).
    pub fn models_async(
        &self,
        region: &str,
    ) -> impl Future<Output = Result<Vec<Model>>> + Send + 'static {
        let (azure, region) = (self.clone(), super::Region::named(region));
        runtime::run(async move { azure.models_of(&region.names().concat()).await })
    }

    pub(super) async fn models_of(&self, region: &str) -> Result<Vec<Model>> {
        names::REGION.check(region)?;
        let path = ["providers", PROVIDER, "locations", region, "models"];
        let doing = format!("list the models of {region}");
        let call = self.call(Method::GET, &path, COGNITIVE, &doing);
        let answers: Vec<ModelResponse> = self.arm().list(&call, self.polling()).await?;
        Ok(answers.into_iter().filter_map(Model::from_answer).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: &str = "2026-11-28";

    fn model(name: &str, version: &str, retires: &str, status: &str, next: Option<&str>) -> Model {
        Model {
            name: name.to_owned(),
            version: version.to_owned(),
            status: status.to_owned(),
            retires: Some(retires.to_owned()),
            is_chat: true,
            skus: vec![Sku {
                name: "GlobalStandard".to_owned(),
                ..Sku::default()
            }],
            replacement: next.map(str::to_owned),
            ..Model::default()
        }
    }

    fn models() -> Vec<Model> {
        vec![
            model(
                "gpt-35-turbo",
                "0125",
                "2025-11-11",
                "Deprecated",
                Some("gpt-4.1-mini"),
            ),
            model(
                "gpt-4.1-mini",
                "1",
                "2026-10-14",
                "GenerallyAvailable",
                Some("gpt-5-mini"),
            ),
            model("gpt-5-mini", "1", "2027-02-06", "GenerallyAvailable", None),
            model("gpt-5-mini", "2", "2027-02-06", "GenerallyAvailable", None),
            model(
                "gpt-5.4-nano",
                "1",
                "2027-03-18",
                "GenerallyAvailable",
                None,
            ),
            model(
                "gpt-5.4-mini",
                "1",
                "2027-03-18",
                "GenerallyAvailable",
                None,
            ),
            model("gpt-9-mini", "1", "2029-01-01", "Preview", None),
        ]
    }

    fn chosen(asked: &str) -> (String, Option<String>) {
        let chosen = choose(&models(), asked, TODAY).unwrap();
        let model = format!("{} {}", chosen.model.name, chosen.model.version);
        (model, chosen.replaces)
    }

    #[test]
    fn a_retired_model_is_replaced_by_what_azure_names() {
        let asked = Some("gpt-35-turbo".to_owned());
        assert_eq!(chosen("gpt-35-turbo"), ("gpt-5-mini 2".to_owned(), asked));
        assert_eq!(chosen("gpt-5-mini"), ("gpt-5-mini 2".to_owned(), None));
    }

    #[test]
    fn a_model_that_is_listed_nowhere_is_replaced_only_if_a_lab_asks_for_it() {
        let asked = Some("gpt-4o".to_owned());
        assert_eq!(chosen("gpt-4o"), ("gpt-5.4-mini 1".to_owned(), asked));
        let error = choose(&models(), "gpt-mini", TODAY).unwrap_err();
        assert!(
            error.is_not_found() && error.hint().unwrap().contains("gpt-5.4-nano"),
            "{error}"
        );
        assert!(choose(&[], "gpt-4o", TODAY).unwrap_err().hint().is_some());
    }

    #[test]
    fn replacements_in_a_circle_end() {
        let circle = [
            model("gpt-4", "1", "2020-01-01", "Deprecated", Some("gpt-4o")),
            model("gpt-4o", "1", "2020-01-01", "Deprecated", Some("gpt-4")),
        ];
        assert!(choose(&circle, "gpt-4", TODAY).is_err());
    }

    #[test]
    fn today_is_a_day() {
        let today = today();
        assert!(today.len() == 10 && today.starts_with("20"), "{today}");
    }
}
