//! Regions: one, or any of several.

use std::fmt;

use super::names;
use crate::error::{Error, ErrorKind, Result};

/// The regions of the lab.
const LAB: [&str; 4] = [
    "eastus2",
    "northcentralus",
    "swedencentral",
    "switzerlandwest",
];

/// Where something is made: a region, or any of several, of which one is drawn at random, so that a class
/// spreads out.
///
/// ```
/// use evenhand::azure::Region;
///
/// assert_eq!(Region::named("East US 2"), Region::named("eastus2"));
/// assert_eq!(Region::any_of_the_lab().names().len(), 4);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region(Vec<String>);

impl Region {
    /// The region of this name, as the portal (`East US 2`) or Azure's tools (`eastus2`) write it.
    pub fn named(name: impl AsRef<str>) -> Self {
        Self::any_of([name])
    }

    /// Any of these regions.
    pub fn any_of(names: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let plain = |name: &str| -> String {
            let parts = name.chars().filter(|c| !c.is_whitespace());
            parts.collect::<String>().to_ascii_lowercase()
        };
        Self(names.into_iter().map(|name| plain(name.as_ref())).collect())
    }

    /// Any of the four regions of the lab: East US 2, North Central US, Sweden Central, Switzerland West.
    pub fn any_of_the_lab() -> Self {
        Self::any_of(LAB)
    }

    /// The names, in lower case and without spaces.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The names in a random order.
    ///
    /// # Errors
    /// There is none, or one that Azure can't have.
    pub(super) fn shuffled(&self) -> Result<Vec<String>> {
        if self.0.is_empty() {
            return Err(Error::new(ErrorKind::Argument, "no region is named")
                .with_hint("name one, such as swedencentral"));
        }
        for name in &self.0 {
            names::REGION.check(name)?;
        }
        let mut names = self.0.clone();
        fastrand::shuffle(&mut names);
        Ok(names)
    }

    /// One of the names, at random.
    ///
    /// # Errors
    /// As [`shuffled`](Self::shuffled).
    pub(super) fn drawn(&self) -> Result<String> {
        Ok(self.shuffled()?.swap_remove(0))
    }
}

impl Default for Region {
    fn default() -> Self {
        Self::any_of_the_lab()
    }
}

impl From<&str> for Region {
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" or "))
    }
}
