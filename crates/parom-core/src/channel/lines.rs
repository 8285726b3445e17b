//! What each line of a list has to map, whatever comes: without it every order would be held, or lose the line.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::checks;
use super::finding::{Findings, Severity};
use crate::mapping::{Place, Rules};
use crate::problem::Code;

/// One thing that a line needs.
struct Need {
    list: &'static str,
    /// One of these fields.
    fields: &'static [&'static str],
    /// An error holds every order; without a custom field an order goes.
    severity: Severity,
    message: &'static str,
    hint: &'static str,
}

const NEEDS: [Need; 5] = [
    Need {
        list: "products",
        fields: &["name", "sku"],
        severity: Severity::Error,
        message: "a product without name and sku",
        hint: "Map the name or the sku of the product.",
    },
    Need {
        list: "payments",
        fields: &["amount"],
        severity: Severity::Error,
        message: "a payment without an amount",
        hint: "Map payments.amount.",
    },
    Need {
        list: "payments",
        fields: &["payment_method_id", "payment_method"],
        severity: Severity::Error,
        message: "a payment without a method",
        hint: "Map payment_method_id (the id in the CRM) or payment_method (its name).",
    },
    Need {
        list: "custom_fields",
        fields: &["uuid", "name"],
        severity: Severity::Warning,
        message: "a custom field without its uuid",
        hint: "Add its uuid, as LD_1021 or OR_1037, or its name; both stand in the CRM's settings.",
    },
    Need {
        list: "custom_fields",
        fields: &["value"],
        severity: Severity::Warning,
        message: "a custom field without a value",
        hint: "Map its value, or take the field out.",
    },
];

/// What the lines of `[order]`, `[card]` or `[update]` lack.
pub(super) fn check(rules: &Rules, table: &DeTable<'_>, name: &str, findings: &mut Findings<'_>) {
    for need in &NEEDS {
        let Some(Place::List(lines)) = rules.find(need.list) else { continue };
        for (index, line) in lines.iter().enumerate() {
            if !line.assigns.iter().any(|assign| need.fields.contains(&assign.name) && checks::filled(assign)) {
                let path = format!("{name}.{}.{index}", need.list);
                let at = place(table, name, need.list, index);
                findings.add(need.severity, at, &path, Code::Required, need.message.to_owned(), need.hint);
            }
        }
    }
}

/// Where a line stands; where it is a preset's, the table around it.
fn place(table: &DeTable<'_>, name: &str, list: &str, index: usize) -> Range<usize> {
    let Some(around) = table.get(name) else { return 0..0 };
    let lines = around.get_ref().as_table().and_then(|rules| rules.get(list));
    match lines.map(|lines| lines.get_ref()) {
        Some(DeValue::Array(lines)) => lines.get(index).map_or_else(|| around.span(), |line| line.span()),
        _ => around.span(),
    }
}
