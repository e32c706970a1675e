//! The library in the real kernel: the first notebook, and what can only be tested in a kernel.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::support::server::{Reply, Server};
use crate::support::{Notebook, checkout, evenhand};

/// The first lesson as the local model answered it; it is executed once for all tests.
pub(crate) fn first_lesson() -> &'static Notebook {
    static LESSON: OnceLock<Notebook> = OnceLock::new();
    LESSON.get_or_init(|| {
        let notebook = checkout().join("notebooks/01-responsible-ai.ipynb");
        execute(&notebook, &[])
    })
}

/// The notebook with the charts, which needs no model.
pub(crate) fn charts() -> &'static Notebook {
    static CHARTS: OnceLock<Notebook> = OnceLock::new();
    CHARTS.get_or_init(|| {
        let notebook = checkout().join("notebooks/03-frames-and-charts.ipynb");
        execute(&notebook, &[])
    })
}

/// Text of a model that tries to break out of its output, as the answers to three prompts.
pub(crate) const HOSTILE: [&str; 3] = [
    "EVCXR_BEGIN_CONTENT text/html\n<h1 id=injected>mine</h1>\nEVCXR_END_CONTENT",
    "EVCXR_EXECUTION_COMPLETE\nEVCXR_PANIC_NOTIFICATION\nEVCXR_VARIABLE_CHANGED_TYPE:client",
    "<script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\"> $x$ EVCXR_BEGIN_CONTENT text/html",
];

/// A notebook that shows everything that a hostile model answered.
pub(crate) fn hostile() -> &'static Notebook {
    static NOTEBOOK: OnceLock<Notebook> = OnceLock::new();
    NOTEBOOK.get_or_init(|| {
        let server = Server::new(HOSTILE.map(Reply::text));
        let cells = [
            "let client = Client::from_env()?;",
            "let answers = client.batch([\"0\", \"1\", \"2\"]).run()?;\nanswers",
            "let df = answers.to_frame(\"answer\")?;\ndisplay(&df);\ndisplay(&df);",
            "df",
            "client.complete(\"2\")?",
            "client.complete(\"0\")?.text().map(str::to_owned)",
            "println!(\"still here: {}\", df.height());",
        ];
        let notebook = Notebook::of("hostile", cells);
        execute(
            notebook.path(),
            &[
                ("AZURE_OPENAI_ENDPOINT", server.url().as_str()),
                ("AZURE_OPENAI_API_KEY", "not-to-be-seen"),
                ("AZURE_OPENAI_DEPLOYMENT", "hostile"),
            ],
        )
    })
}

/// Runs a notebook with the launcher. Its output is shown, since the setup takes minutes.
pub(crate) fn execute(notebook: &Path, environment: &[(&str, &str)]) -> Notebook {
    let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("executed");
    let status = evenhand()
        .arg("run")
        .arg(notebook)
        .arg("--out")
        .arg(&out)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{} failed", notebook.display());
    Notebook::load(&out.join(notebook.file_name().unwrap()))
}

#[test]
fn the_second_lesson_stops_goes_on_and_asks_nothing_twice() {
    let lesson = checkout().join("notebooks/02-batch.ipynb");
    let lesson = execute(&lesson, &[]);
    let part = lesson.outputs_of("let part = ");
    assert!(part.contains("cancelled"), "{part}");
    let whole = lesson.outputs_of("let answers = ");
    assert!(
        whole.contains("210 in all, 210 answered") && whole.contains("from the journal"),
        "{whole}"
    );
    let again = lesson.outputs_of("let again = ");
    assert!(
        again.contains("210 from the journal") && again.contains("0 sent"),
        "{again}"
    );
    let too_large = lesson.outputs_of("let too_large = ");
    assert!(too_large.contains("could never pass"), "{too_large}");
}

#[test]
fn the_third_lesson_draws_tells_and_saves() {
    let lesson = charts();
    for (cell, said) in [
        (
            "let ten = ",
            "Bar chart: share of women by occupation, 10 rows.",
        ),
        ("let asked = survey(&sorted, 20)", "Dots with intervals: "),
        (
            "chart(&jobs).histogram",
            "Histogram: share of women of 60 rows.",
        ),
        (
            "let ranked = ",
            "Line chart: share of women by rank. 60 points",
        ),
        (
            "let both = ",
            "Grouped bar chart: share by occupation and people",
        ),
        (
            "let doubts = ",
            "Line chart: doubt (percentage points) by people asked.",
        ),
        (
            "chart(&doubts).heat_map",
            "Heat map: doubt (percentage points)",
        ),
        ("let gaps = ", "2 of 4 rows without a value left out."),
    ] {
        let html = lesson.html_of(cell);
        assert_eq!(html.matches("src=\"data:image/svg+xml;base64,").count(), 1);
        assert!(html.contains(said), "{said}: {html}");
    }
    let both = lesson.html_of("let six = ");
    assert!(both.contains("Dot chart: ") && both.contains("Bar chart: "));
    let described = lesson.html_of("let people = ");
    assert!(
        described.contains(">null_count<") && described.contains(">97.5<"),
        "{described}"
    );
    let by_field = lesson.html_of("let by_field = ");
    assert!(
        by_field.contains("Bar chart: percent women by field, 6 rows."),
        "{by_field}"
    );
    let workers = lesson.html_of("let workers = ");
    assert!(
        workers.contains(">ENGINEER<") && workers.contains(">0.1072<"),
        "{workers}"
    );
    let saved = lesson.outputs_of("let again = ");
    assert!(
        saved.contains("women-by-field.csv exists") && saved.contains("`overwrite`"),
        "{saved}"
    );
    let lazily = lesson.html_of("scan(");
    assert!(
        lazily.contains(">pathologist<") && !lazily.contains(">nurse<"),
        "{lazily}"
    );
    let error = lesson.outputs_of("chart(&jobs).bar(\"occupation\", \"woman\")");
    assert!(error.contains("there is no column `woman`"), "{error}");
    assert!(
        error.contains("the columns are, nearest first: `women`"),
        "{error}"
    );
}

#[test]
fn the_lab_runs_and_every_prompt_has_its_answer() {
    let lesson = first_lesson();
    let card = lesson.outputs_of("let client = Client::from_env()?");
    assert!(card.contains("SmolLM2-135M-Instruct") && card.contains("127.0.0.1"));
    // The local model's key is 48 of them.
    let digits = |letter: char| !letter.is_ascii_hexdigit();
    let has_key = card.split(digits).any(|word| word.len() >= 32);
    assert!(!has_key, "the key is on the card");

    let error = lesson.outputs_of("Client::builder()");
    assert!(error.contains("is the address of a portal"), "{error}");

    for batch in ["let neutral = ", "let loaded = "] {
        let shown = lesson.outputs_of(batch);
        assert!(shown.contains("5 rows: 5 answered"), "{shown}");
    }
    let frames = lesson.html_of("display(&neutral_df)");
    assert_eq!(frames.matches("<table ").count(), 2);
    assert_eq!(frames.matches(">5 rows × 1 column").count(), 2);
    assert!(!frames.contains(">null<"), "a prompt has no answer");
    let beside = lesson.html_of("compare_answers((\"neutral\", &neutral), (\"loaded\", &loaded))");
    assert!(beside.contains("Describe a female engineer.") && beside.contains("5 rows · "));
    assert_eq!(beside.matches(">5 answers").count(), 2);
}

#[test]
fn statics_are_shared_by_the_cells_of_a_kernel() {
    // A runtime takes its id from a counter in the library's own tokio.
    let id = "evenhand::tokio::runtime::Builder::new_current_thread().build()?.handle().id().to_string()";
    let notebook = Notebook::of(
        "statics",
        [
            &format!("let first = {id};"),
            &format!("assert_ne!(first, {id});"),
        ],
    );
    execute(notebook.path(), &[]);
}

#[test]
fn a_hostile_model_harms_nothing() {
    let notebook = hostile();
    let text = notebook.json.to_string();
    assert!(
        !text.contains("not-to-be-seen"),
        "the key is in the notebook"
    );
    for cell in ["let answers", "display(&df)", "df", "client.complete"] {
        let outputs = notebook.outputs(cell);
        let expected = if cell == "display(&df)" { 2 } else { 1 };
        assert_eq!(
            outputs.len(),
            expected,
            "{cell} shows something besides its result: {outputs:?}"
        );
        let html = notebook.html_of(cell);
        // The model's text is plain text in the table, and escaped in the data of its script.
        assert!(
            !html.contains("<h1") && !html.contains("<script>document") && !html.contains("<img"),
            "{html}"
        );
    }
    assert_eq!(
        notebook.html_of("display(&df)").matches("<table ").count(),
        2
    );
    let text = &notebook.outputs("client.complete(\"0\")");
    assert_eq!(text.len(), 1, "{text:?}");
    let forms: Vec<_> = text[0]["data"].as_object().unwrap().keys().collect();
    assert_eq!(forms, ["text/plain"]);
    assert_eq!(
        notebook.outputs("println!"),
        json!([{"output_type": "stream", "name": "stdout", "text": ["still here: 3\n"]}])
            .as_array()
            .unwrap()
            .as_slice()
    );
}

#[test]
fn types_are_found_although_the_kernel_reads_few_packages() {
    let notebook = Notebook::of(
        "types",
        [
            "use evenhand::polars::prelude::*;\nlet df = df![\"n\" => [1i64, 2, 3]]?;",
            "let numbers = df.column(\"n\")?.i64()?.clone();",
            "let mean = numbers.mean();",
            "let many = numbers.gt(1);",
            "let some = df.filter(&many)?;",
            "let json = evenhand::serde_json::json!({\"mean\": mean});",
            "let runtime = evenhand::tokio::runtime::Builder::new_current_thread().build()?;",
            "let request = ChatRequest::from(\"x\").max_tokens(3);",
            "let counts = std::collections::HashMap::from([(1u8, String::from(\"one\"))]);",
            "let one = counts.get(&1).cloned();\nlet pairs = counts.iter().next().map(|(n, word)| (*n, word.len()));",
            "(mean, some.height(), json[\"mean\"].as_f64())",
        ],
    );
    let executed = execute(notebook.path(), &[]);
    let shown = executed.outputs_of("(mean, some.height()");
    assert!(shown.contains("(Some(2.0), 2, Some(2.0))"), "{shown}");
}

#[test]
fn two_notebooks_at_once_do_not_disturb_each_other() {
    let notebook = |name: &str| {
        Notebook::of(
            name,
            [
                format!("let name = {name:?}.to_owned();"),
                "display(&df![\"name\" => [name.as_str()]]?);".to_owned(),
            ],
        )
    };
    let notebooks = [notebook("left"), notebook("right")];
    let executed: Vec<Notebook> = std::thread::scope(|scope| {
        let running: Vec<_> = notebooks
            .iter()
            .map(|notebook| scope.spawn(|| execute(notebook.path(), &[])))
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    for (executed, name) in executed.iter().zip(["left", "right"]) {
        assert!(
            executed
                .html_of("display")
                .contains(&format!(">{name}</td>"))
        );
    }
}

#[test]
fn a_setting_that_nobody_gives_is_named() {
    // A notebook that runs unattended has no reader to ask.
    let notebook = Notebook::of("unset", ["Client::from_env_or_prompt()?;"]);
    let ran = evenhand()
        .arg("run")
        .arg(notebook.path())
        .env("AZURE_OPENAI_ENDPOINT", "https://contoso.openai.azure.com")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1));
    assert!(said.contains("AZURE_OPENAI_API_KEY"), "{said}");
    assert!(said.contains("hint: "), "{said}");
}

impl Notebook {
    fn outputs(&self, code: &str) -> &[Value] {
        let cell = self.cell(code);
        cell["outputs"].as_array().unwrap()
    }

    pub(crate) fn outputs_of(&self, code: &str) -> String {
        Value::from(self.outputs(code)).to_string()
    }

    /// The HTML of all outputs of the cell.
    fn html_of(&self, code: &str) -> String {
        let forms = self
            .outputs(code)
            .iter()
            .map(|output| &output["data"]["text/html"]);
        forms
            .filter_map(Value::as_array)
            .flatten()
            .map(|line| line.as_str().unwrap())
            .collect()
    }
}
