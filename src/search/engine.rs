//! The search engine: one library, its index and its templates at one moment.

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};
use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;
use serde::Serialize;
use tantivy::TantivyError;
use utoipa::ToSchema;

use crate::answers::templates::Templates;
use crate::content::article::Article;
use crate::content::catalog::Lang;
use crate::content::front_matter::{Kind, Status};
use crate::content::library::{Library, Slot};
use crate::content::validity::{Clearance, EXCEPT, Validity};
use crate::index::reader::Reader;
use crate::index::vocabulary::Known;
use crate::search::answer::{self, Answer, Source};
use crate::search::candidates::{ArticleCollector, Candidate, Candidates};
use crate::search::dense::Dense;
use crate::search::expand::Expander;
use crate::search::facets::{FacetCounts, FacetIndex};
use crate::search::filter::{Filter, Filtered};
use crate::search::intent::Intent;
use crate::search::ladder::{self, Rung};
use crate::search::query::{Correction, Plan, QueryWord, Why};
use crate::search::rank::{self, Asked, Share, Weights};
use crate::search::readable::Readable;
use crate::search::related;
use crate::search::signals::{Collection, Signals, WordWeights};
use crate::search::snippet::{Matcher, snippet};
use crate::search::suggest::{self, Suggestion};

/// Articles that are ranked by all signals, whatever is shown of them; those far down are not worth it.
const RANKED: usize = 50;

/// Replies that are remembered.
const MAX_REPLIES: NonZeroUsize = NonZeroUsize::new(1_024).unwrap();

/// Searches that warm a new engine up; each costs about as much as a reader's.
const WARMING_SEARCHES: usize = 4;

/// Hits that suggestions are taken from, at the least.
const SUGGESTED_FROM: usize = 10;

/// No change waits longer than this for its engine to be warm.
const WARMING_TIME: Duration = Duration::from_millis(20);

/// Replies of more hits than this are not remembered.
const MAX_HITS_REMEMBERED: usize = 20;

/// Beginnings of words whose completions are remembered.
const MAX_COMPLETED: usize = 4_096;

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
    collection: Collection,
    /// The names that content lets in or shuts out: what else somebody belongs to makes no difference.
    audience_names: HashSet<String>,
    dense: Option<Arc<dyn Dense>>,
    /// What beginnings of words were completed to: the same for all who type them.
    completed: Mutex<HashMap<String, Arc<Vec<Known>>>>,
    /// Replies given lately: many operators ask the same, and one who types back and forth asks it again.
    replies: Mutex<LruCache<Request, Arc<Reply>>>,
}

/// A search.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// What was typed.
    pub text: String,
    /// Articles to return.
    pub limit: usize,
    /// Articles to pass over.
    pub offset: usize,
    /// What is admitted.
    pub filter: Filter,
    /// The language the reader reads, where the query does not tell it.
    pub lang: Lang,
    /// Whether the query is taken exactly as it was typed: no synonyms, no corrections.
    pub verbatim: bool,
    /// Whether the reply tells how the query was read and what each signal adds.
    pub explain: bool,
}

impl Request {
    /// A search for the best ten.
    pub fn new(text: &str, filter: Filter) -> Self {
        Self {
            text: text.to_owned(),
            limit: 10,
            offset: 0,
            filter,
            lang: Lang::default(),
            verbatim: false,
            explain: false,
        }
    }
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
    /// What it asks about a thing, if that could be told.
    pub intent: Option<Intent>,
    /// What each word was looked for as; only when explanations are asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<ReadWord>,
}

/// A word of a query and what it was looked for as.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReadWord {
    /// As typed, folded.
    pub form: String,
    /// The lemma it was looked for by.
    pub lemma: String,
    /// In how many sections it stands.
    pub sections: u64,
    /// What else it may stand for.
    pub readings: Vec<ReadReading>,
}

/// Another word that a word was looked for as.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReadReading {
    /// That word.
    pub form: String,
    /// What it counts, beside 1 for the word itself.
    pub weight: f32,
    /// Why.
    pub why: Why,
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
    /// Products the article is about.
    pub products: Vec<String>,
    /// Whether it is a guided flow.
    pub is_flow: bool,
    /// What each signal adds to the score; only when explanations are asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<Share>,
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
    plan: Plan,
    ranked: Vec<(Rung, Candidate)>,
    total: u64,
    facet_counts: Vec<u64>,
    lang: Lang,
    intent: Option<Intent>,
    filter: Arc<Filter>,
    weights: WordWeights,
}

/// All names that content lets in or shuts out anywhere.
fn names_of_audiences(facets: &FacetIndex, library: &Library, templates: &Templates) -> HashSet<String> {
    let products = library.catalog.products().flat_map(|product| {
        let values = product.values.iter().flat_map(|(_, variants)| variants);
        values.map(|variant| &variant.validity).chain([&product.validity])
    });
    let others = products.chain(templates.all().map(|template| &template.validity));
    let names = facets.audiences().chain(others.flat_map(|validity| &validity.audience));
    let names: HashSet<&str> = names.map(|name| name.strip_prefix(EXCEPT).unwrap_or(name)).collect();
    names.into_iter().map(str::to_owned).collect()
}

impl Engine {
    /// An engine over a library, its index and its templates.
    pub fn new(library: Arc<Library>, reader: Reader, templates: Arc<Templates>) -> Self {
        let facets = Arc::new(FacetIndex::of(&library));
        let articles = library.articles().count().max(1);
        let (sections, words) = reader.size();
        let collection = Collection {
            sections,
            section_length: words as f32 / sections.max(1) as f32,
            article_length: words as f32 / articles as f32,
        };
        let replies = Mutex::new(LruCache::new(MAX_REPLIES));
        let audience_names = names_of_audiences(&facets, &library, &templates);
        Self {
            library,
            reader,
            templates,
            facets,
            collection,
            audience_names,
            dense: None,
            completed: Mutex::default(),
            replies,
        }
    }

    /// The engine, asking a model what is near in meaning as well.
    #[must_use]
    pub fn with_dense(mut self, dense: Arc<dyn Dense>) -> Self {
        self.dense = Some(dense);
        self
    }

    /// Ids of articles worth reading next to one.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn related(&self, article: &Article, filter: &Filter) -> Result<Vec<String>, TantivyError> {
        let title = article.title_for(&self.library.catalog, filter.standpoint());
        let request =
            Request { verbatim: true, ..Request::new(&title.replace(['"', '“'], " "), filter.clone()) };
        let alike = self.rank_ids(&request, Weights::shipped())?;
        let alike: Vec<String> = alike.into_iter().map(|(id, _)| id).collect();
        Ok(related::related(article, &alike, &self.library, filter))
    }

    /// Searches.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn search(&self, request: &Request) -> Result<Reply, TantivyError> {
        let reply = self.search_while(request, &|| true)?;
        reply.ok_or_else(|| {
            TantivyError::InternalError("a search was given up that nobody gave up".to_owned())
        })
    }

    /// Searches as long as somebody wants to know; `None` when nobody did any more.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn search_while(
        &self,
        request: &Request,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<Option<Reply>, TantivyError> {
        let started = Instant::now();
        let request = self.as_content_knows(request);
        let known =
            self.replies.lock().unwrap_or_else(PoisonError::into_inner).get(&*request).map(Arc::clone);
        let reply = match known {
            Some(known) => known,
            None => {
                let Some(reply) = self.answer(&request, is_wanted)?.map(Arc::new) else { return Ok(None) };
                if !request.explain && request.offset == 0 && request.limit <= MAX_HITS_REMEMBERED {
                    let mut replies = self.replies.lock().unwrap_or_else(PoisonError::into_inner);
                    replies.put(request.into_owned(), Arc::clone(&reply));
                }
                reply
            }
        };
        Ok(Some(Reply {
            search_id: format!("{:016x}", fastrand::u64(..)),
            took_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            ..Reply::clone(&reply)
        }))
    }

    /// The request of somebody of whom no more is known than matters here: replies are remembered for all who may read the same.
    fn as_content_knows<'r>(&self, request: &'r Request) -> Cow<'r, Request> {
        let Clearance::Member(names) = &request.filter.clearance else { return Cow::Borrowed(request) };
        let named = names.iter().filter(|name| self.audience_names.contains(*name));
        if named.clone().count() == names.len() {
            return Cow::Borrowed(request);
        }
        let clearance = Clearance::member(named.cloned());
        Cow::Owned(Request { filter: request.filter.clone().with(clearance), ..request.clone() })
    }

    /// Asks what an earlier engine was asked last, so that the first readers of this one need not wait for pages to be read.
    pub fn warm_up(&self, earlier: &Self) {
        let asked: Vec<Request> = {
            let replies = earlier.replies.lock().unwrap_or_else(PoisonError::into_inner);
            replies.iter().take(WARMING_SEARCHES).map(|(request, _)| request.clone()).collect()
        };
        let started = Instant::now();
        for request in asked {
            // What cannot be read will be told to those who ask for it.
            let _ = self.search_while(&request, &|| started.elapsed() < WARMING_TIME);
        }
    }

    fn answer(&self, request: &Request, is_wanted: &dyn Fn() -> bool) -> Result<Option<Reply>, TantivyError> {
        let Some(found) = self.find(request, Weights::shipped(), is_wanted)? else { return Ok(None) };
        let Found { plan, filter, lang, .. } = &found;
        let matcher = Matcher::new(plan);
        let source = Source {
            plan,
            matcher: &matcher,
            library: &self.library,
            reader: &self.reader,
            filter,
            lang: *lang,
            intent: found.intent,
            weights: &found.weights,
        };
        let mut answer = if request.offset == 0 { answer::answer(source, &found.ranked)? } else { None };
        let mut hits = Vec::with_capacity(request.limit.min(found.ranked.len()));
        for (rung, candidate) in found.ranked.iter().skip(request.offset).take(request.limit) {
            let Some(section) = candidate.sections.first() else { continue };
            let blocks = self.reader.blocks(section.address)?;
            let hit = self.hit(*rung, candidate, filter, |text| snippet(&blocks, &matcher, text));
            hits.extend(hit.map(|mut hit| {
                if request.explain {
                    hit.signals = Weights::shipped().explain(&candidate.signals);
                }
                hit
            }));
        }
        if let Some(answer) = &mut answer {
            answer.templates = self.templates_of(answer.article.as_deref(), &plan.read_as(), filter);
        }
        Ok(Some(Reply {
            search_id: String::new(),
            query: ReadQuery {
                text: request.text.clone(),
                read_as: plan.read_as(),
                corrections: plan.corrections.clone(),
                code: plan.whole_code().map(str::to_owned),
                intent: found.intent,
                words: if request.explain { self.read_words(plan, filter)? } else { Vec::new() },
            },
            total: found.total,
            answer,
            hits,
            facets: self.facets.named(&found.facet_counts, &self.library.catalog, &filter.clearance),
            took_us: 0,
        }))
    }

    /// Ids and signals of the articles a search finds, the best by these weights first: what measuring and learning need, by the same way as
    /// [`Engine::search`].
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn rank_ids(
        &self,
        request: &Request,
        weights: &Weights,
    ) -> Result<Vec<(String, Signals)>, TantivyError> {
        let found = self.find(request, weights, &|| true)?.unwrap_or_default();
        let named = found.ranked.into_iter().take(request.limit).filter_map(|(_, candidate)| {
            Some((self.library.article(candidate.slot)?.id.clone(), candidate.signals))
        });
        Ok(named.collect())
    }

    /// Reads the query and goes down the ladder until enough is found; then ranks.
    fn find(
        &self,
        request: &Request,
        weights: &Weights,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<Option<Found>, TantivyError> {
        let clearance = &request.filter.clearance;
        let admitted = self.facets.admitted(clearance);
        let words = Readable::new(&self.reader, &self.library, &self.facets, clearance, &admitted);
        let expander = Expander { words, clearance, catalog: &self.library.catalog };
        let mut plan = expander.read(&request.text, request.verbatim)?;
        let filter = Arc::new(self.knowable(plan.narrowed.narrow(&request.filter)));
        let keep = RANKED.max(request.offset + request.limit);
        let mut facet_counts = self.facets.zeros();
        let mut ranked: Vec<(Rung, Candidate)> = Vec::new();
        let mut total = 0;
        let mut seen: HashSet<Slot> = HashSet::new();
        for rung in ladder::rungs(&plan) {
            if !is_wanted() {
                return Ok(None);
            }
            let is_wider = match rung {
                _ if request.verbatim
                    && matches!(rung, Rung::Completed | Rung::Families | Rung::Corrected) =>
                {
                    false
                }
                Rung::Completed => {
                    expander.complete(&mut plan, |prefix, most| self.complete(prefix, most))?
                }
                Rung::Families => expander.add_families(&mut plan)?,
                Rung::Corrected => expander.correct(&mut plan, total == 0)?,
                Rung::SomeWords => plan.words.len() > 1,
                _ => true,
            };
            let is_hopeless = *rung != Rung::SomeWords
                && plan.code.is_none()
                && plan.words.iter().any(QueryWord::is_unknown);
            if !is_wider || is_hopeless {
                continue;
            }
            let query = ladder::query(*rung, &plan, &self.reader)?;
            let candidates = self.candidates(query, &filter, &admitted, keep)?;
            // Each rung finds all that the one above did, and more.
            if candidates.total >= total {
                total = candidates.total;
                facet_counts = candidates.facet_counts;
            }
            ranked.extend(candidates.top.into_iter().filter(|c| seen.insert(c.slot)).map(|c| (*rung, c)));
            if total >= ladder::THIN {
                break;
            }
        }
        let intent = Intent::of(&plan.asked_as());
        let lang = answer::reader_lang(filter.lang, &plan.read_as(), request.lang);
        if !request.verbatim {
            self.add_pinned(&mut ranked, &plan, &filter, &admitted)?;
        }
        total = total.max(ranked.len() as u64);
        let asked = Asked { plan: &plan, intent, filter: &filter, lang, dense: self.dense.as_deref() };
        self.rank(&mut ranked, asked, weights)?;
        let weights = answer::word_weights(&plan, self.collection);
        Ok(is_wanted().then_some(Found { plan, ranked, total, facet_counts, lang, intent, filter, weights }))
    }

    fn rank(
        &self,
        ranked: &mut Vec<(Rung, Candidate)>,
        asked: Asked<'_>,
        weights: &Weights,
    ) -> Result<(), TantivyError> {
        if asked.plan.is_empty() {
            return Ok(());
        }
        // Those far down stay in the order they were found in.
        let rest = ranked.split_off(ranked.len().min(RANKED));
        let (rungs, mut candidates): (Vec<Rung>, Vec<Candidate>) = std::mem::take(ranked).into_iter().unzip();
        let (library, facets) = (&self.library, &self.facets);
        rank::rank(&mut candidates, asked, library, facets, &self.reader, self.collection, weights)?;
        *ranked = rungs.into_iter().zip(candidates).collect();
        // Pins stand first, then the exact code above all that is only like it, and what is archived below all that is in force.
        let tier = |rung: Rung| rung.min(Rung::CodePrefix);
        ranked.sort_by(|(a_rung, a), (b_rung, b)| match (a_rung, b_rung) {
            (Rung::Pinned, Rung::Pinned) => Ordering::Equal,
            _ => tier(*a_rung).cmp(&tier(*b_rung)).then_with(|| a.rank(b)),
        });
        ranked.extend(rest);
        Ok(())
    }

    /// Puts the articles first that editors want first for a query, in the editors' order.
    fn add_pinned(
        &self,
        ranked: &mut Vec<(Rung, Candidate)>,
        plan: &Plan,
        filter: &Arc<Filter>,
        admitted: &Arc<[bool]>,
    ) -> Result<(), TantivyError> {
        for id in self.library.catalog.synonyms().pinned(&plan.asked_as()).iter().rev() {
            let Some((slot, _)) = self.library.find(id) else { continue };
            let known = ranked.iter().position(|(_, candidate)| candidate.slot == slot);
            let candidate = match known {
                Some(at) => Some(ranked.remove(at).1),
                None => self.candidates(ladder::article(id, &self.reader), filter, admitted, 1)?.top.pop(),
            };
            if let Some(candidate) = candidate {
                ranked.insert(0, (Rung::Pinned, candidate));
            }
        }
        Ok(())
    }

    /// The most frequent words that begin so; asked for again with every keystroke of everybody.
    fn complete(&self, prefix: &str, most: usize) -> Result<Arc<Vec<Known>>, TantivyError> {
        if let Some(known) = self.completed.lock().unwrap_or_else(PoisonError::into_inner).get(prefix) {
            return Ok(Arc::clone(known));
        }
        let known = Arc::new(self.reader.words_from(prefix, most)?);
        let mut completed = self.completed.lock().unwrap_or_else(PoisonError::into_inner);
        if completed.len() >= MAX_COMPLETED {
            completed.clear();
        }
        completed.insert(prefix.to_owned(), Arc::clone(&known));
        Ok(known)
    }

    fn candidates(
        &self,
        query: Box<dyn tantivy::query::Query>,
        filter: &Arc<Filter>,
        admitted: &Arc<[bool]>,
        keep: usize,
    ) -> Result<Candidates, TantivyError> {
        let filtered = Filtered::new(query, &self.library, &self.facets, &self.reader, filter, admitted);
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
        let expand = |text: &str| self.library.catalog.expand(text, article.lang, filter.standpoint());
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
            score: candidate.score,
            validity: section.validity.as_deref().cloned().unwrap_or_default(),
            replaced_by: self.library.replacement(article, filter.standpoint()),
            more_sections: more
                .map(|s| SectionHit { section: s.anchor.to_string(), heading: expand(&s.heading) })
                .collect(),
            products: self.library.products_of(article, &filter.clearance),
            is_flow: article.matter.flow.is_some(),
            signals: Vec::new(),
        })
    }

    /// Ids of the templates that belong to an article; those that a query asks for go first.
    pub fn templates_of(&self, article: Option<&str>, query: &str, filter: &Filter) -> Vec<String> {
        let Some((_, article)) = article.and_then(|id| self.library.find(id)) else { return Vec::new() };
        let products: Vec<&str> = article.products().collect();
        let mut found = self.templates.for_article(&article.id, &products, article.lang, filter.standpoint());
        if !query.trim().is_empty() {
            found.sort_by_cached_key(|t| Reverse(t.affinity(query)));
        }
        found.into_iter().map(|t| t.id.clone()).collect()
    }

    /// A filter without the products its reader may not know of: what is asked for about those is about nothing.
    fn knowable(&self, mut filter: Filter) -> Filter {
        let asked = filter.products.len();
        filter.products.retain(|product| self.library.catalog.may_know(product, &filter.clearance));
        if filter.products.is_empty() && asked > 0 {
            filter.products.push(String::new());
        }
        filter
    }

    /// Articles a filter admits, in the order of their ids.
    pub fn list(&self, filter: &Filter) -> Vec<&Arc<Article>> {
        let filter = self.knowable(filter.clone());
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
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn suggest(
        &self,
        text: &str,
        limit: usize,
        filter: &Filter,
    ) -> Result<Vec<Suggestion>, TantivyError> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let request = Request { limit: limit.max(SUGGESTED_FROM), ..Request::new(text, filter.clone()) };
        let reply = self.search(&request)?;
        let lang = answer::reader_lang(filter.lang, &reply.query.read_as, Lang::default());
        Ok(suggest::suggest(text, limit, lang, &reply, &self.library, filter))
    }

    /// How each word of a query was read; of what one may not read, nothing is counted.
    fn read_words(&self, plan: &Plan, filter: &Filter) -> Result<Vec<ReadWord>, TantivyError> {
        let admitted = self.facets.admitted(&filter.clearance);
        let known = Readable::new(&self.reader, &self.library, &self.facets, &filter.clearance, &admitted);
        let (text, stem) = (self.reader.fields.text, self.reader.fields.stem);
        let mut words = Vec::with_capacity(plan.words.len());
        for word in &plan.words {
            let mut sections = known.count(text, &word.lemma)?;
            if sections == 0 && word.frequency > 0 {
                sections = known.count(stem, &word.stem)?;
            }
            let readings = word.readings.iter();
            let readings =
                readings.map(|r| ReadReading { form: r.form.clone(), weight: r.weight, why: r.why });
            words.push(ReadWord {
                form: word.form.clone(),
                lemma: word.lemma.clone(),
                sections,
                readings: readings.collect(),
            });
        }
        Ok(words)
    }
}
