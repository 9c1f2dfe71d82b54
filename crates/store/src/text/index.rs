//! An index file that is open, and what a search finds in it.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use roaring::RoaringBitmap;
use signalbox_text::{Node, Phrase, TOKENS_VERSION, Term, TextQuery};
use tantivy::postings::{Postings, SegmentPostings, TermInfo};
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

    /// The rows that answer the search, of those in the range.
    pub(super) fn search(&self, query: &TextQuery, range: Range<u32>) -> io::Result<RoaringBitmap> {
        let mut found = RoaringBitmap::new();
        for part in &self.parts {
            let all = part.first_row..part.first_row + part.rows;
            let wanted = all.start.max(range.start)..all.end.min(range.end);
            if wanted.is_empty() {
                continue;
            }
            let within = (wanted != all).then(|| RoaringBitmap::from_iter(wanted));
            found |= part.node(query.root(), within.as_ref())?;
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
            Node::Not(node) => Ok(self.all(within) - self.node(node, within)?),
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

    fn hits(&self, info: &TermInfo, option: IndexRecordOption) -> io::Result<Hits<'_>> {
        Ok(Hits { part: self, postings: self.terms.read_postings_from_terminfo(info, option)? })
    }

    fn phrase(&self, phrase: &Phrase, within: Option<&RoaringBitmap>) -> io::Result<RoaringBitmap> {
        let mut found = RoaringBitmap::new();
        match phrase.terms.as_slice() {
            [term] if term.prefix => {
                for info in self.infos(term)? {
                    self.hits(&info, IndexRecordOption::Basic)?.rows(within, &mut found);
                }
            }
            [term] => {
                if let Some(info) = self.info(term)? {
                    self.hits(&info, IndexRecordOption::Basic)?.rows(within, &mut found);
                }
            }
            terms => {
                let starts = self.starts(terms, within)?;
                found.extend(starts.into_keys().map(|document| self.first_row + document));
            }
        }
        Ok(found)
    }

    /// For each document that has the phrase, where it begins.
    fn starts(&self, terms: &[Term], within: Option<&RoaringBitmap>) -> io::Result<HashMap<u32, Vec<u32>>> {
        let mut exact = Vec::with_capacity(terms.len());
        for term in terms.iter().filter(|term| !term.prefix) {
            match self.info(term)? {
                Some(info) => exact.push((term.offset, info)),
                None => return Ok(HashMap::new()),
            }
        }
        exact.sort_by_key(|(_, info)| info.doc_freq);
        let mut lists = Vec::with_capacity(exact.len());
        for (offset, info) in &exact {
            lists.push((*offset, self.hits(info, IndexRecordOption::WithFreqsAndPositions)?));
        }
        let mut starts = HashMap::new();
        let Some(((offset, rarest), others)) = lists.split_first_mut() else { return Ok(starts) };
        let (mut begin, mut also) = (Vec::new(), Vec::new());
        let mut document = rarest.postings.doc();
        'documents: while document != TERMINATED {
            if within.is_none_or(|within| within.contains(self.first_row + document)) {
                if !others.iter_mut().all(|(_, list)| list.goes_to(document)) {
                    document = rarest.postings.advance();
                    continue;
                }
                rarest.begins(*offset, &mut begin);
                for (offset, list) in &mut *others {
                    list.begins(*offset, &mut also);
                    begin.retain(|place| also.binary_search(place).is_ok());
                    if begin.is_empty() {
                        document = rarest.postings.advance();
                        continue 'documents;
                    }
                }
                starts.insert(document, begin.clone());
            }
            document = rarest.postings.advance();
        }
        match terms.last() {
            Some(last) if last.prefix => self.followed(starts, last),
            _ => Ok(starts),
        }
    }

    /// Those of the beginnings that a term with this prefix follows.
    fn followed(&self, starts: HashMap<u32, Vec<u32>>, last: &Term) -> io::Result<HashMap<u32, Vec<u32>>> {
        let mut documents: Vec<u32> = starts.keys().copied().collect();
        documents.sort_unstable();
        let mut kept: HashMap<u32, Vec<u32>> = HashMap::new();
        let mut also = Vec::new();
        for info in self.infos(last)? {
            let mut list = self.hits(&info, IndexRecordOption::WithFreqsAndPositions)?;
            for &document in &documents {
                if !list.goes_to(document) {
                    continue;
                }
                list.begins(last.offset, &mut also);
                let begin = starts.get(&document).map(Vec::as_slice).unwrap_or_default();
                let both: Vec<u32> = begin.iter().copied().filter(|place| also.binary_search(place).is_ok()).collect();
                if !both.is_empty() {
                    kept.entry(document).or_default().extend(both);
                }
            }
        }
        Ok(kept)
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

    /// Where a phrase begins that has this term at an offset.
    fn begins(&mut self, offset: u32, into: &mut Vec<u32>) {
        self.postings.positions(into);
        into.retain_mut(|place| match place.checked_sub(offset) {
            Some(begin) => {
                *place = begin;
                true
            }
            None => false,
        });
    }
}
