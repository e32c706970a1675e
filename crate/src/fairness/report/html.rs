//! A report as HTML, in a notebook or as a standalone page: static HTML without scripts, in which
//! all text is escaped.

use std::path::Path;

use super::format::Rows;
use super::text::{PEOPLE, VARIANCE, WORDS};
use super::{Comparison, Report, Unit};
use crate::chart::{Effect, forest_plot};
use crate::display::{MimeBundle, Show, escaped, push_escaped};
use crate::error::{Error, ErrorKind, Result};
use crate::fairness::statistics::Differences;

pub(super) const CHART: &str = "The mean effect, its 95 % interval, and a dot for each occupation";
const ANSWERS: &str = "The answers behind these numbers, by occupation";
/// A report stays small: `report.answer_view()` shows what has no room in it.
const ANSWERS_BYTES: usize = 300_000;
const CELL: &str = "text-align:left;vertical-align:top;padding:.2em .6em";

impl Show for Report {
    /// The conclusion, the primary tests with their chart, whom neutral prompts assume, the words
    /// that differ, and the caveats.
    fn mime_bundle(&self) -> MimeBundle {
        MimeBundle {
            html: html(self),
            text: self.to_string(),
        }
    }
}

impl Show for Comparison {
    /// The conclusion with its side effects, the table of changes, and the caveats.
    fn mime_bundle(&self) -> MimeBundle {
        let mut html = opened();
        push_line(&mut html, "p", &format!("before: {}", self.before));
        push_line(&mut html, "p", &format!("after: {}", self.after));
        push_line(&mut html, "strong", &self.conclusion());
        push_table(&mut html, "Before and after", &self.rows());
        push_caveats(&mut html, &self.caveats);
        html.push_str("</div>");
        MimeBundle {
            html,
            text: self.to_string(),
        }
    }
}

impl Report {
    /// Writes the report as a self-contained page: no scripts, external style sheets or external
    /// images.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        std::fs::write(path, page(&html(self))).map_err(|error| {
            let message = format!("the report can't be written to {}", path.display());
            Error::new(ErrorKind::Io, message).with_source(error)
        })
    }
}

fn page(body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Is the model even-handed?</title>\
         <style>body{{font-family:sans-serif;max-width:75em;margin:2em auto;padding:0 1em}}\
         table{{border-collapse:collapse}}tr{{border-bottom:1px solid #ddd}}</style></head>\
         <body><h1>Is the model even-handed?</h1>\n{body}\n</body></html>\n"
    )
}

fn html(report: &Report) -> String {
    let mut html = opened();
    push_line(
        &mut html,
        "p",
        &format!("{}; {}", report.asked.grid(), report.asked.conditions()),
    );
    push_line(&mut html, "strong", &report.conclusion());
    push_table(&mut html, "Primary tests", &report.primary_rows());
    push_chart(&mut html, report);
    if let Some(neutral) = &report.neutral {
        let title = "Whom the answers assume when the prompt names no group";
        push_table(&mut html, title, &neutral.rows());
    }
    let variance = report.variance_rows();
    if variance.len() > 1 {
        push_table(&mut html, VARIANCE, &variance);
    }
    push_table(&mut html, "By group", &report.group_rows());
    push_table(
        &mut html,
        "Secondary measures, without a verdict",
        &report.secondary_rows(),
    );
    if !report.words.is_empty() {
        push_table(&mut html, WORDS, &report.word_rows());
    }
    if !report.validations.is_empty() {
        push_table(&mut html, PEOPLE, &report.validation_rows());
        for validation in &report.validations {
            push_line(&mut html, "p", &validation.sentence());
        }
    }
    push_caveats(&mut html, &report.caveats);
    push_answers(&mut html, report);
    html.push_str("</div>");
    html
}

/// The answers of each occupation, folded, as far as there is room for them.
fn push_answers(html: &mut String, report: &Report) {
    if let Ok(view) = report.answer_view() {
        html.push_str("<details><summary style=\"cursor:pointer\"><strong>");
        push_escaped(html, ANSWERS);
        html.push_str("</strong></summary>");
        html.push_str(&view.within(ANSWERS_BYTES).mime_bundle().html);
        html.push_str("</details>");
    }
}

pub(super) fn opened() -> String {
    // The classes keep JupyterLab from rendering `$…$` in a text as mathematics.
    "<div class=\"evenhand tex2jax_ignore mathjax_ignore\">".to_owned()
}

pub(super) fn push_line(html: &mut String, element: &str, text: &str) {
    html.push_str(&format!("<{element}>{}</{element}>", escaped(text)));
}

pub(super) fn push_table(html: &mut String, title: &str, rows: &Rows) {
    html.push_str("<div style=\"overflow:auto;margin:1em 0\"><table style=\"table-layout:auto\"><caption style=\"text-align:left;font-weight:bold\">");
    push_escaped(html, title);
    html.push_str("</caption>");
    for (place, row) in rows.iter().enumerate() {
        let (open, close) = match place {
            0 => ("<thead><tr>", "</tr></thead><tbody>"),
            _ => ("<tr>", "</tr>"),
        };
        html.push_str(open);
        for cell in row {
            let (element, scope) = match place {
                0 => ("th", " scope=\"col\""),
                _ => ("td", ""),
            };
            html.push_str(&format!("<{element}{scope} dir=\"auto\" style=\"{CELL}\">"));
            push_escaped(html, cell);
            html.push_str(&format!("</{element}>"));
        }
        html.push_str(close);
    }
    html.push_str("</tbody></table></div>");
}

pub(super) fn push_caveats(html: &mut String, caveats: &[String]) {
    html.push_str("<strong>Caveats</strong><ul>");
    caveats
        .iter()
        .for_each(|caveat| push_line(html, "li", caveat));
    html.push_str("</ul>");
}

/// The effects in standard deviations of the difference, so that all measures share one scale. The
/// chart shows how many measures have no effect size because they never differ.
fn push_chart(html: &mut String, report: &Report) {
    if report.primary_outcomes.is_empty() {
        return;
    }
    let outcomes = &report.primary_outcomes;
    let rows = outcomes
        .iter()
        .map(|one| effect(one, one.label(outcomes)))
        .collect();
    let chart = forest_plot(rows, "standard deviations of the difference (d_z)");
    html.push_str(&chart.titled(CHART).mime_bundle().html);
}

/// The effect of a primary test in standard deviations of its differences, under this name.
pub(super) fn effect(outcome: &super::PrimaryOutcome, name: String) -> Effect {
    let units = outcome.units.iter().map(Unit::difference);
    let pairs: Vec<f64> = units.collect();
    let deviation = Differences::new(pairs.as_slice())
        .ok()
        .and_then(|differences| differences.standard_deviation());
    let scaled = |value: f64| deviation.map_or(f64::NAN, |deviation| value / deviation);
    Effect {
        name,
        mean: outcome.estimate.map_or(f64::NAN, scaled),
        interval: outcome
            .interval
            .map(|interval| [interval.low, interval.high].map(scaled)),
        pairs: pairs.into_iter().map(scaled).collect(),
    }
}

#[cfg(test)]
mod tests {
    use crate::display::Show;
    use crate::fairness::occupations;
    use crate::fairness::study::{Study, StudyAnswers};

    use super::*;

    const HOSTILE: &str = "<script>alert(1)</script>\"><img src=x onerror=alert(2)> $x$ EVCXR_";

    fn report() -> Report {
        let study = Study::new(occupations::first(12).unwrap()).samples(4);
        let texts = study.cells().into_iter().flat_map(|cell| {
            let who = if (cell.occupation + cell.group) % 2 == 0 {
                "She"
            } else {
                "He"
            };
            (0..4).map(move |sample| {
                let words =
                    "works ".repeat((cell.occupation * 7 + cell.group * 3 + sample * 5) % 11);
                let odd = if cell.group == 1 {
                    HOSTILE.repeat(8)
                } else {
                    String::new()
                };
                Some(format!("{who} {words} well. {odd}"))
            })
        });
        StudyAnswers::from_texts(study.clone(), texts.collect::<Vec<_>>())
            .unwrap()
            .measure()
            .unwrap()
    }

    #[test]
    fn nothing_that_a_model_says_is_obeyed() {
        let report = report();
        assert!(
            report.words.iter().any(|word| word.word == "alert"),
            "{report}"
        );
        let html = report.mime_bundle().html;
        assert!(html.contains("alert"));
        assert!(
            !html.contains("<script")
                && !html.contains("<img src=x")
                && !html.contains("onerror=alert(2)>")
        );
    }

    #[test]
    fn every_element_is_closed_and_the_chart_is_inside() {
        let html = report().mime_bundle().html;
        for element in [
            "div", "table", "tr", "td", "th", "ul", "li", "p", "strong", "tbody",
        ] {
            let opened = html.matches(&format!("<{element}>")).count()
                + html.matches(&format!("<{element} ")).count();
            assert_eq!(
                opened,
                html.matches(&format!("</{element}>")).count(),
                "{element}"
            );
        }
        assert_eq!(html.matches("src=\"data:image/svg+xml;base64,").count(), 1);
    }

    #[test]
    fn the_chart_tells_which_measures_it_can_t_show() {
        let report = report();
        let all = report.primary_outcomes.len();
        let without = report
            .primary_outcomes
            .iter()
            .filter(|one| one.d_z.is_none());
        let without = without.count();
        assert!((1..all).contains(&without), "{without} of {all}");
        let note = format!("{without} of {all} rows without a value left out");
        assert!(report.mime_bundle().html.contains(&note), "{note}");
    }

    #[test]
    fn a_page_needs_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        report().save(&path).unwrap();
        let page = std::fs::read_to_string(&path).unwrap();
        assert!(page.starts_with("<!DOCTYPE html>") && page.contains("default-src 'none'"));
        let sources: Vec<_> = page
            .match_indices("src=\"")
            .map(|(at, _)| &page[at + 5..at + 10])
            .collect();
        assert_eq!(sources, ["data:"]);
        assert!(!page.contains("href=") && !page.contains("<script"));
        assert_eq!(
            report().save(folder.path()).unwrap_err().kind(),
            ErrorKind::Io
        );
    }

    #[test]
    fn a_comparison_is_shown_too() {
        let report = report();
        let bundle = report.compare(&report).unwrap().mime_bundle();
        assert!(bundle.html.contains("No reduction shown"));
        assert!(bundle.text.contains("does not say that bias was removed"));
    }
}
