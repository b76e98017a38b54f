//! `kill -9` at any moment, then a start: what is on disk is served.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::harness::{Base, Process, encode, ids};

/// Starts and kills; the issue asks for a hundred.
const KILLS: u64 = 110;

#[test]
fn a_hundred_kills_lose_nothing() {
    let base = Base::new();
    fastrand::seed(7);
    let mut disk: BTreeMap<String, String> = BTreeMap::new();
    let save = |disk: &mut BTreeMap<String, String>, number: u64| {
        let id = format!("n{}", fastrand::u64(..60));
        if fastrand::u64(..5) == 0 {
            let _ = std::fs::remove_file(base.path(&format!("articles/{id}.md")));
            disk.remove(&id);
        } else {
            let word = format!("слово{}", letters(number));
            base.write(&format!("articles/{id}.md"), format!("# Статья {id}\n\n{word} вместе\n"));
            disk.insert(id, word);
        }
    };
    for number in 0..80 {
        save(&mut disk, number);
    }
    for kill in 0..KILLS {
        if kill % 10 == 9 {
            // Every tenth time the index is built from nothing, and killed on the way.
            let _ = std::fs::remove_dir_all(base.path("index"));
        }
        let process = Process::serve(&base);
        let is_early = kill % 2 == 0;
        if !is_early {
            process.wait_ready();
        }
        for change in 0..fastrand::u64(1..12) {
            save(&mut disk, 1_000 + kill * 100 + change);
            if fastrand::bool() {
                std::thread::sleep(Duration::from_millis(fastrand::u64(..25)));
            }
        }
        std::thread::sleep(Duration::from_millis(fastrand::u64(..60)));
        process.kill();
        if kill % 5 == 4 {
            check(&base, &disk, kill);
        }
    }
    check(&base, &disk, KILLS);
}

/// A word of letters only, so that no two begin alike and digits do not part it.
fn letters(number: u64) -> String {
    number
        .to_string()
        .bytes()
        .map(|digit| ["ба", "во", "гу", "ды", "же", "зи", "кё", "ля", "мю", "нэ"][usize::from(digit - b'0')])
        .collect::<String>()
        + "ъ"
}

#[track_caller]
fn check(base: &Base, disk: &BTreeMap<String, String>, kill: u64) {
    let process = Process::serve(base);
    process.wait_ready();
    let listed = ids(&process.json("/api/v1/articles?limit=1000")["articles"], "id");
    assert_eq!(listed, disk.keys().cloned().collect::<Vec<_>>(), "after kill {kill}");
    assert_eq!(
        process.json(&format!("/api/v1/search?q={}", encode("вместе")))["total"],
        disk.len(),
        "after kill {kill}"
    );
    for (id, word) in disk {
        let found = process.json(&format!("/api/v1/search?q={}%20", encode(word)));
        assert_eq!(ids(&found["hits"], "article"), [id.as_str()], "{word} after kill {kill}");
        let html = process.json(&format!("/api/v1/articles/{id}"))["html"].to_string();
        assert!(html.contains(word.as_str()), "{id} after kill {kill}");
    }
}

#[cfg(unix)]
#[test]
fn a_stop_by_signal_is_quiet() {
    let base = Base::with(&[("articles/a.md", "# А\n\nключица\n")]);
    let mut process = Process::serve(&base);
    process.wait_ready();
    let pid = process.child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(process.child.wait().unwrap().success());
}
