//! `evenhand serve`: serves the local model until Ctrl-C.

use std::net::IpAddr;
use std::pin::pin;

use tokio::sync::oneshot;

use crate::error::{Context, Result};
use crate::local_model::{API_VERSION, Limits, Options, Server, like, weights::NAME};
use crate::paths::checkout::Checkout;
use crate::paths::home::Home;
use crate::setup;
use crate::supervise::block_on;
use crate::terminal::{err, out};

/// Serves until Ctrl-C.
pub fn run(options: Options, project: &Checkout, home: &Home) -> Result<()> {
    let (host, like) = (options.host, options.behavior.deployment());
    let limits = Limits::new(options.behavior.tpm, options.behavior.rpm);
    let (project, home) = (project.clone(), home.clone());
    let server = block_on(async {
        // First of all: setting up and loading may take long on a busy machine, and a shell starts
        // programs in the background with Ctrl-C ignored.
        let stop = stop_signal().with_context(|| "could not wait for signals".to_owned())?;
        let mut stop = pin!(stop);
        let (report, started) = oneshot::channel();
        std::thread::spawn(move || {
            let server = Server::start(options, &home, || setup::model(&project, &home));
            // Nobody waits for it if it was told to stop.
            let _ = report.send(server);
        });
        let server = tokio::select! {
            server = started => server.with_context(|| "the local model's thread ended".to_owned())??,
            () = stop.as_mut() => return Ok(None),
        };
        introduce(&server, host, like, limits);
        stop.await;
        Ok(Some(server))
    })?;
    out!("\nstopping");
    drop(server);
    Ok(())
}

fn introduce(
    server: &Server,
    host: IpAddr,
    like: Option<&'static like::Deployment>,
    limits: Limits,
) {
    match like {
        None => out!("{NAME} answers at {}", server.endpoint()),
        Some(like) => out!(
            "{NAME} behaves like {} at {}: it accepts and refuses the same requests, but writes \
             its own text",
            like.name,
            server.endpoint()
        ),
    }
    out!("It is a very small model (135 million parameters): weak, and visibly biased.\n");
    out!("export AZURE_OPENAI_ENDPOINT={}", server.endpoint());
    out!("export AZURE_OPENAI_API_KEY={}", server.key_in_shell());
    out!("export AZURE_OPENAI_API_VERSION={API_VERSION}");
    out!(
        "export AZURE_OPENAI_DEPLOYMENT={}\n",
        like.map_or(NAME, |like| &like.name)
    );
    let limit = |name, limit: Option<u64>| limit.map(|limit| format!("{limit} {name} per minute"));
    let quota = [
        limit("tokens", limits.tokens),
        limit("requests", limits.requests),
    ];
    let quota: Vec<_> = quota.into_iter().flatten().collect();
    if !quota.is_empty() {
        out!("The quota is {}.", quota.join(" and "));
    }
    if !host.is_loopback() {
        err!(
            "warning: anyone on the network who has the key can use the model, and the key is sent \
             unencrypted",
        );
    }
    out!("Stop it with Ctrl-C.");
}

/// From the return of this function on, a signal to stop completes the returned future and does
/// not end the process.
#[cfg(unix)]
pub(super) fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

#[cfg(not(unix))]
pub(super) fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without such a signal, the process can only be ended from outside.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
