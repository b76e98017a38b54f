//! The search engine: one library, its index and its templates at one moment.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use serde::Serialize;
use tantivy::TantivyError;
use utoipa::ToSchema;

use crate::answers::templates::Templates;
use crate::content::article::Article;
use crate::content::catalog::Lang;
use crate::content::front_matter::{Kind, Status};
use crate::content::library::{Library, Slot};
use crate::content::validity::Validity;
use crate::index::reader::Reader;
use crate::search::answer::{self, Answer, Source};
use crate::search::candidates::{ArticleCollector, Candidate, Candidates};
use crate::search::facets::{FacetCounts, FacetIndex};
use crate::search::filter::{Filter, Filtered};
use crate::search::ladder::{self, Rung};
use crate::search::query::{Plan, QueryCode};
use crate::search::rank;
use crate::search::snippet::{Matcher, snippet};
use crate::search::suggest::{self, Names, Suggestion};

/// Articles ranked beyond what is shown, so that a signal of the second step can lift them.
const RANKED_BEYOND: usize = 20;

/// Everything a search needs, swapped as one.
#[derive(Debug)]
pub struct Engine {
    /// The articles and the catalogue.
    pub library: Arc<Library>,
    /// Their index.
    pub reader: Reader,
    /// The answer templates.
    pub templates: Arc<Templates>,
    facets: Arc<FacetIndex>,
    names: OnceLock<Names>,
}

/// A search.
#[derive(Clone, Debug)]
pub struct Request {
    /// What was typed.
    pub text: String,
    /// Articles to return.
    pub limit: usize,
    /// Articles to pass over.
    pub offset: usize,
    /// What is admitted.
    pub filter: Filter,
    /// The reader's language; told from the text when absent.
    pub lang: Option<Lang>,
}

/// A correction made to a query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Correction {
    /// What was typed.
    pub from: String,
    /// What it was read as.
    pub to: String,
    /// Why: `typo`, `layout`, `transliteration`.
    pub why: String,
}

/// How a query was read.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReadQuery {
    /// As typed.
    pub text: String,
    /// As read.
    pub read_as: String,
    /// What was corrected.
    pub corrections: Vec<Correction>,
    /// The code in it, in canonical form.
    pub code: Option<String>,
}

/// Another section of a hit that matches.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SectionHit {
    /// Its anchor.
    pub section: String,
    /// Its heading.
    pub heading: String,
}

/// An article found, with its best section.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Hit {
    /// The article's id.
    pub article: String,
    /// Anchor of the best section; empty for what stands before the first heading.
    pub section: String,
    /// The article's title.
    pub title: String,
    /// The section's heading.
    pub heading: String,
    /// A piece of the section with `<mark>` around what was found.
    pub snippet_html: String,
    /// What sort of article it is.
    pub kind: Kind,
    /// Its language.
    pub lang: Lang,
    /// Whether it is in force or archived.
    pub status: Status,
    /// The rung that found it.
    pub rung: Rung,
    /// How well it matches; comparable within one reply only.
    pub score: f32,
    /// Where and when the section is in force.
    pub validity: Validity,
    /// The article that replaced it.
    pub replaced_by: Option<String>,
    /// Other sections that match.
    pub more_sections: Vec<SectionHit>,
}

/// The reply to a search.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Reply {
    /// Names this search in what follows it.
    pub search_id: String,
    /// How the query was read.
    pub query: ReadQuery,
    /// Time it took, in microseconds.
    pub took_us: u64,
    /// Articles that match.
    pub total: u64,
    /// The direct answer, if there is one.
    pub answer: Option<Answer>,
    /// The articles.
    pub hits: Vec<Hit>,
    /// Articles by facet and value.
    #[schema(value_type = std::collections::BTreeMap<String, std::collections::BTreeMap<String, u64>>)]
    pub facets: FacetCounts,
}

/// Articles found, before they are shown.
#[derive(Debug, Default)]
struct Found {
    ranked: Vec<(Rung, Candidate)>,
    total: u64,
    facet_counts: Vec<u64>,
}

impl Engine {
    /// An engine over a library, its index and its templates.
    pub fn new(library: Arc<Library>, reader: Reader, templates: Arc<Templates>) -> Self {
        let facets = Arc::new(FacetIndex::of(&library));
        Self { library, reader, templates, facets, names: OnceLock::new() }
    }

    /// Searches.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn search(&self, request: &Request) -> Result<Reply, TantivyError> {
        let started = Instant::now();
        let plan = Plan::read(&request.text, &self.library.catalog);
        let filter = Arc::new(request.filter.clone());
        let lang = answer::reader_lang(request.lang.or(filter.lang), &request.text, Lang::default());
        let found = self.find(&plan, &filter, lang, request.offset + request.limit)?;
        let source =
            Source { plan: &plan, library: &self.library, reader: &self.reader, filter: &filter, lang };
        let mut hits = Vec::with_capacity(request.limit.min(found.ranked.len()));
        let mut answer = if request.offset == 0 { answer::of_code(source) } else { None };
        let matcher = Matcher::new(&plan);
        for (at, (rung, candidate)) in
            found.ranked.iter().enumerate().skip(request.offset).take(request.limit)
        {
            let Some(section) = candidate.sections.first() else { continue };
            let blocks = self.reader.blocks(section.address)?;
            let may_answer = at == 0 && answer.is_none() && !plan.is_empty() && !is_partial(&plan);
            if may_answer && *rung <= Rung::Completed {
                answer = answer::of_best(source, candidate, &blocks)?;
            }
            hits.extend(self.hit(*rung, candidate, &filter, |text| snippet(&blocks, &matcher, text)));
        }
        if let Some(answer) = &mut answer {
            answer.templates = self.templates_of(answer.article.as_deref(), &filter);
        }
        Ok(Reply {
            search_id: format!("{:016x}", fastrand::u64(..)),
            query: ReadQuery {
                text: request.text.clone(),
                read_as: plan.read_as().to_owned(),
                corrections: Vec::new(),
                code: plan.whole_code().map(str::to_owned),
            },
            total: found.total,
            answer,
            hits,
            facets: self.facets.named(&found.facet_counts),
            took_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        })
    }

    /// Ids of the articles a search finds, the best first: what measuring needs, by the same way as [`Engine::search`].
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn find_ids(&self, request: &Request) -> Result<Vec<String>, TantivyError> {
        let reply = self.search(request)?;
        Ok(reply.hits.into_iter().map(|hit| hit.article).collect())
    }

    /// Goes down the ladder until enough is found.
    fn find(
        &self,
        plan: &Plan,
        filter: &Arc<Filter>,
        lang: Lang,
        wanted: usize,
    ) -> Result<Found, TantivyError> {
        let mut found = Found { facet_counts: self.facets.zeros(), ..Found::default() };
        let mut seen: HashSet<Slot> = HashSet::new();
        for rung in ladder::rungs(plan) {
            let query = ladder::query(rung, plan, &self.reader)?;
            let mut candidates = self.candidates(query, filter, wanted + RANKED_BEYOND)?;
            rank::rank(&mut candidates.top, plan, &self.library, filter, lang);
            // Each rung finds all that the one above did, and more.
            if candidates.total >= found.total {
                found.total = candidates.total;
                found.facet_counts = candidates.facet_counts;
            }
            for candidate in candidates.top {
                if seen.insert(candidate.slot) {
                    found.ranked.push((rung, candidate));
                }
            }
            if found.total >= ladder::THIN {
                break;
            }
        }
        // Archived articles stand below what is in force, whatever rung found them.
        found.ranked.sort_by_key(|(_, candidate)| candidate.is_archived);
        Ok(found)
    }

    fn candidates(
        &self,
        query: Box<dyn tantivy::query::Query>,
        filter: &Arc<Filter>,
        keep: usize,
    ) -> Result<Candidates, TantivyError> {
        let filtered = Filtered::new(query, &self.library, &self.facets, &self.reader, filter);
        let collector =
            ArticleCollector { keep, facets: Arc::clone(&self.facets), reader: self.reader.clone() };
        self.reader.searcher.search(&filtered, &collector)
    }

    fn hit(
        &self,
        rung: Rung,
        candidate: &Candidate,
        filter: &Filter,
        snippet: impl FnOnce(&dyn Fn(&str) -> String) -> String,
    ) -> Option<Hit> {
        let article = self.library.article(candidate.slot)?;
        let best = candidate.sections.first()?;
        let section = article.sections.get(best.section as usize)?;
        let expand = |text: &str| {
            self.library.catalog.expand(text, article.lang, filter.day, filter.region.as_deref())
        };
        let more = candidate.sections[1..].iter().filter_map(|m| article.sections.get(m.section as usize));
        Some(Hit {
            article: article.id.clone(),
            section: section.anchor.to_string(),
            title: expand(&article.title),
            heading: expand(&section.heading),
            snippet_html: snippet(&expand),
            kind: article.matter.kind,
            lang: article.lang,
            status: article.matter.status,
            rung,
            score: best.score,
            validity: section.validity.as_deref().cloned().unwrap_or_default(),
            replaced_by: self.library.replacement(article, filter.day, filter.region.as_deref()),
            more_sections: more
                .map(|s| SectionHit { section: s.anchor.to_string(), heading: expand(&s.heading) })
                .collect(),
        })
    }

    /// Ids of the templates that belong to an article.
    pub fn templates_of(&self, article: Option<&str>, filter: &Filter) -> Vec<String> {
        let Some((_, article)) = article.and_then(|id| self.library.find(id)) else { return Vec::new() };
        let products: Vec<&str> = article.products().collect();
        let region = filter.region.as_deref();
        let found = self.templates.for_article(&article.id, &products, article.lang, filter.day, region);
        found.into_iter().map(|t| t.id.clone()).collect()
    }

    /// Articles a filter admits, in the order of their ids.
    pub fn list(&self, filter: &Filter) -> Vec<&Arc<Article>> {
        let mut articles: Vec<&Arc<Article>> = self
            .library
            .articles()
            .map(|(_, article)| article)
            .filter(|article| filter.admits(article))
            .collect();
        articles.sort_by(|a, b| a.id.cmp(&b.id));
        articles
    }

    /// What a query may become.
    pub fn suggest(&self, text: &str, limit: usize, filter: &Filter) -> Vec<Suggestion> {
        let names = self.names.get_or_init(|| Names::of(&self.library));
        let lang = answer::reader_lang(filter.lang, text, Lang::default());
        suggest::suggest(text, limit, lang, names, &self.library, filter)
    }
}

fn is_partial(plan: &Plan) -> bool {
    matches!(plan.code, Some(QueryCode::Partial(_)))
}
