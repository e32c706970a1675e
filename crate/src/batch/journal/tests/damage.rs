use super::*;
use std::fs::OpenOptions;
use std::io::Write;

fn refused(path: &Path) -> Error {
    Journal::open(path, Some(&parameters()))
        .map(|_| ())
        .unwrap_err()
}

/// The notes, without the folder's own name.
fn noted(journal: &Journal, path: &Path) -> String {
    let folder = path.parent().unwrap().to_str().unwrap();
    journal.notes().join("\n").replace(folder, "FOLDER")
}

/// Ten rows, every third a failure.
fn ten_rows() -> Vec<(String, OutputLine)> {
    (0..10)
        .map(|number| {
            let name = name(&format!("{number}?"));
            let line = match number % 3 {
                0 => failed(&name),
                _ => answered(&name, &format!("é {number}")),
            };
            (name, line)
        })
        .collect()
}

#[test]
fn a_torn_row_is_told_and_cut_off_before_the_next_is_written() {
    let (_folder, path) = place_for_one();
    let whole = format::write(&answered("a", "Yes")).unwrap();
    let torn = [&whole[..], &whole[..40]].concat();
    fs::write(&path, &torn).unwrap();
    let journal = open_journal(&path);
    assert_snapshot!(noted(&journal, &path), @"FOLDER/run.jsonl ends in the middle of a row (its last 40 bytes): the row is treated as unfinished");
    assert_eq!(words(&journal, "a").as_deref(), Some("Yes"));
    assert_eq!(fs::read(&path).unwrap(), torn, "nothing was written yet");
    journal.append(&answered("b", "No")).unwrap();
    drop(journal);
    let next = format::write(&answered("b", "No")).unwrap();
    assert_eq!(fs::read(&path).unwrap(), [whole, next].concat());
}

#[test]
fn a_whole_row_without_its_line_end_is_kept() {
    let (_folder, path) = place_for_one();
    let whole = format::write(&answered("a", "Yes")).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let journal = open_journal(&path);
    assert!(journal.notes().is_empty());
    assert_eq!(words(&journal, "a").as_deref(), Some("Yes"));
    journal.append(&answered("b", "No")).unwrap();
    drop(journal);
    let next = format::write(&answered("b", "No")).unwrap();
    assert_eq!(fs::read(&path).unwrap(), [whole, next].concat());
}

#[test]
fn lines_in_the_middle_that_are_no_rows_are_told_and_left() {
    let (_folder, path) = place_for_one();
    let whole = format::write(&answered("a", "Yes")).unwrap();
    let strange =
        b"{\"id\":\"\",\"custom_id\":\"torn\",\"resp\n\0\xff\xfe\n\n{\"custom_id\":\"a\"}\n";
    let before = [&whole[..], strange, &whole[..]].concat();
    fs::write(&path, &before).unwrap();
    let journal = open_journal(&path);
    assert_snapshot!(noted(&journal, &path), @"FOLDER/run.jsonl: 3 lines are not rows and are left unchanged; the first is line 2");
    journal.append(&answered("b", "No")).unwrap();
    drop(journal);
    assert!(fs::read(&path).unwrap().starts_with(&before));

    let rows: Vec<String> = read_rows(&path)
        .unwrap()
        .map(|row| match row {
            Ok(row) => row.custom_id,
            Err(error) => told(&error, &path),
        })
        .collect();
    assert_snapshot!(rows.join("\n"), @"
    a
    FOLDER/run.jsonl has a line that is not a row, line 2
    FOLDER/run.jsonl has a line that is not a row, line 3
    FOLDER/run.jsonl has a line that is not a row, line 5
    a
    b
    ");
}

#[test]
fn a_line_without_bounds_is_passed_over() {
    let (_folder, path) = place_for_one();
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(&format::write(&answered("a", "Yes")).unwrap())
        .unwrap();
    file.write_all(&vec![b'x'; format::MAX_LINE + 5]).unwrap();
    file.write_all(b"\n").unwrap();
    file.write_all(&format::write(&answered("b", "No")).unwrap())
        .unwrap();
    let journal = open_journal(&path);
    assert_snapshot!(noted(&journal, &path), @"FOLDER/run.jsonl: line 2 is not a row and is left unchanged");
    assert_eq!(words(&journal, "b").as_deref(), Some("No"));
    let error = read_rows(&path).unwrap().find_map(Result::err).unwrap();
    assert_snapshot!(told(&error, &path), @"FOLDER/run.jsonl has a line of more than 64 MB, line 2");
    assert_eq!(read_rows(&path).unwrap().filter(Result::is_ok).count(), 2);
}

#[test]
fn a_file_that_is_no_journal_is_left_as_it_is() {
    let (_folder, path) = place_for_one();
    let contents: [&[u8]; 8] = [
        b"name,answer\nnurse,kind\n",
        b"hello",
        b"\x7fELF\0\0\0\0",
        b"{\"id\":\"a\"}",
        b"[{\"custom_id\": \"a\"}]\n",
        b"\xef\xbb\xbf# Notes\n",
        b"{\n  \"custom_id\": \"a\"\n}\n",
        &[0; 100],
    ];
    for content in contents {
        fs::write(&path, content).unwrap();
        let error = refused(&path);
        assert_eq!(error.kind(), ErrorKind::Journal);
        assert_eq!(fs::read(&path).unwrap(), content);
    }
    assert_snapshot!(told(&refused(&path), &path), @"
    FOLDER/run.jsonl is not a journal: its first line is not a row in the Batch API's output format
      hint: it was left unchanged; give the journal another name, or move the file away
    ");

    // A file of answers is not a file of requests, and vice versa.
    fs::remove_file(&path).unwrap();
    let answers = format::write(&answered("a", "Yes")).unwrap();
    fs::write(requests_path(&path), &answers).unwrap();
    assert_snapshot!(told(&refused(&path), &path), @"
    FOLDER/run.requests.jsonl is not a journal: its first line is not a row in the Batch API's input format
      hint: it was left unchanged; give the journal another name, or move the file away
    ");
    let request = format::write(&RequestLine::new("a", body("A?"))).unwrap();
    fs::write(requests_path(&path), &request).unwrap();
    fs::write(&path, &request).unwrap();
    assert_eq!(refused(&path).kind(), ErrorKind::Journal);
}

#[test]
fn a_place_that_cannot_hold_a_journal_is_told() {
    let (folder, path) = place_for_one();
    fs::create_dir(&path).unwrap();
    assert_snapshot!(told(&refused(&path), &path), @"
    FOLDER/run.jsonl is a folder
      hint: name a file in it
    ");

    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let below = file.join("run.jsonl");
    assert_snapshot!(told(&refused(&below), &file), @"
    FOLDER/file can't be written
      hint: the answers are kept there: set EVENHAND_JOURNAL to a folder that can be written, or to off
    ");

    #[cfg(target_os = "linux")]
    {
        let null = Path::new("/dev/null");
        assert_snapshot!(refused(null), @"/dev/null is not a regular file");
    }
    let missing = folder.path().join("missing.jsonl");
    let error = read_rows(&missing).map(|_| ()).unwrap_err();
    assert_snapshot!(told(&error, &missing), @"FOLDER/missing.jsonl can't be read");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_told() {
    // A folder that even root can't write to.
    assert_snapshot!(refused(Path::new("/proc/run.jsonl")), @"
    /proc/run.jsonl can't be written
      hint: the answers are kept there: set EVENHAND_JOURNAL to a folder that can be written, or to off
    ");
}

#[test]
fn a_row_that_cannot_be_read_is_told() {
    let (_folder, path) = place_for_one();
    let deep = "[".repeat(500) + &"]".repeat(500);
    let line = format!(r#"{{"custom_id":"a","response":{{"status_code":200,"body":{deep}}}}}"#);
    fs::write(&path, line + "\n").unwrap();
    let error = open_journal(&path).find("a").unwrap_err();
    assert_snapshot!(told(&error, &path), @"FOLDER/run.jsonl holds a row that can't be read, at byte 0");
}

proptest! {
    // Each case writes files to disk.
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A file that was cut anywhere keeps all its whole rows and still works as a journal.
    #[test]
    fn a_cut_costs_no_whole_row(share in 0.0..=1.0_f64) {
        let (_folder, path) = place_for_one();
        let journal = open_journal(&path);
        let mut ends = Vec::new();
        for (_, line) in ten_rows() {
            journal.append(&line).unwrap();
            ends.push(fs::metadata(&path).unwrap().len());
        }
        drop(journal);
        let length = *ends.last().unwrap();
        let cut = (length as f64 * share) as u64;
        OpenOptions::new().write(true).open(&path).unwrap().set_len(cut).unwrap();

        let journal = open_journal(&path);
        let mut left = 0;
        for ((name, line), end) in ten_rows().into_iter().zip(&ends) {
            // A row is whole if at most its line end is missing.
            let is_left = cut + 1 >= *end;
            left += usize::from(is_left);
            let is_answer = line.error.is_none();
            prop_assert_eq!(journal.find(&name).unwrap(), (is_left && is_answer).then_some(line));
        }
        journal.append(&answered("last", "Yes")).unwrap();
        drop(journal);

        let rows: Vec<_> = read_rows(&path).unwrap().map(Result::unwrap).collect();
        prop_assert_eq!(rows.len(), left + 1);
        prop_assert_eq!(&rows.last().unwrap().custom_id, "last");
        let journal = open_journal(&path);
        prop_assert!(journal.notes().is_empty());
    }

    /// Whatever a file holds, it is opened or refused, and its content is kept.
    #[test]
    fn no_line_is_lost_to_a_journal(
        lines in prop::collection::vec(prop_oneof![
            Just(b"{\"custom_id\":\"a\"}".to_vec()),
            Just(b"{\"custom_id\":\"a\",\"response\":{\"status_code\":200}}".to_vec()),
            prop::collection::vec(any::<u8>(), 0..20),
        ], 0..6),
    ) {
        let (_folder, path) = place_for_one();
        let before: Vec<u8> = lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect();
        fs::write(&path, &before).unwrap();
        if let Ok(journal) = Journal::open(&path, None) {
            journal.unwrap().append(&answered("last", "Yes")).unwrap();
        }
        prop_assert!(fs::read(&path).unwrap().starts_with(&before));
    }
}

#[test]
fn a_row_with_numbers_that_nobody_can_mean_is_told_and_asked_again() {
    for number in [
        "-1",
        "1e400",
        "\"x\"",
        "null",
        "18446744073709551616",
        "1.5",
    ] {
        let (_folder, path) = place_for_one();
        let whole = format::write(&answered("a", "Yes")).unwrap();
        let text = String::from_utf8(whole).unwrap();
        let odd = text.replace("\"attempts\":1", &format!("\"attempts\":{number}"));
        assert_ne!(odd, text);
        let good = format::write(&answered("b", "No")).unwrap();
        let before = [odd.as_bytes(), &good].concat();
        fs::write(&path, &before).unwrap();
        let journal = open_journal(&path);
        let told = noted(&journal, &path);
        assert_eq!(
            told,
            "FOLDER/run.jsonl: line 1 is a row with a value that can't be read, such as a number out of \
             range. What it answers is asked again; to keep the answer, correct the line"
        );
        assert_eq!(words(&journal, "a"), None, "{number}");
        assert_eq!(words(&journal, "b").as_deref(), Some("No"));
        journal.append(&answered("a", "Again")).unwrap();
        drop(journal);
        assert!(fs::read(&path).unwrap().starts_with(&before));
        let journal = open_journal(&path);
        assert_eq!(words(&journal, "a").as_deref(), Some("Again"));
    }
}

#[test]
fn an_odd_row_without_its_line_end_is_left() {
    let (_folder, path) = place_for_one();
    let whole = String::from_utf8(format::write(&answered("a", "Yes")).unwrap()).unwrap();
    let odd = whole.replace("\"attempts\":1", "\"attempts\":-1");
    fs::write(&path, odd.trim_end()).unwrap();
    let journal = open_journal(&path);
    journal.append(&answered("b", "No")).unwrap();
    drop(journal);
    assert!(fs::read_to_string(&path).unwrap().starts_with(&odd));
}
