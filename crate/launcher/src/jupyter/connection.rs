//! The connection file: where a kernel listens, and the key that signs messages.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::wire::random_hex;
use super::zmtp::Endpoint;
use crate::error::{Context, Failure, Result};

/// How a kernel is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Ports, which every process on the machine can reach.
    Tcp,
    /// Sockets in a folder that keeps other users out.
    Ipc,
}

/// The content of a connection file.
#[derive(Clone, Serialize, Deserialize)]
pub struct Connection {
    transport: Transport,
    ip: String,
    /// The character between the path and the number of a socket in a folder.
    #[serde(skip, default = "jupyters")]
    separator: char,
    /// Where the kernel listens.
    #[serde(flatten)]
    pub ports: Ports,
    #[serde(default)]
    signature_scheme: String,
    /// The key that signs messages; empty if they are not signed.
    pub key: String,
}

/// The separator in Jupyter's names of sockets in a folder.
fn jupyters() -> char {
    '-'
}

/// The size limit of a connection file, in bytes. Jupyter's has about 300.
const MAX_LENGTH: u64 = 64 * 1024;

/// The ports of a connection file, or the numbers of its sockets in a folder.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Ports {
    #[serde(rename = "shell_port")]
    pub shell: u16,
    #[serde(rename = "control_port")]
    pub control: u16,
    #[serde(rename = "iopub_port")]
    pub iopub: u16,
    #[serde(rename = "stdin_port")]
    pub stdin: u16,
    #[serde(rename = "hb_port")]
    pub heartbeat: u16,
}

impl Ports {
    /// Ports that are free now. All are kept open until the last is chosen, so that they differ.
    fn choose() -> Result<Self> {
        let context = || "there is no free port on 127.0.0.1".to_owned();
        let mut held = Vec::new();
        let mut next = || -> Result<u16> {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).with_context(context)?;
            let port = listener.local_addr().with_context(context)?.port();
            held.push(listener);
            Ok(port)
        };
        Ok(Self {
            shell: next()?,
            control: next()?,
            iopub: next()?,
            stdin: next()?,
            heartbeat: next()?,
        })
    }
}

impl Connection {
    /// A connection by ports on this machine, with a new key.
    pub fn by_ports() -> Result<Self> {
        Self::from_ports(
            Transport::Tcp,
            Ipv4Addr::LOCALHOST.to_string(),
            Ports::choose()?,
        )
    }

    /// A connection by sockets in this folder, with a new key. Jupyter puts a hyphen before the
    /// number of a socket, and evcxr a colon.
    pub fn in_folder(folder: &Path, separator: char) -> Result<Self> {
        let path = folder.join("kernel").into_os_string().into_string();
        let path = path.map_err(|path| {
            let folder = path.display();
            Failure::new(format!(
                "a kernel's sockets can't be in {folder}: its name is not UTF-8"
            ))
            .hint("set TMPDIR to a folder with a plain name")
        })?;
        let ports = Ports {
            shell: 1,
            control: 2,
            iopub: 3,
            stdin: 4,
            heartbeat: 5,
        };
        Ok(Self {
            separator,
            ..Self::from_ports(Transport::Ipc, path, ports)?
        })
    }

    fn from_ports(transport: Transport, ip: String, ports: Ports) -> Result<Self> {
        Ok(Self {
            transport,
            ip,
            separator: jupyters(),
            ports,
            signature_scheme: "hmac-sha256".to_owned(),
            key: random_hex(32)?,
        })
    }

    /// Reads the file that Jupyter wrote.
    pub fn load(path: &Path) -> Result<Self> {
        let context = || format!("cannot read the connection file {}", path.display());
        let mut text = Vec::new();
        let file = File::open(path).with_context(context)?;
        file.take(MAX_LENGTH)
            .read_to_end(&mut text)
            .with_context(context)?;
        let connection: Self = serde_json::from_slice(&text).map_err(|error| {
            Failure::new(format!("{} is not a connection file", path.display()))
                .because(error)
                .hint(
                    "Jupyter writes one when it starts a kernel: open a notebook with `cargo run`",
                )
        })?;
        if !["", "hmac-sha256"].contains(&connection.signature_scheme.as_str()) {
            return Err(Failure::new(format!(
                "this kernel signs with hmac-sha256, but {} asks for {}",
                path.display(),
                connection.signature_scheme
            ))
            .hint("leave `Session.signature_scheme` at its default"));
        }
        Ok(connection)
    }

    /// Refuses ports without a key: everybody who reaches them could run code.
    pub fn check_key(&self) -> Result<()> {
        if !self.key.is_empty() || self.transport == Transport::Ipc {
            return Ok(());
        }
        Err(Failure::new(
            "the connection file has no key, so every program that reaches the kernel's ports could run code",
        )
        .hint("leave Jupyter's `Session.key` at its default, which is a new key for each kernel"))
    }

    /// Writes the file, readable by its owner only.
    pub fn save(&self, path: &Path) -> Result<()> {
        let context = || "cannot write the kernel's connection file".to_owned();
        let text = serde_json::to_vec(self).with_context(context)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .with_context(context)?;
        file.write_all(&text).with_context(context)
    }

    /// The endpoint of one of the ports.
    pub fn endpoint(&self, port: u16) -> Endpoint {
        match self.transport {
            Transport::Tcp => Endpoint::Tcp(self.ip.clone(), port),
            Transport::Ipc => Endpoint::Ipc(format!("{}{}{port}", self.ip, self.separator).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn load(text: &str) -> Result<Connection> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Connection::load(file.path())
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("connection.json");
        let connection = Connection::by_ports().unwrap();
        connection.save(&path).unwrap();
        let read = Connection::load(&path).unwrap();
        assert_eq!(read.key, connection.key);
        assert_eq!(
            read.endpoint(read.ports.shell).to_string(),
            format!("tcp://127.0.0.1:{}", connection.ports.shell)
        );
        assert!(connection.save(&path).is_err(), "another's was replaced");
    }

    #[test]
    fn sockets_in_a_folder_are_named_as_jupyter_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("connection.json");
        let connection = Connection::in_folder(folder.path(), '-').unwrap();
        connection.save(&path).unwrap();
        let read = Connection::load(&path).unwrap();
        assert_eq!(
            read.endpoint(read.ports.control),
            Endpoint::Ipc(folder.path().join("kernel-2"))
        );
    }

    #[test]
    fn what_is_no_connection_file_is_refused_in_words() {
        let refused = |text: &str| load(text).err().unwrap().to_string();
        assert!(refused("hello").contains("is not a connection file"));
        assert!(refused("{\"transport\": \"tcp\"}").contains("missing field"));
        let ports = r#""ip": "x", "shell_port": 1, "control_port": 2, "iopub_port": 3, "stdin_port": 4, "hb_port": 5, "key": """#;
        let other = refused(&format!("{{\"transport\": \"udp\", {ports}}}"));
        assert!(other.contains("expected `tcp` or `ipc`"), "{other}");
        let endless = format!("{{\"transport\": \"tcp\", \"x\": \"{}", "x".repeat(1 << 20));
        assert!(refused(&endless).contains("is not a connection file"));
        let scheme = format!("{{\"transport\": \"tcp\", \"signature_scheme\": \"none\", {ports}}}");
        assert!(refused(&scheme).contains("asks for none"));
        let unsigned = format!("{{\"transport\": \"tcp\", {ports}}}");
        let refusal = load(&unsigned).unwrap().check_key().unwrap_err();
        assert!(refusal.to_string().contains("has no key"));
        // Only their owner reaches sockets in a folder.
        let sockets = load(&unsigned.replace("tcp", "ipc")).unwrap();
        assert!(sockets.check_key().is_ok());
        let signed = unsigned.replace("\"key\": \"\"", "\"key\": \"k\"");
        assert!(load(&signed).unwrap().check_key().is_ok());
    }

    proptest! {
        #[test]
        fn any_file_has_an_answer(text: Vec<u8>, name in "[a-z_]{0,9}", number: i64) {
            let read = |bytes: &[u8]| serde_json::from_slice::<Connection>(bytes).is_ok();
            read(&text);
            let ports = ["shell", "control", "iopub", "stdin", "hb"]
                .map(|port| format!("\"{port}_port\": {number}"))
                .join(", ");
            let file = format!(
                r#"{{"transport": "tcp", "ip": "x", "key": "", {ports}, "{name}": {number}}}"#
            );
            let is_field = ["transport", "ip", "key", "signature_scheme"].contains(&&*name);
            let fits = u16::try_from(number).is_ok() && !is_field;
            prop_assert_eq!(read(file.as_bytes()), fits, "{}", file);
        }
    }
}
