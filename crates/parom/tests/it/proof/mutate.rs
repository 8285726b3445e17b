//! Inputs of the fuzz tests: the samples of `fuzz/corpus`, and what flips, cuts, repeats and splices make of them. Most of a
//! sample stays, so that inputs reach deep.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use super::rows;

/// What parsers trip over.
const TOKENS: [&[u8]; 28] = [
    b"{{",
    b"}}",
    b"{%",
    b"[",
    b"]",
    b"{",
    b"}",
    b"\"",
    b"'",
    b"\\",
    b"\0",
    b"\r\n",
    b"\n",
    b",",
    b":",
    b"=",
    b"&",
    b"%00",
    b"\xff\xfe",
    b"\xd0",
    b"9223372036854775808",
    b"-1",
    b"1e999",
    b"0.0000000001",
    b"--b\r\n",
    b"<",
    b" | ",
    b"null",
];

/// A target's time in one run.
const SECONDS: usize = 5;
/// No input may take longer.
const SLOW: Duration = Duration::from_secs(1);
/// Nor may all of them together grow the process by more, bytes.
const MEMORY: u64 = 256 << 20;

/// One change of an input.
#[derive(Clone, Debug)]
struct Edit {
    kind: u8,
    at: Index,
    length: u16,
    other: Index,
    byte: u8,
}

fn edit() -> impl Strategy<Value = Edit> {
    let length = prop_oneof![3 => 0_u16..8, 2 => 0_u16..64, 1 => 0_u16..2_000];
    (0_u8..9, any::<Index>(), length, any::<Index>(), any::<u8>()).prop_map(|(kind, at, length, other, byte)| Edit {
        kind,
        at,
        length,
        other,
        byte,
    })
}

/// An input after a change.
fn edited(mut input: Vec<u8>, edit: &Edit, corpus: &[Vec<u8>]) -> Vec<u8> {
    let at = edit.at.index(input.len() + 1);
    let end = (at + usize::from(edit.length)).min(input.len());
    match edit.kind {
        0 if at < input.len() => input[at] ^= 1 << (edit.byte % 8),
        1 if at < input.len() => input[at] = edit.byte,
        2 => drop(input.drain(at..end)),
        3 => input.truncate(at),
        4 => {
            let piece = input[at..end].repeat(1 + usize::from(edit.byte % 16));
            input.splice(at..at, piece);
        }
        5 => {
            // Its start, and another's end.
            let other = &corpus[edit.other.index(corpus.len())];
            input.truncate(at);
            input.extend_from_slice(&other[edit.at.index(other.len() + 1)..]);
        }
        6 => {
            let other = &corpus[edit.other.index(corpus.len())];
            let from = edit.other.index(other.len() + 1);
            let piece = other[from..(from + usize::from(edit.length)).min(other.len())].to_vec();
            input.splice(at..end, piece);
        }
        _ => {
            let token = edit.other.get(&TOKENS);
            let times = if edit.byte > 250 { usize::from(edit.length) } else { 1 };
            input.splice(at..at, token.repeat(times));
        }
    }
    input.truncate(1 << 20);
    input
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let corpus: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    assert!(!corpus.is_empty(), "{name} has no samples");
    corpus
}

/// The most memory that this process has had, bytes.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() * 1_024
}

/// The time of one input; a busy machine may take it from one run, not from three.
fn time(target: fn(&[u8]), input: &[u8]) -> Duration {
    let once = || {
        let begun = Instant::now();
        target(input);
        begun.elapsed()
    };
    let first = once();
    if first < SLOW { first } else { first.min(once()).min(once()) }
}

/// Runs a target over its samples and over what becomes of them, for some seconds: nothing panics, nothing takes long.
pub(crate) fn fuzz(name: &str, target: fn(&[u8])) {
    let (corpus, seed, before) = (corpus(name), rows::seed(), memory());
    let slowest = RefCell::new((Duration::ZERO, Vec::new()));
    let count = Cell::new(0_usize);
    let run = |input: &[u8]| {
        let taken = time(target, input);
        count.set(count.get() + 1);
        if taken > slowest.borrow().0 {
            *slowest.borrow_mut() = (taken, input.to_vec());
        }
        taken
    };
    for sample in &corpus {
        run(sample);
    }
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases: 64, failure_persistence: None, max_shrink_time: 5_000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config.clone(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let strategy = (any::<Index>(), prop::collection::vec(edit(), 1..8));
    let input = |(base, edits): &(Index, Vec<Edit>)| {
        edits.iter().fold(base.get(&corpus).clone(), |input, edit| edited(input, edit, &corpus))
    };
    let begun = Instant::now();
    let seconds = u64::try_from(rows::runs(SECONDS)).unwrap();
    while begun.elapsed() < Duration::from_secs(seconds) {
        // A runner is good for one round.
        let rng = runner.new_rng();
        runner = TestRunner::new_with_rng(config.clone(), rng);
        let found = runner.run(&strategy, |case| {
            let taken = run(&input(&case));
            prop_assert!(taken < SLOW, "it took {taken:?}");
            Ok(())
        });
        if let Err(TestError::Fail(why, case)) = found {
            panic!("{name}, seed {seed}: {why}\n\"{}\"", input(&case).escape_ascii());
        }
    }
    let (time, input) = slowest.into_inner();
    let grown = memory().saturating_sub(before);
    println!("slowest: \"{}\"", input.get(..input.len().min(400)).unwrap_or_default().escape_ascii());
    let figures = format!("0 panics, slowest {} ms, +{} MiB", time.as_millis(), grown >> 20);
    rows::row("T26", &format!("fuzz: {name}"), count.get(), Some(seed), &figures);
    assert!(grown < MEMORY, "{figures}");
}
