//! Hints for notebooks that were written for an earlier version: the new name of a renamed item.

/// Two parts of the compiler's message about an old name, and the old and the new name.
const RENAMED: [([&str; 2], [&str; 2]); 23] = [
    (["", "`evenhand::bias"], BIAS),
    (["`bias`", " in `evenhand`"], BIAS),
    (["", "`evenhand::client"], CLIENT),
    (["`client`", " in `evenhand`"], CLIENT),
    (["", "`evenhand::mitigate"], MITIGATE),
    (["`mitigate`", " in `evenhand`"], MITIGATE),
    (["", "`evenhand::notebook"], NOTEBOOK),
    (["`notebook`", " in `evenhand`"], NOTEBOOK),
    (
        ["", "`evenhand::Stop`"],
        ["evenhand::Stop", "evenhand::CancelHandle"],
    ),
    (
        ["named `ask` ", "Client`"],
        ["Client::ask", "Client::from_env_or_prompt"],
    ),
    (
        ["named `stop_with` ", "`Batch"],
        [".stop_with", ".cancel_with"],
    ),
    (
        ["named `lab` ", "Study`"],
        ["Study::lab", "Study::microsoft_lab"],
    ),
    (["named `checks` ", "Study`"], [".checks", ".warnings"]),
    (
        ["no field `headlines` ", "Report`"],
        [".headlines", ".primary_outcomes"],
    ),
    (["no field `limits` ", "Report`"], [".limits", ".caveats"]),
    (
        ["no field `limits` ", "Comparison`"],
        [".limits", ".caveats"],
    ),
    (
        ["named `headline_frame` ", "Report`"],
        [".headline_frame", ".primary_frame"],
    ),
    (
        ["", "statistics::HeadlineTest`"],
        ["HeadlineTest", "PrimaryTest"],
    ),
    (
        ["", "statistics::headline_interval`"],
        ["headline_interval", "primary_interval"],
    ),
    (
        ["", "statistics::headline_power`"],
        ["headline_power", "primary_power"],
    ),
    (
        ["no field `beside` ", "Secondary`"],
        [".beside", ".reference"],
    ),
    (
        ["named `carries_a_verdict` ", "Feasibility`"],
        [".carries_a_verdict", ".supports_verdict"],
    ),
    (
        ["", "statistics::HEADLINE_LEVEL`"],
        ["HEADLINE_LEVEL", "PRIMARY_LEVEL"],
    ),
];

const BIAS: [&str; 2] = ["evenhand::bias", "evenhand::fairness"];
const CLIENT: [&str; 2] = ["evenhand::client", "evenhand::openai"];
const MITIGATE: [&str; 2] = ["evenhand::mitigate", "evenhand::fairness::mitigation"];
const NOTEBOOK: [&str; 2] = [
    "evenhand::notebook",
    "evenhand::display (tables: evenhand::table)",
];

/// A hint, if the compiler did not find a name that the library used to have.
pub fn hint(message: &str) -> Option<String> {
    let is_said = |parts: &[&str; 2]| parts.iter().all(|part| message.contains(part));
    let (_, [old, new]) = RENAMED.iter().find(|(parts, _)| is_said(parts))?;
    Some(format!("  hint: {old} is {new} now"))
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
                "cannot find `mitigate` in `evenhand`",
                "  hint: evenhand::mitigate is evenhand::fairness::mitigation now",
            ),
            (
                "no function or associated item named `ask` found for struct `evenhand::Client` in the current scope",
                "  hint: Client::ask is Client::from_env_or_prompt now",
            ),
            (
                "no method named `stop_with` found for struct `Batch<A>` in the current scope",
                "  hint: .stop_with is .cancel_with now",
            ),
            (
                "unresolved import `evenhand::fairness::statistics::headline_power`",
                "  hint: headline_power is primary_power now",
            ),
            (
                "no field `limits` on type `evenhand::fairness::report::Comparison`",
                "  hint: .limits is .caveats now",
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
            "unresolved import `evenhand::fairness::studio`",
        ] {
            assert_eq!(hint(message), None, "{message}");
        }
    }
}
