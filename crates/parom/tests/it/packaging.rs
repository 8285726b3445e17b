//! What is handed out beside the binary: the systemd unit, and the documents that name tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::proof::rows;
use super::world::{World, form};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn ran(arguments: &[&str]) -> Option<(bool, String)> {
    let output = Command::new("systemd-analyze").args(arguments).env("SYSTEMD_COLORS", "0").output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

/// Where systemd is not installed (`scripts/install-tools` does it for `make test`) only the unit's words are looked at.
#[test]
fn the_unit_is_hardened() {
    let path = root().join("packaging/parom.service");
    let unit = fs::read_to_string(&path).unwrap();
    for line in [
        "DynamicUser=yes",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "PrivateDevices=yes",
        "PrivateUsers=yes",
        "ProtectKernelTunables=yes",
        "ProtectKernelModules=yes",
        "ProtectKernelLogs=yes",
        "ProtectClock=yes",
        "ProtectHostname=yes",
        "ProtectControlGroups=yes",
        "ProtectProc=invisible",
        "RestrictNamespaces=yes",
        "RestrictRealtime=yes",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
        "RestrictSUIDSGID=yes",
        "LockPersonality=yes",
        "LimitCORE=0",
        "MemoryDenyWriteExecute=yes",
        "SystemCallFilter=@system-service",
        "SystemCallFilter=~@privileged @resources",
        "CapabilityBoundingSet=",
        "UMask=0077",
        "Restart=always",
        "StateDirectoryMode=0700",
    ] {
        assert!(unit.lines().any(|written| written == line), "{line}");
    }
    for name in ["MemoryMax=", "TasksMax=", "LimitNOFILE=", "StartLimitBurst="] {
        assert!(unit.lines().any(|line| line.starts_with(name)), "{name}");
    }
    let Some((fine, told)) =
        ran(&["security", "--offline=true", "--threshold=20", "--no-pager", path.to_str().unwrap()])
    else {
        rows::row("T38", "systemd's own look at the unit", 0, None, "systemd-analyze is not installed here");
        return;
    };
    let level =
        told.split("Overall exposure level").nth(1).and_then(|rest| rest.split(": ").nth(1)).unwrap_or_default();
    assert!(fine, "{told}");
    // The unit itself can be read; the program of this build stands in the place of the installed one.
    let folder = tempfile::TempDir::new().unwrap();
    let copy = folder.path().join("parom.service");
    fs::write(&copy, unit.replace("/usr/local/bin/parom", env!("CARGO_BIN_EXE_parom"))).unwrap();
    let (fine, told) = ran(&["verify", "--man=no", copy.to_str().unwrap()]).unwrap();
    assert!(fine && !told.contains("Unknown"), "{told}");
    rows::row(
        "T38",
        "systemd's own look at the unit: exposure of 10",
        1,
        None,
        level.split(' ').next().unwrap_or_default(),
    );
}

/// The security page names a test for each line; a test that is renamed takes its line along.
#[test]
fn every_test_that_the_security_page_names_is_there() {
    let page = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let mut named = 0;
    for word in page.split('`').skip(1).step_by(2) {
        let Some((file, test)) = word.split_once("::").filter(|_| !word.contains('/')) else { continue };
        let path = format!("crates/parom/tests/it/{file}.rs");
        let text = fs::read_to_string(root().join(&path)).unwrap_or_else(|_| panic!("{path} is named"));
        assert!(text.contains(&format!("fn {test}(")), "{word}");
        named += 1;
    }
    assert!(named > 40, "{named}");
}

/// The Debian package holds the program and the hardened unit, and what it holds runs.
#[test]
fn the_debian_package_is_whole() {
    if Command::new("dpkg-deb").arg("--version").output().is_err() {
        println!("skipped: dpkg-deb is Debian's");
        return;
    }
    let folder = tempfile::TempDir::new().unwrap();
    let made = Command::new(root().join("packaging/build-deb"))
        .args([env!("CARGO_BIN_EXE_parom").as_ref(), folder.path().as_os_str()])
        .env("LEVEL", "0")
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let package = PathBuf::from(String::from_utf8(made.stdout).unwrap().trim());
    let told = |option: &str| {
        let output = Command::new("dpkg-deb").arg(option).arg(&package).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let control = told("--info");
    assert!(control.contains("Package: parom") && control.contains("Depends: libc6 (>= 2."), "{control}");
    let unpacked = folder.path().join("root");
    assert!(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&unpacked).status().unwrap().success());
    let version = Command::new(unpacked.join("usr/bin/parom")).arg("--version").output().unwrap();
    assert!(String::from_utf8_lossy(&version.stdout).contains(env!("CARGO_PKG_VERSION")));
    let unit = fs::read_to_string(unpacked.join("usr/lib/systemd/system/parom.service")).unwrap();
    assert!(unit.contains("ExecStart=/usr/bin/parom serve") && unit.contains("User=parom"), "{unit}");
    assert!(unpacked.join("usr/lib/sysusers.d/parom.conf").is_file());
    // As closed as the one that it was made from.
    let path = unpacked.join("usr/lib/systemd/system/parom.service");
    let told = ran(&["security", "--offline=true", "--threshold=20", "--no-pager", path.to_str().unwrap()]);
    assert!(told.as_ref().is_none_or(|(fine, _)| *fine), "{told:?}");
    // The example is a configuration that is read without a word against it.
    let example = unpacked.join("usr/share/doc/parom/examples/parom.toml");
    let text = fs::read_to_string(&example).unwrap();
    let here = folder.path().join("parom.toml");
    fs::create_dir(folder.path().join("channels")).unwrap();
    fs::write(folder.path().join("key"), "k").unwrap();
    fs::write(&here, text.replace("/run/credentials/parom.service/keycrm", "key")).unwrap();
    let checked =
        Command::new(env!("CARGO_BIN_EXE_parom")).args(["check", "--offline", "--config"]).arg(&here).output();
    let checked = checked.unwrap();
    assert_eq!(checked.status.code(), Some(0), "{}", String::from_utf8_lossy(&checked.stderr));
}

/// The dashboard asks for metrics that there are.
#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_asks_for_what_is_measured() {
    let world = World::start().await;
    world.post("/in/shop", &form("Olena")).await;
    world.until("it is delivered", || world.count(&["delivered"]) == 1).await;
    let measured = world.get("/metrics").await.text;
    let text = fs::read_to_string(root().join("packaging/grafana.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut asked = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let words = target["expr"].as_str().unwrap().split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            for name in words.filter(|word| word.starts_with("parom_")) {
                let there = measured.lines().any(|line| line.starts_with(name) && !line.starts_with('#'));
                assert!(there, "{name}\n{measured}");
                asked += 1;
            }
        }
    }
    assert!(asked >= 12, "{asked}");
}
