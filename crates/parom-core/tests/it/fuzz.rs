//! The fuzz targets of the core, as tests: over samples and what mutation makes of them, for some seconds each.
#![expect(clippy::disallowed_methods, reason = "a test measures how long the real thing takes")]

#[path = "../../../parom/tests/it/proof/mutate.rs"]
mod mutate;
#[path = "../../../../fuzz/src/of_core.rs"]
mod targets;

use crate::dice as rows;

macro_rules! targets {
    ($($name:ident),*) => {
        $(#[test] fn $name() {
            let (name, target) = targets::TARGETS.iter().find(|(name, _)| *name == stringify!($name)).unwrap();
            mutate::fuzz(name, *target);
        })*

        #[test]
        fn every_target_is_a_test() {
            let names: Vec<&str> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

targets!(urlencoded, json, preset, expression, signature, crm, channel, php, form_time, branch);
