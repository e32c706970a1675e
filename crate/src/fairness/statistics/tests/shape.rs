//! Distributions of differences for simulations.

use crate::random::Random;

/// A distribution with mean 0 and a standard deviation near 1.
#[derive(Clone, Copy, Debug)]
pub(in crate::fairness) enum Shape {
    Normal,
    HeavyTails,
    /// Differences of counts out of ten.
    Shares,
    Exponential,
    Lognormal,
}

pub(in crate::fairness) const SHAPES: [Shape; 5] = [
    Shape::Normal,
    Shape::HeavyTails,
    Shape::Shares,
    Shape::Exponential,
    Shape::Lognormal,
];

impl Shape {
    pub(in crate::fairness) fn draw(self, random: &mut Random) -> f64 {
        match self {
            Self::Normal => random.normal(),
            Self::HeavyTails => heavy_tails(random),
            Self::Shares => {
                let mut count = || (0..10).filter(|_| random.unit() < 0.3).count() as f64;
                (count() - count()) / 2.05
            }
            Self::Exponential => -random.open_unit().ln() - 1.0,
            Self::Lognormal => (random.normal().exp() - 0.5_f64.exp()) / 2.161,
        }
    }
}

/// Student's t with 3 degrees of freedom, divided by the square root of 3, its standard deviation.
pub(super) fn heavy_tails(random: &mut Random) -> f64 {
    let squares: f64 = (0..3).map(|_| random.normal().powi(2)).sum();
    random.normal() / squares.sqrt()
}
