//! Finds the process that holds a file's lock, if the system reveals it.

use std::fs::File;

/// The process that holds the file's lock, and its user.
#[cfg(target_os = "linux")]
pub(super) fn lock_holder(file: &File) -> Option<String> {
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;

    let found = file.metadata().ok()?;
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let process = process_id(&locks, found.ino())?;
    let owner = fs::metadata(format!("/proc/{process}")).ok()?.uid();
    Some(format!("process {process} of user {owner}"))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn lock_holder(_file: &File) -> Option<String> {
    None
}

/// The ID of the process that holds a lock on this inode. A line of `locks` looks like
/// `1: FLOCK  ADVISORY  WRITE 4321 08:01:131 0 EOF`. A process in another PID namespace has the
/// ID 0.
#[cfg(target_os = "linux")]
fn process_id(locks: &str, inode: u64) -> Option<u32> {
    locks.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let is_lock = words.next() == Some("FLOCK");
        let process = words.nth(2)?.parse().ok()?;
        let (_, found) = words.next()?.rsplit_once(':')?;
        (is_lock && found.parse() == Ok(inode) && process > 0).then_some(process)
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_known_by_its_file() {
        let locks = "1: POSIX  ADVISORY  WRITE 9 08:01:131 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 7 08:01:131 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 4321 08:01:131 0 EOF\n\
                     4: FLOCK  ADVISORY  WRITE 0 08:01:132 0 EOF\nodd\n";
        assert_eq!(process_id(locks, 131), Some(4321));
        assert_eq!(process_id(locks, 132), None);
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("a")).unwrap();
        file.lock().unwrap();
        let process = format!("process {} of user ", std::process::id());
        let found = lock_holder(&file);
        assert!(found.is_none_or(|found| found.starts_with(&process)));
    }
}
