//! The whole lab in the practice cloud, in the real kernel: prepared, asked and cleaned up by the notebooks,
//! and nothing of the reader's own clouds in reach.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{LabCommand, Notebook, checkout, evenhand, home, poll};

/// What a reader may have in the environment for real work.
const OF_THE_READER: [(&str, &str); 5] = [
    ("AZURE_OPENAI_ENDPOINT", "https://contoso.openai.azure.com"),
    ("AZURE_OPENAI_API_KEY", "Canary-of-the-reader"),
    ("AZURE_CLIENT_SECRET", "Canary-of-the-reader"),
    ("DATABRICKS_CONFIG_PROFILE", "Canary-of-the-reader"),
    ("SPARK_REMOTE", "sc://canary.example"),
];

/// The tests share a home, and so its practice cloud, which ends with the command that began it.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// `evenhand run --practice` for these notebooks, in this folder.
fn run(folder: &Path, notebooks: &[&Path]) -> Output {
    let mut command: Command = evenhand();
    let output = command
        .args(["run", "--practice=0", "--out", "out"])
        .args(notebooks)
        .current_dir(folder)
        .env("EVENHAND_HOME", home())
        .envs(OF_THE_READER)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    // Shown when the test fails.
    eprintln!("{}", told(&output));
    output
}

fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

/// What the practice cloud holds.
fn state() -> Value {
    let text = fs::read(home().join("practice/state.json")).unwrap_or_default();
    let state: Value = serde_json::from_slice(&text).unwrap_or_default();
    state["state"].clone()
}

#[test]
fn the_lab_is_prepared_asked_and_cleaned_up_in_practice() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let lessons = ["00-prepare-the-cloud", "01-responsible-ai", "07-clean-up"];
    let copies = lessons.map(|name| {
        let lesson = checkout().join(format!("notebooks/{name}.ipynb"));
        Notebook::load(&lesson).copy_to(folder.path())
    });
    let output = run(folder.path(), &copies.each_ref().map(|it| &**it));
    let told = told(&output);
    assert!(output.status.success());
    assert!(told.contains("this is practice: nothing is real, and nothing costs anything"));
    let [prepare, ask, clean_up] = lessons
        .map(|name| Notebook::load(&folder.path().join("out").join(format!("{name}.ipynb"))));

    let card = prepare.outputs_of("let azure = ");
    assert!(card.contains("nothing costs anything"), "{card}");
    let check = prepare.outputs_of("azure.check(");
    assert!(
        check.contains("works") && !check.contains("fails"),
        "{check}"
    );
    let model = prepare.outputs_of("let model = ");
    assert!(
        model.contains("gpt-35-turbo, which is retired") && model.contains("5,000"),
        "{model}"
    );
    let refused = prepare.outputs_of("openai.deploy(model.model())");
    assert!(refused.contains("are more than is left"), "{refused}");
    let libraries = prepare.outputs_of("for package in ");
    assert_eq!(libraries.matches("INSTALLED").count(), 2, "{libraries}");
    let cluster = prepare.outputs_of("let cluster = ");
    assert!(
        cluster.contains("nothing: this is practice") && !cluster.contains("until then it costs"),
        "{cluster}"
    );

    // The first lesson asks what the one before has made, by the settings that it wrote.
    let client = ask.outputs_of("let client = Client::from_env()?");
    assert!(
        client.contains("gpt-5-mini") && client.contains("127.0.0.1"),
        "{client}"
    );
    for batch in ["let neutral = ", "let loaded = "] {
        let shown = ask.outputs_of(batch);
        assert!(shown.contains("5 rows: 5 answered"), "{shown}");
    }

    let proof = clean_up.outputs_of("let left = ");
    assert!(proof.contains("Nothing of the lab is left"), "{proof}");
    assert!(!folder.path().join(".env").exists());
    let state = state();
    for part in ["groups", "things", "clusters"] {
        assert_eq!(state[part], json!({}), "{part}");
    }
    assert_eq!(state["deleted"], json!([]));
    for secret in ["client_secret", "token", "workspace_token", "keys"] {
        let secret = state["identity"][secret].as_str().unwrap();
        for notebook in [&prepare, &ask, &clean_up] {
            assert!(!notebook.json.to_string().contains(secret));
        }
        assert!(!told.contains(secret));
    }
}

#[test]
fn in_practice_a_notebook_has_no_key_of_the_readers_own() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let names = OF_THE_READER.map(|(name, _)| name);
    let cells = [
        format!(
            "let values: Vec<String> = {names:?}.iter().filter_map(|name| std::env::var(name).ok()).collect();\n\
             assert!(!values.iter().any(|value| value.contains(\"anary\") || value.contains(\"contoso\")));"
        ),
        "assert!(Azure::sign_in()?.is_practice());".to_owned(),
        "assert!(evenhand::databricks::Workspace::from_env()?.is_practice());".to_owned(),
        "Client::from_env().is_err()".to_owned(),
    ];
    let notebook = Notebook::of("own", cells);
    let folder = notebook.path().parent().unwrap();
    assert!(run(folder, &[notebook.path()]).status.success());
    let client = Notebook::load(&folder.join("out/own.ipynb")).outputs_of("Client::from_env()");
    assert!(client.contains("true"), "{client}");

    // A file of settings is refused as well.
    let real =
        "AZURE_OPENAI_ENDPOINT=https://contoso.openai.azure.com\nAZURE_OPENAI_API_KEY=Canary\n";
    fs::write(folder.join(".env"), real).unwrap();
    let output = run(folder, &[notebook.path()]);
    let told = told(&output);
    assert!(!output.status.success() && told.contains("may cost money"));
    assert!(
        !told.contains("Canary") && !told.contains("contoso"),
        "{told}"
    );
}

#[test]
fn jupyterlab_has_the_practice_cloud_and_no_key_of_the_readers_own() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let place = tempfile::tempdir().unwrap();
    let lab = LabCommand::with_options(
        &["--practice=0"],
        place.path(),
        &place.path().join("data"),
        |command| {
            command.envs(OF_THE_READER);
        },
    );
    let environment = poll(Duration::from_secs(60), || lab.environment());
    let environment = environment.expect("JupyterLab's environment can't be read");
    assert!(environment.contains("AZURE_RESOURCE_MANAGER_URL=http://127.0.0.1:"));
    assert!(environment.contains("DATABRICKS_HOST=http://127.0.0.1:"));
    let of_the_reader = OF_THE_READER
        .iter()
        .find(|(_, value)| environment.contains(value));
    assert_eq!(of_the_reader, None);
    lab.end();
}

#[test]
fn the_local_engine_computes_for_a_cluster_in_practice() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let cells = [
        "let azure = Azure::sign_in()?.in_resource_group(\"spark-in-practice\")?;",
        "let workspace = azure.databricks(\"even-dbx\").create()?;",
        "let spark = workspace.cluster().create()?.spark()?;",
        "spark.range(0, 7).count()?",
        "workspace.delete()?;\nazure.delete_resource_group()?;",
    ];
    let notebook = Notebook::of("spark", cells);
    let folder = notebook.path().parent().unwrap();
    assert!(run(folder, &[notebook.path()]).status.success());
    let ran = Notebook::load(&folder.join("out/spark.ipynb"));
    let rows = ran.outputs_of("spark.range(");
    assert!(rows.contains("\"7\""), "{rows}");
    let said = ran.outputs_of("let spark = ");
    assert!(said.contains("the local Spark engine computes"), "{said}");
}
