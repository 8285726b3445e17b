//! `parom init` by flags, as a script runs it.

use std::fs;
use std::process::{Command, Output};

use keycrm_sandbox::{Fault, FaultKind, FaultOn};

use super::world::{Settings, World};

fn init(world: &World, extra: &[&str]) -> (Output, std::path::PathBuf) {
    let dir = world.dir.path().join("new");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("key"), "canary-key-1\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_parom"))
        .args(["init", "--no-input", "--url", &world.crm.api_url(), "--key-file"])
        .arg(dir.join("key"))
        .arg("--config")
        .arg(dir.join("parom.toml"))
        .args(extra)
        .output()
        .unwrap();
    (output, dir)
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A form with a town and a branch gets the picker, and a mapping that takes what it finds.
#[tokio::test(flavor = "multi_thread")]
async fn the_snippet_of_a_form_with_a_branch_has_the_picker() {
    let world = World::idle(Settings::default()).await;
    let sample = world.dir.path().join("sample.txt");
    fs::write(&sample, "name=Olena&phone=0671112233&city=Kyiv&branch=11&product=Mug&price=5").unwrap();
    let (output, dir) = init(&world, &["--source", "landing", "--channel", "np", "--sample", sample.to_str().unwrap()]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for part in ["/assets/picker.js", "name=\"city\" data-np-city", "name=\"branch\" data-np-branch", "0 errors"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let channel = fs::read_to_string(dir.join("channels/np.toml")).unwrap();
    assert!(channel.contains("np_warehouse_ref or branch | np_branch(city)"), "{channel}");
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_make_a_channel_that_takes_orders() {
    let world = World::idle(Settings::default()).await;
    let sample = world.dir.path().join("sample.txt");
    fs::write(&sample, "your-name=Olena&tel=0671112233&product=Mug&price=5").unwrap();
    let (output, dir) =
        init(&world, &["--source", "landing", "--channel", "promo", "--sample", sample.to_str().unwrap()]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("action=\"http://127.0.0.1:8080/in/promo\"") && said.contains("name=\"your-name\""),
        "{said}"
    );
    assert!(said.contains("curl_init") && said.contains("0 errors"), "{said}");
    let channel = fs::read_to_string(dir.join("channels/promo.toml")).unwrap();
    assert!(channel.contains("source_id = 22") && channel.contains("form['your-name']"), "{channel}");
    let config = fs::read_to_string(dir.join("parom.toml")).unwrap();
    assert!(!config.contains("canary") && !said.contains("canary"), "the key is named, never written: {config}");
    let mapped = Command::new(env!("CARGO_BIN_EXE_parom"))
        .args(["map", "promo"])
        .arg(&sample)
        .arg("--config")
        .arg(dir.join("parom.toml"))
        .output()
        .unwrap();
    assert_eq!(mapped.status.code(), Some(0), "{}", text(&mapped));
    let left: Vec<_> = fs::read_dir(&dir).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with(".parom-init")), "{left:?}");
    let (again, _) = init(&world, &[]);
    assert_eq!(again.status.code(), Some(2), "what is there is not touched");
}

/// What it prints for a form with several products makes the order of the sample.
#[tokio::test(flavor = "multi_thread")]
async fn the_snippet_of_a_form_with_products_has_their_fields() {
    let world = World::idle(Settings::default()).await;
    let sample = world.dir.path().join("sample.txt");
    fs::write(&sample, "name=Olena&phone=0671112233&products[0][name]=Mug&products[0][price]=5").unwrap();
    let (output, _) = init(&world, &["--source", "landing", "--channel", "cart", "--sample", sample.to_str().unwrap()]);
    let said = text(&output);
    let names: Vec<&str> = said.split("<input name=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(names, ["name", "phone", "products[0][name]", "products[0][price]"], "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_and_nothing_is_written() {
    let world = World::idle(Settings::default()).await;
    for (extra, word) in [
        (&["--source", "Lending"][..], "`Lending`"),
        (&[][..], "--source"),
        (&["--source", "22", "--channel", "a/b"][..], "a/b"),
    ] {
        let (output, dir) = init(&world, extra);
        assert!(output.status.code() == Some(2) && text(&output).contains(word), "{word}: {}", text(&output));
        assert!(!dir.join("parom.toml").exists());
    }
    world.crm.add_fault(Fault::always(FaultOn::Any, FaultKind::RefuseBefore { status: 401 }));
    let (output, dir) = init(&world, &["--source", "22"]);
    assert!(output.status.code() == Some(2) && text(&output).contains("refuses the key"), "{}", text(&output));
    assert!(!dir.join("parom.toml").exists());
    world.crm.clear_faults();
    world.crm.change_directory(|account| account.sources.clear());
    let (output, _) = init(&world, &["--source", "22"]);
    assert!(text(&output).contains("Settings → Sources"), "{}", text(&output));
}
