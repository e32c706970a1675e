//! The `cargo` that evcxr is given: it is the real one, with a few things done for a cell.
//!
//! **Versions.** Whenever evcxr compiles without dependencies, as it does when it starts,
//! cargo drops from the lock file all that was not needed. Left so, the next `:dep` would
//! resolve afresh: other versions than the tests ran on, minutes of compiling, and no answer
//! without a network. So the workspace's lock file is put back where the library is wanted
//! and its versions are gone.
//!
//! **Time.** For each cell evcxr runs cargo, which looks through all packages of the graph to
//! find that only the cell itself has changed: half of a cell's time. So the compiler's
//! command of the last real build is kept, and is run by itself as long as nothing but the
//! cell's own source is different. What is printed has the form that cargo gives it. And a
//! check, for which nothing is compiled beforehand, is done as a build.
//!
//! **Reading.** rust-analyzer, with which evcxr finds types, is told of fewer packages
//! (`metadata`).

use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use rustix::process::Pid;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::instrument;
use super::shim::{
    CARGO, LOCK_FILE, PROGRAMS, RECORDED_ARGUMENTS, RECORDED_ENVIRONMENT, RECORDER, SHIMS, WITHHELD,
};
use crate::error::{Context, Failure, Result};
use crate::kernel::{STOP_FILE, sideband};
use crate::paths::home::private::Umask;
use crate::supervise::end_tree;
use crate::tool;

/// What must be the same for the compiler's last command to serve again.
const INPUTS: [&str; 3] = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml"];
const STATE: &str = "last-build.json";
const CELL: &str = "src/lib.rs";

/// How often it is looked whether the reader stopped the cell.
const LOOK: Duration = Duration::from_millis(50);

/// What is known of the last build that the real cargo did.
#[derive(Serialize, Deserialize)]
struct LastBuild {
    /// A fingerprint of the inputs.
    inputs: u64,
    /// When it began: a source that is newer was not part of it.
    began: SystemTime,
    /// cargo's message about the shared object that it made.
    artifact: Value,
}

/// Runs cargo with these arguments, in the current folder.
pub fn run(arguments: &[OsString]) -> Result<ExitCode> {
    let cargo = std::env::var_os(CARGO).ok_or_else(|| {
        Failure::new("this is for the kernel, which says where cargo is").hint("run `cargo` itself")
    })?;
    // What is compiled from a reader's cells is the reader's alone.
    let _umask = Umask::set();
    let build = std::env::current_dir().unwrap_or_default();
    let is_ours =
        std::env::var_os("EVCXR_TMPDIR").is_some_and(|folder| same(Path::new(&folder), &build));
    if !is_ours {
        return Err(replace(real(&cargo).args(arguments)));
    }
    if let Some(lock_file) = std::env::var_os(LOCK_FILE) {
        put_back(&build, Path::new(&lock_file))
            .doing(|| "could not put the lock file back".to_owned())?;
    }
    if arguments.first().is_some_and(|first| first == "metadata") {
        return super::metadata::run(&cargo, arguments)
            .doing(|| "could not run cargo for the graph of packages".to_owned());
    }
    let arguments = &built(arguments);
    let builds_a_cell = arguments.first().is_some_and(|first| first == "build");
    // With a wrapper (sccache, evcxr's own cache) the command is not the compiler's alone.
    if !builds_a_cell || std::env::var_os("RUSTC_WRAPPER").is_some() {
        return Err(replace(real(&cargo).args(arguments)));
    }
    let cell = Cell { build };
    if let Ok(word) = std::env::var(sideband::VARIABLE)
        && cell.build.join(sideband::READ).exists()
    {
        cell.watch(&word)
            .doing(|| "could not prepare a cell".to_owned())?;
    }
    match cell.last_build(arguments) {
        Some(last) => cell.compile(&last),
        None => cell.build(&cargo, arguments),
    }
    .doing(|| "could not run cargo for a cell".to_owned())
}

/// The real cargo, in the current folder. It runs the build scripts of many authors, so the
/// reader's keys are not for it; what evcxr or the reader (`:build_env`) added to the kernel's
/// own environment is. A build script that runs cargo runs the real one, too.
pub(crate) fn real(cargo: &OsString) -> Command {
    let withheld = std::env::var_os(WITHHELD).unwrap_or_default();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others = std::env::split_paths(&path).filter(|folder| !folder.ends_with(PROGRAMS));
    let mut command = tool::command(cargo);
    command
        .envs(std::env::vars_os().filter(|(name, _)| is_added(name, &withheld)))
        .env("PATH", std::env::join_paths(others).unwrap_or(path.clone()))
        .current_dir(std::env::current_dir().unwrap_or_default());
    command
}

/// Whether a variable was not there when the kernel started. Our own are not for cargo.
fn is_added(name: &OsStr, withheld: &OsStr) -> bool {
    let name = name.as_bytes();
    let mut there = withheld.as_bytes().split(|byte| *byte == b',');
    !withheld.is_empty() && !name.starts_with(b"EVENHAND_") && !there.any(|other| other == name)
}

/// evcxr checks a cell where a variable's type is not known. A check needs of every package
/// what a build does not leave behind, which takes minutes; a build says the same of the cell.
fn built(arguments: &[OsString]) -> Vec<OsString> {
    let mut arguments = arguments.to_vec();
    if let Some(command) = arguments.first_mut().filter(|command| *command == "check") {
        *command = "build".into();
    }
    arguments
}

/// Runs the program to its end, or until the reader stops the cell, for which there is then this
/// file: evcxr itself knows no way to stop a compiler.
fn output_unless_stopped(command: &mut Command, stop_file: Option<OsString>) -> io::Result<Output> {
    let child = command.spawn()?;
    let process = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let (Some(stop_file), Some(process)) = (stop_file, process) {
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        std::thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                if Path::new(&stop_file).exists() {
                    end_tree(process);
                    return;
                }
                std::thread::sleep(LOOK);
            }
        });
        let output = child.wait_with_output();
        over.store(true, Ordering::Relaxed);
        return output;
    }
    child.wait_with_output()
}

/// Becomes the program; returns only if that fails.
fn replace(command: &mut Command) -> Failure {
    Failure::new("could not start cargo").because(command.exec())
}

fn same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// Puts the lock file back where the library is wanted and its versions are gone.
fn put_back(build: &Path, lock_file: &Path) -> io::Result<()> {
    let read = |name| fs::read_to_string(build.join(name)).unwrap_or_default();
    let wanted = read("Cargo.toml").lines().any(|line| {
        let rest = line.trim_start().strip_prefix("evenhand");
        rest.is_some_and(|rest| rest.trim_start().starts_with('='))
    });
    let locked = read("Cargo.lock")
        .lines()
        .any(|line| line == "name = \"evenhand\"");
    if wanted && !locked {
        fs::copy(lock_file, build.join("Cargo.lock"))?;
    }
    Ok(())
}

/// The crate that evcxr makes of a cell.
struct Cell {
    build: PathBuf,
}

impl Cell {
    /// A fingerprint of what decides, beside the sources, what the compiler is told.
    fn inputs(&self, arguments: &[OsString]) -> u64 {
        let mut hash = DefaultHasher::new();
        // A copy of a build directory is another one, into which nothing was built yet.
        self.build.hash(&mut hash);
        arguments.hash(&mut hash);
        for name in ["RUSTC", "RUSTFLAGS"] {
            std::env::var_os(name).hash(&mut hash);
        }
        for file in INPUTS {
            fs::read(self.build.join(file)).ok().hash(&mut hash);
        }
        hash.finish()
    }

    /// Has the cell tell the kernel of itself.
    fn watch(&self, word: &str) -> io::Result<()> {
        let cell = self.build.join(CELL);
        let source = fs::read_to_string(&cell)?;
        let watched = instrument::instrumented(&source, word);
        match watched == source {
            true => Ok(()),
            false => fs::write(cell, watched),
        }
    }

    fn shims(&self, name: &str) -> PathBuf {
        self.build.join(SHIMS).join(name)
    }

    /// The last real build, if nothing but the cell's own source has changed since.
    fn last_build(&self, arguments: &[OsString]) -> Option<LastBuild> {
        let last: LastBuild = serde_json::from_slice(&fs::read(self.shims(STATE)).ok()?).ok()?;
        let serves = last.inputs == self.inputs(arguments) && self.sources_are_older(&last)?;
        serves.then_some(last)
    }

    /// cargo lists all sources of the graph's local packages beside what it made of them.
    fn sources_are_older(&self, last: &LastBuild) -> Option<bool> {
        let list = fs::read_to_string(shared_object(&last.artifact)?.with_extension("d")).ok()?;
        let (_, sources) = list.trim_end().split_once(": ")?;
        let cell = self.build.join(CELL);
        let sources = sources.replace("\\ ", "\0");
        Some(
            sources
                .split(' ')
                .map(|source| PathBuf::from(source.replace('\0', " ")))
                .all(|source| {
                    let older =
                        |file: fs::Metadata| file.modified().is_ok_and(|time| time < last.began);
                    source == cell || fs::metadata(source).is_ok_and(older)
                }),
        )
    }

    /// Lets the real cargo build, and remembers how it did.
    fn build(&self, cargo: &OsString, arguments: &[OsString]) -> io::Result<ExitCode> {
        let began = SystemTime::now();
        let _ = fs::remove_file(self.shims(STATE));
        let mut command = real(cargo);
        command
            .args(arguments)
            .env("RUSTC_WORKSPACE_WRAPPER", self.shims(RECORDER))
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let output = output_unless_stopped(&mut command, std::env::var_os(STOP_FILE))?;
        io::stdout().write_all(&output.stdout)?;
        if output.status.success()
            && let Some(artifact) = artifact_of(&output)
            && let Ok(arguments_after) =
                fs::metadata(self.shims(RECORDED_ARGUMENTS)).and_then(|file| file.modified())
            && arguments_after >= began
        {
            // cargo may have written the lock file anew: the inputs are those after it.
            let last = LastBuild {
                inputs: self.inputs(arguments),
                began,
                artifact,
            };
            fs::write(self.shims(STATE), serde_json::to_vec(&last)?)?;
        }
        Ok(code(output.status.code()))
    }

    /// Runs the compiler's last command, and tells what came of it as cargo would.
    fn compile(&self, last: &LastBuild) -> io::Result<ExitCode> {
        let read = |name| fs::read(self.shims(name)).map(|text| split(&text));
        let (arguments, environment) = (read(RECORDED_ARGUMENTS)?, read(RECORDED_ENVIRONMENT)?);
        let variables = environment
            .iter()
            .filter_map(variable)
            // The slots for parallel work were that cargo's, which has ended.
            .filter(|(name, _)| *name != "CARGO_MAKEFLAGS");
        let (program, arguments) = arguments
            .split_first()
            .ok_or_else(|| io::Error::other("the compiler's command is empty"))?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let output = output_unless_stopped(&mut command, std::env::var_os(STOP_FILE))?;
        let mut out = io::stdout().lock();
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            match serde_json::from_str::<Value>(line) {
                Ok(message) if message["$message_type"] == "artifact" => {}
                Ok(message) => writeln!(out, "{}", as_cargo_says(&message, &last.artifact))?,
                Err(_) => writeln!(io::stderr(), "{line}")?,
            }
        }
        if output.status.success() {
            self.put_in_place(last)?;
            writeln!(out, "{}", last.artifact)?;
        }
        writeln!(
            out,
            "{}",
            json!({"reason": "build-finished", "success": output.status.success()})
        )?;
        Ok(if output.status.success() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(101)
        })
    }

    /// cargo links what the compiler made in `deps` to the folder above.
    fn put_in_place(&self, last: &LastBuild) -> io::Result<()> {
        let target =
            shared_object(&last.artifact).ok_or_else(|| io::Error::other("no shared object"))?;
        let (Some(folder), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(io::Error::other("the shared object has no folder"));
        };
        let made = folder.join("deps").join(name);
        // evcxr has moved the last one away, unless that cell did not get so far.
        let _ = fs::remove_file(&target);
        fs::hard_link(&made, &target).or_else(|_| fs::copy(&made, &target).map(drop))
    }
}

/// The parts that end in NUL, as they are: not all that the system gives a program is UTF-8.
fn split(text: &[u8]) -> Vec<OsString> {
    text.split(|byte| *byte == 0)
        .filter(|part| !part.is_empty())
        .map(|part| OsString::from_vec(part.to_owned()))
        .collect()
}

/// The name and the value of a variable.
fn variable(line: &OsString) -> Option<(&OsStr, &OsStr)> {
    let line = line.as_bytes();
    let place = line.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (&line[..place], &line[place + 1..]);
    Some((OsStr::from_bytes(name), OsStr::from_bytes(value)))
}

pub(crate) fn code(code: Option<i32>) -> ExitCode {
    code.and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}

/// cargo's message about the cell's own shared object.
fn artifact_of(output: &Output) -> Option<Value> {
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .rfind(|message| {
            message["reason"] == "compiler-artifact" && message["target"]["name"] == "ctx"
        })
        .map(|mut message| {
            message["fresh"] = false.into();
            message
        })
        .filter(|message| shared_object(message).is_some())
}

fn shared_object(artifact: &Value) -> Option<PathBuf> {
    let files = artifact["filenames"].as_array()?;
    let mut paths = files.iter().filter_map(Value::as_str).map(PathBuf::from);
    paths.find(|path| {
        path.extension()
            .is_some_and(|extension| extension == "so" || extension == "dylib")
    })
}

fn as_cargo_says(message: &Value, artifact: &Value) -> Value {
    json!({
        "reason": "compiler-message",
        "package_id": artifact["package_id"],
        "manifest_path": artifact["manifest_path"],
        "target": artifact["target"],
        "message": message,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::kernel::evcxr_build::shim;

    /// A build directory as evcxr has it, with the shims before it.
    struct Build {
        folder: tempfile::TempDir,
        lock_file: PathBuf,
    }

    impl Build {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let lock_file = folder.path().join("the workspace's.lock");
            fs::write(&lock_file, "name = \"evenhand\"\nname = \"polars\"\n").unwrap();
            Self { folder, lock_file }
        }

        fn write(&self, file: &str, text: &str) {
            fs::write(self.folder.path().join(file), text).unwrap();
        }
    }

    fn restored(manifest: &str, lock: &str) -> bool {
        let build = Build::new();
        build.write("Cargo.toml", manifest);
        build.write("Cargo.lock", lock);
        put_back(build.folder.path(), &build.lock_file).unwrap();
        fs::read_to_string(build.folder.path().join("Cargo.lock"))
            .unwrap()
            .contains("polars")
    }

    #[test]
    fn a_pruned_lock_file_is_put_back_where_the_library_is_wanted() {
        assert!(restored(
            "[dependencies]\nevenhand = { path = \"x\" }\n",
            "version = 4\n"
        ));
        assert!(!restored("[dependencies]\n", "version = 4\n"));
        assert!(!restored("evenhand_other = \"1\"\n", "version = 4\n"));
        assert!(!restored(
            "evenhand = { path = \"x\" }\n",
            "name = \"evenhand\"\nname = \"added by the reader\"\n"
        ));
    }

    #[test]
    fn the_state_of_another_build_directory_does_not_serve() {
        let inputs = |build: &Path| {
            Cell {
                build: build.to_owned(),
            }
            .inputs(&[])
        };
        let (one, other) = (Build::new(), Build::new());
        assert_eq!(inputs(one.folder.path()), inputs(one.folder.path()));
        assert_ne!(inputs(one.folder.path()), inputs(other.folder.path()));
        let before = inputs(one.folder.path());
        one.write("Cargo.toml", "[package]");
        assert_ne!(inputs(one.folder.path()), before);
    }

    #[test]
    fn a_check_is_a_build() {
        assert_eq!(
            built(&["check".into(), "--quiet".into()]),
            ["build", "--quiet"]
        );
        assert_eq!(built(&["metadata".into()]), ["metadata"]);
    }

    #[test]
    fn a_cell_is_compiled_with_the_cells_library_and_its_command_is_noted() {
        let build = Build::new();
        shim::environment(build.folder.path(), &build.lock_file).unwrap();
        build.write(
            "a cell.rs",
            "pub fn run() { ::evenhand_cell::begin(\"word:\"); }",
        );
        let arguments = ["--crate-name", "ctx", "--crate-type", "lib", "a cell.rs"];
        let recorded = Command::new(build.folder.path().join("shims/record"))
            .arg("rustc")
            .args(arguments)
            .args(["--edition", "2024"])
            .current_dir(build.folder.path())
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&recorded.stderr), "");
        assert!(build.folder.path().join("libctx.rlib").exists());
        let noted = fs::read(build.folder.path().join("shims/rustc.arguments")).unwrap();
        let noted = split(&noted);
        assert_eq!(noted[0], "rustc");
        assert_eq!(noted[1..6], arguments);
        let last = noted.last().unwrap().to_string_lossy();
        assert!(last.starts_with("evenhand_cell="));
    }

    #[test]
    fn the_command_is_noted_for_its_owner_alone_and_without_what_no_compiler_needs() {
        let build = Build::new();
        shim::environment(build.folder.path(), &build.lock_file).unwrap();
        let odd = OsStr::from_bytes(b"a\xffb = c");
        let record = |folder: &Path| {
            let status = Command::new(folder.join("shims/record"))
                .args(["true", "--crate-name", "ctx"])
                .env("CARGO_PKG_AUTHORS", odd)
                .env("https_proxy", "http://me:password@proxy")
                .status();
            assert!(status.unwrap().success());
        };
        // As if it were compiled already.
        build.write(&shim::cell_library(), "");
        record(build.folder.path());
        let path = build.folder.path().join("shims").join(RECORDED_ENVIRONMENT);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let noted = split(&fs::read(&path).unwrap());
        let variables: Vec<_> = noted.iter().filter_map(variable).collect();
        assert!(variables.contains(&(OsStr::new("CARGO_PKG_AUTHORS"), odd)));
        assert!(variables.iter().all(|(name, _)| *name != "https_proxy"));

        // What all kernels copy holds no environment at all.
        let warm = Build::new();
        shim::environment_of_warm(warm.folder.path(), &warm.lock_file).unwrap();
        warm.write(&shim::cell_library(), "");
        record(warm.folder.path());
        assert!(
            !warm
                .folder
                .path()
                .join("shims")
                .join(RECORDED_ENVIRONMENT)
                .exists()
        );
    }

    #[test]
    fn a_stop_ends_cargo_and_what_it_started() {
        let build = Build::new();
        let (stop, started) = (
            build.folder.path().join("stop"),
            build.folder.path().join("on"),
        );
        // A compiler that cargo waits for, and that holds what cargo's output is read from.
        let script = format!(
            "sh -c 'touch \"{}\"; sleep 600; echo done' & wait",
            started.display()
        );
        let stopping = std::thread::spawn({
            let stop = stop.clone();
            move || {
                while !started.exists() {
                    std::thread::sleep(LOOK);
                }
                fs::write(stop, "").unwrap();
            }
        });
        let mut cargo = Command::new("sh");
        cargo.args(["-c", &script]).stdout(Stdio::piped());
        let output = output_unless_stopped(&mut cargo, Some(stop.into())).unwrap();
        stopping.join().unwrap();
        assert!(!output.status.success());
        assert!(output.stdout.is_empty());
    }

    #[test]
    fn what_was_added_since_the_start_is_for_cargo() {
        let withheld = OsStr::new("AZURE_OPENAI_API_KEY,OTHER");
        assert!(is_added(OsStr::new("OF_THE_READER"), withheld));
        assert!(!is_added(OsStr::new("OTHER"), withheld));
        assert!(!is_added(OsStr::new("AZURE_OPENAI_API_KEY"), withheld));
        assert!(!is_added(OsStr::new("EVENHAND_OUTPUTS"), withheld));
        assert!(!is_added(OsStr::new("OF_THE_READER"), OsStr::new("")));
    }

    #[test]
    fn what_the_compiler_says_has_cargos_form() {
        let artifact = json!({"package_id": "p", "manifest_path": "m", "target": {"name": "ctx"}});
        let said = as_cargo_says(&json!({"message": "mismatched types"}), &artifact);
        assert_eq!(said["reason"], "compiler-message");
        assert_eq!(said["message"]["message"], "mismatched types");
        assert_eq!(said["target"]["name"], "ctx");
    }
}
