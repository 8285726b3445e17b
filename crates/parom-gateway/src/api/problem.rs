//! Refusals in the shape that senders know from the CRM: `{"message"}`, and `errors` by field where one is to blame.

use axum::Json;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use parom_core::limits;
use serde_json::json;

use crate::operate::OperateError;
use crate::store::StoreError;

/// Why a request was not served.
#[derive(Debug)]
pub(super) struct Refused {
    status: u16,
    message: String,
    /// The field that is to blame.
    field: Option<String>,
}

impl Refused {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Refused {
        Refused { status, message: message.into(), field: None }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut body = json!({ "message": self.message });
        if let Some(field) = self.field {
            body["errors"] = json!({ field: [self.message] });
        }
        let mut response = (status, Json(body)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let bearer = axum::http::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(axum::http::header::WWW_AUTHENTICATE, bearer);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(axum::http::header::RETRY_AFTER, axum::http::HeaderValue::from(10));
        }
        response
    }
}

impl From<BytesRejection> for Refused {
    fn from(error: BytesRejection) -> Refused {
        match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Refused::new(413, format!("the body is larger than {} bytes", limits::BODY_BYTES))
            }
            status => Refused::new(status.as_u16(), "the body did not come whole"),
        }
    }
}

impl From<QueryRejection> for Refused {
    fn from(error: QueryRejection) -> Refused {
        let text = error.body_text();
        let why = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
        Refused::new(400, format!("the query: {why}"))
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Refused {
        match error {
            StoreError::Refused(text) => Refused::new(409, text),
            // What the disk said is for the log, not for strangers.
            other => {
                tracing::error!(error = %other, "the API could not use the store");
                Refused::new(503, "the store cannot be used now")
            }
        }
    }
}

impl From<OperateError> for Refused {
    fn from(error: OperateError) -> Refused {
        match error {
            OperateError::Unknown(_) => Refused::new(404, "there is no such order in your accounts"),
            OperateError::Wrong(text) => Refused::new(409, text),
            OperateError::Unfit(field, text) => Refused { field: Some(field), ..Refused::new(422, text) },
            OperateError::Store(error) => error.into(),
        }
    }
}
