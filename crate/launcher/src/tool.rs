//! Programs that need no secrets: pip, cargo, the compiler, nbconvert, the small model.
//!
//! A reader's environment holds keys, and what such a program installs or compiles may run code
//! of many authors. So it is given what it is known to need, by name, and nothing else. Who does
//! get all of the environment: kernels, whose cells are the reader's own program, and JupyterLab,
//! which starts them.

use std::ffi::{OsStr, OsString};
use std::process::Command;

/// Variables by name: who runs this, where, in which language.
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

/// Families of variables, by their beginning: the system's, Rust's, and those in which C
/// compilers and build scripts look for compilers, flags and libraries.
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

/// C compilers and their flags, where they have no ending.
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

/// How the network is reached. A proxy may ask for a password, which stands in its address: a
/// compiler has no use for these.
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

/// Where a notebook's services have their keys.
const OUR_KEYS: [&str; 3] = [
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_AD_TOKEN",
    "OPENAI_API_KEY",
];

/// A key is at least this long; a shorter word may stand anywhere by chance.
const SHORTEST_KEY: usize = 8;

/// A command for a tool that needs no secrets, which does not work in the current folder: what
/// lies there may be a stranger's, and tools look for settings where they work.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(environment(std::env::vars_os(), &[]))
        .current_dir("/");
    command
}

/// The same for Python, isolated (`-I`): no module of the current folder or of the user's own
/// site stands before those of its environment, and no `PYTHON…` variable counts.
pub fn python(program: impl AsRef<OsStr>) -> Command {
    let mut python = command(program);
    python
        .arg("-I")
        .envs(environment(std::env::vars_os(), &["PIP_", "JUPYTER_"]));
    python
}

/// The names of all variables that tools are not given; they hold no `,`.
pub fn withheld() -> OsString {
    let kept: Vec<_> = environment(std::env::vars_os(), &[]).collect();
    let is_kept = |name: &OsString| kept.iter().any(|(kept, _)| kept == name);
    let names = std::env::vars_os().map(|(name, _)| name);
    let names: Vec<_> = names.filter(|name| !is_kept(name)).collect();
    names.join(OsStr::new(","))
}

/// What a tool is given of these variables, with further families.
fn environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
    more: &[&str],
) -> impl Iterator<Item = (OsString, OsString)> {
    let variables: Vec<_> = variables.collect();
    let keys: Vec<Vec<u8>> = variables
        .iter()
        .filter(|(name, _)| OUR_KEYS.iter().any(|key| name == key))
        .map(|(_, value)| value.as_encoded_bytes().trim_ascii().to_vec())
        .filter(|value| value.len() >= SHORTEST_KEY)
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

/// Whether one of the words of the name says that the value is a secret.
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
