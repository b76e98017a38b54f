//! What could be better: the findings of the whole base, by sort and owner.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::api::quality::{Wanted, overview};
use crate::http::asker::Asker;
use crate::http::extract::{Query, Reader, given};
use crate::http::problem::{Code, Problem};
use crate::http::state::AppState;
use crate::quality::{Finding, FindingCode};
use crate::web::words::Ui;
use crate::web::{filters, private};

/// Findings of one sort beside others, and alone.
const SHOWN_OF_MANY: usize = 10;
const SHOWN: usize = 100;

/// Which findings.
#[derive(Debug, Default, Deserialize)]
pub struct QualityPageParams {
    code: Option<String>,
    owner: Option<String>,
    folder: Option<String>,
    offset: Option<String>,
}

/// The findings of one sort.
struct Group {
    code: FindingCode,
    total: usize,
    findings: Vec<Finding>,
}

#[derive(Template)]
#[template(path = "quality.html")]
struct QualityPage {
    ui: Ui,
    code: Option<FindingCode>,
    owner: String,
    owners: BTreeSet<String>,
    folder: String,
    offset: usize,
    groups: Vec<Group>,
}

impl QualityPage {
    fn codes(&self) -> impl Iterator<Item = FindingCode> {
        FindingCode::NAMES.iter().map(|(_, code)| *code)
    }

    fn is_chosen(&self, code: &FindingCode) -> bool {
        self.code.as_ref() == Some(code)
    }

    fn word(&self, code: &FindingCode) -> &'static str {
        self.ui.t(&format!("finding-{}", code.name()))
    }

    /// How many findings of a group have been passed over with this page.
    fn end(&self, group: &Group) -> usize {
        self.offset + group.findings.len()
    }

    /// The editor at a place.
    fn place(&self, file: &str, line: &u32) -> String {
        let path = crate::content::markdown::encode_path(file);
        if *line == 0 { format!("/edit/{path}") } else { format!("/edit/{path}#L{line}") }
    }
}

/// The findings.
pub async fn page(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Query(params): Query<QualityPageParams>,
) -> Result<Response, Problem> {
    let mut reader = Reader::default();
    let codes = reader.choices("code", params.code.as_deref(), FindingCode::NAMES);
    let offset = reader.number("offset", params.offset.as_deref(), 0, usize::MAX);
    reader.finish(Code::InvalidParameter)?;
    let ui = Ui::of(&headers).with(&asker);
    let text = |value: Option<String>| given(value.as_deref()).unwrap_or_default().to_owned();
    let (owner, folder) = (text(params.owner), text(params.folder));
    let page = state.run(move |snapshot| {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let code = codes.first().copied();
        let wanted = Wanted { codes, owner: some(&owner), folder: some(&folder) };
        let (found, _) = overview(snapshot, &wanted);
        let most = if code.is_some() { SHOWN } else { SHOWN_OF_MANY };
        let groups = found.chunk_by(|a, b| a.code == b.code).map(|group| Group {
            code: group[0].code,
            total: group.len(),
            findings: group.iter().skip(offset).take(most).map(|finding| Finding::clone(finding)).collect(),
        });
        let groups = groups.collect();
        let owners =
            snapshot.analysis().findings().iter().filter_map(|finding| finding.owner.clone()).collect();
        Ok(QualityPage { ui, code, owner, owners, folder, offset, groups })
    });
    Ok(private(page.await?.render()))
}
