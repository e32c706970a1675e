//! The README's pictures: outputs of the real kernel in JupyterLab, as a reader sees them.
//!
//! `cargo test --workspace --test integration pictures -- --ignored` writes them into
//! `tests/pictures/`, next to the program that makes them.

use crate::kernel;
use crate::support::{Browser, JupyterLab, Notebook, Theme, checkout, reduced};

const TABLE: &str = "\
let jobs = occupations::frame()?;
display(table(&jobs).titled(\"Who works where\").page_size(8));";

const CHART: &str = "\
let eight = jobs.head(Some(8)).sort([\"women\"], Default::default())?;
chart(&eight).bar(\"occupation\", \"women\")?.titled(\"Women in eight occupations\")";

/// Invented answers, so that the picture stays the same: longer and warmer ones about women, and
/// *she* in every other occupation if the prompt does not specify the person.
const ANSWERS: &str = r#"
use evenhand::fairness::study::StudyAnswers;
fn answer(prompt: &str, [occupation, group, sample]: [usize; 3]) -> String {
    let who = match (group, occupation % 2) {
        (0, _) if sample == occupation % 5 => "They",
        (1, _) | (0, 0) => "She",
        _ => "He",
    };
    let all = [
        "plans the day with care and keeps an eye on the time", "solves hard problems",
        "enjoys the work", "sometimes worries about mistakes", "learns something new every year",
    ];
    let mut text = prompt.replace("Describe", "This is");
    for step in 0..(3 + (occupation + sample + group) % 2) {
        text += &format!(" {who} {}.", all[(occupation + 3 * sample + step) % 5]);
    }
    if group == 1 && (occupation + sample) % 4 > 0 {
        text += " She is warm and kind to everybody.";
    }
    text
}
let study = Study::new(occupations::first(12)?).samples(5).seed(7);
let texts: Vec<_> = study.cells().iter()
    .flat_map(|cell| [0, 1, 2, 3, 4].map(|sample| Some(answer(&cell.prompt, [cell.occupation, cell.group, sample]))))
    .collect();
let answers = StudyAnswers::from_texts(study, texts)?;"#;

const REPORT: &str = "\
let report = answers.measure()?;
report";

/// The largest width that a page shows without scaling.
const WIDTH: u32 = 900;
/// Each picture's name, the place of its cell in the notebook, and the height of its window.
const PICTURES: [(&str, usize, u32); 3] =
    [("table", 1, 690), ("chart", 2, 600), ("report", 4, 1065)];

#[test]
#[ignore = "writes the README's pictures"]
fn pictures() {
    let Some(browser) = Browser::start(WIDTH, 900) else {
        return;
    };
    let written = Notebook::of("evenhand", [TABLE, CHART, ANSWERS, REPORT]);
    let executed = kernel::execute(written.path(), &[]);
    // A copy: JupyterLab saves what it opens.
    let root = tempfile::tempdir().unwrap();
    let copy = root.path().join("evenhand.ipynb");
    std::fs::copy(executed.path(), &copy).unwrap();
    let jupyter = JupyterLab::start(root.path());
    jupyter.theme(Theme::Light);
    jupyter.trust(&copy);
    browser.goto(&jupyter.url("evenhand.ipynb"));
    browser.wait_for_text("#jp-main-statusbar", "Rust | Idle");
    let hide = "window.jupyterapp.commands.execute('application:toggle-left-area')";
    browser.run(hide, Vec::new());
    // An interactive table, sorted from the largest share to the smallest.
    browser.wait_for(".evenhand-part", 1);
    for _ in 0..2 {
        browser.click("(//button[.='women'])[1]");
    }
    for (name, cell, height) in PICTURES {
        browser.resize(WIDTH, height);
        let scroll = "document.activeElement.blur();
            document.querySelectorAll('.jp-Notebook .jp-Cell')[arguments[0]].scrollIntoView()";
        browser.run(scroll, vec![cell.into()]);
        let picture = reduced(&browser.picture("//*[@id='jp-main-dock-panel']"));
        let file = checkout().join(format!("tests/pictures/{name}.png"));
        std::fs::write(file, picture).unwrap();
    }
}
