//! A study and its answers in a notebook.

use polars::prelude::DataFrame;

use super::{Cell, Reply, Study, StudyAnswers};
use crate::display::{MimeBundle, Show, escaped};
use crate::error::Result;
use crate::fairness::data_frame::{column, frame};

impl Show for Study {
    /// The size of the study, and its warnings.
    fn mime_bundle(&self) -> MimeBundle {
        preformatted(self.to_string())
    }
}

impl Show for StudyAnswers {
    /// The answers, each with its occupation and group.
    fn mime_bundle(&self) -> MimeBundle {
        match self.to_frame() {
            Ok(frame) => frame.mime_bundle(),
            Err(error) => preformatted(error.message().to_owned()),
        }
    }
}

impl StudyAnswers {
    /// All samples: `occupation`, `template`, `group`, `prompt`, `sample`, `answer`, and `error` if
    /// any answer is missing.
    ///
    /// # Errors
    /// None that a user could cause.
    pub fn to_frame(&self) -> Result<DataFrame> {
        let samples = self.study().samples as usize;
        let cells = self.study().cells();
        let replies = self.replies().chunks(samples.max(1));
        let rows: Vec<(&Cell, usize, &Reply)> = cells
            .iter()
            .zip(replies)
            .flat_map(|(cell, replies)| {
                let replies = replies.iter().enumerate();
                replies.map(move |(sample, reply)| (cell, sample, reply))
            })
            .collect();
        let occupation = |cell: &Cell| self.study().occupations.get(cell.occupation);
        let group = |cell: &Cell| self.study().groups.get(cell.group);
        let names = rows
            .iter()
            .map(|(cell, ..)| occupation(cell).map(|job| job.name.as_str()));
        let groups = rows
            .iter()
            .map(|(cell, ..)| group(cell).map(|group| group.name.as_str()));
        let prompts = rows.iter().map(|(cell, ..)| cell.prompt.as_str());
        let templates = rows.iter().map(|(cell, ..)| {
            let template = self.study().templates.get(cell.template);
            template.map(String::as_str)
        });
        let mut columns = vec![
            column("occupation", names.collect::<Vec<_>>()),
            column("template", templates.collect::<Vec<_>>()),
            column("group", groups.collect::<Vec<_>>()),
            column("prompt", prompts.collect::<Vec<_>>()),
            column(
                "sample",
                rows.iter()
                    .map(|(_, sample, _)| *sample as u32)
                    .collect::<Vec<_>>(),
            ),
            column(
                "answer",
                rows.iter()
                    .map(|(.., reply)| reply.as_deref().ok())
                    .collect::<Vec<_>>(),
            ),
        ];
        if self.replies().iter().any(Result::is_err) {
            let errors = rows
                .iter()
                .map(|(.., reply)| reply.as_ref().err().map(String::as_str));
            columns.push(column("error", errors.collect::<Vec<_>>()));
        }
        frame(rows.len(), columns)
    }
}

fn preformatted(text: String) -> MimeBundle {
    let html = format!(
        "<div class=\"evenhand tex2jax_ignore mathjax_ignore\" style=\"white-space:pre-wrap\">{}</div>",
        escaped(&text)
    );
    MimeBundle { html, text }
}
