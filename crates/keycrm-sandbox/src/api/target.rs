//! The endpoints: which method and path asks for what.

use http::Method;

use crate::faults::Asker;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    CreateOrder,
    ImportOrders,
    ListOrders,
    ShowOrder(u64),
    ChangeOrder(u64),
    AddPayment(u64),
    CreateCard,
    ListCards,
    ShowCard(u64),
    ChangeCard(u64),
    CreateBuyer,
    ListBuyers,
    ShowBuyer(u64),
    /// One of the dictionaries.
    List(Listing),
    /// The path is known, by these methods.
    NotAllowed(&'static str),
    Nothing,
}

/// A dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    Sources,
    Statuses,
    PaymentMethods,
    DeliveryServices,
    Tags,
    CustomFields,
    Products,
    Offers,
    Users,
    Pipelines,
    PipelineStatuses(u64),
}

const BOTH: &str = "GET, HEAD, POST";
const READ: &str = "GET, HEAD";
const CHANGE: &str = "GET, HEAD, PUT";
const ADD: &str = "POST";

impl Target {
    pub(super) fn of(method: &Method, path: &str) -> Self {
        let Some(rest) = path.strip_prefix("/v1/") else {
            return Self::Nothing;
        };
        let parts: Vec<&str> = rest.split('/').collect();
        let Some((allowed, get, other)) = resource(&parts) else {
            return Self::Nothing;
        };
        match (method.as_str(), allowed) {
            ("GET" | "HEAD", BOTH | READ | CHANGE) => get,
            ("POST", BOTH | ADD) | ("PUT", CHANGE) => other,
            _ => Self::NotAllowed(allowed),
        }
    }

    /// Whether the answer depends on a body.
    pub(super) fn reads_body(self) -> bool {
        matches!(
            self,
            Self::CreateOrder
                | Self::ImportOrders
                | Self::ChangeOrder(_)
                | Self::AddPayment(_)
                | Self::CreateCard
                | Self::ChangeCard(_)
                | Self::CreateBuyer
        )
    }

    /// Whether it belongs to the funnels, which an account may be without.
    pub(super) fn is_of_funnels(self) -> bool {
        matches!(
            self,
            Self::CreateCard
                | Self::ListCards
                | Self::ShowCard(_)
                | Self::ChangeCard(_)
                | Self::List(Listing::Pipelines | Listing::PipelineStatuses(_))
        )
    }

    pub(super) fn asker(self) -> Asker {
        match self {
            Self::CreateOrder | Self::CreateCard => Asker::Post,
            Self::ImportOrders => Asker::Import,
            Self::ChangeOrder(_) | Self::AddPayment(_) => Asker::Change,
            Self::ListOrders | Self::ListCards => Asker::List,
            Self::ShowOrder(_) | Self::ShowCard(_) => Asker::Show,
            Self::List(_) | Self::ListBuyers => Asker::Dictionary,
            _ => Asker::Other,
        }
    }
}

/// A path's methods, its target by GET, and its target by the other method.
fn resource(parts: &[&str]) -> Option<(&'static str, Target, Target)> {
    let id = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let list = |listing| Some((READ, Target::List(listing), Target::Nothing));
    match parts {
        ["order"] => Some((BOTH, Target::ListOrders, Target::CreateOrder)),
        ["order", "import"] => Some((ADD, Target::Nothing, Target::ImportOrders)),
        ["order", "source"] => list(Listing::Sources),
        ["order", "status"] => list(Listing::Statuses),
        ["order", "payment-method"] => list(Listing::PaymentMethods),
        ["order", "delivery-service"] => list(Listing::DeliveryServices),
        ["order", "tag"] => list(Listing::Tags),
        ["order", order] => id(order).map(|id| (CHANGE, Target::ShowOrder(id), Target::ChangeOrder(id))),
        ["order", order, "payment"] => id(order).map(|id| (ADD, Target::Nothing, Target::AddPayment(id))),
        ["custom-fields"] => list(Listing::CustomFields),
        ["products"] => list(Listing::Products),
        ["offers"] => list(Listing::Offers),
        ["users"] => list(Listing::Users),
        ["buyer"] => Some((BOTH, Target::ListBuyers, Target::CreateBuyer)),
        ["buyer", buyer] => id(buyer).map(|id| (READ, Target::ShowBuyer(id), Target::Nothing)),
        ["pipelines"] => list(Listing::Pipelines),
        ["pipelines", "cards"] => Some((BOTH, Target::ListCards, Target::CreateCard)),
        ["pipelines", "cards", card] => id(card).map(|id| (CHANGE, Target::ShowCard(id), Target::ChangeCard(id))),
        ["pipelines", pipeline, "statuses"] => id(pipeline).and_then(|id| list(Listing::PipelineStatuses(id))),
        _ => None,
    }
}
