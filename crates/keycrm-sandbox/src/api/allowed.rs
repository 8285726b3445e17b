//! What a request may ask of a list: filters, associations, a sort. Anything else is refused in the words of the
//! query library that the CRM is built on.

use super::call::Call;
use super::reply::Reply;
use crate::crm::Crm;
use crate::filters::{Filter, Sort};
use crate::options::UnknownFilter;
use crate::orders::Shape;

/// The associations that `include` names.
pub(super) fn shape(crm: &Crm, call: &Call, allowed: &[&str]) -> Result<Shape, Reply> {
    let named = call.param("include").unwrap_or_default();
    let mut shape = Shape::flat(crm.options.dates, crm.directory());
    for name in named.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if !allowed.contains(&name) {
            refuse_unknown(crm, "include", name, allowed)?;
        } else {
            shape.includes.push(name.to_owned());
        }
    }
    Ok(shape)
}

/// The filters; `by_comma` splits their texts into lists.
pub(super) fn filters(crm: &Crm, call: &Call, allowed: &[&str], by_comma: bool) -> Result<Vec<Filter>, Reply> {
    let mut filters = Vec::new();
    for (key, text) in &call.query {
        let name = key.strip_prefix("filter[").and_then(|rest| rest.strip_suffix(']'));
        let Some(name) = name else { continue };
        if !allowed.contains(&name) {
            refuse_unknown(crm, "filter", name, allowed)?;
        } else if !text.is_empty() {
            filters.push(Filter::new(name, text, by_comma));
        }
    }
    Ok(filters)
}

/// The named sort, or the list's own.
pub(super) fn sort(crm: &Crm, call: &Call, allowed: &[&str], own: Sort) -> Result<Sort, Reply> {
    let Some(named) = call.param("sort") else { return Ok(own) };
    let (sort, key) = match named.strip_prefix('-') {
        Some(key) => (Sort::Descending, key),
        None => (Sort::Ascending, named),
    };
    if !allowed.contains(&key) {
        refuse_unknown(crm, "sort", key, allowed)?;
        return Ok(own);
    }
    Ok(sort)
}

fn refuse_unknown(crm: &Crm, what: &str, name: &str, allowed: &[&str]) -> Result<(), Reply> {
    if crm.options.unknown_filter == UnknownFilter::Ignore {
        return Ok(());
    }
    let allowed = if allowed.is_empty() {
        "There are no allowed ones.".to_owned()
    } else {
        format!("Allowed {what}(s) are `{}`.", allowed.join(", "))
    };
    Err(Reply::message(400, &format!("Requested {what}(s) `{name}` are not allowed. {allowed}")))
}
