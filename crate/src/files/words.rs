//! Searching bytes, eight at a time.

const ONES: u64 = u64::MAX / 255;
const HIGH: u64 = ONES << 7;

/// Marks the bytes of a word that are this one. Only the first mark is exact.
pub(super) fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ (ONES * u64::from(byte)), 1)
}

/// Marks the bytes of a word that are less than this one, which is ASCII. Only the first mark is exact.
pub(super) fn below(word: u64, byte: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(byte)) & !word & HIGH
}

/// How many bytes there are before the first that `marks` marks, which is ASCII.
pub(super) fn before(bytes: &[u8], marks: impl Fn(u64) -> u64) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let found = marks(u64::from_le_bytes(*word));
        if found != 0 {
            return at * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let mut last = [0xff; 8];
    last[..rest.len()].copy_from_slice(rest);
    match marks(u64::from_le_bytes(last)) {
        0 => bytes.len(),
        found => bytes.len() - rest.len() + found.trailing_zeros() as usize / 8,
    }
}

/// How often a byte stands among these.
pub(super) fn count(bytes: &[u8], byte: u8) -> usize {
    // Sums of one byte each, which the compiler makes of many bytes at once.
    let sum = |part: &[u8]| {
        let equal = part.iter().map(|other| u8::from(*other == byte));
        usize::from(equal.fold(0, u8::wrapping_add))
    };
    bytes.chunks(255).map(sum).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_byte_is_found(bytes in proptest::collection::vec(any::<u8>(), 0..30), byte in 0_u8..128) {
            let first = |is: &dyn Fn(u8) -> bool| bytes.iter().position(|byte| is(*byte)).unwrap_or(bytes.len());
            prop_assert_eq!(before(&bytes, |word| equal(word, byte)), first(&|other| other == byte));
            prop_assert_eq!(before(&bytes, |word| below(word, byte)), first(&|other| other < byte));
            let either = before(&bytes, |word| equal(word, byte) | below(word, 0x20));
            prop_assert_eq!(either, first(&|other| other == byte || other < 0x20));
        }

        #[test]
        fn all_are_counted(plain in 0_usize..600, found in 0_usize..600) {
            let mut bytes = vec![0; plain];
            bytes.resize(plain + found, 7);
            prop_assert_eq!(count(&bytes, 7), found);
        }
    }
}
