//! Texts whose sender does not write UTF-8: old sites write windows-1251, and scripts cut a letter in two.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1251;
use percent_encoding::percent_decode;

/// A text by its bytes: UTF-8, and where that cannot be, the windows-1251 of the field's older sites. What begins as UTF-8, other
/// letters than Latin ones among it, was cut inside of a letter.
#[must_use]
pub fn readable(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(error) if !bytes[..error.valid_up_to()].is_ascii() => String::from_utf8_lossy(bytes),
        Err(_) => WINDOWS_1251.decode_without_bom_handling(bytes).0,
    }
}

/// The pairs of an urlencoded body, each in its own encoding.
pub(super) fn pairs(body: &[u8]) -> impl Iterator<Item = (String, String)> {
    let parts = body.split(|byte| *byte == b'&').filter(|part| !part.is_empty());
    parts.map(|part| {
        let at = part.iter().position(|byte| *byte == b'=').unwrap_or(part.len());
        (decoded(&part[..at]), decoded(part.get(at + 1..).unwrap_or_default()))
    })
}

fn decoded(part: &[u8]) -> String {
    let spaced: Vec<u8> = part.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let bytes: Cow<'_, [u8]> = percent_decode(&spaced).into();
    readable(&bytes).into_owned()
}

/// A JSON text in which half of a letter (`\ud83d` without its second part, as scripts write it that cut a text inside an emoji)
/// is a sign of its own; none where there is no such half.
pub(super) fn with_whole_letters(body: &[u8]) -> Option<Vec<u8>> {
    let unit = |at: usize| {
        let digits = body.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let (mut out, mut at, mut found) = (Vec::with_capacity(body.len()), 0, false);
    while let Some(byte) = body.get(at) {
        let length = match (*byte, unit(at)) {
            (b'\\', Some(0xD800..=0xDBFF)) if matches!(unit(at + 6), Some(0xDC00..=0xDFFF)) => 12,
            (b'\\', Some(0xD800..=0xDFFF)) => {
                found = true;
                out.extend_from_slice(b"\\ufffd");
                at += 6;
                continue;
            }
            (b'\\', Some(_)) => 6,
            // What is escaped begins nothing.
            (b'\\', None) => 2,
            _ => 1,
        };
        out.extend_from_slice(body.get(at..at + length).unwrap_or(&body[at..]));
        at += length;
    }
    found.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_was_cut_is_no_other_encoding() {
        let whole = "Олена Петренко".as_bytes();
        assert_eq!(readable(whole), "Олена Петренко");
        assert_eq!(readable(&whole[..whole.len() - 1]), "Олена Петренк\u{fffd}");
        assert_eq!(readable(b"\xce\xeb\xe5\xed\xe0 A"), "Олена A");
        assert_eq!(readable(b"A \xce\xeb\xe5\xed\xe0"), "A Олена");
    }

    #[test]
    fn half_a_letter_is_a_sign_of_its_own() {
        let cases = [
            (r#"{"a":"A\ud83d"}"#, Some(r#"{"a":"A\ufffd"}"#)),
            (r#"{"a":"\udE00\uD83D\uDE00"}"#, Some(r#"{"a":"\ufffd\uD83D\uDE00"}"#)),
            (r#"{"a":"\ud83d\u0041"}"#, Some(r#"{"a":"\ufffd\u0041"}"#)),
            (r#"{"a":"\ud83d\ude00"}"#, None),
            (r#"{"a":"\\ud83d"}"#, None),
            (r#"{"a":"\ud8"}"#, None),
            ("\\", None),
        ];
        for (body, expected) in cases {
            let found = with_whole_letters(body.as_bytes());
            assert_eq!(found.as_deref().map(|bytes| std::str::from_utf8(bytes).unwrap()), expected, "{body}");
        }
    }
}
