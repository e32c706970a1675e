//! `up` and `down` killed after, and instead of, each of their requests; and a class that comes all at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::learner::{Learner, told};
use crate::support::server::{Cloud, Reply};
use crate::support::{note, poll};

/// Kills a process when it has sent so many requests.
#[derive(Default)]
struct Killer {
    process: AtomicI64,
    /// How many requests are let through.
    left: AtomicI64,
}

impl Killer {
    /// Whether the process is dead.
    fn meets(&self) -> bool {
        match self.left.fetch_sub(1, Ordering::SeqCst) {
            0 => {
                let process = poll(Duration::from_secs(10), || {
                    let id = self.process.load(Ordering::SeqCst);
                    Pid::from_raw(i32::try_from(id).unwrap())
                });
                kill_process(process.unwrap(), Signal::KILL).unwrap();
                true
            }
            left => left < 0,
        }
    }
}

/// Whether the kill came before the end.
fn is_killed(
    learner: &Learner,
    cloud: &Cloud,
    killer: &Killer,
    after: usize,
    arguments: &[&str],
) -> bool {
    killer.process.store(0, Ordering::SeqCst);
    killer
        .left
        .store(i64::try_from(after).unwrap(), Ordering::SeqCst);
    let mut child = learner.begins(cloud, arguments);
    killer
        .process
        .store(i64::from(child.id()), Ordering::SeqCst);
    let status = child.wait().unwrap();
    killer.left.store(i64::MAX, Ordering::SeqCst);
    assert!(status.success() || status.code().is_none(), "{status}");
    !status.success()
}

/// Kills `up` and `down` at their request of this number, and runs each again. Whether either was killed.
fn survives(number: usize, is_done: bool) -> bool {
    let killer = Arc::new(Killer::default());
    killer.left.store(i64::MAX, Ordering::SeqCst);
    let ours = Arc::clone(&killer);
    // A request that was sent may or may not have been done.
    let cloud = match is_done {
        true => Cloud::watched(move |_, _| {
            ours.meets();
        }),
        false => Cloud::with_faults(move |_, _| ours.meets().then(|| Reply::Bytes(Vec::new()))),
    };
    let learner = Learner::new();
    let (up, down) = (["up", "--yes"], ["down", "--yes", "--purge"]);
    let up_was_killed = is_killed(&learner, &cloud, &killer, number, &up);
    learner.succeeds(&cloud, &up);
    assert_eq!(cloud.left().len(), 6, "{number}: {:?}", cloud.left());
    let changes = cloud.changes();
    let made = changes
        .iter()
        .filter(|change| change.starts_with("PUT") || change.ends_with("/clusters/create"));
    if is_done {
        let names: BTreeSet<&String> = made.clone().collect();
        assert_eq!(
            made.count(),
            names.len(),
            "{number}: made twice: {changes:?}"
        );
    }
    let down_was_killed = is_killed(&learner, &cloud, &killer, number, &down);
    let again = learner.types(&cloud, &down);
    assert!(
        again.status.success() || told(&again).contains("there is no ledger"),
        "{}",
        told(&again)
    );
    assert_eq!(cloud.left(), [""; 0], "{number}");
    assert!(!learner.ledger().exists() && !learner.settings().exists());
    up_was_killed || down_was_killed
}

/// As many threads as this machine has cores take the numbers one after another.
fn every_request_simulation(is_done: bool) {
    let next = AtomicUsize::new(0);
    let most = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if !survives(number, is_done) {
                        return;
                    }
                    most.fetch_max(number, Ordering::SeqCst);
                }
            });
        }
    });
    let most = most.load(Ordering::SeqCst);
    assert!(most > 30, "only {most} requests");
    note(&format!("killed at each of {} requests", most + 1));
}

#[test]
fn a_kill_after_any_request_loses_nothing_simulation() {
    every_request_simulation(true);
}

#[test]
fn a_kill_instead_of_any_request_loses_nothing_simulation() {
    every_request_simulation(false);
}

#[test]
fn twenty_of_thirty_learners_have_room_and_ten_are_told_simulation() {
    let cloud = Cloud::start();
    // Four regions with room for five each.
    cloud.change(|cloud| cloud.room = Some(5));
    let learners: Vec<Learner> = (0..30).map(|_| Learner::new()).collect();
    let outputs: Vec<_> = std::thread::scope(|scope| {
        let up = ["up", "--yes", "--without-databricks"];
        let cloud = &cloud;
        let runs: Vec<_> = learners
            .iter()
            .map(|learner| scope.spawn(move || learner.types(cloud, &up)))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let (happy, others): (Vec<_>, Vec<_>) =
        outputs.iter().partition(|output| output.status.success());
    assert_eq!((happy.len(), others.len()), (20, 10));
    for output in others {
        let told = told(output);
        assert!(
            told.contains("are more than is left") && told.contains("hint: ask for fewer"),
            "{told}"
        );
    }
    // A group, an account and a deployment for each of the twenty.
    assert_eq!(cloud.left().len(), 60, "{:#?}", cloud.left());
    let ledgers = learners.iter().filter(|learner| learner.ledger().exists());
    assert_eq!(ledgers.count(), 20);
    for learner in learners.iter().filter(|learner| learner.ledger().exists()) {
        learner.succeeds(&cloud, &["down", "--yes", "--purge"]);
    }
    assert_eq!(cloud.left(), [""; 0]);
}
