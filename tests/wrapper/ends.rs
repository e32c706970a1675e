//! However a kernel ends, nothing of it remains: no process and no folder.

use super::{copies, told};

/// A script that ends a kernel in some way, and reports what is left of it.
fn left_after(end: &str) -> serde_json::Value {
    told(&format!(
        r#"
kernel = Kernel()
kernel.run("let a = 1;")
def runs():
    asked = kernel.ask('println!("runs"); loop {{ std::thread::sleep(std::time::Duration::from_millis(10)); }}')
    kernel.runs(asked)
    return asked
def named(*words):
    return [process for process, command in kernel.processes().items() if all(any(word in part for part in command) for word in words)]
def kill(process):
    os.kill(process, 9)
processes = kernel.processes()
folder = kernel.folder()
assert os.path.dirname(folder) == {:?}, folder
{end}
left = ended(processes)
until = time.monotonic() + 10
while os.path.exists(folder) and time.monotonic() < until:
    time.sleep(0.1)
tell([len(processes), left, os.path.exists(folder)])
"#,
        copies()
    ))
}

#[test]
fn nothing_is_left_whoever_is_killed() {
    for end in [
        "kernel.end()",
        "runs()\nkernel.end()",
        "runs()\nkill(kernel.pid)",
        "runs()\nkill(named('guard')[0])",
        "runs()\nkill(named('evcxr_jupyter', '--control_file')[-1])",
    ] {
        let said = left_after(end);
        assert!(said[0].as_u64() >= Some(4), "{end}: {said}");
        assert_eq!(said[1], serde_json::json!([]), "{end} leaves processes");
        assert_eq!(said[2], false, "{end} leaves the build directory");
    }
}

#[test]
fn a_kernel_whose_evcxr_dies_says_so_before_it_ends() {
    let said = told(
        r#"
kernel = Kernel()
asked = kernel.ask('println!("runs"); loop { std::thread::sleep(std::time::Duration::from_millis(10)); }')
kernel.runs(asked)
waiting = kernel.ask("1")
evcxr = [process for process, command in kernel.processes().items() if command[0].endswith("evcxr_jupyter") and "--control_file" in command][-1]
os.kill(evcxr, 9)
tell([kernel.reply(asked), kernel.reply(waiting)["status"]])
"#,
    );
    assert_eq!(said[0]["ename"], "KernelError", "{said}");
    let why = said[0]["evalue"].as_str().unwrap();
    assert!(
        why.contains("signal 9") && why.contains("all variables, functions"),
        "{why}"
    );
    assert_eq!(said[1], "aborted");
}

#[test]
fn a_kernel_ends_with_the_jupyter_that_started_it() {
    let said = told(
        r#"
# The test begins.
script = sys.orig_argv[-1].split('# The test begins.')[0] + '''
os.environ["JPY_PARENT_PID"] = str(os.getpid())
kernel = Kernel()
kernel.run("1")
tell([kernel.pid, list(kernel.processes())])
time.sleep(600)
'''
jupyter = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
pid, processes = json.loads(jupyter.stdout.readline())
jupyter.kill()
jupyter.wait()
tell([ended(processes), pid in processes])
"#,
    );
    assert_eq!(said, serde_json::json!([[], true]));
}

#[test]
fn many_kernels_at_once_answer_each_its_own() {
    let said = told(
        r#"
from concurrent.futures import ThreadPoolExecutor
def one(number):
    kernel = Kernel()
    reply = kernel.run(f"let own = {number}; own * 10")
    processes = kernel.processes()
    kernel.end()
    return [reply["outputs"][-1]["data"]["text/plain"], ended(processes)]
with ThreadPoolExecutor(10) as pool:
    tell(list(pool.map(one, range(10))))
"#,
    );
    for (number, one) in said.as_array().unwrap().iter().enumerate() {
        assert_eq!(one[0], (number * 10).to_string(), "{said}");
        assert_eq!(one[1], serde_json::json!([]), "{said}");
    }
}
