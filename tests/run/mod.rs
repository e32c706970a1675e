//! `evenhand run` on small notebooks, in the real evcxr kernel.

pub(crate) mod lesson;
mod page;
mod stopping;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub(crate) use self::lesson::cell;
use self::lesson::{Lesson, failing};
use crate::support::home;

#[test]
fn a_notebook_that_works() {
    let lesson = Lesson::new(&[
        json!({"cell_type": "markdown", "metadata": {}, "source": "# Lesson"}),
        cell("println!(\"hello\");\nlet a = 20;"),
        cell(" "),
        cell("a + 1"),
        cell(r#"println!("EVCXR_BEGIN_CONTENT text/html\n<b>bold</b>\nEVCXR_END_CONTENT");"#),
    ]);
    let before = fs::read(lesson.path("lesson.ipynb")).unwrap();
    let ran = lesson.run(&["--out", "out"]);
    assert_eq!(ran.code, Some(0));
    assert!(
        ran.stdout.contains("[1/3]") && ran.stdout.contains("[3/3]"),
        "a line for each cell"
    );
    assert!(ran.stdout.contains("| hello"), "a preview");

    let cells = lesson.executed();
    assert_eq!(
        cells[1]["outputs"],
        json!([{"name": "stdout", "output_type": "stream", "text": ["hello\n"]}])
    );
    assert_eq!(cells[2]["execution_count"], Value::Null);
    let result = json!([{
        "data": {"text/plain": ["21"]}, "execution_count": 2, "metadata": {}, "output_type": "execute_result",
    }]);
    assert_eq!(cells[3]["outputs"], result);
    assert_eq!(
        cells[3]["execution_count"], 2,
        "the number that JupyterLab would show"
    );
    assert_eq!(
        cells[4]["outputs"][0]["data"]["text/html"],
        json!(["<b>bold</b>"])
    );
    assert_eq!(fs::read(lesson.path("lesson.ipynb")).unwrap(), before);
}

#[test]
fn without_out_nothing_is_written() {
    let lesson = Lesson::new(&[cell("1 + 1")]);
    let before = fs::read(lesson.path("lesson.ipynb")).unwrap();
    let ran = lesson.run(&[]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.stdout.contains("| 2"));
    assert_eq!(fs::read(lesson.path("lesson.ipynb")).unwrap(), before);
    assert!(!lesson.path("out").exists() && !lesson.path("lesson.html").exists());
}

#[test]
fn what_only_looks_like_a_failure_passes() {
    let lesson = Lesson::new(&[
        cell(r#"eprintln!("thread 'main' panicked at src/lib.rs:1:1:\nboom");"#),
        cell(r#"let _ = std::panic::catch_unwind(|| panic!("caught"));"#),
        cell(r#"let _ = std::thread::spawn(|| panic!("elsewhere")).join();"#),
        cell(
            r#"fn half() -> Result<i32, std::num::ParseIntError> { let n: i32 = "x".parse()?; Ok(n / 2) } half().is_err()"#,
        ),
        cell("use std::io::Write;\nprint!(\"no newline\"); std::io::stdout().flush().unwrap();"),
    ]);
    let ran = lesson.run(&["--out", "out"]);
    assert_eq!(ran.code, Some(0));
    assert_eq!(
        lesson.executed()[4]["outputs"][0]["text"],
        json!(["no newline"])
    );
}

#[test]
fn a_compile_error_fails_with_rustcs_words() {
    let lesson = Lesson::new(&[cell("let x: u8 = \"a\";"), cell("2")]);
    let ran = lesson.run(&["--out", "out"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.contains("expected `u8`, found `&str`"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("  1 | let x: u8 = \"a\";"),
        "the cell's source"
    );
    assert!(
        ran.stderr.contains("command_1:1:1"),
        "the number of the cell as the reader counts"
    );
    assert!(!ran.stdout.contains("[2/2]"), "it goes on");
    let cells = lesson.executed();
    assert_eq!(cells[0]["outputs"][0]["output_type"], "error");
    assert_eq!(cells[1]["outputs"], json!([]));
}

#[test]
fn a_panic_fails() {
    let lesson = Lesson::new(&[
        cell("let a = 1;"),
        cell(r#"print!("half a line"); panic!("boom")"#),
    ]);
    let ran = lesson.run(&["--out", "out"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("cell 2 of 2"), "{}", ran.stderr);
    assert!(ran.stderr.contains("failed: panic: boom"), "{}", ran.stderr);
    let outputs = lesson.executed()[1]["outputs"].clone();
    let error = outputs.as_array().unwrap().last().unwrap();
    assert_eq!(
        (&error["ename"], &error["evalue"]),
        (&json!("panic"), &json!("boom"))
    );
}

#[test]
fn an_error_through_the_question_mark_fails() {
    let lesson = Lesson::new(&[cell(r#"eprintln!("a remark"); let n: i32 = "x".parse()?;"#)]);
    let ran = lesson.run(&[]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr
            .contains("failed: error: invalid digit found in string"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_cell_that_ends_its_process_fails() {
    for (source, how) in [
        (
            r#"println!("last words"); std::process::exit(3);"#,
            "exit status: 3",
        ),
        (
            r#"println!("last words"); std::process::abort();"#,
            "SIGABRT",
        ),
    ] {
        let ran = Lesson::new(&[cell(source)]).run(&[]);
        assert_eq!(ran.code, Some(1));
        assert!(ran.stderr.contains(how), "{}", ran.stderr);
    }
}

#[test]
fn a_local_crate_that_changes_is_built_again() {
    let lesson = Lesson::new(&[
        cell(":dep tiny = { path = \"tiny\" }"),
        cell("tiny::answer()"),
        cell("tiny::answer()"),
        cell("std::fs::write(\"tiny/src/lib.rs\", \"pub fn answer() -> u32 { 2 }\").unwrap();"),
        cell("tiny::answer()"),
        failing("tiny::no_such_thing()"),
        cell("tiny::answer() + 1"),
    ]);
    fs::create_dir_all(lesson.path("tiny/src")).unwrap();
    let manifest = "[package]\nname = \"tiny\"\nversion = \"1.0.0\"\nedition = \"2024\"\n";
    fs::write(lesson.path("tiny/Cargo.toml"), manifest).unwrap();
    fs::write(
        lesson.path("tiny/src/lib.rs"),
        "pub fn answer() -> u32 { 1 }",
    )
    .unwrap();
    assert_eq!(lesson.run(&["--out", "out"]).code, Some(0));
    let cells = lesson.executed();
    // The last: on a slow machine, a note about the build comes before it.
    let last = |index: usize| cells[index]["outputs"].as_array().unwrap().last().unwrap();
    let shown = |index: usize| last(index)["data"]["text/plain"][0].clone();
    assert_eq!(
        [shown(1), shown(2), shown(4), shown(6)],
        ["1", "1", "2", "3"]
    );
    let error = last(5)["evalue"].to_string();
    assert!(
        error.contains("cannot find function `no_such_thing`"),
        "{error}"
    );
}

#[test]
fn cells_that_may_fail_do_not_end_the_run() {
    let lesson = Lesson::new(&[
        cell("1 + 1"),
        failing(r#"panic!("allowed")"#),
        failing(r#"let n: i32 = "x".parse()?;"#),
        failing("let x: u8 = \"a\";"),
        failing("std::process::exit(3);"),
        failing("1 + 1"),
        failing(":clear"),
        cell(r#"panic!("not allowed")"#),
    ]);
    let ran = lesson.run(&["--out", "out"]);
    assert_eq!(
        ran.stdout.matches("failed, as allowed: ").count(),
        4,
        "{}",
        ran.stdout
    );
    assert_eq!(
        ran.code,
        Some(1),
        "a process that was replaced is listened to again"
    );
    assert!(ran.stderr.contains("cell 8 of 8"), "{}", ran.stderr);
    let cells = lesson.executed();
    for index in [0, 5] {
        let result = &cells[index]["outputs"][0];
        assert_eq!(result["execution_count"], cells[index]["execution_count"]);
    }
    assert_eq!(cells[0]["execution_count"], 1);
}

#[test]
fn a_kernel_that_dies_is_noticed_at_once() {
    let lesson = Lesson::new(&[cell(
        "unsafe extern \"C\" { fn getppid() -> i32; fn kill(process: i32, signal: i32) -> i32; }\n\
         unsafe { kill(getppid(), 9); }\n\
         std::thread::sleep(std::time::Duration::from_secs(60));",
    )]);
    let start = Instant::now();
    let ran = lesson.run(&["--out", "out"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.contains("the kernel died (signal 9)"),
        "{}",
        ran.stderr
    );
    assert!(start.elapsed() < Duration::from_secs(50));
    assert_eq!(lesson.executed()[0]["outputs"][0]["ename"], "KernelError");
}

#[test]
fn a_kernel_that_does_not_start_says_why() {
    let lesson = Lesson::new(&[cell("1 + 1")]);
    let script = lesson.path("kernel");
    fs::write(&script, "#!/bin/sh\necho no luck today >&2\nexit 7\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let ran = lesson.with_kernel(&script).run(&[]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.contains("the kernel died (exit status: 7)"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("no luck today"), "{}", ran.stderr);
}

#[test]
fn a_kernel_whose_port_was_taken_is_started_again() {
    let lesson = Lesson::new(&[cell("1 + 1")]);
    let script = lesson.path("kernel");
    let unlucky = format!(
        "#!/bin/sh\nif mkdir tried; then echo 'Address already in use' >&2; exit 1; fi\nexec '{}' \"$@\"\n",
        home().join("kernel/bin/evcxr_jupyter").display()
    );
    fs::write(&script, unlucky).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let lesson = lesson.with_kernel(&script);
    assert_eq!(lesson.run(&[]).code, Some(0));
    assert!(lesson.path("tried").exists());
}

#[test]
fn what_is_no_rust_notebook_is_refused() {
    for (text, why) in [
        ("fn main() {}", "it is not JSON"),
        (r#"{"nbformat": 3, "worksheets": []}"#, "format 3, not 4"),
        (
            r#"{"cells": [], "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4}"#,
            "its kernel is `python3`",
        ),
    ] {
        let ran = Lesson::of_text(text).run(&[]);
        assert_eq!(ran.code, Some(1));
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
        assert!(ran.stdout.is_empty(), "nothing was started");
    }
}

#[test]
fn a_notebook_is_not_replaced() {
    let text = r#"{"cells": [], "metadata": {"kernelspec": {"name": "rust"}}, "nbformat": 4}"#;
    let ran = Lesson::of_text(text).run(&["--out", "."]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("--out would replace"), "{}", ran.stderr);
}

#[test]
fn a_page_is_written() {
    let lesson = Lesson::new(&[cell("println!(\"<i>hello</i>\");\nlet a = 20;")]);
    let ran = lesson.run(&["--html"]);
    assert!(
        !ran.stderr.contains("--html needs Jupyter"),
        "this test needs Jupyter where the launcher keeps it: `cargo run` once, or set EVENHAND_HOME \
         to a folder whose `venv` has nbconvert"
    );
    assert_eq!(ran.code, Some(0));
    let page = fs::read_to_string(lesson.path("lesson.html")).unwrap();
    assert!(
        page.contains("&lt;i&gt;hello&lt;/i&gt;"),
        "the output, escaped"
    );
    assert!(
        page.contains("<title>lesson</title>"),
        "named after the notebook"
    );
    assert!(
        page.contains(r#"<span class="kd">let</span>"#),
        "highlighted as Rust"
    );
    let foreign =
        page.match_indices("src=\"http").count() + page.match_indices("href=\"http").count();
    assert_eq!(foreign, 0, "it fetches nothing");
    assert!(!lesson.path("out").exists());
}
