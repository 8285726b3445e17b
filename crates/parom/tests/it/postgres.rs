//! Databases of a PostgreSQL that the tests started for themselves (`scripts/postgres`).

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio_postgres::{Client, NoTls};

/// Where the server is, if this run of the tests keeps its orders in one.
pub(crate) fn server() -> Option<String> {
    std::env::var("PAROM_TEST_STORE").ok().filter(|address| address.starts_with("postgres://"))
}

/// A database of one test's own.
pub(crate) struct Database {
    server: String,
    name: String,
}

impl Database {
    pub(crate) async fn create(server: &str) -> Database {
        // Each test is a process of its own, which may begin more worlds than one.
        static WORLDS: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}_{}", std::process::id(), WORLDS.fetch_add(1, Ordering::Relaxed));
        let admin = connect(&format!("{server}/postgres")).await;
        admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
        admin.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        Database { server: server.to_owned(), name }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its address, as a configuration names it.
    pub(crate) fn url(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }
}

impl Database {
    /// Runs a statement; how many rows it changed.
    pub(crate) fn alter(&self, sql: &str) -> Result<usize, String> {
        let (url, sql) = (self.url(), sql.to_owned());
        let changed = apart(async move {
            let client = connect(&url).await;
            let changed = client.execute(&sql, &[]).await?;
            client.batch_execute("NOTIFY parom, 'test *'").await.map(|()| changed)
        });
        changed.map(|rows| usize::try_from(rows).unwrap()).map_err(|error| error.to_string())
    }

    /// One number out of it.
    pub(crate) fn number(&self, sql: &str) -> usize {
        let (url, sql) = (self.url(), sql.to_owned());
        let found = apart(async move { connect(&url).await.query_one(&sql, &[]).await.unwrap().get::<_, i64>(0) });
        usize::try_from(found).unwrap()
    }

    /// Holds up whatever reads or writes orders, from now on and for so long.
    pub(crate) fn hold_up(&self, time: Duration) {
        let (url, (tell, held)) = (self.url(), std::sync::mpsc::channel());
        let hold = async move {
            let client = connect(&url).await;
            client.batch_execute("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").await.unwrap();
            tell.send(()).unwrap();
            tokio::time::sleep(time).await;
            client.batch_execute("ROLLBACK").await.unwrap();
        };
        std::thread::spawn(|| {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(hold);
        });
        held.recv().unwrap();
    }

    /// Copies every table into a SQLite file, as it stands at one moment: the checker reads one kind of file.
    pub(crate) fn copy(&self, file: &Path) {
        let url = self.url();
        let tables = apart(async move { tables(&url).await });
        let fresh = file.with_extension("fresh");
        let _ = std::fs::remove_file(&fresh);
        let copy = rusqlite::Connection::open(&fresh).unwrap();
        copy.execute_batch("PRAGMA synchronous = off; BEGIN").unwrap();
        for table in tables {
            let columns: Vec<String> = table.columns.iter().map(|(name, kind)| format!("\"{name}\" {kind}")).collect();
            copy.execute(&format!("CREATE TABLE {} ({})", table.name, columns.join(", ")), []).unwrap();
            let places = vec!["?"; columns.len()].join(", ");
            let mut insert = copy.prepare(&format!("INSERT INTO {} VALUES ({places})", table.name)).unwrap();
            for row in table.rows {
                insert.execute(rusqlite::params_from_iter(row)).unwrap();
            }
        }
        copy.execute_batch("COMMIT").unwrap();
        drop(copy);
        std::fs::rename(fresh, file).unwrap();
    }
}

/// Holds up whatever writes to a SQLite file, from now on and for so long.
pub(crate) fn hold_up_file(file: &Path, time: Duration) {
    let store = rusqlite::Connection::open(file).unwrap();
    store.busy_timeout(Duration::from_secs(5)).unwrap();
    store.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::spawn(move || {
        std::thread::sleep(time);
        store.execute_batch("ROLLBACK").unwrap();
    });
}

/// Runs a statement on a SQLite file; how many rows it changed.
pub(crate) fn alter_file(file: &Path, sql: &str) -> Result<usize, String> {
    let store = rusqlite::Connection::open(file).unwrap();
    store.busy_timeout(Duration::from_secs(5)).unwrap();
    store.execute(sql, []).map_err(|error| error.to_string())
}

struct Table {
    name: String,
    columns: Vec<(String, &'static str)>,
    rows: Vec<Vec<rusqlite::types::Value>>,
}

async fn tables(url: &str) -> Vec<Table> {
    use rusqlite::types::Value;
    let mut client = connect(url).await;
    let all = client.build_transaction().isolation_level(tokio_postgres::IsolationLevel::RepeatableRead);
    let all = all.read_only(true).start().await.unwrap();
    let columns = "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns
                   WHERE table_schema = 'public' ORDER BY table_name, ordinal_position";
    let mut tables: Vec<Table> = Vec::new();
    for column in all.query(columns, &[]).await.unwrap() {
        let (table, name, kind): (String, String, String) = (column.get(0), column.get(1), column.get(2));
        let kind = match kind.as_str() {
            "bigint" => "INTEGER",
            "bytea" => "BLOB",
            _ => "TEXT",
        };
        if tables.last().is_none_or(|last| last.name != table) {
            tables.push(Table { name: table, columns: Vec::new(), rows: Vec::new() });
        }
        tables.last_mut().unwrap().columns.push((name, kind));
    }
    for table in &mut tables {
        let names: Vec<String> = table.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        for row in all.query(&format!("SELECT {} FROM {}", names.join(", "), table.name), &[]).await.unwrap() {
            let value = |at: usize| match table.columns[at].1 {
                "INTEGER" => row.get::<_, Option<i64>>(at).map_or(Value::Null, Value::Integer),
                "BLOB" => row.get::<_, Option<Vec<u8>>>(at).map_or(Value::Null, Value::Blob),
                _ => row.get::<_, Option<String>>(at).map_or(Value::Null, Value::Text),
            };
            table.rows.push((0..table.columns.len()).map(value).collect());
        }
    }
    tables
}

/// Waits for the server on a thread of its own: a test's may serve others.
fn apart<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let thread = std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    });
    thread.join().unwrap()
}

impl Drop for Database {
    fn drop(&mut self) {
        let (admin, sql) = (format!("{}/postgres", self.server), format!("DROP DATABASE {} WITH (FORCE)", self.name));
        let _ = apart(async move { connect(&admin).await.batch_execute(&sql).await });
    }
}

/// A connection of the test's own.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
