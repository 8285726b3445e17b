//! E-mail addresses: what the CRM would refuse is caught before.

use email_address::{EmailAddress, Options};

use super::Misfit;
use crate::problem::Code;

/// A plain address with a dotted domain, in ASCII.
///
/// # Errors
/// Anything else, also an address with a Cyrillic letter that looks Latin.
pub fn email(text: &str) -> Result<String, Misfit> {
    let text = text.strip_prefix("mailto:").unwrap_or(text).trim();
    let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
    if !text.is_ascii() {
        let odd: String = text.chars().filter(|c| !c.is_ascii()).take(5).collect();
        return Err(Misfit::new(
            Code::InvalidEmail,
            format!("`{text}` has letters that an e-mail address does not take (`{odd}`)"),
            "Often a Cyrillic letter that looks Latin: ask the buyer, or leave the e-mail out.",
        ));
    }
    match EmailAddress::parse_with_options(text, options) {
        Ok(address) if !text.contains('"') => Ok(address.as_str().to_owned()),
        _ => Err(Misfit::new(
            Code::InvalidEmail,
            format!("`{text}` is not an e-mail address"),
            "The CRM refuses an order with it; mend the address or leave it out.",
        )),
    }
}
