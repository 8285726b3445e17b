//! Calls: of the script's own functions, of PHP's, and of those that send.

use tree_sitter::Node;

use super::run::{Run, line};
use super::symbol::{Root, Sym};

impl<'a> Run<'a> {
    /// A call's arguments in their order.
    pub(super) fn arguments(&mut self, node: Node<'a>) -> Vec<Sym> {
        let mut values = Vec::new();
        for argument in self.children(node) {
            let value = self.value(argument);
            values.push(value);
        }
        values
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
                Sym::Closure(closure) => self.call_closure(closure, arguments),
                _ => self.unknown(node),
            };
        }
        let name = self.text(function).trim_start_matches('\\').to_lowercase();
        let arguments = self.arguments_of(node);
        if let Some(own) = self.functions.get(&name).copied() {
            return self.call(own, arguments);
        }
        self.library(node, &name, arguments)
    }

    pub(super) fn member_call(&mut self, node: Node<'a>) -> Sym {
        let (Some(object), Some(name)) = (node.child_by_field_name("object"), node.child_by_field_name("name")) else {
            return self.unknown(node);
        };
        let name = self.text(name).to_owned();
        let object = self.value(object);
        let arguments = self.arguments_of(node);
        if let Sym::Object(object) = object
            && let Some(value) = self.method(object, &name, arguments.clone())
        {
            return value;
        }
        match name.as_str() {
            // Contact Form 7 and frameworks hand the form over by a method.
            "get_posted_data" | "getParsedBody" | "all" | "post" => match arguments.first().and_then(Sym::as_text) {
                Some(field) if name != "all" => match Sym::place(Root::Form) {
                    Sym::Place(form) => Sym::Place(form.at(&field)),
                    other => other,
                },
                _ => Sym::place(Root::Form),
            },
            "input" | "get" | "request" => match (arguments.first().and_then(Sym::as_text), Sym::place(Root::Form)) {
                (Some(field), Sym::Place(form)) => Sym::Place(form.at(&field)),
                _ => self.unknown(node),
            },
            _ => {
                self.follow_closures(&arguments);
                self.unknown(node)
            }
        }
    }

    pub(super) fn scoped_call(&mut self, node: Node<'a>) -> Sym {
        let (Some(scope), Some(name)) = (node.child_by_field_name("scope"), node.child_by_field_name("name")) else {
            return self.unknown(node);
        };
        let (class, name) = (self.text(scope).to_owned(), self.text(name).to_owned());
        let arguments = self.arguments_of(node);
        let class = match class.as_str() {
            "self" | "static" | "parent" => {
                let this = self.this.last().and_then(|this| self.objects.get(*this));
                this.map(|object| object.class.clone()).unwrap_or(class)
            }
            _ => class,
        };
        if let Some(method) =
            self.classes.get(&class).and_then(|class| class.methods.get(&name.to_lowercase())).copied()
        {
            // A static method reads its class's constants through an object without properties.
            self.objects.push(super::classes::Instance { class, ..Default::default() });
            self.this.push(self.objects.len() - 1);
            let value = self.call(method, arguments);
            self.this.pop();
            return value;
        }
        self.unknown(node)
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
                        && let Some(method) = method.as_text()
                    {
                        self.method(*object, &method, Vec::new());
                    }
                }
                Sym::Const(_) => {
                    let named = argument.as_text().and_then(|name| self.functions.get(&name.to_lowercase()).copied());
                    if let Some(function) = named.filter(|function| !self.called.contains(&function.id())) {
                        self.call_idle(function);
                    }
                }
                _ => {}
            }
        }
    }
}
