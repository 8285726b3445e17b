//! The account of a fresh sandbox.

use super::{
    CustomField, DeliveryService, Directory, FieldOption, Offer, PaymentMethod, Pipeline, PipelineStatus, Product,
    Property, Source, Status, Tag, User,
};

/// Sources 1 to this exist.
const LAST_SOURCE: u32 = 50;

const NAMED_SOURCES: &[(u32, &str)] =
    &[(1, "Online shop"), (2, "Instagram"), (3, "Telegram"), (4, "Marketplace"), (5, "Call centre"), (22, "Landing")];

/// The only source whose orders are in another currency.
const EURO_SOURCE: u32 = 4;

/// Name, alias, group.
const STATUSES: &[(&str, &str, u32)] = &[
    ("Новий", "new", 1),
    ("На погодженні", "agreement", 2),
    ("Очікує передоплату", "waiting_for_prepayment", 2),
    ("У виробництві", "production", 3),
    ("Зарезервовано", "reserved", 3),
    ("Передано в доставку", "delivery", 4),
    ("Доставлено", "delivered", 4),
    ("Виконано", "completed", 5),
    ("Скасовано", "canceled", 6),
    ("Повернення", "returned", 6),
];

const PAYMENT_METHODS: &[&str] = &[
    "Готівка",
    "Apple Pay",
    "Google Pay",
    "Картка",
    "LiqPay",
    "WayForPay",
    "Monobank",
    "Накладений платіж",
    "Післяплата",
    "Fondy",
    "PayPal",
    "Privat24",
    "Visa/Mastercard",
    "Рахунок",
    "Cash",
    "Card",
    "Cash on delivery",
    "Online",
    "Bank transfer",
    "Стара каса",
];
/// A method that exists and is out of use.
const INACTIVE_METHOD: &str = "Стара каса";

/// Name, carrier.
const DELIVERY_SERVICES: &[(&str, &str)] =
    &[("Нова Пошта", "novaposhta"), ("Укрпошта", "ukrposhta"), ("Самовивіз", ""), ("Кур'єр", ""), ("Meest", "meest")];
const LAST_DELIVERY_SERVICE: u32 = 10;

/// Uuid, model, type, whether several values fit, name, options.
type FieldSeed = (&'static str, &'static str, &'static str, bool, &'static str, &'static [&'static str]);
const CUSTOM_FIELDS: &[FieldSeed] = &[
    ("LD_1021", "order", "text", false, "Подарунковий напис", &[]),
    ("LD_1022", "order", "select", true, "Побажання", &[]),
    ("OR_1001", "order", "select", false, "Розмір", &["S", "M", "L"]),
    ("OR_1002", "order", "select", true, "Колір", &["Червоний", "Синій", "Зелений"]),
    ("OR_1003", "order", "number", false, "Кількість гостей", &[]),
    ("OR_1004", "order", "date", false, "Дата події", &[]),
    ("OR_1005", "order", "switcher", false, "Подзвонити", &[]),
    ("OR_1006", "order", "link", false, "Посилання", &[]),
    ("OR_1007", "order", "text", false, "Примітка", &[]),
    ("LD_2001", "lead", "text", false, "Звідки дізнались", &[]),
    ("LD_2002", "lead", "select", false, "Канал", &["Реклама", "Друзі", "Пошук"]),
];

fn ids() -> std::ops::RangeFrom<u32> {
    1..
}

impl Default for Directory {
    fn default() -> Self {
        Self {
            sources: (1..=LAST_SOURCE).map(source).collect(),
            statuses: ids().zip(STATUSES).map(status).collect(),
            payment_methods: ids().zip(PAYMENT_METHODS).map(payment_method).collect(),
            delivery_services: (1..=LAST_DELIVERY_SERVICE).map(delivery_service).collect(),
            tags: vec![tag(1, "Терміново", "urgent", "#FF0000"), tag(2, "Подарунок", "gift", "#69DB7C")],
            custom_fields: ids().zip(CUSTOM_FIELDS).map(custom_field).collect(),
            products: products(),
            users: vec![user(1, "Олена", "Коваль", "olena"), user(2, "Петро", "Мельник", "petro")],
            pipelines: vec![
                pipeline(1, "Продажі", 1, &["Новий", "В роботі", "Успішно"]),
                pipeline(2, "Опт", 11, &["Новий", "Домовились"]),
            ],
        }
    }
}

fn source(id: u32) -> Source {
    let name = NAMED_SOURCES.iter().find(|(named, _)| *named == id);
    Source {
        id,
        name: name.map_or_else(|| format!("Source {id}"), |(_, name)| (*name).to_owned()),
        alias: format!("source_{id}"),
        driver: "other".to_owned(),
        source_uuid: None,
        source_name: None,
        currency_code: if id == EURO_SOURCE { "EUR" } else { "UAH" }.to_owned(),
    }
}

fn status((id, (name, alias, group_id)): (u32, &(&str, &str, u32))) -> Status {
    Status {
        id,
        name: (*name).to_owned(),
        alias: (*alias).to_owned(),
        is_active: true,
        group_id: *group_id,
        is_closing_order: *group_id >= 5,
        is_reserved: *group_id == 3,
        expiration_period: None,
    }
}

fn payment_method((id, name): (u32, &&str)) -> PaymentMethod {
    PaymentMethod { id, name: (*name).to_owned(), alias: None, is_active: *name != INACTIVE_METHOD }
}

fn delivery_service(id: u32) -> DeliveryService {
    let known = ids().zip(DELIVERY_SERVICES).find(|(known, _)| *known == id);
    let (name, carrier) =
        known.map_or_else(|| (format!("Delivery {id}"), ""), |(_, (name, carrier))| ((*name).to_owned(), *carrier));
    DeliveryService { id, name, source_name: carrier.to_owned(), alias: format!("delivery_{id}") }
}

fn tag(id: u32, name: &str, alias: &str, color: &str) -> Tag {
    Tag { id, name: name.to_owned(), alias: alias.to_owned(), color: color.to_owned() }
}

fn custom_field((id, (uuid, model, kind, is_multiple, name, options)): (u32, &FieldSeed)) -> CustomField {
    let option = |(at, value): (u32, &&str)| FieldOption { id: id * 100 + at, value: (*value).to_owned() };
    CustomField {
        id,
        name: (*name).to_owned(),
        uuid: (*uuid).to_owned(),
        model: (*model).to_owned(),
        kind: (*kind).to_owned(),
        required: false,
        position: id,
        is_multiple: *is_multiple,
        options: ids().zip(*options).map(option).collect(),
    }
}

fn products() -> Vec<Product> {
    vec![
        product(1, "Горнятко керамічне, 350 мл", vec![offer(1, "MUG-350", 1249.5, &[])]),
        product(2, "Чай", vec![offer(2, "TEA-100", 120.0, &[])]),
        product(
            3,
            "Футболка",
            vec![offer(3, "TEE-S", 550.0, &[("Розмір", "S")]), offer(4, "TEE-M", 575.0, &[("Розмір", "M")])],
        ),
    ]
}

fn product(id: u32, name: &str, offers: Vec<Offer>) -> Product {
    Product {
        id,
        name: name.to_owned(),
        description: None,
        thumbnail_url: Some(format!("https://shop.example/pictures/{id}.jpg")),
        unit_type: None,
        currency_code: "UAH".to_owned(),
        category_id: Some(1),
        is_archived: false,
        offers,
    }
}

fn offer(id: u32, sku: &str, price: f64, properties: &[(&str, &str)]) -> Offer {
    let property = |(name, value): &(&str, &str)| Property { name: (*name).to_owned(), value: (*value).to_owned() };
    Offer {
        id,
        sku: sku.to_owned(),
        barcode: None,
        thumbnail_url: None,
        price,
        purchased_price: 0.0,
        quantity: 100.0,
        properties: properties.iter().map(property).collect(),
        is_archived: false,
    }
}

fn user(id: u32, first_name: &str, last_name: &str, username: &str) -> User {
    User {
        id,
        first_name: first_name.to_owned(),
        last_name: last_name.to_owned(),
        username: username.to_owned(),
        email: format!("{username}@shop.example"),
        phone: None,
        role_id: if id == 1 { 1 } else { 2 },
        status: "active".to_owned(),
    }
}

/// The last of the statuses ends the card.
fn pipeline(id: u32, title: &str, first: u32, statuses: &[&str]) -> Pipeline {
    let last = statuses.len();
    let status = |(at, title): (usize, &&str)| PipelineStatus {
        id: first + u32::try_from(at).unwrap_or_default(),
        title: (*title).to_owned(),
        alias: format!("status_{id}_{}", at + 1),
        color: "#69DB7C".to_owned(),
        is_final: at + 1 == last,
    };
    Pipeline {
        id,
        title: title.to_owned(),
        use_payments: true,
        lead_type: "request".to_owned(),
        statuses: statuses.iter().enumerate().map(status).collect(),
    }
}
