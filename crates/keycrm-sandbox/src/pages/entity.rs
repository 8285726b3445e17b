//! One order or card with every field that was sent, under the CRM's own names.

use serde_json::{Map, Value, json};

use super::html::{escape, frame, show};
use crate::directory::Directory;

/// What the page of a kind of entity has.
pub(super) struct Kind {
    title: &'static str,
    list: (&'static str, &'static str),
    raw: &'static str,
    /// The field beside the heading.
    label: &'static str,
    comments: &'static [&'static str],
    /// Associations in their order on the page; everything else is the first group.
    groups: &'static [(&'static str, &'static str)],
    /// Associations that the sandbox never fills.
    unfilled: &'static [&'static str],
}

pub(super) const ORDER: Kind = Kind {
    title: "Order",
    list: ("/", "All orders"),
    raw: "/_sandbox/orders",
    label: "source_uuid",
    comments: &["buyer_comment", "manager_comment", "gift_message"],
    groups: &[
        ("buyer", "Buyer"),
        ("status", "Status"),
        ("manager", "Manager"),
        ("tags", "Tags"),
        ("shipping", "Shipping"),
        ("marketing", "Marketing"),
        ("products", "Products"),
        ("payments", "Payments"),
        ("custom_fields", "Custom fields"),
    ],
    unfilled: &["expenses", "assigned"],
};

pub(super) const CARD: Kind = Kind {
    title: "Card",
    list: ("/cards", "All cards"),
    raw: "/_sandbox/cards",
    label: "title",
    comments: &["manager_comment", "note"],
    groups: &[
        ("contact", "Contact"),
        ("status", "Status"),
        ("manager", "Manager"),
        ("products", "Products"),
        ("payments", "Payments"),
        ("custom_fields", "Custom fields"),
    ],
    unfilled: &[],
};

impl Kind {
    /// The page of an entity with all associations.
    pub(super) fn page(&self, mut entity: Value, source_name: &str, directory: &Directory) -> String {
        name_methods(&mut entity, directory);
        let id = show(&entity["id"]);
        let nothing = Map::new();
        let fields = entity.as_object().unwrap_or(&nothing);
        let is_group = |key: &str| self.groups.iter().any(|(group, _)| *group == key) || self.unfilled.contains(&key);
        let flat = |wanted_comment: bool| {
            let chosen = fields.iter().filter(|(key, _)| !is_group(key));
            rows(chosen.filter(|(key, _)| self.comments.contains(&key.as_str()) == wanted_comment), "")
        };
        let (list, list_name) = self.list;
        let mut body = format!(
            "<header><p><a href=\"{list}\">{list_name}</a></p><h1>{} {id} <small>{}</small></h1>\
             <p>{} · <a href=\"{}/{id}\">Raw JSON</a></p></header>\n<main class=\"groups\">\n",
            self.title,
            show(&entity[self.label]),
            escape(source_name),
            self.raw,
        );
        body.push_str(&section(self.title, &flat(false)));
        body.push_str(&section("Comments", &flat(true)));
        for (key, title) in self.groups {
            body.push_str(&section(title, &group(key, &entity[*key])));
        }
        body.push_str("</main>\n");
        frame(&format!("{} {}", self.title, entity["id"]), "", &body)
    }

    /// The page of one that is not there.
    pub(super) fn missing(&self) -> String {
        let (list, list_name) = self.list;
        let title = format!("No such {}", self.title.to_lowercase());
        frame(&title, "", &format!("<header><p><a href=\"{list}\">{list_name}</a></p><h1>{title}</h1></header>\n"))
    }
}

/// People know methods by name; the API shows ids alone.
fn name_methods(entity: &mut Value, directory: &Directory) {
    for payment in entity["payments"].as_array_mut().into_iter().flatten() {
        let id = payment["payment_method_id"].as_u64().and_then(|id| u32::try_from(id).ok());
        if let Some(method) = id.and_then(|id| directory.payment_method(id)) {
            payment["payment_method"] = json!(method.name);
        }
    }
}

fn section(title: &str, content: &str) -> String {
    if content.is_empty() {
        return String::new();
    }
    format!("<section class=\"panel\"><h2>{title}</h2>{content}</section>\n")
}

/// An association: one table of an object, or one table for each member of a list.
fn group(key: &str, value: &Value) -> String {
    match value {
        Value::Object(fields) => rows(fields.iter(), &format!("{key}.")),
        Value::Array(members) => {
            let objects = members.iter().filter_map(Value::as_object).enumerate();
            objects.map(|(at, fields)| rows(fields.iter(), &format!("{key}[{at}]."))).collect()
        }
        _ => String::new(),
    }
}

/// Fields that have a value, each under its full name.
fn rows<'a>(fields: impl Iterator<Item = (&'a String, &'a Value)>, prefix: &str) -> String {
    let filled = fields.filter(|(_, value)| !value.is_null() && **value != Value::Array(Vec::new()));
    let rows: String = filled
        .map(|(key, value)| format!("<tr><th>{}{}</th><td>{}</td></tr>\n", escape(prefix), escape(key), cell(value)))
        .collect();
    if rows.is_empty() { rows } else { format!("<table class=\"fields\"><tbody>{rows}</tbody></table>\n") }
}

/// A value; the properties of a product line are a list of their own, and a nested entity is its label.
fn cell(value: &Value) -> String {
    let label = ["sku", "name", "full_name"].iter().find_map(|key| value.get(key));
    if let Some(label) = label {
        return format!("{} <small>{}</small>", show(label), show(&value["id"]));
    }
    let pairs: Option<Vec<String>> = value.as_array().and_then(|members| {
        let pair = |member: &Value| Some(format!("{}: {}", show(member.get("name")?), show(member.get("value")?)));
        members.iter().map(pair).collect()
    });
    match pairs {
        Some(pairs) => pairs.iter().map(|pair| format!("<div>{pair}</div>")).collect(),
        None => show(value),
    }
}
