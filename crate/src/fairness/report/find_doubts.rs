//! What speaks against conclusions about a comparison, whatever is measured: the origin of the answers,
//! and which of them are missing.

use super::doubt::Doubt;
use super::measured_answers::MeasuredAnswers;
use crate::fairness::statistics::{Proportion, fisher_exact};
use crate::fairness::study::{ALPHA, Contrast};
use crate::text::sanitize_line;

impl MeasuredAnswers<'_> {
    /// What the answers of a comparison's groups have against it, whatever is measured.
    pub(super) fn doubt_about(&self, contrast: &Contrast<'_>) -> Option<Doubt> {
        let compared = Compared::from_measured(self, contrast);
        let mixed = || self.mixed(&compared);
        mixed()
            .or_else(|| self.uneven(&compared))
            .or_else(|| self.copied())
    }

    /// The noise of answers that are copies can't be told.
    pub(super) fn copied(&self) -> Option<Doubt> {
        self.are_copies().then(|| {
            Doubt::Change(
                "nearly all prompts got copies of one answer instead of several: how much answers to \
                 the same prompt vary is unknown, so there is no noise floor and a change can't be \
                 told from chance"
                    .to_owned(),
            )
        })
    }

    /// Groups whose answers come from different models, beyond chance.
    fn mixed(&self, compared: &Compared) -> Option<Doubt> {
        let all = self.origins.values().map(|counts| compared.sums(counts));
        let all = all.fold([0; 2], |[a, b], [c, d]| [a + c, b + d]);
        let level = ALPHA / self.origins.len().max(1) as f64;
        let mut uneven = self
            .origins
            .iter()
            .filter(|(_, counts)| is_uneven(compared.sums(counts), all, level));
        let (origin, counts) = uneven.next()?;
        Some(Doubt::Everything(format!(
            "the answers about the groups come from different models or ways of asking ({} gave {}), \
             so a difference may be one of these; ask all again without the journal (`--fresh`)",
            sanitize_line(origin, 60),
            compared.shares(compared.sums(counts), all)
        )))
    }

    /// Groups of which different shares of the answers could not be measured, beyond chance.
    fn uneven(&self, compared: &Compared) -> Option<Doubt> {
        let kinds = [&self.failed, &self.empty, &self.foreign];
        let missing = kinds.map(|counts| compared.sums(counts));
        let missing = missing.iter().fold([0; 2], |[a, b], [c, d]| [a + c, b + d]);
        let asked = compared.sums(&self.asked_by_group());
        is_uneven(missing, asked, ALPHA).then(|| {
            Doubt::Absence(format!(
                "failed, empty and foreign answers are left out unevenly ({}), and what is missing may \
                 be what differs",
                compared.shares(missing, asked)
            ))
        })
    }
}

/// The groups on both sides of a comparison.
struct Compared {
    names: [String; 2],
    groups: [Vec<usize>; 2],
}

impl Compared {
    fn from_measured(measured: &MeasuredAnswers<'_>, contrast: &Contrast<'_>) -> Self {
        let groups = |side: usize| {
            let names = contrast.pairs.iter().filter_map(|pair| pair.get(side));
            let mut groups: Vec<usize> = names
                .filter_map(|name| measured.study().place(name))
                .collect();
            groups.sort_unstable();
            groups.dedup();
            groups
        };
        Self {
            names: contrast.names.map(|name| sanitize_line(name, 40)),
            groups: [groups(0), groups(1)],
        }
    }

    /// The sum of each side, from counts of each group.
    fn sums(&self, counts: &[usize]) -> [usize; 2] {
        self.groups.each_ref().map(|groups| {
            let own = groups.iter().filter_map(|group| counts.get(*group));
            own.sum()
        })
    }

    /// `female 29 of 96, male 0 of 96`.
    fn shares(&self, [first, second]: [usize; 2], [all, others]: [usize; 2]) -> String {
        let [one, other] = &self.names;
        format!("{one} {first} of {all}, {other} {second} of {others}")
    }
}

/// Whether two shares differ by Fisher's exact test.
fn is_uneven([first, second]: [usize; 2], [all, others]: [usize; 2], level: f64) -> bool {
    let share = |count: usize, all: usize| Proportion::new(count as u64, all as u64).ok();
    let shares = share(first, all).zip(share(second, others));
    shares.is_some_and(|(first, second)| fisher_exact(first, second) <= level)
}
