//! Other clients of the same deployment, each using half of its quota with a different pattern.
//!
//! The share of refused requests over 500 batches of 40 rows and 100 of 300 rows, on services
//! with five kinds of windows; the most rejections in a batch; and the mean time relative to the
//! shortest possible time:
//!
//! | client, there before the batch | 40 rows | worst | time | 300 rows | worst | time |
//! |---|---|---|---|---|---|---|
//! | steady | 0.03 % | 1 | 1.28 | 0.00 % | 1 | 1.28 |
//! | bursts | 0.01 % | 3 | 1.28 | 0.00 % | 0 | 1.26 |
//! | greedy, once it was seen | 0.00 % | 0 | 1.30 | 0.00 % | 0 | 1.29 |
//! | irregular | 0.12 % | 2 | 1.30 | 0.06 % | 3 | 1.29 |
//! | random | 1.07 % | 5 | 1.46 | 1.27 % | 14 | 1.47 |
//!
//! With all of the other client's requests known in advance, the time would be 1.00 without a
//! rejection. Three of five requests in ten seconds must be kept free for a client that sends two
//! and a half on average, which leaves two instead of two and a half: 1.25.

use fastrand::Rng;

/// How another client behaves. Each sends 15 of the quota's 30 requests per minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pattern {
    /// A request every four seconds, give or take a twentieth.
    Steady,
    /// A request every two to six seconds, at random.
    Irregular,
    /// Like a rate limiter with half of the quota: two requests and three in turn, all at
    /// once, whenever a window of ten seconds is over.
    Bursts,
    /// As steady as the first, but a refused request is sent again at once until it is accepted.
    Greedy,
    /// At random, with no minimum interval: a Poisson process.
    Random,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct CompetingClient {
    pub(super) pattern: Pattern,
    /// The tokens of a request.
    pub(super) tokens: u64,
    /// Whether it started long before the batch, or together with it.
    pub(super) before: bool,
}

/// The time after which a greedy client tries again.
const AT_ONCE: f64 = 0.05;
/// The time by which every client extends its windows.
const WINDOW: f64 = 10.05;

impl CompetingClient {
    pub(super) fn new(pattern: Pattern) -> Self {
        Self {
            pattern,
            tokens: 115,
            before: true,
        }
    }

    /// When it begins, within the interval that it repeats.
    pub(super) fn phase(self, dice: &mut Rng) -> f64 {
        match self.pattern {
            Pattern::Bursts => WINDOW * dice.f64(),
            _ => 4.0 * dice.f64(),
        }
    }

    /// How long after its `count`-th request it sends the next one.
    pub(super) fn pause(self, count: u64, refused: bool, dice: &mut Rng) -> f64 {
        let about = |mean: f64, spread: f64, dice: &mut Rng| {
            mean * (1.0 + spread * (2.0 * dice.f64() - 1.0))
        };
        match self.pattern {
            Pattern::Greedy if refused => AT_ONCE,
            Pattern::Steady | Pattern::Greedy => about(4.0, 0.05, dice),
            Pattern::Irregular => about(4.0, 0.5, dice),
            Pattern::Bursts if matches!(count % 5, 2 | 0) => WINDOW + 0.02 * dice.f64(),
            Pattern::Bursts => 0.001,
            Pattern::Random => -4.0 * (1.0 - dice.f64()).ln(),
        }
    }
}
