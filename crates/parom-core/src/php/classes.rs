//! Functions and classes of the script: declared first, followed where they are called.

use std::collections::{HashMap, HashSet};

use tree_sitter::Node;

use super::run::{Flow, Run, Scope, line, parts};
use super::symbol::{Root, Sym};

/// A class of the script.
#[derive(Clone, Debug, Default)]
pub(super) struct Class<'a> {
    pub(super) constants: HashMap<String, Node<'a>>,
    pub(super) properties: HashMap<String, Option<Node<'a>>>,
    pub(super) methods: HashMap<String, Node<'a>>,
    /// The class that it extends.
    pub(super) parent: Option<String>,
}

/// Classes that one may extend in a row.
const CLASSES: usize = 8;

/// An object of a class.
#[derive(Clone, Debug, Default)]
pub(super) struct Instance {
    pub(super) class: String,
    pub(super) properties: Scope,
}

/// Names of parameters that usually bring the form.
const FORMS: [&str; 9] = ["post", "data", "request", "form", "fields", "posted", "input", "params", "payload"];

impl<'a> Run<'a> {
    /// Finds every function and class.
    pub(super) fn declare(&mut self, node: Node<'a>) {
        match node.kind() {
            "function_definition" => {
                if let Some(name) = node.child_by_field_name("name") {
                    self.functions.insert(self.text(name).to_lowercase(), node);
                }
                // Those within it are there once it was called.
                if let Some(body) = node.child_by_field_name("body") {
                    self.declare(body);
                }
            }
            "class_declaration" => self.declare_class(node),
            _ => {
                for child in self.children(node) {
                    self.declare(child);
                }
            }
        }
    }

    fn declare_class(&mut self, node: Node<'a>) {
        let (Some(name), Some(body)) = (node.child_by_field_name("name"), node.child_by_field_name("body")) else {
            return;
        };
        let parent = self.children(node).into_iter().find(|child| child.kind() == "base_clause");
        let parent = parent.and_then(|parent| self.children(parent).first().map(|name| self.text(*name)));
        let parent = parent.and_then(|name| name.rsplit('\\').next()).map(str::to_owned);
        let mut class = Class { parent, ..Class::default() };
        for member in self.children(body) {
            match member.kind() {
                "method_declaration" => {
                    if let Some(name) = member.child_by_field_name("name") {
                        class.methods.insert(self.text(name).to_lowercase(), member);
                    }
                }
                "const_declaration" => {
                    for element in self.children(member).into_iter().filter(|c| c.kind() == "const_element") {
                        if let [name, value] = self.children(element).as_slice() {
                            class.constants.insert(self.text(*name).to_owned(), *value);
                        }
                    }
                }
                "property_declaration" => {
                    for element in self.children(member).into_iter().filter(|c| c.kind() == "property_element") {
                        if let Some(name) = element.child_by_field_name("name") {
                            let name = self.text(name).trim_start_matches('$').to_owned();
                            class.properties.insert(name, element.child_by_field_name("default_value"));
                        }
                    }
                }
                _ => {}
            }
        }
        self.classes.insert(self.text(name).to_owned(), class);
    }

    /// `const A = 1, B = 2;` outside of classes.
    pub(super) fn constants_of(&mut self, node: Node<'a>) {
        for element in self.children(node).into_iter().filter(|child| child.kind() == "const_element") {
            if let [name, value] = self.children(element).as_slice() {
                let value = self.value(*value);
                self.constants.insert(self.text(*name).to_owned(), value);
            }
        }
    }

    /// `new Name(…)`.
    pub(super) fn create(&mut self, node: Node<'a>) -> Sym {
        let parts = self.children(node);
        let name = parts.first().map(|name| self.text(*name)).unwrap_or_default();
        let name = name.rsplit('\\').next().unwrap_or_default();
        let arguments = parts.iter().find(|part| part.kind() == "arguments").copied();
        let arguments = arguments.map(|arguments| self.arguments(arguments)).unwrap_or_default();
        if name.eq_ignore_ascii_case("stdClass") {
            return Sym::Map(Vec::new());
        }
        match self.instance(name, Some(arguments)) {
            Some(object) => Sym::Object(object),
            None => Sym::unknown(line(node), format!("an object of {name} is not known")),
        }
    }

    /// An object of a class of the script's; without arguments, as something else makes one.
    fn instance(&mut self, name: &str, arguments: Option<Vec<Sym>>) -> Option<usize> {
        let line = self.line_of(name);
        let properties = line.iter().rev().flat_map(|class| class.properties.clone());
        let properties: Vec<(String, Option<Node<'a>>)> = properties.collect();
        line.first()?;
        let this = self.objects.len();
        self.objects.push(Instance { class: name.to_owned(), properties: Scope::new() });
        self.this.push(this);
        for (property, default) in properties {
            let value = default.map_or_else(Sym::null, |default| self.value(default));
            self.objects[this].properties.insert(property, value);
        }
        if let Some(constructor) = self.method_of(this, "__construct") {
            let arguments = arguments.unwrap_or_default();
            self.promote(constructor, &arguments, this);
            self.call(constructor, arguments);
        }
        self.this.pop();
        Some(this)
    }

    /// Parameters of a constructor that are properties at once.
    fn promote(&mut self, constructor: Node<'a>, arguments: &[Sym], this: usize) {
        let Some(parameters) = constructor.child_by_field_name("parameters") else {
            return;
        };
        for (at, parameter) in self.children(parameters).into_iter().enumerate() {
            if parameter.kind() != "property_promotion_parameter" {
                continue;
            }
            let Some(name) = parameter.child_by_field_name("name") else {
                continue;
            };
            let default = parameter.child_by_field_name("default_value");
            let value = match (arguments.get(at), default) {
                (Some(given), _) => given.clone(),
                (None, Some(default)) => self.value(default),
                (None, None) => Sym::null(),
            };
            let name = self.text(name).trim_start_matches('$').to_owned();
            self.objects[this].properties.insert(name, value);
        }
    }

    /// The method of an object of ours.
    pub(super) fn method_of(&self, object: usize, name: &str) -> Option<Node<'a>> {
        let name = name.to_lowercase();
        let line = self.line_of(&self.objects.get(object)?.class);
        line.into_iter().find_map(|class| class.methods.get(&name).copied())
    }

    /// A class, and those that it extends.
    fn line_of(&self, name: &str) -> Vec<&Class<'a>> {
        let mut line: Vec<&Class<'a>> = Vec::new();
        let mut next = Some(name);
        while let Some(class) = next.and_then(|name| self.classes.get(name)).filter(|_| line.len() < CLASSES) {
            line.push(class);
            next = class.parent.as_deref();
        }
        line
    }

    /// Calls a method.
    pub(super) fn method(&mut self, object: usize, method: Node<'a>, arguments: Vec<Sym>) -> Sym {
        self.this.push(object);
        let value = self.call(method, arguments);
        self.this.pop();
        value
    }

    /// The object that holds a class's static properties.
    pub(super) fn static_of(&mut self, class: &str) -> Option<usize> {
        if let Some(known) = self.statics.get(class) {
            return Some(*known);
        }
        let properties = self.classes.get(class)?.properties.clone();
        let object = self.objects.len();
        self.objects.push(Instance { class: class.to_owned(), properties: Scope::new() });
        self.statics.insert(class.to_owned(), object);
        for (name, default) in properties {
            let value = default.map_or_else(Sym::null, |default| self.value(default));
            self.objects[object].properties.insert(name, value);
        }
        Some(object)
    }

    /// The class that `self`, `static` or a name means here.
    pub(super) fn class_of(&self, scope: &str) -> Option<String> {
        match scope {
            "self" | "static" | "parent" => Some(self.objects.get(*self.this.last()?)?.class.clone()),
            other => Some(other.to_owned()),
        }
    }

    /// `self::$x` as the name of a property.
    pub(super) fn static_name(&mut self, node: Node<'a>) -> Option<String> {
        let (scope, name) = (node.child_by_field_name("scope")?, node.child_by_field_name("name")?);
        let class = self.class_of(self.text(scope))?;
        let object = self.static_of(&class)?;
        Some(format!("#{object}->{}", self.text(name).trim_start_matches('$')))
    }

    /// A constant of a class: `self::X`, `Name::X`.
    pub(super) fn class_constant(&mut self, class: &str, name: &str) -> Option<Sym> {
        let class = self.class_of(class)?;
        let node = self.line_of(&class).into_iter().find_map(|class| class.constants.get(name).copied())?;
        Some(self.value(node))
    }

    /// Follows a function with its arguments; what it gives back.
    pub(super) fn call(&mut self, function: Node<'a>, arguments: Vec<Sym>) -> Sym {
        self.called.insert(function.id());
        let scope = self.bind(function, arguments);
        self.within(function, scope)
    }

    /// Follows a function in a scope.
    pub(super) fn within(&mut self, function: Node<'a>, scope: Scope) -> Sym {
        let Some(body) = function.child_by_field_name("body") else {
            return Sym::null();
        };
        self.depth += 1;
        if !self.step() {
            self.depth -= 1;
            return Sym::unknown(line(function), "the calls go too deep");
        }
        self.scopes.push(scope);
        self.globals.push(HashSet::new());
        let (outer, guards) = (std::mem::take(&mut self.unsure), self.guards.len());
        let value = if function.kind() == "arrow_function" {
            self.value(body)
        } else {
            match self.block(body) {
                Flow::Return(value) => value,
                Flow::Stop => {
                    self.ended = true;
                    Sym::null()
                }
                Flow::Next | Flow::Continue | Flow::Break => Sym::null(),
            }
        };
        self.left = self.scopes.pop().unwrap_or_default();
        self.globals.pop();
        self.depth -= 1;
        let fills = self.text(function).split('{').next().is_some_and(|head| head.contains('&'));
        self.tell_guards(guards, fills, parts(&value) > 0);
        let unsure = std::mem::replace(&mut self.unsure, outer) && !matches!(value, Sym::Const(_));
        if unsure {
            Sym::unknown(line(function), "what the function gives depends on conditions within conditions")
        } else {
            value
        }
    }

    fn bind(&mut self, function: Node<'a>, arguments: Vec<Sym>) -> Scope {
        let mut scope = Scope::new();
        let Some(parameters) = function.child_by_field_name("parameters") else {
            return scope;
        };
        let (named, arguments): (Vec<Sym>, Vec<Sym>) = arguments.into_iter().partition(|a| matches!(a, Sym::Named(..)));
        let mut arguments = arguments.into_iter();
        for parameter in self.children(parameters) {
            let Some(name) = parameter.child_by_field_name("name") else {
                continue;
            };
            let default = parameter.child_by_field_name("default_value");
            let plain = self.text(name).trim_start_matches('$');
            if parameter.kind() == "variadic_parameter" {
                let rest: Vec<Sym> = arguments.by_ref().collect();
                let clear = named.is_empty() && !rest.iter().any(|argument| matches!(argument, Sym::Unpacked(_)));
                let value = match clear {
                    true => Sym::List(rest),
                    false => Sym::unknown(line(parameter), format!("what {} holds is not known here", self.text(name))),
                };
                scope.insert(plain.to_owned(), value);
                continue;
            }
            let by_name = named.iter().find_map(|argument| match argument {
                Sym::Named(known, value) if known == plain => Some((**value).clone()),
                _ => None,
            });
            let unclear = match arguments.as_slice().first() {
                Some(Sym::Unpacked(at)) => {
                    Some(Sym::unknown(*at, "the arguments come out of a list that is not known"))
                }
                _ => None,
            };
            let next = unclear.or_else(|| arguments.next());
            let value = by_name.or(next).unwrap_or_else(|| match default {
                Some(default) => self.value(default),
                None => Sym::unknown(line(parameter), format!("{} is not known here", self.text(name))),
            });
            scope.insert(self.text(name).trim_start_matches('$').to_owned(), value);
        }
        scope
    }

    /// A function that nobody calls here: WordPress or another does, usually with the form.
    pub(super) fn call_idle(&mut self, class: Option<&str>, function: Node<'a>) {
        let mut arguments = Vec::new();
        if let Some(parameters) = function.child_by_field_name("parameters") {
            for parameter in self.children(parameters) {
                let name = parameter.child_by_field_name("name").map(|name| self.text(name)).unwrap_or_default();
                let plain = name.trim_start_matches('$').to_lowercase();
                arguments.push(if FORMS.contains(&plain.as_str()) {
                    Sym::place(Root::Form)
                } else {
                    Sym::unknown(line(parameter), format!("{name} is not known here"))
                });
            }
        }
        match class.and_then(|class| self.instance(class, None)) {
            Some(object) => drop(self.method(object, function, arguments)),
            None => drop(self.call(function, arguments)),
        }
    }

    /// Calls a function without a name.
    pub(super) fn call_closure(&mut self, closure: usize, arguments: Vec<Sym>) -> Sym {
        let Some(closure) = self.closures.get(closure).cloned() else {
            return Sym::null();
        };
        let mut scope = closure.scope;
        scope.extend(self.bind(closure.node, arguments));
        self.within(closure.node, scope)
    }
}
