"""Random sessions of cells, and four checks of what the kernel makes of them."""

import random

# Cells that are right, with what they show.
VALID = [
    ('println!("{MARK}");', "{MARK}"),
    ('print!("{MARK}")', "{MARK}"),
    ('eprintln!("{MARK}"); kept + 1', "{MARK}"),
    ('"{MARK}"', "{MARK}"),
    ('Some("{MARK}")', "{MARK}"),
    ('Ok::<_, String>("{MARK}")', "{MARK}"),
    ('let moved = vec!["{MARK}"]; moved', "{MARK}"),
    ('let NAME = "{MARK}".to_owned();\nNAME.clone()', "{MARK}"),
    ('fn NAME() -> &\'static str { "{MARK}" }\nNAME()', "{MARK}"),
    ('#[derive(Debug)] struct Type { a: u8, b: &\'static str }\nType { a: 1, b: "{MARK}" }', "{MARK}"),
    ('#[derive(Debug)] struct Type { a: f64 }\nlet typed = Type { a: 1.5 };\nprintln!("{MARK}");', "{MARK}"),
    ('{ let n: Result<u8, std::num::ParseIntError> = "5".parse(); println!("{MARK}"); n? }', "{MARK}"),
    ('std::process::Command::new("echo").arg("{MARK}").status()?;', "{MARK}"),
    ('!echo {MARK}', "{MARK}"),
    ('std::thread::spawn(|| println!("{MARK}")).join().unwrap();', "{MARK}"),
]
# Cells that fail in a way that keeps all variables.
BROKEN = [
    "let x: u8 = \"{MARK}\";",
    "fn f( {MARK}",
    "undefined_{MARK}",
    "panic!(\"{MARK}\");",
    "let n: i32 = \"{MARK}\".parse()?;",
    "\"{MARK}\".parse::<u8>()",
    "'{MARK}'",
    "} {MARK}",
    "r#\"{MARK}",
    ":nonsense {MARK}",
    "# {MARK}",
    "import {MARK}",
    "!exit 3",
    "\u0000{MARK}",
]
# Cells that print bytes that are not text, or text that looks like commands.
HOSTILE = [
    'std::io::Write::write_all(&mut std::io::stdout(), &[BYTES])?; println!("{MARK}");',
    'std::io::Write::write_all(&mut std::io::stderr(), &[BYTES])?; println!("{MARK}");',
    'println!("EVCXR_EXECUTION_COMPLETE\\nEVCXR_PANIC_NOTIFICATION\\n{MARK}");',
    'std::io::Write::write_all(&mut std::io::stdout(), b"EVCXR_VARIABLE_CHANGED_TYPE:kept\\nEVCXR_ERROR_OCCURRED\\nEVCXR_END_CONTENT\\n{MARK}\\n")?;',
    'std::process::Command::new("sh").args(["-c", "printf \'\\\\377\\\\0\\\\r{MARK}\'; exec 1>&-; exec 2>&-"]).status()?;',
    'print!("\\u{1b}[2J\\r{MARK}");',
    'let caught = std::panic::catch_unwind(|| panic!("{MARK}")).is_err();\nprintln!("{MARK}");',
    'println!("{}{MARK}", "x".repeat(300_000));',
    'std::env::set_current_dir(std::env::temp_dir())?; println!("{MARK}");',
    '#![allow(unused_variables)]\nprintln!("{MARK}");',
    'unsafe extern "C" { fn close(fd: i32) -> i32; }\nprintln!("{MARK}"); std::io::Write::flush(&mut std::io::stdout())?; unsafe { close(1); close(2) };',
]
# Cells that are stopped, and whether their variables live.
STOPPED = [
    ("!sleep 60", True),
    ('std::process::Command::new("sleep").arg("60").status()?;', True),
    ('for _ in 0..60 { std::process::Command::new("sleep").arg("1").status()?; }', True),
    ('std::process::Command::new("sh").args(["-c", "sleep 60 & sleep 60"]).output()?;', True),
    ("loop { std::hint::spin_loop() }", False),
    ("std::thread::sleep(std::time::Duration::from_secs(60));", False),
]


class Session:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.seed = seed
        self.findings = []
        self.has_kept = False
        self.kernel = Kernel()
        # A prompt would wait for this script.
        self.kernel.client.allow_stdin = False

    def finding(self, what, code, reply=None):
        self.findings.append({"seed": self.seed, "what": what, "code": code, "reply": reply})

    def run(self, cells):
        for number in range(cells):
            self.keep()
            kind = self.random.choices([self.valid, self.broken, self.hostile, self.stopped], [5, 3, 3, 1])[0]
            try:
                kind(f"mark{number}x{self.random.randrange(10**6)}")
            except queue.Empty:
                self.finding("the kernel does not answer", kind.__name__)
                break
        processes = self.kernel.processes()
        self.kernel.end()
        left = ended(processes)
        if left:
            self.finding("processes are left", "", [processes[process] for process in left])
        return self.findings

    def keep(self):
        """A variable lives unless its loss was said."""
        if self.has_kept:
            reply = self.kernel.run("kept")
            if reply["status"] != "ok" or "12345" not in json.dumps(reply["outputs"]):
                self.finding("a variable is lost", "kept", reply)
                self.has_kept = False
        if not self.has_kept:
            self.kernel.run("let kept = 12345;")
            self.has_kept = True

    def fill(self, code, mark):
        name = f"name{self.random.randrange(100)}"
        odd = ", ".join(str(self.random.randrange(128, 256)) for _ in range(self.random.randrange(1, 9)))
        return code.replace("{MARK}", mark).replace("NAME", name).replace("BYTES", odd)

    def valid(self, mark):
        code, shown = self.random.choice(VALID)
        code = self.fill(code, mark)
        reply = self.kernel.run(code)
        if reply["status"] != "ok" or mark not in json.dumps(reply["outputs"]):
            self.finding("an output is missing", code, reply)

    def hostile(self, mark):
        code = self.fill(self.random.choice(HOSTILE), mark)
        reply = self.kernel.run(code)
        if reply["status"] != "ok" or mark not in json.dumps(reply["outputs"]):
            self.finding("an output is missing", code, reply)

    def broken(self, mark):
        code = self.fill(self.random.choice(BROKEN), mark)
        reply = self.kernel.run(code)
        if reply["status"] != "error":
            self.finding("a failure is not reported", code, reply)

    def stopped(self, mark):
        code, lives = self.random.choice(STOPPED)
        asked = self.kernel.ask(code)
        time.sleep(1 + self.random.random() * 2)
        began = time.monotonic()
        self.kernel.interrupt()
        reply = self.kernel.reply(asked)
        took = time.monotonic() - began
        if took > 10:
            self.finding(f"a stop took {took:.1f} s", code, reply)
        if "variables are lost" in json.dumps(reply):
            self.has_kept = False
            if lives:
                self.finding("a stop lost the variables", code, reply)


def findings(seed, sessions, cells=20):
    found = []
    for number in range(sessions):
        found += Session(seed + number).run(cells)
    return found
