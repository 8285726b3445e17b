//! T10: the time of day jumps while orders wait, are being sent and are doubtful, and while the gateway is away.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use keycrm_sandbox::{Fault, FaultKind, FaultOn};

use super::super::world::{NO_CRM, SHOP, Settings, World, form};
use super::acks::Acks;
use super::{checker, rows, shop};

/// The checker compares what was sent with what is kept: nothing is erased in these years.
const KEPT: &str = "[retention]\ndelivered = \"off\"\ncanceled = \"off\"";

const SECOND: i64 = 1_000;
const DAY: i64 = 86_400 * SECOND;
const QUIET_MS: u64 = 1_500;
const GAP_MS: u64 = 150;

macro_rules! jumps {
    ($($name:ident: $millis:expr;)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            jump($millis).await;
        })*
    };
}

jumps! {
    t10_a_second_forward: SECOND;
    t10_a_second_back: -SECOND;
    t10_an_hour_forward: 3_600 * SECOND;
    t10_an_hour_back: -3_600 * SECOND;
    t10_a_day_forward: DAY;
    t10_a_day_back: -DAY;
    t10_ten_years_forward: 3_650 * DAY;
    t10_ten_years_back: -3_650 * DAY;
}

/// A world whose gateway reads the time of day with an offset, from a file.
struct Jumping {
    world: World,
    file: PathBuf,
    acks: Acks,
}

impl Jumping {
    async fn new(settings: Settings) -> Jumping {
        let world = World::idle(settings).await;
        world.channel("shop", SHOP);
        let file = world.dir.path().join("offset");
        let jumping = Jumping { world, file, acks: Acks::new() };
        jumping.offset(0);
        jumping
    }

    fn offset(&self, millis: i64) {
        let new = self.file.with_extension("new");
        fs::write(&new, millis.to_string()).unwrap();
        fs::rename(new, &self.file).unwrap();
    }

    fn serve(&mut self) {
        let file = self.file.to_str().unwrap().to_owned();
        self.world.serve(&[("PAROM_CLOCK_FILE", &file)]);
    }

    async fn order(&self, key: &str) {
        assert!(shop::ordered(&self.world.http, &self.world.url("/in/shop"), key, &form(key), &self.acks).await);
    }

    async fn settled(&self) {
        self.world.until("all are settled", || self.world.is_settled()).await;
    }

    async fn doubtful(&self) {
        // On a busy machine it may be found before it is seen to be doubtful.
        let seen = || self.world.count(&["unconfirmed"]) == 1 || self.world.is_settled();
        self.world.until("it is doubtful", seen).await;
    }
}

async fn jump(millis: i64) {
    let mut jumping =
        Jumping::new(Settings { quiet: "1500ms", gap: "150ms", delivery: KEPT, ..Settings::default() }).await;
    jumping.serve();
    jumping.order("control").await;
    jumping.settled().await;
    // While it is being sent.
    jumping.world.crm.add_fault(Fault::once(FaultOn::Post, FaultKind::SlowBefore { ms: 400 }));
    jumping.order("sent").await;
    jumping.world.until("the CRM has it", || jumping.world.crm_posts() == 2).await;
    jumping.offset(millis);
    jumping.settled().await;
    jumping.offset(0);
    // While it is doubtful, and in truth not there: the quiet period is no shorter.
    jumping.world.crm.add_fault(Fault::once(FaultOn::Post, FaultKind::DropBefore));
    jumping.order("absent").await;
    jumping.doubtful().await;
    jumping.offset(millis);
    jumping.settled().await;
    jumping.offset(0);
    let posts = jumping.world.posted();
    assert_eq!(posts.len(), 4);
    let quiet = posts[3].at_ms - posts[2].at_ms;
    assert!(quiet >= QUIET_MS + GAP_MS, "the quiet period was {quiet} ms");
    // While it is doubtful, and comes late.
    jumping.world.crm.add_fault(Fault::once(FaultOn::Post, FaultKind::DropAndLateCommit { ms: 500 }));
    jumping.order("late").await;
    jumping.doubtful().await;
    jumping.offset(millis);
    jumping.settled().await;
    jumping.offset(0);
    // While it is doubtful and the gateway is away.
    jumping.world.crm.add_fault(Fault::once(FaultOn::Post, FaultKind::CommitThenDrop));
    jumping.order("away").await;
    jumping.doubtful().await;
    jumping.world.kill();
    jumping.offset(millis);
    jumping.serve();
    jumping.settled().await;
    jumping.world.stop();
    // While it waits.
    jumping.offset(0);
    jumping.world.configure(NO_CRM);
    jumping.serve();
    jumping.order("waits").await;
    jumping.offset(millis);
    jumping.world.stop();
    jumping.world.configure(&jumping.world.crm.api_url());
    jumping.serve();
    jumping.settled().await;
    let report = checker::check(&jumping.world, &jumping.acks).sound(&jumping.world);
    assert_eq!(report.states.get("delivered"), Some(&6), "{:?}", report.states);
    assert_eq!(jumping.world.crm_posts(), 7, "one was sent again: the one that was not there");
    rows::row("T10", "clock jumps: sent, doubtful, away, waiting", 5, None, "0 lost, 0 twice, quiet period kept");
}

/// What the last minute had is known after a restart, wherever the time of day is by then.
#[tokio::test(flavor = "multi_thread")]
async fn t10_a_jump_between_two_runs_does_not_empty_the_rate_ledger() {
    let mut jumping = Jumping::new(Settings { limit: 30, delivery: KEPT, ..Settings::default() }).await;
    jumping.serve();
    for number in 0..40 {
        jumping.order(&format!("r{number}")).await;
    }
    let world = &jumping.world;
    world.until("the minute is used up", || world.crm.ledger().len() >= 30).await;
    let jumps = [3_600 * SECOND, -3_600 * SECOND, DAY, 3_650 * DAY, -3_650 * DAY];
    for millis in jumps {
        jumping.world.kill();
        jumping.offset(millis);
        jumping.serve();
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        checker::check(&jumping.world, &jumping.acks).sound(&jumping.world);
    }
    rows::row("T10", "clock jumps between two runs: the limit", jumps.len(), None, "never above the limit");
}
