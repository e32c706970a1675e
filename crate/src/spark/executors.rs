//! A batch that the executors of a cluster ask: `evenhand complete` is sent to them, and reads and
//! writes the rows of a partition through Spark's `transform`.
//!
//! A key reaches an executor by its own environment alone. A partition has a journal on its machine,
//! named by its first row: rows are distributed and sorted by their id, so that a task that runs again
//! there finds what the first one was answered.

use std::path::{Path, PathBuf};

use prost::bytes::Bytes;
use ring::digest::{SHA256, digest};

use super::artifacts;
use super::column::Column;
use super::frame::DataFrame;
use super::functions::{concat, expr, lit};
use super::session::Session;
use crate::batch::Quota;
use crate::error::{Error, ErrorKind, Result};
use crate::openai::ChatRequest;
use crate::runtime;
use crate::settings;
use crate::sideband::SPARK_ENGINE_VARIABLE;

/// The largest program that is sent, in bytes.
const MAX_WORKER: u64 = 512 << 20;

/// How the lines of a partition go to the worker and come back: JSON has no such characters.
const ROW_FORMAT: &str =
    r"row format delimited fields terminated by '\u0001' null defined as '\u0002'";

/// What is read of an answer's line.
const ANSWER: &str = "custom_id string, response struct<status_code: int, body: struct<model: string, \
    choices: array<struct<finish_reason: string, message: struct<content: string>>>, \
    usage: struct<prompt_tokens: bigint, completion_tokens: bigint>>>";

/// Which executors ask, and how.
#[derive(Clone, Debug)]
pub(super) struct Executors {
    pub(super) tasks: u32,
    pub(super) worker: Option<PathBuf>,
}

/// The worker, as it lies on an executor, and its options.
pub(super) struct Worker {
    name: String,
    options: String,
    /// The folder for journals on an executor's machine; `None` keeps none.
    journals: Option<String>,
    tasks: u32,
}

impl Executors {
    /// Sends the worker to the server, and tries whether its executors can run it.
    ///
    /// # Errors
    /// There is no worker; or the server takes no files, has no `transform`, or can't run it.
    pub(super) fn ship(
        &self,
        session: &Session,
        options: String,
        journals: Option<String>,
    ) -> Result<Worker> {
        let content = self.content()?;
        let hash = digest(&SHA256, &content);
        let hash: String = hash
            .as_ref()
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let worker = Worker {
            name: format!("evenhand-worker-{hash}"),
            options,
            journals,
            tasks: self.tasks.max(1),
        };
        let (connected, name) = (session.connected().clone(), worker.name.clone());
        let sent = runtime::wait(runtime::run(async move {
            artifacts::add_file(&connected, &name, content).await
        }));
        match sent {
            // By an earlier batch of the session.
            Err(error)
                if error
                    .code()
                    .is_some_and(|code| code.contains("ALREADY_EXISTS")) => {}
            sent => sent?,
        }
        let probe = format!(
            "select transform('x') {ROW_FORMAT} using 'set -- ./*/{}; \"$1\" --version' as (said string) {ROW_FORMAT}",
            worker.name
        );
        session.sql(&probe)?.to_polars()?;
        Ok(worker)
    }

    fn content(&self) -> Result<Bytes> {
        let kernels = || std::env::var_os(SPARK_ENGINE_VARIABLE).map(PathBuf::from);
        let path = self.worker.clone().or_else(kernels).ok_or_else(|| {
            Error::new(ErrorKind::Argument, "no program for the executors is named")
                .with_hint("`.worker(\"target/release/evenhand\")` names one for their system")
        })?;
        let refused = |why: String| {
            Error::new(
                ErrorKind::Io,
                format!("{} can't be sent to the executors: {why}", path.display()),
            )
            .with_hint("`.worker(..)` names the program `evenhand` for the executors' system")
        };
        match std::fs::metadata(&path) {
            Ok(file) if file.len() > MAX_WORKER => Err(refused("it is too large".to_owned())),
            _ => std::fs::read(&path)
                .map(Bytes::from)
                .map_err(|error| refused(error.to_string())),
        }
    }
}

/// The folder for journals on an executor, in the shell's words: in the temporary folder, one for each
/// user.
const OWN_FOLDER: &str = "${TMPDIR:-/tmp}/evenhand-journals-$(id -u)";

/// Refuses that folder if another user of the machine has made it, or a link in its place.
const IS_OWN: &str = "[ -n \"$(find \"$d\" -prune -type d -user \"$(id -u)\")\" ] || \
     { echo \"error: $d does not belong to this user\" >&2; exit 1; }; ";

impl Worker {
    /// A statement that yields a column `l` with an answer's line for each row of the view, which has
    /// an `id` and a request's line `j`.
    pub(super) fn query(&self, view: &str) -> String {
        format!(
            "select from_json(j, '{ANSWER}') as l from (select transform(j) {ROW_FORMAT} using '{}' as (j string) \
             {ROW_FORMAT} from (select j from (select /*+ repartition({}, id) */ id, j from {view}) sort by id))",
            self.command(),
            self.tasks
        )
    }

    /// The shell's command, inside a literal of SQL. Failed rows do not fail the task.
    fn command(&self) -> String {
        let run = format!("\"$1\" complete --quiet {}", self.options);
        match &self.journals {
            None => format!("set -- ./*/{}; {run} || [ $? -eq 3 ]", self.name),
            Some(folder) => format!(
                "umask 077; set -- ./*/{}; d={folder}; mkdir -p \"$d\" || exit 1; {}IFS= read -r first || exit 0; \
                 n=$(printf %s \"$first\" | cksum | tr \" \" -); {{ printf \"%s\\\\n\" \"$first\"; cat; }} | \
                 {run} --journal \"$d/$n.jsonl\" || [ $? -eq 3 ]",
                self.name,
                if folder == OWN_FOLDER { IS_OWN } else { "" }
            ),
        }
    }
}

/// The requests of these rows as lines, in columns `id` and `j`. No value gets into a statement's
/// text.
pub(super) fn requests(pending: &DataFrame, template: &ChatRequest) -> Result<DataFrame> {
    let mark = super::uuid::random();
    let mut request = template.clone();
    request
        .messages
        .push(crate::openai::Message::user(mark.clone()));
    let unwritable = |_| Error::new(ErrorKind::Argument, "the request can't be written as JSON");
    let json = serde_json::to_string(&request).map_err(unwritable)?;
    let (before, after) = json
        .split_once(&format!("\"{mark}\""))
        .ok_or_else(|| Error::new(ErrorKind::Argument, "the request has no place for a prompt"))?;
    let line: [Column; 5] = [
        lit("{\"custom_id\":"),
        quoted_json("id"),
        lit(format!(
            ",\"method\":\"POST\",\"url\":\"/chat/completions\",\"body\":{before}"
        )),
        quoted_json("prompt"),
        lit(format!("{after}}}")),
    ];
    let rows = pending.filter("prompt is not null");
    Ok(rows.select([expr("id"), concat(line).alias("j")]))
}

/// A column's text as a string of JSON: the value in `{"x":..}`.
fn quoted_json(column: &str) -> Column {
    let object = format!("to_json(named_struct('x', {column}))");
    expr(&format!("substr({object}, 6, length({object}) - 6)"))
}

/// The options of a worker that gets this share of the quota.
pub(super) fn share(quota: Option<&Quota>, tasks: u32) -> Result<String> {
    let tasks = u64::from(tasks.max(1));
    let number = |name: &str| -> Result<Option<u64>> {
        let value = settings::variable(Path::new(""), name)?;
        Ok(value.and_then(|value| value.parse().ok()))
    };
    let (tokens, requests) = match quota {
        Some(quota) => (quota.tokens_per_minute(), quota.requests_per_minute()),
        None => (number("AZURE_OPENAI_TPM")?, number("AZURE_OPENAI_RPM")?),
    };
    let option = |name: &str, number: Option<u64>| {
        number.map(|number| format!("--{name} {}", (number / tasks).max(1)))
    };
    let options = [option("tpm", tokens), option("rpm", requests)];
    let options: Vec<String> = options.into_iter().flatten().collect();
    Ok(options.join(" "))
}

/// A folder as the shell and a literal of SQL take it.
pub(super) fn journal_folder(folder: Option<&Path>) -> Result<String> {
    let Some(folder) = folder else {
        return Ok(OWN_FOLDER.to_owned());
    };
    let text = folder.to_string_lossy().into_owned();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    match text.starts_with('/') && text.chars().all(is_plain) {
        true => Ok(text),
        false => Err(Error::new(
            ErrorKind::Argument,
            "a folder for journals on the executors is an absolute path of letters, digits, `.`, `_` and `-`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn each_task_gets_its_share_of_the_quota() {
        assert_eq!(
            share(Some(&Quota::tpm(100_000)), 4).unwrap(),
            "--tpm 25000 --rpm 150"
        );
        assert_eq!(share(Some(&Quota::rpm(2)), 4).unwrap(), "--rpm 1");
        assert_eq!(share(Some(&Quota::unlimited()), 4).unwrap(), "");
    }

    #[test]
    fn no_folder_gets_out_of_the_shells_word() {
        assert_eq!(
            journal_folder(Some(Path::new("/dbfs/a-b_c.d"))).unwrap(),
            "/dbfs/a-b_c.d"
        );
        for text in ["relative", "/a b", "/a;rm", "/a'b", "/$x", "/a\"b"] {
            assert!(journal_folder(Some(Path::new(text))).is_err(), "{text}");
        }
    }

    #[test]
    fn the_worker_reads_a_partition_and_keeps_its_journal() {
        let worker = |journals: Option<&str>| Worker {
            name: "evenhand-worker-abc".to_owned(),
            options: "--rpm 10".to_owned(),
            journals: journals.map(str::to_owned),
            tasks: 2,
        };
        assert_snapshot!(worker(None).command(), @r#"set -- ./*/evenhand-worker-abc; "$1" complete --quiet --rpm 10 || [ $? -eq 3 ]"#);
        assert!(
            worker(Some("/j"))
                .command()
                .contains("--journal \"$d/$n.jsonl\"")
        );
    }

    #[test]
    fn journals_are_kept_in_no_folder_of_another_user() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        std::fs::create_dir_all(path("files/sent")).unwrap();
        std::fs::write(path("files/sent/worker"), "#!/bin/sh\necho \"$@\"\n").unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(path("files/sent/worker"), mode).unwrap();
        let worker = Worker {
            name: "worker".to_owned(),
            options: String::new(),
            journals: Some(journal_folder(None).unwrap()),
            tasks: 1,
        };
        let run = || {
            let mut shell = std::process::Command::new("sh");
            // As the literal of SQL means it.
            shell.args(["-c", &worker.command().replace("\\\\", "\\")]);
            shell.current_dir(path("files")).env("TMPDIR", place.path());
            let mut child = shell
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap();
            std::io::Write::write_all(child.stdin.as_mut().unwrap(), b"line\n").unwrap();
            let output = child.wait_with_output().unwrap();
            let printed = [output.stdout, output.stderr].concat();
            (output.status.code(), String::from_utf8(printed).unwrap())
        };
        let user = crate::file_owner::own_user();
        let folder = path(&format!("evenhand-journals-{user}"));
        let (code, printed) = run();
        assert!(
            code == Some(0) && printed.contains(".jsonl"),
            "{code:?} {printed}"
        );
        let made = std::fs::metadata(&folder).unwrap();
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&made.permissions()) & 0o777,
            0o700
        );
        // Another user's link.
        std::fs::remove_dir(&folder).unwrap();
        std::os::unix::fs::symlink(path("files"), &folder).unwrap();
        let (code, printed) = run();
        assert!(
            code == Some(1) && printed.contains("does not belong to this user"),
            "{printed}"
        );
        // Only root can give a folder away.
        std::fs::remove_file(&folder).unwrap();
        std::fs::create_dir(&folder).unwrap();
        if user == 0 && std::os::unix::fs::chown(&folder, Some(65_534), None).is_ok() {
            assert_eq!(run().0, Some(1));
        }
    }
}
