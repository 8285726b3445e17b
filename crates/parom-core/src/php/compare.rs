//! Comparisons. A form brings texts, and an absent field is an empty one; JSON brings numbers and flags too.

use serde_json::{Number, Value};
use tree_sitter::Node;

use super::run::Run;
use super::symbol::{Sym, negated, quoted};

impl<'a> Run<'a> {
    /// `==`, `!=`, `===` and `!==`.
    pub(super) fn compare(&self, node: Node<'a>, left: &Sym, operator: &str, right: &Sym) -> Sym {
        let (is, strict) = (operator.starts_with('='), operator.len() == 3);
        let same = match (left, right) {
            (Sym::Const(a), Sym::Const(b)) => {
                let text = |value: &Value| crate::convert::plain(value).unwrap_or_default();
                // Nothing is no empty text where the kind counts.
                if strict && a.is_null() != b.is_null() {
                    return Sym::Const(Value::Bool(!is));
                }
                let nought = !strict && (a.is_null() && *b == 0 || b.is_null() && *a == 0);
                return Sym::Const(Value::Bool((nought || text(a) == text(b)) == is));
            }
            (value, Sym::Const(known)) | (Sym::Const(known), value) => self.is(value, known, strict),
            _ => self.side(left).zip(self.side(right)).map(|(a, b)| format!("{a} == {b}")),
        };
        match same {
            Some(same) if is => Sym::Expr(same, false),
            Some(same) => Sym::Expr(opposite(&same), false),
            None => self.unknown(node),
        }
    }

    /// A value of the form, or one made of it, beside a constant of the script.
    fn is(&self, value: &Sym, known: &Value, strict: bool) -> Option<String> {
        let typed = matches!(value, Sym::Expr(..)) || self.typed && matches!(value, Sym::Place(_));
        let exact = strict && self.typed && typed;
        let source = value.expr()?;
        if *known != "" && !known.is_null() && secret_like(value) {
            return None;
        }
        Some(match known {
            Value::Null if strict => negated(&self.is_set(std::slice::from_ref(value))?),
            // PHP takes an empty text for nothing, but not a `0`.
            Value::Null if self.typed => format!("({source} | default('')) in ['', 0, false, []]"),
            Value::Null => format!("({source} | default('')) == ''"),
            Value::Bool(flag) if exact && matches!(value, Sym::Place(_)) => format!("{source} is {flag}"),
            Value::Bool(true) => self.truth(value)?,
            Value::Bool(false) => negated(&self.truth(value)?),
            known if exact => format!("{source} == {}", Sym::Const(known.clone()).expr()?),
            known => {
                let text = Sym::Const(known.clone()).as_text()?;
                let same = match text.as_str() {
                    text if typed => loosely(&source, text),
                    "" if strict => format!("{source} is defined and {source} == ''"),
                    text => format!("{} == {}", self.side(value)?, quoted(text)),
                };
                // A field that is not there is a nought as well.
                let nought = known == 0 && matches!(value, Sym::Place(_) | Sym::Expr(..));
                if nought { format!("{same} or {source} is not defined") } else { same }
            }
        })
    }

    /// A side of a comparison, as a text.
    fn side(&self, sym: &Sym) -> Option<String> {
        let source = sym.expr()?;
        Some(match sym {
            Sym::Place(_) if self.typed => format!("({source} | default('') | string)"),
            Sym::Place(_) => format!("({source} | default(''))"),
            _ => source,
        })
    }

    /// `<`, `>`, `<=` and `>=`: as numbers.
    pub(super) fn in_order(&self, node: Node<'a>, left: &Sym, operator: &str, right: &Sym) -> Sym {
        if let (Sym::Const(Value::Number(a)), Sym::Const(Value::Number(b))) = (left, right) {
            return Sym::Const(Value::Bool(numbers(a, operator, b)));
        }
        let side = |sym: &Sym| match sym {
            Sym::Place(_) | Sym::Expr(..) => sym.expr().map(|source| format!("({source} | default(0) | money)")),
            Sym::Const(Value::Number(number)) => Some(number.to_string()),
            // A text that is a number is compared as one, and no other.
            Sym::Const(Value::String(text)) => text.trim().parse::<i64>().ok().map(|number| number.to_string()),
            _ => None,
        };
        match (side(left), side(right)) {
            (Some(a), Some(b)) => Sym::Expr(format!("{a} {operator} {b}"), false),
            _ => self.unknown(node),
        }
    }
}

/// A value of JSON beside a text or a number: flags are a one, a nought and an empty text.
fn loosely(source: &str, text: &str) -> String {
    match text {
        "1" => format!("{source} in ['1', 1, true]"),
        "0" => format!("{source} in ['0', 0, false]"),
        "" => format!("({source} | default('')) == '' or {source} is false"),
        number if number.parse::<i64>().is_ok_and(|n| n.to_string() == number) => {
            format!("{source} in ['{number}', {number}]")
        }
        text => format!("{source} == {}", quoted(text)),
    }
}

/// Two numbers of the script in their order.
fn numbers(a: &Number, operator: &str, b: &Number) -> bool {
    let (a, b) = (a.as_f64(), b.as_f64());
    match operator {
        "<" => a < b,
        ">" => a > b,
        "<=" => a <= b,
        _ => a >= b,
    }
}

/// The opposite of a comparison, said as such where it is one alone.
fn opposite(same: &str) -> String {
    let plain = ![" or ", " and ", " in "].iter().any(|word| same.contains(word)) && same.matches(" == ").count() == 1;
    if plain { same.replacen(" == ", " != ", 1) } else { negated(same) }
}

/// A field by whose value a script lets somebody in: what it is compared with is a key, and is not carried.
fn secret_like(value: &Sym) -> bool {
    match value {
        Sym::Place(place) => place.steps.iter().any(|step| {
            let step = step.to_lowercase();
            ["key", "token", "secret", "hash", "pass", "sign"].iter().any(|word| step.contains(word))
        }),
        _ => false,
    }
}
