use super::super::limits::Limits;
use super::*;
use proptest::prelude::*;

/// A folder that is deleted after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("evenhand-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const NOW: Duration = Duration::from_secs(120);

fn state() -> State {
    let limits = Limits {
        tokens: Some(5_000),
        requests: Some(30),
    };
    State::new(limits, true)
}

/// How many of this many requests may be sent at once.
fn passed(shared_state: &SharedState, state: &mut State, asked: usize) -> usize {
    let mut go = 0;
    for _ in 0..asked {
        let verdict = loop {
            if let Some(verdict) = shared_state.decide(state, NOW, Cost::default()).unwrap() {
                break verdict;
            }
        };
        go += usize::from(matches!(verdict, Decision::Go(_)));
    }
    go
}

#[test]
fn processes_keep_to_a_quota_together() {
    let folder = Folder::new("shared-state-together");
    let passed: usize = std::thread::scope(|scope| {
        let process = || {
            let shared_state = SharedState::open(&folder.0, "host", "gpt").unwrap();
            passed(&shared_state, &mut state(), 10)
        };
        let processes: Vec<_> = (0..8).map(|_| scope.spawn(process)).collect();
        processes
            .into_iter()
            .map(|process| process.join().unwrap())
            .sum()
    });
    assert_eq!(passed, 5, "in ten seconds");
}

#[test]
fn deployments_have_files_of_their_own_in_a_folder() {
    let folder = Folder::new("shared-state-folder");
    for (host, deployment) in [("host", "a/../b"), ("host", "b"), ("host:1", "b")] {
        let shared_state = SharedState::open(&folder.0, host, deployment).unwrap();
        let kernels = (0..10).map(|_| passed(&shared_state, &mut state(), 1));
        assert_eq!(kernels.sum::<usize>(), 5);
    }
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 3);
}

#[test]
fn a_wait_that_the_service_asked_for_is_everyones() {
    let folder = Folder::new("shared-state-wait");
    let shared_state = SharedState::open(&folder.0.join("quota"), "host", "gpt").unwrap();
    let mut refused = state();
    let Some(Decision::Go(charge)) = shared_state
        .decide(&mut refused, NOW, Cost::default())
        .unwrap()
    else {
        panic!("the first request goes");
    };
    let rate_limits = crate::openai::RateLimits {
        retry_after: Some(Duration::from_secs(9)),
        ..Default::default()
    };
    refused.refused(NOW, charge, &rate_limits);
    assert_eq!(passed(&shared_state, &mut refused, 1), 0);
    assert_eq!(passed(&shared_state, &mut state(), 1), 0);
}

#[test]
fn another_file_is_left_as_it_is() {
    let folder = Folder::new("shared-state-other");
    let path = folder.0.join("notes.txt");
    std::fs::write(&path, "my notes").unwrap();
    let error = SharedState::open(&path, "host", "gpt").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "my notes");
    #[cfg(unix)]
    {
        let link = folder.0.join("link");
        std::os::unix::fs::symlink(folder.0.join("quota"), &link).unwrap();
        assert!(SharedState::open(&link, "host", "gpt").is_err());
    }
    let nowhere = folder.0.join("no/such/folder");
    let error = SharedState::open(&nowhere, "host", "gpt").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
}

#[cfg(unix)]
#[test]
fn everyone_may_write_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new("shared-state-mode");
    let path = folder.0.join("quota");
    SharedState::open(&path, "host", "gpt").unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o666);
}

#[test]
fn what_is_torn_is_dropped_and_the_rest_counts() {
    let line = |at, requests, tokens| Line {
        at,
        requests,
        tokens,
    };
    let page = |text: &str| Page::parse(&format!("{TITLE}{text}")).unwrap();
    assert_eq!(
        page("closed 7\n5 1 9\n6 1"),
        Page {
            closed_until: 7,
            lines: vec![line(5, 1, 9)]
        }
    );
    assert_eq!(
        page("x\n5 1 9\n-1 2 3\n\n6 1 8\n").lines,
        [line(5, 1, 9), line(6, 1, 8)]
    );
    assert_eq!(Page::parse("evenhand quo"), Some(Page::default()));
    assert_eq!(Page::parse("evenhand ledger"), None);
}

#[test]
fn a_clock_that_was_set_back_stops_nobody() {
    let mut page = Page {
        closed_until: u64::MAX,
        lines: vec![Line {
            at: 10_000_000,
            requests: 30,
            tokens: 5_000,
        }],
    };
    page.forget(1_000_000);
    assert_eq!(page, Page::default());
}

proptest! {
    #[test]
    fn any_text_is_read(text in any::<String>(), wall in any::<u64>()) {
        let page = Page::parse(&format!("{TITLE}{text}"));
        prop_assert!(page.is_some());
        let mut page = page.unwrap_or_default();
        page.forget(wall);
        page.add(wall, 1);
        page.shared(wall, Duration::ZERO);
        let again = Page::parse(&page.text());
        prop_assert_eq!(again, Some(page));
        let _ = Page::parse(&text);
    }
}
