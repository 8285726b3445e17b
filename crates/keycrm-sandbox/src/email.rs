//! The e-mail rule, in the spirit of Laravel's default one: the syntax of an address, no look-up of the domain.

/// Longest local part.
const LOCAL_MAX: usize = 64;
/// Longest address.
const ADDRESS_MAX: usize = 254;

/// Whether the text can be an address.
pub(crate) fn is_valid(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    text.len() <= ADDRESS_MAX && is_local(local) && is_domain(domain)
}

fn is_local(local: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    !local.is_empty()
        && local.len() <= LOCAL_MAX
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(allowed)
}

fn is_domain(domain: &str) -> bool {
    domain.split('.').all(|label| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn addresses_and_mistypes() {
        for good in ["john.doe@mail.app", "a+b@x.ua", "o'neil@sub.example.com", "олена@пошта.укр"] {
            assert!(super::is_valid(good), "{good}");
        }
        for bad in
            ["", "john", "john@", "@mail.app", "a b@x.ua", "a@b@c.ua", "a..b@x.ua", "a@x..ua", "a@x.ua.", "a@x,ua"]
        {
            assert!(!super::is_valid(bad), "{bad}");
        }
    }
}
