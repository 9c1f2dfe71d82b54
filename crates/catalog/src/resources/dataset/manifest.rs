//! A version's list of items, cut into chunks where the content says so: a change in one place leaves the other
//! chunks as they are, so that a version costs what it changes and a diff reads only what differs.

use super::item::Hash;
use super::share::Share;

/// A chunk ends after an item whose hash is a multiple of this, which makes it the mean length …
const MEAN_ENTRIES: u32 = 512;
/// … or when it has so many.
const MAX_ENTRIES: usize = 4_096;
/// A chunk in a version: its hash, and its number of items.
const REFERENCE_BYTES: usize = 36;

/// An item in a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) hash: Hash,
    /// As the item says; none if it doesn't.
    pub(crate) split: Option<String>,
}

impl Entry {
    fn ends_chunk(&self) -> bool {
        let [.., a, b, c, d] = self.hash;
        u32::from_be_bytes([a, b, c, d]).is_multiple_of(MEAN_ENTRIES)
    }

    /// The split that it belongs to.
    pub(crate) fn split_in<'a>(&'a self, shares: &'a [Share]) -> Option<&'a str> {
        self.split.as_deref().or_else(|| Share::of(shares, &self.id))
    }
}

/// A chunk that a version has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChunkRef {
    pub(crate) hash: Hash,
    pub(crate) entries: u32,
}

/// A chunk that is whole.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) of: ChunkRef,
    pub(crate) body: Vec<u8>,
}

/// Cuts a list into chunks. Where it cuts depends on the list alone.
#[derive(Debug, Default)]
pub(crate) struct Chunker {
    body: Vec<u8>,
    entries: usize,
}

impl Chunker {
    /// Takes the next item; gives the chunk that it ends.
    pub(crate) fn push(&mut self, entry: &Entry) -> Option<Chunk> {
        put(&mut self.body, entry.id.as_bytes());
        self.body.extend_from_slice(&entry.hash);
        put(&mut self.body, entry.split.as_deref().unwrap_or_default().as_bytes());
        self.entries += 1;
        if entry.ends_chunk() || self.entries == MAX_ENTRIES { self.finish() } else { None }
    }

    /// Gives what is left.
    pub(crate) fn finish(&mut self) -> Option<Chunk> {
        if self.entries == 0 {
            return None;
        }
        let body = std::mem::take(&mut self.body);
        let entries = u32::try_from(std::mem::take(&mut self.entries)).unwrap_or(u32::MAX);
        Some(Chunk { of: ChunkRef { hash: *blake3::hash(&body).as_bytes(), entries }, body })
    }
}

/// Ids have at most 200 characters of at most 4 bytes, splits at most 100.
fn put(body: &mut Vec<u8>, text: &[u8]) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    body.extend_from_slice(&length.to_be_bytes());
    body.extend_from_slice(&text[..usize::from(length)]);
}

/// The items of a chunk.
pub(crate) fn entries(body: &[u8]) -> Result<Vec<Entry>, sqlx::Error> {
    let mut rest = body;
    let mut entries = Vec::new();
    while !rest.is_empty() {
        entries.push(entry(&mut rest).ok_or_else(|| damaged("a list of items of a dataset"))?);
    }
    Ok(entries)
}

fn entry(rest: &mut &[u8]) -> Option<Entry> {
    let id = text(rest)?;
    let (hash, after) = rest.split_first_chunk::<32>()?;
    *rest = after;
    let split = text(rest)?;
    Some(Entry { id, hash: *hash, split: (!split.is_empty()).then_some(split) })
}

fn text(rest: &mut &[u8]) -> Option<String> {
    let (length, after) = rest.split_first_chunk::<2>()?;
    let (text, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *rest = after;
    String::from_utf8(text.to_vec()).ok()
}

/// A version's chunks, as they stand in its row.
pub(crate) fn write(chunks: &[ChunkRef]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(chunks.len() * REFERENCE_BYTES);
    for chunk in chunks {
        bytes.extend_from_slice(&chunk.hash);
        bytes.extend_from_slice(&chunk.entries.to_be_bytes());
    }
    bytes
}

pub(crate) fn read(bytes: &[u8]) -> Result<Vec<ChunkRef>, sqlx::Error> {
    let (chunks, rest) = bytes.as_chunks::<REFERENCE_BYTES>();
    if !rest.is_empty() {
        return Err(damaged("a version of a dataset"));
    }
    let read = |chunk: &[u8; REFERENCE_BYTES]| {
        let (hash, entries) = chunk.split_first_chunk::<32>()?;
        Some(ChunkRef { hash: *hash, entries: u32::from_be_bytes(entries.try_into().ok()?) })
    };
    chunks.iter().map(read).collect::<Option<_>>().ok_or_else(|| damaged("a version of a dataset"))
}

pub(crate) fn damaged(what: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("{what} is damaged").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(n: u32) -> Vec<Entry> {
        let entry = |i: u32| Entry {
            id: format!("item-{i}"),
            hash: *blake3::hash(&i.to_be_bytes()).as_bytes(),
            split: i.is_multiple_of(3).then(|| "test".to_owned()),
        };
        (0..n).map(entry).collect()
    }

    fn cut(list: &[Entry]) -> Vec<Chunk> {
        let mut chunker = Chunker::default();
        let mut chunks: Vec<Chunk> = list.iter().filter_map(|entry| chunker.push(entry)).collect();
        chunks.extend(chunker.finish());
        chunks
    }

    #[test]
    fn a_list_comes_back_and_a_change_touches_one_chunk() {
        let before = list(20_000);
        let old = cut(&before);
        let back: Vec<Entry> = old.iter().flat_map(|chunk| entries(&chunk.body).unwrap()).collect();
        assert_eq!(back, before);
        let refs: Vec<ChunkRef> = old.iter().map(|chunk| chunk.of).collect();
        assert_eq!(read(&write(&refs)).unwrap(), refs);

        for (place, bound) in [(0, 2), (10_000, 2), (19_999, 2)] {
            let mut after = before.clone();
            after.remove(place);
            let new = cut(&after);
            let fresh = new.iter().filter(|chunk| !refs.contains(&chunk.of)).count();
            assert!(fresh <= bound && new.len() > 10, "{fresh} of {} chunks are new", new.len());
        }
    }

    #[test]
    fn what_is_cut_off_is_no_list() {
        let chunks = cut(&list(3));
        assert!(entries(&chunks[0].body[..10]).is_err());
        assert!(read(&[0; 35]).is_err());
        assert!(cut(&[]).is_empty());
    }
}
