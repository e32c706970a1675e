//! Names of things in Azure, checked before anything is sent.

use ring::digest::{SHA256, digest};

use crate::error::{Error, ErrorKind, Result};

/// The rules for one kind of name.
pub(super) struct Rules {
    what: &'static str,
    shortest: usize,
    longest: usize,
    /// What may be in it besides letters and digits.
    others: &'static str,
}

pub(super) const GROUP: Rules = Rules {
    what: "resource group",
    shortest: 1,
    longest: 90,
    others: "-_.()",
};
pub(super) const ACCOUNT: Rules = Rules {
    what: "OpenAI account",
    shortest: 2,
    longest: 64,
    others: "-",
};
pub(super) const DEPLOYMENT: Rules = Rules {
    what: "deployment",
    shortest: 2,
    longest: 64,
    others: "-_.",
};
pub(super) const WORKSPACE: Rules = Rules {
    what: "Databricks workspace",
    shortest: 3,
    longest: 64,
    others: "-_",
};
pub(super) const REGION: Rules = Rules {
    what: "region",
    shortest: 2,
    longest: 40,
    others: "",
};
pub(super) const SUBSCRIPTION: Rules = Rules {
    what: "subscription's ID",
    shortest: 1,
    longest: 64,
    others: "-",
};

impl Rules {
    /// # Errors
    /// Azure does not accept this name.
    pub(super) fn check<'a>(&self, name: &'a str) -> Result<&'a str> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || self.others.contains(c);
        let is_end = |c: char| c.is_ascii_alphanumeric() || "()_".contains(c);
        let is_sound = (self.shortest..=self.longest).contains(&name.len())
            && name.chars().all(is_part)
            && name.starts_with(is_end)
            && name.ends_with(is_end);
        if is_sound {
            return Ok(name);
        }
        let others: Vec<String> = self.others.chars().map(|c| format!("`{c}`")).collect();
        let others = match others.is_empty() {
            true => String::new(),
            false => format!(" and {}", others.join(" ")),
        };
        let shown = crate::text::sanitize_line(name, 80);
        Err(Error::new(
            ErrorKind::Argument,
            format!("{shown:?} can't be the name of a {} in Azure", self.what),
        )
        .with_hint(format!(
            "it has {} to {} characters: letters, digits{others} inside",
            self.shortest, self.longest
        )))
    }
}

/// A name that is the same each time for this place, and differs from those of others: what is unique in
/// all of Azure is taken soon.
pub(super) fn unique(name: &str, place: &[&str]) -> String {
    let whole = [&[name], place].concat().join("/").to_ascii_lowercase();
    let hash = digest(&SHA256, whole.as_bytes());
    let hash: String = hash
        .as_ref()
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let name: String = name.to_ascii_lowercase().chars().take(50).collect();
    format!("{}-{hash}", name.trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_azure_refuses_is_refused_before() {
        assert_eq!(ACCOUNT.check("even-lab").unwrap(), "even-lab");
        assert_eq!(GROUP.check("rg_(lab).x").unwrap(), "rg_(lab).x");
        for name in [
            "",
            "a",
            "-lab",
            "lab-",
            "even lab",
            "../x",
            "a/b",
            "a?b",
            "läb",
            &"x".repeat(65),
        ] {
            let error = ACCOUNT.check(name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Argument);
            assert!(error.hint().unwrap().contains("2 to 64"), "{error}");
        }
        assert!(GROUP.check("lab.").is_err());
    }

    #[test]
    fn learners_do_not_collide_and_a_cell_that_runs_again_means_the_same() {
        let one = unique("Even-Lab", &["sub", "group-1"]);
        assert_eq!(one, unique("even-lab", &["sub", "group-1"]));
        assert_ne!(one, unique("even-lab", &["sub", "group-2"]));
        assert!(one.starts_with("even-lab-") && one.len() == 17, "{one}");
        ACCOUNT.check(&unique(&"x-".repeat(32), &[])).unwrap();
    }
}
