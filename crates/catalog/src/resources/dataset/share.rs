//! Splits of items that don't name one: by a hash of the id, so that an item stays where it is whatever else
//! comes and goes.

use serde::{Deserialize, Serialize};

use super::name::check_name;
use crate::error::CatalogError;

const MAX_SHARES: usize = 20;

/// A split, and how large it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// Its name, e.g. `test`.
    pub split: String,
    /// Its part of the whole, e.g. 20 of 100.
    pub weight: f64,
}

impl Share {
    /// The split of an item with this id; none if there are no shares.
    pub(crate) fn of<'a>(shares: &'a [Self], id: &str) -> Option<&'a str> {
        let [a, b, c, d, ..] = *blake3::hash(id.as_bytes()).as_bytes();
        let place = f64::from(u32::from_be_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0);
        let whole: f64 = shares.iter().map(|share| share.weight).sum();
        let mut end = 0.0;
        for share in shares {
            end += share.weight / whole;
            if place < end {
                return Some(&share.split);
            }
        }
        shares.last().map(|share| share.split.as_str())
    }

    pub(super) fn check(shares: &[Self]) -> Result<(), CatalogError> {
        let wrong = |problem: String| Err(CatalogError::Invalid { field: "shares", problem });
        if shares.len() > MAX_SHARES {
            return wrong(format!("expected at most {MAX_SHARES}, found {}", shares.len()));
        }
        for (i, share) in shares.iter().enumerate() {
            if let Err(problem) = check_name("split", &share.split) {
                return wrong(problem);
            }
            if !(share.weight.is_finite() && share.weight > 0.0) {
                return wrong(format!("the weight of `{}` is {}; expected more than 0", share.split, share.weight));
            }
            if shares[..i].iter().any(|before| before.split == share.split) {
                return wrong(format!("`{}` stands there twice", share.split));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(of: &[(&str, f64)]) -> Vec<Share> {
        of.iter().map(|&(split, weight)| Share { split: split.to_owned(), weight }).collect()
    }

    #[test]
    fn items_are_shared_out_by_weight_and_stay() {
        let shares = shares(&[("train", 80.0), ("test", 20.0)]);
        let splits: Vec<&str> = (0..10_000).filter_map(|i| Share::of(&shares, &format!("item-{i}"))).collect();
        let test = splits.iter().filter(|split| **split == "test").count();
        assert!((1_850..2_150).contains(&test), "{test}");
        assert_eq!(Share::of(&shares, "item-1"), Some(splits[1]));
        assert_eq!(Share::of(&[], "item-1"), None);
    }

    #[test]
    fn refuses_what_shares_nothing_out() {
        let check = |of: &[(&str, f64)], problem: &str| {
            let error = Share::check(&shares(of)).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        };
        check(&[("a", 0.0)], "more than 0");
        check(&[("a", f64::NAN)], "more than 0");
        check(&[("a", 1.0), ("a", 1.0)], "twice");
        check(&[("a b", 1.0)], "letters");
        assert!(Share::check(&shares(&[("train", 0.8), ("test", 0.2)])).is_ok());
    }
}
