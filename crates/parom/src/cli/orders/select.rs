//! Which orders a command is about.

use clap::Args;
use jiff::tz::TimeZone;
use parom_core::convert::{Moment, moment};
use parom_core::delivery::state::State;
use parom_gateway::store::Filter;

use crate::cli::Failed;

/// More than a store can hold.
const ALL: usize = 1 << 40;

/// Filters of the journal.
#[derive(Args)]
pub(in crate::cli) struct Select {
    /// In these states: held, queued, sending, unconfirmed, delivered, rejected, disputed, canceled
    #[arg(long, value_delimiter = ',', value_name = "STATE")]
    state: Vec<String>,
    /// Of this channel
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// Received at or after (UTC): 2026-11-24, or "2026-11-24 10:00"
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Received before (UTC)
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// A phone, e-mail, name, number, id or CRM number
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// At most so many; 0: all. A list shows 50, an export writes all
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

impl Select {
    /// With so many where none are named; 0: all.
    pub(super) fn filter(self, limit: usize) -> Result<Filter, Failed> {
        let states = self.state.iter().map(|text| {
            let known: Vec<&str> = State::ALL.iter().map(|state| state.as_str()).collect();
            State::parse(text).ok_or_else(|| format!("there is no state `{text}`; states: {}", known.join(", ")))
        });
        Ok(Filter {
            states: states.collect::<Result<_, _>>()?,
            channel: self.channel,
            since: self.since.as_deref().map(instant).transpose()?,
            until: self.until.as_deref().map(instant).transpose()?,
            text: self.text,
            before: None,
            limit: match self.limit.unwrap_or(limit) {
                0 => ALL,
                limit => limit,
            },
        })
    }
}

fn instant(text: &str) -> Result<i64, Failed> {
    match moment(text, &TimeZone::UTC) {
        Ok(Moment::Instant(at)) => Ok(at.as_millisecond()),
        Ok(Moment::Day(day)) => day
            .to_zoned_datetime(TimeZone::UTC)
            .map(|at| at.timestamp().as_millisecond())
            .map_err(|error| error.to_string()),
        Err(misfit) => Err(format!("{}; write 2026-11-24, or \"2026-11-24 10:00\"", misfit.message)),
    }
}
