//! How the sandbox behaves: the vendor's undocumented choices are switches here.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::novaposhta::Size;

/// What happens to an order whose `source_uuid` is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DupMode {
    /// 422 with "The source uuid has already been taken."
    #[default]
    Reject,
    /// A second order is created.
    Accept,
}

/// Where a `source_uuid` must be unique.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DupScope {
    /// Within one source.
    #[default]
    Source,
    /// Within the whole account.
    Account,
}

/// How dates are written in answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DateStyle {
    /// `2026-05-04T08:15:30.000000Z`, as live answers have it.
    #[default]
    Iso,
    /// `2026-05-04 08:15:30`, as the vendor's schema has it.
    Space,
}

/// What an unknown filter, include or sort does to a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownFilter {
    /// 400 with the list of the allowed ones.
    #[default]
    BadRequest,
    /// It has no effect.
    Ignore,
}

/// What a custom field does whose uuid the account does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownCustomField {
    /// It is dropped without a word.
    #[default]
    Ignore,
    /// 422 on its `uuid`.
    Refuse,
}

/// What a payment does whose `payment_method` is no name that the account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownPaymentMethod {
    /// 422 on its `payment_method`.
    Refuse,
    /// A method of that name is made.
    #[default]
    Create,
}

/// The key of a funnel's name in `GET /pipelines`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PipelineLabel {
    /// `title`, as live answers have it.
    #[default]
    Title,
    /// `name`, as the vendor's schema has it.
    Name,
}

/// Settings of one sandbox.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address to listen on; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The only accepted bearer key; `None` accepts any that is not empty.
    pub api_key: Option<String>,
    /// Requests allowed in any 60 seconds to one key from one address; 0 means no limit.
    pub requests_per_minute: u32,
    /// An NDJSON file that keeps orders, buyers and cards across restarts.
    pub data: Option<PathBuf>,
    /// What happens to a taken number.
    pub dup_mode: DupMode,
    /// Where a number must be unique.
    pub dup_scope: DupScope,
    /// Whether a filter takes a list by comma; otherwise only the whole text matches.
    pub multi_lookup: bool,
    /// How dates are written.
    pub dates: DateStyle,
    /// What an unknown filter does.
    pub unknown_filter: UnknownFilter,
    /// What an unknown custom field does.
    pub unknown_custom_field: UnknownCustomField,
    /// What an unknown payment method's name does.
    pub unknown_payment_method: UnknownPaymentMethod,
    /// Whether one bad order keeps an import's others out.
    pub import_atomic: bool,
    /// Whether the account has funnels; without them every `/pipelines` request is refused.
    pub funnels: bool,
    /// The key of a funnel's name.
    pub pipeline_label: PipelineLabel,
    /// The only key that Nova Poshta's directory takes; `None` takes any, and none.
    pub novaposhta_key: Option<String>,
    /// Requests a minute to Nova Poshta's directory; 0 means no limit.
    pub novaposhta_per_minute: u32,
    /// How large Nova Poshta's directory is.
    pub novaposhta_size: Size,
    /// Whether each request is printed to stderr.
    pub log_requests: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            api_key: None,
            requests_per_minute: 60,
            data: None,
            dup_mode: DupMode::default(),
            dup_scope: DupScope::default(),
            multi_lookup: true,
            dates: DateStyle::default(),
            unknown_filter: UnknownFilter::default(),
            unknown_custom_field: UnknownCustomField::default(),
            unknown_payment_method: UnknownPaymentMethod::default(),
            import_atomic: true,
            funnels: true,
            pipeline_label: PipelineLabel::default(),
            novaposhta_key: None,
            novaposhta_per_minute: 0,
            novaposhta_size: Size::default(),
            log_requests: false,
        }
    }
}
