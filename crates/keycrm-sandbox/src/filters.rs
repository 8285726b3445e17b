//! Filters of lists, and the two orders that a list can have.

use crate::dates;

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Oldest first.
    Ascending,
    /// Newest first.
    Descending,
}

/// One `filter[name]=text`.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) name: String,
    /// The listed values, or the one whole text.
    pub(crate) values: Vec<String>,
    text: String,
}

impl Filter {
    /// `by_comma` splits the text into a list.
    pub(crate) fn new(name: &str, text: &str, by_comma: bool) -> Self {
        let values = if by_comma {
            text.split(',').map(|value| value.trim().to_owned()).collect()
        } else {
            vec![text.to_owned()]
        };
        Self { name: name.to_owned(), values, text: text.to_owned() }
    }

    pub(crate) fn has(&self, value: &str) -> bool {
        self.values.iter().any(|wanted| wanted == value)
    }

    /// Whether any of the listed phones is this one; only the digits count.
    pub(crate) fn has_phone(&self, phone: &str) -> bool {
        let wanted = digits(phone);
        self.values.iter().any(|value| digits(value) == wanted)
    }

    /// Whether any of the listed addresses is this one; the case of letters does not count.
    pub(crate) fn has_email(&self, email: &str) -> bool {
        let wanted = email.to_lowercase();
        self.values.iter().any(|value| value.to_lowercase() == wanted)
    }

    /// Whether the text means this boolean.
    pub(crate) fn means(&self, value: bool) -> bool {
        ["1", "true"].contains(&self.text.as_str()) == value
    }

    /// `FROM, TO`, both ends included; a range that does not read selects nothing.
    pub(crate) fn spans(&self, at: Option<i64>) -> bool {
        let ends = self
            .text
            .split_once(',')
            .and_then(|(from, to)| Some((dates::parse(from)?.as_second(), dates::parse_end(to)?.as_second())));
        matches!((ends, at), (Some((from, to)), Some(at)) if (from..=to).contains(&at))
    }
}

/// What a phone is compared by.
pub(crate) fn digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}
