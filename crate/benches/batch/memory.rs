//! How much memory `evenhand complete` takes by number of rows. The rows enter and leave through
//! pipes.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::peak_memory;
use crate::{Bench, Result, server, table};

pub(crate) fn run(bench: &Bench) -> Result {
    let launcher = launcher()?;
    let server = server::answering(Duration::ZERO);
    let address = server.url();
    let sizes = [10_000, 100_000, 1_000_000];
    let sizes = sizes.into_iter().take(if bench.long { 3 } else { 2 });
    let mut rows = Vec::new();
    for size in sizes {
        for journalled in [false, true] {
            let folder = tempfile::tempdir_in(&bench.folder)?;
            let mut command = complete(&launcher, &address, folder.path());
            if journalled {
                command.args(["--journal", "journal.jsonl"]);
            }
            let (wall, memory) = pass(&mut command, size)?;
            rows.push([
                size.to_string(),
                if journalled { "yes" } else { "no" }.to_owned(),
                format!("{:.0}", size as f64 / wall.as_secs_f64()),
                memory.map_or("".to_owned(), |megabytes| format!("{megabytes:.1} MB")),
            ]);
        }
    }
    table::print(
        "`evenhand complete`",
        ["rows", "journal", "rows/s", "memory"],
        &rows,
    );
    Ok(())
}

/// Builds the launcher with the same profile as this program, and returns its path.
fn launcher() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own
        .ancestors()
        .nth(2)
        .ok_or("the build directory has another form")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--quiet", "--bin", "evenhand"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .status()?;
    if !status.success() {
        return Err("the launcher could not be built".into());
    }
    Ok(folder.join("evenhand"))
}

fn complete(launcher: &Path, address: &str, folder: &Path) -> Command {
    let mut command = Command::new(launcher);
    command
        .args([
            "complete",
            "--quiet",
            "--max-tokens",
            "100",
            "--concurrency",
            "32",
        ])
        .current_dir(folder)
        .env("AZURE_OPENAI_ENDPOINT", address)
        .env("AZURE_OPENAI_API_KEY", "key")
        .env("AZURE_OPENAI_DEPLOYMENT", "bench")
        .env_remove("AZURE_OPENAI_TPM")
        .env_remove("AZURE_OPENAI_RPM")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// Passes that many rows through the command, and returns the time taken and the peak memory in MB.
fn pass(command: &mut Command, rows: usize) -> Result<(Duration, Option<f64>)> {
    let started = Instant::now();
    let mut child = command.spawn()?;
    let input = child.stdin.take().ok_or("its input is taken")?;
    let output = child.stdout.take().ok_or("its output is taken")?;
    let writing = thread::spawn(move || write(input, rows));
    let counting = thread::spawn(move || BufReader::new(output).split(b'\n').count());
    let memory = watch(&mut child)?;
    let took = started.elapsed();
    writing.join().map_err(|_| "the writer failed")??;
    let lines = counting.join().map_err(|_| "the reader failed")?;
    if lines != rows {
        return Err(format!("{lines} lines came back for {rows}").into());
    }
    Ok((took, memory))
}

fn write(to: impl Write, rows: usize) -> std::io::Result<()> {
    let mut to = BufWriter::new(to);
    for number in 0..rows {
        writeln!(
            to,
            r#"{{"prompt":"Describe person {number} in three sentences."}}"#
        )?;
    }
    to.flush()
}

/// Waits for the process to end, and returns its peak memory in MB.
fn watch(child: &mut Child) -> Result<Option<f64>> {
    let mut memory = None;
    loop {
        memory = peak_memory(&child.id().to_string()).or(memory);
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(memory),
            Some(status) => return Err(format!("evenhand complete ended with {status}").into()),
            None => thread::sleep(Duration::from_millis(20)),
        }
    }
}
