//! The user of the Azure CLI: `az account get-access-token`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde_json::value::RawValue;

use super::AccessToken;
use super::error_mapping::Failure;
use super::token_endpoint::{self, seconds_since_1970, usable};
use crate::http::redact::Redactor;
use crate::json::{deserialize, fields, plain_text};
use crate::secret::Secret;

/// How long `az` may take. It starts Python, and contacts a server if its own token has expired.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How much of its output is read, in bytes.
const MAX_LENGTH: u64 = 256 * 1024;
/// How long its output is waited for after it has ended. What it has started may hold the output open.
const REST: Duration = Duration::from_millis(500);
/// How many places are tried at which the JSON may begin.
const MAX_STARTS: usize = 1_000;
/// The lifetime of a token whose expiry `az` does not print, in seconds.
const UNNAMED: f64 = 300.0;

/// The variables that `az` gets: the location of its files, and the network settings.
const GIVEN: [&str; 20] = [
    "ALL_PROXY",
    "AZURE_CONFIG_DIR",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LANG",
    "LC_ALL",
    "LOGNAME",
    "NO_PROXY",
    "PATH",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
    "USER",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// Those that name files. `az` runs in another folder, so they must be absolute.
const PATHS: [&str; 5] = [
    "AZURE_CONFIG_DIR",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
];

/// The program.
pub(super) struct AzureCli {
    program: Option<PathBuf>,
}

/// The output of `az`.
struct Printed {
    is_success: bool,
    output: Vec<u8>,
    errors: String,
}

impl AzureCli {
    pub(super) fn new(program: Option<PathBuf>) -> Self {
        Self { program }
    }

    pub(super) async fn token(&self, resource: &str) -> Result<AccessToken, Failure> {
        let Some(program) = self.program.clone() else {
            return Err(Failure::Unavailable("`az` is not installed".to_owned()));
        };
        let resource = resource.to_owned();
        let asked = tokio::time::Instant::now();
        let work = move || token(&run(&program, &resource, TIMEOUT)?);
        let read = tokio::task::spawn_blocking(work).await;
        let stopped = |_| Failure::Unavailable("`az` was stopped".to_owned());
        let (token, lifetime) = read.map_err(stopped)??;
        Ok(AccessToken::new(token, asked, lifetime))
    }
}

/// The printed token and its lifetime.
fn token(printed: &Printed) -> Result<(Secret, Duration), Failure> {
    if !printed.is_success {
        return Err(refused(&printed.errors));
    }
    let output = String::from_utf8_lossy(&printed.output);
    let nothing = || {
        Failure::refused(
            "`az account get-access-token` printed no token",
            "run it in a terminal, and see what it says",
        )
    };
    let json = last_object(&output).ok_or_else(nothing)?;
    let [token, ends] = fields(&json, ["accessToken", "expires_on"]);
    let token = token.and_then(deserialize::<String>).and_then(usable);
    let ends = ends
        .and_then(plain_text)
        .and_then(|ends| ends.parse::<f64>().ok());
    // `az` computed the expiry from this machine's clock, too.
    let seconds = ends.map(|ends| ends - seconds_since_1970(SystemTime::now()));
    let lifetime = token_endpoint::lifetime(seconds.or(Some(UNNAMED)));
    Ok((token.ok_or_else(nothing)?, lifetime))
}

/// The JSON object with the token, whatever warnings are printed before or after it.
fn last_object(output: &str) -> Option<Box<RawValue>> {
    let starts = output.match_indices('{').map(|(at, _)| at);
    starts
        .take(MAX_STARTS)
        .filter_map(|at| {
            let rest = output.get(at..)?;
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Box<RawValue>>();
            values.next()?.ok()
        })
        .find(|json| fields(json, ["accessToken"])[0].is_some())
}

fn refused(errors: &str) -> Failure {
    let reason = match token_endpoint::excerpt(last_error(errors), &Redactor::new([])) {
        reason if reason.is_empty() => "it printed nothing".to_owned(),
        reason => reason,
    };
    if ["az login", "AADSTS70043", "AADSTS700082", "AADSTS50173"]
        .iter()
        .any(|sign| errors.contains(sign))
    {
        return Failure::Unavailable(format!("`az` is not signed in: {reason}"));
    }
    let hint = token_endpoint::hint(errors)
        .unwrap_or("run `az account get-access-token` in a terminal, and see what it says");
    Failure::refused(format!("`az` gave no token: {reason}"), hint)
}

/// The error message without the warnings before it.
fn last_error(errors: &str) -> &str {
    let at = errors.rfind("ERROR:").or_else(|| errors.rfind("AADSTS"));
    errors.get(at.unwrap_or_default()..).unwrap_or_default()
}

/// Runs `az` until it ends or the time limit is reached.
fn run(program: &Path, resource: &str, timeout: Duration) -> Result<Printed, Failure> {
    let began = Instant::now();
    let left = || timeout.saturating_sub(began.elapsed());
    let given: BTreeMap<&str, OsString> = GIVEN
        .iter()
        .filter_map(|name| Some((*name, given(name, std::env::var_os(name)?))))
        .collect();
    let mut command = Command::new(program);
    command
        .args(["account", "get-access-token", "--resource", resource])
        .args(["-o", "json"])
        .env_clear()
        .envs(given)
        .env("AZURE_CORE_NO_COLOR", "true")
        // Python must not find modules in a notebook's folder.
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command
        .spawn()
        .map_err(|error| Failure::Unavailable(format!("`az` can't be run: {error}")))?;
    let output = child.stdout.take().map(Output::spawn_reader);
    let errors = child.stderr.take().map(Output::spawn_reader);
    let Some(is_success) = wait(&mut child, left) else {
        end(&mut child);
        return Err(Failure::refused(
            format!("`az account get-access-token` gave no answer within {timeout:?}"),
            "run it in a terminal, and see what it waits for",
        ));
    };
    let ended = Instant::now();
    let rest = |output: Option<Output>| match output {
        Some(output) => output.take_output(REST.saturating_sub(ended.elapsed())),
        None => Vec::new(),
    };
    let (output, errors) = (rest(output), rest(errors));
    Ok(Printed {
        is_success,
        output,
        errors: String::from_utf8_lossy(&errors).into_owned(),
    })
}

/// The value of a variable as `az` gets it.
fn given(name: &str, value: OsString) -> OsString {
    if !PATHS.contains(&name) || value.is_empty() {
        return value;
    }
    std::path::absolute(&value).map_or(value, PathBuf::into_os_string)
}

/// What a program has printed so far. It is read on its own thread, which ends when the program and
/// all that it started have closed their output.
struct Output {
    read: Arc<Mutex<Vec<u8>>>,
    is_complete: Receiver<()>,
}

impl Output {
    fn spawn_reader(from: impl Read + Send + 'static) -> Self {
        let read = Arc::new(Mutex::new(Vec::new()));
        let (complete, is_complete) = sync_channel(1);
        let bytes = Arc::clone(&read);
        std::thread::spawn(move || {
            let mut from = from.take(MAX_LENGTH);
            let mut part = [0; 4096];
            while let Ok(length @ 1..) = from.read(&mut part) {
                let mut bytes = bytes.lock().unwrap_or_else(PoisonError::into_inner);
                bytes.extend_from_slice(part.get(..length).unwrap_or_default());
            }
            let _ = complete.send(());
        });
        Self { read, is_complete }
    }

    /// Waits at most this long until all is read.
    fn take_output(self, wait: Duration) -> Vec<u8> {
        // If others still hold the output open, what was printed before the end counts.
        let _ = self.is_complete.recv_timeout(wait);
        std::mem::take(&mut *self.read.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Waits until it ends; returns whether it succeeded, or `None` if it takes too long.
fn wait(child: &mut Child, left: impl Fn() -> Duration) -> Option<bool> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) if !left().is_zero() => std::thread::sleep(Duration::from_millis(5)),
            Ok(None) | Err(_) => return None,
        }
    }
}

/// Kills it and everything that it started.
fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Ok(group) = i32::try_from(child.id()) {
        // SAFETY: it only sends a signal. The group is the child's own, and its id is not used
        // again before the child was waited for.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(output: &str, errors: &str) -> Printed {
        Printed {
            is_success: errors.is_empty(),
            output: output.as_bytes().to_vec(),
            errors: errors.to_owned(),
        }
    }

    fn reported(failure: Failure) -> String {
        match failure {
            Failure::Unavailable(why) => format!("unavailable: {why}"),
            Failure::Refused(error) | Failure::Transient(error, _) => format!("{error:?}"),
        }
    }

    #[test]
    fn the_token_is_found_behind_warnings() {
        let ends = seconds_since_1970(SystemTime::now()) + 3600.0;
        let output = format!(
            "WARNING: {{this}} is {{}}\n{{\n \"accessToken\": \"a.b\",\n \"expiresOn\": \"2026-11-28 16:00:00.000000\",\n \"expires_on\": {ends:.0},\n \"tokenType\": \"Bearer\"\n}}\nA new version is there.\n"
        );
        let (secret, lifetime) = token(&printed(&output, "")).unwrap();
        assert_eq!(secret.expose(), "a.b");
        assert!((3590..=3600).contains(&lifetime.as_secs()), "{lifetime:?}");
    }

    #[test]
    fn an_end_that_is_not_named_or_is_past_is_near() {
        let seconds = |ends: &str| {
            let output = format!(r#"{{"accessToken": "a.b"{ends}}}"#);
            token(&printed(&output, "")).unwrap().1.as_secs()
        };
        assert_eq!(seconds(""), 300);
        assert_eq!(seconds(r#", "expires_on": 1000"#), 60);
    }

    #[test]
    fn what_it_says_instead_is_told() {
        let failed = |output, errors| reported(token(&printed(output, errors)).unwrap_err());
        insta::assert_snapshot!(failed("", "WARNING: old\nERROR: Please run 'az login' to setup account.\n"), @"unavailable: `az` is not signed in: ERROR: Please run 'az login' to setup account.");
        insta::assert_snapshot!(failed("", "ERROR: AADSTS500011: The resource principal was not found. Trace ID: 7"), @r"
        `az` gave no token: ERROR: AADSTS500011: The resource principal was not found.
          hint: the tenant does not know the service: check AZURE_TENANT_ID, and that it is the resource's
        ");
        let token = format!("ERROR: bad token eyJ0eXAi.{}-1", "aB3_".repeat(40));
        insta::assert_snapshot!(failed("", &token), @r"
        `az` gave no token: ERROR: bad token [token]
          hint: run `az account get-access-token` in a terminal, and see what it says
        ");
        for output in [
            "",
            "{}",
            "{\"accessToken\": 7}",
            "{\"accessToken\": \"",
            "WARNING: {",
            &"{\"a\":".repeat(40_000),
        ] {
            assert!(failed(output, "").contains("printed no token"), "{output}");
        }
    }

    #[test]
    fn a_relative_path_still_leads_there_from_another_folder() {
        let here = std::env::current_dir().unwrap().join("azure");
        assert_eq!(given("AZURE_CONFIG_DIR", "azure".into()), here);
        assert_eq!(given("AZURE_CONFIG_DIR", "/azure".into()), "/azure");
        for name in ["AZURE_CONFIG_DIR", "NO_PROXY"] {
            assert_eq!(given(name, "".into()), "");
        }
        assert_eq!(given("NO_PROXY", "azure".into()), "azure");
    }

    #[cfg(unix)]
    fn script(folder: &Path, lines: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let program = folder.join("az");
        std::fs::write(&program, format!("#!/bin/sh\n{lines}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        program
    }

    #[cfg(unix)]
    #[test]
    fn a_child_that_keeps_the_output_open_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let program = script(
            folder.path(),
            r#"sleep 600 & echo $! >&2; echo '{"accessToken": "a.b"}'"#,
        );
        let printed = run(&program, "r", Duration::from_secs(300)).ok().unwrap();
        assert_eq!(token(&printed).unwrap().0.expose(), "a.b");
        let child = printed.errors.trim().parse().unwrap();
        // SAFETY: it only sends a signal, to the process that the script has started.
        unsafe { libc::kill(child, libc::SIGKILL) };
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_hangs_is_ended_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let child = folder.path().join("child");
        let lines = format!("sleep 600 &\necho $! > '{}'\nwait", child.display());
        let program = script(folder.path(), &lines);
        let failure = run(&program, "r", Duration::from_secs(2)).err().unwrap();
        assert!(reported(failure).contains("gave no answer within 2s"));
        let id: i32 = std::fs::read_to_string(child)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        // It is gone, or a zombie.
        let is_gone = || {
            let state = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            state.is_empty() || state.contains(") Z")
        };
        let end = Instant::now() + Duration::from_secs(60);
        while !is_gone() {
            assert!(Instant::now() < end, "it is still there");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
