//! Programs that end with the test that started them, however that ends.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::poll;
use super::process_table::processes;

/// Replaces the shell by the program, and leaves a guard in its process group that waits for the
/// end of standard input. It ends when the test drops its side of the pipe, and also when the test
/// is killed. The program is first asked to terminate, so that it can end processes in groups of
/// their own (Jupyter its kernels, a browser its crash handler).
const GUARDED: &str = r#"
exec 3<&0
(
    trap '' TERM
    read -r _ <&3
    kill -TERM $$
    tries=0
    while [ $tries -lt "$TIMEOUT" ] && kill -0 $$; do sleep 0.1; tries=$((tries + 1)); done
    kill -KILL 0
) >/dev/null 2>&1 &
exec "$@" 3<&- </dev/null
"#;

/// A program with everything it starts; dropping it ends them all.
#[derive(Debug)]
pub(crate) struct Group {
    child: Child,
    log: PathBuf,
}

impl Group {
    /// Starts `command` in a process group of its own. What it prints goes to `log`.
    /// It has `patience` to end by itself when it is asked to.
    pub(crate) fn start(command: &Command, log: &Path, patience: Duration) -> io::Result<Self> {
        let output = File::create(log)?;
        let mut guarded = Command::new("/bin/sh");
        guarded
            .args(["-c", GUARDED, "sh"])
            .arg(command.get_program())
            .args(command.get_args())
            .env("TIMEOUT", (patience.as_millis() / 100).to_string())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output);
        if let Some(folder) = command.get_current_dir() {
            guarded.current_dir(folder);
        }
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => guarded.env(name, value),
                None => guarded.env_remove(name),
            };
        }
        Ok(Self {
            child: guarded.spawn()?,
            log: log.to_owned(),
        })
    }

    /// The process group: its leader is the program itself.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How the program ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// What the program has printed so far.
    pub(crate) fn output(&self) -> String {
        std::fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
        // Folders are removed after this, so nothing may write into them any more.
        let _ = poll(Duration::from_secs(5), || {
            members(self.id()).is_empty().then_some(())
        });
    }
}

/// A launcher that is killed when the test ends.
pub(crate) struct Launcher(pub(crate) Child);

impl Drop for Launcher {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The running processes of a group. Without `/proc`, none are found.
pub(crate) fn members(group: u32) -> Vec<u32> {
    let group = group.to_string();
    processes(|fields| {
        let is_running = !matches!(fields.first(), Some(&("Z" | "X")));
        is_running && fields.get(2) == Some(&group.as_str())
    })
}

#[cfg(target_os = "linux")]
#[test]
fn a_group_ends_when_its_test_panics() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut id = 0;
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut command = Command::new("/bin/sh");
        command.args([
            "-c",
            "sleep 600 & echo two; trap '' TERM; sleep 600; sleep 600",
        ]);
        let group = Group::start(&command, &log, Duration::from_millis(300)).unwrap();
        id = group.id();
        poll(Duration::from_secs(5), || {
            group.output().contains("two").then_some(())
        })
        .unwrap();
        assert!(
            members(id).len() >= 3,
            "the program, its child and the guard run"
        );
        panic!("as a failing assertion would");
    }));
    assert!(panic.is_err());
    assert_eq!(members(id), Vec::<u32>::new());
}
