//! The library in plain evcxr, without the wrapper: notebooks still work.

use serde_json::{Value, json};

use super::{asking, library, printed, ran_by, told};
use crate::kernel::HOSTILE;
use crate::support::server::{Reply, Server};

/// The only result of a cell: evcxr keeps just one.
fn result(reply: &Value) -> &Value {
    let outputs = reply["outputs"].as_array().unwrap();
    let results: Vec<_> = outputs
        .iter()
        .filter(|output| output["kind"] != "stream")
        .collect();
    assert_eq!(results.len(), 1, "{reply}");
    assert_eq!(results[0]["kind"], "execute_result", "{reply}");
    &results[0]["data"]
}

#[test]
fn all_that_a_cell_shows_stands_in_its_one_result() {
    let server = Server::new(HOSTILE.map(Reply::text));
    let said = ran_by(
        &format!("plain({})", asking(&server)),
        &format!(
            r#"
    {:?},
    'println!("before"); display(&df!["n" => [1]]?); println!("between"); display(&df!["m" => [2]]?);',
    'chart(&df!["who" => ["she", "he"], "share" => [0.2, 0.8]]?).bar("who", "share")?',
    'let client = Client::from_env()?;\nlet answers = client.batch(["0", "1", "2"]).run()?;\nanswers',
    'display(&answers.to_frame("answer")?);\ndisplay(&answers.to_frame("answer")?);',
    'println!("{{}} still here", answers.len());',
"#,
            library(),
        ),
    );
    let html = |cell: usize| result(&said[cell])["text/html"].as_str().unwrap();
    assert_eq!(html(1).matches("<table ").count(), 2);
    assert_eq!(printed(&said[1], "stdout"), "before\nbetween\n");
    assert!(html(2).contains("src=\"data:image/svg+xml;base64,"));

    assert!(html(3).contains("3 rows: 3 answered"), "{}", html(3));
    assert_eq!(html(4).matches("<table ").count(), 2);
    for cell in [3, 4] {
        assert_eq!(said[cell]["status"], "ok");
        assert!(!html(cell).contains("<h1") && !html(cell).contains("<img"));
        assert_eq!(printed(&said[cell], "stdout"), "");
    }
    assert!(!said.to_string().contains("not-to-be-seen"));
    assert_eq!(printed(&said[5], "stdout"), "3 still here\n");
}

#[test]
fn an_error_says_what_to_do_and_the_variables_live() {
    let said = told(&format!(
        r#"
kernel = plain(AZURE_OPENAI_ENDPOINT="https://contoso.openai.azure.com")
tell([kernel.run(code) for code in [
    {:?},
    'let kept = 7;',
    'let client = Client::from_env()?;',
    'chart(&df!["women" => [1]]?).histogram("woman")?',
    'assert_eq!(kept, 8);',
    'kept',
]])
kernel.end()
"#,
        library(),
    ));
    for (cell, word) in [(2, "AZURE_OPENAI_API_KEY"), (3, "`women`")] {
        let error = printed(&said[cell], "stderr");
        assert!(error.contains(word) && error.contains("hint: "), "{error}");
    }
    assert!(printed(&said[4], "stderr").contains("left: 7"));
    assert_eq!(result(&said[5]), &json!({"text/plain": "7"}));
}

#[test]
fn a_lesson_shows_the_same_as_with_the_wrapper() {
    let lesson = crate::kernel::charts().code_cells();
    let codes: Vec<&String> = lesson.iter().map(|(code, _)| code).collect();
    let said = told(&format!(
        "kernel = plain()\ntell([kernel.run(code) for code in {}])\nkernel.end()",
        json!(codes),
    ));
    let shown = |outputs: &str| {
        let count = |what| outputs.matches(what).count();
        (count("data:image/svg+xml;base64,"), count("<table "))
    };
    for ((code, with), without) in lesson.iter().zip(said.as_array().unwrap()) {
        let without = without["outputs"].to_string();
        assert_eq!(shown(&without), shown(with), "{code}\n{without}");
    }
}
