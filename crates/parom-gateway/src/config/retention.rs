//! `[retention]`: how long buyers' data is kept.

use std::time::Duration;

use parom_core::channel::parse_duration;
use serde::Deserialize;

const DAY: Duration = Duration::from_secs(86_400);
/// The store lets no younger line of the audit go.
const AUDIT_MIN: Duration = Duration::from_secs(90 * 86_400);
/// More than a life: a longer time is a slip of the pen, and would not fit into a clock.
const LONGEST: Duration = Duration::from_secs(36_500 * 86_400);

/// How long buyers' data is kept in orders that are settled; none: for good.
#[derive(Clone, Debug)]
pub struct Retention {
    /// In delivered orders, and in samples.
    pub delivered: Option<Duration>,
    /// In canceled orders.
    pub canceled: Option<Duration>,
    /// How long lines of the audit are kept, which hold no buyer.
    pub audit: Option<Duration>,
    /// How often it is looked for what is due.
    pub look: Duration,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRetention {
    delivered: Option<String>,
    canceled: Option<String>,
    audit: Option<String>,
    look: Option<String>,
}

pub(super) fn check(raw: RawRetention) -> Result<Retention, String> {
    let time = |name: &str, text: Option<String>, days: u32| match text.as_deref() {
        None => Ok(Some(DAY * days)),
        Some("off") => Ok(None),
        Some(text) => match parse_duration(text).filter(|time| *time <= LONGEST) {
            // Whoever writes it hardly means that each order loses its buyer at once.
            Some(time) if time.is_zero() => Err(format!(
                "retention.{name}: `{text}` is no time; write off to keep it for good, or a time such as 1h"
            )),
            Some(time) => Ok(Some(time)),
            None => Err(format!("retention.{name}: `{text}` is not a time; write 30d, or off to keep it for good")),
        },
    };
    let audit = time("audit", raw.audit, 365)?;
    if audit.is_some_and(|time| time < AUDIT_MIN) {
        return Err("retention.audit: the audit is kept for 90d at least".into());
    }
    let look = match raw.look.as_deref() {
        None => Duration::from_secs(600),
        Some(text) => parse_duration(text)
            .filter(|time| (Duration::from_millis(100)..=DAY).contains(time))
            .ok_or_else(|| format!("retention.look: `{text}` is not a time up to a day; write 10m"))?,
    };
    Ok(Retention {
        delivered: time("delivered", raw.delivered, 30)?,
        canceled: time("canceled", raw.canceled, 14)?,
        audit,
        look,
    })
}
