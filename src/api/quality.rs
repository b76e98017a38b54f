//! The quality of content: what could be better.

use std::collections::BTreeMap;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::reply::Json;
use crate::app::snapshot::Snapshot;
use crate::http::extract::{Query, Reader, given};
use crate::http::problem::{Code, Problem, ProblemDetails};
use crate::http::state::AppState;
use crate::quality::{Finding, FindingCode};

/// What could be better.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingList {
    /// By code, what matters most first, and by file.
    pub findings: Vec<Finding>,
    /// How many there are of those asked for.
    pub total: usize,
    /// How many there are of each code, whichever codes are asked for.
    pub counts: BTreeMap<String, usize>,
}

/// Which findings.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct QualityParams {
    /// Codes as `conflict-value`; more than one parted by commas.
    code: Option<String>,
    /// Those of files this one answers for.
    owner: Option<String>,
    /// Those of files below a folder: `articles/sms`.
    #[param(max_length = 500)]
    folder: Option<String>,
    /// Findings to return, 100 by default.
    #[param(value_type = Option<u32>, maximum = 1000)]
    limit: Option<String>,
    /// Findings to pass over.
    #[param(value_type = Option<u32>)]
    offset: Option<String>,
}

/// Which of the findings are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Of these codes; empty: of all.
    pub codes: Vec<FindingCode>,
    /// Of files this one answers for.
    pub owner: Option<String>,
    /// Of files below this folder.
    pub folder: Option<String>,
}

/// The findings that are wanted, and how many there are of each code whichever codes are wanted.
pub fn overview<'s>(
    snapshot: &'s Snapshot,
    wanted: &Wanted,
) -> (Vec<&'s Finding>, BTreeMap<FindingCode, usize>) {
    let folder = wanted.folder.as_deref().map(|folder| folder.trim_end_matches('/'));
    let is_below = |file: &str| {
        folder.is_none_or(|folder| {
            file == folder || file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
        })
    };
    let mut counts = BTreeMap::new();
    let mut found = Vec::new();
    for finding in snapshot.analysis().findings() {
        let is_owners = wanted.owner.is_none() || finding.owner == wanted.owner;
        if is_owners && is_below(&finding.file) {
            *counts.entry(finding.code).or_default() += 1;
            if wanted.codes.is_empty() || wanted.codes.contains(&finding.code) {
                found.push(finding);
            }
        }
    }
    (found, counts)
}

/// Lists what could be better: contradictions, copies, translations, hard texts, values written out, articles nothing leads to.
#[utoipa::path(get, operation_id = "list_quality", path = "/api/v1/quality", tag = "editing", params(QualityParams), responses(
    (status = 200, description = "Findings", body = FindingList),
    (status = 400, description = "A parameter is wrong", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn list(
    State(state): State<AppState>,
    Query(params): Query<QualityParams>,
) -> Result<Json<FindingList>, Problem> {
    let mut reader = Reader::default();
    let codes = reader.choices("code", params.code.as_deref(), FindingCode::NAMES);
    let limit = reader.number("limit", params.limit.as_deref(), 100, 1_000);
    let offset = reader.number("offset", params.offset.as_deref(), 0, usize::MAX);
    reader.finish(Code::InvalidParameter)?;
    let owned = |value: Option<String>| given(value.as_deref()).map(str::to_owned);
    let wanted = Wanted { codes, owner: owned(params.owner), folder: owned(params.folder) };
    let list = state.run(move |snapshot| {
        let (found, counts) = overview(snapshot, &wanted);
        let total = found.len();
        let findings = found.into_iter().skip(offset).take(limit).cloned().collect();
        let counts = counts.into_iter().map(|(code, count)| (code.name().to_owned(), count)).collect();
        Ok(FindingList { findings, total, counts })
    });
    Ok(Json(list.await?))
}
