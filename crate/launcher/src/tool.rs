//! Programs that need no secrets: pip, cargo, the compiler, nbconvert, the local model.
//!
//! The user's environment contains keys, and what such a program installs or compiles may run
//! code by many authors. So it only gets the variables that it is known to need. The whole
//! environment is only given to kernels, whose cells are the user's own program, and to
//! JupyterLab, which starts them.

use std::ffi::{OsStr, OsString};
use std::process::Command;

/// Variables by name: the user, the system and the language.
const PLAIN: [&str; 21] = [
    "CARGO",
    "CLICOLOR",
    "COLORTERM",
    "DEVELOPER_DIR",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LOGNAME",
    "MACOSX_DEPLOYMENT_TARGET",
    "NO_COLOR",
    "PATH",
    "SDKROOT",
    "SHELL",
    "TEMP",
    "TERM",
    "TMP",
    "TMPDIR",
    "TZ",
    "USER",
    "VIRTUAL_ENV",
    "__CF_USER_TEXT_ENCODING",
];

/// Families of variables, by prefix: the system's, Rust's, and those in which C compilers and
/// build scripts look for compilers, flags and libraries.
const FAMILIES: [&str; 38] = [
    "AR_",
    "BINDGEN_",
    "CARGO_",
    "CCACHE_",
    "CC_",
    "CFLAGS_",
    "CLANG_",
    "CMAKE_",
    "CONDA_",
    "CRATE_CC_",
    "CXXFLAGS_",
    "CXX_",
    "DYLD_",
    "EVCXR_",
    "GETTEXT_",
    "GUIX_",
    "HOMEBREW_",
    "HOST_",
    "LC_",
    "LD_",
    "LIBCLANG_",
    "LIBSQLITE3_",
    "LLVM_",
    "MAKE",
    "NIX_",
    "OPENSSL_",
    "PKG_CONFIG",
    "PROTOC",
    "PYENV_",
    "PYO3_",
    "RANLIB_",
    "RUST",
    "SCCACHE_",
    "SQLITE3_",
    "TARGET_",
    "XDG_",
    "ZSTD_",
    "_CONDA_",
];

/// C compilers and their flags, without a suffix.
const OF_C: [&str; 17] = [
    "AR",
    "ARFLAGS",
    "AS",
    "CC",
    "CFLAGS",
    "CPATH",
    "CPLUS_INCLUDE_PATH",
    "CPP",
    "CPPFLAGS",
    "CXX",
    "CXXFLAGS",
    "C_INCLUDE_PATH",
    "LD",
    "LDFLAGS",
    "LIBRARY_PATH",
    "NM",
    "RANLIB",
];

/// Network settings. A proxy's address may contain a password, so compilers, which do not need
/// the network, are not given these variables.
pub const NETWORK: [&str; 22] = [
    "ALL_PROXY",
    "CARGO_HTTP_PROXY",
    "CURL_CA_BUNDLE",
    "FTP_PROXY",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NIX_SSL_CERT_FILE",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "RUSTUP_DIST_SERVER",
    "SSH_AUTH_SOCK",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "all_proxy",
    "ftp_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// Variables that hold the keys of a notebook's services.
const OUR_KEYS: [&str; 3] = [
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_AD_TOKEN",
    "OPENAI_API_KEY",
];

/// The minimum length of a key that is searched for in other variables: a shorter text could
/// occur there by chance.
const MIN_KEY: usize = 8;

/// A command for a tool that needs no secrets. It does not run in the current folder: the files
/// there may be somebody else's, and tools read settings from the folder in which they run.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(environment(std::env::vars_os(), &[]))
        .current_dir("/");
    command
}

/// The same for Python, isolated (`-I`): no module from the current folder or the user's site
/// directory shadows those of its environment, and `PYTHON…` variables are ignored.
pub fn python(program: impl AsRef<OsStr>) -> Command {
    let mut python = command(program);
    python
        .arg("-I")
        // The same for a Python that it starts.
        .env("PYTHONSAFEPATH", "1")
        .envs(environment(std::env::vars_os(), &["PIP_", "JUPYTER_"]));
    python
}

/// The names of all variables that tools are not given, separated by `,`.
pub fn withheld() -> OsString {
    let kept: Vec<_> = environment(std::env::vars_os(), &[]).collect();
    let is_kept = |name: &OsString| kept.iter().any(|(kept, _)| kept == name);
    let names = std::env::vars_os().map(|(name, _)| name);
    let names: Vec<_> = names.filter(|name| !is_kept(name)).collect();
    names.join(OsStr::new(","))
}

/// The variables among these that a tool is given, with further families.
fn environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
    more: &[&str],
) -> impl Iterator<Item = (OsString, OsString)> {
    let variables: Vec<_> = variables.collect();
    let keys: Vec<Vec<u8>> = variables
        .iter()
        .filter(|(name, _)| OUR_KEYS.iter().any(|key| name == key))
        .map(|(_, value)| value.as_encoded_bytes().trim_ascii().to_vec())
        .filter(|value| value.len() >= MIN_KEY)
        .collect();
    let more: Vec<String> = more.iter().copied().map(str::to_owned).collect();
    variables.into_iter().filter(move |(name, value)| {
        let holds_key = |key: &Vec<u8>| contains(value.as_encoded_bytes(), key);
        name.to_str().is_some_and(|name| {
            let wanted = is_needed(name) || more.iter().any(|family| name.starts_with(family));
            wanted && !names_a_secret(name)
        }) && !keys.iter().any(holds_key)
    })
}

fn is_needed(name: &str) -> bool {
    let named = |names: &[&str]| names.contains(&name);
    named(&PLAIN)
        || named(&OF_C)
        || named(&NETWORK)
        || FAMILIES.iter().any(|family| name.starts_with(family))
}

/// Whether one of the words in the name means that the value is a secret.
fn names_a_secret(name: &str) -> bool {
    const WORDS: [&str; 9] = [
        "APIKEY",
        "CREDENTIALS",
        "KEY",
        "KEYS",
        "PASSPHRASE",
        "PASSWD",
        "PASSWORD",
        "SECRET",
        "TOKEN",
    ];
    name.split('_')
        .any(|word| WORDS.contains(&word.to_ascii_uppercase().as_str()))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(variables: &[(&str, &str)], more: &[&str]) -> Vec<String> {
        let variables = variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        environment(variables, more)
            .map(|(name, _)| name.into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_tool_is_given_what_it_needs_and_no_secret() {
        let variables = [
            ("PATH", "/bin"),
            ("LC_ALL", "C"),
            ("CARGO_HOME", "/c"),
            ("HTTPS_PROXY", "http://proxy"),
            ("PIP_INDEX_URL", "https://index"),
            ("AZURE_OPENAI_API_KEY", "hunter2-hunter2"),
            ("AZURE_OPENAI_ENDPOINT", "https://contoso"),
            ("OPENAI_API_KEY", "x"),
            ("AWS_SECRET_ACCESS_KEY", "aws"),
            ("DATABASE_URL", "postgres://me:pw@host"),
            ("CARGO_REGISTRY_TOKEN", "t"),
            ("PIP_PASSWORD", "t"),
            ("GH_TOKEN", "t"),
            ("EVENHAND_OUTPUTS", "a word that forges marks"),
        ];
        assert_eq!(
            kept(&variables, &[]),
            ["PATH", "LC_ALL", "CARGO_HOME", "HTTPS_PROXY"]
        );
        assert!(kept(&variables, &["PIP_"]).contains(&"PIP_INDEX_URL".to_owned()));
        assert!(!kept(&variables, &["PIP_"]).contains(&"PIP_PASSWORD".to_owned()));
    }

    #[test]
    fn a_key_in_another_variable_is_still_a_key() {
        let key = "hunter2-hunter2";
        let url = format!("https://me:{key}@index/simple");
        let variables = [
            ("OPENAI_API_KEY", key),
            ("PIP_INDEX_URL", &url),
            ("CARGO_HOME", "/c"),
            ("RUSTFLAGS", key),
        ];
        assert_eq!(kept(&variables, &["PIP_"]), ["CARGO_HOME"]);
    }

    #[test]
    fn a_short_word_is_not_looked_for() {
        let variables = [("OPENAI_API_KEY", "b"), ("PATH", "/bin")];
        assert_eq!(kept(&variables, &[]), ["PATH"]);
    }

    #[test]
    fn python_is_isolated() {
        let command = python("python3");
        assert_eq!(command.get_args().next(), Some(OsStr::new("-I")));
        assert_eq!(command.get_current_dir(), Some(std::path::Path::new("/")));
    }
}
