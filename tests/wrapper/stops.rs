//! The stop button: first the library winds down, and only then are variables lost.

use super::{asking, library, told};
use crate::support::server::{Reply, Server};

#[test]
fn a_batch_that_is_stopped_returns_what_it_has_and_the_variables_live() {
    let server = Server::new(
        (0..200).map(|_| Reply::text("An answer.").late(std::time::Duration::from_millis(300))),
    );
    let said = told(&format!(
        r#"
kernel = Kernel({})
before = [kernel.run(code)["status"] for code in [{:?}, "let x = 5; let client = Client::from_env()?;"]]
asked = kernel.ask('eprintln!("runs");\nlet answers = client.batch((0..200).map(|n| n.to_string())).concurrency(2).run()?;')
kernel.runs(asked)
waiting = kernel.ask("x + 100")
time.sleep(1.5)
began = time.monotonic()
kernel.interrupt()
stopped = kernel.reply(asked)
took = time.monotonic() - began
tell([before, stopped["status"], took, kernel.reply(waiting)["status"],
      kernel.run("(x, answers.totals().answered > 0, answers.totals().cancelled > 0, answers.totals().rows)")])
kernel.end()
"#,
        asking(&server),
        library(),
    ));
    assert_eq!(said[0], serde_json::json!(["ok", "ok"]));
    assert_eq!(said[1], "ok", "{said}");
    assert!(said[2].as_f64().unwrap() < 3.0, "it was killed: {said}");
    assert_eq!(
        said[3], "aborted",
        "what waits behind a stopped cell is stopped, too"
    );
    assert_eq!(
        said[4]["outputs"][0]["data"]["text/plain"], "(5, true, true, 200)",
        "{said}"
    );
}

#[test]
fn a_cell_that_does_not_listen_is_ended_and_that_is_said() {
    let said = told(
        r#"
kernel = Kernel()
endless = 'println!("runs"); loop { std::thread::sleep(std::time::Duration::from_millis(10)); }'
def stop(times):
    asked = kernel.ask(endless)
    kernel.runs(asked)
    began = time.monotonic()
    for _ in range(times):
        kernel.interrupt()
    reply = kernel.reply(asked)
    return [reply, time.monotonic() - began]
first = kernel.run("let x = 5;\nfn twice(n: i32) -> i32 { 2 * n }")["status"]
tell([first, stop(1), kernel.run("x")["status"], kernel.run("twice(4)"), stop(2)])
kernel.end()
"#,
    );
    let (slow, quick) = (&said[1], &said[4]);
    for stop in [slow, quick] {
        assert_eq!(stop[0]["ename"], "Stopped", "{stop}");
        let why = stop[0]["evalue"].as_str().unwrap();
        assert!(
            why.contains("all variables are lost") && why.contains("journal"),
            "{why}"
        );
    }
    assert!(
        slow[1].as_f64() > Some(1.9),
        "the cell was given no time: {slow}"
    );
    assert!(
        quick[1].as_f64() < slow[1].as_f64(),
        "twice is not sooner: {said}"
    );
    assert_eq!(said[2], "error", "the variable is gone");
    assert_eq!(said[3]["outputs"][0]["data"]["text/plain"], "8");
}

#[test]
fn a_stop_while_the_compiler_runs_loses_nothing() {
    let said = told(
        r#"
kernel = Kernel()
kernel.run("let x = 5;")
slow = "\n".join(f"fn g{n}(v: &[u64]) -> Vec<u64> {{ v.iter().map(|x| x + {n}).filter(|x| x % 3 == 0).collect() }}" for n in range(1500))
slow += "\n[" + ", ".join(f"g{n}(&[1, 2])" for n in range(1500)) + "].len()"
asked = kernel.ask(slow)
while not any("rustc" in words[0] for words in kernel.processes().values()):
    time.sleep(0.02)
kernel.interrupt()
tell([kernel.reply(asked), kernel.run("x")])
kernel.end()
"#,
    );
    assert_eq!(said[0]["ename"], "Stopped", "{said}");
    assert!(
        said[0]["evalue"]
            .as_str()
            .unwrap()
            .contains("all variables are still there")
    );
    assert_eq!(said[1]["outputs"][0]["data"]["text/plain"], "5");
}

#[test]
fn a_stop_answers_a_question_that_waits_for_the_reader() {
    let said = told(
        r#"
kernel = Kernel()
kernel.run(':dep evcxr_input = "1.0"')
asked = kernel.ask('println!("runs"); evcxr_input::get_string("name? ")', allow_stdin=True)
question = kernel.client.get_stdin_msg(timeout=TIMEOUT)
kernel.client.input("Ada")
typed = kernel.reply(asked)["status"]
asked = kernel.ask('let name = evcxr_input::get_string("name? ");', allow_stdin=True)
kernel.client.get_stdin_msg(timeout=TIMEOUT)
kernel.interrupt()
tell([question["content"], typed, kernel.reply(asked)["status"], kernel.run("name")])
kernel.end()
"#,
    );
    assert_eq!(said[0]["prompt"], "name? ");
    assert_eq!((&said[1], &said[2]), (&"ok".into(), &"ok".into()));
    assert_eq!(said[3]["outputs"][0]["data"]["text/plain"], "\"\"");
}

/// Situations in which a cell is stopped, and whether the variables live.
const SITUATIONS: [(&str, bool); 20] = [
    ("!sleep 60", true),
    ("!sleep 60 | cat", true),
    (":dep anyhow = \"1\"\nuse anyhow::Context;", true),
    ("Command::new(\"sleep\").arg(\"60\").status()?;", true),
    ("Command::new(\"sleep\").arg(\"60\").output()?", true),
    (
        "Command::new(\"cat\").stdin(Stdio::piped()).spawn()?; Command::new(\"sleep\").arg(\"50\").status()?",
        true,
    ),
    (
        "for _ in 0..12 { Command::new(\"sleep\").arg(\"2\").status()?; }",
        true,
    ),
    (
        "Command::new(\"sh\").args([\"-c\", \"trap '' INT; sleep 60; sleep 60\"]).status()?",
        true,
    ),
    (
        "Command::new(\"sh\").args([\"-c\", \"sleep 60 & sleep 60\"]).output()?",
        true,
    ),
    (
        "let mut line = String::new(); std::io::stdin().read_line(&mut line)?;",
        true,
    ),
    ("loop {}", false),
    ("loop { println!(\"x\") }", false),
    ("loop { eprint!(\"x\") }", false),
    ("sleep(Duration::from_secs(60));", false),
    (
        "let child = Command::new(\"sleep\").arg(\"100\").spawn()?; sleep(Duration::from_secs(60));",
        false,
    ),
    (
        "std::net::TcpListener::bind(\"127.0.0.1:0\")?.accept()?;",
        false,
    ),
    (
        "loop { std::thread::spawn(|| sleep(Duration::from_secs(5))); sleep(Duration::from_millis(50)); }",
        false,
    ),
    ("std::fs::read(\"/dev/zero\").ok();", false),
    ("std::thread::spawn(|| loop {}).join().unwrap();", false),
    (
        "unsafe extern \"C\" { fn fork() -> i32; }\nif unsafe { fork() } == 0 { sleep(Duration::from_secs(60)); }\nsleep(Duration::from_secs(60));",
        false,
    ),
];

#[test]
fn a_stop_takes_effect_within_seconds_in_every_situation() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    // A proxy that never answers.
    let proxy = format!("http://{}", server.local_addr().unwrap());
    let situations = serde_json::to_string(&SITUATIONS).unwrap();
    let said = told(&format!(
        r#"
kernel = Kernel(HTTPS_PROXY={proxy:?}, https_proxy={proxy:?}, CARGO_HTTP_PROXY={proxy:?}, CARGO_NET_RETRY="9")
kernel.client.allow_stdin = False
kernel.run("let kept = 5; use std::process::{{Command, Stdio}}; use std::thread::sleep; use std::time::Duration;")
found = []
for code, lives in json.loads({situations:?}):
    asked = kernel.ask(code, allow_stdin="stdin" in code)
    time.sleep(2.5)
    began = time.monotonic()
    kernel.interrupt()
    stopped = kernel.reply(asked)
    took = time.monotonic() - began
    kept = kernel.run("kept")["status"] == "ok"
    # Not how fast it is, but that nothing is waited for: giving back gigabytes takes a second by itself.
    if took > 15 or kept != lives:
        found.append([code, took, kept, stopped])
    if not kept:
        kernel.run("let kept = 5;")
left = [words for words in kernel.processes().values() if words[0] in ("sleep", "sh", "cat")]
tell([found, left])
kernel.end()
"#
    ));
    assert_eq!(said, serde_json::json!([[], []]), "{said:#}");
}
