//! Pictures and documents beside the articles: what they are, told by their bytes.

use imagesize::{Compression, ImageType};

use crate::content::drawing;

/// The most picture elements: a browser that shows more takes hundreds of megabytes for it.
const MAX_PIXELS: usize = 50_000_000;

/// A picture or document that may be kept and served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What it is, as the ending of its name.
    pub extension: &'static str,
    /// What is kept: drawings (SVG) without anything but what draws, everything else as it came.
    pub bytes: Vec<u8>,
    /// Whether it shows less than it did: texts of a drawing that stood in a page within it.
    pub is_reduced: bool,
}

/// What of a file may be kept. Its bytes tell what it is.
///
/// # Errors
/// It is of no kind that is served, damaged, or too large to be shown.
pub fn kept(bytes: Vec<u8>) -> Result<Kept, String> {
    if bytes.starts_with(b"%PDF-") {
        return Ok(Kept { extension: "pdf", bytes, is_reduced: false });
    }
    if drawing::is_drawing(&bytes) {
        let is_reduced = drawing::has_page_within(&bytes);
        return Ok(Kept { extension: "svg", bytes: drawing::cleaned(&bytes)?, is_reduced });
    }
    Ok(Kept { extension: pixels_of(&bytes)?, bytes, is_reduced: false })
}

/// Which picture of pixels a file is, as the ending of its name.
///
/// # Errors
/// It is none, damaged, or too large to be shown.
pub(super) fn pixels_of(bytes: &[u8]) -> Result<&'static str, String> {
    let extension = match imagesize::image_type(bytes) {
        Ok(ImageType::Png) => "png",
        Ok(ImageType::Jpeg) => "jpg",
        Ok(ImageType::Gif) => "gif",
        Ok(ImageType::Webp) => "webp",
        Ok(ImageType::Heif(Compression::Av1)) => "avif",
        _ => return Err("is no PNG, JPEG, GIF, WebP, AVIF, SVG or PDF; save it as one of them".to_owned()),
    };
    let size = imagesize::blob_size(bytes).map_err(|error| format!("is no whole picture: {error}"))?;
    match size.width.checked_mul(size.height) {
        Some(pixels) if (1..=MAX_PIXELS).contains(&pixels) => Ok(extension),
        _ => {
            Err(format!("is {} × {} pixels large; the limit is {MAX_PIXELS} in all", size.width, size.height))
        }
    }
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
        let kind_of = |bytes: &[u8]| kept(bytes.to_vec()).map(|kept| kept.extension);
        assert_eq!(kind_of(&png(10, 10)), Ok("png"));
        assert_eq!(kind_of(b"%PDF-1.7\n"), Ok("pdf"));
        assert_eq!(kind_of(b"GIF89a\x01\0\x01\0\0\0\0<script>alert(1)</script>"), Ok("gif"));
        let drawing =
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script><path d=\"M0 0\"/></svg>";
        let kept = super::kept(drawing.to_vec()).unwrap();
        assert_eq!(kept.extension, "svg");
        assert!(!String::from_utf8_lossy(&kept.bytes).contains("alert"));
        for bad in [
            &b"<!doctype html><script>alert(1)</script>"[..],
            b"<!doctype html><svg><script>alert(1)</script></svg>",
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
}
