//! The number that an order of ours carries in the CRM (`source_uuid`) when the channel brings none.

use sha2::{Digest, Sha256};

/// Crockford's alphabet: no I, L, O, U, so a number can be read over the phone.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Whether a number is one of [`own`]'s.
#[must_use]
pub fn is_own(number: &str) -> bool {
    number.strip_prefix("P-").is_some_and(|rest| rest.len() == 13 && rest.bytes().all(|byte| ALPHABET.contains(&byte)))
}

/// The bits of a number that follow from the submission itself: the same request, kept again after a restore, has the same
/// number, by which it is found in the CRM.
#[must_use]
pub fn bits(channel: &str, key: &str, content: &[u8]) -> u128 {
    let mut hash = Sha256::new();
    for part in [channel.as_bytes(), key.as_bytes(), content] {
        hash.update(u64::try_from(part.len()).unwrap_or_default().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(16).fold(0, |bits, byte| (bits << 8) | u128::from(*byte))
}

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
