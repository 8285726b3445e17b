//! Calls: of the script's own functions, of PHP's, and of those that send.

use tree_sitter::Node;

use super::run::{Run, line, parts};
use super::symbol::{Place, Root, Sym};

impl<'a> Run<'a> {
    /// A call's arguments in their order.
    pub(super) fn arguments(&mut self, node: Node<'a>) -> Vec<Sym> {
        let mut values = Vec::new();
        for argument in self.children(node) {
            let name = argument.child_by_field_name("name").map(|name| self.text(name).to_owned());
            if let Some(unpacking) = self.unpacking(argument) {
                values.extend(self.unpacked(unpacking));
                continue;
            }
            let value = self.value(argument);
            values.push(match name {
                Some(name) => Sym::Named(name, Box::new(value)),
                None => value,
            });
        }
        values
    }

    /// The `...$list` of an argument.
    fn unpacking(&self, argument: Node<'a>) -> Option<Node<'a>> {
        let is = |node: &Node<'a>| node.kind() == "variadic_unpacking";
        Some(argument).filter(is).or_else(|| self.children(argument).into_iter().find(is))
    }

    /// Each item of `...$list`.
    fn unpacked(&mut self, unpacking: Node<'a>) -> Vec<Sym> {
        match self.inner(unpacking) {
            Sym::List(items) => items,
            Sym::Map(entries) => {
                entries.into_iter().map(|entry| Sym::Named(entry.key, Box::new(entry.value))).collect()
            }
            _ => vec![Sym::Unpacked(line(unpacking))],
        }
    }

    fn arguments_of(&mut self, call: Node<'a>) -> Vec<Sym> {
        call.child_by_field_name("arguments").map(|node| self.arguments(node)).unwrap_or_default()
    }

    pub(super) fn function_call(&mut self, node: Node<'a>) -> Sym {
        let Some(function) = node.child_by_field_name("function") else {
            return self.unknown(node);
        };
        if function.kind() != "name" && function.kind() != "qualified_name" {
            let callee = self.value(function);
            let arguments = self.arguments_of(node);
            return match callee {
                Sym::Closure(closure) => {
                    let value = self.call_closure(closure, arguments);
                    if let Some(function) = self.closures.get(closure).map(|closure| closure.node) {
                        self.hand_back(function, node);
                    }
                    value
                }
                _ => self.unknown(node),
            };
        }
        let name = self.text(function).trim_start_matches('\\').to_lowercase();
        if name == "array_push" {
            return self.array_push(node);
        }
        let arguments = self.arguments_of(node);
        if let Some(own) = self.functions.get(&name).copied() {
            let value = self.call(own, arguments);
            self.hand_back(own, node);
            return value;
        }
        self.changed_by(&name, node, &arguments);
        // PHP's own functions take names for places that are not known here.
        if arguments.iter().any(|argument| matches!(argument, Sym::Named(..) | Sym::Unpacked(_))) {
            return self.unknown(node);
        }
        self.library(node, &name, arguments)
    }

    /// What a function that was left has put into its arguments by reference (`&$order`, `use (&$order)`).
    fn hand_back(&mut self, function: Node<'a>, call: Node<'a>) {
        let left = std::mem::take(&mut self.left);
        let given = call.child_by_field_name("arguments").map(|list| self.children(list)).unwrap_or_default();
        let parameters = function.child_by_field_name("parameters").map(|list| self.children(list)).unwrap_or_default();
        for (parameter, argument) in parameters.into_iter().zip(given) {
            let name = parameter.child_by_field_name("name").map(|name| self.text(name).trim_start_matches('$'));
            let by_reference = parameter.child_by_field_name("reference_modifier").is_some();
            if let (true, Some(value), [target]) =
                (by_reference, name.and_then(|name| left.get(name)), self.children(argument).as_slice())
            {
                self.assign(*target, value.clone());
            }
        }
        let uses = self.children(function).into_iter().filter(|child| child.kind() == "anonymous_function_use_clause");
        let seen: Vec<Node<'a>> = uses.flat_map(|clause| self.children(clause)).collect();
        for seen in seen.into_iter().filter(|seen| seen.kind() == "by_ref") {
            let name = self.text(seen).trim_start_matches(['&', ' ', '$']).to_owned();
            if let Some(value) = left.get(&name) {
                self.set(&name, value.clone());
            }
        }
    }

    /// What a function of PHP's own does to an argument by reference: it is not followed.
    fn changed_by(&mut self, name: &str, call: Node<'a>, values: &[Sym]) {
        let Some((_, at)) = CHANGING.iter().find(|(known, _)| *known == name) else { return };
        let list = call.child_by_field_name("arguments").map(|list| self.children(list)).unwrap_or_default();
        let Some(target) = list.get(*at).and_then(|argument| self.children(*argument).first().copied()) else { return };
        // The order of an array's keys is none to JSON.
        let named = matches!(values.get(*at), Some(Sym::Map(_) | Sym::Over(..) | Sym::Place(_)));
        if named && KEEPING.contains(&name) {
            return;
        }
        if name.starts_with("array_walk") || matches!(self.text(target), "$_POST" | "$_GET" | "$_REQUEST") {
            let shown = self.shown(target);
            let text = format!("what {name}() does to `{shown}` is left out: its values go as they are");
            return self.note(call, text);
        }
        self.poison(target, &format!("it is changed by {name}(), which is not followed"));
    }

    /// `array_push($list, $a, $b)`.
    fn array_push(&mut self, node: Node<'a>) -> Sym {
        let arguments = node.child_by_field_name("arguments").map(|list| self.children(list)).unwrap_or_default();
        if let Some((list, items)) = arguments.split_first()
            && let Some(list) = self.children(*list).first().copied()
        {
            for item in items {
                let value = self.value(*item);
                self.push(list, value);
            }
        }
        Sym::null()
    }

    pub(super) fn member_call(&mut self, node: Node<'a>) -> Sym {
        let (Some(object), Some(name)) = (node.child_by_field_name("object"), node.child_by_field_name("name")) else {
            return self.unknown(node);
        };
        let name = self.text(name).to_owned();
        let callee = object;
        let object = self.value(object);
        let arguments = self.arguments_of(node);
        if let Sym::Object(object) = object
            && let Some(method) = self.method_of(object, &name)
        {
            let value = self.method(object, method, arguments);
            self.hand_back(method, node);
            return value;
        }
        let form = matches!(&object, Sym::Place(place) if place.root == Root::Form && place.steps.is_empty());
        let speaks = form || is_request(self.text(callee));
        match (name.as_str(), arguments.first()) {
            // Contact Form 7 and frameworks hand the form over by a method.
            ("get_posted_data" | "getParsedBody", None) => Sym::place(Root::Form),
            ("get_posted_data", Some(field)) => match field.as_text() {
                Some(field) => self.field(node, &field, None),
                None => self.unknown(node),
            },
            ("all" | "post" | "validated" | "getPostList", None) if speaks => Sym::place(Root::Form),
            ("input" | "get" | "post" | "request" | "getPost", Some(field)) if speaks => match field.as_text() {
                Some(field) => self.field(node, &field, arguments.get(1).cloned()),
                None => self.unknown(node),
            },
            _ => {
                self.follow_closures(&arguments);
                self.hand(node, &arguments);
                self.unknown(node)
            }
        }
    }

    /// An order that is handed to what is not known: the client of the CRM's, where nothing else is sent.
    fn hand(&mut self, node: Node<'a>, arguments: &[Sym]) {
        let orders = arguments.iter().filter(|argument| parts(argument) > 1).cloned();
        let line = line(node);
        self.handed.extend(orders.map(|order| (line, order)));
    }

    /// A field that a framework's request gives by its dotted name, with its default.
    fn field(&mut self, node: Node<'a>, field: &str, default: Option<Sym>) -> Sym {
        let steps = field.split('.').map(str::to_owned).collect();
        let value = Sym::Place(Place { root: Root::Form, steps });
        match default {
            Some(default) => self.coalesce(node, value, default),
            None => value,
        }
    }

    pub(super) fn scoped_call(&mut self, node: Node<'a>) -> Sym {
        let (Some(scope), Some(name)) = (node.child_by_field_name("scope"), node.child_by_field_name("name")) else {
            return self.unknown(node);
        };
        let (class, name) = (self.text(scope).to_owned(), self.text(name).to_lowercase());
        let class = self.class_of(&class).unwrap_or(class);
        let arguments = self.arguments_of(node);
        // `parent::` is this object's own, as another class has it.
        let parent = self.text(scope) == "parent";
        let above = self.classes.get(&class).and_then(|class| class.parent.clone()).filter(|_| parent);
        let class = above.unwrap_or(class);
        let object = if parent { self.this.last().copied() } else { self.static_of(&class) };
        let method = self.static_of(&class).and_then(|object| self.method_of(object, &name));
        if let (Some(method), Some(object)) = (method, object) {
            let value = self.method(object, method, arguments);
            self.hand_back(method, node);
            return value;
        }
        self.hand(node, &arguments);
        self.unknown(node)
    }

    /// A method of a class that is handed over by its names.
    fn follow_method(&mut self, class: &str, method: &str) {
        let class = class.rsplit('\\').next().unwrap_or(class).to_owned();
        let method = self.static_of(&class).and_then(|object| Some((object, self.method_of(object, method)?)));
        if let Some((object, method)) = method.filter(|(_, method)| !self.called.contains(&method.id())) {
            self.method(object, method, Vec::new());
        }
    }

    /// A function that is handed to a hook is followed as if the hook called it.
    pub(super) fn follow_closures(&mut self, arguments: &[Sym]) {
        for argument in arguments {
            match argument {
                Sym::Closure(closure) => {
                    let Some(node) = self.closures.get(*closure).map(|closure| closure.node) else {
                        continue;
                    };
                    let count = node.child_by_field_name("parameters").map_or(0, |list| self.children(list).len());
                    let unknown = Sym::unknown(line(node), "what a hook hands over is not known");
                    self.call_closure(*closure, vec![unknown; count]);
                }
                Sym::List(pair) => {
                    if let [Sym::Object(object), method] = pair.as_slice()
                        && let Some(method) = method.as_text().and_then(|name| self.method_of(*object, &name))
                    {
                        self.method(*object, method, Vec::new());
                    }
                    if let [class @ Sym::Const(_), method] = pair.as_slice()
                        && let (Some(class), Some(method)) = (class.as_text(), method.as_text())
                    {
                        self.follow_method(&class, &method);
                    }
                }
                Sym::Const(_) => {
                    let named = argument.as_text().and_then(|name| self.functions.get(&name.to_lowercase()).copied());
                    if let Some(function) = named.filter(|function| !self.called.contains(&function.id())) {
                        self.call_idle(None, function);
                    }
                    let named = argument.as_text();
                    if let Some((class, method)) = named.as_deref().and_then(|name| name.split_once("::")) {
                        self.follow_method(class, method);
                    }
                }
                _ => {}
            }
        }
    }
}

/// Functions of PHP's own that change an argument by reference, and which.
const CHANGING: [(&str, usize); 25] = [
    ("array_shift", 0),
    ("array_pop", 0),
    ("array_unshift", 0),
    ("array_splice", 0),
    ("array_walk", 0),
    ("array_walk_recursive", 0),
    ("array_multisort", 0),
    ("sort", 0),
    ("rsort", 0),
    ("usort", 0),
    ("uasort", 0),
    ("uksort", 0),
    ("asort", 0),
    ("arsort", 0),
    ("ksort", 0),
    ("krsort", 0),
    ("natsort", 0),
    ("natcasesort", 0),
    ("shuffle", 0),
    ("preg_match", 2),
    ("preg_match_all", 2),
    ("parse_str", 1),
    ("mb_parse_str", 1),
    ("str_replace", 3),
    ("preg_replace", 4),
];
/// Those of them that change no more than the order of the keys.
const KEEPING: [&str; 6] = ["ksort", "krsort", "asort", "arsort", "uasort", "uksort"];

/// What a script calls the request that it was handed.
fn is_request(text: &str) -> bool {
    let name = text.trim_start_matches('$').to_lowercase();
    name == "request()"
        || name.ends_with("request")
        || matches!(name.as_str(), "submission" | "record" | "req" | "input")
}
