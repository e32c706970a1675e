//! Other clients of the same deployment, each taking half of its quota in its own way.
//!
//! Requests that were refused over 500 batches of 40 rows and 100 of 300, beside services with
//! five kinds of windows; the worst batch; and the mean time by the shortest possible:
//!
//! | competing_client, there before the batch | 40 rows | worst | time | 300 rows | worst | time |
//! |---|---|---|---|---|---|---|
//! | steady | 0.03 % | 1 | 1.28 | 0.00 % | 1 | 1.28 |
//! | bursts | 0.01 % | 3 | 1.28 | 0.00 % | 0 | 1.26 |
//! | greedy, once it was seen | 0.00 % | 0 | 1.30 | 0.00 % | 0 | 1.29 |
//! | irregular | 0.12 % | 2 | 1.30 | 0.06 % | 3 | 1.29 |
//! | random | 1.07 % | 5 | 1.46 | 1.27 % | 14 | 1.47 |
//!
//! Who knew all of a competing_client's requests in advance would need 1.00 and no refusal. Three of
//! five requests in ten seconds must be kept for one that sends two and a half on average, so
//! that two are left where two and a half would be: 1.25.

use fastrand::Rng;

/// How another client behaves. Each sends 15 requests a minute, of the 30 of the lab.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pattern {
    /// Paced: a request every four seconds, give or take a twentieth.
    Steady,
    /// A request every two to six seconds, as the dice fall.
    Irregular,
    /// Paced as a pacer does that holds half of the quota: two requests and three in turn, at
    /// once, whenever a window of ten seconds is over.
    Bursts,
    /// As steady as the first, but what is refused is sent again at once until it passes.
    Greedy,
    /// At random, however many fall together: a Poisson process.
    Random,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct CompetingClient {
    pub(super) pattern: Pattern,
    /// The tokens of a request.
    pub(super) tokens: u64,
    /// Whether it was there a long time before the batch, or comes with it.
    pub(super) before: bool,
}

/// The time after which a greedy one comes again.
const AT_ONCE: f64 = 0.05;
/// Every client keeps its windows a little longer than they are.
const WINDOW: f64 = 10.05;

impl CompetingClient {
    pub(super) fn new(pattern: Pattern) -> Self {
        Self {
            pattern,
            tokens: 115,
            before: true,
        }
    }

    /// When it begins, in the stretch of time that it repeats.
    pub(super) fn phase(self, dice: &mut Rng) -> f64 {
        match self.pattern {
            Pattern::Bursts => WINDOW * dice.f64(),
            _ => 4.0 * dice.f64(),
        }
    }

    /// How long after its `count`-th request it sends the next.
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
