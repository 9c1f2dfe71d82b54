//! An index file that is open, and what a search finds in it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use roaring::RoaringBitmap;
use signalbox_text::{Node, Phrase, TOKENS_VERSION, Term, TextQuery};
use tantivy::postings::{SegmentPostings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, Index, InvertedIndexReader, SegmentReader, TERMINATED};

use super::build::FIELD;
use super::pack;

/// Rows that are known are looked up in a list of others when they are so many times fewer.
const FEW: u64 = 16;

/// The index of one data file.
pub(super) struct TextIndex {
    parts: Vec<OpenPart>,
    rows: u32,
}

impl std::fmt::Debug for TextIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextIndex").field("rows", &self.rows).finish_non_exhaustive()
    }
}

struct OpenPart {
    first_row: u32,
    rows: u32,
    terms: Arc<InvertedIndexReader>,
}

impl TextIndex {
    pub(super) fn open(folder: &Path, name: &str) -> io::Result<Self> {
        let (contents, parts) = pack::open(folder, name)?;
        if contents.tokens_version != TOKENS_VERSION {
            let problem = format!("`{name}` has tokens of version {}, not {TOKENS_VERSION}", contents.tokens_version);
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        let mut open = Vec::with_capacity(parts.len());
        for (part, contents) in parts.into_iter().zip(&contents.parts) {
            let terms = open_part(part).map_err(io::Error::other)?;
            open.push(OpenPart { first_row: contents.first_row, rows: contents.rows, terms });
        }
        Ok(Self { parts: open, rows: contents.rows })
    }

    /// How many rows it covers.
    pub(super) fn rows(&self) -> u32 {
        self.rows
    }

    /// The rows that may answer the search; exactly those that do, if it [is of words](TextQuery::is_of_words).
    pub(super) fn search(&self, query: &TextQuery) -> io::Result<RoaringBitmap> {
        let mut found = RoaringBitmap::new();
        for part in &self.parts {
            found |= part.node(query.root(), None)?;
        }
        Ok(found)
    }
}

fn open_part(part: pack::Part) -> tantivy::Result<Arc<InvertedIndexReader>> {
    let index = Index::open(part)?;
    let field = index.schema().get_field(FIELD)?;
    let segments = index.searchable_segments()?;
    let Some(segment) = segments.first() else {
        return Ok(Arc::new(InvertedIndexReader::empty(IndexRecordOption::Basic)));
    };
    SegmentReader::open(segment)?.inverted_index(field)
}

/// All documents of a term that may count, by row.
struct Hits<'a> {
    part: &'a OpenPart,
    postings: SegmentPostings,
}

impl OpenPart {
    /// The rows of the part that answer it. With `within`, only those of them.
    fn node(&self, node: &Node, within: Option<&RoaringBitmap>) -> io::Result<RoaringBitmap> {
        match node {
            Node::Phrase(phrase) => self.phrase(phrase, within),
            Node::Any(nodes) => {
                let mut found = RoaringBitmap::new();
                for node in nodes {
                    found |= self.node(node, within)?;
                }
                Ok(found)
            }
            Node::Not(node) if node.is_of_words() => Ok(self.all(within) - self.node(node, within)?),
            // Those that have the words need not have the phrase.
            Node::Not(_) => Ok(self.all(within)),
            Node::All(nodes) => {
                let mut costs = Vec::with_capacity(nodes.len());
                for node in nodes {
                    costs.push((self.cost(node)?, node));
                }
                costs.sort_by_key(|(cost, _)| *cost);
                let mut found: Option<RoaringBitmap> = None;
                for (_, node) in costs {
                    let next = self.node(node, found.as_ref().or(within))?;
                    if next.is_empty() {
                        return Ok(next);
                    }
                    found = Some(next);
                }
                Ok(found.unwrap_or_else(|| self.all(within)))
            }
        }
    }

    fn all(&self, within: Option<&RoaringBitmap>) -> RoaringBitmap {
        within.cloned().unwrap_or_else(|| RoaringBitmap::from_iter(self.first_row..self.first_row + self.rows))
    }

    /// About how many rows it concerns: what is rare is looked up first.
    fn cost(&self, node: &Node) -> io::Result<u64> {
        match node {
            Node::Phrase(phrase) => {
                let mut least = u64::MAX;
                for term in phrase.terms.iter().filter(|term| !term.prefix) {
                    least = least.min(self.info(term)?.map_or(0, |info| u64::from(info.doc_freq)));
                }
                Ok(least.min(u64::from(self.rows)))
            }
            Node::Any(nodes) => nodes.iter().try_fold(0, |sum: u64, node| Ok(sum.saturating_add(self.cost(node)?))),
            Node::All(_) => Ok(u64::from(self.rows)),
            // Only ever takes away: last.
            Node::Not(_) => Ok(u64::MAX),
        }
    }

    fn info(&self, term: &Term) -> io::Result<Option<TermInfo>> {
        self.terms.terms().get(&term.text)
    }

    /// All terms that start so.
    fn infos(&self, term: &Term) -> io::Result<Vec<TermInfo>> {
        let mut infos = Vec::new();
        let mut stream = self.terms.terms().range().ge(&term.text).into_stream()?;
        while let Some((found, info)) = stream.next() {
            if !found.starts_with(term.text.as_bytes()) {
                break;
            }
            infos.push(info.clone());
        }
        Ok(infos)
    }

    fn hits(&self, info: &TermInfo) -> io::Result<Hits<'_>> {
        let postings = self.terms.read_postings_from_terminfo(info, IndexRecordOption::Basic)?;
        Ok(Hits { part: self, postings })
    }

    /// The rows that have all terms of the phrase, wherever they stand.
    fn phrase(&self, Phrase { terms }: &Phrase, within: Option<&RoaringBitmap>) -> io::Result<RoaringBitmap> {
        let mut infos = Vec::with_capacity(terms.len());
        for term in terms.iter().filter(|term| !term.prefix) {
            match self.info(term)? {
                Some(info) => infos.push(info),
                None => return Ok(RoaringBitmap::new()),
            }
        }
        infos.sort_by_key(|info| info.doc_freq);
        let mut found: Option<RoaringBitmap> = None;
        for info in &infos {
            let mut also = RoaringBitmap::new();
            self.hits(info)?.rows(found.as_ref().or(within), &mut also);
            if also.is_empty() {
                return Ok(also);
            }
            found = Some(also);
        }
        if let Some(last) = terms.last().filter(|term| term.prefix) {
            let mut also = RoaringBitmap::new();
            for info in self.infos(last)? {
                self.hits(&info)?.rows(found.as_ref().or(within), &mut also);
            }
            found = Some(also);
        }
        Ok(found.unwrap_or_default())
    }
}

impl Hits<'_> {
    /// Adds its rows, of those that count.
    fn rows(mut self, within: Option<&RoaringBitmap>, into: &mut RoaringBitmap) {
        let first_row = self.part.first_row;
        match within {
            Some(within) if within.len() * FEW < u64::from(self.postings.doc_freq()) => {
                for row in within {
                    if row.checked_sub(first_row).is_some_and(|document| self.goes_to(document)) {
                        into.insert(row);
                    }
                }
            }
            _ => {
                let mut document = self.postings.doc();
                while document != TERMINATED {
                    let row = first_row + document;
                    if within.is_none_or(|within| within.contains(row)) {
                        into.insert(row);
                    }
                    document = self.postings.advance();
                }
            }
        }
    }

    /// Whether it has this document. Asked for in rising order.
    fn goes_to(&mut self, document: u32) -> bool {
        let at = self.postings.doc();
        let at = if at < document { self.postings.seek(document) } else { at };
        at == document
    }
}
