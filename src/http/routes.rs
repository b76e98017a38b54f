//! Routes, each with who may ask for it.
//!
//! There is no other way to add one, so that none is open by accident; and the list of them is what tests go through.

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use tracing::Instrument;

use crate::accounts::identity::Who;
use crate::accounts::permissions::Permission;
use crate::http::asker::Asker;
use crate::http::problem::{Code, Problem};
use crate::http::state::AppState;

/// Who may ask for a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody: nothing of the content and nothing of people is there.
    Public,
    /// Who is permitted.
    Needs(Permission),
    /// A person who is permitted, in a session: no token, which could make itself into more than it is.
    Manages(Permission),
    /// Whoever is signed in, about himself.
    Person,
}

/// A route.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The method.
    pub method: Method,
    /// The path, as axum writes it.
    pub path: &'static str,
    /// Who may ask for it.
    pub access: Access,
}

/// Routes and their rules.
#[derive(Debug, Default)]
pub struct Routes {
    router: Router<AppState>,
    rules: Vec<Rule>,
}

impl Routes {
    /// Adds a route that reads.
    #[must_use]
    pub fn get<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        self.add(Method::GET, path, access, on(MethodFilter::GET, handler))
    }

    /// Adds a route that makes something or asks for it.
    #[must_use]
    pub fn post<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        self.add(Method::POST, path, access, on(MethodFilter::POST, handler))
    }

    /// Adds a route that puts something in the place of what was there.
    #[must_use]
    pub fn put<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        self.add(Method::PUT, path, access, on(MethodFilter::PUT, handler))
    }

    /// Adds a route that changes something.
    #[must_use]
    pub fn patch<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        self.add(Method::PATCH, path, access, on(MethodFilter::PATCH, handler))
    }

    /// Adds a route that takes something away.
    #[must_use]
    pub fn delete<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        self.add(Method::DELETE, path, access, on(MethodFilter::DELETE, handler))
    }

    fn add(
        mut self,
        method: Method,
        path: &'static str,
        access: Access,
        route: MethodRouter<AppState>,
    ) -> Self {
        self.rules.push(Rule { method, path, access });
        self.router = self.router.route(path, route.route_layer(from_fn_with_state(access, admit)));
        self
    }

    /// Changes the router as a whole: for layers.
    #[must_use]
    pub fn with(self, change: impl FnOnce(Router<AppState>) -> Router<AppState>) -> Self {
        Self { router: change(self.router), rules: self.rules }
    }

    /// These and others.
    #[must_use]
    pub fn merge(mut self, others: Self) -> Self {
        self.router = self.router.merge(others.router);
        self.rules.extend(others.rules);
        self
    }

    /// The router, and the rules it keeps.
    pub fn into_parts(self) -> (Router<AppState>, Vec<Rule>) {
        (self.router, self.rules)
    }
}

async fn admit(State(access): State<Access>, asker: Asker, request: Request, next: Next) -> Response {
    let identity = &asker.identity;
    let is_admitted = match access {
        Access::Public => true,
        Access::Needs(permission) => identity.may(permission),
        Access::Manages(permission) => identity.may(permission) && matches!(identity.who, Who::Person { .. }),
        Access::Person => matches!(identity.who, Who::Person { .. }),
    };
    if is_admitted && matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    if is_admitted {
        // What was begun is done, and noted, though nobody waits for it any more.
        let span = tracing::Span::current();
        let done = tokio::spawn(next.run(request).instrument(span)).await;
        return done.unwrap_or_else(|error| Problem::internal(&error).into_response());
    }
    match (access, &identity.who) {
        (Access::Needs(_) | Access::Manages(_), _) if identity.must_add_factor => {
            let detail = "set up a second factor first, at /account: it is a duty here";
            Problem::new(Code::SecondFactorNeeded, detail).into_response()
        }
        (Access::Needs(permission) | Access::Manages(permission), Who::Person { .. } | Who::Token { .. }) => {
            let person = identity.person().unwrap_or_default();
            tracing::warn!(person, permission = permission.name(), "what is not permitted was asked for");
            let detail = if identity.may(permission) {
                "a token cannot do this: sign in on a page".to_owned()
            } else {
                format!("it needs the permission `{}`", permission.name())
            };
            Problem::new(Code::Forbidden, detail).into_response()
        }
        _ => Problem::new(Code::SignInNeeded, "sign in first").into_response(),
    }
}
