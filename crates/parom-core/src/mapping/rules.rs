//! A channel's rules: the shape of the order's schema, with an expression at each value.

use super::Expr;

/// The rules of one channel.
#[derive(Debug, Default)]
pub struct Rules {
    /// What stands at the top of the order.
    pub order: Vec<Assign>,
}

/// One field and what it takes.
#[derive(Debug)]
pub struct Assign {
    /// The CRM's name of the field.
    pub name: &'static str,
    /// Whether a failing expression makes the order wrong.
    pub vital: bool,
    /// What stands there.
    pub place: Place,
}

/// What a rule puts at a place.
#[derive(Debug)]
pub enum Place {
    /// A value.
    Value(Expr),
    /// A group of fields.
    Object(Vec<Assign>),
    /// A list, line by line.
    List(Vec<LineRule>),
}

/// One line of a list, or one line for each item of `each`.
#[derive(Debug)]
pub struct LineRule {
    /// The list whose items are `item` in this line.
    pub each: Option<Expr>,
    /// The line's fields.
    pub assigns: Vec<Assign>,
    /// It stands in the channel's file, and not in what a preset brings: what it names is expected to come.
    pub own: bool,
}

impl Rules {
    /// These rules, with those of another set where these say nothing. A list of lines is one thing: it is replaced whole.
    #[must_use]
    pub fn over(self, base: Rules) -> Rules {
        Rules { order: over(self.order, base.order) }
    }

    /// These rules as a preset's: not all that they name comes from each sender.
    #[must_use]
    pub fn of_preset(mut self) -> Rules {
        for assign in &mut self.order {
            if let Place::List(lines) = &mut assign.place {
                lines.iter_mut().for_each(|line| line.own = false);
            }
        }
        self
    }

    /// The rule at a dotted path of plain groups.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Place> {
        let mut group = &self.order;
        let mut steps = path.split('.').peekable();
        loop {
            let step = steps.next()?;
            let place = &group.iter().find(|assign| assign.name == step)?.place;
            match place {
                Place::Object(inner) if steps.peek().is_some() => group = inner,
                _ if steps.peek().is_none() => return Some(place),
                _ => return None,
            }
        }
    }
}

fn over(own: Vec<Assign>, base: Vec<Assign>) -> Vec<Assign> {
    let mut merged = own;
    for assign in base {
        let same = merged.iter_mut().find(|own| own.name == assign.name);
        match (same, assign.place) {
            (None, place) => merged.push(Assign { place, ..assign }),
            (Some(Assign { place: Place::Object(own), .. }), Place::Object(base)) => {
                *own = over(std::mem::take(own), base);
            }
            (Some(_), _) => {}
        }
    }
    merged
}
