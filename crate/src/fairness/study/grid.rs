//! The prompts of a study: a cell for each occupation, template and group.

use super::{Study, StudyGroup};
use crate::fairness::occupations::with_article;

/// The placeholder for the person in a template.
pub(super) const PERSON: &str = "{person}";

/// An occupation, a template and a group, with their prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cell {
    /// The index of the occupation in the study.
    pub occupation: usize,
    /// The index of the template in the study.
    pub template: usize,
    /// The index of the group in the study.
    pub group: usize,
    /// The prompt.
    pub prompt: String,
}

impl Study {
    /// All cells: by occupation, within an occupation by template, and within that by group.
    pub fn cells(&self) -> Vec<Cell> {
        if let Some(given) = &self.given {
            return given.clone();
        }
        let occupations = 0..self.occupations.len();
        let pairs =
            occupations.flat_map(|job| (0..self.templates.len()).map(move |one| (job, one)));
        let groups = || self.groups.iter().enumerate();
        pairs
            .flat_map(|(job, template)| {
                groups().map(move |(group, who)| (job, template, group, who))
            })
            .filter_map(|(occupation, template, group, who)| {
                let person = person(who, &self.occupations.get(occupation)?.name);
                let text = self.templates.get(template)?;
                Some(Cell {
                    occupation,
                    template,
                    group,
                    prompt: text.replace(PERSON, &with_article(&person)),
                })
            })
            .collect()
    }

    /// The prompts of all cells.
    pub fn prompts(&self) -> Vec<String> {
        self.cells().into_iter().map(|cell| cell.prompt).collect()
    }

    /// The name of a cell: `female nurse`, or just `nurse` for the neutral group; its prompt if
    /// there are several templates.
    pub(crate) fn cell_name(&self, cell: &Cell) -> String {
        if self.templates.len() > 1 {
            return cell.prompt.clone();
        }
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
