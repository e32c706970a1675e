//! The display of what is in Azure, in a notebook.

use super::{Azure, DatabricksWorkspace, Deployment, OpenAiAccount};
use crate::display::{MimeBundle, Show, card};
use crate::text::grouped;

impl Show for Azure {
    /// Who is signed in, and where things are made.
    fn mime_bundle(&self) -> MimeBundle {
        let mut rows = vec![
            ("signed in", self.identity()),
            ("subscription", self.subscription().to_string()),
            ("resource group", self.resource_group().to_owned()),
        ];
        if self.is_practice() {
            rows.push((
                "practice",
                "this is not a real cloud, and nothing costs anything".to_owned(),
            ));
        }
        card("Azure", &rows)
    }
}

/// What something costs.
fn cost(azure: &Azure, words: &str) -> String {
    match azure.is_practice() {
        true => "nothing: this is practice".to_owned(),
        false => words.to_owned(),
    }
}

impl Show for OpenAiAccount {
    /// Where it is; never its keys.
    fn mime_bundle(&self) -> MimeBundle {
        let cost = cost(&self.azure, "nothing per hour; tokens are charged");
        let rows = [
            ("name", self.name().to_owned()),
            ("region", self.region().to_owned()),
            ("endpoint", self.endpoint().to_owned()),
            ("cost", cost),
        ];
        card("OpenAI account", &rows)
    }
}

impl Show for Deployment {
    /// Its model and its quota.
    fn mime_bundle(&self) -> MimeBundle {
        let number = |number: Option<u64>| number.map_or("unknown".to_owned(), grouped);
        let mut rows = vec![
            ("name", self.name().to_owned()),
            ("model", format!("{} {}", self.model(), self.version())),
        ];
        if let Some(asked) = self.replaces() {
            rows.push(("replaces", format!("{asked}, which is retired")));
        }
        if let Some(day) = self.retires() {
            rows.push(("retires", day.to_owned()));
        }
        rows.extend([
            ("kind", self.sku().to_owned()),
            ("tokens per minute", number(self.tokens_per_minute())),
            ("requests per minute", number(self.requests_per_minute())),
            ("account", self.account().name().to_owned()),
        ]);
        card("Deployment", &rows)
    }
}

impl Show for DatabricksWorkspace {
    /// Where it is.
    fn mime_bundle(&self) -> MimeBundle {
        let cost = cost(
            &self.azure,
            "by the hour, what Azure puts into its managed group; clusters while they run",
        );
        let rows = [
            ("name", self.name().to_owned()),
            ("region", self.region().to_owned()),
            ("host", self.host().to_owned()),
            ("cost", cost),
        ];
        card("Databricks workspace", &rows)
    }
}
