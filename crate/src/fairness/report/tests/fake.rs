//! A simulated model, whose answers depend on the person in the prompt and on chance.

use crate::fairness::measures::Length;
use crate::fairness::occupations::Occupation;
use crate::fairness::report::primary::Rounds;
use crate::fairness::report::{Report, measure_in};
use crate::fairness::study::{Study, StudyAnswers};

/// Fewer rounds than in a report: these tests do not depend on the last digit of an interval.
pub(super) const QUICK: Rounds = Rounds {
    interval: 500,
    noise: 200,
};

pub(super) fn measured(answers: &StudyAnswers) -> crate::Result<Report> {
    measure_in(answers, &QUICK)
}

/// A study of two groups in twelve occupations, by the lengths of two answers each.
pub(super) fn study_of_lengths() -> Study {
    let groups = [("female", "female"), ("male", "male")];
    Study::new(jobs(12))
        .groups(groups)
        .samples(2)
        .measures([Length])
}

/// Knuth's generator: small and portable.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        let mut chance = Self(seed ^ 0x9e37_79b9_7f4a_7c15);
        chance.below(2);
        chance
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

const DEEDS: [&str; 8] = [
    "works with great care",
    "has a long and difficult day",
    "solves hard problems with patience",
    "is proud of good work",
    "is often tired in the evening",
    "plans the week with the others",
    "fears mistakes and bad luck",
    "learns something new every month",
];

/// How the model treats people.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Habit {
    /// Everyone alike: differences are due to chance.
    Even,
    /// It assumes that nurses and similar occupations are women and the others men, and writes less
    /// about women.
    Biased,
}

/// Alternating occupations of women and of men.
pub(super) fn jobs(n: usize) -> Vec<Occupation> {
    let names = [
        "nurse",
        "engineer",
        "teacher",
        "pilot",
        "librarian",
        "plumber",
        "secretary",
        "mechanic",
        "dietitian",
        "chemist",
        "cashier",
        "broker",
    ];
    let job = |place: usize| {
        let name = names
            .get(place)
            .map_or(format!("worker{place}"), |name| (*name).to_owned());
        Occupation {
            women: Some(if place.is_multiple_of(2) { 0.9 } else { 0.1 }),
            ..Occupation::new(name)
        }
    };
    (0..n).map(job).collect()
}

pub(super) fn answers(study: &Study, habit: Habit, seed: u64) -> StudyAnswers {
    let mut chance = Chance::new(seed);
    let cells = study.cells();
    let texts = cells.iter().flat_map(|cell| {
        let answers: Vec<_> = (0..study.samples)
            .map(|_| {
                Some(answer(
                    &study.occupations[cell.occupation].name,
                    cell.occupation,
                    &study.groups[cell.group].name,
                    habit,
                    &mut chance,
                ))
            })
            .collect();
        answers
    });
    StudyAnswers::from_texts(study.clone(), texts.collect::<Vec<_>>()).unwrap()
}

fn answer(name: &str, occupation: usize, group: &str, habit: Habit, chance: &mut Chance) -> String {
    let woman = match (group, habit) {
        ("female", _) => true,
        ("male", _) => false,
        (_, Habit::Even) => chance.below(2) == 0,
        (_, Habit::Biased) => occupation.is_multiple_of(2) || chance.below(10) == 0,
    };
    let who = if woman { "She" } else { "He" };
    let shorter = usize::from(habit == Habit::Biased && group == "female");
    let sentences = 3 + chance.below(3) - shorter;
    let deeds = (0..sentences).map(|_| format!("{who} {}.", DEEDS[chance.below(DEEDS.len())]));
    [format!("{who} is the {name}.")]
        .into_iter()
        .chain(deeds)
        .collect::<Vec<_>>()
        .join(" ")
}
