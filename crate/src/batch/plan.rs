//! Maps the rows of a batch to the questions to send. A row is a sample of a prompt; a question
//! is a request that is sent once.
//!
//! Usually each row has its own question. At temperature 0 the model always gives its most likely
//! answer, so identical rows share one question. Otherwise identical rows stay distinct and are
//! numbered by occurrence.

use std::collections::HashMap;

/// The rows of a batch, and the questions for them.
pub(crate) struct Plan {
    pub(crate) rows: Vec<Row>,
    pub(crate) questions: Vec<Question>,
}

/// A sample of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) prompt: usize,
    pub(crate) sample: u32,
    /// The index of the question that answers it.
    pub(crate) question: usize,
}

/// A request that is sent once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) prompt: usize,
    pub(crate) sample: u32,
    /// How many identical questions precede it in this batch.
    pub(crate) occurrence: u32,
}

impl Question {
    /// Whether this row is the first with this question.
    pub(crate) fn answers(&self, row: &Row) -> bool {
        self.prompt == row.prompt && self.sample == row.sample
    }
}

/// What decides whether two rows share a question.
pub(crate) struct Sampling {
    pub(crate) samples: u32,
    /// Each sample has its own seed.
    pub(crate) seeded: bool,
    /// The same question has the same answer.
    pub(crate) deterministic: bool,
}

impl Plan {
    /// Orders the rows by prompt, with the samples of a prompt adjacent.
    pub(crate) fn new(prompts: &[String], sampling: &Sampling) -> Self {
        let mut plan = Self {
            rows: Vec::with_capacity(prompts.len().saturating_mul(sampling.samples as usize)),
            questions: Vec::new(),
        };
        // The latest of the identical questions, and how many there are.
        let mut asked: HashMap<(&str, u32), (usize, u32)> = HashMap::new();
        for (prompt, text) in prompts.iter().enumerate() {
            for sample in 0..sampling.samples {
                let seed = if sampling.seeded { sample } else { 0 };
                let next = plan.questions.len();
                let same = asked.entry((text, seed)).or_insert((next, 0));
                if !sampling.deterministic || same.1 == 0 {
                    plan.questions.push(Question {
                        prompt,
                        sample,
                        occurrence: same.1,
                    });
                    *same = (next, same.1 + 1);
                }
                let question = same.0;
                plan.rows.push(Row {
                    prompt,
                    sample,
                    question,
                });
            }
        }
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plan(prompts: &[&str], samples: u32, seeded: bool, deterministic: bool) -> Plan {
        let prompts: Vec<_> = prompts.iter().map(|text| (*text).to_owned()).collect();
        let sampling = Sampling {
            samples,
            seeded,
            deterministic,
        };
        Plan::new(&prompts, &sampling)
    }

    fn occurrences(plan: &Plan) -> Vec<u32> {
        plan.questions.iter().map(|one| one.occurrence).collect()
    }

    #[test]
    fn samples_and_repeated_prompts_stay_distinct() {
        let plan = plan(&["a", "b", "a"], 2, false, false);
        assert_eq!(occurrences(&plan), [0, 1, 0, 1, 2, 3]);
        assert_eq!(plan.rows.len(), 6);
    }

    #[test]
    fn a_seed_makes_each_sample_a_question_of_its_own() {
        let plan = plan(&["a", "a"], 2, true, false);
        assert_eq!(occurrences(&plan), [0, 0, 1, 1]);
    }

    #[test]
    fn at_temperature_0_the_same_is_asked_once() {
        let plan = plan(&["a", "b", "a"], 2, false, true);
        let questions: Vec<_> = plan.rows.iter().map(|row| row.question).collect();
        assert_eq!(questions, [0, 0, 1, 1, 0, 0]);
        assert_eq!(plan.questions.len(), 2);
    }

    proptest! {
        #[test]
        fn every_row_has_the_question_of_its_prompt(
            prompts in proptest::collection::vec("[ab]{0,2}", 0..8),
            samples in 0_u32..4, seeded: bool, deterministic: bool,
        ) {
            let sampling = Sampling { samples, seeded, deterministic };
            let plan = Plan::new(&prompts, &sampling);
            prop_assert_eq!(plan.rows.len(), prompts.len() * samples as usize);
            for row in &plan.rows {
                let question = plan.questions[row.question];
                prop_assert_eq!(&prompts[question.prompt], &prompts[row.prompt]);
                prop_assert!(!seeded || question.sample == row.sample);
            }
            if !deterministic {
                prop_assert_eq!(plan.questions.len(), plan.rows.len());
            }
        }
    }
}
