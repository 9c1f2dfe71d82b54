//! The keys of one data file, sorted, beside it on disk: `magic | rows u64 | bloom length u64 | bloom |
//! entries | crc32 u32`, little-endian; an entry is `first u64 | rest u32 | row u32`. Only the filter's
//! first words are kept in memory, from its first use on: three quarters of a byte a row.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use signalbox_journal::fs::Fs;

use super::Key;
use super::bloom::{BLOCK_BYTES, Bloom, Kept};

const MAGIC: &[u8; 8] = b"SBKEYS01";
const HEADER: u64 = 24;
const ENTRY: usize = 16;
/// Entries that are read at once.
const BLOCK: u64 = 1_024;

/// Gathers the keys of a file while its rows are written.
#[derive(Debug, Default)]
pub(crate) struct KeyWriter(Vec<(Key, u32)>);

impl KeyWriter {
    /// The keys of the next rows.
    pub(crate) fn push(&mut self, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            let row = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
            self.0.push((key, row));
        }
    }

    /// Writes them; when this returns they survive a power loss.
    pub(crate) fn write(mut self, fs: &dyn Fs, path: &Path) -> io::Result<()> {
        self.0.sort_unstable();
        let mut bloom = Bloom::for_keys(self.0.len());
        self.0.iter().for_each(|(key, _)| bloom.insert(key.mixed()));
        let bloom = bloom.to_bytes();
        let mut bytes = Vec::with_capacity(HEADER as usize + bloom.len() + self.0.len() * ENTRY + 4);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&(self.0.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&(bloom.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&bloom);
        for (key, row) in &self.0 {
            bytes.extend_from_slice(&key.first.to_le_bytes());
            bytes.extend_from_slice(&key.rest.to_le_bytes());
            bytes.extend_from_slice(&row.to_le_bytes());
        }
        let crc = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        let tmp = path.with_extension("tmp");
        let mut file = fs.create(&tmp)?;
        file.write_all(&bytes)?;
        file.sync()?;
        fs.rename(&tmp, path)
    }
}

/// Where the rows of a key stand in a data file.
#[derive(Debug)]
pub(crate) struct FileKeys {
    path: PathBuf,
    open: OnceLock<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    rows: u64,
    entries_at: u64,
    filter: Kept,
}

impl FileKeys {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, open: OnceLock::new() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Rows that have the key.
    pub(crate) fn find(&self, key: Key) -> io::Result<Vec<u32>> {
        let open = self.open()?;
        if !open.may_contain(key)? {
            return Ok(Vec::new());
        }
        let mut rows = Vec::new();
        open.each_from(key, |other, row| {
            let same = other == key;
            rows.extend(same.then_some(row));
            same
        })?;
        Ok(rows)
    }

    /// Hands on which of the keys it has, by their place in the list, and the rows of each. For many keys much
    /// faster than one by one: the filter stays in the processor's cache.
    pub(crate) fn find_all(&self, keys: &[Key], mut found: impl FnMut(usize, u32)) -> io::Result<()> {
        let open = self.open()?;
        for (place, key) in keys.iter().enumerate() {
            if !open.may_contain(*key)? {
                continue;
            }
            open.each_from(*key, |other, row| {
                let same = other == *key;
                if same {
                    found(place, row);
                }
                same
            })?;
        }
        Ok(())
    }

    /// Rows whose first key column has this hash.
    pub(crate) fn find_first(&self, first: u64) -> io::Result<Vec<u32>> {
        let mut rows = Vec::new();
        self.open()?.each_from(Key { first, rest: 0 }, |other, row| {
            let same = other.first == first;
            rows.extend(same.then_some(row));
            same
        })?;
        Ok(rows)
    }

    /// Reads all of it and compares the checksum.
    pub(crate) fn verify(&self) -> io::Result<()> {
        let bytes = std::fs::read(&self.path)?;
        let sum = bytes.split_last_chunk::<4>().filter(|(body, _)| body.starts_with(MAGIC));
        match sum {
            Some((body, crc)) if crc32fast::hash(body) == u32::from_le_bytes(*crc) => Ok(()),
            _ => Err(damaged(&self.path)),
        }
    }

    /// Whether there is such a file, as long as it should be. Reads only its header: it is asked of
    /// every file at start.
    pub(crate) fn is_whole(path: &Path) -> bool {
        File::open(path).and_then(|file| header(path, &file)).is_ok()
    }

    fn open(&self) -> io::Result<&Open> {
        if let Some(open) = self.open.get() {
            return Ok(open);
        }
        let file = File::open(&self.path)?;
        let (rows, length) = header(&self.path, &file)?;
        let mut bloom = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        file.read_exact_at(&mut bloom, HEADER)?;
        let filter = Kept::of(&bloom).ok_or_else(|| damaged(&self.path))?;
        Ok(self.open.get_or_init(|| Open { file, rows, entries_at: HEADER + length, filter }))
    }
}

/// The number of rows and the length of the filter, if the file is as long as they say.
fn header(path: &Path, file: &File) -> io::Result<(u64, u64)> {
    let mut header = [0; HEADER as usize];
    file.read_exact_at(&mut header, 0)?;
    let (magic, numbers) = header.split_at(MAGIC.len());
    let (numbers, _) = numbers.as_chunks::<8>();
    let (rows, length) = match (magic == MAGIC, numbers) {
        (true, [rows, length]) => (u64::from_le_bytes(*rows), u64::from_le_bytes(*length)),
        _ => return Err(damaged(path)),
    };
    let bytes = HEADER.saturating_add(length).saturating_add(rows.saturating_mul(ENTRY as u64)).saturating_add(4);
    if file.metadata()?.len() == bytes { Ok((rows, length)) } else { Err(damaged(path)) }
}

fn damaged(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{} is damaged", path.display()))
}

impl Open {
    fn may_contain(&self, key: Key) -> io::Result<bool> {
        self.filter.may_contain(key.mixed(), |block| {
            let mut bytes = [0; BLOCK_BYTES];
            self.file.read_exact_at(&mut bytes, HEADER + (block * BLOCK_BYTES) as u64)?;
            Ok(bytes)
        })
    }

    /// Hands on the entries from the first that is not less than the key, as long as they are wanted.
    fn each_from(&self, key: Key, mut wanted: impl FnMut(Key, u32) -> bool) -> io::Result<()> {
        // It is at `low` or after it, and not after `high`.
        let (mut low, mut high) = (0, self.rows);
        // Keys are hashes: how great one is says about where it stands. If it isn't in the block there, it is
        // most likely in one of its neighbours.
        let guess = ((u128::from(key.first) * u128::from(self.rows)) >> 64) as u64;
        let (mut at, mut neighbours, mut known) = (guess.saturating_sub(BLOCK / 2), 2_u32, None);
        while high - low > BLOCK {
            let block = self.read(at)?;
            let (before, after) = (block.first().map(entry), block.last().map(entry));
            let near;
            if at > low && before.is_some_and(|(first, _)| first >= key) {
                (high, near) = (at, at.saturating_sub(BLOCK));
            } else if after.is_some_and(|(last, _)| last < key) {
                low = at + block.len() as u64;
                near = low;
            } else {
                (low, known) = (at, Some(block));
                break;
            }
            at = if neighbours > 0 { near.max(low) } else { low + (high - low) / 2 };
            neighbours = neighbours.saturating_sub(1);
        }
        while low < self.rows {
            let block = known.take().map_or_else(|| self.read(low), Ok)?;
            for (other, row) in block.iter().map(entry).skip_while(|(other, _)| *other < key) {
                if !wanted(other, row) {
                    return Ok(());
                }
            }
            low += block.len() as u64;
        }
        Ok(())
    }

    /// The entries from this one on.
    fn read(&self, from: u64) -> io::Result<Vec<[u8; ENTRY]>> {
        let mut entries = vec![[0; ENTRY]; BLOCK.min(self.rows - from) as usize];
        self.file.read_exact_at(entries.as_flattened_mut(), self.entries_at + from * ENTRY as u64)?;
        Ok(entries)
    }
}

fn entry(bytes: &[u8; ENTRY]) -> (Key, u32) {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *bytes;
    let first = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    (Key { first, rest: u32::from_le_bytes([i, j, k, l]) }, u32::from_le_bytes([m, n, o, p]))
}

#[cfg(test)]
mod tests {
    use signalbox_journal::fs::Real;

    use super::*;

    fn key(n: u64) -> Key {
        Key { first: super::super::first_of(&(n / 3).to_string()), rest: (n % 3) as u32 }
    }

    #[test]
    fn keys_are_found_wherever_they_cluster() {
        let dir = tempfile::tempdir().unwrap();
        // All in one corner, so that no guess is right, and half of them in one trace.
        for (rows, of) in
            [(1, 0), (1_024, 0), (1_025, u64::MAX), (20_000, 3), (20_000, u64::MAX - 1), (20_000, 1 << 63)]
        {
            let key = |n: u64| Key { first: if n.is_multiple_of(2) { of } else { of ^ n }, rest: n as u32 };
            let path = dir.path().join(format!("{rows}-{of}.keys"));
            let mut writer = KeyWriter::default();
            writer.push((0..rows).map(key));
            writer.write(&Real, &path).unwrap();
            let keys = FileKeys::new(path);
            for n in (0..rows).step_by(97).chain([rows - 1]) {
                assert_eq!(keys.find(key(n)).unwrap(), [n as u32], "{n} of {rows} at {of}");
            }
            assert_eq!(keys.find_first(of).unwrap().len() as u64, rows.div_ceil(2));
            assert_eq!(keys.find(key(rows)).unwrap(), [0; 0]);
        }
    }

    #[test]
    fn rows_are_found_by_key_and_by_its_first_part() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("1.keys");
        let mut writer = KeyWriter::default();
        // Row 5,000 and row 7 have the same key.
        writer.push((0..5_000).map(key).chain([key(7)]));
        writer.write(&Real, &path).unwrap();
        let keys = FileKeys::new(path.clone());
        keys.verify().unwrap();
        assert!(FileKeys::is_whole(&path));
        assert_eq!(keys.find(key(7)).unwrap(), [7, 5_000]);
        assert_eq!(keys.find(key(4_999)).unwrap(), [4_999]);
        assert_eq!(keys.find(key(6_000)).unwrap(), [0; 0]);
        let mut trace = keys.find_first(key(600).first).unwrap();
        trace.sort_unstable();
        assert_eq!(trace, [600, 601, 602]);
        assert!((0..5_000).all(|n| keys.find(key(n)).unwrap()[0] == n as u32));
        let (asked, mut found) = ([key(9_000), key(7), key(4_998)], Vec::new());
        keys.find_all(&asked, |place, row| found.push((place, row))).unwrap();
        assert_eq!(found, [(1, 7), (1, 5_000), (2, 4_998)]);

        let mut bytes = std::fs::read(&path).unwrap();
        // What can't be read any more is not taken for absent.
        std::fs::write(&path, &bytes[..HEADER as usize]).unwrap();
        assert!(keys.find(key(7)).is_err());
        assert!(keys.find_all(&[key(7)], |_, _| {}).is_err());
        bytes.pop();
        std::fs::write(&path, bytes).unwrap();
        assert!(!FileKeys::is_whole(&path));
        let keys = FileKeys::new(path);
        assert!(keys.verify().is_err());
        assert!(keys.find(key(1)).unwrap_err().to_string().contains("damaged"));
    }
}
