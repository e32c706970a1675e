//! Random identifiers in the format of a UUID, version 4, which Spark asks for.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::SystemTime;

/// A new identifier.
pub(super) fn random() -> String {
    // The hasher's keys come from the operating system, once per thread; they differ at each call.
    let number = || RandomState::new().hash_one((SystemTime::now(), std::process::id()));
    let bits = (u128::from(number()) << 64) | u128::from(number());
    let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let (a, b, c, d, e) = (
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    );
    format!("{a}-{b}-{c}-{d}-{e}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_a_uuid_of_version_4_and_unlike_the_others() {
        let ids: std::collections::BTreeSet<String> = (0..1000).map(|_| random()).collect();
        assert_eq!(ids.len(), 1000);
        for id in ids {
            let parts: Vec<usize> = id.split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12]);
            assert_eq!(&id[14..15], "4");
            assert!("89ab".contains(&id[19..20]));
        }
    }
}
