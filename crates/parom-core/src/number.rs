//! The number that an order of ours carries in the CRM (`source_uuid`) when the channel brings none.

/// Crockford's alphabet: no I, L, O, U, so a number can be read over the phone.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// `P-` and 13 base32 characters out of 65 of the given random bits.
#[must_use]
pub fn own(random: u128) -> String {
    let mut text = String::with_capacity(15);
    text.push_str("P-");
    for place in 0..13 {
        let index = (random >> (place * 5)) & 31;
        text.push(char::from(ALPHABET[usize::try_from(index).unwrap_or_default()]));
    }
    text
}
