//! Runs, seeds and rows, for the tests of this crate and, by path, of the core.

use std::io::Write;

/// Runs of a test: as many as `make test` asks for, more in a soak (`PAROM_SOAK`, a factor).
pub(crate) fn runs(small: usize) -> usize {
    small * usize::try_from(number("PAROM_SOAK").unwrap_or(1).max(1)).unwrap()
}

/// The seed of this run: `PAROM_SEED`, to see a failure again, else of the moment. It is printed when a test fails.
pub(crate) fn seed() -> u64 {
    let moment = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seed = number("PAROM_SEED").unwrap_or(u64::try_from(moment.as_micros()).unwrap());
    println!("PAROM_SEED={seed}");
    seed
}

/// Numbers that follow from a seed alone (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}

/// Adds a row to the table: the plan's number, what was done, how often, from which seed, and what came of it.
pub(crate) fn row(plan: &str, what: &str, runs: usize, seed: Option<u64>, figures: &str) {
    let seed = seed.map_or_else(|| "-".to_owned(), |seed| seed.to_string());
    let line = format!("{plan}\t{what}\t{runs}\t{seed}\t{figures}\n");
    print!("{line}");
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("proof.tsv");
    // One write a line: the tests of several processes append to the same file.
    let file = std::fs::File::options().create(true).append(true).open(path);
    file.unwrap().write_all(line.as_bytes()).unwrap();
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
