//! An index that is not as it was written is made anew: never served, never a crash.

use std::path::PathBuf;

use crate::harness::{Base, Served};

fn base() -> Base {
    let base = Base::new();
    for number in 0..30 {
        base.write(
            &format!("articles/{number}.md"),
            format!("# Статья {number}\n\nключица\n\n## Раздел\n\nлопатка {number}\n"),
        );
    }
    base
}

#[track_caller]
fn check(base: &Base) {
    let served: Served = base.start();
    assert_eq!(served.search("ключица", "")["total"], 30);
    assert_eq!(served.search("лопатка", "")["total"], 30);
    assert!(served.json("/api/v1/articles/7")["html"].to_string().contains("лопатка"));
    base.write("articles/7.md", "# Статья 7\n\nключица\n\n## Раздел\n\nлопатка\n");
}

fn index_files(base: &Base) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(base.path("index"))
        .into_iter()
        .flatten()
        .filter(|e| {
            e.file_type().is_file()
                && e.file_name() != "lock"
                && !e.file_name().to_string_lossy().starts_with(".tantivy")
        })
        .map(walkdir::DirEntry::into_path)
        .collect();
    files.sort();
    files
}

#[test]
fn a_deleted_index_is_made_anew() {
    let base = base();
    check(&base);
    std::fs::remove_dir_all(base.path("index")).unwrap();
    check(&base);
}

#[test]
fn every_truncated_or_missing_file_is_noticed() {
    let base = base();
    check(&base);
    let count = index_files(&base).len();
    assert!(count >= 8, "{:?}", index_files(&base));
    for number in 0..count {
        for keep in [0.0, 0.5, 0.99] {
            // Each start may write other files; the place in the order stays about the same.
            let files = index_files(&base);
            let file = &files[number % files.len()];
            let length = std::fs::metadata(file).unwrap().len();
            let cut = (length as f64 * keep) as u64;
            std::fs::File::options()
                .write(true)
                .open(file)
                .unwrap()
                .set_len(cut.min(length.saturating_sub(1)))
                .unwrap();
            check(&base);
        }
        let files = index_files(&base);
        std::fs::remove_file(&files[number % files.len()]).unwrap();
        check(&base);
    }
}

#[test]
fn every_flipped_byte_is_noticed() {
    let base = base();
    check(&base);
    for number in 0..index_files(&base).len() {
        let files = index_files(&base);
        let file = &files[number % files.len()];
        let mut bytes = std::fs::read(file).unwrap();
        if bytes.is_empty() {
            continue;
        }
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        std::fs::write(file, bytes).unwrap();
        let served = base.start();
        served.wait_until("the right answer is back", |s| {
            s.search("ключица", "")["total"] == 30 && s.search("лопатка", "")["total"] == 30
        });
    }
}

#[test]
fn a_foreign_or_later_index_is_made_anew() {
    let base = base();
    check(&base);
    let newest = || {
        let mut folders: Vec<PathBuf> = std::fs::read_dir(base.path("index"))
            .unwrap()
            .flatten()
            .map(|e| e.path())
            .filter(|p| p.is_dir())
            .collect();
        folders.sort();
        folders.pop().unwrap()
    };
    // A later format: the commit names it.
    let meta = newest().join("meta.json");
    let text = std::fs::read_to_string(&meta).unwrap();
    assert!(text.contains("pharos-index-5"));
    std::fs::write(&meta, text.replace("pharos-index-5", "pharos-index-999")).unwrap();
    check(&base);
    // A later schema: a field we do not know.
    let meta = newest().join("meta.json");
    let text = std::fs::read_to_string(&meta).unwrap();
    let with_field = text.replacen("\"schema\": [", "\"schema\": [{\"name\": \"later\", \"type\": \"u64\", \"options\": {\"indexed\": false, \"fieldnorms\": false, \"fast\": true, \"stored\": false}},", 1);
    assert_ne!(text, with_field);
    std::fs::write(&meta, with_field).unwrap();
    check(&base);
    // Somebody else's folder.
    std::fs::remove_dir_all(base.path("index")).unwrap();
    base.write("index/gen-7/notes.txt", "mine");
    check(&base);
    // A file where the folder should be.
    std::fs::remove_dir_all(base.path("index")).unwrap();
    base.write("index/gen-9", "a file");
    check(&base);
}

#[test]
fn an_index_of_other_articles_is_brought_to_these() {
    let other = Base::with(&[
        ("articles/7.md", "# Чужая\n\nчужеземец\n"),
        ("articles/z.md", "# Чужая\n\nчужеземец\n"),
    ]);
    drop(other.start());
    let base = base();
    std::fs::rename(other.path("index"), base.path("index")).unwrap();
    let served = base.start();
    assert_eq!(served.search("чужеземец", "")["total"], 0);
    assert_eq!(served.search("ключица", "")["total"], 30);
}

#[test]
fn a_second_program_does_not_write_the_same_index() {
    let base = base();
    let served = base.start();
    let second = base.start();
    let failure = second.app.failure().unwrap();
    assert!(failure.contains("another pharos"), "{failure}");
    assert_eq!(served.search("ключица", "")["total"], 30);
    let output = base.command("search").arg("ключица").output().unwrap();
    assert!(
        output.status.success(),
        "the command line reads what the server keeps: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
