//! `parom import`: files as shops export them, row by row, and never twice.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::world::{Ran, Settings, World};

const CHANNEL: &str = r#"
account = "main"
[order]
source_id = 22
ordered_at = "{{ form['Дата'] }}"
[order.buyer]
full_name = "{{ form['Покупець'] }}"
phone = "{{ form['Телефон'] }}"
[[order.products]]
name = "{{ form['Товар'] }}"
price = "{{ form['Ціна'] }}"
"#;
const HEADER: &str = "Номер;Дата;Покупець;Телефон;Товар;Ціна";

async fn world() -> World {
    let world = World::idle(Settings::default()).await;
    world.channel("file", CHANNEL);
    world
}

fn write(world: &World, name: &str, bytes: &[u8]) -> PathBuf {
    let path = world.dir.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn import(world: &World, path: &Path, extra: &[&str]) -> (Ran, Value) {
    let ran = world.cli(&[&["import", "file", path.to_str().unwrap(), "--json"], extra].concat());
    let counts = serde_json::from_str(&ran.out).unwrap_or_default();
    (ran, counts)
}

/// Windows-1251, as Ukrainian Excel saves it.
fn cp1251(text: &str) -> Vec<u8> {
    let one = |c: char| match c {
        'А'..='я' => u8::try_from(u32::from(c) - 0x410 + 0xC0).unwrap(),
        'і' => 0xB3,
        'І' => 0xB2,
        'ї' => 0xBF,
        'є' => 0xBA,
        c => u8::try_from(u32::from(c)).unwrap(),
    };
    text.chars().map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_csv_of_excel_lands_row_by_row_and_a_second_run_adds_nothing() {
    let mut world = world().await;
    let rows = "1;31.10.2026 14:30;Олена;067 111 22 33;\"Горня; велике\";1 249,50\r\n\r\n\
                2;;Петро;12345;Чай;5\r\n3;;Марія;0671112234;Чай;5;зайве\r\n4;;Іван;0671112235;Чай;5\r\n";
    let path = write(&world, "orders.csv", &cp1251(&format!("{HEADER}\r\n{rows}")));
    let dry = import(&world, &path, &["--dry-run"]);
    assert_eq!((dry.0.code, &dry.1["queued"], &dry.1["held"], &dry.1["failed"]), (1, &json!(2), &json!(1), &json!(1)));
    assert_eq!(world.orders().len(), 0, "a dry run keeps nothing");
    let report = world.dir.path().join("report.ndjson");
    let (ran, counts) = import(&world, &path, &["--report", report.to_str().unwrap()]);
    assert_eq!(
        (&counts["rows"], &counts["queued"], &counts["held"], &counts["failed"]),
        (&json!(4), &json!(2), &json!(1), &json!(1))
    );
    assert!(ran.err.contains("row 4: held: buyer.phone") && ran.err.contains("row 5: 7 columns"), "{}", ran.err);
    let lines: Vec<Value> =
        fs::read_to_string(report).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|line| line["row"].as_i64().unwrap()).collect::<Vec<_>>(), [2, 4, 5, 6]);
    let again = import(&world, &path, &[]).1;
    assert_eq!((&again["known"], &again["queued"], &again["held"]), (&json!(3), &json!(0), &json!(0)));
    world.serve(&[]);
    world.crm_has(2).await;
    let order = world.crm.orders().into_iter().find(|order| order["buyer"]["full_name"] == "Олена").unwrap();
    assert_eq!(
        (&order["products"][0]["name"], order["ordered_at"].as_str().unwrap()),
        (&json!("Горня; велике"), "2026-10-31T12:30:00.000000Z")
    );
    // A row is replayed as a form is: from what came.
    let held = world.orders().into_iter().find(|order| order["state"] == "held").unwrap();
    let id = held["id"].as_str().unwrap();
    assert_eq!(world.cli(&["orders", "edit", id, "--set", "buyer.phone=0671112236"]).code, 0);
    world.crm_has(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_column_tells_rows_apart_and_finds_changed_ones() {
    let world = world().await;
    let one = |price: &str| format!("\u{feff}Номер,Покупець,Телефон,Товар,Ціна\nA-1,Олена,0671112233,Чай,{price}\n");
    let path = write(&world, "a.csv", one("5").as_bytes());
    assert_eq!(import(&world, &path, &["--key", "Номер"]).1["queued"], 1);
    assert_eq!(import(&world, &path, &["--key", "Номер"]).1["known"], 1);
    let path = write(&world, "a.csv", one("6").as_bytes());
    let (ran, counts) = import(&world, &path, &["--key", "Номер"]);
    assert!(counts["failed"] == 1 && ran.err.contains("another content"), "{}", ran.err);
    let ran = world.cli(&["import", "file", path.to_str().unwrap(), "--key", "Код"]);
    assert!(ran.code == 2 && ran.err.contains("no column `Код`"), "{}", ran.err);
    assert_eq!(world.orders().len(), 1);
}

/// A number that is another order's holds a row, and a dry run says so beforehand.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_with_anothers_number_is_told_beforehand() {
    let world = world().await;
    world.channel("file", &CHANNEL.replace("[order]\n", "[order]\nsource_uuid = \"{{ form['Номер'] }}\"\n"));
    let row = |name: &str| format!("Номер,Покупець,Телефон,Товар,Ціна\nA-1,{name},0671112233,Чай,5\n");
    let path = write(&world, "a.csv", row("Олена").as_bytes());
    assert_eq!(import(&world, &path, &[]).1["queued"], 1);
    let path = write(&world, "a.csv", row("Ольга").as_bytes());
    for more in [&["--dry-run"][..], &[]] {
        let (ran, counts) = import(&world, &path, more);
        assert_eq!((ran.code, &counts["held"]), (1, &json!(1)), "{counts}");
        assert!(ran.err.contains("the number `A-1` is already the order"), "{}", ran.err);
    }
}

/// The channel's `idempotency_key` came later, or was changed, or tells another key each day: what is in is known all the same.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_in_are_known_whatever_the_channels_key_has_become() {
    let world = world().await;
    let text = "Номер,Покупець,Телефон,Товар,Ціна\nA-1,Олена,0671112233,Чай,5\nA-2,Олена,0671112233,Чай,5\n";
    let path = write(&world, "site.csv", text.as_bytes());
    assert_eq!(import(&world, &path, &[]).1["queued"], 2);
    for key in ["{{ form['Номер'] }}", "n-{{ form['Номер'] }}", "{{ form['Номер'] }} {{ received_at }}"]
    {
        world.channel("file", &format!("idempotency_key = \"{key}\"\n{CHANNEL}"));
        for more in [&["--dry-run"][..], &[], &["--key", "Номер"]] {
            let (ran, counts) = import(&world, &path, more);
            assert_eq!((ran.code, &counts["known"]), (0, &json!(2)), "{key} {more:?}: {counts}");
        }
    }
    assert_eq!(world.orders().len(), 2);
}

/// The same a month later, when the buyers' data is gone from the orders: the file makes nothing a second time.
#[tokio::test(flavor = "multi_thread")]
async fn rows_whose_buyers_were_erased_are_known_by_any_key() {
    let mut world = world().await;
    world.serve(&[]);
    let text = "Номер,Покупець,Телефон,Товар,Ціна\nA-1,Олена,0671112233,Чай,5\nA-2,Олена,0671112233,Кава,9\n";
    let path = write(&world, "site.csv", text.as_bytes());
    assert_eq!(import(&world, &path, &[]).1["queued"], 2);
    world.until("both are delivered", || world.count(&["delivered"]) == 2).await;
    assert_eq!(world.cli(&["orders", "erase", "--phone", "0671112233", "--yes"]).code, 0);
    for more in [&[][..], &["--key", "Номер"]] {
        let (ran, counts) = import(&world, &path, more);
        assert_eq!((ran.code, &counts["known"]), (0, &json!(2)), "{more:?}: {counts}");
    }
    world.channel("file", &format!("idempotency_key = \"{{{{ form['Номер'] }}}}\"\n{CHANNEL}"));
    assert_eq!(import(&world, &path, &[]).1["known"], 2);
    assert_eq!((world.orders().len(), world.crm.orders().len()), (2, 2));
}

/// The site's own list of orders, imported to be sure that none is missing: those that came in by the form are no second ones.
#[tokio::test(flavor = "multi_thread")]
async fn rows_of_orders_that_came_in_by_the_form_add_nothing() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("file", &format!("idempotency_key = \"{{{{ form['Номер'] }}}}\"\n{CHANNEL}"));
    world.serve(&[]);
    let of = |number: &str| json!({"Номер": number, "Покупець": "Олена", "Телефон": "0671112233", "Товар": "Чай", "Ціна": "5"});
    let post = async |number: &str| {
        world.send("/in/file", "application/json", of(number).to_string().into_bytes(), &[]).await.status
    };
    assert_eq!(post("A-1").await, 202);
    let lines = |numbers: &[&str]| numbers.iter().map(|number| format!("{}\n", of(number))).collect::<String>();
    let path = write(&world, "site.ndjson", lines(&["A-1", "A-2", "A-2"]).as_bytes());
    let counts = import(&world, &path, &[]).1;
    assert_eq!((&counts["known"], &counts["queued"]), (&json!(2), &json!(1)), "{counts}");
    let second = world.orders()[0]["id"].clone();
    // And the other way round.
    assert_eq!(post("A-2").await, 200);
    // A list has other columns than the form: its key says that the order is there. Of two rows of lists with one number a
    // person decides which is right.
    let path = write(
        &world,
        "site.csv",
        "Номер,Покупець,Телефон,Товар,Ціна\nA-1,Олена,0671112233,Чай,6\nA-2,О,0671112233,Чай,6\n".as_bytes(),
    );
    for more in [&[][..], &["--dry-run"]] {
        let (ran, counts) = import(&world, &path, more);
        assert_eq!(
            (&counts["known"], &counts["differing"], &counts["failed"]),
            (&json!(1), &json!(1), &json!(1)),
            "{counts}"
        );
        assert!(ran.code == 1 && ran.err.contains(second.as_str().unwrap()), "{}", ran.err);
    }
    // And a dry run tells beforehand what is there already.
    let path = write(&world, "site.ndjson", lines(&["A-1", "A-2", "A-3"]).as_bytes());
    let counts = import(&world, &path, &["--dry-run"]).1;
    assert_eq!((&counts["known"], &counts["queued"]), (&json!(2), &json!(1)), "{counts}");
    world.crm_has(2).await;
    assert_eq!(world.orders().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn ndjson_and_xlsx_are_taken_too() {
    let world = world().await;
    let lines =
        "{\"Покупець\":\"Олена\",\"Телефон\":\"0671112233\",\"Товар\":\"Чай\",\"Ціна\":5.5}\n\n{\"Покупець\":\n{}\n";
    let path = write(&world, "a.ndjson", lines.as_bytes());
    let (ran, counts) = import(&world, &path, &[]);
    assert_eq!(
        (&counts["queued"], &counts["held"], &counts["failed"]),
        (&json!(1), &json!(1), &json!(1)),
        "{}",
        ran.err
    );
    let sheet = "<row r=\"1\"><c t=\"inlineStr\"><is><t>Покупець</t></is></c><c t=\"inlineStr\"><is><t>Телефон</t></is></c>\
                 <c t=\"inlineStr\"><is><t>Товар</t></is></c><c t=\"inlineStr\"><is><t>Ціна</t></is></c></row>\
                 <row r=\"2\"><c t=\"inlineStr\"><is><t>Петро</t></is></c><c><v>671112234</v></c>\
                 <c t=\"inlineStr\"><is><t>Чай</t></is></c><c><v>1249.5</v></c></row>";
    let path = write(&world, "a.xlsx", &workbook(sheet));
    let (ran, counts) = import(&world, &path, &[]);
    assert_eq!((ran.code, &counts["queued"]), (0, &json!(1)), "{}", ran.err);
    let order = world.order(world.orders()[0]["id"].as_str().unwrap());
    assert_eq!(
        (&order["order"]["buyer"]["phone"], order["order"]["products"][0]["price"].to_string()),
        (&json!("+380671112234"), "1249.5".into())
    );
}

/// The smallest workbook with one sheet.
pub(crate) fn workbook(rows: &str) -> Vec<u8> {
    let ns = "http://schemas.openxmlformats.org";
    let parts = [
        (
            "[Content_Types].xml",
            format!(
                "<Types xmlns=\"{ns}/package/2006/content-types\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{ns}/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"{ns}/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{ns}/spreadsheetml/2006/main\" xmlns:r=\"{ns}/officeDocument/2006/relationships\"><sheets><sheet name=\"Orders\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{ns}/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"{ns}/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!("<worksheet xmlns=\"{ns}/spreadsheetml/2006/main\"><sheetData>{rows}</sheetData></worksheet>"),
        ),
    ];
    workbook_of(&parts)
}

/// A zip of these parts.
pub(crate) fn workbook_of(parts: &[(&str, String)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in parts {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_taken_are_refused_with_the_reason() {
    let world = world().await;
    let bomb = workbook(&"<row><c><v>1</v></c></row>".repeat(400_000));
    for (name, bytes, word) in [
        ("a.csv", Vec::new(), "empty"),
        ("b.csv", b"a;b;a\n1;2;3\n".to_vec(), "two columns"),
        ("c.csv", b";;\n1;2;3\n".to_vec(), "no header"),
        ("d.pdf", b"%PDF".to_vec(), ".csv, .xlsx or .ndjson"),
        ("e.xlsx", b"not a zip".to_vec(), "not an .xlsx"),
        ("f.xlsx", bomb, "unpacks to"),
        ("g.ndjson", vec![b' '; 2 << 20], "longer than"),
    ] {
        let path = write(&world, name, &bytes);
        let (ran, _) = import(&world, &path, &[]);
        assert!(ran.code != 0 && ran.err.contains(word), "{name}: {} {}", ran.code, ran.err);
    }
    let missing = world.dir.path().join("missing.csv");
    assert_eq!(import(&world, &missing, &[]).0.code, 2);
    assert_eq!(world.cli(&["import", "nobody", "x.csv"]).code, 2);
}

/// Found by mutated files: the row was said to be the one before it.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_whose_quote_is_never_closed_is_named_by_its_own_line() {
    let world = world().await;
    let path = write(&world, "a.csv", format!("{HEADER}\n1;;Олена;0671112233;Чай;5\n2;;\"Петро;1;Чай;5\n").as_bytes());
    let report = world.dir.path().join("report.ndjson");
    let (ran, _) = import(&world, &path, &["--report", report.to_str().unwrap()]);
    let text = fs::read_to_string(report).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let places: Vec<&Value> = rows.iter().map(|row| &row["row"]).collect();
    assert_eq!(places, [&json!(2), &json!(3)], "{text} {}", ran.err);
}

/// A quote that is not closed took the rows after it into a cell, and nothing was said of them.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_a_wrong_quote_would_swallow_are_named() {
    let world = world().await;
    let rows = |broken: &str, later: &str| {
        let mut text = HEADER.to_owned();
        for number in 1..=30 {
            let product = match number {
                10 => broken,
                20 => later,
                _ => "Чай",
            };
            text.push_str(&format!("\n{number};;Олена {number};06711122{number:02};{product};5"));
        }
        text + "\n"
    };
    // (in row 10, in row 20; lines that are not taken)
    let cases = [
        ("\"Чай", "Чай", "lines 11 to 31"),
        ("\"Чай", "\"Мед\"", "lines 11 to 21"),
        ("\"Чай", "Мед\"", "lines 11 to 21"),
    ];
    for (broken, later, lines) in cases {
        let path = write(&world, "a.csv", rows(broken, later).as_bytes());
        let (ran, counts) = import(&world, &path, &["--dry-run"]);
        assert!(ran.code == 1 && ran.err.contains(lines), "{broken} {later}: {} {counts}", ran.err);
        assert_eq!(counts["failed"], 1, "{}", ran.err);
    }
    // Quotes that are right, and those that people write inside of a text.
    let fine = rows("\"Чай; \"\"Мрія\"\"\nу подарунок\"", "Книга \"Кобзар\"");
    let (ran, counts) = import(&world, &write(&world, "a.csv", fine.as_bytes()), &["--dry-run"]);
    assert_eq!((&counts["queued"], &counts["failed"]), (&json!(30), &json!(0)), "{}", ran.err);
    // An address of several lines with commas is one cell; a row without its empty last columns is a row, as Excel writes it.
    let text = "name,phone,address\nOlena,0671112233,\"Київ, вул. Франка, 5\nкв 3\"\nPetro,0671112244\n";
    let (ran, counts) = import(&world, &write(&world, "b.csv", text.as_bytes()), &["--dry-run"]);
    assert_eq!((&counts["rows"], &counts["failed"]), (&json!(2), &json!(0)), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn excels_own_first_line_is_no_header_and_a_key_that_is_no_column_is_told_once() {
    let world = world().await;
    let text = format!("sep=;\r\n{HEADER}\r\n1;;Олена;0671112233;Чай;5\r\n2;;Петро;0671112244;Чай;x\r\n");
    let path = write(&world, "a.csv", text.as_bytes());
    let (ran, counts) = import(&world, &path, &["--dry-run"]);
    assert_eq!((&counts["queued"], &counts["held"]), (&json!(1), &json!(1)), "{}", ran.err);
    assert!(ran.err.contains("row 4: held"), "{}", ran.err);
    let ran = world.cli(&["import", "file", path.to_str().unwrap(), "--key", "Nomer"]);
    assert!(
        ran.code == 2 && ran.err.contains("no column `Nomer`; there are: ") && ran.err.lines().count() == 1,
        "{}",
        ran.err
    );
}

/// Killed in the middle, and run again: each row is one order.
#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_and_run_again_each_row_is_one_order() {
    let world = world().await;
    let mut text = format!("{HEADER}\n");
    for number in 0..700 {
        text.push_str(&format!("{number};;Олена {number};0671112233;Чай;5\n"));
    }
    let path = write(&world, "a.csv", text.as_bytes());
    for point in ["store.before_commit.accept:200", "store.after_commit.accept:300"] {
        let killed = world.killed(&["import", "file", path.to_str().unwrap()], point);
        assert!(killed, "{point} was not met");
    }
    let before = world.orders().len();
    assert!((1..700).contains(&before), "{before}");
    let (ran, counts) = import(&world, &path, &[]);
    assert_eq!((ran.code, &counts["known"]), (0, &json!(before)));
    assert_eq!(world.orders().len(), 700);
    assert_eq!(import(&world, &path, &[]).1["known"], 700);
}
