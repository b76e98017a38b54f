//! How soon a saved file is found: writes articles with a word of their own into the articles folder of a running server and asks
//! until the search finds them, while another client searches all the time.
//!
//! `cargo run --release --example live -- --articles DIR --url http://127.0.0.1:8080 --files 50`

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;

/// Measures the time from a saved file to a search that finds it.
#[derive(Parser)]
struct Args {
    /// The articles folder of the server
    #[arg(long)]
    articles: PathBuf,
    /// The server
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Files to save, one after another
    #[arg(long, default_value_t = 50)]
    files: usize,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let host = args.url.strip_prefix("http://").context("the address must begin with http://")?.to_owned();
    let stop = Arc::new(AtomicBool::new(false));
    let (asked, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let searching = {
        let (host, stop, asked, failed) =
            (host.clone(), Arc::clone(&stop), Arc::clone(&asked), Arc::clone(&failed));
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let found = total(&host, "%D0%BF%D0%B0%D0%BA%D0%B5%D1%82");
                asked.fetch_add(1, Ordering::Relaxed);
                failed.fetch_add(u64::from(found.is_err()), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(5));
            }
        })
    };
    let folder = args.articles.join("live-measurement");
    std::fs::create_dir_all(&folder)?;
    std::thread::sleep(Duration::from_secs(2));
    let measured = measure(&folder, &host, args.files);
    std::fs::remove_dir_all(&folder)?;
    stop.store(true, Ordering::Relaxed);
    let _ = searching.join();
    let mut took = measured?;
    took.sort_unstable();
    let at = |p: usize| took[(took.len() - 1) * p / 100];
    let report = serde_json::json!({
        "files": took.len(),
        "ms": { "p50": at(50), "p95": at(95), "max": at(100) },
        "searches_meanwhile": asked.load(Ordering::Relaxed),
        "failures": failed.load(Ordering::Relaxed),
    });
    writeln!(std::io::stdout(), "{report}")?;
    Ok(())
}

fn measure(folder: &std::path::Path, host: &str, files: usize) -> anyhow::Result<Vec<u128>> {
    let mut took = Vec::new();
    for number in 0..files {
        let word = format!("zq{:08x}", fastrand::u32(..)).replace(|c: char| c.is_ascii_digit(), "w");
        // Half are new files, half are saved over the one before.
        let path = folder.join(format!("{}.md", number / 2));
        let saved = Instant::now();
        std::fs::write(&path, format!("# Measured {word}\n\nThe word {word} stands here only.\n"))?;
        while total(host, &word)? == 0 {
            ensure!(saved.elapsed() < Duration::from_secs(10), "{} is not found", path.display());
            std::thread::sleep(Duration::from_millis(2));
        }
        took.push(saved.elapsed().as_millis());
        std::thread::sleep(Duration::from_millis(fastrand::u64(50..400)));
    }
    Ok(took)
}

fn total(host: &str, query: &str) -> anyhow::Result<u64> {
    let mut stream = TcpStream::connect(host)?;
    write!(
        stream,
        "GET /api/v1/search?limit=1&q={query} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
    )?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    let (head, body) = reply.split_once("\r\n\r\n").context("no reply")?;
    ensure!(head.starts_with("HTTP/1.1 200"), "{head}");
    let reply: serde_json::Value = serde_json::from_str(body)?;
    reply["total"].as_u64().context("no total")
}
