//! Load on a server over HTTP: latency percentiles, throughput, and the server's CPU per request.
//!
//! `cargo run --release --example load -- --url http://127.0.0.1:8080/api/v1/search?q= --queries queries.txt --clients 8 --seconds 5 --pid PID`

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;

/// Sends the lines of a file as queries, again and again, from several clients.
#[derive(Parser)]
struct Args {
    /// Address that a query is put behind
    #[arg(long, default_value = "http://127.0.0.1:8080/api/v1/search?q=")]
    url: String,
    /// File with a query a line; lines of JSON with a `text` as well
    #[arg(long)]
    queries: std::path::PathBuf,
    /// Clients that ask at one time
    #[arg(long, default_value_t = 8)]
    clients: usize,
    /// How long to ask
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// The server's process, for its CPU time (Linux)
    #[arg(long)]
    pid: Option<u32>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let (host, path) = split_url(&args.url)?;
    let text = std::fs::read_to_string(&args.queries)
        .with_context(|| format!("cannot read {}", args.queries.display()))?;
    let paths: Vec<String> = text
        .lines()
        .filter(|l| !l.trim().is_empty())
        .map(|l| format!("{path}{}", encode(&query_of(l))))
        .collect();
    ensure!(!paths.is_empty(), "no queries in {}", args.queries.display());
    let (paths, next) = (Arc::new(paths), Arc::new(AtomicUsize::new(0)));
    let cpu_before = args.pid.and_then(cpu_seconds);
    let started = Instant::now();
    let end = started + Duration::from_secs(args.seconds);
    let threads: Vec<_> = (0..args.clients)
        .map(|_| {
            let (paths, next, host) = (Arc::clone(&paths), Arc::clone(&next), host.clone());
            std::thread::spawn(move || ask_until(end, &host, &paths, &next))
        })
        .collect();
    let mut latencies = Vec::new();
    let mut failures = 0;
    for thread in threads {
        let (took, failed) = thread.join().map_err(|_| anyhow::anyhow!("a client panicked"))??;
        latencies.extend(took);
        failures += failed;
    }
    let seconds = started.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let at = |p: f64| latencies[((latencies.len() - 1) as f64 * p) as usize] as f64 / 1000.0;
    let cpu = args.pid.and_then(cpu_seconds).zip(cpu_before).map(|(after, before)| (after - before) * 1000.0);
    let report = serde_json::json!({
        "clients": args.clients,
        "requests": latencies.len(),
        "failures": failures,
        "per_second": (latencies.len() as f64 / seconds).round(),
        "ms": { "p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": at(1.0) },
        "server_cpu_ms_per_request": cpu.map(|ms| (ms / latencies.len() as f64 * 1000.0).round() / 1000.0),
    });
    writeln!(std::io::stdout(), "{report}")?;
    Ok(())
}

fn split_url(url: &str) -> anyhow::Result<(String, String)> {
    let rest = url.strip_prefix("http://").context("the address must begin with http://")?;
    let (host, path) = rest.split_once('/').context("the address has no path")?;
    Ok((host.to_owned(), format!("/{path}")))
}

fn query_of(line: &str) -> String {
    let json = serde_json::from_str::<serde_json::Value>(line).ok();
    json.and_then(|v| Some(v.get("text")?.as_str()?.to_owned())).unwrap_or_else(|| line.to_owned())
}

fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn ask_until(
    end: Instant,
    host: &str,
    paths: &[String],
    next: &AtomicUsize,
) -> anyhow::Result<(Vec<u64>, usize)> {
    let mut stream = TcpStream::connect(host).with_context(|| format!("cannot reach {host}"))?;
    stream.set_nodelay(true)?;
    let (mut latencies, mut failures) = (Vec::new(), 0);
    let mut buffer = Vec::new();
    while Instant::now() < end {
        let path = &paths[next.fetch_add(1, Ordering::Relaxed) % paths.len()];
        let asked = Instant::now();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n")?;
        if !read_reply(&mut stream, &mut buffer)? {
            failures += 1;
        }
        latencies.push(u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    Ok((latencies, failures))
}

/// Reads one reply with a content-length; whether its status is 200.
fn read_reply(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<bool> {
    buffer.clear();
    let mut piece = [0_u8; 65536];
    loop {
        let read = stream.read(&mut piece)?;
        ensure!(read > 0, "the server closed the connection");
        buffer.extend_from_slice(&piece[..read]);
        let Some(head) = buffer.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&buffer[..head]).to_lowercase();
        let length =
            text.lines().find_map(|l| l.strip_prefix("content-length:")).context("no content-length")?;
        if buffer.len() >= head + 4 + length.trim().parse::<usize>()? {
            return Ok(text.starts_with("http/1.1 200"));
        }
    }
}

/// User and system time of a process so far, from /proc (in ticks of 10 ms).
fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / 100.0)
}
