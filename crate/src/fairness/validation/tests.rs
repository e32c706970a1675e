//! Samples to label, and what comes back.

use insta::assert_snapshot;

use super::{LabelSample, Labels};
use crate::error::ErrorKind;
use crate::fairness::measures::{Length, Raw, Refusal, Sentiment};
use crate::fairness::occupations::Occupation;
use crate::fairness::report::Report;
use crate::fairness::study::{Study, StudyAnswers};

const JOBS: [&str; 4] = ["nurse", "pilot", "cook", "clerk"];

/// Answers that cycle through a few texts.
fn report(study: &Study, texts: &[&str]) -> Report {
    let all = study.cells().len() * study.samples as usize;
    let texts = texts.iter().cycle().take(all).copied().map(Some);
    let answers = StudyAnswers::from_texts(study.clone(), texts).unwrap();
    answers.measure().unwrap()
}

fn study() -> Study {
    Study::new(JOBS.map(Occupation::new)).samples(5)
}

fn stories() -> Report {
    report(
        &study(),
        &[
            "She is a kind nurse who helps people.",
            "He flies planes, and he likes his work.",
            "The clerk works hard every day.",
            "Maybe he is tired. Maybe she is. The day was long.",
            "She plans the week. She is proud of her work.",
            "I'm sorry, but I can't help with that.",
            "His day begins early. He is often tired.",
        ],
    )
}

/// The sheet with these labels, row by row.
fn filled(sample: &LabelSample, label: impl Fn(usize) -> String) -> String {
    let lines = sample.rows().iter().enumerate();
    let lines = lines.map(|(place, row)| format!("{},{}\r\n", row.name, label(place)));
    format!("row,label\r\n{}", lines.collect::<String>())
}

/// The measure's own class of a row.
fn measured(sample: &LabelSample, row: usize) -> String {
    sample.classes()[sample.rows()[row].measured.unwrap()].clone()
}

fn read(sample: &LabelSample, name: &str, csv: &str) -> Vec<Labels> {
    sample.read(name, csv.as_bytes()).unwrap()
}

fn refused(sample: &LabelSample, csv: &str) -> String {
    let error = sample.read("anna.csv", csv.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    error.to_string().replace(&sample.rows()[0].name, "ROW")
}

#[test]
fn the_draw_is_seeded_shuffled_and_blind() {
    let report = stories();
    let sample = report.sample_to_label(12).unwrap();
    let names = |sample: &LabelSample| -> Vec<String> {
        sample.rows().iter().map(|row| row.name.clone()).collect()
    };
    assert_eq!(
        names(&sample),
        names(&stories().sample_to_label(12).unwrap())
    );
    // A longer sample begins with the same rows, so that labels of the shorter one stay of use.
    assert_eq!(
        names(&report.sample_to_label(15).unwrap())[..12],
        names(&sample)
    );
    let all = names(&report.sample_to_label(17).unwrap());
    let different: std::collections::HashSet<_> = all.iter().collect();
    assert_eq!(different.len(), 17);
    let other = report_of_seed(8);
    assert_ne!(names(&other.sample_to_label(12).unwrap()), names(&sample));

    let sheet = sample.to_csv();
    for told in ["Describe", "neutral,", "\"nurse\"", "sample"] {
        assert!(!sheet.contains(told), "{told}: {sheet}");
    }
    assert_eq!(sheet.matches('\n').count(), 13);
    assert!(!format!("{sample:?}").contains("measured"));
}

fn report_of_seed(seed: i64) -> Report {
    report(
        &study().seed(seed),
        &["She helps.", "He works.", "They all rest."],
    )
}

#[test]
fn whom_a_text_is_about_is_judged_by_the_words_that_tell_and_a_refusal_without_them() {
    let report = report(
        &study(),
        &[
            "She helps people.",
            "He helps people.",
            "I cannot help with that, he said.",
        ],
    );
    let person = report.sample_to_label(5).unwrap();
    assert!(person.rows().iter().any(|row| row.text.contains("She")));
    assert!(person.rows().iter().all(|row| !row.text.contains("cannot")));
    let refusals = report.sample_to_label_of("refusals", 30).unwrap();
    assert_eq!(refusals.classes(), ["yes", "no"]);
    assert!(refusals.rows().iter().all(|row| !row.text.contains("He ")));
    assert!(
        refusals
            .rows()
            .iter()
            .any(|row| row.text.contains("cannot"))
    );
    let raw = study().measures([Raw(Sentiment::Compound)]);
    let raw = self::report(&raw, &["She loves people.", "He hates people."]);
    let raw = raw.sample_to_label_of("sentiment", 10).unwrap();
    assert!(raw.rows().iter().any(|row| row.text.contains("He ")));
}

#[test]
fn labels_of_two_people_give_agreement_and_accuracy() {
    let sample = stories().sample_to_label(16).unwrap();
    // Anna corrects the measure once, and Ben contradicts her on two other rows.
    let anna = |row| match row {
        0 => "male".to_owned(),
        row => measured(&sample, row).to_uppercase(),
    };
    let ben = |row| match row {
        1 | 2 => "neutral".to_owned(),
        row => anna(row),
    };
    let mut people = read(&sample, "anna.csv", &filled(&sample, anna));
    people.extend(read(&sample, "ben.csv", &filled(&sample, ben)));
    let validation = sample.compare(&people).unwrap();
    assert_eq!(validation.used, 14);
    let report = stories().with_validation(validation.clone());
    let shown = report.to_string();
    assert!(shown.contains("Validated against human labels"), "{shown}");
    assert_snapshot!(validation, @"
    person: 16 answers drawn, labeled by anna.csv (16) and ben.csv (16); they agree on 14 of 16: 0.88 [0.64, 0.97], kappa 0.82 [0.46, 0.95]; 2 on which they differ are left out
    - female: sensitivity 4 of 4: 1.00 [0.51, 1.00]; precision 4 of 4: 1.00 [0.51, 1.00]
    - male: sensitivity 3 of 4: 0.75 [0.30, 0.95]; precision 3 of 3: 1.00 [0.44, 1.00]
    - neutral: sensitivity –; precision –
    ");
    assert_eq!(
        Report::from_json(&report.to_json().unwrap()).unwrap(),
        report
    );
    // A later validation takes the place of an earlier one.
    let again = report.with_validation(validation);
    assert_eq!(again.validations.len(), 1);
}

#[test]
fn one_person_has_no_agreement_and_rare_answers_no_rate() {
    let report = report(&study(), &["She works well.", "He is kind."]);
    let sample = report.sample_to_label_of("refusals", 20).unwrap();
    let labels = read(&sample, "anna.csv", &filled(&sample, |_| "No".to_owned()));
    let validation = sample.compare(&labels).unwrap();
    assert_eq!(validation.agreement, None);
    assert_snapshot!(validation, @"
    refusals: 20 answers drawn, labeled by anna.csv (20)
    - yes: sensitivity –; precision –
    ");
}

#[test]
fn labels_may_be_missing_and_are_counted() {
    let sample = stories().sample_to_label(10).unwrap();
    let some = |row| {
        if row < 4 {
            measured(&sample, row)
        } else {
            String::new()
        }
    };
    let mut people = read(&sample, "anna.csv", &filled(&sample, some));
    assert_eq!(sample.compare(&people).unwrap().used, 4);
    let others = |row| {
        if row >= 4 {
            measured(&sample, row)
        } else {
            String::new()
        }
    };
    people.extend(read(&sample, "ben.csv", &filled(&sample, others)));
    assert_snapshot!(sample.compare(&people).unwrap_err(), @"
    no answer was labeled by both people
      hint: give both the same sheet
    ");
    let nothing = read(&sample, "anna.csv", &filled(&sample, |_| " ".to_owned()));
    assert_snapshot!(sample.compare(&nothing).unwrap_err(), @"
    anna.csv: no answer is labeled
      hint: fill in the column `label` of the sheet
    ");
    assert_snapshot!(sample.compare(&[]).unwrap_err(), @"
    there are labels of 0 people
      hint: give the labels of one person or of two
    ");
    let never = |row| match measured(&sample, row).as_str() {
        "male" => "female".to_owned(),
        _ => "male".to_owned(),
    };
    let mut people = read(&sample, "a", &filled(&sample, |row| measured(&sample, row)));
    people.extend(read(&sample, "b", &filled(&sample, never)));
    assert_snapshot!(sample.compare(&people).unwrap_err(), @"
    the two people agree on no answer
      hint: let them discuss what the labels mean, and label a new sample
    ");
}

#[test]
fn bad_labels_are_named_with_their_place() {
    let sample = stories().sample_to_label(5).unwrap();
    let [one, two] = [&sample.rows()[0].name, &sample.rows()[1].name];
    assert_snapshot!(refused(&sample, &format!("row,label\n{one},female\n{two},male\n{one},male\n")), @"
    anna.csv: line 2 and line 4 give row ROW different labels
      hint: one person has one label for a row: correct it, or put a second person's labels into another column or file
    ");
    assert_snapshot!(refused(&sample, "row,label\nbbbbbbbbbb,female\n"), @"
    anna.csv, line 2: the sample has no row 'bbbbbbbbbb'
      hint: the labels belong to a sample of the same answers, of the same size and about the same question
    ");
    assert_snapshot!(refused(&sample, "row,label\n,female\n"), @"
    anna.csv, line 2: the row has no name
      hint: the labels belong to a sample of the same answers, of the same size and about the same question
    ");
    assert_snapshot!(refused(&sample, &format!("row,label\n{one},woman\u{1b}[2J\n")), @"
    anna.csv, line 2: 'woman�[2J' is not one of the labels
      hint: write female, male, neutral, unclear; leave it empty if you did not judge it
    ");
    assert_snapshot!(refused(&sample, "id;answer\nx;y\n"), @"
    anna.csv: the first line has no column 'row', or none that begins with 'label': it has 'id', 'answer'
      hint: keep the first line of the sheet that `sample.save(..)` wrote
    ");
    assert_snapshot!(refused(&sample, ""), @"
    anna.csv: the first line has no column 'row', or none that begins with 'label': it has nothing
      hint: keep the first line of the sheet that `sample.save(..)` wrote
    ");
    // The same label twice is not a contradiction.
    let twice = format!("row,label\n{one},female\n{one},Female\n");
    assert_eq!(read(&sample, "anna.csv", &twice)[0].len(), 1);
}

#[test]
fn two_columns_are_two_people_in_any_usual_file() {
    let sample = stories().sample_to_label(6).unwrap();
    let lines = sample
        .rows()
        .iter()
        .map(|row| format!("'{}\tx\tfemale\tMale\r\n", row.name.to_uppercase()));
    let text = format!(
        "Row\tAnswer\tLabel anna\tlabel ben\r\n{}",
        lines.collect::<String>()
    );
    let wide: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let people = sample.read("both.txt", &wide).unwrap();
    let names: Vec<_> = people
        .iter()
        .map(|one| (one.person.as_str(), one.len()))
        .collect();
    assert_eq!(
        names,
        [("both.txt: label anna", 6), ("both.txt: label ben", 6)]
    );
}

#[test]
fn a_sheet_is_saved_once_and_files_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("to-label.csv");
    let sample = stories().sample_to_label(8).unwrap();
    stories().sample_to_label(3).unwrap().save(&path).unwrap();
    // Without labels, nothing is lost.
    sample.save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert!(bytes.starts_with(
        b"\xef\xbb\xbf\"row\",\"answer\",\"label (female / male / neutral / unclear)\""
    ));
    // An empty sheet can be read, and has no labels.
    assert!(sample.read("a", &bytes).unwrap()[0].is_empty());

    std::fs::write(&path, filled(&sample, |row| measured(&sample, row))).unwrap();
    let validation = sample.validate([&path]).unwrap();
    assert_eq!((validation.used, validation.drawn), (8, 8));
    let error = sample.save(&path).unwrap_err().to_string();
    assert!(error.contains("labels in it would be lost"), "{error}");
    let error = sample.validate([&path, &path]).unwrap_err().to_string();
    assert!(error.contains("is given twice"), "{error}");
    std::fs::write(&path, "my notes").unwrap();
    assert!(sample.save(&path).is_err());
    let missing = sample
        .validate([folder.path().join("none.csv")])
        .unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Io);
}

#[test]
fn what_can_t_be_labeled_is_refused() {
    let report = stories();
    let message = |error: crate::Error| error.to_string();
    assert_snapshot!(message(report.sample_to_label(0).unwrap_err()), @"
    0 answers to label were requested, but there are 17
      hint: request at least one, and no more than there are
    ");
    assert_snapshot!(message(report.sample_to_label(1_000).unwrap_err()), @"
    1000 answers to label were requested, but there are 17
      hint: request at least one, and no more than there are
    ");
    assert_snapshot!(message(report.sample_to_label_of("length", 5).unwrap_err()), @"
    people can't label 'length', which has no classes
      hint: refusals and sentiment have classes; a measure of your own implements `Measure::classes`
    ");
    assert_snapshot!(message(report.sample_to_label_of("tone", 5).unwrap_err()), @"
    the study has no measure 'tone'
      hint: it has sentiment, length, refusals
    ");
    let read = Report::from_json(&report.to_json().unwrap()).unwrap();
    assert_snapshot!(message(read.sample_to_label(5).unwrap_err()), @"
    this report was read from a file, which holds no answers to draw from
      hint: measure the answers again: `study.run(&client)?.measure()?`
    ");
    let two = study()
        .groups([("female", "female"), ("male", "male")])
        .measures([Refusal])
        .measure(Length);
    let two = self::report(&two, &["She works.", "He works."]);
    assert_snapshot!(message(two.sample_to_label(5).unwrap_err()), @r#"
    no neutral prompt was asked, so no answer was searched for its person
      hint: label what a measure looks for instead: `report.sample_to_label_of("refusals", 50)`
    "#);
}
