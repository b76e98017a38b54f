//! Who is asking: found out once for each request, and given to handlers.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use jiff::civil::Date;

use crate::accounts::identity::Identity;
use crate::accounts::permissions::Permission;
use crate::http::problem::{Code, Problem};
use crate::search::filter::Filter;

/// Who is asking.
#[derive(Clone, Debug)]
pub struct Asker(pub Arc<Identity>);

impl Asker {
    /// Refuses who may not do something.
    ///
    /// # Errors
    /// It is not permitted.
    pub fn must(&self, permission: Permission) -> Result<(), Problem> {
        if self.0.may(permission) {
            return Ok(());
        }
        Err(Problem::new(Code::Forbidden, format!("this needs the permission `{}`", permission.name())))
    }

    /// What is in force on a day for who asks, in the region that is meant where none is named.
    pub fn filter(&self, day: Date) -> Filter {
        let region = self.0.region.as_deref().map(str::to_owned);
        Filter { region, ..Filter::on(day) }.with(self.0.clearance.clone())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or_else(|| Problem::internal(&"a route is served outside the layer that tells who asks"))
    }
}
