//! What search costs at the least: plain tantivy (title and body, the titles of the ten best) behind one axum route, and a bare
//! handler beside it, over the same articles. docs/performance.md compares Pharos with both.
//!
//! `cargo run --release --example plain -- --articles DIR --listen 127.0.0.1:8081`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::routing::get;
use clap::Parser;
use tantivy::collector::TopDocs;
use tantivy::query::QueryParser;
use tantivy::schema::{STORED, Schema, TEXT, Value};
use tantivy::{Index, IndexReader, TantivyDocument, doc};

#[derive(Parser)]
struct Args {
    #[arg(long)]
    articles: PathBuf,
    #[arg(long, default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
}

struct Plain {
    reader: IndexReader,
    parser: QueryParser,
    title: tantivy::schema::Field,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let plain = Arc::new(index(&args.articles)?);
    let router =
        Router::new().route("/bare", get(|| async { "ok" })).route("/search", get(search)).with_state(plain);
    axum::serve(tokio::net::TcpListener::bind(args.listen).await?, router).await?;
    Ok(())
}

fn index(articles: &PathBuf) -> anyhow::Result<Plain> {
    let mut schema = Schema::builder();
    let title = schema.add_text_field("title", TEXT | STORED);
    let body = schema.add_text_field("body", TEXT);
    let index = Index::create_in_ram(schema.build());
    let mut writer = index.writer(100 << 20)?;
    for entry in walkdir::WalkDir::new(articles) {
        let entry = entry?;
        if entry.path().extension().is_some_and(|e| e == "md") {
            let text = String::from_utf8_lossy(&std::fs::read(entry.path())?).into_owned();
            let heading = text.lines().find(|l| l.starts_with("# ")).unwrap_or_default().to_owned();
            writer.add_document(doc!(title => heading, body => text))?;
        }
    }
    writer.commit()?;
    writer.wait_merging_threads()?;
    let parser = QueryParser::for_index(&index, vec![title, body]);
    Ok(Plain { reader: index.reader()?, parser, title })
}

async fn search(State(plain): State<Arc<Plain>>, RawQuery(query): RawQuery) -> Result<String, String> {
    let query = query.unwrap_or_default();
    let text = query.split('&').find_map(|p| p.strip_prefix("q=")).unwrap_or_default();
    let text = percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let found = tokio::task::spawn_blocking(move || -> tantivy::Result<String> {
        let (query, _) = plain.parser.parse_query_lenient(&text);
        let searcher = plain.reader.searcher();
        let mut titles = Vec::new();
        for (_, address) in searcher.search(&query, &TopDocs::with_limit(10).order_by_score())? {
            let document: TantivyDocument = searcher.doc(address)?;
            titles.extend(document.get_first(plain.title).and_then(|v| v.as_str().map(str::to_owned)));
        }
        Ok(serde_json::json!({ "titles": titles }).to_string())
    });
    found.await.map_err(|e| e.to_string())?.map_err(|e| e.to_string())
}
