//! Mail to people: links that let them in.

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::accounts::AccountError;
use crate::settings::Settings;

/// The way to the mail server.
#[derive(Debug)]
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mail {
    /// The mail server of settings; `None` when they name none.
    ///
    /// # Errors
    /// The settings make no sense.
    pub fn of(settings: &Settings) -> Result<Option<Self>, AccountError> {
        if settings.smtp.is_empty() {
            return Ok(None);
        }
        let wrong = |name: &'static str, why: String| AccountError::Invalid { name, why };
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&settings.smtp)
            .map_err(|error| {
                wrong("smtp", format!("{error}; write it as smtps://user:password@mail.example.org"))
            })?
            .build();
        let from = settings.mail_from.parse().map_err(|error| {
            wrong("mail_from", format!("{error}; write it as Pharos <pharos@example.org>"))
        })?;
        Ok(Some(Self { transport, from }))
    }

    /// Sends a text.
    ///
    /// # Errors
    /// The address is none, or the mail server does not take it.
    pub async fn send(&self, to: &str, subject: &str, text: &str) -> Result<(), AccountError> {
        let fault =
            |error: &dyn std::fmt::Display| AccountError::System(format!("mail could not be sent: {error}"));
        let to: Mailbox = to.parse().map_err(|error| fault(&error))?;
        let message = Message::builder().from(self.from.clone()).to(to).subject(subject);
        let message =
            message.header(ContentType::TEXT_PLAIN).body(text.to_owned()).map_err(|error| fault(&error))?;
        self.transport.send(message).await.map_err(|error| fault(&error))?;
        Ok(())
    }
}
