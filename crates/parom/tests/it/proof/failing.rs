//! T8: a disk that fails. The n-th call of a kind gives an I/O error, for many n: the process ends, and what it had not
//! acknowledged is repeated with its key.

use std::process::Command;
use std::time::{Duration, Instant};

use super::super::world::{SHOP, Settings, World, form};
use super::acks::Acks;
use super::{checker, disks, rows, shop};

/// Orders sent before the disk counts as not felt.
const ORDERS: usize = 120;
/// Two seconds are promised; a busy machine gets more.
const ENDS_WITHIN: Duration = Duration::from_secs(10);

macro_rules! calls {
    ($($name:ident: $call:literal, $of:literal, $cases:literal, $step:literal;)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            fail($call, $of, rows::runs($cases), $step).await;
        })*
    };
}

// The file itself is written and flushed only when the log is written back: what SQLite does by itself there swallows its
// errors, what we do must not.
calls! {
    t8_flushes_that_fail_end_the_process_and_lose_nothing: "fsync", "the store", 20, 3;
    t8_writes_that_fail_end_the_process_and_lose_nothing: "pwrite64", "the store", 20, 23;
    t8_a_length_that_fails_ends_the_process_and_loses_nothing: "ftruncate", "the store", 2, 0;
    t8_a_log_that_cannot_be_flushed_back_ends_the_process: "fsync", "parom.db", 4, 1;
    t8_a_log_that_cannot_be_written_back_ends_the_process: "pwrite64", "parom.db", 6, 9;
}

async fn fail(call: &str, of: &str, cases: usize, step: usize) {
    let what = format!("disk fails: n-th {call} of {of}");
    if !Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success()) {
        return disks::skipped("T8", &what, "strace");
    }
    let mut world = World::of_file(Settings { quiet: "200ms", gap: "60ms", ..Settings::default() }).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    world.kill();
    let acks = Acks::new();
    let file = world.db().to_str().unwrap().to_owned();
    let mut slowest = Duration::ZERO;
    for case in 0..cases {
        // From the calls of the start to those of the log's writing back.
        let (trace, inject) = (format!("trace={call}"), format!("inject={call}:error=EIO:when={}", 1 + case * step));
        let mut strace = vec!["strace", "-D", "-f", "-q", "-o", "/dev/null", "-e", &trace, "-e", &inject];
        if of == "parom.db" {
            strace.extend(["-P", &file]);
        }
        world.serve_below(&strace, &[("PAROM_CHECKPOINT_PAGES", "60")]);
        let mut refused = Vec::new();
        for number in 0..ORDERS {
            let key = format!("{call}-{case}-{number}");
            if !shop::ordered(&world.http, &world.url("/in/shop"), &key, &form(&key), &acks).await {
                refused.push(key);
                break;
            }
        }
        assert!(!refused.is_empty(), "{inject}: {ORDERS} orders were taken, and the failure was not noticed");
        let began = Instant::now();
        assert_eq!(world.died().await, Some(2), "{inject}:\n{}", world.log());
        slowest = slowest.max(began.elapsed());
        world.serve(&[]);
        let lost = checker::lost(&world.db(), &acks);
        assert!(lost.is_empty(), "{inject}: acknowledged and lost: {lost:?}\n{}", world.log());
        for key in refused {
            let url = world.url("/in/shop");
            assert!(shop::ordered(&world.http, &url, &key, &form(&key), &acks).await, "{}", world.log());
        }
        world.kill();
    }
    assert!(slowest < ENDS_WITHIN, "it went on for {slowest:?}");
    world.serve(&[]);
    world.until("all are settled", || world.is_settled()).await;
    let report = checker::check(&world, &acks).sound(&world);
    assert_eq!((report.orders, report.states.get("delivered")), (report.acked, Some(&report.acked)));
    assert_eq!(checker::integrity(&world.db()), "ok");
    world.stop();
    rows::row("T8", &what, cases, None, &format!("{}; ends within {} ms", report.figures(), slowest.as_millis()));
}
