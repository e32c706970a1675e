//! An answer view as static HTML: a table that is complete without any script.

use super::AnswerView;
use super::annotated::Annotated;
use super::pieces::Piece;
use super::show::{Answer, Selection, ShownCell, Tally, cells, ending, letters, shared_prompt};
use crate::display::{escaped, push_escaped};
use crate::text::{counted, grouped};

/// At this size no further rows and samples are written.
pub(super) const MAX_BYTES: usize = 1_800_000;

/// An answer with more bytes than this is folded, and its beginning up to the second number shown.
const FOLDS: usize = 1_200;
const FOLDED: usize = 700;

/// The longest title or heading, in characters.
const NAME: usize = 200;

const CELL: &str =
    "text-align:left;vertical-align:top;padding:.4em .6em;white-space:pre-wrap;max-width:60em";
const NAMED: &str = "text-align:left;vertical-align:top;padding:.4em .6em;font-weight:normal;min-width:5em;max-width:16em";
const QUIET: &str = "opacity:.75";

/// The underlines of the groups, in their order. JupyterLab keeps borders in an untrusted notebook,
/// and no other kind of underline.
const LINES: [&str; 4] = ["2px solid", "3px double", "2px dotted", "2px dashed"];

/// How the words of a group are marked.
struct Mark {
    name: String,
    letter: String,
    line: &'static str,
}

/// The HTML that is being written, and how the words of the groups are marked.
struct Page {
    html: String,
    marks: Vec<Mark>,
    /// Whether what is written now is in bold.
    is_bold: bool,
    /// At this size, the rest of the samples of a cell is left out.
    end_of_cell: usize,
    /// Whether samples were left out.
    is_cut: bool,
}

pub(super) fn html(view: &AnswerView, selection: &Selection<'_>) -> String {
    let groups = view.lexicon.groups().iter().zip(letters(&view.lexicon));
    let marks = groups
        .zip(LINES.iter().cycle())
        .map(|((group, letter), line)| Mark {
            name: escaped(shortened(&group.name)),
            letter: escaped(&letter),
            line,
        });
    let mut page = Page {
        html: String::new(),
        marks: marks.collect(),
        is_bold: false,
        end_of_cell: 0,
        is_cut: false,
    };
    let mut tallies = vec![Tally::new(page.marks.len()); selection.columns.len()];
    let mut shown = 0;
    for row in &selection.rows {
        if page.html.len() >= view.most_bytes {
            break;
        }
        let cells = cells(row, &selection.columns, view);
        let is_only = selection.rows.len() == 1;
        let before = page.html.len();
        page.push_row(&row.name, &row.notes, &cells, is_only, view.most_bytes);
        if page.is_cut && shown > 0 {
            // The next output has more room for it.
            page.html.truncate(before);
            break;
        }
        for (tally, cell) in tallies.iter_mut().zip(&cells) {
            tally.add_all(cell.as_ref().map(|cell| &*cell.answers).unwrap_or_default());
        }
        shown += 1;
    }
    let body = std::mem::take(&mut page.html);
    page.push_opening(view, selection, &tallies);
    page.html.push_str(&body);
    page.html.push_str("</tbody></table></div>");
    page.push_closing(view, selection, shown);
    page.html
}

impl Page {
    fn push_opening(&mut self, view: &AnswerView, selection: &Selection<'_>, tallies: &[Tally]) {
        let title = view.title.as_deref();
        let label = escaped(shortened(title.unwrap_or("Answers side by side")));
        self.html.push_str(&format!(
            "<div class=\"evenhand evenhand-reading tex2jax_ignore mathjax_ignore\" style=\"margin-bottom:1em\"><div role=\"group\" tabindex=\"0\" aria-label=\"{label}\" style=\"overflow:auto\"><table style=\"table-layout:auto\">"
        ));
        if title.is_some() {
            self.html.push_str(&format!(
                "<caption style=\"caption-side:top;text-align:left;font-weight:bold\">{label}</caption>"
            ));
        }
        self.html
            .push_str(&format!("<thead><tr><td style=\"{NAMED}\"></td>"));
        for (column, tally) in selection.columns.iter().zip(tallies) {
            let heading = view
                .headings
                .get(*column)
                .map_or("", |heading| shortened(heading));
            self.html
                .push_str(&format!("<th scope=\"col\" dir=\"auto\" style=\"{CELL}\">"));
            push_escaped(&mut self.html, heading);
            self.html.push_str(&format!(
                "<div style=\"font-weight:normal\">{}",
                tally.counted()
            ));
            for (group, mark) in self.marks.iter().enumerate() {
                self.html.push_str(&format!(
                    "<br>{}: {}",
                    mark.around(&mark.name),
                    tally.of_group(group)
                ));
            }
            self.html.push_str("</div></th>");
        }
        self.html.push_str("</tr></thead><tbody>");
    }

    fn push_row(
        &mut self,
        name: &str,
        notes: &[String],
        cells: &[Option<ShownCell<'_>>],
        is_only: bool,
        most_bytes: usize,
    ) {
        let shared = shared_prompt(cells);
        self.html.push_str(&format!(
            "<tr><th scope=\"row\" dir=\"auto\" style=\"{NAMED}\"><strong>"
        ));
        push_escaped(&mut self.html, shortened(name));
        self.html.push_str("</strong>");
        if let Some(prompt) = shared {
            self.html.push_str("<br>");
            self.push_prompt(prompt);
        }
        for note in notes {
            self.html.push_str("<br>");
            push_escaped(&mut self.html, note);
        }
        self.html.push_str("</th>");
        for (place, cell) in cells.iter().enumerate() {
            let room = most_bytes.saturating_sub(self.html.len());
            self.end_of_cell = self.html.len() + room / (cells.len() - place);
            self.html
                .push_str(&format!("<td dir=\"auto\" style=\"{CELL}\">"));
            match cell {
                None => self.html.push_str(&quiet("nothing was asked here")),
                Some(cell) => self.push_cell(cell, shared.is_none(), is_only),
            }
            self.html.push_str("</td>");
        }
        self.html.push_str("</tr>");
    }

    fn push_cell(&mut self, cell: &ShownCell<'_>, with_prompt: bool, is_only: bool) {
        if with_prompt {
            self.html.push_str(&format!("<div style=\"{QUIET}\">"));
            self.push_prompt(cell.prompt);
            self.html.push_str("</div>");
        }
        let Some((first, rest)) = cell.answers.split_first() else {
            return self.html.push_str(&quiet("no answer"));
        };
        if rest.is_empty() {
            return self.push_answer(first);
        }
        if is_only {
            return self.push_list(&cell.answers, 1);
        }
        self.push_answer(first);
        let more = counted(rest.len(), "more sample");
        self.html.push_str(&format!(
            "<details><summary style=\"cursor:pointer\">{more}{}</summary>",
            self.words_of(rest)
        ));
        self.push_list(rest, 2);
        self.html.push_str("</details>");
    }

    fn push_list(&mut self, answers: &[Answer<'_>], from: usize) {
        self.html.push_str(&format!(
            "<ol start=\"{from}\" style=\"white-space:normal\">"
        ));
        let mut left_out = answers.len();
        for answer in answers {
            if self.html.len() >= self.end_of_cell {
                break;
            }
            left_out -= 1;
            self.html
                .push_str("<li dir=\"auto\" style=\"white-space:pre-wrap\">");
            self.push_answer(answer);
            self.html.push_str("</li>");
        }
        self.html.push_str("</ol>");
        if left_out > 0 {
            self.is_cut = true;
            let samples = counted(left_out, "more sample");
            self.html
                .push_str(&quiet(&format!("… and {samples} than an output holds")));
        }
    }

    /// The number of words of each group in folded answers: `; female 3, male 1`.
    fn words_of(&self, answers: &[Answer<'_>]) -> String {
        let mut tally = Tally::new(self.marks.len());
        tally.add_all(answers);
        let groups = self.marks.iter().zip(&tally.words);
        let groups = groups.filter(|(_, [words, _])| *words > 0);
        let named: Vec<_> = groups
            .map(|(mark, [words, _])| format!("{} {}", mark.name, grouped(*words as u64)))
            .collect();
        match named.is_empty() {
            true => String::new(),
            false => format!(": {}", named.join(", ")),
        }
    }

    fn push_prompt(&mut self, prompt: &str) {
        let shown = shortened(prompt);
        push_escaped(&mut self.html, shown);
        if shown.len() < prompt.len() {
            self.html.push('…');
        }
    }

    fn push_answer(&mut self, answer: &Answer<'_>) {
        let (answer, pieces, cut) = match answer {
            Answer::Missing(reason) => {
                let reason = escaped(shortened(reason));
                return self.html.push_str(&quiet(&format!("no answer: {reason}")));
            }
            Answer::Pieces {
                answer,
                pieces,
                cut,
            } => (answer, pieces, *cut),
        };
        let fold = (answer.text.len() > FOLDS).then(|| fold(answer));
        if fold.is_some() {
            self.html
                .push_str("<details><summary style=\"cursor:pointer\">");
        }
        let mut folded = false;
        for piece in pieces {
            let Piece::Text {
                range,
                group,
                differs,
            } = piece
            else {
                self.push_omitted(piece);
                continue;
            };
            let (start, end) = (range.start, range.end);
            match fold.filter(|fold| !folded && *fold < end) {
                Some(fold) => {
                    folded = true;
                    let fold = fold.max(start);
                    self.push_text(&answer.text[start..fold], *group, *differs);
                    self.set_bold(false);
                    self.html
                        .push_str(&format!("{}</summary>", quiet(" … more")));
                    self.push_text(&answer.text[fold..end], *group, *differs);
                }
                None => self.push_text(&answer.text[start..end], *group, *differs),
            }
        }
        self.set_bold(false);
        if fold.is_some() && !folded {
            self.html.push_str("</summary>");
        }
        for note in ending(answer, cut) {
            self.html
                .push_str(&quiet(&format!(" [{}]", escaped(&note))));
        }
        if fold.is_some() {
            self.html.push_str("</details>");
        }
    }

    fn push_omitted(&mut self, piece: &Piece) {
        if let Piece::Omitted(words) = piece {
            self.set_bold(false);
            let words = counted(*words, "word");
            self.html
                .push_str(&quiet(&format!(" [… {words} the same …] ")));
        }
    }

    fn push_text(&mut self, text: &str, group: Option<usize>, differs: bool) {
        if text.is_empty() {
            return;
        }
        let text = escaped(text);
        self.set_bold(differs);
        match group.and_then(|group| self.marks.get(group)) {
            Some(mark) => self.html.push_str(&mark.around(&text)),
            None => self.html.push_str(&text),
        }
    }

    /// Begins or ends what is in bold. A browser takes longest over the number of elements, so that pieces
    /// share one.
    fn set_bold(&mut self, is_bold: bool) {
        if self.is_bold != is_bold {
            self.html.push_str(if is_bold { "<b>" } else { "</b>" });
            self.is_bold = is_bold;
        }
    }

    fn push_closing(&mut self, view: &AnswerView, selection: &Selection<'_>, shown: usize) {
        let mut notes = vec![counted(shown, "row")];
        if selection.equal > 0 {
            let equal = counted(selection.equal, "row");
            notes.push(format!("{equal} without a difference left out"));
        }
        if selection.columns.len() > 1 {
            notes.push("<b>bold</b>: differs from the answer next to it".to_owned());
        }
        if shown < selection.rows.len() {
            let left = counted(selection.rows.len() - shown, "row");
            let next = selection.before + shown + 1;
            notes.push(match view.only_differences || view.only_rows.is_some() {
                true => format!("{left} more than an output holds"),
                false => {
                    format!("{left} more than an output holds: <code>.from_row({next})</code>")
                }
            });
        }
        self.html.push_str(&format!(
            "<p style=\"{QUIET};margin:.3em 0\">{}</p></div>",
            notes.join(" · ")
        ));
    }
}

impl Mark {
    /// Escaped text with the underline, the letter and the name of the group.
    fn around(&self, text: &str) -> String {
        let Self { name, letter, line } = self;
        format!(
            "<span title=\"{name}\" style=\"border-bottom:{line}\">{text}<sup>{letter}</sup></span>"
        )
    }
}

/// Where an answer is folded: at the last space before the limit, and never inside a letter.
fn fold(answer: &Annotated) -> usize {
    let words = answer.words.iter().map(|(word, _)| word.end);
    let fits = words.take_while(|end| *end <= FOLDED).last();
    let nearest = || {
        (0..=FOLDED)
            .rev()
            .find(|at| answer.text.is_char_boundary(*at))
    };
    fits.or_else(nearest).unwrap_or(0)
}

fn shortened(text: &str) -> &str {
    match text.char_indices().nth(NAME) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// Escaped text in italics.
fn quiet(escaped: &str) -> String {
    format!("<em style=\"{QUIET}\">{escaped}</em>")
}
