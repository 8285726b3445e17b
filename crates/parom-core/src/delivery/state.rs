//! An order's states. Each order is in exactly one; each change appends to its history.

macro_rules! states {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The state of an order.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum State { $($(#[$doc])* $name,)* }
        impl State {
            /// Every state.
            pub const ALL: &[State] = &[$(State::$name,)*];
            /// The state's stable text, the same in the store, the UI, the CLI and logs.
            #[must_use]
            pub fn as_str(self) -> &'static str { match self { $(State::$name => $text,)* } }
        }
    };
}

states! {
    /// Has problems or is suspected: waits for a person. Left by release (`queued`) or `canceled`.
    Held = "held",
    /// Never sent in this incarnation, or proven not applied. Left by the intent (`sending`), `canceled`, or
    /// `unconfirmed` where the store was restored.
    Queued = "queued",
    /// The intent is committed: a request may have gone out. Left by the result.
    Sending = "sending",
    /// May or may not be in the CRM. Left only through look-ups.
    Unconfirmed = "unconfirmed",
    /// The CRM's number is known. Left only when a later look finds two (`disputed`).
    Delivered = "delivered",
    /// The CRM refused it for what it says. Left by an edit (`queued`) or `canceled`.
    Rejected = "rejected",
    /// The CRM shows two, or another's, or resending has not helped: a person decides.
    Disputed = "disputed",
    /// Given up by a person, or refused to its sender; the reason is kept.
    Canceled = "canceled",
}

impl State {
    /// The state of a stored text.
    #[must_use]
    pub fn parse(text: &str) -> Option<State> {
        State::ALL.iter().copied().find(|state| state.as_str() == text)
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // `pad` keeps the width that a table asks for.
        f.pad(self.as_str())
    }
}

/// The changes that are legal. The store's schema holds the same table, and a trigger refuses the rest.
pub const TRANSITIONS: &[(State, State)] = &[
    (State::Held, State::Queued),
    (State::Held, State::Canceled),
    (State::Queued, State::Held),
    (State::Queued, State::Sending),
    (State::Queued, State::Canceled),
    // After a restore: what was queued then may have gone since.
    (State::Queued, State::Unconfirmed),
    (State::Sending, State::Delivered),
    (State::Sending, State::Queued),
    (State::Sending, State::Rejected),
    (State::Sending, State::Unconfirmed),
    (State::Unconfirmed, State::Delivered),
    (State::Unconfirmed, State::Queued),
    (State::Unconfirmed, State::Disputed),
    (State::Delivered, State::Disputed),
    (State::Rejected, State::Queued),
    (State::Rejected, State::Canceled),
    (State::Disputed, State::Unconfirmed),
    (State::Disputed, State::Delivered),
    (State::Disputed, State::Canceled),
];

/// Whether a change is legal.
#[must_use]
pub fn allowed(from: State, to: State) -> bool {
    TRANSITIONS.contains(&(from, to))
}
