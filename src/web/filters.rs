//! What pages do with values: addresses, words, classes.

#![expect(missing_docs, reason = "the items that askama makes of filters cannot be documented")]

use askama::Values;

use crate::content::front_matter::{Kind, Status};
use crate::content::markdown;
use crate::search::answer::AnswerKind;

/// An id in an address.
#[askama::filter_fn]
pub fn path(id: &str, _: &dyn Values) -> askama::Result<String> {
    Ok(markdown::encode_path(id))
}

/// A text as a value in the query part of an address.
#[askama::filter_fn]
pub fn query(text: &str, _: &dyn Values) -> askama::Result<String> {
    Ok(percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string())
}

/// The word for a kind of article.
#[askama::filter_fn]
pub fn kind_key(kind: &Kind, _: &dyn Values) -> askama::Result<&'static str> {
    Ok(match kind {
        Kind::Product => "kind-product",
        Kind::Procedure => "kind-procedure",
        Kind::Manual => "kind-manual",
        Kind::Faq => "kind-faq",
        Kind::News => "kind-news",
        Kind::Script => "kind-script",
    })
}

/// Whether something is archived.
#[askama::filter_fn]
pub fn is_archived(status: &Status, _: &dyn Values) -> askama::Result<bool> {
    Ok(*status == Status::Archived)
}

/// The class of an answer card.
#[askama::filter_fn]
pub fn answer_class(kind: &AnswerKind, _: &dyn Values) -> askama::Result<&'static str> {
    Ok(match kind {
        AnswerKind::Code => "answer-code",
        AnswerKind::Steps => "answer-steps",
        AnswerKind::Flow => "answer-flow",
        AnswerKind::Fact => "answer-fact",
        AnswerKind::Passage => "answer-passage",
    })
}
