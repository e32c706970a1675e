//! What a cell shows, when it shows it, and what it can't be made to show.

use serde_json::Value;

use super::{asking, library, ran, ran_by, told};
use crate::support::server::{Reply, Server};

/// The kinds of a cell's outputs, with their text.
fn shown(reply: &Value) -> Vec<(String, String)> {
    let outputs = reply["outputs"].as_array().unwrap().iter();
    outputs
        .map(|output| {
            let text = output["text"]
                .as_str()
                .or(output["data"]["text/plain"].as_str());
            let text = text.unwrap_or_default().lines().next().unwrap_or_default();
            (output["kind"].as_str().unwrap().to_owned(), text.to_owned())
        })
        .collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(one, other): &(&str, &str)| ((*one).to_owned(), (*other).to_owned());
    list.iter().map(owned).collect()
}

#[test]
fn displays_stand_where_they_were_made_and_a_bar_moves() {
    let server = Server::new(
        (0..8).map(|_| Reply::text("An answer.").late(std::time::Duration::from_millis(400))),
    );
    let said = ran_by(
        &format!("Kernel({})", asking(&server)),
        &format!(
            r#"
    {:?},
    'print!("before "); display(&df!["n" => [1]]?); println!("between"); display(&df!["m" => [2]]?); 7',
    'let client = Client::from_env()?;\nlet answers = client.batch((0..8).map(|n| n.to_string())).concurrency(1).run()?;',
    'let x = 5; println!("{{x}}");',
"#,
            library(),
        ),
    );
    let cell = shown(&said[1]);
    let kinds: Vec<_> = cell.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "stream",
            "display_data",
            "stream",
            "display_data",
            "execute_result"
        ]
    );
    assert_eq!(
        (&*cell[0].1, &*cell[2].1, &*cell[4].1),
        ("before ", "between", "7")
    );
    let html = said[1]["outputs"][1]["data"]["text/html"].as_str().unwrap();
    assert!(html.contains("<table"), "{html}");

    let bars: Vec<_> = said[2]["outputs"].as_array().unwrap().iter().collect();
    assert_eq!(bars[0]["kind"], "display_data", "{}", said[2]);
    assert!(
        bars[1..]
            .iter()
            .all(|bar| bar["kind"] == "update_display_data")
    );
    assert!(bars.len() > 3, "it does not move: {}", said[2]);
    let ids: Vec<_> = bars
        .iter()
        .map(|bar| &bar["transient"]["display_id"])
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0] && id.is_string()));
    let last = bars.last().unwrap()["data"]["text/html"].as_str().unwrap();
    assert!(
        last.contains("max=\"8\" value=\"8\"") && last.contains("8 of 8 answered"),
        "{last}"
    );
}

#[test]
fn a_forged_mark_is_text() {
    let said = told(
        r##"
kernel = Kernel()
forged = 'evenhand-00000000000000000000000000000000:show {"msg_type":"display_data","content":{"data":{"text/html":"<h1>mine</h1>"}}}'
tell(kernel.run(f"println!(\"{{}}\", r#\"{forged}\nevenhand-:end\"#);"))
kernel.end()
"##,
    );
    assert_eq!(said["outputs"].as_array().unwrap().len(), 1, "{said}");
    let text = said["outputs"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("<h1>mine</h1>") && text.ends_with("evenhand-:end\n"),
        "{text}"
    );
}

#[test]
fn what_a_model_says_is_text_however_it_is_printed() {
    let said = ran(r#"
    'let text = "EVCXR_BEGIN_CONTENT text/html\\n<h1>mine</h1>\\nEVCXR_END_CONTENT\\nEVCXR_EXECUTION_COMPLETE\\nEVCXR_PANIC_NOTIFICATION\\nEVCXR_VARIABLE_CHANGED_TYPE:text";',
    'println!("{text}");\nprint!("{}", text);\nprintln!();',
    'for piece in text.as_bytes().chunks(4) { print!("{}", std::str::from_utf8(piece)?) };',
    'fn say(text: &str) { println!("{0}, {width:>3}{1:?}", text, text.len(), width = 7) }\nsay(text);',
    'struct Mine;\nimpl Mine { fn evcxr_display(&self) { println!("EVCXR_BEGIN_CONTENT text/html\\n<b>{}</b>\\nEVCXR_END_CONTENT", 5) } }\nMine',
    'println!("{} {}", 1)',
    'println!(concat!("{}", "!"), 1); println!("{text:.5}",); println!("{{}}");',
    'println!("{}", Mine)',
    'text.len()',
"#);
    let text = |cell: usize| {
        said[cell]["outputs"][0]["text"]
            .as_str()
            .unwrap_or_default()
    };
    let shown = "EVCXR_BEGIN_CONTENT text/html\n<h1>mine</h1>\nEVCXR_END_CONTENT\nEVCXR_EXECUTION_COMPLETE\nEVCXR_PANIC_NOTIFICATION\nEVCXR_VARIABLE_CHANGED_TYPE:text";
    assert_eq!(text(1), format!("{shown}\n{shown}\n"));
    assert_eq!(text(2), shown);
    assert_eq!(text(3), format!("{shown},   7144\n"));
    for cell in 1..4 {
        assert_eq!(said[cell]["outputs"].as_array().unwrap().len(), 1);
        assert_eq!(said[cell]["status"], "ok", "{}", said[cell]);
    }
    assert_eq!(said[4]["outputs"][0]["data"]["text/html"], "<b>5</b>");
    assert_eq!(text(6), "1!\nEVCXR\n{}\n");
    for (cell, why) in [
        (5, "2 positional arguments"),
        (7, "is not implemented for `Mine`"),
    ] {
        let error = said[cell].to_string();
        assert_eq!(said[cell]["status"], "error");
        assert!(
            error.contains(why) && !error.contains("evenhand_cell"),
            "{error}"
        );
    }
    assert_eq!(said[8]["outputs"][0]["data"]["text/plain"], "144");
}

#[test]
fn text_comes_whole_and_in_order() {
    let said = told(
        r#"
kernel = Kernel()
def length(reply):
    return [(o["name"], len(o["text"])) for o in reply["outputs"]]
split = kernel.run('''{
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    for byte in "é漢🦀 and no end".bytes() { out.write_all(&[byte]).unwrap(); out.flush().unwrap(); }
};''')
blank = kernel.run('println!("\\n\\na\\n\\n"); print!("b");')
large = kernel.run('for n in 0..1_000_000 { println!("{n:099}"); };')
text = large["outputs"][0]["text"]
tell([split["outputs"][0]["text"], blank["outputs"][0]["text"], length(large), text[:100].strip("0\n"), int(text[-100:])])
kernel.end()
"#,
    );
    assert_eq!(said[0], "é漢🦀 and no end");
    assert_eq!(said[1], "\n\na\n\n\nb");
    assert_eq!(
        said[2],
        serde_json::json!([["stdout", 100_000_000]]),
        "lines are lost"
    );
    assert_eq!((&said[3], &said[4]), (&"".into(), &999_999.into()));
}

#[test]
fn what_no_line_ends_shows_and_the_cell_ends() {
    let said = told(
        r#"
kernel = Kernel()
tell([kernel.run(code) for code in ['print!("a")', 'eprint!("b");', 'print!("c"); 3', "4"]])
kernel.end()
"#,
    );
    assert_eq!(shown(&said[0])[0], ("stream".to_owned(), "a".to_owned()));
    assert_eq!(shown(&said[1]), pairs(&[("stream", "b")]));
    assert_eq!(
        shown(&said[2]),
        pairs(&[("stream", "c"), ("execute_result", "3")])
    );
    assert_eq!(shown(&said[3]), pairs(&[("execute_result", "4")]));
}
