//! Where the launcher's folder may be, and who has access to it.

use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};

use crate::support::checkout;
use crate::support::evenhand;

fn run(arguments: &[&str], home: &Path, folder: &Path) -> Output {
    evenhand()
        .args(arguments)
        .env("EVENHAND_HOME", home)
        // Without Python, a setup that is not refused ends soon.
        .env("PATH", folder)
        .current_dir(folder)
        .output()
        .unwrap()
}

const COMMANDS: [&[&str]; 2] = [&["clean"], &["serve", "--port", "0"]];

/// All files with their contents.
fn all(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(all(&path)),
            false => found.push((path.display().to_string(), fs::read(&path).unwrap())),
        }
    }
    found.sort();
    found
}

#[test]
fn a_project_is_no_home_whatever_its_folders_are_called() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("project");
    for file in [
        "model/weights.bin",
        "logs/today.log",
        "venv/pyvenv.cfg",
        "venv/bin/python",
    ] {
        let path = project.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "mine").unwrap();
    }
    let before = all(&project);
    for command in COMMANDS {
        let full = run(command, &project, &project);
        assert_eq!(full.status.code(), Some(1));
        let said = String::from_utf8(full.stderr).unwrap();
        assert!(
            said.contains("something that evenhand did not create"),
            "{said}"
        );
        assert!(said.contains("hint: set EVENHAND_HOME"), "{said}");
        for relative in [".", "home", "~/evenhand"] {
            let relative = run(command, Path::new(relative), &project);
            assert_eq!(relative.status.code(), Some(1));
            let said = String::from_utf8(relative.stderr).unwrap();
            assert!(said.contains("relative path"), "{said}");
        }
    }
    assert_eq!(all(&project), before);
}

#[test]
fn what_holds_something_else_is_no_home() {
    let folder = tempfile::tempdir().unwrap();
    let checkout = checkout();
    let home = std::env::var("HOME").unwrap();
    for (place, why) in [
        (Path::new("/"), "is the root of the file system"),
        (Path::new(&home), "is your home folder"),
        (checkout, "is the checkout"),
        // Which of the protected folders is named depends on the machine.
        (checkout.parent().unwrap(), ""),
    ] {
        for command in COMMANDS {
            let output = run(command, place, folder.path());
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1));
            let refused = said.contains("nothing is created or removed there");
            assert!(refused && said.contains(why), "{}: {said}", place.display());
        }
    }
}

#[test]
fn a_home_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    run(COMMANDS[1], &home, folder.path());
    for place in ["", "logs"] {
        let found = fs::metadata(home.join(place)).unwrap();
        assert_eq!(found.permissions().mode() & 0o777, 0o700);
    }
    let lock = fs::metadata(home.join("setup.lock")).unwrap();
    assert_eq!(lock.permissions().mode() & 0o777, 0o600);

    // A later change of permissions is reported, since anybody may have put files there.
    fs::set_permissions(&home, Permissions::from_mode(0o777)).unwrap();
    let output = run(COMMANDS[1], &home, folder.path());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("others can write to"), "{said}");
}

#[test]
fn a_link_in_the_place_of_the_environment_is_not_emptied() {
    let folder = tempfile::tempdir().unwrap();
    let (home, bin) = (folder.path().join("home"), folder.path().join("bin"));
    run(COMMANDS[1], &home, folder.path());
    fs::create_dir(folder.path().join("mine")).unwrap();
    fs::write(folder.path().join("mine/file"), "keep").unwrap();
    std::os::unix::fs::symlink(folder.path().join("mine"), home.join("venv")).unwrap();
    fs::create_dir(&bin).unwrap();
    // A program that clears its target, as Python's `venv --clear` does.
    let python = "#!/bin/sh\nfor last; do :; done\ncase $* in *venv*) /bin/rm -rf \"$last\"/*;; *) echo 3 12;; esac\n";
    fs::write(bin.join("python3"), python).unwrap();
    fs::set_permissions(bin.join("python3"), Permissions::from_mode(0o755)).unwrap();
    let output = run(COMMANDS[1], &home, &bin);
    assert_eq!(output.status.code(), Some(1));
    assert!(!home.join("venv").is_symlink());
    assert!(folder.path().join("mine/file").exists());
}

#[test]
fn who_is_waited_for_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    run(COMMANDS[1], &home, folder.path());
    let lock = File::options()
        .write(true)
        .open(home.join("setup.lock"))
        .unwrap();
    lock.lock().unwrap();
    fs::write(home.join("setup.lock"), "process 12 on elsewhere\n").unwrap();
    let mut waiting = evenhand()
        .args(COMMANDS[1])
        .env("EVENHAND_HOME", &home)
        .env("PATH", folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(waiting.stderr.take().unwrap()).lines();
    let said = lines.next().unwrap().unwrap();
    assert!(
        said.contains("waiting for another evenhand (process 12 on elsewhere)"),
        "{said}"
    );
    lock.unlock().unwrap();
    let rest: String = lines.map_while(Result::ok).collect();
    assert!(rest.contains("Python was not found"), "{rest}");
    assert!(!waiting.wait().unwrap().success());
}
