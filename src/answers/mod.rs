//! Answer templates: wordings with variables, one body a channel.

pub mod plain;
pub mod sms;
pub mod template;
pub mod templates;
