//! Paging: the twelve keys of Laravel's paginator.

use serde_json::{Value, json};

use super::call::Call;
use super::reply::Reply;
use crate::crm::Crm;
use crate::fields::FieldErrors;

/// Rows on a page where the request names no number.
const DEFAULT_LIMIT: usize = 15;
/// Most rows on a page.
const MAX_LIMIT: usize = 50;

/// The number of a page or of its rows: absent, or positive.
fn number(call: &Call, key: &str) -> Result<Option<usize>, Reply> {
    let Some(text) = call.param(key) else { return Ok(None) };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    // Digits beyond any page are the last page there could be.
    match digits.then(|| text.parse::<usize>().unwrap_or(usize::MAX)) {
        Some(number) if number > 0 => Ok(Some(number)),
        _ => Err(FieldErrors::one(key, &format!("The {key} must be at least 1.")).into()),
    }
}

/// The answer with the page of `found` that the request names.
pub(super) fn page<T>(crm: &Crm, call: &Call, found: &[T], render: impl Fn(&T) -> Value) -> Result<Value, Reply> {
    let limit = number(call, "limit")?.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT);
    let page = number(call, "page")?.unwrap_or(1);
    let skipped = (page - 1).saturating_mul(limit);
    let data: Vec<Value> = found.iter().skip(skipped).take(limit).map(render).collect();
    let total = found.len();
    let last_page = total.div_ceil(limit).max(1);
    let path = format!("{}{}", crm.api_url, call.path.strip_prefix("/v1").unwrap_or_default());
    let url = |page: usize| json!(page_url(&path, call, page));
    let from = (!data.is_empty()).then(|| skipped + 1);
    let to = (!data.is_empty()).then(|| skipped + data.len());
    Ok(json!({
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
    }))
}

fn page_url(path: &str, call: &Call, page: usize) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(call.query.iter().filter(|(key, _)| key != "page"));
    query.append_pair("page", &page.to_string());
    format!("{path}?{}", query.finish())
}
