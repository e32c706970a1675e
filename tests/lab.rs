//! `evenhand lab`: JupyterLab with the launcher's additions.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Stdio;
use std::time::Duration;

use crate::support::{Launcher, evenhand, home, poll};

#[test]
fn jupyterlab_ends_with_a_launcher_that_was_killed() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .unwrap()
        .port();
    let answers = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
    let launcher = evenhand()
        .args(["lab", "--", "--no-browser", "--ServerApp.port_retries=0"])
        .args(["--port", &port.to_string()])
        .env("EVENHAND_HOME", home())
        // With a service configured, no model is started.
        .env("AZURE_OPENAI_ENDPOINT", "https://contoso.openai.azure.com")
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let launcher = Launcher(launcher);
    poll(Duration::from_secs(120), || answers().then_some(())).expect("JupyterLab does not start");
    drop(launcher);
    poll(Duration::from_secs(60), || (!answers()).then_some(())).expect("JupyterLab goes on");
}
