//! The connection file: where a kernel listens, and with which key messages are signed.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::wire::random_hex;
use crate::failure::{Context, Failure, Result};

/// What a connection file says.
#[derive(Clone, Serialize, Deserialize)]
pub struct Connection {
    transport: String,
    ip: String,
    /// Where the kernel listens.
    #[serde(flatten)]
    pub ports: Ports,
    #[serde(default)]
    signature_scheme: String,
    /// What messages are signed with; empty where they are not.
    pub key: String,
}

/// The ports of a connection file.
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
    /// Ports that are free now. All are held until the last is known, so they differ.
    fn choose() -> Result<Self> {
        let doing = || "there is no free port on 127.0.0.1".to_owned();
        let mut held = Vec::new();
        let mut next = || -> Result<u16> {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).doing(doing)?;
            let port = listener.local_addr().doing(doing)?.port();
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
    /// A connection on this machine alone, with a key of its own.
    pub fn choose() -> Result<Self> {
        Ok(Self {
            transport: "tcp".to_owned(),
            ip: Ipv4Addr::LOCALHOST.to_string(),
            ports: Ports::choose()?,
            signature_scheme: "hmac-sha256".to_owned(),
            key: random_hex(32)?,
        })
    }

    /// Reads the file that Jupyter wrote.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read(path)
            .doing(|| format!("cannot read the connection file {}", path.display()))?;
        let connection: Self = serde_json::from_slice(&text).map_err(|error| {
            Failure::new(format!("{} is no connection file", path.display()))
                .because(error)
                .hint(
                    "Jupyter writes one when it starts a kernel: open a notebook with `cargo run`",
                )
        })?;
        if connection.transport != "tcp" {
            return Err(Failure::new(format!(
                "this kernel speaks TCP, and {} asks for {}",
                path.display(),
                connection.transport
            ))
            .hint("leave `KernelManager.transport` as it is"));
        }
        if !["", "hmac-sha256"].contains(&connection.signature_scheme.as_str()) {
            return Err(Failure::new(format!(
                "this kernel signs with hmac-sha256, and {} asks for {}",
                path.display(),
                connection.signature_scheme
            ))
            .hint("leave `Session.signature_scheme` as it is"));
        }
        Ok(connection)
    }

    /// Writes the file, for its owner alone.
    pub fn save(&self, path: &Path) -> Result<()> {
        let doing = || "cannot write the kernel's connection file".to_owned();
        let text = serde_json::to_vec(self).doing(doing)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .doing(doing)?;
        file.write_all(&text).doing(doing)
    }

    /// The address of one of the ports.
    pub fn endpoint(&self, port: u16) -> String {
        format!("tcp://{}:{port}", self.ip)
    }
}

#[cfg(test)]
mod tests {
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
        let connection = Connection::choose().unwrap();
        connection.save(&path).unwrap();
        let read = Connection::load(&path).unwrap();
        assert_eq!(read.key, connection.key);
        assert_eq!(
            read.endpoint(read.ports.shell),
            format!("tcp://127.0.0.1:{}", connection.ports.shell)
        );
        assert!(connection.save(&path).is_err(), "another's was replaced");
    }

    #[test]
    fn what_is_no_connection_file_is_refused_in_words() {
        let refused = |text: &str| load(text).err().unwrap().to_string();
        assert!(refused("hello").contains("is no connection file"));
        assert!(refused("{\"transport\": \"tcp\"}").contains("missing field"));
        let ports = r#""ip": "x", "shell_port": 1, "control_port": 2, "iopub_port": 3, "stdin_port": 4, "hb_port": 5, "key": """#;
        let other = refused(&format!("{{\"transport\": \"ipc\", {ports}}}"));
        assert!(other.contains("asks for ipc"), "{other}");
        let scheme = format!("{{\"transport\": \"tcp\", \"signature_scheme\": \"none\", {ports}}}");
        assert!(refused(&scheme).contains("asks for none"));
    }
}
