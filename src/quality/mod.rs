//! The quality of content: what contradicts, repeats or lags behind something else, is hard to read, or is led to by nothing.

pub mod analysis;
pub mod catalogue;
pub mod extract;
pub mod passages;
pub mod relations;
pub mod statements;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What sort of finding it is. Names are stable; docs/editing.md lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FindingCode {
    /// A text says another value of a product than the catalogue does.
    ConflictValue,
    /// Two texts say the same but for a number.
    ConflictStatement,
    /// Two texts give different codes or phone numbers for the same.
    ConflictCode,
    /// Two articles are nearly the same.
    NearDuplicate,
    /// An article has no translation, though others of its folder have one.
    MissingTranslation,
    /// An article was changed after its translation.
    OutdatedTranslation,
    /// A value of the catalogue is written out.
    HardCodedValue,
    /// A text is hard to read.
    HardToRead,
    /// A sentence is too long.
    LongSentence,
    /// Nothing leads to an article.
    Orphan,
}

impl FindingCode {
    /// The codes by name, what matters most first.
    pub const NAMES: &[(&'static str, Self)] = &[
        ("conflict-value", Self::ConflictValue),
        ("conflict-statement", Self::ConflictStatement),
        ("conflict-code", Self::ConflictCode),
        ("near-duplicate", Self::NearDuplicate),
        ("missing-translation", Self::MissingTranslation),
        ("outdated-translation", Self::OutdatedTranslation),
        ("hard-coded-value", Self::HardCodedValue),
        ("hard-to-read", Self::HardToRead),
        ("long-sentence", Self::LongSentence),
        ("orphan", Self::Orphan),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, code)| *code == self).map_or("", |(name, _)| name)
    }
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct FilePlace {
    /// The file, as `articles/sms/monthly.md`.
    pub file: String,
    /// Line, from 1; 0 when the file as a whole is meant.
    pub line: u32,
}

/// Something about a file that could be better. It hinders nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct Finding {
    /// What sort of thing it is.
    pub code: FindingCode,
    /// The file, as `articles/sms/monthly.md`.
    pub file: String,
    /// Line, from 1; 0 when the file as a whole is meant.
    pub line: u32,
    /// Column in characters, from 1; 0 when the file as a whole is meant.
    pub column: u32,
    /// What was found.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// The other place it concerns.
    pub other: Option<FilePlace>,
    /// Who answers for the file.
    pub owner: Option<String>,
}
