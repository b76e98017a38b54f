//! All rows of a store: written as JSON lines, read back, or carried to another store, always as of one moment.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Row, Transaction};
use thiserror::Error;

use crate::database::tables::{Kind, PASSING, TABLES, Table};
use crate::database::{Database, StoreError};

/// Rows by table.
pub type Counts = BTreeMap<String, u64>;

/// Why a store could not be carried.
#[derive(Debug, Error)]
pub enum DumpError {
    /// One of the stores failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A line is no row of a table.
    #[error("line {line} of the store's rows: {why}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// There is something already, which would be lost or mixed up.
    #[error("the store is not empty: `{0}` has rows; name a new one")]
    NotEmpty(&'static str),
}

impl From<sqlx::Error> for DumpError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

#[derive(Deserialize, Serialize)]
struct Line {
    table: String,
    row: Map<String, Value>,
}

fn row_of(table: &Table, row: &AnyRow) -> Result<Map<String, Value>, sqlx::Error> {
    let values = table.columns.iter().enumerate().map(|(at, (name, kind))| {
        let value = match kind {
            Kind::Text => row.try_get::<Option<String>, _>(at)?.map(Value::from),
            Kind::Integer => row.try_get::<Option<i64>, _>(at)?.map(Value::from),
        };
        Ok(((*name).to_owned(), value.unwrap_or(Value::Null)))
    });
    values.collect()
}

/// What people write and are told, by table, and the column that says whose it is.
const WRITTEN: &[(&str, &str)] = &[
    ("drafts", "person_id"),
    ("publications", "author"),
    ("revisions", "author"),
    ("verdicts", "person_id"),
    ("remarks", "person_id"),
    ("must_reads", "author"),
    ("acknowledgements", "person_id"),
    ("threads", "person_id"),
    ("posts", "person_id"),
    ("notices", "person_id"),
    ("notice_choices", "person_id"),
];

/// What a person wrote and was told, by table, as it stands in the store.
///
/// # Errors
/// The store fails.
pub async fn written_by(
    database: &Database,
    person: &str,
) -> Result<BTreeMap<&'static str, Vec<Map<String, Value>>>, StoreError> {
    let mut reading = database.begin_reading().await?;
    let mut all = BTreeMap::new();
    for (name, column) in WRITTEN {
        let Some(table) = TABLES.iter().find(|table| table.name == *name) else { continue };
        let columns: Vec<&str> = table.columns.iter().map(|(column, _)| *column).collect();
        let key = columns.first().copied().unwrap_or("id");
        let statement =
            format!("SELECT {} FROM {name} WHERE {column} = $1 ORDER BY {key}", columns.join(", "));
        let rows = sqlx::query(AssertSqlSafe(statement)).bind(person).fetch_all(&mut *reading).await?;
        let rows: Result<Vec<_>, sqlx::Error> = rows.iter().map(|row| row_of(table, row)).collect();
        all.insert(*name, rows?);
    }
    Ok(all)
}

async fn insert(
    transaction: &mut Transaction<'static, Any>,
    table: &Table,
    mut row: Map<String, Value>,
) -> Result<(), DumpError> {
    let wrong = |why: String| DumpError::Line { line: 0, why };
    let mut query = sqlx::query(AssertSqlSafe(table.insert()));
    for (name, kind) in table.columns {
        let value = row.remove(*name).ok_or_else(|| wrong(format!("`{}` lacks `{name}`", table.name)))?;
        query = match (kind, value) {
            (Kind::Text, Value::Null) => query.bind(None::<String>),
            (Kind::Text, Value::String(text)) => query.bind(text),
            (Kind::Integer, Value::Null) => query.bind(None::<i64>),
            (Kind::Integer, Value::Number(number)) if number.is_i64() => query.bind(number.as_i64()),
            (_, value) => return Err(wrong(format!("`{}.{name}` cannot be {value}", table.name))),
        };
    }
    if let Some(name) = row.keys().next() {
        return Err(wrong(format!("`{}` has no `{name}`", table.name)));
    }
    query.execute(&mut **transaction).await?;
    Ok(())
}

/// Writes all rows, a JSON object a line, but for what passes by itself.
///
/// # Errors
/// The store fails, or the file.
pub async fn write(database: &Database, out: &mut (impl Write + Send)) -> Result<Counts, DumpError> {
    let mut reading = database.begin_reading().await?;
    let mut counts = none();
    for table in TABLES.iter().filter(|table| !PASSING.contains(&table.name)) {
        let statement = table.select();
        let mut rows = sqlx::query(AssertSqlSafe(statement)).fetch(&mut *reading);
        let count = counts.entry(table.name.to_owned()).or_default();
        while let Some(row) = rows.try_next().await? {
            let line = Line { table: table.name.to_owned(), row: row_of(table, &row)? };
            serde_json::to_writer(&mut *out, &line).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
            *count += 1;
        }
    }
    reading.commit().await?;
    Ok(counts)
}

/// Reads rows into an empty store: all of them or none.
///
/// # Errors
/// The store fails or is not empty, the file cannot be read, or a line is no row.
pub async fn read(database: &Database, lines: &mut (impl BufRead + Send)) -> Result<Counts, DumpError> {
    let mut writing = database.begin().await?;
    must_be_empty(&mut writing).await?;
    let mut counts = none();
    let mut text = String::new();
    for line in 1.. {
        text.clear();
        if lines.read_line(&mut text)? == 0 {
            break;
        }
        let wrong = |why: String| DumpError::Line { line, why };
        let read: Line = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let table = TABLES.iter().find(|table| table.name == read.table);
        let table = table.ok_or_else(|| wrong(format!("there is no table `{}`", read.table)))?;
        insert(&mut writing, table, read.row).await.map_err(|error| match error {
            DumpError::Line { why, .. } => wrong(why),
            other => other,
        })?;
        *counts.entry(read.table).or_default() += 1;
    }
    writing.commit().await?;
    Ok(counts)
}

/// Carries all rows of one store into another, which must be empty: all of them or none. `told` hears of each row.
///
/// # Errors
/// One of the stores fails, or the other is not empty.
pub async fn copy(
    from: &Database,
    to: &Database,
    mut told: impl FnMut() + Send,
) -> Result<Counts, DumpError> {
    let mut reading = from.begin_reading().await?;
    let mut writing = to.begin().await?;
    must_be_empty(&mut writing).await?;
    let mut counts = none();
    for table in TABLES {
        let statement = table.select();
        let mut rows = sqlx::query(AssertSqlSafe(statement)).fetch(&mut *reading);
        while let Some(row) = rows.try_next().await? {
            insert(&mut writing, table, row_of(table, &row)?).await?;
            *counts.entry(table.name.to_owned()).or_default() += 1;
            told();
        }
    }
    writing.commit().await?;
    Ok(counts)
}

/// How many rows there are in all.
///
/// # Errors
/// The store fails.
pub async fn count(database: &Database) -> Result<usize, StoreError> {
    let mut all = 0_i64;
    for table in TABLES {
        let statement = format!("SELECT COUNT(*) FROM {}", table.name);
        all += sqlx::query_scalar::<_, i64>(AssertSqlSafe(statement)).fetch_one(database.pool()).await?;
    }
    Ok(usize::try_from(all).unwrap_or_default())
}

fn none() -> Counts {
    TABLES.iter().map(|table| (table.name.to_owned(), 0)).collect()
}

async fn must_be_empty(transaction: &mut Transaction<'static, Any>) -> Result<(), DumpError> {
    for table in TABLES {
        let statement = format!("SELECT COUNT(*) FROM {}", table.name);
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(&mut **transaction).await?;
        if rows > 0 {
            return Err(DumpError::NotEmpty(table.name));
        }
    }
    Ok(())
}
