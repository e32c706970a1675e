//! Where a socket listens: at a port, or at a path in a folder.

use std::fmt;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::codec::Reader;
use super::owner;

/// An address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    Tcp(String, u16),
    Ipc(PathBuf),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) => write!(f, "tcp://{host}:{port}"),
            Self::Ipc(path) => write!(f, "ipc://{}", path.display()),
        }
    }
}

/// The writing half of a connection.
pub type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// A connection.
pub enum Stream {
    Tcp(TcpStream),
    Ipc(UnixStream),
}

impl Stream {
    pub async fn connect(endpoint: &Endpoint) -> io::Result<Self> {
        match endpoint {
            Endpoint::Tcp(host, port) => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                Ok(Self::Tcp(stream))
            }
            Endpoint::Ipc(path) => UnixStream::connect(path).await.map(Self::Ipc),
        }
    }

    pub fn split(self) -> (Reader, Writer) {
        fn boxed(
            (read, write): (
                impl AsyncRead + Send + Unpin + 'static,
                impl AsyncWrite + Send + Unpin + 'static,
            ),
        ) -> (Reader, Writer) {
            (Reader::new(read), Box::new(write))
        }
        match self {
            Self::Tcp(stream) => boxed(stream.into_split()),
            Self::Ipc(stream) => boxed(stream.into_split()),
        }
    }
}

/// A socket that others connect to.
pub enum Listener {
    Tcp(TcpListener),
    Ipc(UnixListener, PathBuf),
}

impl Listener {
    pub async fn bind(endpoint: &Endpoint) -> io::Result<Self> {
        match endpoint {
            Endpoint::Tcp(host, port) => {
                let host = if host == "*" { "0.0.0.0" } else { host };
                TcpListener::bind((host, *port)).await.map(Self::Tcp)
            }
            Endpoint::Ipc(path) => {
                let listener = UnixListener::bind(path)?;
                let listener = Self::Ipc(listener, path.clone());
                // Keeps other users out even if the folder does not.
                fs::set_permissions(path, Permissions::from_mode(0o600))?;
                Ok(listener)
            }
        }
    }

    /// The next connections, at most `most`, from this user's processes. Those of other users are
    /// closed.
    pub async fn accept(&self, most: usize) -> io::Result<Vec<Stream>> {
        match self {
            Self::Tcp(listener) => {
                let mut streams = vec![listener.accept().await?];
                // Their owners are looked up for all at once, since each lookup is expensive.
                while streams.len() < most {
                    match std::future::poll_fn(|context| {
                        std::task::Poll::Ready(listener.poll_accept(context))
                    })
                    .await
                    {
                        std::task::Poll::Ready(Ok(stream)) => streams.push(stream),
                        _ => break,
                    }
                }
                let ours = owner::of_this_user(streams).await;
                for stream in &ours {
                    stream.set_nodelay(true)?;
                }
                Ok(ours.into_iter().map(Stream::Tcp).collect())
            }
            Self::Ipc(listener, _) => {
                let (stream, _) = listener.accept().await?;
                let is_ours = owner::may_speak(stream.peer_cred()?.uid());
                Ok(is_ours.then_some(Stream::Ipc(stream)).into_iter().collect())
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Ipc(_, path) = self {
            // If it is already gone, there is nothing to remove.
            let _ = fs::remove_file(path);
        }
    }
}
