//! The account's order sources: ids 1 to 50 exist.

/// The last id that exists.
const LAST: u32 = 50;

const NAMED: &[(u32, &str)] =
    &[(1, "Online shop"), (2, "Instagram"), (3, "Telegram"), (4, "Marketplace"), (5, "Call centre"), (22, "Landing")];

/// Whether an order may name this source.
pub(crate) fn exists(id: u32) -> bool {
    (1..=LAST).contains(&id)
}

/// The name that people know the source by.
pub(crate) fn name(id: u32) -> String {
    NAMED.iter().find(|(known, _)| *known == id).map_or_else(|| format!("Source {id}"), |(_, name)| (*name).to_owned())
}
