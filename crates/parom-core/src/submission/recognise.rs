//! Which field of a form is likely what: by its name in Ukrainian, Russian or English, else by what it holds.

use serde_json::Value;

use crate::convert;

/// What a field may mean, and the words that its name may have.
const MEANINGS: &[(&str, &[&str])] = &[
    (
        "full_name",
        &[
            "full_name",
            "fullname",
            "name",
            "fio",
            "pib",
            "ім'я",
            "імя",
            "піб",
            "имя",
            "фио",
            "звати",
            "зовут",
            "ваше_ім'я",
        ],
    ),
    ("last_name", &["last_name", "lastname", "surname", "прізвище", "фамилия"]),
    ("first_name", &["first_name", "firstname"]),
    ("phone", &["phone", "tel", "телефон", "phone_number", "номер_телефону", "номер", "mobile"]),
    ("email", &["email", "e_mail", "mail", "пошта", "почта"]),
    ("comment", &["comment", "message", "note", "коментар", "комментарий", "повідомлення", "сообщение", "побажання"]),
    ("promocode", &["promocode", "promo_code", "promo", "coupon", "промокод"]),
    ("city", &["address_city", "city", "місто", "город", "населений_пункт"]),
    ("country", &["address_country", "country", "країна", "страна"]),
    ("region", &["address_region", "region", "область"]),
    ("zip", &["address_zip", "zip", "postcode", "індекс", "индекс"]),
    ("street", &["secondary_line", "address_street", "street", "address", "вулиця", "улица", "адреса", "адрес"]),
    ("branch", &["receive_point", "receive_poin", "warehouse", "branch", "відділення", "отделение", "поштомат"]),
    ("sku", &["product_sku", "sku", "article", "артикул", "vendor_code"]),
    ("product", &["product_name", "product", "title", "товар", "назва_товару", "name"]),
    ("price", &["product_price", "price", "ціна", "цена", "cost"]),
    ("quantity", &["quantity", "qty", "count", "кількість", "количество"]),
    ("picture", &["product_picture", "picture", "image", "img", "photo"]),
];
/// Words that mean something else as often: they count alone, and with a value that fits. (`Пошта` is an e-mail or Nova
/// Poshta, `Номер` a phone or a branch, `count` is in `discount`.)
const UNSURE: [&str; 9] = ["номер", "пошта", "почта", "count", "cost", "title", "note", "image", "photo"];
/// The meanings of a product's line.
const LINE: [&str; 5] = ["sku", "product", "price", "quantity", "picture"];
/// What a number of the whole order is named by, and no product's.
const FOREIGN: [&str; 10] =
    ["shipping", "delivery", "доставк", "discount", "знижк", "скидк", "total", "сума", "сумма", "payment"];
/// Whose name a name is that is no buyer's; as a part of a longer one it says nothing of the buyer.
const NAMED: [&str; 16] = [
    "company",
    "organi",
    "product",
    "item",
    "filename",
    "username",
    "nick",
    "domain",
    "shop",
    "event",
    "card",
    "компан",
    "фірм",
    "фирм",
    "організ",
    "организ",
];
/// Whether a value is of a kind.
type Fits = fn(&str) -> bool;

/// Lists of a cart.
const LISTS: &[&str] = &["products", "items", "line_items", "cart", "товари", "товары", "goods"];

/// The meanings that were found among the names of a tree, each with its field; no field has two.
#[must_use]
pub fn recognise(tree: &Value) -> Vec<(&'static str, &str)> {
    let Some(fields) = tree.as_object() else {
        return Vec::new();
    };
    let names: Vec<(&str, String)> = fields
        .iter()
        .filter(|(name, value)| !name.chars().any(char::is_control) && !value.is_object() && !value.is_array())
        .map(|(name, _)| (name.as_str(), plain(name)))
        .collect();
    let mut found: Vec<(&'static str, &str)> = Vec::new();
    let fits = |meaning: &str, name: &str| fits(meaning, &fields[name]);
    let filled = |name: &str| convert::plain(&fields[name]).is_some_and(|text| !text.trim().is_empty());
    take(
        &names,
        |meaning, (name, plain), word| {
            plain == word && (!UNSURE.contains(&word) || filled(name) && fits(meaning, name))
        },
        &mut found,
    );
    take(
        &names,
        |meaning, (name, plain), word| {
            let part = plain.split('_').any(|part| part == word || (word.chars().count() >= 4 && part.contains(word)));
            let foreign = LINE.contains(&meaning) && FOREIGN.iter().any(|other| plain.contains(other));
            // Of two names in a form none is a product's, unless the word stands there.
            let named = word == "name" && (meaning == "product" || NAMED.iter().any(|other| plain.contains(other)));
            part && !named && !UNSURE.contains(&word) && !foreign && fits(meaning, name)
        },
        &mut found,
    );
    for (meaning, fits) in [("email", is_email as fn(&str) -> bool), ("phone", is_phone)] {
        let free = |name: &&str| !found.iter().any(|(_, taken)| taken == name);
        if found.iter().all(|(known, _)| *known != meaning) {
            let holds = |name: &&str| fields[*name].as_str().is_some_and(fits);
            let field = names.iter().map(|(name, _)| *name).filter(free).find(holds);
            found.extend(field.map(|name| (meaning, name)));
        }
    }
    found
}

/// Adds what a person would see in the values: a name, a town, a branch, a price. For a proposal that a person reads, since a
/// product may look like a name.
pub fn recognise_values<'a>(tree: &'a Value, found: &mut Vec<(&'static str, &'a str)>) {
    let fits: [(&'static str, Fits); 5] =
        [("branch", is_branch), ("city", is_city), ("price", is_price), ("zip", is_zip), ("full_name", is_name)];
    for (meaning, fits) in fits {
        let named = |found: &[(&str, &str)]| {
            let halves = meaning == "full_name" && found.iter().any(|(known, _)| *known == "first_name");
            halves || found.iter().any(|(known, _)| *known == meaning)
        };
        if named(found) {
            continue;
        }
        let fields = tree.as_object().into_iter().flatten();
        let mut free = fields.filter(|(name, _)| found.iter().all(|(_, taken)| taken != name));
        let field = free
            .find(|(name, value)| !name.starts_with("utm_") && value.as_str().is_some_and(|text| fits(text.trim())));
        found.extend(field.map(|(name, _)| (meaning, name.as_str())));
    }
}

/// The list of a cart among the names of a tree.
#[must_use]
pub fn cart(tree: &Value) -> Option<&str> {
    let fields = tree.as_object()?;
    let is_cart = |name: &&String| LISTS.contains(&name.to_lowercase().as_str()) && fields[*name].is_array();
    fields.keys().find(is_cart).map(String::as_str)
}

fn take<'a>(
    names: &[(&'a str, String)],
    fits: impl Fn(&str, (&str, &str), &str) -> bool,
    found: &mut Vec<(&'static str, &'a str)>,
) {
    for (meaning, words) in MEANINGS {
        if found.iter().any(|(known, _)| known == meaning) {
            continue;
        }
        let free = |name: &str| !found.iter().any(|(_, taken)| *taken == name);
        let field = words.iter().find_map(|word| {
            names.iter().find(|(name, plain)| free(name) && fits(meaning, (*name, plain.as_str()), word))
        });
        found.extend(field.map(|(name, _)| (*meaning, *name)));
    }
}

/// Whether a value may have a meaning; one that is empty may.
fn fits(meaning: &str, value: &Value) -> bool {
    let text = convert::plain(value).unwrap_or_default();
    let text = text.trim();
    text.is_empty()
        || match meaning {
            "phone" => text.chars().filter(char::is_ascii_digit).count() >= 7,
            "email" => text.contains('@'),
            "price" => convert::money(text, value.is_number()).is_ok(),
            "quantity" => convert::quantity(text).is_ok(),
            _ => true,
        }
}

/// One form of a name, however its words are joined and whichever apostrophe was at hand.
fn plain(name: &str) -> String {
    let name = name.to_lowercase().replace(['ʼ', '’', '`', '‘'], "'");
    let joined: String = name.chars().map(|c| if c.is_alphanumeric() || c == '\'' { c } else { '_' }).collect();
    let words: Vec<&str> = joined.split('_').filter(|word| !word.is_empty()).collect();
    words.join("_")
}

fn is_email(text: &str) -> bool {
    text.contains('@') && convert::email(text).is_ok()
}

fn is_phone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let plain = text.chars().all(|c| c.is_ascii_digit() || " +()-".contains(c));
    plain && (9..=15).contains(&digits) && convert::phone(text, "UA").is_ok()
}

/// Towns with more than 200,000 people, and their Russian and English names.
const TOWNS: &[&str] = &[
    "київ",
    "киев",
    "kyiv",
    "kiev",
    "харків",
    "харьков",
    "kharkiv",
    "одеса",
    "одесса",
    "odesa",
    "odessa",
    "дніпро",
    "днепр",
    "dnipro",
    "львів",
    "львов",
    "lviv",
    "запоріжжя",
    "запорожье",
    "zaporizhzhia",
    "кривий ріг",
    "кривой рог",
    "миколаїв",
    "николаев",
    "mykolaiv",
    "вінниця",
    "винница",
    "vinnytsia",
    "полтава",
    "poltava",
    "чернігів",
    "чернигов",
    "chernihiv",
    "черкаси",
    "черкассы",
    "cherkasy",
    "хмельницький",
    "хмельницкий",
    "khmelnytskyi",
    "житомир",
    "zhytomyr",
    "суми",
    "сумы",
    "sumy",
    "рівне",
    "ровно",
    "rivne",
    "чернівці",
    "черновцы",
    "chernivtsi",
    "тернопіль",
    "тернополь",
    "ternopil",
    "івано-франківськ",
    "ивано-франковск",
    "ivano-frankivsk",
    "луцьк",
    "луцк",
    "lutsk",
    "ужгород",
    "uzhhorod",
    "херсон",
    "kherson",
    "кропивницький",
    "кропивницкий",
    "kropyvnytskyi",
    "біла церква",
    "белая церковь",
    "кременчук",
    "кременчуг",
];

fn is_city(text: &str) -> bool {
    let text = text.to_lowercase();
    let bare = text
        .trim_start_matches("м.")
        .trim_start_matches("г.")
        .trim_start_matches("місто ")
        .trim_start_matches("город ");
    let first = bare.split(',').next().unwrap_or_default().trim();
    TOWNS.contains(&first)
}

fn is_branch(text: &str) -> bool {
    let text = text.to_lowercase();
    ["відділення", "отделение", "поштомат", "почтомат", "нова пошта №", "новая почта №"]
        .iter()
        .any(|word| text.contains(word))
}

fn is_price(text: &str) -> bool {
    let lower = text.to_lowercase();
    let coin = ["грн", "₴", "uah", "гривень", "гривен"].iter().any(|word| lower.contains(word));
    coin && text.chars().filter(char::is_ascii_digit).count() <= 9 && convert::money(text, false).is_ok()
}

fn is_zip(text: &str) -> bool {
    text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Two to four words that begin with a capital and hold nothing but letters.
fn is_name(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let capital = |word: &&str| {
        word.chars().next().is_some_and(char::is_uppercase)
            && word.chars().all(|c| c.is_alphabetic() || matches!(c, '\'' | 'ʼ' | '’' | '-'))
    };
    (2..=4).contains(&words.len()) && words.iter().all(capital)
}
