//! Buyers and secrets in texts that are for somebody else's eyes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// A secret inside of something that was turned to base64: its three places within a group of three bytes, without the signs
/// that its neighbours have a share in.
#[must_use]
pub fn in_base64(secret: &[u8]) -> Vec<String> {
    let inner = |lead: usize| {
        let bytes: Vec<u8> = std::iter::repeat_n(0, lead).chain(secret.iter().copied()).collect();
        let text = STANDARD_NO_PAD.encode(&bytes);
        // The first signs hold bits of what stands before, the last one bits of what comes after.
        let (from, to) = ([0, 2, 3][lead], bytes.len() * 8 / 6);
        text.get(from..to).unwrap_or_default().to_owned()
    };
    let mut forms: Vec<String> = (0..3).map(inner).filter(|form| !form.is_empty()).collect();
    let url: Vec<String> = forms.iter().map(|form| form.replace('+', "-").replace('/', "_")).collect();
    forms.extend(url);
    forms.sort();
    forms.dedup();
    forms
}

/// A text without phones (their last two digits stay) and e-mail addresses.
#[must_use]
pub fn without_buyers(text: &str) -> String {
    without_phones(&without_emails(text))
}

fn without_emails(text: &str) -> String {
    let (mut out, mut read) = (String::with_capacity(text.len()), 0);
    let of_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '+' | '-');
    let of_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
    for sign in ["@", "%40"] {
        // Both spellings in one go would tangle the cuts: a line has one or the other.
        if !text.contains(sign) {
            continue;
        }
        for (at, _) in text.match_indices(sign) {
            let after = at + sign.len();
            let from = text[..at].rfind(|c| !of_name(c)).map_or(0, |end| end + width(&text[end..]));
            let to = text[after..].find(|c| !of_host(c)).map_or(text.len(), |len| after + len);
            let (name, host) = (&text[from..at], text[after..to].trim_end_matches('.'));
            if name.is_empty() || !host.contains('.') || from < read {
                continue;
            }
            out.push_str(&text[read..from]);
            out.push_str("[e-mail]");
            read = after + host.len();
        }
        break;
    }
    out.push_str(&text[read..]);
    out
}

fn width(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

/// A run of digits with what people put between them, where it can be a phone: +380…, 380…, 0… of ten digits. Times, ids and
/// sums are none.
fn without_phones(text: &str) -> String {
    let between = |c: char| matches!(c, ' ' | '-' | '(' | ')' | '+' | '\u{a0}');
    let (mut out, mut rest, mut before) = (String::with_capacity(text.len()), text, None);
    while let Some(c) = rest.chars().next() {
        let starts = c.is_ascii_digit() || c == '+' || c == '(';
        if !starts || before.is_some_and(|c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_' | ':')) {
            out.push(c);
            before = Some(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let len = rest.find(|c: char| !c.is_ascii_digit() && !between(c)).unwrap_or(rest.len());
        let run = rest[..len].trim_end_matches(between);
        let run = if run.is_empty() { &rest[..c.len_utf8()] } else { run };
        let digits: String = run.chars().filter(char::is_ascii_digit).collect();
        let next = rest[run.len()..].chars().next();
        let ends = next.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '-' | '_'));
        if ends && is_phone(run, &digits) {
            out.push_str(&format!("[phone …{}]", &digits[digits.len() - 2..]));
        } else {
            out.push_str(run);
        }
        before = run.chars().next_back();
        rest = &rest[run.len()..];
    }
    out
}

fn is_phone(run: &str, digits: &str) -> bool {
    match digits.len() {
        10..=15 if run.starts_with('+') => true,
        12 => digits.starts_with("380"),
        11 => digits.starts_with("80"),
        10 => digits.starts_with('0'),
        _ => false,
    }
}

/// A channel's file that somebody wrote a secret into, without the secret. Such a file cannot be used; what is kept of it must
/// not hold what it should never have held.
#[must_use]
pub fn without_plain_secrets(file: &str) -> String {
    let lines = file.split_inclusive('\n').map(|line| match line.split_once('=') {
        Some((key, value)) if is_secret_key(key) => format!("{key}={}", without_quoted(value)),
        _ => line.to_owned(),
    });
    lines.collect()
}

fn is_secret_key(key: &str) -> bool {
    let last = key.trim().rsplit('.').next().unwrap_or_default().trim_matches(['"', '\'', ' ']);
    ["token", "secret", "password", "api_key"].contains(&last)
}

/// Hides quoted texts, but names of variables and files: `{ env = "NAME" }`.
fn without_quoted(value: &str) -> String {
    let (mut out, mut rest) = (String::new(), value);
    while let Some(at) = rest.find(['"', '\'']) {
        let quote = &rest[at..=at];
        let inner = &rest[at + 1..];
        // A text that does not end on its line goes whole.
        let end = inner.find(quote).unwrap_or_else(|| inner.trim_end_matches(['\r', '\n']).len());
        let before = rest[..at].trim_end().trim_end_matches('=').trim_end();
        let is_name = rest[..at].trim_end().ends_with('=') && (before.ends_with("env") || before.ends_with("file"));
        out.push_str(&rest[..=at]);
        out.push_str(if is_name || end == 0 { &inner[..end] } else { "[hidden]" });
        let after = (end + 1).min(inner.len());
        out.push_str(if inner[end..].starts_with(quote) { quote } else { "" });
        rest = if inner[end..].starts_with(quote) { &inner[after..] } else { &inner[end..] };
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::{in_base64, without_plain_secrets};
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    #[test]
    fn a_file_that_holds_a_secret_is_kept_without_it() {
        for (file, kept) in [
            ("[access]\ntoken = \"abc\"\n[order]\n", "[access]\ntoken = \"[hidden]\"\n[order]\n"),
            ("access.token='abc'", "access.token='[hidden]'"),
            ("secret = [{ env = \"NEW\" }, \"plain\"]\n", "secret = [{ env = \"NEW\" }, \"[hidden]\"]\n"),
            ("token = { env = \"NAME\" }\n", "token = { env = \"NAME\" }\n"),
            ("token = { file=\"/run/x\" }\r\n", "token = { file=\"/run/x\" }\r\n"),
            ("token = \"abc\nphone = \"{{ phone }}\"", "token = \"[hidden]\nphone = \"{{ phone }}\""),
            ("token = \"\"\"abc", "token = \"\"\"[hidden]"),
            ("idempotency_key = \"{{ id }}\"", "idempotency_key = \"{{ id }}\""),
        ] {
            assert_eq!(without_plain_secrets(file), kept);
        }
    }

    #[test]
    fn a_secret_is_found_wherever_it_stands_in_base64() {
        let secret = b"canary?secret>1~~";
        for before in 0..7 {
            for after in 0..7 {
                let whole = [&vec![b'x'; before][..], secret, &vec![b'y'; after]].concat();
                for text in [STANDARD.encode(&whole), URL_SAFE.encode(&whole)] {
                    assert!(in_base64(secret).iter().any(|form| text.contains(form)), "{before} {after} {text}");
                }
            }
        }
    }
}
