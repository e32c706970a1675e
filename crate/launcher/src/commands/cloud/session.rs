//! Who is signed in, and where.

use std::sync::{Mutex, PoisonError};

use evenhand::WaitProgress;
use evenhand::azure::Azure;

use crate::error::Result;
use crate::paths::home::Home;
use crate::practice::{NOTICE, Practice};
use crate::terminal::err;

/// A subscription, and the practice cloud that it is in, if it is.
pub(super) struct Session {
    pub(super) azure: Azure,
    /// Runs as long as this exists.
    practice: Option<Practice>,
}

impl Session {
    /// Signs in: to the practice cloud if it is asked for, otherwise as the environment says.
    pub(super) fn open(practice: Option<u16>, home: &Home) -> Result<Self> {
        let practice = practice.map(|port| Practice::open(home, port, None));
        let practice = practice.transpose()?;
        let azure = match &practice {
            Some(practice) => {
                let variables = practice.variables();
                Azure::from_lookup(|name| {
                    let mut variables = variables.iter();
                    variables
                        .find(|(own, _)| *own == name)
                        .map(|(_, value)| value.clone())
                })?
            }
            None => Azure::sign_in()?,
        };
        if azure.is_practice() {
            err!("! {NOTICE}");
        }
        let told = Mutex::new(String::new());
        let azure = azure.on_progress(move |progress| tell(progress, &told));
        Ok(Self { azure, practice })
    }

    /// Whether the practice cloud ends with this command.
    pub(super) fn ends_with_us(&self) -> bool {
        matches!(self.practice, Some(Practice::Here(_)))
    }
}

/// Shows a state when it is another one than before.
fn tell(progress: &WaitProgress, told: &Mutex<String>) {
    let line = format!("  {}: {}", progress.what, progress.state);
    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
    if *told != line {
        err!("{line}");
        *told = line;
    }
}
