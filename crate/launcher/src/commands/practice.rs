//! `evenhand practice`: runs the practice cloud until Ctrl-C.

use std::pin::pin;

use crate::commands::serve::stop_signal;
use crate::error::{Context, Result};
use crate::paths::checkout::Checkout;
use crate::paths::home::Home;
use crate::practice::{Behavior, DEFAULT_PORT, Practice, list_of_faults};
use crate::setup;
use crate::supervise::block_on;
use crate::terminal::out;

/// Runs a cloud on this machine that behaves like Azure and Databricks, for whoever has no subscription.
///
/// It has Microsoft Entra's tokens, Azure Resource Manager, Azure OpenAI (answered by the local model, with
/// each deployment's quota) and a Databricks workspace. Nothing in it is real or costs anything, and what
/// takes minutes takes fractions of a second. What there is stays in the home, for the next start. Its
/// clusters run no code: Spark sessions use the local engine.
#[derive(Debug, clap::Args)]
#[command(after_help = list_of_faults())]
pub struct Options {
    /// The port of the loopback interface to listen on; 0 chooses any free port
    #[arg(long, default_value_t = DEFAULT_PORT)]
    port: u16,
    #[command(flatten)]
    behavior: Behavior,
    /// Leave out the local model: everything works but asking a deployment
    #[arg(long)]
    without_model: bool,
    /// Begin with an empty cloud
    #[arg(long)]
    reset: bool,
}

/// Runs until Ctrl-C.
pub fn run(options: &Options, project: &Checkout, home: &Home) -> Result<()> {
    if !options.without_model {
        setup::model(project, home)?;
    }
    let with_model = !options.without_model;
    block_on(async {
        let stop = stop_signal().with_context(|| "could not wait for signals".to_owned())?;
        let mut stop = pin!(stop);
        let practice = Practice::start(
            home,
            options.port,
            &options.behavior,
            with_model,
            options.reset,
        )?;
        introduce(&practice);
        stop.as_mut().await;
        drop(practice);
        Ok(())
    })?;
    out!("\nstopping; what there is in the practice cloud is kept");
    Ok(())
}

fn introduce(practice: &Practice) {
    out!("The practice cloud answers at {}", practice.origin());
    out!("It is practice: nothing in it is real, and nothing costs anything.\n");
    match practice.found() {
        0 => {}
        found => {
            out!("It holds {found} resources from earlier; --reset starts with an empty cloud.\n")
        }
    }
    for (name, value) in practice.variables() {
        out!("export {name}={value}");
    }
    out!(
        "\nWith these, the clients of Azure and Databricks and `Azure::sign_in()?` mean this cloud; so do \
          `evenhand lab`, `run` and `cloud` with --practice, without them."
    );
    out!("Stop it with Ctrl-C.");
}
