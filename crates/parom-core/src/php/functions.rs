//! PHP's own functions, as far as a mapping has their like.

use serde_json::Value;
use tree_sitter::Node;

use super::run::Run;
use super::symbol::{Entry, Root, Sym, holds, negated, quoted};
use super::texts::join;

/// Cleaning that the CRM's fields do not need: the text goes as the buyer wrote it.
const CLEANING: [&str; 18] = [
    "addcslashes",
    "ucfirst",
    "lcfirst",
    "ucwords",
    "nl2br",
    "htmlspecialchars",
    "htmlentities",
    "strip_tags",
    "stripslashes",
    "addslashes",
    "sanitize_text_field",
    "sanitize_email",
    "sanitize_textarea_field",
    "esc_html",
    "esc_attr",
    "wp_unslash",
    "urldecode",
    "html_entity_decode",
];
/// What cuts and pads a text: a phone that went through one is still that phone.
const CUTTING: [&str; 9] =
    ["preg_replace", "substr", "mb_substr", "str_pad", "ltrim", "rtrim", "trim", "str_replace", "filter_var"];
/// What changes nothing that the field's own conversion does not do.
const SAME: [&str; 11] = [
    "intval",
    "floatval",
    "doubleval",
    "strval",
    "array_values",
    "settype",
    "wp_strip_all_tags",
    "utf8_encode",
    "boolval",
    "iterator_to_array",
    "wc_clean",
];
/// Hooks that are handed a function.
const HOOKS: [&str; 4] = ["add_action", "add_filter", "register_shutdown_function", "spl_autoload_register"];

impl<'a> Run<'a> {
    pub(super) fn library(&mut self, node: Node<'a>, name: &str, arguments: Vec<Sym>) -> Sym {
        let first = arguments.first().cloned().unwrap_or_else(Sym::null);
        if HOOKS.contains(&name) {
            self.follow_closures(&arguments);
            return Sym::null();
        }
        // Empty entries are left out anyhow; a rule of the script's own is not carried.
        if name == "array_filter" && arguments.len() == 1 {
            return filled(first);
        }
        if SAME.contains(&name) {
            if name == "intval" {
                self.cut(&first);
            }
            return first;
        }
        if CLEANING.contains(&name) {
            if matches!(first, Sym::Place(_) | Sym::Expr(..) | Sym::Text(_)) {
                self.note(
                    node,
                    format!("{name}() has no like in a mapping and is left out: the text goes as it was typed"),
                );
            }
            return first;
        }
        let known = self.of_language(node, name, &arguments).or_else(|| self.of_texts(node, name, &arguments));
        known.or_else(|| self.of_arrays(node, name, &arguments)).unwrap_or_else(|| {
            match (self.unknown(node), first.near()) {
                (Sym::Unknown(line, why, None), near) if CUTTING.contains(&name) => Sym::Unknown(line, why, near),
                (other, _) => other,
            }
        })
    }

    /// What sends, declares and asks.
    fn of_language(&mut self, node: Node<'a>, name: &str, arguments: &[Sym]) -> Option<Sym> {
        let first = arguments.first().cloned().unwrap_or_else(Sym::null);
        Some(match name {
            "json_encode" | "wp_json_encode" | "http_build_query" => {
                self.send(node, first);
                Sym::unknown(super::run::line(node), "the JSON itself")
            }
            "define" => {
                if let (Some(name), Some(value)) = (first.as_text(), arguments.get(1)) {
                    self.constants.insert(name, value.clone());
                }
                Sym::null()
            }
            "extract" => {
                self.extract(node, first);
                Sym::null()
            }
            "iconv" => arguments.get(2)?.clone(),
            "mb_convert_encoding" => first,
            "constant" => self.constants.get(&first.as_text()?)?.clone(),
            "isset" => match self.is_set(arguments) {
                Some(known) if known == "true" || known == "false" => Sym::Const(Value::Bool(known == "true")),
                Some(tested) => Sym::Expr(tested, false),
                None if arguments.iter().all(|a| !matches!(a, Sym::Unknown(..) | Sym::Const(Value::Null))) => {
                    Sym::Const(Value::Bool(true))
                }
                None => return None,
            },
            "empty" => match self.truth(&first) {
                Some(truth) if truth == "true" || truth == "false" => Sym::Const(Value::Bool(truth == "false")),
                Some(truth) => Sym::Expr(negated(&truth), false),
                None => return None,
            },
            "filter_input" => self.filter_input(node, arguments),
            "filter_var" => self.filter_var(node, arguments),
            "file_get_contents" if first.as_text().as_deref() == Some("php://input") => first,
            "json_decode" => {
                self.typed = true;
                if first.as_text().as_deref() == Some("php://input") { Sym::place(Root::Form) } else { first }
            }
            "is_array" => match &first {
                Sym::Place(place) if place.steps.is_empty() && place.root != Root::Item => {
                    Sym::Const(Value::Bool(true))
                }
                Sym::Map(_) | Sym::List(_) | Sym::Over(..) => Sym::Const(Value::Bool(true)),
                Sym::Place(_) => {
                    first.expr().map(|x| Sym::Expr(format!("{x} is sequence or {x} is mapping"), false))?
                }
                _ => return None,
            },
            "call_user_func" if first.as_text().is_some() => {
                let own = self.functions.get(&first.as_text()?.to_lowercase()).copied()?;
                self.call(own, arguments.get(1..).unwrap_or_default().to_vec())
            }
            // A second argument is another time than now.
            "date" | "gmdate" if arguments.len() > 1 => return None,
            "date" | "gmdate" => match first.as_text().as_deref() {
                Some("Y-m-d H:i:s" | "c" | "Y-m-d\\TH:i:s" | "Y-m-d\\TH:i:sP") => Sym::Expr("received_at".into(), true),
                _ => return None,
            },
            _ => return None,
        })
    }

    fn of_texts(&mut self, node: Node<'a>, name: &str, arguments: &[Sym]) -> Option<Sym> {
        let first = arguments.first().cloned().unwrap_or_else(Sym::null);
        Some(match name {
            "trim" | "ltrim" | "rtrim" if arguments.len() > 1 => return None,
            "trim" | "ltrim" | "rtrim" => self.filtered(node, &first, "trim"),
            "mb_strtolower" | "strtolower" => self.filtered(node, &first, "lower"),
            "mb_strtoupper" | "strtoupper" => self.filtered(node, &first, "upper"),
            "count" | "sizeof" | "strlen" | "mb_strlen" => self.filtered(node, &first, "length"),
            "sprintf" => self.sprintf(node, arguments),
            "implode" | "join" => self.implode(node, arguments),
            "str_replace" => self.replaced(node, arguments),
            "preg_replace" => self.preg_replaced(node, arguments),
            "number_format" | "round" => self.rounded(node, name, arguments),
            _ => return None,
        })
    }

    fn of_arrays(&mut self, node: Node<'a>, name: &str, arguments: &[Sym]) -> Option<Sym> {
        let side = |at: usize| arguments.get(at).and_then(Sym::expr);
        Some(match name {
            "in_array" => {
                // The form's values are texts.
                let list = match arguments.get(1)? {
                    Sym::List(items) => {
                        Sym::List(items.iter().map(|i| i.as_text().map_or_else(|| i.clone(), Sym::text)).collect())
                    }
                    other => other.clone(),
                };
                let text = if self.typed { format!("({} | string)", side(0)?) } else { side(0)? };
                Sym::Expr(format!("{text} in {}", list.expr()?), false)
            }
            "array_key_exists" => Sym::Expr(format!("{}[{}] is defined", side(1)?, side(0)?), false),
            "array_map" => self.mapped(node, arguments),
            "array_merge" | "array_replace" => {
                let mut arguments = arguments.iter().cloned();
                let first = arguments.next()?;
                arguments.fold(first, |whole, more| self.laid_over(node, whole, more))
            }
            "compact" => self.compacted(arguments),
            _ => return None,
        })
    }

    /// A value through a filter of the mapping; a constant through PHP's own rule.
    fn filtered(&mut self, node: Node<'a>, value: &Sym, filter: &str) -> Sym {
        match (value, filter) {
            (Sym::Const(Value::String(text)), "trim") => Sym::text(text.trim()),
            (Sym::Const(Value::String(text)), "lower") => Sym::text(text.to_lowercase()),
            (Sym::Const(Value::String(text)), "upper") => Sym::text(text.to_uppercase()),
            (Sym::Const(Value::Null), _) => Sym::text(""),
            // Every field is trimmed anyhow.
            (Sym::Place(_), "trim") => value.clone(),
            (doubt @ Sym::Unknown(..), _) => doubt.clone(),
            _ => match value.expr() {
                Some(source) if self.typed => Sym::Expr(format!("{source} | default('') | {filter}"), false),
                Some(source) => Sym::Expr(format!("{source} | {filter}"), false),
                None => self.unknown(node),
            },
        }
    }

    /// `%s` and `%1$s`; other forms of a number are not carried.
    fn sprintf(&mut self, node: Node<'a>, arguments: &[Sym]) -> Sym {
        let Some(format) = arguments.first().and_then(Sym::as_text) else {
            return self.unknown(node);
        };
        let (mut whole, mut rest, mut next) = (Sym::text(""), format.as_str(), 1);
        while let Some(at) = rest.find('%') {
            whole = join(whole, Sym::text(&rest[..at]));
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('%') {
                (whole, rest) = (join(whole, Sym::text("%")), after);
                continue;
            }
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let mut position = next;
            if digits > 0 && rest[digits..].starts_with('$') {
                position = rest[..digits].parse().unwrap_or(next);
                rest = &rest[digits + 1..];
            } else {
                next += 1;
            }
            let Some(after) = rest.strip_prefix(['s', 'd']) else {
                return self.unknown(node);
            };
            rest = after;
            whole = join(whole, arguments.get(position).cloned().unwrap_or_else(Sym::null));
        }
        join(whole, Sym::text(rest))
    }

    fn implode(&mut self, node: Node<'a>, arguments: &[Sym]) -> Sym {
        let (separator, list) = match arguments {
            [separator, list] => (separator.as_text().unwrap_or_default(), list),
            [list] => (String::new(), list),
            _ => return self.unknown(node),
        };
        match list {
            Sym::List(items) if items.iter().all(|item| !matches!(item, Sym::Each(..))) => {
                let mut whole = Sym::text("");
                for (at, item) in items.iter().enumerate() {
                    let before = if at > 0 { Sym::text(separator.clone()) } else { Sym::text("") };
                    whole = join(join(whole, before), item.clone());
                }
                whole
            }
            Sym::Map(entries) => {
                let values = Sym::List(entries.iter().map(|entry| entry.value.clone()).collect());
                self.implode(node, &[Sym::text(separator), values])
            }
            other => match other.expr() {
                Some(source) => Sym::Expr(format!("{source} | join({})", quoted(&separator)), false),
                None => self.unknown(node),
            },
        }
    }

    fn replaced(&mut self, node: Node<'a>, arguments: &[Sym]) -> Sym {
        let [from, to, value] = arguments else {
            return self.unknown(node);
        };
        let froms: Vec<Sym> = if let Sym::List(items) = from { items.clone() } else { vec![from.clone()] };
        let Some(mut source) = value.expr() else {
            return self.unknown(node);
        };
        for (at, from) in froms.iter().enumerate() {
            let to = if let Sym::List(items) = to { items.get(at).cloned() } else { Some(to.clone()) };
            match (from.as_text(), to.and_then(|to| to.as_text())) {
                (Some(from), Some(to)) => source = format!("{source} | replace({}, {})", quoted(&from), quoted(&to)),
                _ => return self.unknown(node),
            }
        }
        Sym::Expr(source, false)
    }

    /// A pattern without flags but `u`, and without places in the replacement.
    fn preg_replaced(&mut self, node: Node<'a>, arguments: &[Sym]) -> Sym {
        let [pattern, to, value] = arguments else {
            return self.unknown(node);
        };
        let pattern = pattern.as_text().and_then(|text| {
            let open = text.chars().next().filter(|c| matches!(c, '/' | '#' | '~' | '!' | '@'))?;
            let (inner, flags) = text[1..].rsplit_once(open)?;
            matches!(flags, "" | "u").then(|| inner.replace(&format!("\\{open}"), &open.to_string()))
        });
        match (pattern, to.as_text(), value.expr()) {
            (Some(pattern), Some(to), Some(value)) if !to.contains(['$', '\\']) => {
                Sym::Expr(format!("{value} | regex_replace({}, {})", quoted(&pattern), quoted(&to)), false)
            }
            _ => self.unknown(node),
        }
    }

    fn rounded(&mut self, node: Node<'a>, name: &str, arguments: &[Sym]) -> Sym {
        let places = arguments.get(1).and_then(Sym::as_text).unwrap_or_else(|| "0".to_owned());
        // Money goes as a number: only a point, and nothing between thousands, gives the same.
        let plain = name == "round" || matches!(arguments.get(3).and_then(Sym::as_text).as_deref(), Some(""));
        match arguments.first().and_then(Sym::expr) {
            Some(source) if plain && !places.starts_with('-') => {
                Sym::Expr(format!("({source} | money) | round({places})"), false)
            }
            _ => self.unknown(node),
        }
    }

    fn mapped(&mut self, node: Node<'a>, arguments: &[Sym]) -> Sym {
        let cleans = arguments.first().and_then(Sym::as_text).filter(|name| CLEANING.contains(&name.as_str()));
        if let (Some(name), Some(list)) = (cleans, arguments.get(1)) {
            self.note(
                node,
                format!("{name}() has no like in a mapping and is left out: the text goes as it was typed"),
            );
            return list.clone();
        }
        let (Some(Sym::Closure(closure)), Some(list)) = (arguments.first(), arguments.get(1)) else {
            return match (arguments.first().and_then(Sym::as_text), arguments.get(1)) {
                (Some(name), Some(list)) if SAME.contains(&name.as_str()) || name == "trim" => list.clone(),
                _ => self.unknown(node),
            };
        };
        match list {
            Sym::List(items) => {
                let mut mapped = Vec::new();
                for item in items {
                    mapped.push(match item {
                        Sym::Each(over, item) => {
                            Sym::Each(over.clone(), Box::new(self.call_closure(*closure, vec![(**item).clone()])))
                        }
                        item => self.call_closure(*closure, vec![item.clone()]),
                    });
                }
                Sym::List(mapped)
            }
            list => match list.expr() {
                Some(over) => {
                    let item = self.call_closure(*closure, vec![Sym::place(Root::Item)]);
                    // What leaves each item as it is leaves the list as it is.
                    if item == Sym::place(Root::Item) {
                        return list.clone();
                    }
                    Sym::List(vec![Sym::Each(over, Box::new(item))])
                }
                None => self.unknown(node),
            },
        }
    }

    fn compacted(&mut self, arguments: &[Sym]) -> Sym {
        let names = arguments.iter().filter_map(Sym::as_text);
        let named = |key: &str| {
            let field = || self.extracted.as_ref().map(|place| Sym::Place(place.at(key)));
            self.get(key).or_else(field)
        };
        Sym::Map(names.filter_map(|key| Some(Entry { value: named(&key)?, key, line: 0 })).collect())
    }

    fn filter_input(&mut self, node: Node<'a>, arguments: &[Sym]) -> Sym {
        let text = self.shown(node);
        let root = if text.contains("INPUT_GET") {
            Root::Query
        } else if text.contains("INPUT_COOKIE") {
            Root::Cookies
        } else {
            Root::Form
        };
        if text.contains("FILTER_VALIDATE") || text.contains("SANITIZE") || arguments.len() > 2 {
            self.note(node, "the filter of filter_input() is left out: the field's own check stands in its place");
        }
        match (Sym::place(root), arguments.get(1).and_then(Sym::as_text)) {
            (Sym::Place(place), Some(name)) => Sym::Place(place.at(&name)),
            _ => self.unknown(node),
        }
    }

    fn filter_var(&mut self, node: Node<'a>, arguments: &[Sym]) -> Sym {
        self.note(node, "the filter of filter_var() is left out: the field's own check stands in its place");
        arguments.first().cloned().unwrap_or_else(Sym::null)
    }
}

/// An array without its empty values.
fn filled(array: Sym) -> Sym {
    let single = |item: &Sym| matches!(item, Sym::Const(_) | Sym::Text(_) | Sym::Expr(..) | Sym::Place(_));
    match array {
        Sym::List(items) if items.iter().all(single) => {
            let items: Vec<Sym> = items.into_iter().filter(|i| !matches!(i, Sym::Const(v) if !holds(v))).collect();
            let known = items.iter().all(|item| matches!(item, Sym::Const(_)));
            match Sym::List(items.clone()).expr().filter(|_| !known) {
                Some(source) => Sym::Expr(format!("{source} | select"), false),
                None => Sym::List(items),
            }
        }
        // The fields of an order are left out where they are empty anyhow.
        other => other,
    }
}
