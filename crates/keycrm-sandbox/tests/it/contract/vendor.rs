//! The vendor's OpenAPI file, where it is at hand, and the places where live answers differ from it.

use std::path::Path;

use serde_json::Value;

use super::run::Answered;

/// Beside the project, not in it: the file is the vendor's.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/reference/keycrm-openapi.yml");

/// Deviations that are meant: what is found there, why, and the ends of the places. Evidence is what public authors
/// recorded of the live API.
const MEANT: &[(&str, &str, &[&str])] = &[
    ("null", "a saved real list has null on its last page", &[".next_page_url"]),
    (
        "null",
        "a saved real answer of offers has nulls in what a variant lacks",
        &[".barcode", ".weight", ".length", ".width", ".height"],
    ),
    (
        "null",
        "the same, of products; one with variants has no price or SKU of its own",
        &[".description", ".data[].sku", ".product.sku", ".data[].price", ".data[].purchased_price"],
    ),
    (
        "null",
        "real webhooks show an open order with null here; create documents null for what was not given",
        &[".closed_at", ".last_synced_at", ".promocode", ".shipping_date_actual", ".shipping_secondary_line"],
    ),
    (
        "null",
        "a line outside the catalogue, which the vendor's text on changes names, has no offer",
        &[
            "products[].offer",
            "products[].product_id",
            "products[].sku",
            "products[].comment",
            "products[].product_status_id",
            "products[].purchased_price",
        ],
    ),
    ("null", "an association that is not there is null in Laravel", &[".manager", ".company"]),
    ("null", "create documents a buyer without a name", &["/buyer.data[].full_name"]),
    ("null", "optional on create, and not given", &[".communicate_at", ".social_id", ".social_name"]),
    ("no string", "a select takes an array of strings, as the vendor's help has it", &["custom_fields[].value"]),
];

/// The one answer whose schema is a slip: a single card is described as a list of cards.
const SINGLE_CARD: (&str, &str) = ("GET /pipelines/cards/{id}", "#/components/schemas/PipelineCardWithIncludes");

pub(super) struct Contract(Value);

impl Contract {
    pub(super) fn read() -> Option<Self> {
        let text = std::fs::read_to_string(Path::new(FILE)).ok()?;
        Some(Self(serde_yaml_ng::from_str(&text).expect("the vendor's file reads")))
    }

    /// Where an answer strays from the vendor's schema and is not meant to.
    pub(super) fn deviations(&self, answer: &Answered) -> Vec<String> {
        let at = format!("{} {}", answer.method, answer.path);
        let method = answer.method.to_lowercase();
        let is_it = |path: &str| path.split('/').map(general).eq(answer.path.split('/').map(general));
        let paths = self.0["paths"].as_object().into_iter().flatten();
        let Some((_, path)) = paths.into_iter().find(|(path, _)| is_it(path)) else {
            return vec![format!("{at}: not in the vendor's file")];
        };
        let mut found = Vec::new();
        let response = &path[method]["responses"][answer.status.to_string()];
        if response.is_null() {
            found.push((at.clone(), format!("undocumented {}", answer.status)));
        }
        let slip = serde_json::json!({"$ref": SINGLE_CARD.1});
        let schema = if at == SINGLE_CARD.0 { &slip } else { &response["content"]["application/json"]["schema"] };
        self.check(schema, &answer.body, &at, &mut found);
        let unmeant = found.into_iter().filter(|(at, what)| !is_meant(at, what));
        unmeant.map(|(at, what)| format!("{at}: {what}")).collect()
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, found: &mut Vec<(String, String)>) {
        if let Some(path) = schema["$ref"].as_str() {
            let schema = self.0.pointer(path.trim_start_matches('#')).unwrap_or(&Value::Null);
            self.check(schema, value, at, found);
            return;
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.check(part, value, at, found);
        }
        if value.is_null() {
            if schema["type"].is_string() && schema["nullable"] != true {
                found.push((at.to_owned(), "null".to_owned()));
            }
            return;
        }
        let kind = schema["type"].as_str().unwrap_or_default();
        if !is_a(value, kind) {
            found.push((at.to_owned(), format!("no {kind}")));
            return;
        }
        if schema["enum"].as_array().is_some_and(|choices| !choices.contains(value)) {
            found.push((at.to_owned(), format!("{value} is not in the enum")));
        }
        self.check_parts(schema, value, at, found);
    }

    fn check_parts(&self, schema: &Value, value: &Value, at: &str, found: &mut Vec<(String, String)>) {
        for member in value.as_array().into_iter().flatten() {
            self.check(&schema["items"], member, &format!("{at}[]"), found);
        }
        // The vendor's file has `required` beside lists, where it means nothing.
        if !value.is_object() {
            return;
        }
        for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if value.get(key).is_none() {
                found.push((format!("{at}.{key}"), "missing".to_owned()));
            }
        }
        for (key, part) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(field) = value.get(key) {
                self.check(part, field, &format!("{at}.{key}"), found);
            }
        }
    }
}

/// Every id is the same part of a path.
fn general(part: &str) -> &str {
    if part.starts_with('{') { "{id}" } else { part }
}

fn is_a(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        _ => true,
    }
}

fn is_meant(at: &str, what: &str) -> bool {
    MEANT.iter().any(|(meant, _, ends)| what == *meant && ends.iter().any(|end| at.ends_with(end)))
}
