//! `GET /order`: filters, paging, the twelve keys of Laravel's paginator.

use serde_json::{Value, json};

use super::call::Call;
use super::reply::Reply;
use super::run::Twist;
use crate::crm::Crm;
use crate::options::UnknownFilter;
use crate::orders::{FILTERS, INCLUDES, Query, Shape, Sort, render};

/// Rows on a page where the request names no number.
const DEFAULT_LIMIT: usize = 15;
/// Most rows on a page.
const MAX_LIMIT: usize = 50;
const SORTS: &[&str] = &["id", "created_at", "updated_at"];

pub(super) fn list(crm: &Crm, call: &Call, twist: Twist) -> Reply {
    match (shape(crm, call), query(crm, call), sort(crm, call)) {
        (Ok(shape), Ok(query), Ok(sort)) => {
            let query = if twist == Twist::IgnoreFilter { Query::default() } else { query };
            Reply::new(200, page(crm, call, &query, sort, &shape, twist))
        }
        (Err(refusal), _, _) | (_, Err(refusal), _) | (_, _, Err(refusal)) => refusal,
    }
}

/// The associations that `include` names.
pub(super) fn shape(crm: &Crm, call: &Call) -> Result<Shape, Reply> {
    let named = call.param("include").unwrap_or_default();
    let includes: Vec<String> = named.split(',').map(|name| name.trim().to_owned()).collect();
    let unknown = includes.iter().find(|name| !name.is_empty() && !INCLUDES.contains(&name.as_str()));
    refuse_unknown(crm, "include", unknown, INCLUDES)?;
    Ok(Shape { includes, dates: crm.options.dates })
}

fn query(crm: &Crm, call: &Call) -> Result<Query, Reply> {
    let mut query = Query::default();
    for (key, text) in &call.query {
        let name = key.strip_prefix("filter[").and_then(|rest| rest.strip_suffix(']'));
        let Some(name) = name else { continue };
        if !FILTERS.contains(&name) {
            refuse_unknown(crm, "filter", Some(&name.to_owned()), FILTERS)?;
        } else if !text.is_empty() {
            query.add(name, text, crm.options.multi_lookup);
        }
    }
    Ok(query)
}

fn sort(crm: &Crm, call: &Call) -> Result<Sort, Reply> {
    let named = call.param("sort").unwrap_or("-id");
    let (sort, key) = match named.strip_prefix('-') {
        Some(key) => (Sort::Descending, key),
        None => (Sort::Ascending, named),
    };
    let unknown = (!SORTS.contains(&key)).then(|| key.to_owned());
    refuse_unknown(crm, "sort", unknown.as_ref(), SORTS)?;
    Ok(sort)
}

/// 400 in the words of the query library that the CRM is built on.
fn refuse_unknown(crm: &Crm, what: &str, unknown: Option<&String>, allowed: &[&str]) -> Result<(), Reply> {
    match unknown {
        Some(name) if crm.options.unknown_filter == UnknownFilter::BadRequest => {
            let allowed = allowed.join(", ");
            let text = format!("Requested {what}(s) `{name}` are not allowed. Allowed {what}(s) are `{allowed}`.");
            Err(Reply::message(400, &text))
        }
        _ => Ok(()),
    }
}

fn page(crm: &Crm, call: &Call, query: &Query, sort: Sort, shape: &Shape, twist: Twist) -> Value {
    let number = |key: &str| call.param(key).and_then(|text| text.parse::<usize>().ok());
    let limit = number("limit").unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let page = number("page").unwrap_or(1).max(1);
    let skipped = (page - 1).saturating_mul(limit);
    let book = crm.book();
    let found = if twist == Twist::Empty { Vec::new() } else { query.run(&book, sort) };
    let rows = found.iter().skip(skipped).take(limit).map(|record| render(&record.line, shape));
    let data: Vec<Value> = rows.collect();
    let total = found.len();
    let last_page = total.div_ceil(limit).max(1);
    let path = format!("{}/order", crm.api_url);
    let url = |page: usize| json!(page_url(&path, call, page));
    let from = (!data.is_empty()).then_some(skipped + 1);
    let to = (!data.is_empty()).then_some(skipped + data.len());
    json!({
        "current_page": page,
        "data": data,
        "first_page_url": url(1),
        "from": from,
        "last_page": last_page,
        "last_page_url": url(last_page),
        "next_page_url": if page < last_page { url(page + 1) } else { Value::Null },
        "path": path,
        "per_page": limit,
        "prev_page_url": if page > 1 { url(page - 1) } else { Value::Null },
        "to": to,
        "total": total,
    })
}

fn page_url(path: &str, call: &Call, page: usize) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(call.query.iter().filter(|(key, _)| key != "page"));
    query.append_pair("page", &page.to_string());
    format!("{path}?{}", query.finish())
}
