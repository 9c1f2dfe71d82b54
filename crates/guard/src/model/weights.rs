//! The model file: hashed weights of one byte each, other weights of two.
//!
//! Little-endian: `SBXM`, version, number of buckets, number of dense features (each u32); for each head bias,
//! scale of hashed weights, scale of dense weights and threshold (f32); then hashed weights (i8, the heads of a
//! bucket beside each other) and dense weights (i16, likewise).

use super::features::DENSE;
use super::{BUCKETS, HEADS};

const MAGIC: &[u8; 4] = b"SBXM";
/// Changes with every change of the features: a file of another version is not read.
pub const VERSION: u32 = 5;
const HEADER: usize = 16 + HEADS * 16;

/// What is known of a head beside its weights.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct HeadSettings {
    /// The score of an empty text.
    pub bias: f32,
    /// What a hashed weight of 1 is worth.
    pub hashed_scale: f32,
    /// What a dense weight of 1 is worth.
    pub dense_scale: f32,
    /// From which score on a text is flagged.
    pub threshold: f32,
}

/// A trained model.
#[derive(Debug)]
pub struct Weights<'a> {
    /// Per head.
    pub heads: [HeadSettings; HEADS],
    hashed: &'a [[u8; HEADS]; BUCKETS],
    dense: Vec<[f32; HEADS]>,
}

impl<'a> Weights<'a> {
    /// Reads a model file; `None` if it is none or of another version.
    #[must_use]
    pub fn read(file: &'a [u8]) -> Option<Self> {
        let word = |at: usize| file.get(at..at + 4)?.first_chunk::<4>().copied();
        let size = |n: usize| u32::try_from(n).ok().map(u32::to_le_bytes);
        let expected = [Some(*MAGIC), Some(VERSION.to_le_bytes()), size(BUCKETS), size(DENSE)];
        if (0..4).any(|i| word(i * 4) != expected[i]) {
            return None;
        }
        let mut heads = [HeadSettings::default(); HEADS];
        for (i, head) in heads.iter_mut().enumerate() {
            let field = |k: usize| word(16 + i * 16 + k * 4).map(f32::from_le_bytes);
            *head =
                HeadSettings { bias: field(0)?, hashed_scale: field(1)?, dense_scale: field(2)?, threshold: field(3)? };
        }
        let (hashed, dense) = file.get(HEADER..)?.split_at_checked(BUCKETS * HEADS)?;
        let hashed = hashed.as_chunks::<HEADS>().0.first_chunk::<BUCKETS>()?;
        let (numbers, rest) = dense.as_chunks::<2>();
        let (rows, loose) = numbers.as_chunks::<HEADS>();
        if rows.len() != DENSE || !rest.is_empty() || !loose.is_empty() {
            return None;
        }
        let value = |head: usize, bytes: [u8; 2]| f32::from(i16::from_le_bytes(bytes)) * heads[head].dense_scale;
        let dense = rows.iter().map(|row| std::array::from_fn(|head| value(head, row[head]))).collect();
        Some(Self { heads, hashed, dense })
    }

    /// Writes a model file of plain weights, which it rounds.
    #[must_use]
    pub fn write(
        bias: [f32; HEADS],
        threshold: [f32; HEADS],
        hashed: &[[f32; HEADS]],
        dense: &[[f32; HEADS]],
    ) -> Vec<u8> {
        let greatest = |rows: &[[f32; HEADS]], head: usize| rows.iter().map(|row| row[head].abs()).fold(1e-6, f32::max);
        let hashed_scale: [f32; HEADS] = std::array::from_fn(|head| greatest(hashed, head) / 127.0);
        let dense_scale: [f32; HEADS] = std::array::from_fn(|head| greatest(dense, head) / 32767.0);
        let mut file = MAGIC.to_vec();
        for n in [VERSION as usize, BUCKETS, DENSE] {
            file.extend(u32::try_from(n).unwrap_or_default().to_le_bytes());
        }
        for head in 0..HEADS {
            for value in [bias[head], hashed_scale[head], dense_scale[head], threshold[head]] {
                file.extend(value.to_le_bytes());
            }
        }
        for row in hashed {
            #[expect(clippy::cast_possible_truncation, reason = "the scale keeps it within a byte")]
            file.extend((0..HEADS).map(|head| ((row[head] / hashed_scale[head]).round() as i8).cast_unsigned()));
        }
        for row in dense {
            #[expect(clippy::cast_possible_truncation, reason = "the scale keeps it within two bytes")]
            file.extend((0..HEADS).flat_map(|head| ((row[head] / dense_scale[head]).round() as i16).to_le_bytes()));
        }
        file
    }

    /// The weights of a bucket, unscaled.
    #[inline]
    pub(super) fn bucket(&self, bucket: usize) -> [i8; HEADS] {
        self.hashed[bucket].map(u8::cast_signed)
    }

    /// The weights of a dense feature.
    #[inline]
    pub(super) fn dense(&self, feature: usize) -> &[f32; HEADS] {
        &self.dense[feature]
    }
}
