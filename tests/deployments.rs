//! The first lesson in the real kernel, and a batch after it, on each kind of deployment: no code is
//! changed for any of them.

use crate::kernel::execute;
use crate::support::server::{Deployment, Rules, Sampling};
use crate::support::{Notebook, checkout};

/// What a reader adds at the end of the lesson: two hundred prompts, and a temperature.
const BATCH: &str =
    "let prompts: Vec<String> = (0..200).map(|n| format!(\"Describe person {n}.\")).collect();
let two_hundred = client.batch(&prompts).max_tokens(100).temperature(0.7).run()?;
two_hundred.totals()";

#[test]
fn the_first_lesson_and_a_batch_are_answered_by_every_kind_of_deployment() {
    let no_temperature = Rules {
        sampling: Sampling::Refused,
        ..Rules::COMPLETION_TOKENS
    };
    let lesson = Notebook::load(&checkout().join("notebooks/01-responsible-ai.ipynb"));
    let notebook = lesson.followed_by("lesson-and-batch", BATCH);
    for rules in [
        Rules::OLD,
        Rules::COMPLETION_TOKENS,
        no_temperature,
        Rules::GPT_5_MINI,
        Rules::GPT_5_1,
    ] {
        let deployment = Deployment::start(rules);
        let ran = execute(
            notebook.path(),
            &[
                ("AZURE_OPENAI_ENDPOINT", deployment.url().as_str()),
                ("AZURE_OPENAI_API_KEY", "not-to-be-seen"),
                // A name that tells nothing about the model.
                ("AZURE_OPENAI_DEPLOYMENT", "class"),
            ],
        );
        for batch in ["let neutral = ", "let loaded = "] {
            let shown = ran.outputs_of(batch);
            assert!(shown.contains("5 rows: 5 answered"), "{rules:?}: {shown}");
        }
        let shown = ran.outputs_of("let two_hundred = ");
        assert!(
            shown.contains("200 in all, 200 answered"),
            "{rules:?}: {shown}"
        );
        let refused = deployment.refused();
        assert!(refused <= 2, "{refused} refused by {rules:?}");
    }
}
