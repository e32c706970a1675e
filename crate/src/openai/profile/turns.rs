//! Detects that several models answer behind a deployment, and that one of them answers alone again.
//!
//! Where one model replaces another, both answer for some minutes. What is learned then is what both
//! accept, with as much thinking as one of them needs. It is learned again when one answers alone.

/// How many answers in a row show that a model answers alone.
const ALONE: u32 = 20;

/// The factor by which that number grows each time.
const GROWTH: u32 = 4;

/// The models that have answered.
#[derive(Debug, Default)]
pub(super) struct ModelTurns {
    /// The profile may describe several models at once.
    is_mixed: bool,
    /// Answers in a row of one model.
    in_row: u32,
    /// How many times a model seemed to answer alone.
    times: u32,
}

impl ModelTurns {
    /// Counts an answer, of the same model as the one before or of another one.
    pub(super) fn count(&mut self, is_same: bool) {
        self.in_row = match is_same {
            true => self.in_row.saturating_add(1),
            false => 0,
        };
    }

    /// Notes that models answer in turns.
    pub(super) fn mix(&mut self) {
        self.is_mixed = true;
    }

    pub(super) fn are_mixed(&self) -> bool {
        self.is_mixed
    }

    /// Does one model answer alone, after several did? Returns true once.
    pub(super) fn have_ended(&mut self) -> bool {
        let needed = ALONE.saturating_mul(GROWTH.saturating_pow(self.times));
        let have_ended = self.is_mixed && self.in_row >= needed;
        if have_ended {
            self.is_mixed = false;
            self.times += 1;
        }
        have_ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_it_takes_more_answers_in_a_row() {
        let mut turns = ModelTurns::default();
        let needed = |turns: &mut ModelTurns| {
            turns.mix();
            turns.count(false);
            (1..).find(|_| {
                turns.count(true);
                turns.have_ended()
            })
        };
        assert_eq!(
            [needed(&mut turns), needed(&mut turns)],
            [Some(20), Some(80)]
        );
        assert!(!turns.are_mixed() && !turns.have_ended());
    }
}
