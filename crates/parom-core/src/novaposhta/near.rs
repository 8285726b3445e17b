//! How far two words are from each other, in letters.

/// Whether two words are at most `most` letters apart: one wrong, missing, added, or two exchanged counts one.
#[must_use]
pub(super) fn within(left: &str, right: &str, most: usize) -> bool {
    apart(left, right, most, false).is_some()
}

/// The same for a word and the beginning of another: what is still being typed.
#[must_use]
pub(super) fn begins_within(typed: &str, word: &str, most: usize) -> bool {
    apart(typed, word, most, true).is_some()
}

/// Restricted Damerau–Levenshtein distance, where it is not above `most`; `open`: to the nearest beginning of `right`.
fn apart(left: &str, right: &str, most: usize, open: bool) -> Option<usize> {
    let left: Vec<char> = left.chars().collect();
    let mut right: Vec<char> = right.chars().collect();
    if open {
        right.truncate(left.len() + most);
    }
    if left.len().abs_diff(right.len()) > most && (!open || left.len() > right.len()) {
        return None;
    }
    let width = right.len() + 1;
    let mut before = vec![usize::MAX; width];
    let mut above: Vec<usize> = (0..width).collect();
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1; width];
        for (j, b) in right.iter().enumerate() {
            let same = usize::from(a != b);
            let mut best = (above[j] + same).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                best = best.min(before[j - 1].saturating_add(1));
            }
            row[j + 1] = best;
        }
        if row.iter().min().is_none_or(|least| *least > most) {
            return None;
        }
        before = std::mem::replace(&mut above, row);
    }
    let end = if open { above.iter().min().copied() } else { above.last().copied() };
    end.filter(|end| *end <= most)
}

/// Which letters a word has, a bit each: a cheap first look before its distance is counted.
#[must_use]
pub(super) fn letters(word: &str) -> u64 {
    word.chars().fold(0, |mask, c| mask | 1 << (u32::from(c) & 63))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_is_one_apart() {
        assert!(within("кременчг", "кременчуг", 1) && within("хакрив", "харкив", 2));
        assert!(within("полтвава", "полтава", 1) && within("плотава", "полтава", 1));
        assert!(!within("суми", "самар", 1) && !within("", "ки", 1));
        assert!(begins_within("кремн", "кременчуг", 1) && !begins_within("львив", "кременчуг", 1));
        assert!(begins_within("кив", "кив", 0) && begins_within("ки", "кив", 0));
    }

    #[test]
    fn letters_tell_what_cannot_be_near() {
        assert_eq!(letters("абв") & !letters("авб"), 0);
        assert_ne!(letters("г") & !letters("абв"), 0);
    }
}
