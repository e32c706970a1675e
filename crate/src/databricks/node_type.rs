//! The kinds of machines of a workspace, and which one the lab takes.

use serde::Deserialize;

use super::workspace::Workspace;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime;
use crate::text::sanitize_line;

/// The lab's kind of machine.
pub(crate) const OF_THE_LAB: &str = "Standard_D4ds_v5";

/// The fewest cores and the least memory, in MB, of the smallest machine that will do.
const CORES: f64 = 4.0;
const MEMORY: u64 = 14 * 1024;

/// A kind of machine.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct NodeType {
    /// Its name, such as `Standard_D4ds_v5`.
    pub id: String,
    /// How many cores it has.
    pub cores: f64,
    /// Its memory in MB.
    pub memory_mb: u64,
    /// Whether it can be had: neither deprecated nor closed to the subscription or the region.
    pub is_available: bool,
    has_gpu: bool,
    has_arm: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Listed {
    node_types: Vec<NodeTypeResponse>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NodeTypeResponse {
    node_type_id: String,
    num_cores: f64,
    memory_mb: u64,
    num_gpus: u64,
    is_deprecated: bool,
    is_hidden: bool,
    is_graviton: bool,
    node_info: Option<NodeInfo>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NodeInfo {
    status: Vec<String>,
}

impl NodeType {
    fn from_answer(answer: NodeTypeResponse) -> Self {
        let status = answer.node_info.unwrap_or_default().status;
        let is_closed = |status: &String| {
            status.starts_with("NotEnabled") || status.starts_with("NotAvailable")
        };
        Self {
            id: sanitize_line(&answer.node_type_id, 80),
            cores: answer.num_cores,
            memory_mb: answer.memory_mb,
            is_available: !answer.is_deprecated
                && !answer.is_hidden
                && !status.iter().any(is_closed),
            has_gpu: answer.num_gpus > 0,
            has_arm: answer.is_graviton,
        }
    }
}

/// The lab's kind of machine, or the smallest that will do.
///
/// # Errors
/// The workspace has none.
pub(super) fn of_the_lab(types: &[NodeType]) -> Result<NodeType> {
    let available = || {
        types
            .iter()
            .filter(|it| it.is_available && !it.has_gpu && !it.has_arm)
    };
    if let Some(usual) = available().find(|it| it.id == OF_THE_LAB) {
        return Ok(usual.clone());
    }
    let enough = available().filter(|it| it.cores >= CORES && it.memory_mb >= MEMORY);
    let smallest = enough.min_by(|one, other| {
        let size = |it: &NodeType| (it.cores, it.memory_mb);
        let by_size = size(one).partial_cmp(&size(other));
        by_size
            .unwrap_or(std::cmp::Ordering::Equal)
            .then_with(|| one.id.cmp(&other.id))
    });
    smallest.cloned().ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            "the workspace has no machine with 4 cores that the subscription may have",
        )
        .with_hint("in a notebook, `.node_type(\"..\")` names one; another region may have more; or use serverless compute")
    })
}

impl Workspace {
    /// The kinds of machines of the workspace.
    ///
    /// # Errors
    /// The workspace refuses or can't be reached.
    pub fn node_types(&self) -> Result<Vec<NodeType>> {
        runtime::wait(self.node_types_async())
    }

    /// Async version of [`node_types`](Self::node_types).
    ///
    /// # Errors
    /// As [`node_types`](Self::node_types).
    pub fn node_types_async(&self) -> impl Future<Output = Result<Vec<NodeType>>> + Send + 'static {
        let workspace = self.clone();
        runtime::run(async move { workspace.all_node_types().await })
    }

    pub(super) async fn all_node_types(&self) -> Result<Vec<NodeType>> {
        let listed: Listed = self
            .rest
            .get("/api/2.1/clusters/list-node-types", &[])
            .await?;
        Ok(listed
            .node_types
            .into_iter()
            .map(NodeType::from_answer)
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: &str, cores: f64, memory_mb: u64, status: &str) -> NodeType {
        NodeType::from_answer(NodeTypeResponse {
            node_type_id: id.to_owned(),
            num_cores: cores,
            memory_mb,
            node_info: Some(NodeInfo {
                status: vec![status.to_owned()],
            }),
            ..NodeTypeResponse::default()
        })
    }

    #[test]
    fn the_labs_machine_is_taken_or_the_smallest_that_can_be_had() {
        let big = node("Standard_D8", 8.0, 32_768, "");
        let small = node("Standard_D4as_v5", 4.0, 16_384, "");
        let tiny = node("Standard_F4", 4.0, 8_192, "");
        let usual = node(OF_THE_LAB, 4.0, 16_384, "");
        let closed = node(OF_THE_LAB, 4.0, 16_384, "NotEnabledOnSubscription");
        let id = |types: &[NodeType]| of_the_lab(types).map(|it| it.id);
        assert_eq!(
            id(&[big.clone(), tiny.clone(), small.clone(), usual]).unwrap(),
            OF_THE_LAB
        );
        assert_eq!(
            id(&[big, tiny.clone(), closed, small]).unwrap(),
            "Standard_D4as_v5"
        );
        assert!(id(&[tiny]).unwrap_err().hint().is_some());
    }
}
