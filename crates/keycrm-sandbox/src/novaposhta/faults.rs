//! What a client of the carrier's API meets sooner or later.

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NovaPoshtaFaultKind {
    /// 200, `success: false`, and the code of a refused key.
    KeyRefused,
    /// 200, `success: false`, and the text of too many requests.
    TooMany,
    /// 429 with `Retry-After`.
    TooMany429 {
        /// Its seconds.
        retry_after: u64,
    },
    /// 200, `success: false`, with an object for `errors` and `errorCodes`, as some answers have it.
    ErrorsAsObject,
    /// 503 with an HTML page.
    Html,
    /// The connection closes without an answer.
    Drop,
    /// Half of the right answer and the end of the connection.
    Truncated,
    /// The right answer with half of its rows: a page that is short though more follow.
    ShortPage,
    /// The right answer without any row.
    EmptyPage,
    /// The right answer, whose rows have no refs.
    NoRefs,
    /// The right answer after so many milliseconds.
    Slow {
        /// How late.
        ms: u64,
    },
}

/// A scripted fault. Of several that fit, the one that was added first is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NovaPoshtaFault {
    /// `calledMethod` that it is for; empty: any.
    pub method: &'static str,
    /// What happens.
    pub kind: NovaPoshtaFaultKind,
    /// Requests that it lets pass first.
    pub skip: u32,
    /// Requests that it hits; none: all.
    pub times: Option<u32>,
}

/// The fault for a request of this method, counted down.
pub(super) fn take(faults: &mut Vec<NovaPoshtaFault>, method: &str) -> Option<NovaPoshtaFaultKind> {
    let at = faults.iter_mut().position(|fault| {
        let fits = fault.method.is_empty() || fault.method == method;
        let passes = fits && fault.skip > 0;
        if passes {
            fault.skip -= 1;
        }
        fits && !passes
    })?;
    let kind = faults[at].kind;
    if let Some(times) = &mut faults[at].times {
        *times = times.saturating_sub(1);
        if *times == 0 {
            faults.remove(at);
        }
    }
    Some(kind)
}
