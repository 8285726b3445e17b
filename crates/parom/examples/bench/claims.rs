//! How long it takes to claim an order, beside so many that are settled: it must not depend on them.

use std::path::Path;
use std::time::Instant;

use parom_gateway::store::{Role, Store};

use crate::load;
use crate::pages;
use crate::plot;
use crate::servers::{Server, Setup};

const SIZES: [i64; 3] = [1_000, 100_000, 1_000_000];
const CLAIMS: usize = 300;

/// Prints a row for each size: medians, milliseconds, of a committed claim.
pub(crate) async fn measure(dir: &Path, postgres: Option<&str>) {
    let (mut files, mut servers) = (Vec::new(), Vec::new());
    for size in SIZES {
        let name = format!("claims-{size}");
        let setup = Setup::new(dir, &name, "http://127.0.0.1:9/v1");
        drop(Server::of(&setup));
        pages::fill(&dir.join(format!("{name}.db")), size);
        files.push((size as f64, claims(&setup, dir).await));
        if let Some(server) = postgres {
            let url = crate::servers::database(server, &name).await;
            let setup = Setup { url, ..Setup::new(dir, &format!("pg-{name}"), "http://127.0.0.1:9/v1") };
            drop(Server::of(&setup));
            fill(&setup.url, size).await;
            servers.push((size as f64, claims(&setup, dir).await));
        }
    }
    let series = [("SQLite".to_owned(), files), ("PostgreSQL".to_owned(), servers)];
    for (name, points) in &series {
        for (size, took) in points {
            println!("| a committed claim beside {size} settled orders, {name}, ms | {took:.2} | | flat |");
        }
    }
    let (title, number) = ("A committed claim, beside settled orders", "orders stored");
    plot::write("docs/bench/claims.svg".as_ref(), title, number, "ms, median", &series);
}

async fn claims(setup: &Setup, dir: &Path) -> f64 {
    let gateway = Server::of(setup);
    for number in 0..CLAIMS {
        load::one(gateway.port, "/in/shop", number).await;
    }
    drop(gateway);
    let config = parom_gateway::config::load(&dir.join(format!("{}.toml", setup.name))).unwrap();
    let settings = config.store.clone();
    let store = tokio::task::spawn_blocking(move || Store::open(&settings, Role::Serve)).await.unwrap().unwrap();
    store.beat(vec!["main".into()], Vec::new()).await.unwrap();
    let lease = loop {
        // The server's node is gone as soon as its session is.
        if let Some(lease) = store.take_lease("main", 0).await.unwrap() {
            break lease;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    };
    let mut took = Vec::new();
    for _ in 0..CLAIMS - 10 {
        let began = Instant::now();
        if store.claim("main", lease.epoch, 0, 0).await.unwrap().is_none() {
            break;
        }
        took.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    took.sort_by(f64::total_cmp);
    took[took.len() / 2]
}

/// The same year of orders as in a file.
async fn fill(url: &str, orders: i64) {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let now = "(extract(epoch FROM now()) * 1000)::bigint";
    for sql in [
        format!("INSERT INTO submissions SELECT i, 'shop', {now} - ({orders} - i) * 31536::bigint, 'in', 'application/x-www-form-urlencoded', '{{}}',
           'name=Buyer&phone=067&product=Mug&price=250'::bytea FROM generate_series(1, {orders}) i"),
        format!("INSERT INTO orders (seq, id, channel, channel_version, account, state, source_id, number, owns_number, body, problems,
                   content, received_at, updated_at, due_at, attempts, crm_order_id, buyer, phone, email)
         SELECT i, 'id-' || i, 'shop', 1, 'main', CASE WHEN i % 1000 = 0 THEN 'held' ELSE 'delivered' END, 22, 'P-' || i, 1,
                '{{\"source_id\":22}}', '[]', decode(md5(i::text), 'hex'), {now} - ({orders} - i) * 31536::bigint, {now} - ({orders} - i) * 31536::bigint, 0, 1,
                CASE WHEN i % 1000 = 0 THEN NULL ELSE i END, 'Buyer ' || i, '+380' || (670000000 + i), 'b' || i || '@example.ua'
         FROM generate_series(1, {orders}) i"),
        format!("INSERT INTO order_events (seq, at, state, actor, note) SELECT i, 0, 'delivered', 'intake', '' FROM generate_series(1, {orders}) i"),
        format!("SELECT setval(pg_get_serial_sequence('orders', 'seq'), {orders} + 1)"),
        "ANALYZE".into(),
    ] {
        client.batch_execute(&sql).await.unwrap();
    }
}
