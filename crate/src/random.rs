//! Reproducible random numbers: a seed gives the same stream on every machine and in every
//! version. Both the generator and the mapping from its bits to choices are fixed here.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// xoshiro256++ (Blackman and Vigna 2021), seeded through SplitMix64.
#[derive(Clone, Debug)]
pub(crate) struct Random(Xoshiro256PlusPlus);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// 64 independent fair bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// One of `0..n`, by a multiplication (Lemire 2019). Without the rejection step the
    /// probabilities differ by less than n / 2^64, which no simulation can detect. `n` must not
    /// be 0.
    #[inline]
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let wide = u128::from(self.bits()) * n as u128;
        (wide >> 64) as usize
    }

    /// Two of `0..n`, from the two halves of one number: the probabilities differ by less than
    /// n / 2^32.
    #[inline]
    pub(crate) fn two_below(&mut self, n: usize) -> [usize; 2] {
        let bits = self.bits();
        [bits >> 32, bits & 0xffff_ffff].map(|half| ((half * n as u64) >> 32) as usize)
    }

    /// The sum of the values, each with a random sign.
    pub(crate) fn signed_sum(&mut self, values: &[f64]) -> f64 {
        let mut sum = 0.0;
        for chunk in values.chunks(64) {
            let mut coins = self.bits();
            for value in chunk {
                sum += f64::from_bits(value.to_bits() ^ (coins << 63));
                coins >>= 1;
            }
        }
        sum
    }

    /// Uniform on [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform on the open interval (0, 1).
    pub(crate) fn open_unit(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// A standard normal value (Box and Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.open_unit().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.open_unit()).cos()
    }

    /// Shuffles the values (Fisher and Yates).
    pub(crate) fn shuffle<T>(&mut self, values: &mut [T]) {
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
    fn a_seed_gives_the_same_stream_in_every_version() {
        let mut random = Random::new(7);
        let bits = [random.bits(), random.bits()];
        let choices: Vec<usize> = (0..8).map(|_| random.below(60)).collect();
        assert_eq!(bits, [1_021_219_803_524_665_661, 3_174_977_118_032_272_916]);
        assert_eq!(choices, [43, 25, 57, 27, 43, 19, 58, 4]);
    }

    #[test]
    fn each_choice_comes_as_often_as_the_others() {
        let mut random = Random::new(1);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[random.below(7)] += 1;
        }
        // Five standard deviations of a binomial count.
        assert!(
            counts.iter().all(|count| count.abs_diff(10_000) < 463),
            "{counts:?}"
        );
    }

    #[test]
    fn a_shuffle_loses_nothing() {
        let mut values: Vec<f64> = (0..100).map(f64::from).collect();
        let ordered = values.clone();
        Random::new(3).shuffle(&mut values);
        assert_ne!(values, ordered);
        values.sort_by(f64::total_cmp);
        assert_eq!(values, ordered);
    }
}
