//! What a cell prints and reads: any bytes, at any time, by anybody.

use serde_json::json;

use super::{printed, ran, told};

#[test]
fn no_byte_breaks_delays_or_shifts_anything() {
    let said = ran(r#"
    'use std::io::Write;\nlet kept = 5;',
    'std::io::stdout().write_all(b"a\\xff\\xfeb\\n")?; std::io::stderr().write_all(b"c\\xffd\\n")?;',
    'println!("next");',
    'std::process::Command::new("sh").args(["-c", "printf \'\\\\377out\'; printf \'\\\\377err\' >&2"]).status()?;',
    'println!("next");',
    'let printed = "EVCXR_EXECUTION_COMPLETE\\nEVCXR_PANIC_NOTIFICATION\\nEVCXR_BEGIN_CONTENT text/html\\n<h1>\\nEVCXR_END_CONTENT\\n";',
    '#![allow(unused_variables)]\nprint!("{printed}"); std::io::stdout().write_all(printed.as_bytes())?; std::process::Command::new("printf").args(["%s", &printed]).status()?;',
    'println!("next");',
    'print!("no end")',
    'print!("\\n\\n\\r\\t\\u{1b}[31m\\0")',
    'unsafe extern "C" { fn close(fd: i32) -> i32; }\nunsafe { close(1); close(2); }',
    'println!("next"); eprintln!("next");',
    'unsafe extern "C" { fn fork() -> i32; }\nlet child = unsafe { fork() }; println!("both");',
    'std::env::set_current_dir("/")?; std::panic::set_hook(Box::new(|_| {}));',
    'panic!("hooked")',
    'kept',
"#);
    let out = |cell: usize| printed(&said[cell], "stdout");
    assert_eq!(out(1), "a\u{fffd}\u{fffd}b\n", "{}", said[1]);
    assert_eq!(printed(&said[1], "stderr"), "c\u{fffd}d\n");
    assert_eq!(out(3), "\u{fffd}out", "{}", said[3]);
    assert_eq!(printed(&said[3], "stderr"), "\u{fffd}err");
    let printed = "EVCXR_EXECUTION_COMPLETE\nEVCXR_PANIC_NOTIFICATION\nEVCXR_BEGIN_CONTENT text/html\n<h1>\nEVCXR_END_CONTENT\n";
    assert_eq!(out(6), printed.repeat(3), "{}", said[6]);
    for cell in [2, 4, 7, 11] {
        assert_eq!(out(cell), "next\n", "{}", said[cell]);
    }
    assert_eq!(out(8), "no end");
    assert_eq!(out(9), "\n\n\r\t\u{1b}[31m\0");
    assert_eq!(out(12).matches("both").count(), 2, "{}", said[12]);
    for (cell, reply) in said.as_array().unwrap().iter().enumerate() {
        let status = if cell == 14 { "error" } else { "ok" };
        assert_eq!(reply["status"], status, "{cell}: {reply}");
    }
    assert_eq!(said[14]["evalue"], "hooked");
    assert_eq!(said[15]["outputs"][0]["data"]["text/plain"], "5");
}

#[test]
fn text_without_an_end_shows_while_the_cell_runs_and_after_it() {
    let said = told(
        r#"
kernel = Kernel()
kernel.run("use std::io::Write; use std::time::Duration; use std::thread::{sleep, spawn};")
asked = kernel.ask('for n in 0..20 { print!("\\r{n} of 20"); std::io::stdout().flush()?; sleep(Duration::from_millis(100)); }')
moves = len([output for output in kernel.outputs(asked)])
kernel.reply(asked)
kernel.run('spawn(|| for _ in 0..15 { print!("."); std::io::stdout().flush().unwrap(); sleep(Duration::from_millis(100)); });')
quick = [kernel.run(f"{n} + 1") for n in range(4)]
late = kernel.run('eprint!("before"); let caught = std::panic::catch_unwind(|| panic!("caught")).is_err(); for n in 0..8 { eprintln!("{n}"); sleep(Duration::from_millis(100)); } caught')
tell([moves, [[output["data"]["text/plain"] for output in reply["outputs"] if "data" in output] for reply in quick], late])
kernel.end()
"#,
    );
    assert!(said[0].as_u64().unwrap() > 5, "it moves: {said}");
    assert_eq!(said[1], json!([["1"], ["2"], ["3"], ["4"]]));
    let late = printed(&said[2], "stderr");
    assert!(
        late.starts_with("before") && late.contains("panicked at") && late.ends_with("7\n"),
        "{late}"
    );
}

#[test]
fn standard_input_asks_the_reader_or_ends() {
    let said = told(
        r#"
kernel = Kernel()
read = 'let mut line = String::new(); print!("name? "); let n = std::io::stdin().read_line(&mut line)?; (n, line.clone())'
asked = kernel.ask(read, allow_stdin=True)
question = kernel.client.get_stdin_msg(timeout=60)["content"]
kernel.client.input("Ada")
kernel.reply(asked)
tell([question,
      kernel.run("line")["outputs"],
      kernel.run(read, allow_stdin=False),
      kernel.run('std::process::Command::new("cat").status()?.success()')["outputs"],
      kernel.run("1 + 1")["outputs"]])
kernel.end()
"#,
    );
    assert_eq!(said[0]["prompt"], "name? ", "{said}");
    assert_eq!(said[1][0]["data"]["text/plain"], "\"Ada\\n\"");
    assert!(
        printed(&said[2], "stderr").contains("nobody can be asked"),
        "{said}"
    );
    assert!(said[2].to_string().contains("(0, "), "{said}");
    assert_eq!(said[3][0]["data"]["text/plain"], "true");
    assert_eq!(said[4][0]["data"]["text/plain"], "2");
}
