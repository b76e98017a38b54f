//! Pictures and documents beside the articles: looked at before they are kept.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use crate::content::pictures::{Kept, kept};
use crate::editing::disk::SourcePath;
use crate::editing::{EditError, Editing, aside};

/// The longest part of a name that is taken over, in characters.
const MAX_NAME: usize = 60;

/// How many files may have one name before one is refused.
const MAX_ALIKE: usize = 100;

/// A file that was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Attached {
    /// Where it is: `articles/sms/monthly-schema.png`.
    pub path: String,
    /// How the article it was kept beside names it.
    pub link: String,
}

impl Editing {
    /// Keeps a picture or a document beside an article. Its name is made of the article's and of the given one; what it is, its bytes tell, and
    /// not its name. Of drawings (SVG) what draws is kept. The same file twice is kept once.
    ///
    /// # Errors
    /// It is of no kind that is served, too large, or the disk refused.
    pub async fn attach(
        &self,
        beside: &SourcePath,
        name: &str,
        bytes: Vec<u8>,
    ) -> Result<Attached, EditError> {
        let max = self.disk.max_bytes();
        let check = |bytes: &[u8]| match bytes.len() {
            length if length as u64 > max => {
                Err(EditError::invalid("file", format!("is {length} bytes long; the limit is {max}")))
            }
            _ => Ok(()),
        };
        check(&bytes)?;
        let looked_at = aside(move || kept(bytes)).await?;
        let Kept { extension, bytes, .. } = looked_at.map_err(|why| EditError::invalid("file", why))?;
        check(&bytes)?;
        let Some((folder, article)) =
            beside.as_str().rsplit_once('/').filter(|(folder, _)| folder.starts_with("articles"))
        else {
            return Err(EditError::invalid("beside", "must be an article: templates have no pictures"));
        };
        let article = article.rsplit_once('.').map_or(article, |(stem, _)| stem);
        let stem: String = format!("{article}-{}", plain_name(name)).chars().take(2 * MAX_NAME).collect();
        let (disk, beside) = (Arc::clone(&self.disk), self.disk.named(beside));
        let added = aside(move || {
            for number in 1..=MAX_ALIKE {
                let name = match number {
                    1 => format!("{stem}.{extension}"),
                    _ => format!("{stem}-{number}.{extension}"),
                };
                if disk.add(&beside.with_file_name(&name), &bytes)? {
                    return Ok(name);
                }
            }
            Err(EditError::invalid("file", format!("there are {MAX_ALIKE} files of this name already")))
        });
        let link = added.await??;
        Ok(Attached { path: format!("{folder}/{link}"), link })
    }
}

/// A name of letters and digits, which means nothing to a file system or to Markdown.
fn plain_name(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let plain: String = stem.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let parts: Vec<&str> = plain.split('-').filter(|part| !part.is_empty()).collect();
    let joined: String = parts.join("-").to_lowercase().chars().take(MAX_NAME).collect();
    if joined.is_empty() { "picture".to_owned() } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for (name, plain) in [
            ("Схема подключения.PNG", "схема-подключения"),
            ("../../etc/passwd.png", "passwd"),
            ("a](javascript:alert(1)).png", "a-javascript-alert-1"),
            ("\u{202e}gnp.exe", "gnp"),
            ("…", "picture"),
        ] {
            assert_eq!(plain_name(name), plain);
        }
    }
}
