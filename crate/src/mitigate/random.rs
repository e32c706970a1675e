//! Random numbers that stay the same: a seed gives the same ones on every machine and in every
//! version.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// xoshiro256++ (Blackman and Vigna 2021), seeded through SplitMix64.
#[derive(Clone, Debug)]
pub(super) struct Random(Xoshiro256PlusPlus);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// One of `0..n`, by a multiplication (Lemire 2019); `n` is not 0. Without his rejection
    /// step the chances differ by less than n / 2^64.
    pub(super) fn below(&mut self, n: usize) -> usize {
        let wide = u128::from(self.0.next_u64()) * n as u128;
        (wide >> 64) as usize
    }

    /// From 0 up to, but not, 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Puts the values in random order (Fisher and Yates).
    pub(super) fn shuffle<T>(&mut self, values: &mut [T]) {
        for end in (1..values.len()).rev() {
            let other = self.below(end + 1);
            values.swap(end, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn a_seed_gives_the_same_numbers_in_every_version() {
        let mut random = Random::new(7);
        let choices: Vec<usize> = (0..8).map(|_| random.below(60)).collect();
        let mut order: Vec<usize> = (0..8).collect();
        random.shuffle(&mut order);
        insta::assert_snapshot!(format!("{choices:?} {:.6} {order:?}", random.unit()), @"[3, 10, 43, 25, 57, 27, 43, 19] 0.097276 [1, 3, 4, 2, 5, 6, 0, 7]");
    }
}
