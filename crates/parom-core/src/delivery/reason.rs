//! Why an order is in its state, in the words that the store, the API and exports carry. What an order is held for is a
//! problem's code instead.

/// The CRM could not be reached.
pub const UNREACHABLE: &str = "unreachable";
/// The CRM's limit was met.
pub const RATE_LIMITED: &str = "rate_limited";
/// It was not sent: the account rests, or the node was too slow.
pub const NOT_SENT: &str = "not_sent";
/// The CRM refused the key: 401, 403 and 404.
pub const PAUSED: [&str; 3] = ["paused_401", "paused_403", "paused_404"];
/// Proven absent, it goes again.
pub const RESEND: &str = "resend";

/// The request's answer was lost.
pub const CONNECTION_LOST: &str = "connection lost";
/// A 429 of something between.
pub const FOREIGN_429: &str = "429 that is not the CRM's";
/// 3xx.
pub const REDIRECT: &str = "redirect";
/// 5xx.
pub const SERVER_ERROR: &str = "server error";
/// Any other status.
pub const UNEXPECTED_STATUS: &str = "unexpected status";
/// 2xx with HTML, or nothing.
pub const NO_JSON: &str = "success without JSON";
/// 2xx that names no order.
pub const NO_ID: &str = "success without an id";
/// 2xx: the CRM took it, by its own word under another number.
pub const OTHER_NUMBER: &str = "success with another number";
/// 400 or 422 out of the CRM's shape.
pub const FOREIGN_REFUSAL: &str = "refusal that is not the CRM's";
/// The CRM calls the number taken.
pub const NUMBER_TAKEN: &str = "number_taken";
/// It went in a bulk call.
pub const BULK: &str = "bulk";
/// The gateway stopped while it was on its way.
pub const INTERRUPTED: &str = "interrupted";
/// It may have gone before its store was restored.
pub const RESTORED: &str = "restored";
/// A person asked to look again.
pub const ASKED: &str = "asked";

/// Two rows of the CRM are it.
pub const SEVERAL: &str = "the CRM has this order more than once";
/// The row of its number is older than its first try.
pub const THERE_BEFORE: &str = "the CRM had an order with this number before this one was sent";
/// The row of its number is of another time or source.
pub const ANOTHERS_NUMBER: &str = "the number belongs to another order in the CRM";
/// The row that was found is another order's of ours.
pub const ANOTHERS_ROW: &str = "the CRM's row is another order's";
/// A later look shows another row than it became.
pub const ANOTHER_ROW: &str = "the CRM shows another order under this number";
/// A person said which order of the CRM it is, and there is none.
pub const NOT_THERE: &str = "the CRM has no order of the number that was entered";
/// As `ANOTHERS_NUMBER`, after a restore.
pub const SENT_BEFORE: &str = "an order with this number was in the CRM before the store was restored";
/// The CRM took it, by an answer that had its id. Nobody's asking makes it go again.
pub const TAKEN_ELSEWHERE: &str = "the CRM answered that it took it, and shows no order of ours with this number";
/// As `TAKEN_ELSEWHERE`, in an older version's words.
pub const TAKEN_BEFORE: &str = "the CRM answered with an order of another number, and shows none with this one";
/// The CRM contradicts itself.
pub const TAKEN_UNSEEN: &str = "the CRM says that the number is taken, and shows no order with it";
/// Cards: too many of them.
pub const CARDS_UNREAD: &str = "the CRM's list of cards could not be read to its end";
/// Cards: an absence proves nothing.
pub const CARD_UNSEEN: &str = "no card of this title and contact was found, and cards have no number to be sure by";
/// `resend = "ask"`.
pub const BY_HAND: &str = "not in the CRM; this account resends only by hand";
/// `on_invalid = "reject"`: nothing goes.
pub const REFUSED: &str = "refused to its sender (on_invalid = reject)";
/// Two resends did not help.
pub const THREE_TIMES: &str = "sent three times, and not in the CRM";

/// Each with a key for its text in other languages.
pub const ALL: [(&str, &str); 36] = [
    (UNREACHABLE, "unreachable"),
    (RATE_LIMITED, "rate-limited"),
    (NOT_SENT, "not-sent"),
    (PAUSED[0], "key-refused"),
    (PAUSED[1], "key-refused"),
    (PAUSED[2], "address-refused"),
    (RESEND, "resend"),
    (CONNECTION_LOST, "connection-lost"),
    (FOREIGN_429, "not-the-crm"),
    (REDIRECT, "not-the-crm"),
    (SERVER_ERROR, "server-error"),
    (UNEXPECTED_STATUS, "unexpected-answer"),
    (NO_JSON, "unexpected-answer"),
    (NO_ID, "unexpected-answer"),
    (OTHER_NUMBER, "other-number"),
    (FOREIGN_REFUSAL, "not-the-crm"),
    (NUMBER_TAKEN, "number-taken"),
    (BULK, "bulk"),
    (INTERRUPTED, "interrupted"),
    (RESTORED, "restored"),
    (ASKED, "asked"),
    (SEVERAL, "several"),
    (THERE_BEFORE, "anothers-number"),
    (ANOTHERS_NUMBER, "anothers-number"),
    (ANOTHERS_ROW, "anothers-row"),
    (ANOTHER_ROW, "another-row"),
    (NOT_THERE, "not-there"),
    (SENT_BEFORE, "sent-before"),
    (TAKEN_ELSEWHERE, "taken-elsewhere"),
    (TAKEN_BEFORE, "taken-elsewhere"),
    (TAKEN_UNSEEN, "taken-unseen"),
    (CARDS_UNREAD, "cards-unread"),
    (CARD_UNSEEN, "card-unseen"),
    (BY_HAND, "by-hand"),
    (THREE_TIMES, "three-times"),
    (REFUSED, "refused"),
];

/// The key of a reason's text; none for what is no reason of delivery.
#[must_use]
pub fn key(reason: &str) -> Option<&'static str> {
    ALL.iter().find(|(text, _)| *text == reason).map(|(_, key)| *key)
}
