//! The launcher's folder with everything set up.

use std::path::PathBuf;
use std::sync::OnceLock;

use super::evenhand;

/// The launcher's folder with everything in it: kernel, warm build, JupyterLab, model. The
/// first use on a machine takes minutes, during which the launcher reports its progress.
pub(crate) fn home() -> PathBuf {
    static HOME: OnceLock<PathBuf> = OnceLock::new();
    HOME.get_or_init(|| {
        crate::kernel::first_lesson();
        path()
    })
    .clone()
}

/// The path of that folder, according to the launcher.
fn path() -> PathBuf {
    let doctor = evenhand().arg("doctor").output().unwrap();
    let said = String::from_utf8_lossy(&doctor.stdout);
    let folder = said
        .lines()
        .find_map(|line| line.strip_prefix("evenhand's folder: "));
    PathBuf::from(folder.unwrap_or_else(|| panic!("`evenhand doctor` names no folder:\n{said}")))
}
