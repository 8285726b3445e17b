//! Findings about the channel as a whole, and about names in its expressions.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use toml::de::DeTable;

use super::finding::Findings;
use super::{Channel, TargetRule, lines, spam};
use crate::convert::is_empty;
use crate::mapping::{Assign, Expr, Place};
use crate::order::Target;
use crate::presets;
use crate::problem::Code;

pub(super) fn check(channel: &Channel, table: &DeTable<'_>, findings: &mut Findings<'_>) {
    signing(channel, table, findings);
    spam::check(channel, table, findings);
    update(channel, table, findings);
    let at = table.get("order").or_else(|| table.get("card")).map_or(0..0, |order| order.span());
    if !channel.has_mapping() {
        if channel.learn {
            let message = "the channel learns: what comes is kept as a sample, and held";
            let hint = "Write the mapping from a sample: parom channel suggest NAME.";
            findings.warn(at, "order", Code::NoMapping, message, hint);
        } else if channel.access.token.is_some() {
            let message = "the channel has no mapping: it serves drop-in requests alone, and holds forms";
            findings.warn(at, "order", Code::NoMapping, message, "Add [order.buyer] and the rest to take forms.");
        } else {
            let hint = "Add [order] with source_id, [order.buyer] and [[order.products]].";
            findings.error(at, "order", Code::NoMapping, "the channel maps nothing", hint);
        }
        return;
    }
    let orders = !matches!(channel.target, TargetRule::Always(Target::Card));
    if !orders {
        lines::check(&channel.card_rules, table, "card", findings);
        return card(channel, at, findings);
    }
    if channel.rules.find("source_id").is_none() && channel.rules.find("source").is_none() {
        let hint = "Add order.source_id = 22, with the id of a source in the CRM, or order.source = \"its name\".";
        findings.error(at.clone(), "order.source_id", Code::Required, "the order names no source", hint);
    }
    if matches!(channel.rules.find("source_uuid"), Some(Place::Value(expr)) if expr.is_constant()) {
        let message = "every order would have the same number: the second is held";
        let hint = "Use an expression that gives each order its own, or leave it out: Parom makes one.";
        findings.error(at.clone(), "order.source_uuid", Code::InvalidSetting, message, hint);
    }
    if !matches!(channel.rules.find("buyer"), Some(Place::Object(fields)) if fields.iter().any(filled)) {
        let hint = "Map one of buyer.full_name, buyer.email and buyer.phone at least.";
        findings.error(at.clone(), "order.buyer", Code::NoContact, "the order has no buyer", hint);
    }
    let mapped = |path: &str| channel.rules.find(path).is_some();
    let service = mapped("shipping.delivery_service_id") || mapped("shipping.delivery_service");
    // Who looks for branches has the directory, and with the account's one Nova Poshta the service follows.
    let looks = matches!(channel.rules.find("shipping.warehouse_ref"), Some(Place::Value(expr))
        if expr.sources().iter().any(|source| source.contains("np_branch")));
    if mapped("shipping.warehouse_ref") && !service && !looks {
        let message = "warehouse_ref without delivery_service_id: every branch would be left out";
        let hint = "Add order.shipping.delivery_service_id, the id of Nova Poshta in the CRM.";
        findings.warn(at.clone(), "order.shipping.warehouse_ref", Code::NeedsDeliveryService, message, hint);
    }
    lines::check(&channel.rules, table, "order", findings);
    lines::check(&channel.card_rules, table, "card", findings);
}

/// Only an order of a sender that names its orders can be changed later.
fn update(channel: &Channel, table: &DeTable<'_>, findings: &mut Findings<'_>) {
    let Some(at) = table.get("update").map(|update| update.span()) else {
        return;
    };
    if channel.preset.is_none() || matches!(channel.target, TargetRule::Always(Target::Card)) {
        let message = "[update] needs a `format` whose sender tells of its orders again, and a target of orders";
        let hint = "Senders that do: tilda, woocommerce, opencart, shopify, prom.";
        findings.error(at, "update", Code::InvalidSetting, message, hint);
    }
    lines::check(&channel.update_rules, table, "update", findings);
}

/// A secret needs a sender that signs, and a sender that signs a secret.
fn signing(channel: &Channel, table: &DeTable<'_>, findings: &mut Findings<'_>) {
    let signs = channel.preset.and_then(|preset| preset.signing.as_ref());
    let at = |key: &str| table.get(key).map_or(0..0, |value| value.span());
    if signs.is_none() && !channel.access.secrets.is_empty() {
        let signing = presets::all().iter().filter(|preset| preset.signing.is_some());
        let names: Vec<&str> = signing.map(|preset| preset.name).collect();
        let hint = format!("Senders that sign: {}. Others use access.token.", names.join(", "));
        let message = "`access.secret` needs a `format` whose sender signs its requests";
        findings.error(at("access"), "access.secret", Code::InvalidSetting, message, &hint);
    }
    if signs.is_some() && channel.access.secrets.is_empty() && channel.access.token.is_none() {
        let message = "the sender's signature is not looked at: anybody who knows the address can send orders";
        let hint = "Set access.secret = { env = \"NAME\" } to the secret that the sender signs by.";
        findings.warn(at("format"), "access.secret", Code::Unsigned, message, hint);
    }
}

/// Whether a rule can give anything at all.
pub(super) fn filled(assign: &Assign) -> bool {
    !matches!(&assign.place, Place::Value(Expr::Constant(value)) if is_empty(value))
}

/// A card needs a contact, by its own rules or by the order's buyer.
fn card(channel: &Channel, at: Range<usize>, findings: &mut Findings<'_>) {
    let has = |place: Option<&Place>| matches!(place, Some(Place::Object(fields)) if fields.iter().any(filled));
    if !has(channel.card_rules.find("contact")) && !has(channel.rules.find("buyer")) {
        let hint = "Map one of card.contact.full_name, card.contact.email and card.contact.phone at least.";
        findings.error(at, "card.contact", Code::NoContact, "the card has no contact", hint);
    }
}

/// `{{ your-phone }}` is `your` minus `phone` to the engine, and never what was meant.
pub(super) fn names(expr: &Expr, at: Range<usize>, path: &str, findings: &mut Findings<'_>) {
    static QUOTED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#""[^"]*"|'[^']*'"#).ok());
    static HYPHEN: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"[\p{L}_][\p{L}\d_]*(?:-[\p{L}_][\p{L}\d_]*)+").ok());
    let (Some(quoted), Some(hyphen)) = (&*QUOTED, &*HYPHEN) else {
        return;
    };
    for source in expr.sources() {
        let bare = quoted.replace_all(source, "''");
        if let Some(found) = hyphen.find(&bare) {
            let name = found.as_str();
            let message = format!("`{name}` reads as a subtraction");
            findings.warn(
                at.clone(),
                path,
                Code::HyphenatedName,
                message,
                &format!("Write {{{{ form[\"{name}\"] }}}}."),
            );
        }
    }
}
