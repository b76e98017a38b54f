//! Pure functions over text: words, their forms, codes and phone numbers, slips and spellings.

pub mod codes;
pub mod duplicates;
pub mod family;
pub mod layout;
pub mod morphology;
pub mod quantities;
pub mod readability;
pub mod transliteration;
pub mod typo;
pub mod words;
