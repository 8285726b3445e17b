//! nginx and php-fpm with a script in the vendor's style, as shops run it; where they are installed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// It answers before it knows anything, as the published one does; so it is no durable intake, and a fast CRM flatters it.
const SCRIPT: &str = include_str!("../../../parom-core/tests/php-scripts/01-vendor-style/script.php");

pub(crate) struct Php {
    children: Vec<Child>,
    pub(crate) port: u16,
}

impl Php {
    /// Starts both; none where one is missing.
    pub(crate) fn start(dir: &Path, crm: u16) -> Option<Php> {
        let nginx = ["/usr/sbin/nginx", "/usr/bin/nginx"].into_iter().find(|path| Path::new(path).exists())?;
        let fpm = fpm()?;
        let dir = dir.join("php");
        std::fs::create_dir_all(&dir).unwrap();
        let script = SCRIPT.replace("https://openapi.keycrm.app", &format!("http://127.0.0.1:{crm}"));
        std::fs::write(dir.join("order.php"), script).unwrap();
        let port = crate::servers::free_port();
        let shown = dir.display();
        let pool = format!(
            "[global]\nerror_log = {shown}/fpm.log\ndaemonize = no\n[shop]\nlisten = {shown}/fpm.sock\nlisten.mode = 0666\n\
             user = www-data\ngroup = www-data\npm = static\npm.max_children = 16\n"
        );
        std::fs::write(dir.join("fpm.conf"), pool).unwrap();
        let site = format!(
            "daemon off;\nworker_processes 2;\npid {shown}/nginx.pid;\nerror_log {shown}/nginx.log;\nevents {{ worker_connections 1024; }}\n\
             http {{ access_log off; client_body_temp_path {shown}/body; fastcgi_temp_path {shown}/fastcgi; proxy_temp_path {shown}/proxy;\n\
             uwsgi_temp_path {shown}/uwsgi; scgi_temp_path {shown}/scgi; keepalive_requests 1000000;\n\
             server {{ listen 127.0.0.1:{port}; location / {{ include /etc/nginx/fastcgi_params;\n\
             fastcgi_param SCRIPT_FILENAME {shown}/order.php; fastcgi_pass unix:{shown}/fpm.sock; }} }} }}\n"
        );
        std::fs::write(dir.join("nginx.conf"), site).unwrap();
        let quiet = |mut command: Command| command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut first = Command::new(fpm);
        first.args(["--fpm-config", dir.join("fpm.conf").to_str().unwrap()]);
        let mut second = Command::new(nginx);
        second.args(["-c", dir.join("nginx.conf").to_str().unwrap()]);
        let children = vec![quiet(first), quiet(second)];
        std::thread::sleep(Duration::from_secs(1));
        Some(Php { children, port })
    }
}

fn fpm() -> Option<PathBuf> {
    let programs = std::fs::read_dir("/usr/sbin").ok()?.flatten().map(|file| file.path());
    programs.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("php-fpm"))).max()
}

impl Drop for Php {
    fn drop(&mut self) {
        for child in &mut self.children {
            // SIGTERM, so that each ends its workers.
            if let Some(pid) = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap_or_default()) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            }
            let _ = child.wait();
        }
    }
}
