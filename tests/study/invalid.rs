//! Files that describe no study: nothing is asked, and the error names file and field.

use super::{Folder, KEY};

/// What is said about this file.
fn refused(text: &str) -> String {
    let folder = Folder::of_text(text);
    // Nothing listens there.
    let ran = folder.run("http://127.0.0.1:9");
    assert_eq!(ran.code, Some(2), "{text}: {}", ran.told);
    assert!(ran.out.is_empty() && !ran.told.contains(KEY));
    ran.told.trim_end().to_owned()
}

#[test]
fn every_error_names_the_file_and_the_field() {
    let said: Vec<_> = [
        "",
        "[1]",
        "{\"occupations\": 12,}",
        "{}",
        "{\"occupations\": 0}",
        "{\"occupations\": 61}",
        "{\"occupations\": [\"nurse\", 7]}",
        "{\"occupations\": [\"nurse\", \"nurse\"]}",
        "{\"occupations\": 12, \"sample\": 5}",
        "{\"occupations\": 12, \"samples\": \"five\"}",
        "{\"occupations\": 12, \"samples\": 1e99}",
        "{\"occupations\": 12, \"temperature\": 9}",
        "{\"occupations\": 12, \"templates\": [\"Describe a person.\"]}",
        "{\"occupations\": 12, \"templates\": \"tales\"}",
        "{\"occupations\": 12, \"groups\": {\"young\": 1}}",
        "{\"occupations\": 12, \"compared\": [\"young\", \"old\"]}",
        "{\"occupations\": 12, \"compared\": [\"female\"]}",
        "{\"occupations\": 12, \"lexicon\": \"gender\"}",
        "{\"occupations\": 12, \"lexicon\": {\"young\": []}}",
        "{\"occupations\": 12, \"measures\": [\"tone\u{1b}[2J\"]}",
        "{\"occupations\": 12, \"margins\": {\"length\": -1}}",
        "{\"occupations\": 12, \"margins\": {\"tone\": 1}}",
        "{\"occupations\": 12, \"mitigations\": [\"magic\"]}",
        "{\"occupations\": 12, \"quota\": {}}",
        "{\"occupations\": 12, \"gate\": {\"fail_on\": [\"biased\"]}}",
        "{\"occupations\": 12, \"gate\": {\"fail_on\": []}}",
        "{\"occupations\": 12, \"gate\": {\"tests\": [\"tone\"]}}",
        "{\"occupations\": 12, \"gate\": {\"rules\": []}}",
        "{\"occupations\": 12, \"samples\": 2, \"samples\": 9}",
        "{\"occupations\": 12, \"margins\": {\"length\": 5, \"length\": 50}}",
    ]
    .map(refused)
    .into();
    insta::assert_snapshot!(said.join("\n"), @r#"
    error: fair.json is not JSON: EOF while parsing a value at line 1 column 0
      hint: put strings in double quotes, and no comma after the last field; comments are not allowed
    error: fair.json is [1], expected settings in { }
    error: fair.json is not JSON: trailing comma at line 1 column 20
      hint: put strings in double quotes, and no comma after the last field; comments are not allowed
    error: fair.json: occupations is missing
      hint: give a number, such as 20, or a list of names
    error: fair.json: occupations is 0, expected a whole number of at least 1
    error: fair.json: occupations: 61 occupations were requested, but only 60 are included
      hint: name your own: `Study::new(["cook", "pilot"])`
    error: fair.json: occupations[1] is 7, expected a string
    error: fair.json: the occupation 'nurse' occurs twice in the study
    error: fair.json: sample is not a known field
      hint: the fields are occupations, templates, groups, compared, lexicon, measures, margins, samples, seed, temperature, max_tokens, system, mitigations, deployment, quota, concurrency, gate, comment
    error: fair.json: samples is "five", expected a whole number of at least 1
    error: fair.json: samples is 1e+99, expected a whole number of at least 1
    error: fair.json: temperature is 9, expected a number from 0 to 2
    error: fair.json: the template does not mention the person
      hint: write `{person}` for the person: "Describe {person}."
    error: fair.json: templates is "tales", expected a list of prompts, "descriptions" or "stories"
    error: fair.json: groups.young is 1, expected an adjective, empty for the neutral group
    error: fair.json: the study has no group 'young' to compare
      hint: it has neutral, female, male
    error: fair.json: compared has 1 names, expected the names of two groups
    error: fair.json: lexicon is "gender", expected ["gender"], ["gender", "names"], or the words of each group
    error: fair.json: lexicon.young is [], expected a list of words
    error: fair.json is not JSON: control character (\u0000-\u001F) found while parsing a string at line 1 column 39
      hint: put strings in double quotes, and no comma after the last field; comments are not allowed
    error: fair.json: the margin of 'length' is -1, and must be above 0
      hint: it is the largest difference that does not matter, in the measure's unit
    error: fair.json: the margin of 'tone' is set, but the study has no such primary test
      hint: it has sentiment, length, refusals, assumed female, assumed female vs jobs, assumed majority of the job
    error: fair.json: mitigations[0] is "magic", expected "neutral", "few_shot" or "self_critique"
    error: fair.json: quota is {}, expected `tpm` or `rpm`, or both
    error: fair.json: gate.fail_on[0] is "biased", expected "differs", "beyond_margin" or "cant_tell"
    error: fair.json: gate.fail_on is [], expected a list of rules
    error: fair.json: the gate is about 'tone', and the study has no such primary test
      hint: it has sentiment, length, refusals, assumed female, assumed female vs jobs, assumed majority of the job
    error: fair.json: gate.rules is not a known field
      hint: the fields are fail_on, tests
    error: fair.json: the field "samples" occurs twice at line 1 column 47
      hint: only one of them would count: remove the other
    error: fair.json: the field "length" occurs twice at line 1 column 58
      hint: only one of them would count: remove the other
    "#);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = Folder::of_text("{}");
    std::fs::remove_file(folder.path().join("fair.json")).unwrap();
    let ran = folder.run("http://127.0.0.1:9");
    assert_eq!(ran.code, Some(2), "{}", ran.told);
    assert!(
        ran.told.starts_with("error: fair.json can't be read"),
        "{}",
        ran.told
    );
}

#[test]
fn a_folder_for_the_report_that_is_not_there_costs_nothing() {
    let folder = Folder::of_text("{\"occupations\": 12}");
    let mut command = folder.command("http://127.0.0.1:9");
    let ran = super::Ran::new(&command.args(["--out", "none"]).output().unwrap());
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.told
            .contains("the folder for the report, none, does not exist"),
        "{}",
        ran.told
    );
}
