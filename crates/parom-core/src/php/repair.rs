//! The faults of scripts that people copy: a comma that is missing, a list inside of one index. PHP refuses such a script;
//! what was meant can be read all the same.

use tree_sitter::{Node, Tree};

use super::Note;

/// A token with its place.
struct Token<'a> {
    kind: &'static str,
    text: &'a str,
    start: usize,
    end: usize,
    line: usize,
}

/// The script with its known faults mended, on the same lines, and a note for each.
pub(super) fn repair(source: &str, tree: &Tree) -> (String, Vec<Note>) {
    if !tree.root_node().has_error() {
        return (source.to_owned(), Vec::new());
    }
    let mut tokens = Vec::new();
    collect(tree.root_node(), source, &mut tokens);
    let (mut edits, mut notes) = (Vec::new(), Vec::new());
    missing_commas(&tokens, &mut edits, &mut notes);
    index_lists(&tokens, &mut edits, &mut notes);
    arrows(&tokens, &mut edits, &mut notes);
    let mut mended = source.to_owned();
    edits.sort_by_key(|(start, _, _)| std::cmp::Reverse(*start));
    for (start, end, text) in edits {
        mended.replace_range(start..end, &text);
    }
    (mended, notes)
}

/// Whole texts are one token: what is within them is no code.
fn collect<'a>(node: Node<'_>, source: &'a str, tokens: &mut Vec<Token<'a>>) {
    let whole = matches!(node.kind(), "string" | "encapsed_string" | "heredoc" | "comment" | "text" | "variable_name");
    if whole || node.child_count() == 0 {
        if node.kind() != "comment" && !node.is_missing() && !node.byte_range().is_empty() {
            tokens.push(Token {
                kind: node.kind(),
                text: &source[node.byte_range()],
                start: node.start_byte(),
                end: node.end_byte(),
                line: node.start_position().row + 1,
            });
        }
        return;
    }
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        collect(child, source, tokens);
    }
}

fn is_text(token: &Token<'_>) -> bool {
    matches!(token.kind, "string" | "encapsed_string")
}

/// `"a" => 1 "b" => 2`: a key that follows a value.
fn missing_commas(tokens: &[Token<'_>], edits: &mut Vec<(usize, usize, String)>, notes: &mut Vec<Note>) {
    for at in 1..tokens.len().saturating_sub(1) {
        let key = is_text(&tokens[at]) && tokens[at + 1].text == "=>";
        let before = &tokens[at - 1];
        let ends_value = is_text(before) || matches!(before.text, "]" | ")" | "}") || is_plain(before);
        if key && ends_value {
            edits.push((before.end, before.end, ",".to_owned()));
            let text = format!(
                "a comma is missing before {}; PHP refuses the script, here it is read as meant",
                name(&tokens[at])
            );
            notes.push(Note { line: before.line, text });
        }
    }
}

/// `"a" = 1` within an array: an arrow was meant, since nothing can be put into a text.
fn arrows(tokens: &[Token<'_>], edits: &mut Vec<(usize, usize, String)>, notes: &mut Vec<Note>) {
    for pair in tokens.windows(2) {
        if is_text(&pair[0]) && pair[1].text == "=" {
            edits.push((pair[1].start, pair[1].end, "=>".to_owned()));
            let text = format!("`=` stands behind {} where `=>` is meant", name(&pair[0]));
            notes.push(Note { line: pair[1].line, text });
        }
    }
}

/// The name of a field. Any other text may be a key, and is not shown.
fn name<'a>(token: &Token<'a>) -> &'a str {
    let inner = token.text.trim_matches(['\'', '"']);
    let plain = inner.chars().all(|c| c.is_alphabetic() && !c.is_uppercase() || matches!(c, '_' | ' '));
    if plain && inner.chars().count() <= 30 { token.text } else { "'…'" }
}

fn is_plain(token: &Token<'_>) -> bool {
    matches!(token.kind, "variable_name" | "integer" | "float" | "boolean" | "null" | "name")
}

/// `$_POST['a', 'b']`: one index that lists several fields, meant as a list of them.
fn index_lists(tokens: &[Token<'_>], edits: &mut Vec<(usize, usize, String)>, notes: &mut Vec<Note>) {
    for at in 0..tokens.len().saturating_sub(4) {
        let opens = tokens[at].kind == "variable_name" && tokens[at + 1].text == "[" && is_text(&tokens[at + 2]);
        if !opens || tokens[at + 3].text != "," {
            continue;
        }
        let mut last = at + 2;
        while tokens.get(last + 1).is_some_and(|t| t.text == ",") && tokens.get(last + 2).is_some_and(is_text) {
            last += 2;
        }
        if tokens.get(last + 1).is_none_or(|token| token.text != "]") {
            continue;
        }
        let name = tokens[at].text;
        let items: Vec<String> =
            (at + 2..=last).step_by(2).map(|item| format!("{name}[{}]", tokens[item].text)).collect();
        let (start, end) = (tokens[at].start, tokens[last + 1].end);
        let names: Vec<&str> = (at + 2..=last).step_by(2).map(|item| self::name(&tokens[item])).collect();
        let text =
            format!("`{name}[{}]` lists several fields in one index; it is read as a list of them", names.join(", "));
        notes.push(Note { line: tokens[at].line, text });
        edits.push((start, end, format!("[{}]", items.join(", "))));
    }
}

/// What is still no PHP.
pub(super) fn unread(root: Node<'_>) -> Vec<Note> {
    let mut notes = Vec::new();
    find(root, &mut notes);
    notes
}

fn find(node: Node<'_>, notes: &mut Vec<Note>) {
    if node.is_error() || node.is_missing() {
        // The text itself is not shown: a quote that is missing would show a key.
        let text = if node.is_missing() {
            format!("`{}` is missing", node.kind())
        } else {
            "something here is no PHP, and was passed over".to_owned()
        };
        notes.push(Note { line: node.start_position().row + 1, text });
        return;
    }
    if node.has_error() {
        let mut cursor = node.walk();
        for child in node.children(&mut cursor) {
            find(child, notes);
        }
    }
}

/// Where the script names the key of the CRM; what it is stays unsaid.
pub(super) fn key(root: Node<'_>, source: &str) -> Option<Note> {
    let mut tokens = Vec::new();
    collect(root, source, &mut tokens);
    let named = |token: &&Token<'_>| {
        let text = token.text.to_lowercase();
        is_text(token) && (text.contains("bearer ") || text.trim_matches(['\'', '"']) == "authorization")
    };
    let found = tokens.iter().find(named)?;
    let text = "the CRM's key is a secret and is not carried: put it into the account, api_key = { env = \"KEYCRM_API_KEY\" }, \
                and take it out of the script";
    Some(Note { line: found.line, text: text.to_owned() })
}
