//! What the launcher passes to the programs that it starts: no key, and nobody else's modules.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::evenhand;

/// A program that records its environment and then claims to be Python.
fn noting(bin: &Path, name: &str, note: &Path) {
    fs::create_dir_all(bin).unwrap();
    let script = format!(
        "#!/bin/sh\nenv >> '{}'\necho \"$@\" >> '{}'\necho 3 12\nexit 0\n",
        note.display(),
        note.with_extension("arguments").display()
    );
    fs::write(bin.join(name), script).unwrap();
    fs::set_permissions(bin.join(name), Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_tool_is_given_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let (bin, note) = (folder.path().join("bin"), folder.path().join("note"));
    for name in ["python3", "rustc", "cargo", "rustup"] {
        noting(&bin, name, &note);
    }
    let mut path = vec![bin];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    for command in [["doctor", ""], ["serve", "--port=0"], ["lab", "--tpm=9"]] {
        let output = evenhand()
            .args(command.iter().filter(|argument| !argument.is_empty()))
            .env("EVENHAND_HOME", folder.path().join("home"))
            .env("PATH", std::env::join_paths(&path).unwrap())
            .envs([
                ("AZURE_OPENAI_API_KEY", "Canary-of-azure"),
                ("AZURE_OPENAI_ENDPOINT", "http://127.0.0.1:9/Canary"),
                ("AZURE_OPENAI_DEPLOYMENT", "Canary"),
                ("AWS_SECRET_ACCESS_KEY", "Canary-of-aws"),
                ("HF_TOKEN", "Canary-of-the-hub"),
                ("DATABASE_URL", "postgres://me:Canary@host"),
                ("CARGO_REGISTRY_TOKEN", "Canary-of-cargo"),
                ("PIP_EXTRA_INDEX_URL", "https://me:Canary-of-azure@index"),
            ])
            .output()
            .unwrap();
        assert_ne!(output.status.code(), Some(0));
    }
    let noted = fs::read_to_string(&note).unwrap();
    assert!(
        noted.contains("PATH=") && noted.contains("HOME="),
        "{noted}"
    );
    assert!(!noted.contains("Canary"), "{noted}");
}

#[test]
fn what_lies_in_the_current_folder_is_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let current = folder.path().join("current");
    fs::create_dir(&current).unwrap();
    let ran = folder.path().join("ran");
    for name in [
        "venv",
        "ensurepip",
        "pip",
        "random",
        "sys",
        "os",
        "json",
        "tornado",
        "jupyterlab",
        "nbconvert",
        "sitecustomize",
        "usercustomize",
    ] {
        let module = format!("open({ran:?}, 'a').write({name:?})\n");
        fs::write(current.join(format!("{name}.py")), module).unwrap();
    }
    let compiler = current.join("evil/bin/rustc");
    fs::create_dir_all(compiler.parent().unwrap()).unwrap();
    fs::write(&compiler, format!("#!/bin/sh\necho rustc >> {ran:?}\n")).unwrap();
    fs::set_permissions(&compiler, Permissions::from_mode(0o755)).unwrap();
    let toolchain = format!("[toolchain]\npath = {:?}\n", current.join("evil"));
    fs::write(current.join("rust-toolchain.toml"), toolchain).unwrap();
    for command in [["doctor", ""], ["serve", "--port=0"]] {
        evenhand()
            .args(command.iter().filter(|argument| !argument.is_empty()))
            .env_remove("RUSTUP_TOOLCHAIN")
            .env("EVENHAND_HOME", folder.path().join("home"))
            .env("PYTHONPATH", &current)
            .env("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
            .env("PIP_FIND_LINKS", "")
            .env("PIP_RETRIES", "0")
            .env("AZURE_OPENAI_ENDPOINT", "http://127.0.0.1:9")
            .current_dir(&current)
            .output()
            .unwrap();
    }
    assert!(folder.path().join("home/venv/pyvenv.cfg").exists());
    assert_eq!(fs::read_to_string(&ran).unwrap_or_default(), "");
}
