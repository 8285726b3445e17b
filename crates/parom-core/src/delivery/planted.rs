//! Faults that the simulation plants into the decisions, to see that it would find them. In release builds there are none.

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A decision that is wrong on purpose.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Planted { $($(#[$doc])* $name,)* }
        impl Planted {
            /// Every fault.
            pub const ALL: &[Planted] = &[$(Planted::$name,)*];
        }
    };
}

faults! {
    /// An absence counts without its control.
    ControlIgnored,
    /// An absence counts before the quiet period is over.
    QuietIgnored,
    /// One absence is enough.
    OneAbsence,
    /// Rows that nobody asked for are no sign that the filter was ignored.
    FilterUnchecked,
    /// A list that goes on counts as a whole one.
    PartCountsAsWhole,
    /// A number that is taken counts as delivered.
    TakenIsDelivered,
    /// A lost connection counts as not applied.
    LostIsNotApplied,
    /// A 5xx counts as not applied.
    FailureIsNotApplied,
    /// A success counts without the order's own number in it.
    NumberUnchecked,
    /// A row of another time with the same number counts as ours.
    AgeUnchecked,
    /// A request frees its place a minute after its start and not after its end.
    CountedFromStart,
    /// What was sent before a restart is not counted.
    LedgerForgotten,
    /// A 429 does not slow the account.
    LimitIgnored,
    /// The breaker never opens.
    BreakerStuck,
    /// An intent is sent however old it is.
    AgeOfIntentIgnored,
    /// An order is sent again without end.
    ResendsUncounted,
    /// A bulk call that was refused counts as not applied.
    BulkRefusalBelieved,
    /// Nothing is looked up after an order was sent again.
    NoCheckAfterResend,
}

#[cfg(debug_assertions)]
thread_local! {
    static FAULT: std::cell::Cell<Option<Planted>> = const { std::cell::Cell::new(None) };
}

/// Plants a fault into this thread's decisions, or takes it out.
#[cfg(debug_assertions)]
pub fn plant(fault: Option<Planted>) {
    FAULT.with(|place| place.set(fault));
}

/// Whether a fault is planted.
#[cfg(debug_assertions)]
pub(crate) fn is(fault: Planted) -> bool {
    FAULT.with(|place| place.get() == Some(fault))
}

/// Never, in release builds.
#[cfg(not(debug_assertions))]
pub(crate) const fn is(_fault: Planted) -> bool {
    false
}
