//! The large real corpora: indexed, served, changed by thousands. They are in the folder that PHAROS_DATA names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::{Base, PATIENCE, Process, ids};

fn corpora() -> Option<PathBuf> {
    let folder = std::env::var_os("PHAROS_DATA").map(|data| PathBuf::from(data).join("corpora"));
    if folder.is_none() {
        eprintln!("skipped: PHAROS_DATA names no folder with the real corpora");
    }
    folder
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap().success());
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command
        .current_dir(folder)
        .args(["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "gc.auto=0"])
        .args(arguments);
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn listed(process: &Process) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    loop {
        let page = process.json(&format!("/api/v1/articles?limit=1000&offset={}", found.len()));
        let page = ids(&page["articles"], "id");
        let known = found.len();
        found.extend(page);
        // Nothing new: the end, or the list changed under our hands and is asked for again by the caller.
        if found.len() == known {
            return found;
        }
    }
}

fn on_disk(folder: &Path) -> BTreeSet<String> {
    let files = walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_entry(|e| !e.file_name().to_string_lossy().starts_with('.'));
    files
        .flatten()
        .filter(|e| e.path().extension().is_some_and(|x| x == "md"))
        .map(|e| e.path().strip_prefix(folder).unwrap().with_extension("").to_string_lossy().into_owned())
        .collect()
}

#[test]
fn ten_thousand_articles_are_served_and_follow_a_checkout_of_thousands() {
    let Some(corpora) = corpora() else { return };
    let base = Base::new();
    std::fs::remove_dir_all(base.path("articles")).unwrap();
    copy(&corpora, &base.path("articles"));
    let articles = base.path("articles");

    // Nothing is skipped silently: what is not served is listed, and says why.
    let check = base.command("check").args(["--format", "json"]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&check.stdout).unwrap();
    let refused: BTreeSet<String> = report["problems"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|p| {
            ["yaml", "front-matter", "encoding", "date", "wrong-type", "unknown-choice", "too-large"]
                .contains(&p["code"].as_str().unwrap())
        })
        .map(|p| {
            p["file"].as_str().unwrap().trim_start_matches("articles/").trim_end_matches(".md").to_owned()
        })
        .collect();
    let process = Process::serve(&base);
    process.wait_ready();
    let served = listed(&process);
    assert!(served.len() > 10_000, "{}", served.len());
    // What says for whom it is, is not for everybody.
    let is_restricted = |id: &&String| {
        let text = std::fs::read_to_string(articles.join(format!("{id}.md"))).unwrap_or_default();
        text.lines().take(30).any(|line| line.starts_with("audience:"))
    };
    let missing = on_disk(&articles);
    let missing: BTreeSet<String> =
        missing.difference(&served).filter(|id| !is_restricted(id)).cloned().collect();
    assert!(
        missing.is_subset(&refused),
        "not served and not told: {:?}",
        missing.difference(&refused).collect::<Vec<_>>()
    );

    // Two states of the folder, two thousand files apart.
    git(&articles, &["init", "-q"]);
    git(&articles, &["add", "-A"]);
    git(&articles, &["commit", "-qm", "one"]);
    git(&articles, &["branch", "one"]);
    git(&articles, &["checkout", "-qb", "two"]);
    let files: Vec<String> = served.iter().step_by(5).take(2_200).cloned().collect();
    for (number, id) in files.iter().enumerate() {
        let path = articles.join(format!("{id}.md"));
        match number % 10 {
            0 => std::fs::remove_file(&path).unwrap(),
            1 => std::fs::rename(&path, path.with_extension("moved.md")).unwrap(),
            _ => std::fs::write(&path, format!("# Второе состояние {number}\n\nчащобник\n")).unwrap(),
        }
    }
    git(&articles, &["add", "-A"]);
    git(&articles, &["commit", "-qm", "two"]);
    for state in ["one", "two", "one", "two"] {
        git(&articles, &["checkout", "-q", state]);
        let expected: BTreeSet<String> =
            on_disk(&articles).difference(&refused).filter(|id| !is_restricted(id)).cloned().collect();
        let changed = if state == "two" { 1_760 } else { 0 };
        let end = Instant::now() + PATIENCE;
        loop {
            let total = process
                .json("/api/v1/search?q=%D1%87%D0%B0%D1%89%D0%BE%D0%B1%D0%BD%D0%B8%D0%BA%20&limit=1")["total"]
                .clone();
            if total == changed && listed(&process) == expected {
                break;
            }
            assert!(Instant::now() < end, "{state}: {total} of {changed}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
