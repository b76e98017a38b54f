//! What is learnt from use.

pub mod gaps;
pub mod openings;
