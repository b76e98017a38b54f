//! Pictures and documents beside the articles: looked at before they are kept.

use std::sync::Arc;

use imagesize::{Compression, ImageType};
use serde::Serialize;
use utoipa::ToSchema;

use crate::editing::disk::SourcePath;
use crate::editing::{EditError, Editing, aside};

/// The most picture elements: a browser that shows more takes hundreds of megabytes for it.
const MAX_PIXELS: usize = 50_000_000;

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
    /// not its name. The same file twice is kept once.
    ///
    /// # Errors
    /// It is of no kind that is served, too large, or the disk refused.
    pub async fn attach(
        &self,
        beside: &SourcePath,
        name: &str,
        bytes: Vec<u8>,
    ) -> Result<Attached, EditError> {
        let extension = kind_of(&bytes).map_err(|why| EditError::invalid("file", why))?;
        if bytes.len() as u64 > self.disk.max_bytes() {
            let why = format!("is {} bytes long; the limit is {}", bytes.len(), self.disk.max_bytes());
            return Err(EditError::invalid("file", why));
        }
        let Some((folder, article)) =
            beside.as_str().rsplit_once('/').filter(|(folder, _)| folder.starts_with("articles"))
        else {
            return Err(EditError::invalid("beside", "must be an article: templates have no pictures"));
        };
        let article = article.rsplit_once('.').map_or(article, |(stem, _)| stem);
        let stem: String = format!("{article}-{}", plain_name(name)).chars().take(2 * MAX_NAME).collect();
        let (disk, beside) = (Arc::clone(&self.disk), self.disk.named(beside));
        let kept = aside(move || {
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
        let link = kept.await??;
        Ok(Attached { path: format!("{folder}/{link}"), link })
    }
}

/// What a file is, by its bytes, as the extension it gets. Pictures that hold scripts (SVG) are none that anybody may add from a browser.
fn kind_of(bytes: &[u8]) -> Result<&'static str, String> {
    if bytes.starts_with(b"%PDF-") {
        return Ok("pdf");
    }
    let extension = match imagesize::image_type(bytes) {
        Ok(ImageType::Png) => "png",
        Ok(ImageType::Jpeg) => "jpg",
        Ok(ImageType::Gif) => "gif",
        Ok(ImageType::Webp) => "webp",
        Ok(ImageType::Heif(Compression::Av1)) => "avif",
        _ => return Err("is no PNG, JPEG, GIF, WebP, AVIF or PDF; save it as one of them".to_owned()),
    };
    let size = imagesize::blob_size(bytes).map_err(|error| format!("is no whole picture: {error}"))?;
    match size.width.checked_mul(size.height) {
        Some(pixels) if (1..=MAX_PIXELS).contains(&pixels) => Ok(extension),
        _ => {
            Err(format!("is {} × {} pixels large; the limit is {MAX_PIXELS} in all", size.width, size.height))
        }
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

    /// The beginning of a PNG of some size.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
        bytes
    }

    #[test]
    fn bytes_tell_what_a_file_is() {
        assert_eq!(kind_of(&png(10, 10)), Ok("png"));
        assert_eq!(kind_of(b"%PDF-1.7\n"), Ok("pdf"));
        assert_eq!(kind_of(b"GIF89a\x01\0\x01\0\0\0\0<script>alert(1)</script>"), Ok("gif"));
        for bad in [
            &b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>"[..],
            b"<!doctype html><script>alert(1)</script>",
            b"PK\x03\x04",
            b"\x7fELF",
            b"",
            b"\x89PNG\r\n\x1a\n",
        ] {
            assert!(kind_of(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
        for (width, height) in [(60_000, 60_000), (u32::MAX, u32::MAX), (0, 10)] {
            assert!(kind_of(&png(width, height)).is_err(), "{width} x {height}");
        }
    }

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
