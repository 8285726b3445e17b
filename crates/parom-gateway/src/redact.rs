//! The last look at a line before it is logged: no secret, no buyer, and no sign that a terminal would act upon. Who logs must
//! not log them either; this is for what nobody thought of, such as an address in a library's error.

use std::fmt::Write;
use std::sync::{PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};

const HIDDEN: &str = "[hidden]";
/// A shorter secret would be found in ordinary words.
const SHORTEST: usize = 8;
/// What stands before a secret that is not known here, and goes as far as a word.
const BEFORE: [&str; 6] = ["bearer ", "/bot", "whsec_", "parom_", "/start/", "basic "];

static KNOWN: RwLock<Vec<SecretString>> = RwLock::new(Vec::new());

/// From now on a secret is hidden wherever a line has it, raw, in percents or in base64.
pub(crate) fn hide(secret: &str) {
    if secret.len() < SHORTEST {
        return;
    }
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    for form in forms(secret) {
        if !known.iter().map(SecretString::expose_secret).any(|old| old == form) {
            known.push(SecretString::from(form));
        }
    }
}

/// A secret as it may stand in a line.
fn forms(secret: &str) -> Vec<String> {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let json = serde_json::Value::from(secret).to_string();
    let json = json.trim_matches('"').to_owned();
    let mut forms = vec![secret.to_owned(), form, utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(), json];
    forms.extend(parom_core::redact::in_base64(secret.as_bytes()));
    forms.retain(|form| form.len() >= SHORTEST);
    forms.dedup();
    forms
}

/// A line as it may be logged. An end of line stays; every other sign of control is written by its number.
#[must_use]
pub fn redacted(line: &str) -> String {
    let mut line = line.to_owned();
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    for secret in known.iter().filter(|secret| line.contains(secret.expose_secret())).collect::<Vec<_>>() {
        line = line.replace(secret.expose_secret(), HIDDEN);
    }
    let line = without_words_after(&line);
    let line = parom_core::redact::without_buyers(&line);
    printable(&line)
}

/// Hides what follows the words by which secrets are announced, and addresses in errors of libraries.
fn without_words_after(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | ',' | ')' | '<' | '>' | '&' | '?');
    let mut cuts: Vec<(usize, usize)> = Vec::new();
    for word in BEFORE {
        for (at, _) in lower.match_indices(word) {
            let from = at + word.len();
            let to = line[from..].find(ends).map_or(line.len(), |len| from + len);
            // `/bottles` is no bot, `parom_orders` no token: these carry long ones.
            let long = to - from >= 16 || word == "bearer " || word == "basic ";
            if long && to > from {
                cuts.push((from, to));
            }
        }
    }
    for (at, word) in lower.match_indices(" for url (") {
        let from = at + word.len();
        cuts.push((from, line[from..].find(')').map_or(line.len(), |len| from + len)));
    }
    cuts.sort_unstable();
    let (mut out, mut read) = (String::with_capacity(line.len()), 0);
    for (from, to) in cuts {
        if from >= read {
            out.push_str(&line[read..from]);
            out.push_str(HIDDEN);
            read = to;
        }
    }
    out.push_str(&line[read..]);
    out
}

/// A line of a log stays one line, reads from left to right, and moves no cursor. Colours, which the log itself makes, stay.
fn printable(line: &str) -> String {
    let (text, end) = line.strip_suffix('\n').map_or((line, ""), |text| (text, "\n"));
    let mut out = String::with_capacity(line.len());
    for (at, c) in text.char_indices() {
        let hidden = c.is_control() && !(c == '\u{1b}' && is_colour(&text[at..]))
            || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if hidden {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out + end
}

/// `ESC [ digits m`.
fn is_colour(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("\u{1b}[") else { return false };
    rest.find(|c: char| !c.is_ascii_digit() && c != ';').is_some_and(|at| rest[at..].starts_with('m'))
}

#[cfg(test)]
mod tests {
    use super::{hide, redacted};

    #[test]
    fn a_line_loses_secrets_buyers_and_signs_of_control() {
        hide("canary/secret+1 %");
        for (line, becomes) in [
            ("the key canary/secret+1 % is wrong\n", "the key [hidden] is wrong\n"),
            ("?k=canary%2Fsecret%2B1+%25&x", "?k=[hidden]&x"),
            ("k canary%2Fsecret%2B1%20%25", "k [hidden]"),
            ("basic=Y2FuYXJ5L3NlY3JldCsxICU=", "basic=[hidden]U="),
            ("authorization: Bearer abc.def", "authorization: Bearer [hidden]"),
            ("POST /bot123456:AAH-abcdefgh_ijk/sendMessage", "POST /bot[hidden]"),
            ("/bottles/5 and parom_orders{state}", "/bottles/5 and parom_orders{state}"),
            ("error sending request for url (https://x.ua/in/shop/tok)", "error sending request for url ([hidden])"),
            ("secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "secret whsec_[hidden]"),
            ("call +38 (067) 111-22-33 now", "call [phone …33] now"),
            ("{\"error\":\"`0671112233` is not\"}", "{\"error\":\"`[phone …33]` is not\"}"),
            ("phone=067+111-22-33&q=1", "phone=[phone …33]&q=1"),
            ("write to olena.k@example.ua, please", "write to [e-mail], please"),
            ("a\u{1b}[2Jb\u{7}c\u{202e}d\re\u{9b}", "a\\u001b[2Jb\\u0007c\\u202ed\\u000de\\u009b"),
            ("\u{1b}[32m INFO\u{1b}[0m two\nlines\n", "\u{1b}[32m INFO\u{1b}[0m two\\u000alines\n"),
            (
                "{\"timestamp\":\"2026-11-26T03:36:39.012345Z\",\"order\":\"01936789-1234-7123-9123-123456789012\",\"crm_order_id\":5012}",
                "{\"timestamp\":\"2026-11-26T03:36:39.012345Z\",\"order\":\"01936789-1234-7123-9123-123456789012\",\"crm_order_id\":5012}",
            ),
            (
                "listen=127.0.0.1:8080 took=0.0671112233 free=1067111223",
                "listen=127.0.0.1:8080 took=0.0671112233 free=1067111223",
            ),
        ] {
            assert_eq!(redacted(line), becomes);
        }
    }
}
