//! Once a day: owners are told what should be verified, and what nobody saw on the desk is mailed.

use jiff::civil::Date;

use crate::accounts::AccountError;
use crate::api::freshness::{FreshArticle, overview};
use crate::content::freshness::Trust;
use crate::database::StoreError;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::notices::{Digest, News, Notice, NoticeKind};

/// Why not everybody could be told.
#[derive(Debug, thiserror::Error)]
pub enum DigestError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// People cannot be read, or mail cannot be sent.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The content cannot be read.
    #[error("{0}")]
    Content(String),
}

impl From<Problem> for DigestError {
    fn from(problem: Problem) -> Self {
        Self::Content(problem.detail)
    }
}

/// Tells owners what should be verified, once each time it should be, and mails what nobody saw.
///
/// # Errors
/// The store or the mail server does not answer. What was told and mailed by then is not told again.
pub async fn send(state: &AppState, day: Date) -> Result<(), DigestError> {
    tell_owners(state, day).await?;
    let Some(mail) = state.accounts.mail() else { return Ok(()) };
    for digest in state.notices.digests(state.app.clock.now()).await? {
        let (subject, text) = letter(&digest, &state.settings.public_url);
        mail.send(&digest.email, &subject, &text).await?;
        state.notices.mailed(&digest, state.app.clock.now()).await?;
    }
    Ok(())
}

async fn tell_owners(state: &AppState, day: Date) -> Result<(), DigestError> {
    let needing = [Trust::Never, Trust::Overdue, Trust::Due];
    let found = state.run(move |snapshot| Ok(overview(snapshot, day, &needing, None, false))).await?;
    let owned: Vec<(&FreshArticle, &String)> =
        found.iter().filter_map(|one| Some((one, one.owner.as_ref()?))).collect();
    if owned.is_empty() {
        return Ok(());
    }
    let members = state.accounts.members_of_all().await?;
    for (article, owner) in owned {
        let people: Vec<String> =
            members.iter().filter(|member| member.is_called(owner)).map(|member| member.id.clone()).collect();
        let until = article.freshness.and_then(|known| known.until).unwrap_or_default();
        let once = format!("{}:{until}", article.id);
        let link = format!("/articles/{}", article.id);
        let news = News { kind: NoticeKind::Overdue, title: &article.title, link: &link, once: Some(&once) };
        state.notices.tell(&people, &news, state.app.clock.now()).await?;
    }
    Ok(())
}

/// What a kind is called in mail, in both languages: a letter does not know its reader's.
fn called(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::ReviewAsked => "Просят проверить / A review is asked for",
        NoticeKind::ReviewAnswered => "Ответ на вашу правку / Your draft was answered",
        NoticeKind::NotPublished => "Не опубликовано в срок / Not published in its time",
        NoticeKind::MustRead => "Обязательно прочитать / Must be read",
        NoticeKind::Feedback => "Отзыв о статье / Feedback on an article",
        NoticeKind::FeedbackAnswered => "Ответ на ваш отзыв / Your feedback was answered",
        NoticeKind::Overdue => "Пора проверить статью / An article should be verified",
        NoticeKind::Published => "Публикация / A publication",
    }
}

fn letter(digest: &Digest, origin: &str) -> (String, String) {
    let mut text = String::from("Вы этого ещё не видели. / You have not seen this yet.\n");
    let mut kinds: Vec<NoticeKind> = digest.notices.iter().map(|notice| notice.kind).collect();
    kinds.sort();
    kinds.dedup();
    for kind in kinds {
        text.push_str(&format!("\n{}\n", called(kind)));
        let of_kind = |notice: &&Notice| notice.kind == kind;
        for notice in digest.notices.iter().filter(of_kind) {
            text.push_str(&format!("- {}\n  {origin}{}\n", notice.title, encoded(&notice.link)));
        }
    }
    text.push_str(&format!("\nО чём сообщать / What to be told: {origin}/notices\n"));
    let number = digest.notices.len();
    (format!("Pharos: {number} новых / new"), text)
}

/// An address as a letter holds it: readers of mail end it at the first blank or letter that is not Latin.
fn encoded(link: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');
    percent_encoding::utf8_percent_encode(link, KEPT).to_string()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_letter_names_each_thing_once_with_where_it_is() {
        let notice = |kind, title: &str, link: &str| Notice {
            id: String::new(),
            at: Timestamp::default(),
            kind,
            title: title.to_owned(),
            link: link.to_owned(),
            seen_at: None,
        };
        let notices = vec![
            notice(NoticeKind::Overdue, "Пакеты", "/articles/смс/пакеты"),
            notice(NoticeKind::MustRead, "Тарифы", "/must-read"),
            notice(NoticeKind::Overdue, "Роуминг", "/articles/roaming"),
        ];
        let digest = Digest { email: "a@example.org".to_owned(), notices };
        let (subject, text) = letter(&digest, "https://pharos.example.org");
        assert!(subject.contains('3'));
        assert_eq!(text.matches("Пора проверить").count(), 1);
        assert!(text.contains("- Пакеты\n  https://pharos.example.org/articles/%D1%81"), "{text}");
        assert!(text.find("Тарифы") < text.find("Роуминг"));
    }
}
