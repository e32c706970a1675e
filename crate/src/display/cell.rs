//! Determines which cell is running.
//!
//! evcxr compiles each cell into its own shared object and never unloads one. A caller's
//! `Location` is a constant inside that object, so the address at which the object is loaded
//! distinguishes cells, without any help from the kernel.

use std::panic::Location;

/// Identifies a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell(usize);

/// The cell whose code contains this location.
#[cfg(unix)]
pub(super) fn cell_at(place: &'static Location<'static>) -> Cell {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: `dladdr` uses the address only as a number and fills `info`, which is valid for
    // writes. A zeroed `Dl_info` is valid, so it may be read even if `dladdr` fails.
    let base = unsafe {
        libc::dladdr(std::ptr::from_ref(place).cast(), info.as_mut_ptr());
        info.assume_init().dli_fbase
    };
    Cell(base as usize)
}

/// Without `dladdr`, each location counts as a separate cell, so the last display wins.
#[cfg(not(unix))]
pub(super) fn cell_at(place: &'static Location<'static>) -> Cell {
    Cell(std::ptr::from_ref(place) as usize)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A made-up cell for tests.
    pub(in crate::display) fn cell(number: usize) -> Cell {
        Cell(number)
    }

    #[test]
    fn two_places_of_one_object_are_one_cell() {
        assert_eq!(cell_at(Location::caller()), cell_at(Location::caller()));
    }
}
