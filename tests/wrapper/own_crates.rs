//! The reader's own crates next to the toolkit, which is never compiled again for them.

use serde_json::{Value, json};

use super::told;

/// Counts the compiled libraries of a package in the kernel's build directory.
const COUNT: &str = r#"
import glob
def compiled(kernel, package):
    return len(glob.glob(kernel.folder() + "/target/*/debug/deps/lib" + package + "-*.rlib"))
def shown(reply):
    outputs = reply.get("outputs", [])
    return [output.get("text") or output.get("data", {}).get("text/plain") or output.get("evalue") for output in outputs]
"#;

fn own_crates(script: &str) -> Value {
    told(&(COUNT.to_owned() + script))
}

#[test]
fn a_crate_compiles_itself_alone_and_shares_the_toolkits_types() {
    let said = own_crates(
        r#"
kernel = Kernel()
kernel.run(os.environ["LIBRARY"] + "\nlet df = df![\"n\" => [1i64, 2, 3]]?;")
deps = ':dep itertools = "0.14"\n:dep serde_json = "1"\nuse itertools::Itertools;'
added = kernel.run(deps)
joined = kernel.run('["a", "b"].iter().join("+")')
# The type of a variable is found although it is the crate's own.
kernel.run('let pairs = (1..4).tuple_windows::<(i64, i64)>().collect_vec();')
later = kernel.run('(df.height(), pairs.len())')
shared = kernel.run('let value: serde_json::Value = evenhand::serde_json::json!({"a": 1}); value["a"].as_i64()')
kernel.run(':opt 3')
optimized = kernel.run('[df.width(), pairs.len()]')
tell([added["status"], shown(joined), shown(later), shown(shared), shown(optimized),
      compiled(kernel, "polars_core"), compiled(kernel, "itertools")])
kernel.end()
"#,
    );
    assert_eq!(
        said,
        json!(["ok", ["\"a+b\""], ["(3, 2)"], ["Some(1)"], ["[1, 2]"], 1, 1])
    );
}

#[test]
fn what_can_not_be_added_says_why_and_leaves_the_kernel_as_it_was() {
    let broken = tempfile::tempdir().unwrap();
    std::fs::create_dir(broken.path().join("src")).unwrap();
    let manifest = "[package]\nname = \"broken\"\nversion = \"1.0.0\"\nedition = \"2024\"\n";
    std::fs::write(broken.path().join("Cargo.toml"), manifest).unwrap();
    let source = "pub fn f() -> i32 {\n    \"text\"\n}\n";
    std::fs::write(broken.path().join("src/lib.rs"), source).unwrap();
    let folder = format!("broken = {:?}", broken.path());
    let said = own_crates(
        &(folder
            + r#"
kernel = Kernel()
kernel.run(os.environ["LIBRARY"] + "\nlet kept = 7;")
missing = kernel.run(':dep no-such-crate-of-anybody = "1"\n1')
version = kernel.run(':dep itertools = "77"\n1')
wrong = kernel.run(':dep broken = { path = "%s" }\n1' % broken)
replies = [missing, version, wrong, kernel.run('#[global_allocator]\nstatic A: std::alloc::System = std::alloc::System;')]
tell([[reply["status"], reply.get("evalue", "")] for reply in replies] + [shown(kernel.run("kept + 1"))])
kernel.end()
"#),
    );
    let named = [
        "no-such-crate-of-anybody",
        "itertools",
        "the crate `broken` does not compile: mismatched types",
        "can't be used together with the toolkit",
    ];
    for (place, named) in named.iter().enumerate() {
        assert_eq!(said[place][0], "error");
        let why = said[place][1].as_str().unwrap();
        assert!(why.contains(named), "{why}");
        assert!(!why.contains("evenhand_shared"), "{why}");
    }
    assert_eq!(said[4], json!(["8"]));
}
