//! The display of clusters and workspaces in a notebook.

use super::{Cluster, RunOutput, Workspace};
use crate::display::{MimeBundle, Show, card};

impl Show for Workspace {
    /// Where it is.
    fn mime_bundle(&self) -> MimeBundle {
        card("Databricks workspace", &[("host", self.host().to_owned())])
    }
}

impl Show for Cluster {
    /// What it is, and when it terminates automatically.
    fn mime_bundle(&self) -> MimeBundle {
        let cost = match self.hourly_price() {
            _ if self.workspace().is_practice() => "nothing: this is practice".to_owned(),
            Some(price) => format!("{price}, for as long as it runs"),
            None => "its machine and Databricks units, for as long as it runs".to_owned(),
        };
        let ends = match self.autotermination_minutes() {
            0 => "off: it runs until somebody terminates it".to_owned(),
            minutes => format!("after {minutes} idle minutes"),
        };
        let rows = [
            ("name", self.name().to_owned()),
            ("id", self.id().to_owned()),
            ("workspace", self.workspace().host().to_owned()),
            ("machines", self.node_type().to_owned()),
            ("runtime", self.runtime().to_owned()),
            ("automatic termination", ends),
            ("cost", cost),
        ];
        card("Cluster", &rows)
    }
}

impl Show for RunOutput {
    /// What the notebook returned, and where its page is.
    fn mime_bundle(&self) -> MimeBundle {
        let rows = [("result", self.to_string()), ("page", self.page.clone())];
        card("Run", &rows)
    }
}
