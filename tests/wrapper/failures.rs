//! A cell that fails is reported as failed, to the reader and to any program that runs notebooks.

use insta::assert_snapshot;
use serde_json::Value;

use super::{ran, told};

fn traceback(reply: &Value) -> String {
    let lines = reply["traceback"].as_array().unwrap();
    let lines = lines.iter().map(|line| line.as_str().unwrap());
    let text = lines.collect::<Vec<_>>().join("\n");
    text.replace("\u{1b}[91m", "").replace("\u{1b}[0m", "")
}

#[test]
fn a_cell_that_fails_says_so_and_leaves_the_variables() {
    let said = ran(r#"
    "let words = vec![1];",
    'print!("half a line"); panic!("boom\\nand EVCXR_EXECUTION_COMPLETE");',
    "let place = 7;\nwords[place];",
    'eprintln!("a remark"); let n: i32 = "x".parse()?;',
    "fn third(words: &[i32]) -> i32 { words[2] }",
    "third(&words);",
    "let n: u8 = \"x\";",
    "words.len()",
"#);
    let status: Vec<_> = (0..8)
        .map(|cell| said[cell]["status"].as_str().unwrap())
        .collect();
    assert_eq!(
        status,
        [
            "ok", "error", "error", "error", "ok", "error", "error", "ok"
        ]
    );

    assert_snapshot!(traceback(&said[1]), @r#"
    panic: boom
    and EVCXR_EXECUTION_COMPLETE
      at line 1 of this cell:
       1 | print!("half a line"); panic!("boom\nand EVCXR_EXECUTION_COMPLETE");
    "#);
    assert_eq!(said[1]["outputs"][0]["text"], "half a line");
    assert_eq!(
        said[1]["outputs"].as_array().unwrap().len(),
        2,
        "the panic is shown once"
    );
    assert_eq!(said[1]["outputs"][1]["evalue"], said[1]["evalue"]);

    assert_snapshot!(traceback(&said[2]), @"
    panic: index out of bounds: the len is 1 but the index is 7
      at line 2 of this cell:
       2 | words[place];
    ");
    assert_eq!(said[3]["outputs"][0]["text"], "a remark\n");
    assert_eq!(
        (&said[3]["ename"], &said[3]["evalue"]),
        (&"error".into(), &"invalid digit found in string".into())
    );
    assert_snapshot!(traceback(&said[5]), @"
    panic: index out of bounds: the len is 1 but the index is 2
      in the code of an earlier cell, at line 1 of [5]:
       1 | fn third(words: &[i32]) -> i32 { words[2] }
    ");
    assert!(
        said[6]["traceback"].to_string().contains("command_7:1:1"),
        "{}",
        said[6]
    );
    assert_eq!(
        said[7]["outputs"][0]["data"]["text/plain"], "1",
        "variables are lost"
    );
    assert_eq!(said[7]["execution_count"], 8);
}

#[test]
fn what_waits_behind_a_failed_cell_is_not_run() {
    let said = told(
        r#"
kernel = Kernel()
asked = [kernel.ask(code) for code in ["let a = 1;", 'panic!("no")', 'println!("ran");', "2"]]
replies = [kernel.reply(one) for one in asked]
lenient = [kernel.ask(code, stop_on_error=False) for code in ['panic!("no")', "a + 1"]]
tell([replies, [kernel.reply(one) for one in lenient]])
kernel.end()
"#,
    );
    let status = |list: &Value| -> Vec<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|reply| reply["status"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(status(&said[0]), ["ok", "error", "aborted", "aborted"]);
    assert_eq!(status(&said[1]), ["error", "ok"]);
}

#[test]
fn a_process_that_ends_is_explained_and_replaced() {
    let said = ran(r#"
    "fn twice(n: i32) -> i32 { 2 * n }\nlet a = 1;",
    'println!("last words"); std::process::exit(3);',
    "twice(21)",
    "a",
"#);
    let ended = &said[1];
    assert_eq!(ended["outputs"][0]["text"], "last words\n");
    assert_eq!(ended["ename"], "ProcessEnded");
    let why = ended["evalue"].as_str().unwrap();
    assert!(
        why.contains("exit status: 3") && why.contains("all variables are lost"),
        "{why}"
    );
    assert_eq!(
        said[2]["outputs"][0]["data"]["text/plain"], "42",
        "functions stay"
    );
    assert_eq!(said[3]["status"], "error");
}
