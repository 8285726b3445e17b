//! Whatever is asked for beside the routes: a page for whoever opened it in a browser, the one shape of errors for a program.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;

use super::headers::{self, Common};
use crate::config::Config;
use crate::intake;

/// Adds what answers beside the routes.
pub(super) fn nothing_else(router: Router, config: &Config) -> Router {
    let common = Common::of_senders(config);
    router
        .fallback(|headers: HeaderMap| async move { nothing(&headers) })
        .method_not_allowed_fallback(no_such_method)
        .layer(middleware::from_fn(|request: Request, next: Next| async {
            // No name has other bytes than a text.
            let path = request.uri().path();
            if path.contains('%') && percent_decode_str(path).decode_utf8().is_err() {
                return nothing(request.headers());
            }
            next.run(request).await
        }))
        .layer(middleware::from_fn_with_state(common, headers::add))
}

fn nothing(headers: &HeaderMap) -> Response {
    if intake::wants_page(headers) {
        return intake::no_such_page(headers);
    }
    told(StatusCode::NOT_FOUND, "there is nothing at this address")
}

async fn no_such_method(method: Method, headers: HeaderMap) -> Response {
    if method == Method::GET && intake::wants_page(&headers) {
        return intake::not_to_be_opened(&headers);
    }
    told(StatusCode::METHOD_NOT_ALLOWED, "this address does not take this method")
}

fn told(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(serde_json::json!({ "message": message }))).into_response()
}
