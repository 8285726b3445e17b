//! What each problem means and what to do, in the reader's language.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use minijinja::context;
use parom_core::Code;

use super::guard::Caller;
use super::{Ui, page};

pub(super) async fn list(State(ui): State<Ui>, Extension(caller): Extension<Caller>) -> Response {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    page::page(&ui, &caller, "problems.html", context! { codes })
}

pub(super) async fn show(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Path(code): Path<String>,
) -> Response {
    if Code::ALL.iter().all(|known| known.as_str() != code) {
        return page::refused(&ui, &caller, StatusCode::NOT_FOUND, "no-such-problem");
    }
    page::page(&ui, &caller, "problem.html", context! { code })
}
