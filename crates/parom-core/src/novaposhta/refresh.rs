//! A refresh of the directory, page by page: what to ask next, and whether what came is whole.

use super::read::List;

/// Pages of one list at most: ten times what the carrier has.
const PAGES: usize = 2_000;
/// Of the rows that the carrier counts, those that must have come: a few change while the pages are read.
const WHOLE: (usize, usize) = (999, 1_000);
/// Of the branches that were there before, those that must be there still.
const KEPT: (usize, usize) = (1, 2);

/// What follows a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// This page of this list, from 1.
    Page(List, usize),
    /// All came.
    Complete,
    /// The page is shorter than those before it, and not the last: it is to be asked again, and its rows are not to be kept.
    Again,
    /// Not the whole came; why.
    Short(String),
}

/// How far a refresh is.
#[derive(Clone, Debug)]
pub struct Refresh {
    list: usize,
    page: usize,
    rows: usize,
    /// Rows of the list's first page, as it was given last: what the carrier gives at once, whatever was asked for.
    size: usize,
    /// Branches of the directory that is in use.
    before: usize,
    counted: [usize; 3],
}

impl Refresh {
    /// Begins anew; `before` branches are in use now.
    #[must_use]
    pub fn new(before: usize) -> Refresh {
        Refresh { list: 0, page: 1, rows: 0, size: 0, before, counted: [0; 3] }
    }

    /// The page to ask for now; none when all came.
    #[must_use]
    pub fn now(&self) -> Option<(List, usize)> {
        List::ALL.get(self.list).map(|list| (*list, self.page))
    }

    /// Rows of each list so far.
    #[must_use]
    pub fn counted(&self) -> [usize; 3] {
        self.counted
    }

    /// Takes a page of so many rows; `total` is how many the carrier counts in the list. A page is the last one where all
    /// came that were counted, or where it is empty; without a count, where it is shorter than a page.
    pub fn take(&mut self, rows: usize, total: Option<usize>) -> Next {
        let Some(list) = List::ALL.get(self.list).copied() else { return Next::Complete };
        let more = total.is_some_and(|total| self.rows + rows < total);
        // A first page that is short twice is how many the carrier gives at once.
        let first = self.page == 1 && (rows == list.page() || rows == self.size || !more);
        // Without a row and without an error: so it answers now and then, and means nothing by it.
        if more && rows == 0 {
            return Next::Again;
        }
        if more && !first && (self.page == 1 || rows != self.size) {
            self.size = if self.page == 1 { rows } else { self.size };
            return Next::Again;
        }
        if self.page == 1 {
            self.size = rows;
        }
        self.rows += rows;
        self.counted[self.list] = self.rows;
        let last = if total.is_some() { !more } else { rows < list.page() };
        if !last && self.page >= PAGES {
            return Next::Short(format!("{}: more than {PAGES} pages", list.as_str()));
        }
        if !last {
            self.page += 1;
            return self.next();
        }
        if let Some(why) = self.lacks(list, total) {
            return Next::Short(why);
        }
        (self.list, self.page, self.rows, self.size) = (self.list + 1, 1, 0, 0);
        self.next()
    }

    fn next(&self) -> Next {
        self.now().map_or(Next::Complete, |(list, page)| Next::Page(list, page))
    }

    /// Why a list that ended is not whole.
    fn lacks(&self, list: List, total: Option<usize>) -> Option<String> {
        let name = list.as_str();
        if self.rows == 0 {
            return Some(format!("{name}: none came"));
        }
        if let Some(total) = total.filter(|total| self.rows * WHOLE.1 < total * WHOLE.0) {
            return Some(format!("{name}: {} of {total} came", self.rows));
        }
        let shrunk = list == List::Branches && self.rows * KEPT.1 < self.before * KEPT.0;
        shrunk.then(|| format!("{name}: {} came, and there were {} before", self.rows, self.before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(pages: &[(usize, Option<usize>)], before: usize) -> (Vec<Next>, [usize; 3]) {
        let mut refresh = Refresh::new(before);
        let asked = pages.iter().map(|(rows, total)| refresh.take(*rows, *total)).collect();
        (asked, refresh.counted())
    }

    #[test]
    fn every_list_is_read_to_its_end() {
        let (asked, counted) = run(&[(150, Some(200)), (50, Some(200)), (500, None), (7, None), (500, Some(500))], 0);
        let expected = [
            Next::Page(List::Settlements, 2),
            Next::Page(List::Cities, 1),
            Next::Page(List::Cities, 2),
            Next::Page(List::Branches, 1),
            Next::Complete,
        ];
        assert_eq!(asked, expected);
        assert_eq!(counted, [200, 507, 500]);
    }

    #[test]
    fn what_is_not_whole_is_not_taken() {
        let short = |pages: &[(usize, Option<usize>)], before| run(pages, before).0.pop().unwrap();
        assert_eq!(short(&[(150, Some(300)), (0, Some(300))], 0), Next::Again);
        assert!(matches!(short(&[(0, None)], 0), Next::Short(_)));
        let few = [(10, Some(10)), (10, Some(10)), (40, Some(40))];
        assert!(matches!(short(&few, 100), Next::Short(why) if why.contains("100 before")));
        assert_eq!(short(&few, 80), Next::Complete);
    }

    #[test]
    fn a_short_page_within_a_list_is_asked_again() {
        let (asked, counted) = run(&[(150, Some(400)), (75, Some(400)), (150, Some(400)), (100, Some(400))], 0);
        let second = Next::Page(List::Settlements, 3);
        assert_eq!(asked, [Next::Page(List::Settlements, 2), Next::Again, second, Next::Page(List::Cities, 1)]);
        assert_eq!(counted[0], 400);
        // A carrier that gives fewer than are asked for gives so many each time.
        let pages = [(100, Some(250)), (100, Some(250)), (100, Some(250)), (50, Some(250))];
        let (asked, counted) = run(&pages, 0);
        assert_eq!((&asked[0], asked.last(), counted[0]), (&Next::Again, Some(&Next::Page(List::Cities, 1)), 250));
        let (asked, counted) = run(&[(75, Some(250)), (150, Some(250)), (100, Some(250))], 0);
        assert_eq!((asked.last(), counted[0]), (Some(&Next::Page(List::Cities, 1)), 250));
    }
}
