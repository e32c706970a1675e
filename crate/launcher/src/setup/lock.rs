//! The lock that lets only one launcher at a time set up a home.
//!
//! The holder of the lock writes its name into the file and regularly updates the file's
//! modification time. So a waiting launcher can name the holder, and does not wait forever for one
//! that hangs.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant, SystemTime};

use crate::error::{Context, Failure, Result};
use crate::paths::home::Home;
use crate::paths::home::private::{self, Umask};
use crate::terminal::err;
use crate::tool;

/// How often to check whether the lock is free.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// After how long the user is told about the wait, and how often this is repeated.
const TELL: Duration = Duration::from_secs(3);
const TELL_AGAIN: Duration = Duration::from_secs(30);

/// How long a holder may go without a sign of life.
const SILENCE: Duration = Duration::from_secs(60);

/// How often a holder gives one.
const BEAT: Duration = Duration::from_secs(5);

/// How many bytes of a holder's name are read.
const MAX_NAME: u64 = 100;

/// The lock on a home. As long as it is held, new files are accessible to the owner only.
pub struct Alone {
    file: File,
    _umask: Umask,
    _beating: Sender<()>,
}

/// Checks that the home is ours, and waits until no other launcher is setting it up.
pub fn exclusive(home: &Home) -> Result<Alone> {
    home.claim()?;
    let path = home.root().join("setup.lock");
    let open = || {
        private::create_folder(&home.logs())?;
        File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
    };
    let file = open().map_err(|error| {
        Failure::new(format!(
            "could not write to evenhand's folder {}",
            home.root().display()
        ))
        .because(error)
        .hint("set EVENHAND_HOME to a folder that is yours and has 4 GB of room")
    })?;
    wait(&file, &path)?;
    let beating = hold(&file).with_context(|| format!("could not write {}", path.display()))?;
    Ok(Alone {
        file,
        _umask: Umask::set(),
        _beating: beating,
    })
}

impl Drop for Alone {
    fn drop(&mut self) {
        // Closing the file releases the lock; a name that is left behind would do no harm.
        let _ = self.file.set_len(0);
        // Explicit, since a program that is being started right now may have inherited the file.
        let _ = self.file.unlock();
    }
}

/// Records who holds the lock, and gives signs of life until the sender is dropped.
fn hold(file: &File) -> io::Result<Sender<()>> {
    let mut own = file.try_clone()?;
    own.set_len(0)?;
    own.rewind()?;
    own.write_all(format!("process {} on {}\n", std::process::id(), machine()).as_bytes())?;
    let (beating, ended) = mpsc::channel();
    std::thread::Builder::new()
        .name("evenhand-lock".to_owned())
        .spawn(move || {
            while ended.recv_timeout(BEAT) == Err(mpsc::RecvTimeoutError::Timeout) {
                // If this fails, a waiting launcher gives up too early, which does no other harm.
                let _ = own.set_modified(SystemTime::now());
            }
        })?;
    Ok(beating)
}

fn wait(file: &File, path: &Path) -> Result<()> {
    let begin = Instant::now();
    let mut tell = TELL;
    let mut last_sign = (touched(file), begin);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => {
                return Err(Failure::new(format!("could not lock {}", path.display()))
                    .because(error)
                    .hint("set EVENHAND_HOME to a folder on a disk that can lock files"));
            }
        }
        let sign = touched(file);
        if sign != last_sign.0 {
            last_sign = (sign, Instant::now());
        }
        if last_sign.1.elapsed() > SILENCE {
            return Err(silent(path, &holder(file)));
        }
        if begin.elapsed() > tell {
            tell = begin.elapsed() + TELL_AGAIN;
            err!(
                "  waiting for {}, which is setting up {} …",
                holder(file),
                path.parent().unwrap_or(path).display()
            );
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

fn silent(path: &Path, holder: &str) -> Failure {
    Failure::new(format!(
        "{} is held by {holder}, without a sign of life for {} s",
        path.display(),
        SILENCE.as_secs()
    ))
    .hint(format!(
        "end that process and start again; `fuser -v {}` shows which process holds the file",
        path.display()
    ))
}

fn touched(file: &File) -> Option<SystemTime> {
    file.metadata().and_then(|found| found.modified()).ok()
}

/// Who holds the lock, according to the holder's own entry.
fn holder(mut file: &File) -> String {
    let mut name = Vec::new();
    // A name that cannot be read counts as none.
    let _ = file
        .rewind()
        .and_then(|()| file.take(MAX_NAME).read_to_end(&mut name));
    let name = String::from_utf8_lossy(&name);
    let name = name.lines().next().unwrap_or_default();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || " .-_".contains(letter);
    match !name.is_empty() && name.chars().all(plain) {
        true => format!("another evenhand ({name})"),
        false => "a program that does not say who it is".to_owned(),
    }
}

fn machine() -> String {
    let kernels = std::fs::read_to_string("/proc/sys/kernel/hostname");
    let asked = || {
        let output = tool::command("uname").arg("-n").output().ok()?;
        String::from_utf8(output.stdout).ok()
    };
    let name = kernels.ok().or_else(asked).unwrap_or_default();
    match name.trim() {
        "" => "this machine".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_says_who_it_is_and_what_is_no_name_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("setup.lock");
        let open = || {
            File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .unwrap()
        };
        let beating = hold(&open()).unwrap();
        let said = holder(&open());
        assert!(
            said.starts_with(&format!(
                "another evenhand (process {} on ",
                std::process::id()
            )),
            "{said}"
        );
        drop(beating);
        std::fs::write(&path, "\x1b[2Jhello").unwrap();
        assert_eq!(holder(&open()), "a program that does not say who it is");
        let failure = silent(&path, &holder(&open())).to_string();
        assert!(
            failure.contains("without a sign of life for 60 s"),
            "{failure}"
        );
        assert!(failure.contains("hint: end that process"), "{failure}");
    }

    #[test]
    fn signs_of_life_are_seen_by_those_who_wait() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("setup.lock");
        let file = File::create(&path).unwrap();
        let before = touched(&file);
        file.set_modified(SystemTime::now() + BEAT).unwrap();
        assert_ne!(touched(&File::open(&path).unwrap()), before);
    }
}
