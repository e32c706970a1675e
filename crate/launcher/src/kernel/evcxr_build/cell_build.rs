//! The build of one cell: with cargo if anything but the cell has changed, and otherwise with the
//! last compiler command alone.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Output, Stdio};
use std::time::SystemTime;

use evenhand::sideband::STOP_FILE_VARIABLE;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::implementations::Implementations;
use super::own_crates::{self, Plan};
use super::real_cargo::{code, output_unless_stopped, real};
use super::shim::{RECORDED_ARGUMENTS, RECORDED_ENVIRONMENT, RECORDER, SHIMS};
use super::{failure, instrument, message, profile, progress};
use crate::kernel::FORMATS;

/// Files that must be unchanged for the last compiler command to be reused.
const INPUTS: [&str; 3] = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml"];
const STATE: &str = "last-build.json";
const CELL: &str = "src/lib.rs";
/// What is known of the implementations in the cells so far.
const IMPLEMENTATIONS: &str = "implementations.json";

/// The last build that the real cargo did.
#[derive(Serialize, Deserialize)]
pub(super) struct LastBuild {
    /// A fingerprint of the inputs.
    inputs: u64,
    /// When it began: a newer source was not part of it.
    began: SystemTime,
    /// cargo's message about the shared object that it built.
    artifact: Value,
}

/// The crate that evcxr generates from a cell.
pub(super) struct Cell {
    pub(super) build: PathBuf,
}

impl Cell {
    /// A fingerprint of everything but the sources that determines the compiler command.
    fn inputs(&self, arguments: &[OsString]) -> u64 {
        let mut hash = DefaultHasher::new();
        // A copy of a build directory counts as another one, in which nothing has been built yet.
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

    /// Adds marks to the cell's source (see `instrument`).
    pub(super) fn watch(&self, token: &str) -> io::Result<()> {
        let cell = self.build.join(CELL);
        let source = fs::read_to_string(&cell)?;
        let formats = self.build.join(FORMATS).exists();
        let watched = match source.contains("impl") {
            true => instrument::instrumented(&self.without_replaced(&source)?, token, formats),
            false => instrument::instrumented(&source, token, formats),
        };
        match watched == source {
            true => Ok(()),
            false => fs::write(cell, watched),
        }
    }

    /// What evcxr is told instead of a build, if the cell can't run together with the toolkit.
    pub(super) fn refused(&self) -> io::Result<Option<Value>> {
        let Some(diagnostic) = failure::of_allocator(&self.source()) else {
            return Ok(None);
        };
        let manifest = fs::read_to_string(self.build.join("Cargo.toml"))?;
        Ok(own_crates::has_toolkit(&manifest).then_some(diagnostic))
    }

    fn without_replaced(&self, source: &str) -> io::Result<String> {
        let file = self.shims(IMPLEMENTATIONS);
        let known = fs::read(&file).ok();
        let mut known: Implementations = known
            .and_then(|known| serde_json::from_slice(&known).ok())
            .unwrap_or_default();
        let left = known.without_replaced(source);
        fs::write(&file, serde_json::to_vec(&known)?)?;
        Ok(left)
    }

    fn shims(&self, name: &str) -> PathBuf {
        self.build.join(SHIMS).join(name)
    }

    /// The last real build, if only the cell's own source has changed since then.
    pub(super) fn last_build(&self, arguments: &[OsString]) -> Option<LastBuild> {
        let last: LastBuild = serde_json::from_slice(&fs::read(self.shims(STATE)).ok()?).ok()?;
        let serves = last.inputs == self.inputs(arguments) && self.sources_are_older(&last)?;
        serves.then_some(last)
    }

    /// Checks the sources of all local packages, which cargo lists in a `.d` file next to the
    /// artifact. In a graph of the reader's crates, the library's are listed in its own.
    fn sources_are_older(&self, last: &LastBuild) -> Option<bool> {
        let artifact = shared_object(&last.artifact)?;
        let library = fs::read_to_string(artifact.with_file_name("libevenhand.d"));
        let lists = [fs::read_to_string(artifact.with_extension("d")).ok()?]
            .into_iter()
            .chain(library);
        let mut all_are_older = true;
        for list in lists {
            let (_, sources) = list.trim_end().split_once(": ")?;
            all_are_older &= self.are_older(sources, last.began);
        }
        Some(all_are_older)
    }

    fn are_older(&self, sources: &str, began: SystemTime) -> bool {
        let cell = [self.build.join(CELL), own_crates::source(&self.build)];
        let sources = sources.replace("\\ ", "\0");
        sources
            .split(' ')
            .map(|source| PathBuf::from(source.replace('\0', " ")))
            .all(|source| {
                let older = |file: fs::Metadata| file.modified().is_ok_and(|time| time < began);
                cell.contains(&source) || fs::metadata(source).is_ok_and(older)
            })
    }

    /// Builds with the real cargo and records the build.
    pub(super) fn build(&self, cargo: &OsString, arguments: &[OsString]) -> io::Result<ExitCode> {
        let began = SystemTime::now();
        let _ = fs::remove_file(self.shims(STATE));
        let plan = own_crates::plan(&self.build, cargo, arguments)?;
        let given = match &plan {
            Plan::AsIs | Plan::WithFeatures => arguments,
            Plan::Apart(given) => given,
            Plan::Failed(output) => return failed(output),
        };
        let mut command = real(cargo);
        command
            .args(profile::option(&self.build.join(SHIMS)))
            .args(given)
            .env("RUSTC_WORKSPACE_WRAPPER", self.shims(RECORDER))
            .env("CARGO_TERM_PROGRESS_WHEN", "always")
            .env("CARGO_TERM_PROGRESS_WIDTH", "120")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let stop_file = std::env::var_os(STOP_FILE_VARIABLE);
        let output = output_unless_stopped(&mut command, stop_file, Some(progress::follow))?;
        if !self.pass_on(&output.stdout)? && !output.status.success() {
            return failed(&output);
        }
        if output.status.success()
            && let Some(artifact) = artifact_of(&output)
            && let Ok(arguments_after) =
                fs::metadata(self.shims(RECORDED_ARGUMENTS)).and_then(|file| file.modified())
            && arguments_after >= began
        {
            // cargo may have rewritten the lock file, so the inputs are read after the build.
            let last = LastBuild {
                inputs: self.inputs(arguments),
                began,
                artifact,
            };
            fs::write(self.shims(STATE), serde_json::to_vec(&last)?)?;
        }
        if output.status.success() && matches!(plan, Plan::Apart(_) | Plan::WithFeatures) {
            own_crates::keep(&self.build, arguments);
        }
        Ok(code(output.status.code()))
    }

    /// Passes on cargo's messages for evcxr, and returns whether an error was among them.
    fn pass_on(&self, messages: &[u8]) -> io::Result<bool> {
        let (source, mut has_error) = (self.source(), false);
        let mut out = io::stdout().lock();
        for line in messages.split_inclusive(|byte| *byte == b'\n') {
            let mut diagnostic = match serde_json::from_slice::<Value>(line) {
                Ok(diagnostic) if diagnostic["reason"] == "compiler-message" => diagnostic,
                _ => {
                    out.write_all(line)?;
                    continue;
                }
            };
            let diagnostic = if diagnostic["target"]["name"] == "ctx" {
                self.adjust(&mut diagnostic["message"], &source)?;
                Some(diagnostic)
            } else {
                failure::of_dependency(&diagnostic)
            };
            if let Some(diagnostic) = diagnostic {
                has_error |= diagnostic["message"]["level"] == "error";
                writeln!(out, "{diagnostic}")?;
            }
        }
        Ok(has_error)
    }

    /// Runs the last compiler command, and reports the result as cargo would.
    pub(super) fn compile(&self, last: &LastBuild) -> io::Result<ExitCode> {
        let read = |name| fs::read(self.shims(name)).map(|text| split(&text));
        let (arguments, environment) = (read(RECORDED_ARGUMENTS)?, read(RECORDED_ENVIRONMENT)?);
        let variables = environment
            .iter()
            .filter_map(variable)
            // The jobserver belonged to a cargo that has ended.
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
        let output =
            output_unless_stopped(&mut command, std::env::var_os(STOP_FILE_VARIABLE), None)?;
        let source = self.source();
        let mut out = io::stdout().lock();
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            match serde_json::from_str::<Value>(line) {
                Ok(message) if message["$message_type"] == "artifact" => {}
                Ok(mut message) => {
                    self.adjust(&mut message, &source)?;
                    writeln!(out, "{}", as_cargo_says(&message, &last.artifact))?;
                }
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

    fn source(&self) -> String {
        fs::read_to_string(self.build.join(CELL)).unwrap_or_default()
    }

    fn adjust(&self, diagnostic: &mut Value, source: &str) -> io::Result<()> {
        match message::adjust(diagnostic, source) {
            Some(moved) => message::write_note(&moved, &self.build),
            None => Ok(()),
        }
    }

    /// Links the compiler's output from `deps` into the folder above, as cargo does.
    fn put_in_place(&self, last: &LastBuild) -> io::Result<()> {
        let target =
            shared_object(&last.artifact).ok_or_else(|| io::Error::other("no shared object"))?;
        let (Some(folder), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(io::Error::other("the shared object has no folder"));
        };
        let made = folder.join("deps").join(name);
        // evcxr has moved the previous one away, unless that cell failed earlier.
        let _ = fs::remove_file(&target);
        fs::hard_link(&made, &target).or_else(|_| fs::copy(&made, &target).map(drop))
    }
}

/// Reports that cargo failed without an error of the compiler's.
fn failed(output: &Output) -> io::Result<ExitCode> {
    if let Some(diagnostic) = failure::of_cargo(&String::from_utf8_lossy(&output.stderr)) {
        writeln!(io::stdout(), "{diagnostic}")?;
    }
    Ok(code(output.status.code()))
}

/// Splits at NUL. Arguments and variables are not always UTF-8.
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

/// cargo's message about the cell's shared object.
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
    use std::path::Path;

    use super::*;
    use crate::kernel::evcxr_build::shim;

    /// A build directory, and the lock file of its workspace.
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
    fn a_cell_is_compiled_with_the_cells_library_and_its_command_is_noted() {
        let build = Build::new();
        shim::environment(build.folder.path(), &build.lock_file).unwrap();
        build.write(
            "a cell.rs",
            "pub fn run() { ::evenhand_cell::begin(\"token:\", false, false); }",
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
        // An empty file stands for the compiled library.
        build.write(&shim::cell_library(), "");
        record(build.folder.path());
        let path = build.folder.path().join("shims").join(RECORDED_ENVIRONMENT);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let noted = split(&fs::read(&path).unwrap());
        let variables: Vec<_> = noted.iter().filter_map(variable).collect();
        assert!(variables.contains(&(OsStr::new("CARGO_PKG_AUTHORS"), odd)));
        assert!(variables.iter().all(|(name, _)| *name != "https_proxy"));

        // The warm build, which all kernels copy, holds no environment at all.
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
    fn what_the_compiler_says_has_cargos_form() {
        let artifact = json!({"package_id": "p", "manifest_path": "m", "target": {"name": "ctx"}});
        let diagnostic = as_cargo_says(&json!({"message": "mismatched types"}), &artifact);
        assert_eq!(diagnostic["reason"], "compiler-message");
        assert_eq!(diagnostic["message"]["message"], "mismatched types");
        assert_eq!(diagnostic["target"]["name"], "ctx");
    }
}
