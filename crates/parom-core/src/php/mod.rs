//! A PHP script that sends orders to the CRM → a channel file, by reading the script and never running it.
//!
//! The script is followed as far as it can be without its form: an array's value becomes a constant, a place of the form,
//! or an expression over such places. What cannot be carried is left out, with a comment at its place and a note.

mod arrays;
mod calls;
mod classes;
mod compare;
mod conditions;
mod ends;
mod evaluate;
mod functions;
mod loops;
mod merge;
mod operators;
mod overlay;
mod repair;
mod run;
mod symbol;
mod texts;
mod write;

use tree_sitter::{Parser, Tree};

use crate::limits;
use crate::order::Target;
use run::Run;

/// Times that a script is mended and read again.
const REPAIRS: usize = 5;

/// Parts of a chain that weigh as much as a level.
const CHAINED: usize = 3;

/// What was noticed at a line of the script.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// From 1.
    pub line: usize,
    /// In a sentence.
    pub text: String,
}

/// A script as a channel.
#[derive(Clone, Debug)]
pub struct Converted {
    /// The text of the channel file.
    pub channel: String,
    /// What it sends to.
    pub target: Target,
    /// What a person has to look at, by line.
    pub notes: Vec<Note>,
}

/// Why a script is no channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConvertError {
    /// It is larger than [`limits::PHP_BYTES`].
    TooLarge,
    /// It nests deeper than [`limits::PHP_NESTING`].
    TooDeep,
    /// It sends no order that could be found.
    NoOrder(Vec<Note>),
}

impl std::fmt::Display for ConvertError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ConvertError::TooLarge => write!(f, "the script is larger than {} bytes", limits::PHP_BYTES),
            ConvertError::TooDeep => write!(f, "the script nests deeper than {} levels", limits::PHP_NESTING),
            ConvertError::NoOrder(_) => f.write_str(
                "no order was found in the script: an array with `buyer`, `products` or `source_id` that is sent as JSON",
            ),
        }
    }
}

impl std::error::Error for ConvertError {}

/// Whether the tree is deeper than what is followed; without recursion, which it would exhaust. What is joined in a row, a long
/// text, nests too, but each of its parts costs less than a level.
fn too_deep(tree: &Tree) -> bool {
    let mut cursor = tree.walk();
    let (mut depth, mut weights) = (0, Vec::new());
    loop {
        let outer = cursor.node().kind();
        if cursor.goto_first_child() {
            let chain = outer == "binary_expression" && cursor.node().kind() == outer;
            let weight = if chain { 1 } else { CHAINED };
            depth += weight;
            weights.push(weight);
            if depth > limits::PHP_NESTING * CHAINED {
                return true;
            }
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return false;
            }
            depth -= weights.pop().unwrap_or_default();
        }
    }
}

/// The tree of a script.
fn parse(source: &str) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_php::LANGUAGE_PHP.into()).ok()?;
    parser.parse(source, None)
}

/// Converts a script. `account` is the account's name for the channel.
///
/// # Errors
/// A script that is too large, or sends no order.
pub fn convert(source: &str, account: &str) -> Result<Converted, ConvertError> {
    if source.len() > limits::PHP_BYTES {
        return Err(ConvertError::TooLarge);
    }
    let Some(tree) = parse(source) else {
        return Err(ConvertError::NoOrder(Vec::new()));
    };
    if too_deep(&tree) {
        return Err(ConvertError::TooDeep);
    }
    let (mut source, mut tree, mut notes) = (source.to_owned(), tree, Vec::new());
    // One fault may hide the next.
    for _ in 0..REPAIRS {
        let (mended, found) = repair::repair(&source, &tree);
        if found.is_empty() {
            break;
        }
        notes.extend(found);
        tree = match parse(&mended).filter(|tree| !too_deep(tree)) {
            Some(tree) => tree,
            None => return Err(ConvertError::TooDeep),
        };
        source = mended;
    }
    notes.extend(repair::unread(tree.root_node()));
    notes.extend(repair::key(tree.root_node(), &source));
    let mut run = Run::new(&source);
    run.program(tree.root_node());
    run.tell_of_others();
    notes.append(&mut run.notes);
    let Some(body) = run.body() else {
        return Err(ConvertError::NoOrder(sorted(notes)));
    };
    let (channel, target) = write::channel(&body, account, &run.whole, &mut notes);
    Ok(Converted { channel, target, notes: sorted(notes) })
}

fn sorted(mut notes: Vec<Note>) -> Vec<Note> {
    notes.sort();
    notes.dedup();
    // What is cleaned in another way is the least of it.
    if notes.len() > limits::PHP_NOTES {
        notes.retain(|note| !note.text.contains("is left out: the text goes as it was typed"));
    }
    if let Some(left) = notes.len().checked_sub(limits::PHP_NOTES).filter(|left| *left > 0) {
        notes.truncate(limits::PHP_NOTES);
        let line = notes.last().map_or(1, |note| note.line);
        notes.push(Note {
            line,
            text: format!("{left} more notes are left out: mend these, and convert the script again"),
        });
    }
    notes
}
