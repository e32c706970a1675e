//! Which cell is running.
//!
//! evcxr compiles each cell into a shared object of its own and never unloads one. A
//! caller's `Location` is a constant inside that object, so the address at which the
//! object is loaded tells cells apart, without any help from the kernel.

use std::panic::Location;

/// A cell, as far as it can be told from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell(usize);

/// The cell in whose code this place stands.
#[cfg(unix)]
pub(super) fn of(place: &'static Location<'static>) -> Cell {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: `dladdr` only reads the address as a number and fills `info`, which is
    // valid for writes; zeroed is a valid `Dl_info`, so it may be read in every case.
    let base = unsafe {
        libc::dladdr(std::ptr::from_ref(place).cast(), info.as_mut_ptr());
        info.assume_init().dli_fbase
    };
    Cell(base as usize)
}

/// Without `dladdr` each place counts as a cell of its own: the last display wins.
#[cfg(not(unix))]
pub(super) fn of(place: &'static Location<'static>) -> Cell {
    Cell(std::ptr::from_ref(place) as usize)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A made-up cell, for the tests of what is shown in which.
    pub(in crate::display) fn cell(number: usize) -> Cell {
        Cell(number)
    }

    #[test]
    fn two_places_of_one_object_are_one_cell() {
        assert_eq!(of(Location::caller()), of(Location::caller()));
    }
}
