//! People: who they are, how they prove it, and what they may do and read.

pub mod identity;
pub mod permissions;
