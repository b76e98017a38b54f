//! Who is asking, and what follows from it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::accounts::permissions::Permission;
use crate::content::validity::Clearance;

/// As what somebody asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Nobody signed in.
    Nobody,
    /// A person, in a session.
    Person {
        /// The person's id.
        id: Arc<str>,
        /// What the person is called.
        name: Arc<str>,
        /// The session's id.
        session: Arc<str>,
    },
    /// A program, by a token.
    Token {
        /// The token's id.
        id: Arc<str>,
        /// What the token is called.
        name: Arc<str>,
        /// The person in whose name it asks.
        person: Arc<str>,
    },
}

/// Somebody who asks.
#[derive(Clone, Debug)]
pub struct Identity {
    /// As what.
    pub who: Who,
    /// What is permitted.
    pub permissions: BTreeSet<Permission>,
    /// What may be read.
    pub clearance: Clearance,
    /// The region that is meant where none is named.
    pub region: Option<Arc<str>>,
    /// Whether nothing is permitted until a second factor is set up.
    pub must_add_factor: bool,
}

impl Identity {
    /// Nobody in particular, who may do what is given.
    pub fn nobody(permissions: impl IntoIterator<Item = Permission>) -> Self {
        Self {
            who: Who::Nobody,
            permissions: permissions.into_iter().collect(),
            clearance: Clearance::Public,
            region: None,
            must_add_factor: false,
        }
    }

    /// Whether something is permitted.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// The person's id, by whatever the person asks.
    pub fn person(&self) -> Option<&str> {
        match &self.who {
            Who::Nobody => None,
            Who::Person { id, .. } => Some(id),
            Who::Token { person, .. } => Some(person),
        }
    }
}
