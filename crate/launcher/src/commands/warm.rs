//! `evenhand warm`: compiles what notebooks ask for by a feature, before one does.

use clap::ValueEnum;

use crate::error::Result;
use crate::paths::checkout::Checkout;
use crate::paths::home::Home;
use crate::setup;
use crate::terminal::out;

/// Compiles features of the library, so that no notebook which asks for them has to wait.
///
/// Without it, the first notebook with `:dep evenhand = { features = ["parquet"] }` compiles them, once,
/// and the notebooks after it find them compiled.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// What to compile; several are for notebooks that ask for all of them
    #[arg(required = true)]
    features: Vec<Feature>,
}

/// What the first build leaves out.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, ValueEnum)]
enum Feature {
    /// Reading and writing Parquet files
    Parquet,
    /// The rest of polars' functions on columns
    PolarsFull,
}

impl Feature {
    /// Its name in the library's manifest.
    fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::PolarsFull => "polars-full",
        }
    }
}

/// Sets up the kernel and the library if they are missing, then compiles the features.
pub fn run(options: &Options, project: &Checkout, home: &Home) -> Result<()> {
    let features: Vec<_> = options.features.iter().map(|one| one.name()).collect();
    setup::kernel(home)?;
    setup::library(project, home)?;
    setup::features(project, home, &features)?;
    out!("A notebook has it with {}", setup::dependency(&features));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_is_one_of_the_library() {
        let manifest = include_str!("../../../Cargo.toml");
        for feature in Feature::value_variants() {
            let line = format!("\n{} = [", feature.name());
            assert!(manifest.contains(&line), "{feature:?}");
            let word = feature.to_possible_value().unwrap();
            assert_eq!(word.get_name(), feature.name());
        }
    }
}
