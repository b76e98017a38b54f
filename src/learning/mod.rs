//! What is learnt from use.

pub mod gaps;
