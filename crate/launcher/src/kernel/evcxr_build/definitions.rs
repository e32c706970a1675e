//! The types that a kernel's cells define, and fingerprints of them.
//!
//! A type that is defined anew has the path, and so the `TypeId`, of the old one. evcxr takes a
//! variable of the old type for one of the new, and reads foreign memory. So each variable is stored
//! with a fingerprint of all definitions that its written type leads to, and compared with it.
//! Types that a macro defines have no text, and are not covered.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::kernel::rust_text::{Kind, items, normalized, tokens};

/// The kinds of items that determine how a value is laid out or which functions it calls.
const DEFINE: [&str; 7] = ["struct", "enum", "union", "trait", "type", "const", "mod"];

const PUT: &str = "evcxr_variable_store.put_variable::<";
const CHECK: &str = "vars_ok &= evcxr_variable_store.check_variable::<";
const NAMES: &str = ">(stringify!(";

/// The definitions in a generated source, by name.
pub(super) struct Definitions(HashMap<String, String>);

impl Definitions {
    /// Those of a source. If it stores no variables, none are needed.
    pub(super) fn from_source(source: &str) -> Self {
        if !source.contains(PUT) && !source.contains(CHECK) {
            return Self(HashMap::new());
        }
        let mut definitions = HashMap::new();
        for item in items(source) {
            if DEFINE.contains(&item.kind) && !item.name.starts_with("evcxr_") {
                let known: &mut String = definitions.entry(item.name.to_owned()).or_default();
                known.push_str(&normalized(item.text));
            }
        }
        Self(definitions)
    }

    /// The line that stores or checks a variable, with the fingerprint of its type.
    pub(super) fn stored(&self, line: &str) -> Option<String> {
        let (ours, rest, end) = if let Some(rest) = line.strip_prefix(PUT) {
            ("evcxr_variable_store.put_defined::<", rest, ");")
        } else {
            let rest = line.strip_prefix(CHECK)?;
            (
                "vars_ok &= evcxr_variable_store.check_defined::<",
                rest,
                ");",
            )
        };
        let (written, _) = rest.rsplit_once(NAMES)?;
        let fingerprint = self.fingerprint(written)?;
        Some(format!(
            "{ours}{}, {fingerprint:#x}{end}",
            rest.strip_suffix(end)?
        ))
    }

    /// Nothing, if the type does not lead to a definition.
    fn fingerprint(&self, written: &str) -> Option<u64> {
        let mut found = BTreeMap::new();
        let mut next = words(written);
        while let Some(name) = next.pop_first() {
            if let Some(text) = self.0.get(name).filter(|_| !found.contains_key(name)) {
                found.insert(name, text);
                next.extend(words(text));
            }
        }
        let mut hash = DefaultHasher::new();
        found.hash(&mut hash);
        (!found.is_empty()).then(|| hash.finish().max(1))
    }
}

fn words(text: &str) -> BTreeSet<&str> {
    tokens(text)
        .filter(|token| token.kind == Kind::Word)
        .map(|token| token.text)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORES: &str = "evcxr_variable_store.put_variable::<Vec<P>>(stringify!(p), p);";

    fn stored(definitions: &str) -> String {
        let definitions = Definitions::from_source(&format!("{definitions}\n{STORES}"));
        definitions.stored(STORES).unwrap_or_default()
    }

    #[test]
    fn a_changed_definition_changes_what_leads_to_it() {
        let first = stored("struct P { q: Q }\nstruct Q { x: i32 }");
        assert!(
            first.starts_with("evcxr_variable_store.put_defined::<Vec<P>>(stringify!(p), p, 0x")
        );
        assert_eq!(
            first,
            stored("struct Q { x: i32 } // a\nstruct P {\n    q: Q }\nfn f() {}")
        );
        assert_ne!(first, stored("struct P { q: Q }\nstruct Q { x: f64 }"));
        assert_ne!(first, stored("struct P { q: Q }"));
        assert_eq!(stored("struct R;"), "", "a type of a library");
    }

    #[test]
    fn a_check_is_given_the_same_fingerprint() {
        let source = format!("struct P;\n{STORES}");
        let definitions = Definitions::from_source(&source);
        let check = "vars_ok &= evcxr_variable_store.check_variable::<Vec<P>>(stringify!(p));";
        let checked = definitions.stored(check).unwrap();
        let print = |line: &str| line.rsplit_once(", ").unwrap().1.to_owned();
        assert_eq!(print(&checked), print(&definitions.stored(STORES).unwrap()));
        assert_eq!(definitions.stored("let a = 1;"), None);
    }
}
