//! Rows' texts to an index file.

use std::collections::HashSet;
use std::hash::BuildHasher as _;
use std::io::{self, Write};

use foldhash::fast::FixedState;
use signalbox_text::{TOKENS_VERSION, Tokens};
use tantivy::directory::{Directory, RamDirectory};
use tantivy::indexer::SingleSegmentIndexWriter;
use tantivy::schema::document::TantivyDocument;
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::store::Compressor;
use tantivy::tokenizer::{TextAnalyzer, Token, TokenStream, Tokenizer, TokenizerManager};
use tantivy::{Index, IndexSettings};

use super::pack::{Contents, MAGIC, PartContents};

/// A segment is written out when it takes so much memory; writing it takes about half of that again.
const PART_BYTES: usize = 32 << 20;
/// What Tantivy wants to be promised at least.
const BUDGET_BYTES: usize = 2 * PART_BYTES;
const TOKENIZER: &str = "signalbox";
pub(super) const FIELD: &str = "text";

/// Takes the rows of a file in order and writes their index to `out`.
pub(super) struct Builder<W> {
    out: W,
    written: u64,
    contents: Contents,
    field: Field,
    schema: Schema,
    part: Option<SingleSegmentIndexWriter>,
}

impl<W: Write> Builder<W> {
    pub(super) fn new(out: W) -> Self {
        let indexing = TextFieldIndexing::default()
            .set_tokenizer(TOKENIZER)
            .set_index_option(IndexRecordOption::Basic)
            .set_fieldnorms(false);
        let mut schema = Schema::builder();
        let field = schema.add_text_field(FIELD, TextOptions::default().set_indexing_options(indexing));
        let contents = Contents { tokens_version: TOKENS_VERSION, ..Contents::default() };
        Self { out, written: 0, contents, field, schema: schema.build(), part: None }
    }

    /// The next row: all its texts, with something between them that is in no word.
    pub(super) fn row(&mut self, texts: &str) -> io::Result<()> {
        let mut document = TantivyDocument::new();
        document.add_text(self.field, texts);
        if self.part.is_none() {
            self.part = Some(self.new_part().map_err(io::Error::other)?);
        }
        let Some(part) = &mut self.part else { return Ok(()) };
        // Rows come in order, so a document's number is its row's place in the part.
        part.add_document(document).map_err(io::Error::other)?;
        self.contents.rows += 1;
        if part.mem_usage() >= PART_BYTES {
            self.end_part()?;
        }
        Ok(())
    }

    /// Writes what remains, and the contents.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.end_part()?;
        let contents = serde_json::to_vec(&self.contents).map_err(io::Error::other)?;
        let length = u32::try_from(contents.len()).map_err(io::Error::other)?;
        self.out.write_all(&contents)?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(MAGIC)?;
        Ok(self.out)
    }

    fn new_part(&self) -> tantivy::Result<SingleSegmentIndexWriter> {
        let tokenizers = TokenizerManager::new();
        tokenizers.register(TOKENIZER, TextAnalyzer::from(House::default()));
        let settings = IndexSettings {
            docstore_compression: Compressor::None,
            docstore_compress_dedicated_thread: false,
            ..IndexSettings::default()
        };
        Index::builder()
            .schema(self.schema.clone())
            .settings(settings)
            .tokenizers(tokenizers)
            .single_segment_index_writer(RamDirectory::create(), BUDGET_BYTES)
    }

    fn end_part(&mut self) -> io::Result<()> {
        let Some(part) = self.part.take() else { return Ok(()) };
        let index = part.finalize().map_err(io::Error::other)?;
        let first_row = self.contents.parts.last().map_or(0, |part| part.first_row + part.rows);
        let mut files = Vec::new();
        for name in index.directory().list_managed_files() {
            // As it stands: the checksum at its end goes with it.
            let bytes = index.directory().atomic_read(&name).map_err(io::Error::other)?;
            self.out.write_all(&bytes)?;
            let start = self.written;
            self.written += bytes.len() as u64;
            files.push((name.to_string_lossy().into_owned(), start..self.written));
        }
        self.contents.parts.push(PartContents { first_row, rows: self.contents.rows - first_row, files });
        Ok(())
    }
}

/// Our tokens for Tantivy: each once a row, as where and how often they stand is not kept.
#[derive(Clone, Default)]
struct House {
    /// Their hashes: a small table that is at hand is asked sooner than the one of all words.
    seen: HashSet<u64, FixedState>,
}

struct HouseTokens<'a> {
    tokens: Tokens<'a>,
    token: Token,
    seen: &'a mut HashSet<u64, FixedState>,
}

impl Tokenizer for House {
    type TokenStream<'a> = HouseTokens<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> HouseTokens<'a> {
        self.seen.clear();
        HouseTokens { tokens: Tokens::new(text), token: Token::default(), seen: &mut self.seen }
    }
}

impl TokenStream for HouseTokens<'_> {
    fn advance(&mut self) -> bool {
        while self.tokens.advance() {
            let token = self.tokens.token();
            if self.seen.insert(self.seen.hasher().hash_one(token)) {
                self.token.position = self.token.position.wrapping_add(1);
                self.token.text.clear();
                self.token.text.push_str(token);
                return true;
            }
        }
        false
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
