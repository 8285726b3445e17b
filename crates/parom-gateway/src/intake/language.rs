//! The language of a page, by what the browser asks for.

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Ukrainian,
    Russian,
    English,
}

impl Language {
    /// The first known language of the header; Ukrainian without one.
    pub(crate) fn of(headers: &HeaderMap) -> Language {
        Language::asked(headers).unwrap_or(Language::Ukrainian)
    }

    /// The first known language of the header.
    pub(super) fn asked(headers: &HeaderMap) -> Option<Language> {
        let asked = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        asked.split(',').find_map(|part| match part.trim().get(..2)?.to_ascii_lowercase().as_str() {
            "uk" => Some(Language::Ukrainian),
            "ru" => Some(Language::Russian),
            "en" => Some(Language::English),
            _ => None,
        })
    }

    pub(crate) fn code(self) -> &'static str {
        match self {
            Language::Ukrainian => "uk",
            Language::Russian => "ru",
            Language::English => "en",
        }
    }

    /// One of three texts.
    pub(super) fn pick(self, ukrainian: &'static str, russian: &'static str, english: &'static str) -> &'static str {
        match self {
            Language::Ukrainian => ukrainian,
            Language::Russian => russian,
            Language::English => english,
        }
    }
}
