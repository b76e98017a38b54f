//! Where a feed comes from: a file, the newest file of a folder, or an address; bounded in size and time.

use std::fs::Metadata;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use reqwest::redirect::Policy;

use crate::feeds::FeedProblem;
use crate::settings::{FeedSettings, without_password};

/// How often an address may lead to another one.
const MAX_REDIRECTS: usize = 5;

/// How long one waits for a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// What is at a source now, without reading it: it is looked at often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The file.
    pub path: PathBuf,
    size: u64,
    modified: Option<SystemTime>,
}

/// What a source held.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Where it was found, without a password.
    pub from: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Looks at a file or folder; `None` where there is no file, and of an address.
pub fn look(settings: &FeedSettings) -> Option<Look> {
    if settings.is_remote() {
        return None;
    }
    let path = Path::new(&settings.source);
    let metadata = std::fs::metadata(path).ok()?;
    if metadata.is_file() {
        return Some(look_of(path.to_owned(), &metadata));
    }
    let entries = std::fs::read_dir(path).ok()?.flatten();
    let files = entries.filter(|entry| {
        let name = entry.file_name();
        // What is written beside and renamed is hidden until then, or called so.
        let name = name.to_string_lossy();
        !name.starts_with(['.', '~']) && ![".tmp", ".part", ".filepart"].iter().any(|end| name.ends_with(end))
    });
    let files = files.filter_map(|entry| {
        let metadata = std::fs::metadata(entry.path()).ok().filter(Metadata::is_file)?;
        Some(look_of(entry.path(), &metadata))
    });
    files.max_by(|one, other| (one.modified, &one.path).cmp(&(other.modified, &other.path)))
}

fn look_of(path: PathBuf, metadata: &Metadata) -> Look {
    Look { path, size: metadata.len(), modified: metadata.modified().ok() }
}

/// Reads a source whole.
///
/// # Errors
/// It cannot be reached, is too large, or took too long.
pub async fn fetch(settings: &FeedSettings) -> Result<Fetched, FeedProblem> {
    if settings.is_remote() {
        return download(settings).await;
    }
    let settings = settings.clone();
    let read = tokio::task::spawn_blocking(move || read_file(&settings)).await;
    read.unwrap_or_else(|error| Err(FeedProblem::whole(format!("reading broke off: {error}"), "see the log")))
}

fn most(settings: &FeedSettings) -> u64 {
    u64::from(settings.max_megabytes) * 1_000_000
}

fn too_large(settings: &FeedSettings) -> FeedProblem {
    FeedProblem::whole(
        format!("the source is larger than {} megabytes", settings.max_megabytes),
        "raise `max_megabytes` of the feed if that is right",
    )
}

/// Reads a file, or the newest one of a folder.
///
/// # Errors
/// There is none, it cannot be read, or is too large.
pub fn read_file(settings: &FeedSettings) -> Result<Fetched, FeedProblem> {
    let Some(look) = look(settings) else {
        let is_folder = Path::new(&settings.source).is_dir();
        let what = if is_folder { "there is no file in" } else { "there is no file or folder" };
        return Err(FeedProblem::whole(
            format!("{what} {}", without_password(&settings.source)),
            "correct `source` of the feed, or let the other system write it",
        ));
    };
    let from = look.path.display().to_string();
    let failed = |error: std::io::Error| {
        FeedProblem::whole(format!("{from} cannot be read: {error}"), "let the server's user read it")
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(&look.path).map_err(failed)?;
    file.take(most(settings) + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most(settings) {
        return Err(too_large(settings));
    }
    Ok(Fetched { from, bytes })
}

async fn download(settings: &FeedSettings) -> Result<Fetched, FeedProblem> {
    let shown = without_password(&settings.source);
    let hint = "open the address from the server's machine; correct `source` of the feed";
    let failed = |error: reqwest::Error| {
        let what = if error.is_timeout() {
            format!("took longer than {} seconds", settings.timeout_seconds)
        } else if error.is_redirect() {
            format!("leads on more than {MAX_REDIRECTS} times, or to another server")
        } else {
            // The error's own text names the address, and with it a password.
            let mut error: &dyn std::error::Error = &error.without_url();
            while let Some(source) = error.source() {
                error = source;
            }
            format!("cannot be reached: {error}")
        };
        FeedProblem::whole(format!("{shown} {what}"), hint)
    };
    let client = reqwest::Client::builder()
        .redirect(Policy::custom(|attempt| {
            // Whoever is in charge of the address says where data comes from; another server is another source.
            let is_same = attempt.previous().first().is_none_or(|first| {
                (first.host_str(), first.port_or_known_default())
                    == (attempt.url().host_str(), attempt.url().port_or_known_default())
                    || first.host_str() == attempt.url().host_str() && attempt.url().scheme() == "https"
            });
            if attempt.previous().len() > MAX_REDIRECTS || !is_same {
                attempt.error("leads on too often, or to another server")
            } else {
                attempt.follow()
            }
        }))
        .https_only(settings.source.to_ascii_lowercase().starts_with("https://"))
        .connect_timeout(CONNECT_PATIENCE)
        .timeout(Duration::from_secs(u64::from(settings.timeout_seconds)))
        .build()
        .map_err(failed)?;
    let mut response = client.get(&settings.source).send().await.map_err(failed)?;
    if !response.status().is_success() {
        let status = response.status();
        return Err(FeedProblem::whole(format!("{shown} answers {status}"), hint));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > most(settings) {
            return Err(too_large(settings));
        }
    }
    Ok(Fetched { from: shown, bytes })
}
