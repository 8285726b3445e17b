//! A PostgreSQL of one test's own, which it may kill, cut off and replace by its standby.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::world::free_port;

/// A server on this machine's own address.
pub(crate) struct Cluster {
    dir: TempDir,
    pub(crate) port: u16,
    /// The network namespace that it runs in.
    within: Option<String>,
}

impl Cluster {
    /// A new one that runs.
    pub(crate) fn start(settings: &str) -> Cluster {
        let cluster = Cluster::empty();
        let data = cluster.data();
        let made = ["-D", path(&data), "-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust"];
        cluster.run("initdb", &made);
        cluster.configure(settings);
        cluster.up();
        cluster
    }

    /// A new one in a network namespace, for TLS alone at these addresses; and its certificate.
    pub(crate) fn start_within(namespace: &str, addresses: &[String]) -> (Cluster, PathBuf) {
        let mut cluster = Cluster::empty();
        cluster.within = Some(namespace.to_owned());
        let data = cluster.data();
        let made = ["-D", path(&data), "-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust"];
        cluster.run("initdb", &made);
        let (key, certificate) = (data.join("server.key"), data.join("server.crt"));
        let names: Vec<String> = addresses.iter().map(|address| format!("IP:{address}")).collect();
        let names = format!("subjectAltName={}", names.join(","));
        let request = ["req", "-new", "-x509", "-days", "2", "-nodes", "-subj", "/CN=parom", "-addext", &names];
        let request = [&request[..], &["-addext", "basicConstraints=critical,CA:FALSE"]].concat();
        let request = [&request[..], &["-keyout", path(&key), "-out", path(&certificate)]].concat();
        cluster.run("openssl", &request);
        let hba = data.join("pg_hba.conf");
        fs::write(&hba, fs::read_to_string(&hba).unwrap() + "\nhostssl all all 0.0.0.0/0 trust\n").unwrap();
        cluster.configure(&format!("ssl = on\nlisten_addresses = '{}'", addresses.join(",")));
        cluster.up();
        (cluster, certificate)
    }

    /// Its address by its socket, which no namespace hides.
    pub(crate) fn by_socket(&self) -> String {
        let folder = self.folder().display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{folder}:{}", self.port)
    }

    /// A standby of this one, streaming under a name.
    pub(crate) fn standby(&self, name: &str) -> Cluster {
        let standby = Cluster::empty();
        let source = format!("host=127.0.0.1 port={} user=postgres application_name={name}", self.port);
        standby.run("pg_basebackup", &["-D", path(&standby.data()), "-R", "-X", "stream", "-d", &source]);
        standby.configure("synchronous_standby_names = ''");
        standby.up();
        standby
    }

    fn empty() -> Cluster {
        let dir = TempDir::new().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let cluster = Cluster { dir, port: free_port(), within: None };
        fs::create_dir(cluster.folder()).unwrap();
        if rustix::process::getuid().is_root() {
            assert!(Command::new("chown").arg("postgres").arg(cluster.folder()).status().unwrap().success());
        }
        cluster
    }

    fn configure(&self, settings: &str) {
        let file = self.data().join("postgresql.conf");
        let own = format!(
            "\nlisten_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{}'\nshared_buffers = 16MB\n\
             max_connections = 60\n{settings}\n",
            self.port,
            self.folder().display()
        );
        fs::write(&file, fs::read_to_string(&file).unwrap() + &own).unwrap();
    }

    /// Where its socket and its data are.
    pub(crate) fn folder(&self) -> PathBuf {
        self.dir.path().join("server")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// Its address, by this machine's own network.
    pub(crate) fn server(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}", self.port)
    }

    pub(crate) fn up(&self) {
        let log = self.folder().join("log");
        self.run("pg_ctl", &["-D", path(&self.data()), "-l", path(&log), "-w", "start"]);
    }

    /// Ends it as a power cut does: nothing is written any more.
    pub(crate) fn dies(&self) {
        self.run("pg_ctl", &["-D", path(&self.data()), "-m", "immediate", "-w", "stop"]);
    }

    /// Ends it as it should.
    pub(crate) fn stops(&self) {
        self.run("pg_ctl", &["-D", path(&self.data()), "-m", "fast", "-w", "stop"]);
    }

    /// Stops all of its processes where they are; what is sent to it is taken, and not answered.
    pub(crate) fn freezes(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets them go on.
    pub(crate) fn thaws(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        let first = pid.lines().next().unwrap();
        let children = std::fs::read_to_string(format!("/proc/{first}/task/{first}/children")).unwrap();
        for pid in std::iter::once(first).chain(children.split_whitespace()) {
            // One that has just ended is as still.
            let _ = kill_process(Pid::from_raw(pid.parse().unwrap()).unwrap(), signal);
        }
    }

    /// Lets a standby take over.
    pub(crate) fn promote(&self) {
        self.run("pg_ctl", &["-D", path(&self.data()), "-w", "promote"]);
    }

    /// The first column of what it answers.
    pub(crate) fn ask(&self, sql: &str) -> String {
        let port = self.port.to_string();
        let folder = self.folder();
        self.run("psql", &["-h", path(&folder), "-p", &port, "-U", "postgres", "-At", "-c", sql])
    }

    /// Writes one of its databases into a file.
    pub(crate) fn dump(&self, database: &str, file: &Path) {
        self.run(
            "pg_dump",
            &[
                "-h",
                path(&self.folder()),
                "-p",
                &self.port.to_string(),
                "-U",
                "postgres",
                "-Fc",
                "-f",
                path(file),
                database,
            ],
        );
    }

    /// Puts such a file into an empty database.
    pub(crate) fn put_back(&self, database: &str, file: &Path) {
        let port = self.port.to_string();
        let folder = self.folder();
        self.run("pg_restore", &["-h", path(&folder), "-p", &port, "-U", "postgres", "-e", "-d", database, path(file)]);
    }

    /// A copy of its files while it is down.
    pub(crate) fn keep_files(&self) {
        self.run("cp", &["-a", path(&self.data()), path(&self.folder().join("kept"))]);
    }

    /// Puts the copy in their place.
    pub(crate) fn put_files_back(&self) {
        self.run("rm", &["-r", path(&self.data())]);
        self.run("cp", &["-a", path(&self.folder().join("kept")), path(&self.data())]);
    }

    fn run(&self, program: &str, arguments: &[&str]) -> String {
        let own = bin().join(program);
        let program = if own.exists() { own } else { PathBuf::from(program) };
        let mut words: Vec<&str> = Vec::new();
        if let Some(namespace) = &self.within {
            words.extend(["ip", "netns", "exec", namespace]);
        }
        if rustix::process::getuid().is_root() {
            words.extend(["runuser", "-u", "postgres", "--"]);
        }
        words.push(path(&program));
        let mut command = Command::new(words[0]);
        let output = command.args(&words[1..]).args(arguments).current_dir("/").stdin(Stdio::null());
        // A server that is started keeps what it is given: its output must not be a pipe that is waited for.
        let out = self.dir.path().join("out");
        let file = fs::File::create(&out).unwrap();
        let status = output.stdout(file.try_clone().unwrap()).stderr(file).status().unwrap();
        let said = fs::read_to_string(&out).unwrap_or_default();
        assert!(status.success(), "{}: {said}", program.display());
        said.trim().to_owned()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.data().join("postmaster.pid").exists() {
            self.dies();
        }
    }
}

/// Where the newest of the machine's PostgreSQLs has its programs.
fn bin() -> PathBuf {
    let all = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let newest = all.filter(|bin| bin.join("initdb").exists()).max_by_key(|bin| version(bin));
    newest.unwrap_or_else(|| PathBuf::from("/usr/bin"))
}

fn version(bin: &Path) -> u32 {
    let folder = bin.parent().and_then(Path::file_name).unwrap_or_default();
    folder.to_string_lossy().parse().unwrap_or_default()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
