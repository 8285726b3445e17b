//! A channel proposed from a sample is one that can be used, and maps that sample.

use jiff::Timestamp;
use parom_core::channel::{parse, suggest};
use parom_core::mapping::{self, Given};
use parom_core::order::Verdict;
use parom_core::submission::{Submission, decode_json, decode_urlencoded};

fn proposed(form: serde_json::Value, flat: Vec<(String, String)>) -> (String, serde_json::Value) {
    let sample = Submission { form, flat, ..Submission::empty(Timestamp::UNIX_EPOCH) };
    let text = suggest("main", 22, &sample);
    let (channel, findings) = parse("site", &text);
    let channel = channel.unwrap_or_else(|| panic!("{findings:?}\n{text}"));
    assert!(findings.is_empty(), "{findings:?}\n{text}");
    let (draft, verdict) = mapping::map(&channel, &sample, Given { dictionary: None, directory: None, random: 0 });
    assert_eq!(verdict, Verdict::Go, "{:?}\n{text}", draft.problems);
    (text, serde_json::Value::Object(draft.body))
}

#[test]
fn a_form_with_ukrainian_names() {
    let body = "your-name=Olena&Номер+телефону=0671112233&email=o%40ukr.net&Місто=Київ&product_name=Mug&price=1249,50&agree=on";
    let (form, flat) = decode_urlencoded(body.as_bytes()).unwrap();
    let (text, order) = proposed(form, flat);
    assert_eq!(order["buyer"]["full_name"], "Olena");
    assert_eq!(order["buyer"]["phone"], "+380671112233");
    assert_eq!(order["shipping"]["shipping_address_city"], "Київ");
    assert_eq!(order["products"][0]["price"].to_string(), "1249.5");
    assert!(text.contains("form['your-name']") && text.contains("# Not mapped: agree"), "{text}");
}

#[test]
fn values_tell_what_names_do_not() {
    let body = "field1=Олена+Коваленко&field2=%2B38+(067)+111-22-33&field3=м.+Львів&field4=Відділення+№5&field5=1+250+грн&field6=o@ukr.net&field7=79000&product=Mug";
    let (form, flat) = decode_urlencoded(body.as_bytes()).unwrap();
    let (text, order) = proposed(form, flat);
    assert_eq!(order["buyer"]["full_name"], "Олена Коваленко");
    assert_eq!(order["buyer"]["phone"], "+380671112233");
    assert_eq!(order["buyer"]["email"], "o@ukr.net");
    assert_eq!(order["shipping"]["shipping_address_city"], "м. Львів");
    assert_eq!(order["shipping"]["shipping_receive_point"], "Відділення №5");
    assert_eq!(order["products"][0]["price"], 1250, "{text}");
}

#[test]
fn names_in_russian_and_english() {
    let body = "Имя=Ольга&Фамилия=Петрова&Телефон=0671112233&Город=Одесса&Товар=Кружка&Цена=250&Количество=2&Комментарий=позвоните";
    let (form, flat) = decode_urlencoded(body.as_bytes()).unwrap();
    let (_, order) = proposed(form, flat);
    assert_eq!(order["buyer"]["full_name"], "Ольга Петрова");
    assert_eq!(order["products"][0]["quantity"], 2);
    assert_eq!(order["buyer_comment"], "позвоните");
    let body = "First+Name=Olga&Last+Name=Petrova&Phone+number=0671112233&City=Kyiv&Product=Mug&Price=250&Qty=2";
    let (form, flat) = decode_urlencoded(body.as_bytes()).unwrap();
    let (_, order) = proposed(form, flat);
    assert_eq!(
        (order["buyer"]["full_name"].as_str(), order["products"][0]["quantity"].as_i64()),
        (Some("Olga Petrova"), Some(2))
    );
}

#[test]
fn a_cart_in_json() {
    let body =
        r#"{"full_name":"Olena","tel":"0671112233","items":[{"sku":"A","title":"Mug","qty":2,"price":5},{"sku":"B"}]}"#;
    let (_, order) = proposed(decode_json(body.as_bytes()).unwrap(), Vec::new());
    assert_eq!(order["products"].as_array().unwrap().len(), 2);
    assert_eq!((order["products"][0]["sku"].as_str(), order["products"][0]["quantity"].as_i64()), (Some("A"), Some(2)));
}

#[test]
fn names_that_are_hard_to_write() {
    let body = r#"{"phone \"home\" 'x' \\":"0671112233","name":"Olena","1":"x"}"#;
    let (_, order) = proposed(decode_json(body.as_bytes()).unwrap(), Vec::new());
    assert_eq!(order["buyer"]["full_name"], "Olena");
}
