//! A person by their phone or e-mail, and whether a text of whatever form speaks of them.

/// Whose data is looked for.
#[derive(Clone, Debug)]
pub struct Person {
    /// Digits of the phone in the ways that people write it; none where it is not looked for.
    phones: Vec<String>,
    /// As the journal has it.
    e164: String,
    email: String,
}

/// Digits of a country code and the trunk digit that people write in its place at home.
const HOME: [(&str, &str); 2] = [("380", "0"), ("7", "8")];

impl Person {
    /// By a phone, an e-mail, or both; a phone in any form that a buyer may type.
    ///
    /// # Errors
    /// What is neither, in words.
    pub fn new(phone: Option<&str>, email: Option<&str>) -> Result<Person, String> {
        let mut person = Person { phones: Vec::new(), e164: String::new(), email: String::new() };
        if let Some(phone) = phone {
            let e164 = parom_core::convert::phone(phone, "UA")
                .map_err(|_| "--phone: this is not a phone number; write it as +380671112233".to_owned())?;
            let digits = e164.trim_start_matches('+').to_owned();
            for (country, trunk) in HOME {
                if let Some(national) = digits.strip_prefix(country).filter(|rest| rest.len() >= 9) {
                    person.phones.push(format!("{trunk}{national}"));
                    person.phones.push(national.to_owned());
                }
            }
            person.phones.push(format!("00{digits}"));
            person.phones.push(digits);
            person.e164 = e164;
        }
        if let Some(email) = email {
            let email = email.trim().to_lowercase();
            if !email.contains('@') || email.len() < 3 {
                return Err("--email: this is not an e-mail address".into());
            }
            person.email = email;
        }
        if person.phones.is_empty() && person.email.is_empty() {
            return Err("say whose data: --phone +380671112233 or --email name@example.ua".into());
        }
        Ok(person)
    }

    /// By what, without saying whom.
    pub(super) fn by(&self) -> &'static str {
        match (self.phones.is_empty(), self.email.is_empty()) {
            (false, true) => "phone",
            (true, _) => "e-mail",
            (false, false) => "phone and e-mail",
        }
    }

    /// Whether these are the journal's columns of them.
    pub(super) fn is(&self, phone: &str, email: &str) -> bool {
        (!self.e164.is_empty() && phone == self.e164) || (!self.email.is_empty() && email == self.email)
    }

    /// Whether a body or a context has them, in whatever encoding a form or JSON uses.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        let plain = String::from_utf8_lossy(text).to_lowercase();
        if self.is_in_plain(&plain) {
            return true;
        }
        // In a form the plus is a space and the rest may be in percents; JSON may write signs by their numbers.
        let decoded = percent_encoding::percent_decode_str(&plain.replace('+', " ")).decode_utf8_lossy().to_lowercase();
        self.is_in_plain(&decoded) || plain.contains("\\u") && self.is_in_plain(&unescaped(&plain))
    }

    fn is_in_plain(&self, text: &str) -> bool {
        let by_email =
            !self.email.is_empty() && text.match_indices(&self.email).any(|(at, _)| whole(text, at, &self.email));
        by_email || !self.phones.is_empty() && self.has_phone(text)
    }

    /// A run of digits with what people put between them, and nothing else in it, is compared whole: another number that has
    /// the same digits within is not theirs.
    fn has_phone(&self, text: &str) -> bool {
        let between = |c: char| matches!(c, ' ' | '-' | '(' | ')' | '.' | '+' | '\u{a0}' | '/' | '–');
        text.split(|c: char| !c.is_ascii_digit() && !between(c)).any(|run| {
            let digits: String = run.chars().filter(char::is_ascii_digit).collect();
            self.phones.contains(&digits)
        })
    }
}

/// `olena@example.ua` is not in `molena@example.uacom`.
fn whole(text: &str, at: usize, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
    let before = text[..at].chars().next_back().is_some_and(part);
    let mut after = text[at + word.len()..].chars();
    let end = match after.next() {
        Some('.') => after.next().is_some_and(char::is_alphanumeric),
        Some(c) => part(c),
        None => false,
    };
    !before && !end
}

/// JSON's `\u0040` as its sign.
fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\u");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..4).and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
        match code {
            Some(sign) => {
                out.push(sign);
                out.push_str(&part[4..]);
            }
            None => out.push_str(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::Person;

    #[test]
    fn a_person_is_found_in_every_form_and_nobody_else() {
        let phone = Person::new(Some("067 111-22-33"), None).unwrap();
        for text in [
            "phone=%2B38+067+111-22-33&x=1",
            "phone=067+111+22+33",
            "{\"tel\":\"+38 (067) 111 22 33\"}",
            "{\"tel\":\"\\u002b380671112233\"}",
            "Content-Disposition: form-data; name=\"phone\"\r\n\r\n0671112233\r\n--x",
            "note=call+00380671112233,please",
            "{\"tel\":380671112233}",
        ] {
            assert!(phone.is_in(text.as_bytes()), "{text}");
        }
        for text in ["phone=0671112234", "a=067&b=1112233", "order=10671112233", "x=0671112233000", ""] {
            assert!(!phone.is_in(text.as_bytes()), "{text}");
        }
        let email = Person::new(None, Some("Olena@Example.ua")).unwrap();
        for text in [
            "email=olena%40example.ua&x=1",
            "{\"m\":\"OLENA@example.UA\"}",
            "write to olena@example.ua.",
            "a\\u0040b olena\\u0040example.ua",
        ] {
            assert!(email.is_in(text.as_bytes()), "{text}");
        }
        for text in ["email=molena%40example.ua", "olena@example.ua.com", "olena@example.uacom"] {
            assert!(!email.is_in(text.as_bytes()), "{text}");
        }
        assert!(Person::new(None, None).is_err() && Person::new(Some("12"), None).is_err());
    }
}
