//! The prompts of a study: a cell for each occupation and group.

use super::{Study, StudyGroup};
use crate::fairness::occupations::with_article;

/// The placeholder for the person in a template.
pub(super) const PERSON: &str = "{person}";

/// An occupation and a group, with their prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The index of the occupation in the study.
    pub occupation: usize,
    /// The index of the group in the study.
    pub group: usize,
    /// The prompt.
    pub prompt: String,
}

impl Study {
    /// All cells: by occupation, and within an occupation by group.
    pub fn cells(&self) -> Vec<Cell> {
        if let Some(given) = &self.given {
            return given.clone();
        }
        let occupations = self.occupations.iter().enumerate();
        occupations
            .flat_map(|(occupation, job)| {
                let groups = self.groups.iter().enumerate();
                groups.map(move |(group, who)| Cell {
                    occupation,
                    group,
                    prompt: self
                        .template
                        .replace(PERSON, &with_article(&person(who, &job.name))),
                })
            })
            .collect()
    }

    /// The prompts of all cells.
    pub fn prompts(&self) -> Vec<String> {
        self.cells().into_iter().map(|cell| cell.prompt).collect()
    }

    /// The name of a cell: `female nurse`, or just `nurse` for the neutral group.
    pub(crate) fn cell_name(&self, cell: &Cell) -> String {
        match (
            self.groups.get(cell.group),
            self.occupations.get(cell.occupation),
        ) {
            (Some(group), Some(job)) => person(group, &job.name),
            _ => cell.prompt.clone(),
        }
    }
}

fn person(group: &StudyGroup, occupation: &str) -> String {
    if group.is_neutral() {
        return occupation.to_owned();
    }
    format!("{} {occupation}", group.adjective.trim())
}
