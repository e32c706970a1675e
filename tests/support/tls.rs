//! The scripted server over TLS.

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto::ring};
use tokio_rustls::server::TlsStream;

use super::server::{Connection, Reply, Server};

impl Server {
    /// Answers as `new` does, with a certificate for `localhost` that is only signed by
    /// `tests/fixtures/tls/authority.pem`.
    pub(crate) fn tls(replies: impl IntoIterator<Item = Reply>) -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/tls");
        let certificate = CertificateDer::from_pem_file(format!("{folder}/localhost.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(format!("{folder}/localhost.key")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let tls = TlsAcceptor::from(Arc::new(config));
        Self::over(replies, move |stream| {
            let accept = tls.accept(stream);
            // A client that does not trust the certificate disconnects here.
            async { accept.await.ok() }
        })
    }
}

impl Connection for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}
