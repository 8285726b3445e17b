//! Connections to PostgreSQL: where it is, how they are secured, and what holds on each of them.

use std::path::Path;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};
use secrecy::ExposeSecret;
use tokio::runtime::Handle;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::{OpenError, StoreError};
use super::identity::Identity;
use super::talk::{Talk, innermost, words};
use crate::clock;
use crate::config::Server;

/// How long a verb waits for a connection, a new one included.
const WAIT: Duration = Duration::from_secs(5);
/// How long a start waits for its server. The unit gives up after 20 starts in 200 seconds, which those that wait never make.
const START_MS: u64 = 10_000;

/// A pool of so many connections, none of which is open yet.
pub(super) fn pool(server: &Server, size: usize) -> Result<Pool, OpenError> {
    let config = config(server)?;
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = if is_secured(&config) {
        Manager::from_config(config, MakeRustlsConnect::new(tls(server)?), recycling)
    } else {
        Manager::from_config(config, NoTls, recycling)
    };
    Pool::builder(manager)
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(WAIT))
        .recycle_timeout(Some(WAIT))
        .build()
        .map_err(|error| OpenError(format!("store.url: {error}")))
}

/// A connection, for a thread of its own. A new one is used when its server is known.
pub(super) fn talk(pool: &Pool, runtime: &Handle, identity: &Identity) -> Result<Talk, StoreError> {
    let client = runtime.block_on(pool.get());
    let client = client.map_err(|error| StoreError::Unavailable(unreachable(&identity.at, &error)))?;
    let fresh = Object::metrics(&client).recycle_count == 0;
    let talk = Talk::new(client, runtime.clone());
    match fresh.then(|| identity.meet(&talk)) {
        Some(Err(error)) => {
            talk.drop_connection();
            Err(error)
        }
        _ => Ok(talk),
    }
}

/// Waits for a server that is not there yet, as when machine and server start together: one that refuses who asks is not waited for.
pub(super) fn wait_for(pool: &Pool, runtime: &Handle, at: &str) {
    let began = clock::mono();
    loop {
        let error = match runtime.block_on(pool.get()) {
            // The one that is used must be a new one: that is when its server is looked at.
            Ok(client) => return drop(Object::take(client)),
            Err(error) => error,
        };
        // It starts or stops, or has no connection left.
        let passes = |error: &tokio_postgres::Error| {
            error
                .as_db_error()
                .is_none_or(|told| ["57", "53"].iter().any(|class| told.code().code().starts_with(class)))
        };
        let passes =
            matches!(&error, PoolError::Timeout(_)) || matches!(&error, PoolError::Backend(error) if passes(error));
        if !passes || clock::mono().since(began) >= START_MS {
            return;
        }
        tracing::warn!(why = unreachable(at, &error), "waiting for the store");
        std::thread::sleep(Duration::from_secs(2));
    }
}

/// Why there is no connection, and where to look.
fn unreachable(at: &str, error: &PoolError) -> String {
    let why = match error {
        PoolError::Timeout(_) => format!("it gave no connection in {} seconds", WAIT.as_secs()),
        PoolError::Backend(error) => match error.as_db_error() {
            Some(told) => told.message().to_owned(),
            None => innermost(error),
        },
        other => words(other),
    };
    format!("PostgreSQL at {at} cannot be used: {why}; see whether it runs there, and store.url in parom.toml")
}

/// Where a server is, as its address says.
pub(super) fn place(server: &Server) -> String {
    let Ok(config) = server.url.parse::<Config>() else { return "store.url".into() };
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(at, host)| {
        let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            Host::Unix(folder) => format!("{}, port {port}", folder.display()),
        }
    });
    hosts.collect::<Vec<_>>().join(" or ")
}

/// What the address says, and what we add: a server that is gone is noticed within seconds.
pub(super) fn config(server: &Server) -> Result<Config, OpenError> {
    let mut config: Config = server.url.parse().map_err(|error| OpenError(format!("store.url: {}", words(&error))))?;
    let password = server.password().map_err(|error| OpenError(format!("store.password: {error}")))?;
    if let Some(password) = password {
        config.password(password.expose_secret());
    }
    config.application_name("parom");
    config.connect_timeout(Duration::from_secs(5));
    config.keepalives(true).keepalives_idle(Duration::from_secs(10));
    config.keepalives_interval(Duration::from_secs(5)).keepalives_retries(3);
    config.tcp_user_timeout(Duration::from_secs(15));
    // Of several hosts the one that takes writes: a standby becomes it after a failover.
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    if is_secured(&config) {
        config.ssl_mode(SslMode::Require);
    } else {
        config.ssl_mode(SslMode::Disable);
    }
    Ok(config)
}

/// Beyond sockets and this machine's own addresses, nothing goes in the open.
pub(super) fn is_secured(config: &Config) -> bool {
    let open = |host: &Host| match host {
        Host::Unix(_) => false,
        Host::Tcp(name) => {
            !(name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()))
        }
    };
    config.get_hosts().iter().any(open) || config.get_hostaddrs().iter().any(|address| !address.is_loopback())
}

/// The server's certificate must be of its name and of an authority that is trusted: the one of `root_cert`, or the
/// machine's.
pub(super) fn tls(server: &Server) -> Result<rustls::ClientConfig, OpenError> {
    let builder = rustls::ClientConfig::builder();
    let config = match &server.root_cert {
        Some(path) => builder.with_root_certificates(roots(path)?).with_no_client_auth(),
        None => {
            use rustls_platform_verifier::BuilderVerifierExt;
            let verified = builder.with_platform_verifier();
            verified.map_err(|error| OpenError(format!("store.url: {error}")))?.with_no_client_auth()
        }
    };
    Ok(config)
}

fn roots(path: &Path) -> Result<rustls::RootCertStore, OpenError> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    let wrong = |error: &dyn std::fmt::Display| OpenError(format!("store.root_cert: {}: {error}", path.display()));
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))? {
        roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
    }
    if roots.is_empty() { Err(wrong(&"no certificate is in it")) } else { Ok(roots) }
}
