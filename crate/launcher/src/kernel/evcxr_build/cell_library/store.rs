//! The variables of a kernel, in the form in which evcxr's own code stores them.
//!
//! evcxr writes its variable store into each cell, where compiling it again takes a tenth of the
//! cell's time. This one has the same interface.
//!
//! Rust identifies a type by its path, and a redefined type has the path of the old one. So each
//! variable is stored with a fingerprint of the definitions that its type mentions.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use super::streams;

pub const VARIABLE_CHANGED_TYPE: &str = "EVCXR_VARIABLE_CHANGED_TYPE:";
pub const USER_ERROR_OCCURRED: &str = "EVCXR_ERROR_OCCURRED";

/// The name under which the fingerprints are stored. No variable can have it.
const FINGERPRINTS: &str = "evenhand's fingerprints";

/// The variables of a kernel, by name. Cells pass it on by address, including cells that have
/// evcxr's own store, so the layout must be the same.
pub struct VariableStore {
    variables: HashMap<String, Box<dyn Any>>,
}

impl VariableStore {
    pub fn new() -> VariableStore {
        VariableStore {
            variables: HashMap::new(),
        }
    }

    pub fn put_variable<T: 'static>(&mut self, name: &str, value: T) {
        self.put(name, Box::new(value), 0);
    }

    /// The same for a type that mentions definitions with this fingerprint.
    pub fn put_defined<T: 'static>(&mut self, name: &str, value: T, fingerprint: u64) {
        self.put(name, Box::new(value), fingerprint);
    }

    fn put(&mut self, name: &str, value: Box<dyn Any>, fingerprint: u64) {
        self.variables.insert(name.to_owned(), value);
        if fingerprint != 0 || self.variables.contains_key(FINGERPRINTS) {
            self.fingerprints().insert(name.to_owned(), fingerprint);
        }
    }

    fn fingerprints(&mut self) -> &mut HashMap<String, u64> {
        let stored = self
            .variables
            .entry(FINGERPRINTS.to_owned())
            .or_insert_with(|| Box::new(HashMap::<String, u64>::new()));
        match stored.downcast_mut() {
            Some(fingerprints) => fingerprints,
            None => not_checked(FINGERPRINTS),
        }
    }

    pub fn check_variable<T: 'static>(&mut self, name: &str) -> bool {
        self.check_defined::<T>(name, 0)
    }

    /// The same for a type that mentions definitions with this fingerprint.
    pub fn check_defined<T: 'static>(&mut self, name: &str, fingerprint: u64) -> bool {
        let is_same = self.get(name).is_none_or(|value| value.is::<T>());
        (is_same && self.is_defined(name, fingerprint)) || self.changed(name)
    }

    fn is_defined(&mut self, name: &str, fingerprint: u64) -> bool {
        let is_stored = self.variables.contains_key(name);
        if !is_stored || (fingerprint == 0 && !self.variables.contains_key(FINGERPRINTS)) {
            return true;
        }
        self.fingerprints().get(name).copied().unwrap_or(0) == fingerprint
    }

    /// The old value is forgotten: its destructor may be that of the new type.
    fn changed(&mut self, name: &str) -> bool {
        eprintln!("The type of the variable {name} was redefined, so was lost.");
        streams::tell_evcxr(&format!("{VARIABLE_CHANGED_TYPE}{name}"));
        if let Some(value) = self.variables.remove(name) {
            std::mem::forget(value);
        }
        false
    }

    fn get(&self, name: &str) -> Option<&dyn Any> {
        self.variables.get(name).map(|value| &**value)
    }

    pub fn take_variable<T: 'static>(&mut self, name: &str) -> T {
        match self.take(name).downcast() {
            Ok(value) => *value,
            Err(_) => not_checked(name),
        }
    }

    fn take(&mut self, name: &str) -> Box<dyn Any> {
        let value = self.variables.remove(name);
        value.unwrap_or_else(|| panic!("Variable '{name}' has gone missing"))
    }

    pub fn lazy_arc<T: 'static, F: FnOnce() -> T>(&mut self, name: &str, create: F) -> Arc<T> {
        if self.get(name).is_none() {
            self.put(name, Box::new(Arc::new(create())), 0);
        }
        match self.get(name).and_then(|value| value.downcast_ref()) {
            Some(value) => Arc::clone(value),
            None => not_checked(name),
        }
    }

    pub fn merge(&mut self, other: VariableStore) {
        self.variables.extend(other.variables);
    }
}

pub fn create_variable_store() -> *mut VariableStore {
    Box::into_raw(Box::new(VariableStore::new()))
}

fn not_checked(name: &str) -> ! {
    panic!("Variable '{name}' changed type")
}
