//! Replays the corpus of a fuzz target and mutates it at random. This is a short substitute, on
//! stable Rust, for the coverage-guided runs of `crate/fuzz`.

use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Runs the target on each file of its corpus unchanged, and then on mutations of the files.
pub(crate) fn replay(target: &str, run: impl Fn(&[u8])) {
    let seeds = seeds(target);
    for seed in &seeds {
        run(seed);
    }
    let mut runner = TestRunner::new(Config::default());
    let found = runner.run(&mutated(seeds), |bytes| {
        run(&bytes);
        Ok(())
    });
    if let Err(found) = found {
        panic!("{found}");
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = folder.ancestors().find_map(|folder| {
        let corpus = folder.join("fuzz/corpus").join(target);
        corpus.is_dir().then_some(corpus)
    });
    let folder = folder.unwrap_or_else(|| panic!("{target} has no corpus"));
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "the corpus of {target} is empty");
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// A seed with parts replaced, repeated, removed, or combined with those of another one.
fn mutated(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let seed = prop::sample::select(seeds);
    let odd = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..9),
        any::<char>().prop_map(|c| c.to_string().into_bytes()),
        prop::sample::select(vec![
            b"\\u0000".to_vec(),
            b"\\ud83d".to_vec(),
            b"\"".to_vec(),
            b"\\".to_vec(),
            b"[[[[".to_vec(),
            b"null".to_vec(),
            b"-1".to_vec(),
            b"1e999".to_vec(),
            b"18446744073709551616".to_vec(),
            b"\n".to_vec(),
            b"'".to_vec(),
            b"r#\"".to_vec(),
            vec![0xff, 0xfe],
            vec![0x1b, b'['],
            vec![2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ]),
    ];
    let change = (any::<prop::sample::Index>(), 0_usize..12, odd, 1_usize..4);
    let changes = prop::collection::vec(change, 0..6);
    (seed.clone(), seed, changes, any::<prop::sample::Index>()).prop_map(
        |(mut bytes, other, changes, cut)| {
            if cut.index(4) == 0 {
                bytes.truncate(cut.index(bytes.len() + 1));
                bytes
                    .extend_from_slice(other.get(cut.index(other.len() + 1)..).unwrap_or_default());
            }
            for (at, length, odd, times) in changes {
                let start = at.index(bytes.len() + 1);
                let end = (start + length).min(bytes.len());
                bytes.splice(start..end, odd.repeat(times));
            }
            bytes
        },
    )
}
