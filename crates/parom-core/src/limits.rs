//! Every limit on what a sender or a channel file may bring, each with its reason.

/// One request's body. A form of an order is about 1 KB; 1 MiB leaves room for long carts and pasted comments.
pub const BODY_BYTES: usize = 1 << 20;
/// Of a body over that limit, what is still read and thrown away, so that its sender gets to read why it was refused.
pub const BODY_DRAIN_BYTES: usize = 16 << 20;
/// Fields of one form: PHP's own `max_input_vars` is 1,000.
pub const FORM_FIELDS: usize = 1_000;
/// Parts of one multipart body.
pub const MULTIPART_PARTS: usize = 100;
/// Values in one JSON document, containers included.
pub const JSON_NODES: usize = 5_000;
/// Values in one JSON document of a known sender: a shop's order has up to 90 for each line.
pub const SHOP_JSON_NODES: usize = 50_000;
/// Nesting of a JSON document or of PHP's bracket names.
pub const DEPTH: usize = 32;
/// Bytes of one field's name.
pub const NAME_BYTES: usize = 256;
/// Bytes of one value.
pub const VALUE_BYTES: usize = 64 * 1024;
/// Bytes of one number of a JSON document: what is longer is no amount.
pub const NUMBER_BYTES: usize = 256;
/// Steps that one expression may take; a mapping of a large cart needs a few hundred.
pub const EXPRESSION_FUEL: u64 = 20_000;
/// Operators, filters and steps that one expression may have: the engine goes through a chain of them by recursion.
pub const EXPRESSION_LINKS: usize = 200;
/// Characters of an expression that a message quotes.
pub const QUOTED_CHARS: usize = 120;
/// Bytes of a text that an expression gives: a few of the longest values together.
pub const EXPRESSION_BYTES: usize = 256 * 1024;
/// Bytes of a channel file.
pub const CHANNEL_FILE_BYTES: usize = 256 * 1024;
/// Lines (`each`) of one order.
pub const ORDER_LINES: usize = 500;
/// Bytes of a compiled regular expression in a mapping.
pub const REGEX_BYTES: usize = 1 << 20;
/// Distinct regular expressions kept compiled.
pub const REGEX_CACHE: usize = 256;
/// How far the time of a signed request may be from ours, either way.
pub const SIGNATURE_AGE_S: i64 = 300;
/// Signatures looked at in one request: a sender that changes its secret sends two.
pub const SIGNATURES: usize = 8;
/// Signing secrets of one channel: the old one and the new one, and room.
pub const SECRETS: usize = 4;
/// Later requests of its sender that are kept beside an order: a shop sends one at each change of a status.
pub const UPDATES: u32 = 100;
/// Bytes of a PHP script to convert; the published one has 5 KB.
pub const PHP_BYTES: usize = 256 * 1024;
/// Steps of following a script.
pub const PHP_STEPS: usize = 50_000;
/// Levels of a script's tree.
pub const PHP_NESTING: usize = 200;
/// Values within values that are followed at once, through every call.
pub const PHP_VALUES: usize = 150;
/// Bytes that one value of a script may come to.
pub const PHP_VALUE_BYTES: usize = 64 * 1024;
/// Bytes of one expression that a script comes to.
pub const PHP_EXPRESSION_BYTES: usize = 4 * 1024;
/// Calls within calls of a script.
pub const PHP_DEPTH: usize = 24;
/// Notes on one script.
pub const PHP_NOTES: usize = 200;
/// Samples kept of a channel that learns.
pub const SAMPLES: usize = 20;
/// Changes of one order in the CRM, of each kind, that its sender's later requests or a person may ask for.
pub const CHANGES: u32 = 50;
/// The longest that a request to the CRM may take, seconds: a start counts what an earlier one sent by it.
pub const TIMEOUT_S: u32 = 60;
/// The same where nodes share the store: a send begins up to 20 s after its intent, and must end 30 s before a lease of 90 s can
/// be another node's.
pub const TIMEOUT_SHARED_S: u32 = 39;
/// Times that a change is tried before a person has to look.
pub const CHANGE_TRIES: u32 = 5;
/// How old an order may be of which a sender tells only when it changes: an older one was taken some other way.
pub const UNKNOWN_UPDATE_S: i64 = 3_600;
/// Bytes of a text in which a branch is looked for: the longest of the carrier's own has 300.
pub const BRANCH_TEXT_BYTES: usize = 1_000;
/// Words of a search for a town: a name, its district and its oblast.
pub const SEARCH_WORDS: usize = 6;
/// Bytes of a search for a branch: a whole address takes fewer.
pub const SEARCH_BYTES: usize = 500;
/// Bytes of an idempotency key.
pub const IDEMPOTENCY_KEY_BYTES: usize = 255;
/// Characters of an order's number: Laravel's default string column holds 255; the CRM's own limit is not published.
pub const NUMBER_CHARS: usize = 191;
/// Characters of a bad value that are copied into the manager's comment.
pub const MENDED_TEXT_CHARS: usize = 500;
/// Characters of a problem's message, which may quote a value.
pub const MESSAGE_CHARS: usize = 300;
/// Problems kept for one order; a body that is wrong in more places is wrong as a whole.
pub const PROBLEMS: usize = 100;
/// The largest amount of money or quantity that is believed.
pub const AMOUNT_MAX: i64 = 1_000_000_000;
/// Bytes of an answer of the CRM that are read.
pub const CRM_ANSWER_BYTES: usize = 1 << 20;
/// Numbers in one look-up, the control included: the CRM gives at most 50 rows a page.
pub const LOOKUP_NUMBERS: usize = 50;
/// Times that an order whose absence was proven is sent again without a person.
pub const RESENDS: u32 = 2;
/// How far the CRM's clock may be behind ours before a row counts as older than the order.
pub const CRM_CLOCK_SLACK_S: i64 = 300;
/// Two equal forms within this time are suspected to be one order.
pub const REPEAT_WINDOW_S: i64 = 600;
/// Soonest that a form is believed to be filled in by a person, unless the channel says otherwise.
pub const FORM_TIME_MIN_S: u64 = 3;
/// Longest that a form is believed to stand open, unless the channel says otherwise.
pub const FORM_TIME_MAX_S: u64 = 86_400;
/// The longest that a channel may say: so long each nonce is remembered.
pub const FORM_TIME_LIMIT_S: u64 = 7 * 86_400;
/// Longest time of an allowance: it is counted in memory, and a restart forgets it.
pub const ALLOWANCE_WINDOW_S: u64 = 86_400;
/// Clients' addresses whose orders are counted at once, over all channels: about 1 MB.
pub const ALLOWANCE_ADDRESSES: usize = 10_000;
/// Seconds that a drop-in request may wait for the CRM's answer: a proxy before it gives up after that.
pub const WAIT_S: u64 = 60;
/// The shortest secret that nobody guesses: an API token must be as long, and a sender's shorter one is told of.
pub const SECRET_BYTES: usize = 24;
