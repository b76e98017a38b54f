//! Search and suggestions.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::parameters::FilterParams;
use crate::api::reply::Json;
use crate::http::asker::Asker;
use crate::http::extract::{Query, Reader};
use crate::http::problem::{Code, Problem, ProblemDetails};
use crate::http::state::AppState;
use crate::search::engine::{Reply, Request};
use crate::search::suggest::Suggestion;

/// The longest query, in characters: more is no question.
pub const MAX_QUERY_CHARS: usize = 1_000;

/// The most articles in one reply.
const MAX_LIMIT: usize = 100;

/// The most articles passed over.
const MAX_OFFSET: usize = 10_000;

/// What to search for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchParams {
    /// What was typed; nothing lists everything the filters admit.
    #[param(max_length = 1000)]
    q: Option<String>,
    /// Articles to return, 10 by default.
    #[param(value_type = Option<u32>, maximum = 100)]
    limit: Option<String>,
    /// Articles to pass over.
    #[param(value_type = Option<u32>, maximum = 10000)]
    offset: Option<String>,
    /// `true`: the query is taken exactly as it was typed, without synonyms and corrections.
    #[param(value_type = Option<bool>)]
    verbatim: Option<String>,
    /// `true`: the reply tells how the query was read and what each signal adds to the scores.
    #[param(value_type = Option<bool>)]
    explain: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    filter: FilterParams,
}

impl SearchParams {
    /// The request asked for.
    ///
    /// # Errors
    /// Everything that is wrong with the parameters.
    pub fn read(self, asker: &Asker, today: jiff::civil::Date) -> Result<Request, Problem> {
        let mut reader = Reader::default();
        let text = self.q.unwrap_or_default();
        check_length(&text)?;
        let request = Request {
            limit: reader.number("limit", self.limit.as_deref(), 10, MAX_LIMIT),
            offset: reader.number("offset", self.offset.as_deref(), 0, MAX_OFFSET),
            verbatim: reader.flag("verbatim", self.verbatim.as_deref()),
            explain: reader.flag("explain", self.explain.as_deref()),
            ..Request::new(&text, self.filter.read(asker, today, &mut reader))
        };
        reader.finish(Code::InvalidParameter)?;
        Ok(request)
    }
}

/// Refuses a query that is too long.
///
/// # Errors
/// It is.
pub fn check_length(text: &str) -> Result<(), Problem> {
    let length = text.chars().count();
    if length <= MAX_QUERY_CHARS {
        return Ok(());
    }
    Err(Problem::new(Code::QueryTooLong, format!("{length} characters; the limit is {MAX_QUERY_CHARS}")))
}

/// Finds articles and, where there is one, the direct answer.
#[utoipa::path(get, operation_id = "search", path = "/api/v1/search", tag = "search", params(SearchParams, FilterParams), responses(
    (status = 200, description = "What was found", body = Reply),
    (status = 400, description = "A parameter is wrong", body = ProblemDetails, content_type = "application/problem+json"),
    (status = 503, description = "The content is being loaded", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn search(
    State(state): State<AppState>,
    asker: Asker,
    Query(params): Query<SearchParams>,
) -> Result<Json<Reply>, Problem> {
    let request = params.read(&asker, state.app.clock.today())?;
    let reply = state.search(request).await?;
    metrics::histogram!("pharos_search_seconds")
        .record(std::time::Duration::from_micros(reply.took_us).as_secs_f64());
    Ok(Json(reply))
}

/// What to complete.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SuggestParams {
    /// What was typed.
    q: Option<String>,
    /// Suggestions to return, 8 by default.
    #[param(value_type = Option<u32>, maximum = 50)]
    limit: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    filter: FilterParams,
}

/// What a query may become.
#[derive(Debug, Serialize, ToSchema)]
pub struct Suggestions {
    /// The best first.
    pub suggestions: Vec<Suggestion>,
}

/// Completes what is being typed: codes, products, articles.
#[utoipa::path(get, operation_id = "suggest", path = "/api/v1/suggest", tag = "search", params(SuggestParams, FilterParams), responses(
    (status = 200, description = "Suggestions", body = Suggestions),
    (status = 400, description = "A parameter is wrong", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn suggest(
    State(state): State<AppState>,
    asker: Asker,
    Query(params): Query<SuggestParams>,
) -> Result<Json<Suggestions>, Problem> {
    let mut reader = Reader::default();
    let text = params.q.unwrap_or_default();
    check_length(&text)?;
    let limit = reader.number("limit", params.limit.as_deref(), 8, 50);
    let filter = params.filter.read(&asker, state.app.clock.today(), &mut reader);
    reader.finish(Code::InvalidParameter)?;
    let suggestions = state.run(move |snapshot| Ok(snapshot.engine.suggest(&text, limit, &filter)?)).await?;
    Ok(Json(Suggestions { suggestions }))
}
