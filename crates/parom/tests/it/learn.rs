//! A channel that learns: it keeps what comes, proposes a mapping from it, and then sends what waited.

use super::world::{Settings, World};

#[tokio::test(flavor = "multi_thread")]
async fn samples_become_a_mapping_and_what_waited_goes() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("site", "learn = true\norder.source_id = 22\n");
    world.serve(&[]);
    let forms = [
        "Ваше+ім'я=Олена&Телефон=0671112233&Товар=Mug&Ціна=250",
        "Ваше+ім'я=Ганна&Телефон=0501112233&Товар=Tea&Ціна=120,50&Коментар=дзвоніть",
    ];
    for form in forms {
        assert_eq!(world.post("/in/site", form).await.status, 202);
    }
    world.until("both wait", || world.orders().iter().filter(|order| order["state"] == "held").count() == 2).await;
    let listed = world.cli(&["channel", "samples", "site"]);
    assert_eq!((listed.code, listed.out.lines().count()), (0, 3), "{}{}", listed.out, listed.err);
    assert!(listed.out.contains("Коментар"));
    let proposed = world.cli(&["channel", "suggest", "site"]);
    assert_eq!(proposed.code, 0, "{}", proposed.err);
    assert!(proposed.out.contains("source_id = 22") && proposed.out.contains("buyer_comment"), "{}", proposed.out);
    // Into the file itself: the shell has emptied it by then. With SQLite the file is the channel, and nothing is
    // guessed; with PostgreSQL the channel is in the store, and the proposal is the same.
    let own = world.dir.path().join("channels/site.toml");
    let before = std::fs::read_to_string(&own).unwrap();
    std::fs::write(&own, "").unwrap();
    let emptied = world.cli(&["channel", "suggest", "site"]);
    if super::postgres::server().is_some() {
        assert_eq!((emptied.code, &emptied.out), (0, &proposed.out), "{}", emptied.err);
    } else {
        assert!(emptied.code == 2 && emptied.out.is_empty() && emptied.err.contains("--source"), "{}", emptied.err);
    }
    std::fs::write(&own, before).unwrap();
    world.channel("site", &format!("learn = true\n{}", proposed.out));
    world.crm_has(2).await;
    let mut names: Vec<String> =
        world.crm.orders().iter().map(|order| order["buyer"]["full_name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    assert_eq!(names, ["Ганна", "Олена"]);

    // A name that no sample has is pointed at.
    world.channel("site", &format!("learn = true\n{}", proposed.out.replace("Телефон", "Телефн")));
    let checked = world.cli(&["check", "--offline", "--json"]);
    let findings: serde_json::Value = serde_json::from_str(&checked.out).unwrap();
    let finding = findings.as_array().unwrap().iter().find(|finding| finding["code"] == "not_in_samples").unwrap();
    assert_eq!((finding["path"].as_str(), finding["severity"].as_str()), (Some("order.buyer.phone"), Some("warning")));
    assert!(finding["hint"].as_str().unwrap().contains("Телефон"), "{finding}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_twenty_are_kept_and_no_other_channels() {
    let mut world = World::idle(Settings::default()).await;
    world.channel(
        "site",
        "learn = true\non_repeat = \"off\"\norder.source_id = 22\norder.buyer.phone = \"{{ phone }}\"\n",
    );
    world.channel("still", "on_repeat = \"off\"\norder.source_id = 22\norder.buyer.phone = \"{{ phone }}\"\n");
    world.serve(&[]);
    for number in 0..25 {
        for channel in ["site", "still"] {
            let answer = world.post(&format!("/in/{channel}"), &format!("phone=0671112233&number={number}")).await;
            assert_eq!(answer.status, 202);
        }
    }
    let kept = world.cli(&["channel", "samples", "site", "--json"]);
    let kept: serde_json::Value = serde_json::from_str(&kept.out).unwrap();
    assert_eq!(kept.as_array().unwrap().len(), 20);
    assert!(kept[0]["body"].as_str().unwrap().ends_with("number=24"), "the newest first");
    let none = world.cli(&["channel", "samples", "still"]);
    assert_eq!(none.code, 2);
    assert!(none.err.contains("learn = true"), "{}", none.err);
    assert_eq!(world.cli(&["channel", "suggest", "nobody"]).code, 2);
}
