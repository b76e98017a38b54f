//! What is wrong with the content, where, and what to do about it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Readers do not get what the editor wrote.
    Error,
    /// Readers get it, but something is probably not as meant.
    Warning,
}

/// One thing wrong with one file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// The file, as `articles/sms/monthly.md`.
    pub file: String,
    /// Line, from 1; 0 when the problem is the file itself.
    pub line: u32,
    /// Column in characters, from 1; 0 when the problem is the file itself.
    pub column: u32,
    /// How bad it is.
    pub severity: Severity,
    /// A stable name, as `unknown-value`; listed in docs/problems.md.
    pub code: Cow<'static, str>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// A place in a file, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl Position {
    /// The place of a byte in a text whose first line is `first_line`.
    pub fn of(text: &str, byte: usize, first_line: u32) -> Self {
        let mut end = byte.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &text[..end];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        Self {
            line: first_line + u32_of(before.matches('\n').count()),
            column: u32_of(before[line_start..].chars().count()) + 1,
        }
    }
}

/// Collects the problems of one file.
#[derive(Debug)]
pub struct Report {
    file: String,
    problems: Vec<Problem>,
}

impl Report {
    /// A report on a file, named as readers of the report know it.
    pub fn new(file: &str) -> Self {
        Self { file: file.to_owned(), problems: Vec::new() }
    }

    /// Readers do not get what was written here.
    pub fn error(
        &mut self,
        code: &'static str,
        at: Position,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.push(Severity::Error, code, at, message.into(), hint.into());
    }

    /// Something is probably not as meant.
    pub fn warning(
        &mut self,
        code: &'static str,
        at: Position,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.push(Severity::Warning, code, at, message.into(), hint.into());
    }

    fn push(&mut self, severity: Severity, code: &'static str, at: Position, message: String, hint: String) {
        let file = self.file.clone();
        let Position { line, column } = at;
        self.problems.push(Problem {
            file,
            line,
            column,
            severity,
            code: Cow::Borrowed(code),
            message,
            hint,
        });
    }

    /// Whether an error was reported.
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|p| p.severity == Severity::Error)
    }

    /// The problems, in the order they were found.
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems
    }
}

/// A count or offset of a file as stored: files are bounded far below 4 GiB.
pub fn u32_of(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// " (did you mean `x`?)" for the nearest of the known names, or nothing when none is near.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known).map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"))
}

/// The known name most like another one, if any is alike (Jaro-Winkler similarity of 0.8 and more).
fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|k| (strsim::jaro_winkler(name, k), k))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, k)| k)
}
