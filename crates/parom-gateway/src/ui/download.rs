//! Orders to take away, by the filter of the table: CSV, XLSX, NDJSON.

use axum::Extension;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use http_body_util::StreamBody;
use hyper::body::Frame;
use serde::Deserialize;

use super::guard::Caller;
use super::orders::{Asked, filter};
use super::{Ui, page};
use crate::export;
use crate::store::{Filter, Scope, Store, StoreError, Summary};

/// Orders read at once.
const PAGE: usize = 500;
/// Rows of a workbook: it is made whole in memory.
const SHEET: usize = 50_000;

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    format: String,
}

pub(super) async fn file(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let Ok(Query(asked)) = asked else {
        return page::refused(&ui, &caller, StatusCode::BAD_REQUEST, "no-such-page");
    };
    let filter = Filter { before: None, limit: PAGE, ..filter(&asked, true) };
    let store = ui.intake.store.clone();
    if !matches!(wanted.format.as_str(), "csv" | "ndjson" | "xlsx") {
        return page::refused(&ui, &caller, StatusCode::NOT_FOUND, "no-such-page");
    }
    // Who took buyers away stands in the audit before the first of them goes.
    if let Err(error) = store.audit(&caller.name, "orders exported", &format!("as {}", wanted.format)).await {
        return page::store_down(&ui, &caller, &error);
    }
    let scope = caller.scope.clone();
    match wanted.format.as_str() {
        "csv" => streamed("text/csv; charset=utf-8", "orders.csv", store, scope, filter, true),
        "ndjson" => streamed("application/x-ndjson", "orders.ndjson", store, scope, filter, false),
        "xlsx" => workbook(&ui, &caller, &store, scope, filter).await,
        _ => page::refused(&ui, &caller, StatusCode::NOT_FOUND, "no-such-page"),
    }
}

/// Page by page, as fast as the browser takes it: any number of orders in the memory of one page.
fn streamed(kind: &'static str, name: &str, store: Store, scope: Scope, filter: Filter, table: bool) -> Response {
    let head = if table { format!("\u{feff}{}", export::csv_head()) } else { String::new() };
    let begin = (store, scope, Some(filter), head);
    let rows = futures_util::stream::unfold(begin, move |(store, scope, filter, mut text)| async move {
        let mut filter = filter?;
        let failed = |error: StoreError| Err(std::io::Error::other(error.to_string()));
        let page = match store.orders(&scope, filter.clone()).await {
            Ok(page) => page,
            // The connection breaks: a file that ends early must not look whole.
            Err(error) => return Some((failed(error), (store, scope, None, String::new()))),
        };
        for order in &page {
            if table {
                text.push_str(&export::csv_row(order));
                continue;
            }
            match store.order_by_id(&order.id).await {
                Ok(order) => text.extend(order.iter().map(export::ndjson_row)),
                Err(error) => return Some((failed(error), (store, scope, None, String::new()))),
            }
        }
        filter.before = page.last().map(|order| order.seq);
        let next = (page.len() == PAGE).then_some(filter);
        Some((Ok(Frame::data(Bytes::from(text))), (store, scope, next, String::new())))
    });
    attachment(kind, name, Body::new(StreamBody::new(rows)))
}

async fn workbook(ui: &Ui, caller: &Caller, store: &Store, scope: Scope, mut filter: Filter) -> Response {
    let mut orders: Vec<Summary> = Vec::new();
    loop {
        if orders.len() > SHEET {
            return page::refused(ui, caller, StatusCode::PAYLOAD_TOO_LARGE, "too-many-rows");
        }
        let page = match store.orders(&scope, filter.clone()).await {
            Ok(page) => page,
            Err(error) => return page::store_down(ui, caller, &error),
        };
        let full = page.len() == PAGE;
        filter.before = page.last().map(|order| order.seq);
        orders.extend(page);
        if !full {
            break;
        }
    }
    match tokio::task::spawn_blocking(move || export::xlsx(&orders)).await {
        Ok(Ok(bytes)) => {
            let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
            attachment(kind, "orders.xlsx", Body::from(bytes))
        }
        _ => page::refused(ui, caller, StatusCode::INTERNAL_SERVER_ERROR, "page-failed"),
    }
}

fn attachment(kind: &'static str, name: &str, body: Body) -> Response {
    let headers = [
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, body).into_response()
}
