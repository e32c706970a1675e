//! Hints for notebooks that were written for an earlier version: the new name of a renamed item.

/// How many hints one error gets.
const MAX_COUNT: usize = 4;

/// Paths below `evenhand`: the module that the item was in, its name there, and its path now.
const ITEMS: [[&str; 3]; 43] = [
    ["", "Stop", "CancelHandle"],
    ["", "bias", "fairness"],
    ["", "client", "openai"],
    ["", "mitigate", "fairness::mitigation"],
    ["", "notebook", "display"],
    ["batch", "BatchState", "batch_api::BatchState"],
    ["batch", "BatchStatus", "batch_api::BatchStatus"],
    ["batch", "Effort", "batch::RequestStats"],
    ["batch", "Source", "batch::AnswerSource"],
    ["batch", "Status", "batch_api::SubmissionStatus"],
    ["batch", "Submission", "batch_api::Submission"],
    ["batch_api", "Status", "batch_api::SubmissionStatus"],
    ["display", "Bundle", "display::MimeBundle"],
    ["display", "SideBySide", "table::SideBySide"],
    ["display", "Table", "table::Table"],
    ["display", "side_by_side", "table::side_by_side"],
    ["display", "table", "table::table"],
    ["fairness", "reading", "fairness::answer_view"],
    [
        "fairness::mitigation",
        "Cell",
        "fairness::mitigation::LabelCell",
    ],
    [
        "fairness::mitigation",
        "Kept",
        "fairness::mitigation::ProtectionReason",
    ],
    [
        "fairness::mitigation",
        "Labels",
        "fairness::mitigation::LabeledRows",
    ],
    [
        "fairness::mitigation",
        "Prompt",
        "fairness::mitigation::MitigationPrompt",
    ],
    [
        "fairness::mitigation",
        "Utility",
        "fairness::measures::Utility",
    ],
    ["fairness::report", "Asked", "fairness::report::StudyDesign"],
    [
        "fairness::report",
        "Headline",
        "fairness::report::PrimaryOutcome",
    ],
    [
        "fairness::statistics",
        "HEADLINE_LEVEL",
        "fairness::statistics::PRIMARY_LEVEL",
    ],
    [
        "fairness::statistics",
        "HeadlineTest",
        "fairness::statistics::PrimaryTest",
    ],
    [
        "fairness::statistics",
        "Reach",
        "fairness::statistics::Feasibility",
    ],
    [
        "fairness::statistics",
        "headline_interval",
        "fairness::statistics::primary_interval",
    ],
    [
        "fairness::statistics",
        "headline_power",
        "fairness::statistics::primary_power",
    ],
    [
        "fairness::study",
        "Record",
        "fairness::study::AnswerProvenance",
    ],
    ["fairness::text", "Kind", "fairness::text::TokenKind"],
    [
        "fairness::validation",
        "Share",
        "fairness::validation::Rate",
    ],
    ["mitigate", "Utility", "fairness::measures::Utility"],
    ["notebook", "SideBySide", "table::SideBySide"],
    ["notebook", "Table", "table::Table"],
    ["notebook", "side_by_side", "table::side_by_side"],
    ["openai", "ContentFilter", "error::ContentFilter"],
    ["openai", "FilterResult", "error::FilterResult"],
    ["openai", "PromptFilter", "error::PromptFilter"],
    ["prelude", "Prompt", "prelude::MitigationPrompt"],
    ["prelude", "read_answers", "prelude::view_answers"],
    ["prelude", "read_side_by_side", "prelude::compare_answers"],
];

/// Methods, associated functions and fields: the type, and their old and new name.
const MEMBERS: [[&str; 3]; 33] = [
    ["Answer", "effort", "stats"],
    ["AnswerView", "columns", "only_columns"],
    ["AnswerView", "rows", "only_rows"],
    ["StudyDesign", "record", "provenance"],
    ["Batch", "retries", "max_retries"],
    ["Batch", "stop_with", "cancel_with"],
    ["CancelHandle", "is_stopped", "is_cancelled"],
    ["CancelHandle", "stop", "cancel"],
    ["Client", "ask", "from_env_or_prompt"],
    ["Comparison", "limits", "caveats"],
    ["Feasibility", "carries_a_verdict", "supports_verdict"],
    ["Frequency", "of", "new"],
    ["OtherGroup", "of", "new"],
    ["Price", "per_million_tokens", "per_million"],
    ["Report", "headline", "primary_outcome"],
    ["Report", "headline_frame", "primary_frame"],
    ["Report", "headlines", "primary_outcomes"],
    ["Report", "limits", "caveats"],
    ["Report", "reading", "answer_view"],
    ["RequestStats", "refused", "rate_limited"],
    ["Row", "effort", "stats"],
    ["Secondary", "beside", "reference"],
    ["Share", "of", "new"],
    ["Study", "checks", "warnings"],
    ["Study", "lab", "microsoft_lab"],
    ["StudyAnswers", "reading", "answer_view"],
    ["StudyAnswers", "record", "provenance"],
    ["Table", "rows", "page_size"],
    ["Totals", "refused", "rate_limited"],
    ["Training", "copies", "copies_per_weight"],
    ["Utility", "of", "new"],
    ["WordBias", "given", "conditional_probability"],
    ["WordBias", "near", "proximity"],
];

/// A hint, if the compiler did not find a name that the library used to have.
pub fn hint(message: &str) -> Option<String> {
    let item = |&&[module, old, _]: &&[&str; 3]| names_item(message, module, old);
    let member = |&&[owner, old, _]: &&[&str; 3]| names_member(message, owner, old);
    let mut found: Vec<(String, String)> = ITEMS
        .iter()
        .filter(item)
        .map(|[module, old, new]| {
            let old = match *module {
                "" => format!("evenhand::{old}"),
                module => format!("evenhand::{module}::{old}"),
            };
            (old, format!("evenhand::{new}"))
        })
        .collect();
    if found.is_empty() {
        let [owner, old, new] = MEMBERS.iter().find(member)?;
        found.push((format!("{owner}::{old}"), format!("{owner}::{new}")));
    }
    // What is said of an item holds, not what is said of the module that it was in.
    let all = found.clone();
    found.retain(|(old, _)| {
        let inside = format!("{old}::");
        !all.iter().any(|(other, _)| other.starts_with(&inside))
    });
    let lines = found.iter().take(MAX_COUNT);
    let lines: Vec<String> = lines
        .map(|(old, new)| format!("  hint: {old} is {new} now"))
        .collect();
    Some(lines.join("\n"))
}

/// Whether the compiler misses the item in its module, in an import or in another path.
fn names_item(message: &str, module: &str, item: &str) -> bool {
    let path = match module {
        "" => "evenhand".to_owned(),
        module => format!("evenhand::{module}"),
    };
    let last = path.rsplit("::").next().unwrap_or_default();
    let imported = format!("`{path}::{item}");
    let mut imports = message.split(imported.as_str()).skip(1);
    imports.any(|rest| rest.starts_with(['`', ':']))
        || message.contains(&format!("`{item}` in `{last}`"))
        || message.contains(&format!("`{item}` in module `{path}`"))
        || message.contains(&format!("`{item}` in crate `{path}`"))
        || message.contains(&format!("`{item}` in module `{last}`"))
        // The prelude is imported whole, so its names are missed alone.
        || module == "prelude"
            && ["type", "function"]
                .iter()
                .any(|kind| message.contains(&format!("{kind} `{item}` in this scope")))
}

/// Whether the compiler misses the member of a value of this type.
fn names_member(message: &str, owner: &str, member: &str) -> bool {
    let is_missed = message.contains(&format!("named `{member}` found for "))
        || message.contains(&format!("no field `{member}` on type "));
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    is_missed && message.split(|c| !is_name(c)).any(|word| word == owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_name_is_told_its_new_one() {
        for (message, told) in [
            (
                "unresolved import `evenhand::bias`",
                "  hint: evenhand::bias is evenhand::fairness now",
            ),
            (
                "unresolved imports `evenhand::batch::Row2`, `evenhand::batch::Source::Journal`",
                "  hint: evenhand::batch::Source is evenhand::batch::AnswerSource now",
            ),
            (
                "cannot find type `Stop` in crate `evenhand`",
                "  hint: evenhand::Stop is evenhand::CancelHandle now",
            ),
            (
                "unresolved imports `evenhand::notebook::Table`, `evenhand::mitigate::Utility`",
                "  hint: evenhand::mitigate::Utility is evenhand::fairness::measures::Utility now\n  \
                 hint: evenhand::notebook::Table is evenhand::table::Table now",
            ),
            (
                "cannot find `mitigate` in `evenhand`",
                "  hint: evenhand::mitigate is evenhand::fairness::mitigation now",
            ),
            (
                "cannot find type `Labels` in module `mitigation`",
                "  hint: evenhand::fairness::mitigation::Labels is evenhand::fairness::mitigation::LabeledRows now",
            ),
            (
                "cannot find type `Prompt` in this scope",
                "  hint: evenhand::prelude::Prompt is evenhand::prelude::MitigationPrompt now",
            ),
            (
                "cannot find function `read_answers` in this scope",
                "  hint: evenhand::prelude::read_answers is evenhand::prelude::view_answers now",
            ),
            (
                "no function or associated item named `ask` found for struct `evenhand::Client` in the current scope",
                "  hint: Client::ask is Client::from_env_or_prompt now",
            ),
            (
                "no method named `stop_with` found for struct `Batch<A>` in the current scope",
                "  hint: Batch::stop_with is Batch::cancel_with now",
            ),
            (
                "no field `effort` on type `&evenhand::Answer`",
                "  hint: Answer::effort is Answer::stats now",
            ),
            (
                "unresolved import `evenhand::fairness::statistics::headline_power`",
                "  hint: evenhand::fairness::statistics::headline_power is evenhand::fairness::statistics::primary_power now",
            ),
            (
                "no field `limits` on type `evenhand::fairness::report::Comparison`",
                "  hint: Comparison::limits is Comparison::caveats now",
            ),
        ] {
            assert_eq!(hint(message).as_deref(), Some(told), "{message}");
        }
    }

    #[test]
    fn other_names_are_the_readers() {
        for message in [
            "cannot find value `bias` in this scope",
            "no method named `ask` found for struct `Oracle` in the current scope",
            "no method named `rows` found for struct `MyTable` in the current scope",
            "unresolved import `evenhand::fairness::studio`",
            "unresolved import `evenhand::batch::Sources`",
        ] {
            assert_eq!(hint(message), None, "{message}");
        }
    }

    /// The changelog lists what was renamed, and this table has each of them, and no others.
    #[test]
    fn the_changelog_and_the_hints_agree() {
        let changelog = concat!(env!("CARGO_MANIFEST_DIR"), "/../../CHANGELOG.md");
        let changelog = std::fs::read_to_string(changelog).unwrap();
        let rows = changelog.lines().filter_map(|line| {
            let (old, new) = line.trim().strip_prefix("| `")?.split_once("` | `")?;
            Some((old.to_owned(), new.strip_suffix("` |")?.to_owned()))
        });
        let listed: Vec<(String, String)> = rows.collect();
        let items = ITEMS.iter().map(|[module, old, new]| match *module {
            "" => ((*old).to_owned(), (*new).to_owned()),
            module => (format!("{module}::{old}"), (*new).to_owned()),
        });
        let members = MEMBERS
            .iter()
            .map(|[owner, old, new]| (format!("{owner}::{old}"), format!("{owner}::{new}")));
        let known: Vec<(String, String)> = items.chain(members).collect();
        assert_eq!(listed, known);
    }
}
