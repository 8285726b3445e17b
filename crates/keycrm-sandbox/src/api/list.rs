//! Lists of orders, cards and buyers.

use serde_json::Value;

use super::allowed::{filters, shape, sort};
use super::call::Call;
use super::page::page;
use super::reply::Reply;
use super::run::Twist;
use crate::crm::Crm;
use crate::filters::{Filter, Sort};
use crate::{buyers, cards, orders};

const SORTS: &[&str] = &["id", "created_at", "updated_at"];

/// `GET /order`.
pub(super) fn orders(crm: &Crm, call: &Call, twist: Twist) -> Result<Reply, Reply> {
    let shape = shape(crm, call, orders::INCLUDES)?;
    let filters = twisted(filters(crm, call, orders::FILTERS, crm.options.multi_lookup)?, twist);
    let sort = sort(crm, call, SORTS, Sort::Descending)?;
    let account = crm.account();
    let found = if twist == Twist::Empty { Vec::new() } else { orders::find(&account.orders, &filters, sort) };
    page(crm, call, &found, |record| orders::render(&record.line, &shape)).map(ok)
}

/// `GET /pipelines/cards`.
pub(super) fn cards(crm: &Crm, call: &Call, twist: Twist) -> Result<Reply, Reply> {
    let shape = shape(crm, call, cards::INCLUDES)?;
    let filters = twisted(filters(crm, call, cards::FILTERS, true)?, twist);
    let sort = sort(crm, call, SORTS, Sort::Descending)?;
    let account = crm.account();
    let rows: &[cards::Card] = if twist == Twist::Empty { &[] } else { account.cards.rows() };
    let found = select(rows, sort, |card| filters.iter().all(|filter| card.fits(filter)));
    page(crm, call, &found, |card| cards::render(card, &account.buyers, &shape)).map(ok)
}

/// `GET /buyer`.
pub(super) fn buyers(crm: &Crm, call: &Call) -> Result<Reply, Reply> {
    let shape = shape(crm, call, buyers::INCLUDES)?;
    let filters = filters(crm, call, buyers::FILTERS, true)?;
    let sort = sort(crm, call, SORTS, Sort::Ascending)?;
    let account = crm.account();
    let found = select(account.buyers.rows(), sort, |buyer| filters.iter().all(|filter| buyer.fits(filter)));
    page(crm, call, &found, |buyer| buyers::render(buyer, &shape)).map(ok)
}

fn ok(body: Value) -> Reply {
    Reply::new(200, body)
}

fn twisted(filters: Vec<Filter>, twist: Twist) -> Vec<Filter> {
    if twist == Twist::IgnoreFilter { Vec::new() } else { filters }
}

fn select<T>(rows: &[T], sort: Sort, fits: impl Fn(&T) -> bool) -> Vec<&T> {
    let mut found: Vec<&T> = rows.iter().filter(|row| fits(row)).collect();
    if sort == Sort::Descending {
        found.reverse();
    }
    found
}
