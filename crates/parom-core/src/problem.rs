//! A problem: one finding about a submission, an order or a channel file. Not an error: the order is kept whatever it has.

use std::fmt;

use crate::limits;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What kind of problem it is; the text form is part of the JSON contract and of the store.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[$doc])* $name,)* }
        impl Code {
            /// Every code, in the order of this list.
            pub const ALL: &[Code] = &[$(Code::$name,)*];
            /// The code's stable text.
            #[must_use]
            pub fn as_str(self) -> &'static str { match self { $(Code::$name => $text,)* } }
        }
    };
}

codes! {
    /// A field that the CRM needs is absent.
    Required = "required",
    /// Not a whole number.
    InvalidInteger = "invalid_integer",
    /// Not an amount of money.
    InvalidMoney = "invalid_money",
    /// Not a number.
    InvalidNumber = "invalid_number",
    /// `1,249` may be one and a quarter or more than a thousand.
    AmbiguousNumber = "ambiguous_number",
    /// A number or a date outside of what is believed.
    OutOfRange = "out_of_range",
    /// The sender counts in another currency than the CRM's source does.
    WrongCurrency = "wrong_currency",
    /// Neither yes nor no.
    InvalidBoolean = "invalid_boolean",
    /// Not a date or a time.
    InvalidDate = "invalid_date",
    /// Not a phone number.
    InvalidPhone = "invalid_phone",
    /// Not an e-mail address.
    InvalidEmail = "invalid_email",
    /// Not a UUID.
    InvalidUuid = "invalid_uuid",
    /// Not an absolute http(s) address.
    InvalidUrl = "invalid_url",
    /// Not one of the values that the field knows.
    InvalidChoice = "invalid_choice",
    /// A list or an object where a single value belongs, or the other way round.
    WrongShape = "wrong_shape",
    /// More lines, or a longer value, than the limit.
    TooLong = "too_long",
    /// An expression of the mapping failed.
    ExpressionFailed = "expression_failed",
    /// A value that the `map` filter's table does not have.
    UnknownValue = "unknown_value",
    /// No way to reach the buyer.
    NoContact = "no_contact",
    /// `warehouse_ref` without `delivery_service_id`.
    NeedsDeliveryService = "needs_delivery_service",
    /// `warehouse_ref` without the text address that is its fallback.
    NoTextAddress = "no_text_address",
    /// A product's property without a name or a value.
    IncompleteProperty = "incomplete_property",
    /// A product line whose every expression came out empty.
    EmptyLine = "empty_line",
    /// The order's number cannot be looked up in the CRM.
    InvalidOrderNumber = "invalid_order_number",
    /// The order's number belongs to another order of ours.
    NumberTaken = "number_taken",
    /// The same form came twice within minutes.
    SuspectedDuplicate = "suspected_duplicate",
    /// A program seems to have sent the form.
    SuspectedSpam = "suspected_spam",
    /// The same idempotency key came with another content.
    KeyReused = "key_reused",
    /// The form was sent from a site that the channel does not list.
    ForeignOrigin = "foreign_origin",
    /// The token of a submission kept for a broken channel does not open the mended one.
    WrongToken = "wrong_token",
    /// The channel's file cannot be used.
    ChannelBroken = "channel_broken",
    /// The channel has no mapping for what came in.
    NoMapping = "no_mapping",
    /// The account has no such row: it never had, or it is gone.
    NotInAccount = "not_in_account",
    /// The account has several rows of this name.
    AmbiguousName = "ambiguous_name",
    /// The row is switched off in the CRM.
    Inactive = "inactive",
    /// A name cannot be looked up before the account's dictionaries were fetched.
    DictionaryMissing = "dictionary_missing",
    /// A SKU that the catalogue does not have.
    UnknownSku = "unknown_sku",
    /// A select's value that is not one of its options.
    InvalidOption = "invalid_option",
    /// A Nova Poshta branch with another delivery service.
    WrongDeliveryService = "wrong_delivery_service",
    /// It is not certain which branch of Nova Poshta a text means.
    UnclearBranch = "unclear_branch",
    /// Nova Poshta's directory has no such branch.
    UnknownBranch = "unknown_branch",
    /// The branch does not take parcels now.
    BranchClosed = "branch_closed",
    /// The branch does not take a parcel of this weight.
    ParcelTooHeavy = "parcel_too_heavy",
    /// A branch cannot be looked for before Nova Poshta's directory was fetched.
    DirectoryMissing = "directory_missing",
    /// The CRM refuses the account's key.
    KeyRefused = "key_refused",
    /// The CRM cannot be reached, or answers something else.
    CrmUnreachable = "crm_unreachable",
    /// The account's rate is above what the CRM grants.
    RateAboveGrant = "rate_above_grant",
    /// A channel file names what does not exist.
    UnknownKey = "unknown_key",
    /// A channel file or its secret cannot be read.
    Unreadable = "unreadable",
    /// A channel file is not TOML.
    InvalidToml = "invalid_toml",
    /// A value of a channel's setting is not one that it takes.
    InvalidSetting = "invalid_setting",
    /// A channel's account is not configured.
    UnknownAccount = "unknown_account",
    /// An expression cannot be compiled.
    InvalidExpression = "invalid_expression",
    /// A sender tells of a change of an order that never came.
    UnknownUpdate = "unknown_update",
    /// The CRM refused what the order's sender changed later.
    ChangeRefused = "change_refused",
    /// A name that none of the channel's saved samples has.
    NotInSamples = "not_in_samples",
    /// Anybody who knows the channel's address can pass for its sender.
    Unsigned = "unsigned",
    /// A bare name with a hyphen reads as a subtraction.
    HyphenatedName = "hyphenated_name",
}

impl Code {
    /// Whether a person settles it by releasing the order: no mapping makes it go away.
    #[must_use]
    pub fn is_suspicion(self) -> bool {
        matches!(
            self,
            Code::SuspectedDuplicate
                | Code::SuspectedSpam
                | Code::ForeignOrigin
                | Code::KeyReused
                | Code::WrongToken
                | Code::UnknownUpdate
        )
    }

    /// Whether a branch of Nova Poshta is in question, which a person settles by choosing one.
    #[must_use]
    pub fn is_of_branch(self) -> bool {
        matches!(
            self,
            Code::UnclearBranch
                | Code::UnknownBranch
                | Code::BranchClosed
                | Code::ParcelTooHeavy
                | Code::DirectoryMissing
        )
    }

    /// Whether a changed dictionary of the account may settle it.
    #[must_use]
    pub fn is_of_dictionary(self) -> bool {
        matches!(
            self,
            Code::NotInAccount
                | Code::AmbiguousName
                | Code::Inactive
                | Code::DictionaryMissing
                | Code::UnknownSku
                | Code::InvalidOption
                | Code::WrongDeliveryService
        )
    }

    /// The code of a stored text; `None` for a text that no version has written.
    #[must_use]
    pub fn parse(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a problem does to its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// The order goes, marked.
    Warn,
    /// The order can do without the value: it goes without it, marked, and the text moves to the manager's comment.
    Mend,
    /// The order waits for a person.
    Hold,
}

impl Effect {
    /// The effect's stable text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Effect::Warn => "warn",
            Effect::Mend => "mend",
            Effect::Hold => "hold",
        }
    }

    /// The effect of a stored text; what is unknown holds.
    #[must_use]
    pub fn parse(text: &str) -> Effect {
        match text {
            "warn" => Effect::Warn,
            "mend" => Effect::Mend,
            _ => Effect::Hold,
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: the CRM's field as its own answers write it (`buyer.email`, `products.0.price`), or empty for the whole.
    pub path: String,
    /// What kind.
    pub code: Code,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What to do, in a sentence.
    pub hint: String,
    /// What it does to the order.
    pub effect: Effect,
}

impl Problem {
    /// A key of the sender's that made another order before, with another content.
    #[must_use]
    pub fn key_reused(id: &str) -> Problem {
        let message = format!("the same idempotency key already made the order {id} with another content");
        let hint = "Compare the two, then release or cancel this one.";
        Problem::new("", Code::KeyReused, Effect::Hold, message, hint)
    }

    /// A number that another order of ours has.
    #[must_use]
    pub fn number_taken(number: &str, id: &str) -> Problem {
        let message = format!("the number `{number}` is already the order {id}'s");
        let hint = "Cancel this one if it is the same order; else give it another number with `orders edit`.";
        Problem::new("source_uuid", Code::NumberTaken, Effect::Hold, message, hint)
    }

    /// A problem with its sentences.
    pub fn new(
        path: impl Into<String>,
        code: Code,
        effect: Effect,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Problem {
        let mut message: String = message.into();
        if let Some((cut, _)) = message.char_indices().nth(limits::MESSAGE_CHARS) {
            // It may quote what the sender wrote; the whole of that is in the submission.
            message.truncate(cut);
            message.push('…');
        }
        Problem { path: path.into(), code, message, hint: hint.into(), effect }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.path.is_empty() { "order" } else { &self.path };
        write!(f, "{place}: {} [{}]", self.message, self.code)?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, "\n    {}", self.hint) }
    }
}
