//! Passwords of operators: what is taken, how they are kept, and how they are compared.

use std::fmt;
use std::sync::{Arc, LazyLock};

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use rustix::rand::{GetRandomFlags, getrandom};
use tokio::sync::Semaphore;

/// Characters of a password, at least.
pub const SHORTEST: usize = 12;
/// Bytes of a password, at most: longer ones only cost time.
const LONGEST: usize = 1_024;
/// Memory of a hash, KiB, and its passes: what OWASP asks for.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// Hashes at once: each takes the memory above.
static PLACES: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(2)));
/// Words that are tried first, whatever stands around them.
const TRIED_FIRST: [&str; 14] = [
    "password",
    "parol",
    "пароль",
    "qwerty",
    "йцукен",
    "123456",
    "abcdef",
    "admin",
    "keycrm",
    "parom",
    "letmein",
    "welcome",
    "iloveyou",
    "ukraine",
];

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weak {
    /// Fewer than [`SHORTEST`] characters.
    Short,
    /// More than 1,024 bytes.
    Long,
    /// A word that is tried first and little more, one piece again and again, or the operator's own name.
    Guessable,
}

impl fmt::Display for Weak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Weak::Short => write!(f, "a password has at least {SHORTEST} characters"),
            Weak::Long => write!(f, "a password has at most {LONGEST} bytes"),
            Weak::Guessable => f.write_str("this password is easily guessed: take a few unrelated words"),
        }
    }
}

/// Whether a password is taken.
///
/// # Errors
/// Why not.
pub fn check(password: &str, name: &str) -> Result<(), Weak> {
    let lower = password.to_lowercase();
    if password.chars().count() < SHORTEST {
        return Err(Weak::Short);
    }
    if password.len() > LONGEST {
        return Err(Weak::Long);
    }
    let mut rest = lower.clone();
    for word in TRIED_FIRST.into_iter().chain(Some(name).filter(|name| name.chars().count() >= 3)) {
        rest = rest.replace(word, "");
    }
    let mut different: Vec<char> = rest.chars().collect();
    different.sort_unstable();
    different.dedup();
    let mut all: Vec<char> = lower.chars().collect();
    all.sort_unstable();
    all.dedup();
    // What is left beside such words must be a password by itself.
    let own = rest.chars().count() == lower.chars().count() || rest.chars().count() >= 8;
    if own && different.len() >= 5 && all.len() >= 6 { Ok(()) } else { Err(Weak::Guessable) }
}

/// Whether a name is taken for an operator: small Latin letters, digits, `.`, `_`, `@` and `-`, at most 64.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let taken = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'@' | b'-');
    !name.is_empty() && name.len() <= 64 && name.bytes().all(taken)
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The hash of a password, in the PHC form.
///
/// # Errors
/// A machine without randomness or memory.
pub async fn hash(password: &str) -> Result<String, String> {
    let password = password.to_owned();
    at_most_two(move || {
        let salt = SaltString::encode_b64(&random::<16>()).map_err(|error| error.to_string())?;
        hasher()
            .hash_password(password.as_bytes(), &salt)
            .map(|hash| hash.to_string())
            .map_err(|error| error.to_string())
    })
    .await
}

/// Whether a password is the one of the hash. Without a hash it takes as long, and is not.
pub async fn matches(password: &str, hash: Option<&str>) -> bool {
    // Of nobody's password.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let (password, known) = (password.to_owned(), hash.is_some());
    let hash = hash.unwrap_or(NOBODY).to_owned();
    let same = at_most_two(move || {
        let hash = PasswordHash::new(&hash).map_err(|error| error.to_string())?;
        Ok(hasher().verify_password(password.as_bytes(), &hash).is_ok())
    });
    password_fits(same.await) && known
}

fn password_fits(compared: Result<bool, String>) -> bool {
    compared.unwrap_or(false)
}

async fn at_most_two<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let place = Arc::clone(&PLACES).acquire_owned().await.map_err(|error| error.to_string())?;
    let done = tokio::task::spawn_blocking(move || {
        // Whoever asked may be gone: the place is free when the work is done, not when nobody waits for it.
        let _place = place;
        work()
    });
    done.await.map_err(|error| error.to_string())?
}

/// Bytes that nobody can guess.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        // It fails only for a signal that came in between.
        filled += getrandom(&mut bytes[filled..], GetRandomFlags::empty()).unwrap_or_default();
    }
    bytes
}

/// 256 bits as text, for a cookie or a link.
#[must_use]
pub fn secret() -> String {
    random::<32>().iter().map(|byte| format!("{byte:02x}")).collect()
}
