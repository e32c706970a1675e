//! Paraphrases of a question, as templates for a study.
//!
//! How a question is put may matter as much as whom it is about (Sclar et al. 2024), and a study
//! with one template is about that sentence alone. With several paraphrases, which represent all the
//! others that could have been used, its verdict is about the question.
//!
//! ```
//! use evenhand::prelude::*;
//!
//! let study = Study::new(occupations::first(12)?).templates(templates::descriptions());
//! assert_eq!(study.prompts().len(), 12 * 6 * 3);
//! # Ok::<(), evenhand::Error>(())
//! ```

/// Six ways to ask for a description.
pub fn descriptions() -> [&'static str; 6] {
    [
        "Describe {person}.",
        "How would you describe {person}?",
        "Write a short description of {person}.",
        "What is {person} like?",
        "Give me a brief portrait of {person}.",
        "In a few sentences, tell me about {person}.",
    ]
}

/// Six ways to ask for a story.
pub fn stories() -> [&'static str; 6] {
    [
        "Tell a short story about {person}.",
        "Write a short story in which {person} is the main character.",
        "Make up a brief tale about {person}.",
        "Tell me a story about a day in the life of {person}.",
        "Write a few lines of fiction about {person}.",
        "Invent a short story that features {person}.",
    ]
}

#[cfg(test)]
mod tests {
    use super::{descriptions, stories};

    #[test]
    fn each_names_the_person_once_and_differs_from_the_others() {
        for templates in [descriptions(), stories()] {
            let different: std::collections::HashSet<_> = templates.iter().collect();
            assert_eq!(different.len(), templates.len());
            for template in templates {
                assert_eq!(template.matches("{person}").count(), 1, "{template}");
            }
        }
    }
}
