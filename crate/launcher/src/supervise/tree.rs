//! Ends a program with all of its descendants: if only cargo were ended, its compilers and what they
//! started would go on.
//!
//! They can't have a process group of their own, because they must end with the kernel's group.

use std::io;

use rustix::process::{Pid, Signal, kill_process};

/// Ends the process and all of its descendants. Errors are ignored: a process that cannot be signaled
/// has usually ended by itself.
pub fn end_tree(root: Pid) {
    let tree = stopped_tree(root);
    for process in tree {
        let _ = kill_process(process, Signal::KILL);
    }
}

/// Suspends the process and all of its descendants, so that they start no further processes.
fn stopped_tree(root: Pid) -> Vec<Pid> {
    let mut tree = vec![root];
    let mut stopped = 0;
    while stopped < tree.len() {
        for process in &tree[stopped..] {
            let _ = kill_process(*process, Signal::STOP);
        }
        stopped = tree.len();
        // Without a list no descendants can be found, and only the process itself is ended.
        for (process, parent) in processes().unwrap_or_default() {
            if tree.contains(&parent) && !tree.contains(&process) {
                tree.push(process);
            }
        }
    }
    tree
}

/// All processes, each with its parent.
#[cfg(target_os = "linux")]
fn processes() -> io::Result<Vec<(Pid, Pid)>> {
    let entries = std::fs::read_dir("/proc")?.flatten();
    let process = |entry: std::fs::DirEntry| {
        let process = pid(entry.file_name().to_str()?)?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        // `PID (NAME) STATE PARENT ..`, where a name may contain any characters.
        let (_, rest) = stat.rsplit_once(')')?;
        Some((process, pid(rest.split_whitespace().nth(1)?)?))
    };
    Ok(entries.filter_map(process).collect())
}

/// All processes, each with its parent.
#[cfg(not(target_os = "linux"))]
fn processes() -> io::Result<Vec<(Pid, Pid)>> {
    let list = crate::tool::command("ps")
        .args(["-A", "-o", "pid=,ppid="])
        .output()?;
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    let process = |line: &str| {
        let mut numbers = line.split_whitespace().map(pid);
        Some((numbers.next()??, numbers.next()??))
    };
    Ok(list.lines().filter_map(process).collect())
}

fn pid(number: &str) -> Option<Pid> {
    number.parse().ok().and_then(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn nothing_is_left_of_a_program_and_what_it_started() {
        // As cargo does with its compilers, and these with a linker.
        let mut cargo = Command::new("sh")
            .args([
                "-c",
                "sh -c 'sleep 600 & echo ready; wait' & sleep 600 & wait",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(cargo.stdout.take().unwrap());
        out.read_line(&mut String::new()).unwrap();
        end_tree(
            i32::try_from(cargo.id())
                .ok()
                .and_then(Pid::from_raw)
                .unwrap(),
        );
        // The pipe reaches its end when no process holds it any more.
        out.read_to_end(&mut Vec::new()).unwrap();
        assert!(!cargo.wait().unwrap().success());
    }

    #[test]
    fn this_process_is_known_by_its_parent() {
        let own = rustix::process::getpid();
        let parent = rustix::process::getppid().unwrap();
        assert!(processes().unwrap().contains(&(own, parent)));
    }
}
