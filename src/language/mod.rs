//! Pure functions over text: words, their forms, codes and phone numbers.

pub mod codes;
pub mod morphology;
pub mod words;
