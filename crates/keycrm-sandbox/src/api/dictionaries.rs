//! The account's dictionaries as lists.

use serde_json::{Value, json};

use super::allowed::{filters, shape, sort};
use super::call::Call;
use super::page::page;
use super::reply::Reply;
use super::target::Listing;
use crate::crm::Crm;
use crate::directory::{Offer, Product, offer, whole_custom_field};
use crate::filters::{Filter, Sort};
use crate::orders::Shape;

/// What a list allows: associations, filters with the keys that they compare, sorts.
struct Manners {
    includes: &'static [&'static str],
    filters: &'static [&'static str],
    sorts: &'static [&'static str],
}

const PLAIN: Manners = Manners { includes: &[], filters: &[], sorts: &["id"] };

fn manners(listing: Listing) -> Manners {
    match listing {
        Listing::CustomFields => Manners { includes: &["options"], filters: &["model"], sorts: &["position", "id"] },
        Listing::Products => {
            Manners { includes: &["custom_fields"], filters: &["product_id", "category_id", "is_archived"], ..PLAIN }
        }
        Listing::Offers => {
            Manners { includes: &["product"], filters: &["id", "product_id", "sku", "is_archived"], ..PLAIN }
        }
        Listing::Users => Manners { filters: &["id", "full_name", "role_id", "status", "email", "phone"], ..PLAIN },
        _ => PLAIN,
    }
}

/// Answers with one of the dictionaries.
pub(super) fn list(crm: &Crm, call: &Call, listing: Listing) -> Result<Reply, Reply> {
    let manners = manners(listing);
    let shape = shape(crm, call, manners.includes)?;
    let filters = filters(crm, call, manners.filters, true)?;
    let sort = sort(crm, call, manners.sorts, Sort::Ascending)?;
    if listing == Listing::Offers && filters.is_empty() {
        // A catalogue may be large: only the page's rows are rendered.
        let mut found: Vec<(&Product, &Offer)> = shape.directory.all_offers().collect();
        if sort == Sort::Descending {
            found.reverse();
        }
        let body = page(crm, call, &found, |(product, found)| shown_offer(&shape, product, found))?;
        return Ok(Reply::new(200, shape.spelled(body)));
    }
    let Some(mut rows) = rows(crm, listing, &shape) else {
        return Err(Reply::message(404, "Not Found"));
    };
    rows.retain(|row| filters.iter().all(|filter| fits(row, filter, listing)));
    if sort == Sort::Descending {
        rows.reverse();
    }
    let body = match listing {
        // The one list without pages.
        Listing::CustomFields => Value::Array(rows),
        _ => page(crm, call, &rows, Value::clone)?,
    };
    Ok(Reply::new(200, shape.spelled(body)))
}

fn rows(crm: &Crm, listing: Listing, shape: &Shape) -> Option<Vec<Value>> {
    let directory = &*shape.directory;
    Some(match listing {
        Listing::Sources => directory.sources.iter().map(|source| source.to_json()).collect(),
        Listing::Statuses => {
            directory.statuses.iter().filter(|status| status.is_active).map(|status| status.to_json()).collect()
        }
        Listing::PaymentMethods => directory.payment_methods.iter().map(|method| method.to_json()).collect(),
        Listing::DeliveryServices => directory.delivery_services.iter().map(|service| service.to_json()).collect(),
        Listing::Tags => directory.tags.iter().map(|tag| tag.to_json()).collect(),
        Listing::CustomFields => {
            directory.custom_fields.iter().map(|field| whole_custom_field(field, shape.has("options"))).collect()
        }
        Listing::Products => products(shape),
        Listing::Offers => offers(shape),
        Listing::Users => directory.users.iter().map(|user| user.to_json()).collect(),
        Listing::Pipelines => {
            directory.pipelines.iter().map(|pipeline| pipeline.to_json(crm.options.pipeline_label)).collect()
        }
        Listing::PipelineStatuses(id) => statuses(crm, u32::try_from(id).ok()?, shape)?,
    })
}

fn products(shape: &Shape) -> Vec<Value> {
    let shown = shape.directory.products.iter().map(|product| {
        let mut shown = product.to_json();
        if shape.has("custom_fields") {
            shown["custom_fields"] = json!([]);
        }
        shown
    });
    shown.collect()
}

fn offers(shape: &Shape) -> Vec<Value> {
    shape.directory.all_offers().map(|(product, found)| shown_offer(shape, product, found)).collect()
}

fn shown_offer(shape: &Shape, product: &Product, found: &Offer) -> Value {
    let mut shown = offer(product, found);
    if shape.has("product") {
        shown["product"] = product.to_json();
    }
    shown
}

/// The states of one funnel with their cards counted.
fn statuses(crm: &Crm, id: u32, shape: &Shape) -> Option<Vec<Value>> {
    let pipeline = shape.directory.pipeline(id)?;
    let account = crm.account();
    let count =
        |status: u32| account.cards.rows().iter().filter(|card| *card.get("status_id") == json!(status)).count();
    Some(pipeline.statuses.iter().map(|status| status.to_json(id, count(status.id))).collect())
}

fn fits(row: &Value, filter: &Filter, listing: Listing) -> bool {
    let key = match (filter.name.as_str(), listing) {
        ("product_id", Listing::Products) => "id",
        (name, _) => name,
    };
    match &row[key] {
        Value::Bool(value) => filter.means(*value),
        Value::String(text) => filter.has(text),
        other => filter.has(&other.to_string()),
    }
}
