//! What pages do with values: addresses, words, classes.

#![expect(missing_docs, reason = "the items that askama makes of filters cannot be documented")]

use askama::Values;

use crate::accounts::permissions::{Permission, Role};
use crate::content::freshness::Trust;
use crate::content::front_matter::{Kind, Status};
use crate::content::markdown;
use crate::feedback::ThreadKind;
use crate::notices::NoticeKind;
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

/// The word for how far an article may be trusted.
#[askama::filter_fn]
pub fn trust_key(trust: &Trust, _: &dyn Values) -> askama::Result<&'static str> {
    Ok(match trust {
        Trust::Never => "trust-never",
        Trust::Overdue => "trust-overdue",
        Trust::Due => "trust-due",
        Trust::Verified => "trust-verified",
    })
}

/// How it is shown.
#[askama::filter_fn]
pub fn trust_class(trust: &Trust, _: &dyn Values) -> askama::Result<&'static str> {
    Ok(match trust {
        Trust::Never | Trust::Overdue => "archived",
        Trust::Due => "",
        Trust::Verified => "guided",
    })
}

/// The word for a kind of article.
#[askama::filter_fn]
pub fn kind_key(kind: &Kind, _: &dyn Values) -> askama::Result<&'static str> {
    Ok(kind_word(*kind))
}

/// The key of the word for a kind of article.
pub fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Product => "kind-product",
        Kind::Procedure => "kind-procedure",
        Kind::Manual => "kind-manual",
        Kind::Faq => "kind-faq",
        Kind::News => "kind-news",
        Kind::Script => "kind-script",
    }
}

/// The word for a channel.
#[askama::filter_fn]
pub fn channel_key(name: &str, _: &dyn Values) -> askama::Result<&'static str> {
    Ok(match name {
        "sms" => "channel-sms",
        "email" => "channel-email",
        "voice" => "channel-voice",
        _ => "channel-chat",
    })
}

/// The word for a role.
#[askama::filter_fn]
pub fn role_key(role: &Role, _: &dyn Values) -> askama::Result<&'static str> {
    Ok(match role {
        Role::Operator => "role-operator",
        Role::Consultant => "role-consultant",
        Role::Editor => "role-editor",
        Role::Reviewer => "role-reviewer",
        Role::Lead => "role-lead",
        Role::Administrator => "role-administrator",
    })
}

/// The word for a permission.
#[askama::filter_fn]
pub fn permission_key(permission: &Permission, _: &dyn Values) -> askama::Result<&'static str> {
    Ok(match permission {
        Permission::Read => "permission-read",
        Permission::TellGaps => "permission-tell-gaps",
        Permission::ReadEverything => "permission-read-everything",
        Permission::Edit => "permission-edit",
        Permission::SeeProblems => "permission-see-problems",
        Permission::SeeGaps => "permission-see-gaps",
        Permission::SeePeople => "permission-see-people",
        Permission::ManagePeople => "permission-manage-people",
        Permission::Provision => "permission-provision",
        Permission::SeeAudit => "permission-see-audit",
        Permission::ManageHooks => "permission-manage-hooks",
        Permission::Approve => "permission-approve",
        Permission::SeeHealth => "permission-see-health",
    })
}

/// The word for what somebody is told of.
#[askama::filter_fn]
pub fn notice_key(kind: &NoticeKind, _: &dyn Values) -> askama::Result<&'static str> {
    Ok(match kind {
        NoticeKind::ReviewAsked => "notice-review-asked",
        NoticeKind::ReviewAnswered => "notice-review-answered",
        NoticeKind::NotPublished => "notice-not-published",
        NoticeKind::MustRead => "notice-must-read",
        NoticeKind::Feedback => "notice-feedback",
        NoticeKind::FeedbackAnswered => "notice-feedback-answered",
        NoticeKind::Overdue => "notice-overdue",
        NoticeKind::Published => "notice-published",
    })
}

/// The word for what is said of an article.
#[askama::filter_fn]
pub fn thread_key(kind: &ThreadKind, _: &dyn Values) -> askama::Result<&'static str> {
    Ok(match kind {
        ThreadKind::Wrong => "thread-wrong",
        ThreadKind::Unclear => "thread-unclear",
        ThreadKind::Missing => "thread-missing",
        ThreadKind::Discussion => "thread-discussion",
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

/// Whether an answer is the beginning of a flow.
#[askama::filter_fn]
pub fn is_flow(kind: &AnswerKind, _: &dyn Values) -> askama::Result<bool> {
    Ok(*kind == AnswerKind::Flow)
}

/// The level of a section's heading below the title of its page.
#[askama::filter_fn]
pub fn heading(level: &u8, _: &dyn Values) -> askama::Result<u8> {
    Ok((*level).clamp(2, 6))
}
