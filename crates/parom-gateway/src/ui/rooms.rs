//! The pages' routes: each is added with the role that it needs, so that none can be reached without a rule.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{get, post};
use http::Method;

use super::Ui;
use crate::config::Role;

/// Who may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Anybody: it shows nothing of an order.
    Nobody,
    /// Whoever signed in with this role or a higher one.
    Role(Role),
}

/// A route and who may use it.
#[derive(Clone, Debug)]
pub struct Rule {
    /// GET or POST.
    pub method: Method,
    /// As the router has it.
    pub path: &'static str,
    /// Who.
    pub needs: Needs,
}

/// Routes under construction.
pub(super) struct Rooms {
    pub(super) router: Router<Ui>,
    pub(super) rules: Vec<Rule>,
}

impl Rooms {
    pub(super) fn new() -> Rooms {
        Rooms { router: Router::new(), rules: Vec::new() }
    }

    pub(super) fn get<H: Handler<T, Ui>, T: 'static>(self, path: &'static str, needs: Needs, handler: H) -> Rooms {
        self.add(Method::GET, path, needs, get(handler))
    }

    pub(super) fn post<H: Handler<T, Ui>, T: 'static>(self, path: &'static str, needs: Needs, handler: H) -> Rooms {
        self.add(Method::POST, path, needs, post(handler))
    }

    fn add(
        mut self,
        method: Method,
        path: &'static str,
        needs: Needs,
        route: axum::routing::MethodRouter<Ui>,
    ) -> Rooms {
        self.rules.push(Rule { method, path, needs });
        Rooms { router: self.router.route(path, route), rules: self.rules }
    }
}
