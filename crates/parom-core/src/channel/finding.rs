//! What a look over a channel file finds, with the place in the file.

use std::ops::Range;

use crate::problem::Code;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The channel cannot be used as it is.
    Error,
    /// It works, perhaps not as meant.
    Warning,
}

impl Severity {
    /// The severity's stable text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// One finding in a channel file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The key in the file, dotted: `order.buyer.phone`.
    pub path: String,
    /// What kind.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Collects findings over one text.
pub(super) struct Findings<'a> {
    text: &'a str,
    pub(super) found: Vec<Finding>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(text: &'a str) -> Findings<'a> {
        Findings { text, found: Vec::new() }
    }

    pub(super) fn error(&mut self, at: Range<usize>, path: &str, code: Code, message: impl Into<String>, hint: &str) {
        self.add(Severity::Error, at, path, code, message.into(), hint);
    }

    pub(super) fn warn(&mut self, at: Range<usize>, path: &str, code: Code, message: impl Into<String>, hint: &str) {
        self.add(Severity::Warning, at, path, code, message.into(), hint);
    }

    pub(super) fn has_errors(&self) -> bool {
        self.found.iter().any(|finding| finding.severity == Severity::Error)
    }

    pub(super) fn add(
        &mut self,
        severity: Severity,
        at: Range<usize>,
        path: &str,
        code: Code,
        message: String,
        hint: &str,
    ) {
        let before = self.text.get(..at.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        self.found.push(Finding { line, column, path: path.into(), code, severity, message, hint: hint.into() });
    }
}
