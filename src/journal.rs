//! A file of records, one JSON object a line, that only grows: what must outlive the program and cannot be made again.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A journal. When its file cannot be used, records are not kept; that is told once in the log, and nothing else stops.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Option<File>,
    lines: usize,
    keep: usize,
}

impl Journal {
    /// Opens or makes the journal `name` in a folder and reads its last `keep` records, the oldest first. A line that cannot be read,
    /// as the last one after a power cut, is passed over.
    pub fn open<T: DeserializeOwned>(folder: &Path, name: &str, keep: usize) -> (Self, Vec<T>) {
        let path = folder.join(name);
        let mut journal = Self { path, file: None, lines: 0, keep };
        match journal.read(folder) {
            Ok(text) => {
                journal.lines = text.lines().count();
                let records = text.lines().enumerate().skip(journal.lines.saturating_sub(keep));
                let records = records.filter_map(|(at, line)| match serde_json::from_str(line) {
                    Ok(record) => Some(record),
                    Err(error) => {
                        tracing::warn!(file = %journal.path.display(), line = at + 1, %error, "a record is passed over");
                        None
                    }
                });
                let records = records.collect();
                journal.compact();
                (journal, records)
            }
            Err(error) => {
                journal.give_up(&error);
                (journal, Vec::new())
            }
        }
    }

    fn read(&mut self, folder: &Path) -> io::Result<String> {
        std::fs::create_dir_all(folder)?;
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&self.path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        // What follows a torn record must not become part of it.
        if bytes.last().is_some_and(|last| *last != b'\n') {
            file.write_all(b"\n")?;
        }
        self.file = Some(file);
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Writes records behind the others; they are on disk when this returns.
    pub fn append<T: Serialize>(&mut self, records: &[T]) {
        let Some(file) = &mut self.file else { return };
        if records.is_empty() {
            return;
        }
        let mut text = String::new();
        for record in records {
            if let Ok(line) = serde_json::to_string(record) {
                text.push_str(&line);
                text.push('\n');
            }
        }
        match file.write_all(text.as_bytes()).and_then(|()| file.sync_data()) {
            Ok(()) => {
                self.lines += records.len();
                self.compact();
            }
            Err(error) => self.give_up(&error),
        }
    }

    /// Writes the file anew when more than half of it is no longer of interest.
    fn compact(&mut self) {
        if self.lines <= self.keep * 2 || self.file.is_none() {
            return;
        }
        if let Err(error) = self.rewrite() {
            self.give_up(&error);
        }
    }

    fn rewrite(&mut self) -> io::Result<()> {
        let bytes = std::fs::read(&self.path)?;
        let text = String::from_utf8_lossy(&bytes);
        let skipped = text.lines().count().saturating_sub(self.keep);
        let kept: String = text.lines().skip(skipped).flat_map(|line| [line, "\n"]).collect();
        let beside = self.path.with_extension("new");
        let mut file = File::create(&beside)?;
        file.write_all(kept.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, &self.path)?;
        self.file = Some(OpenOptions::new().append(true).open(&self.path)?);
        self.lines = self.keep;
        Ok(())
    }

    fn give_up(&mut self, error: &io::Error) {
        self.file = None;
        tracing::error!(
            file = %self.path.display(), %error,
            "cannot be written; until the next start nothing is kept in it. Make the folder writable, or name another as `data` in pharos.toml"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_outlive_the_program_and_a_torn_line_costs_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, read) = Journal::open::<u32>(folder.path(), "j.jsonl", 3);
        assert!(read.is_empty());
        journal.append(&[1_u32, 2]);
        drop(journal);
        let path = folder.path().join("j.jsonl");
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"torn").unwrap();
        let (mut journal, read) = Journal::open::<u32>(folder.path(), "j.jsonl", 3);
        assert_eq!(read, [1, 2]);
        journal.append(&[4_u32]);
        assert_eq!(Journal::open::<u32>(folder.path(), "j.jsonl", 3).1, [2, 4]);
    }

    #[test]
    fn what_is_of_no_more_interest_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open::<u32>(folder.path(), "j.jsonl", 3);
        for number in 0..20_u32 {
            journal.append(&[number]);
        }
        let text = std::fs::read_to_string(folder.path().join("j.jsonl")).unwrap();
        assert!(text.lines().count() <= 6, "{text}");
        assert_eq!(Journal::open::<u32>(folder.path(), "j.jsonl", 3).1, [17, 18, 19]);
    }

    #[test]
    fn a_folder_that_cannot_be_written_stops_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let (mut journal, read) = Journal::open::<u32>(&file, "j.jsonl", 3);
        journal.append(&[1_u32]);
        assert!(read.is_empty());
    }
}
