//! The CRM's lists: what is asked, and the answer as rows. An answer of another shape is an outcome, not an error.

use parom_core::delivery::outcome::rest_after;
use parom_core::dictionary::{Kind, Page, read_page};

use super::client::{Client, Seen};

/// Rows on a page: the CRM's most.
const PAGE: u32 = 50;

/// One page of one list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// A dictionary's page, from 1.
    Dictionary(Kind, u32),
    /// The statuses of a pipeline.
    PipelineStatuses(i64, u32),
}

/// What a page came to.
#[derive(Debug)]
pub enum Listed {
    /// Rows.
    Page(Page),
    /// The key is refused: every list would meet the same.
    Refused(u16),
    /// The CRM asked for so many seconds.
    Wait(u64),
    /// This account has no such list, or its answer has another shape; others may do.
    Without(String),
    /// No answer that says anything; why.
    Lost(String),
}

impl List {
    /// The path and query under the API's base.
    fn address(self) -> String {
        let (path, page) = match self {
            List::Dictionary(Kind::CustomFields, _) => return "custom-fields?include=options".into(),
            List::Dictionary(kind, page) => (path(kind).to_owned(), page),
            List::PipelineStatuses(id, page) => (format!("pipelines/{id}/statuses"), page),
        };
        // The funnels' lists are documented without an order.
        let sort = if path.starts_with("pipelines") || path == "users" { "" } else { "&sort=id" };
        format!("{path}?limit={PAGE}&page={page}{sort}")
    }
}

fn path(kind: Kind) -> &'static str {
    match kind {
        Kind::Sources => "order/source",
        Kind::PaymentMethods => "order/payment-method",
        Kind::DeliveryServices => "order/delivery-service",
        Kind::CustomFields => "custom-fields",
        Kind::Pipelines => "pipelines",
        Kind::Statuses => "order/status",
        Kind::Tags => "order/tag",
        Kind::Users => "users",
        Kind::Skus => "offers",
    }
}

impl Client {
    /// Asks for one page, and tells how many requests a minute the CRM says that it grants.
    pub async fn list(&self, list: List) -> (Listed, Option<u32>) {
        let seen = self.get(&list.address(), "dictionary").await;
        let granted = seen.granted();
        (listed(list, &seen), granted)
    }
}

fn listed(list: List, seen: &Seen) -> Listed {
    // A pipeline's statuses have the form of its own rows.
    let kind = match list {
        List::Dictionary(kind, _) => kind,
        List::PipelineStatuses(..) => Kind::Statuses,
    };
    match seen {
        Seen::Response { status: 200, body, .. } => match read_page(kind, body) {
            Some(page) => Listed::Page(page),
            None => Listed::Without(format!("{}: the answer has another shape", kind.as_str())),
        },
        Seen::Response { status: status @ 401, .. } => Listed::Refused(*status),
        Seen::Response { status: 429, retry_after, .. } => Listed::Wait(rest_after(*retry_after)),
        // 400 where funnels are off, 403 where the key may not, 404 where an installation lacks it.
        Seen::Response { status: status @ (400 | 403 | 404), .. } => {
            Listed::Without(format!("{}: the CRM answered {status}", kind.as_str()))
        }
        other => Listed::Lost(other.describe()),
    }
}
