//! Ends a program with all of its descendants: if only cargo were ended, its compilers and what they
//! started would go on.
//!
//! They can't have a process group of their own, because they must end with the kernel's group.

use std::io;

use rustix::process::{Pid, Signal, kill_process};

/// Ends the process and all of its descendants. Errors are ignored: a process that cannot be signaled
/// has usually ended on its own.
pub fn end_tree(root: Pid) {
    let tree = stopped_tree(root);
    for process in tree {
        let _ = kill_process(process, Signal::KILL);
    }
}

/// Ends everything below the process, except for its children that run the same program. What these
/// have started is sent `first`, and all else is killed. Returns what was sent a signal: children of
/// what has ended are no longer below the process.
pub fn end_below(root: Pid, first: Signal) -> Vec<Pid> {
    let all = processes().unwrap_or_default();
    let name = |process: Pid| all.iter().find(|other| other.process == process);
    let own = name(root).map(|root| root.name.clone());
    let mut kept = vec![root];
    let mut below: Vec<Pid> = Vec::new();
    let mut of_kept = Vec::new();
    for other in all.iter().filter(|other| other.parent == root) {
        match Some(&other.name) == own.as_ref() {
            true => kept.push(other.process),
            false => below.push(other.process),
        }
    }
    for (tree, parents) in [(&mut below, Vec::new()), (&mut of_kept, kept[1..].to_vec())] {
        loop {
            let is_below = |parent| tree.contains(parent) || parents.contains(parent);
            let more = all
                .iter()
                .find(|other| is_below(&other.parent) && !tree.contains(&other.process));
            match more {
                Some(more) => tree.push(more.process),
                None => break,
            }
        }
    }
    for process in &below {
        let _ = kill_process(*process, Signal::KILL);
    }
    for process in &of_kept {
        let _ = kill_process(*process, first);
    }
    [below, of_kept].concat()
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
        for other in processes().unwrap_or_default() {
            if tree.contains(&other.parent) && !tree.contains(&other.process) {
                tree.push(other.process);
            }
        }
    }
    tree
}

struct Process {
    process: Pid,
    parent: Pid,
    name: String,
}

/// All processes.
#[cfg(target_os = "linux")]
fn processes() -> io::Result<Vec<Process>> {
    let entries = std::fs::read_dir("/proc")?.flatten();
    let process = |entry: std::fs::DirEntry| {
        let process = pid(entry.file_name().to_str()?)?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        // `PID (NAME) STATE PARENT ..`, where a name may contain any characters.
        let (name, rest) = stat.rsplit_once(')')?;
        Some(Process {
            process,
            parent: pid(rest.split_whitespace().nth(1)?)?,
            name: name.split_once('(')?.1.to_owned(),
        })
    };
    Ok(entries.filter_map(process).collect())
}

/// All processes.
#[cfg(not(target_os = "linux"))]
fn processes() -> io::Result<Vec<Process>> {
    let list = crate::tool::command("ps")
        .args(["-A", "-o", "pid=,ppid=,comm="])
        .output()?;
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    let process = |line: &str| {
        let mut words = line.split_whitespace();
        Some(Process {
            process: pid(words.next()?)?,
            parent: pid(words.next()?)?,
            name: words.collect::<Vec<_>>().join(" "),
        })
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
    fn what_a_program_started_is_ended_and_the_program_stays() {
        // A shell runs another, as evcxr runs the process for the cells, and both start something.
        let script = "sleep 600 & sh -c 'sleep 600; echo kept; read end' & echo ready; wait; wait";
        let mut outer = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(outer.stdout.take().unwrap());
        out.read_line(&mut String::new()).unwrap();
        let root = i32::try_from(outer.id())
            .ok()
            .and_then(Pid::from_raw)
            .unwrap();
        let mut line = String::new();
        std::thread::scope(|threads| {
            let reader = threads.spawn(|| out.read_line(&mut line));
            while !reader.is_finished() {
                end_below(root, Signal::KILL);
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
        });
        assert_eq!(line, "kept\n");
        end_tree(root);
        outer.wait().unwrap();
    }

    #[test]
    fn this_process_is_known_by_its_parent() {
        let own = rustix::process::getpid();
        let parent = rustix::process::getppid().unwrap();
        let all = processes().unwrap();
        let found = all.iter().find(|other| other.process == own);
        assert_eq!(found.map(|found| found.parent), Some(parent));
    }
}
