//! Check digits. All take the characters of a number without its separators: digits and capital letters.

use sha2::{Digest, Sha256};

/// The value of a digit, or of a letter as ISO 7064 counts them: A is 10.
fn value(byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'Z' => u32::from(byte - b'A') + 10,
        b'a'..=b'z' => u32::from(byte - b'a') + 10,
        _ => 0,
    }
}

/// The sum of the values times their weights.
pub(super) fn weighted(text: &[u8], weights: &[u32]) -> u32 {
    text.iter().zip(weights).map(|(&byte, weight)| value(byte) * weight).sum()
}

/// The number that the digits spell.
pub(super) fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |number, &digit| number * 10 + u64::from(value(digit)))
}

/// Luhn's formula (ISO/IEC 7812-1): every second digit from the right is doubled.
pub(super) fn luhn(digits: &[u8]) -> bool {
    let doubled = |(place, &digit): (usize, &u8)| {
        let twice = value(digit) * if place % 2 == 1 { 2 } else { 1 };
        twice / 10 + twice % 10
    };
    digits.iter().rev().enumerate().map(doubled).sum::<u32>() % 10 == 0
}

/// ISO 7064 MOD 97-10, as in an IBAN: letters are two digits.
pub(super) fn mod97(text: impl Iterator<Item = u8>) -> u32 {
    text.fold(0, |rest, byte| {
        let value = value(byte);
        (rest * if value > 9 { 100 } else { 10 } + value) % 97
    })
}

/// ISO 7064 MOD 11,10: tax ids of Germany.
pub(super) fn mod11_10(digits: &[u8]) -> bool {
    let Some((last, rest)) = digits.split_last() else { return false };
    let product = rest.iter().fold(10, |product, &digit| {
        let sum = (value(digit) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == value(*last)
}

/// Verhoeff's: Aadhaar numbers.
pub(super) fn verhoeff(digits: &[u8]) -> bool {
    /// The dihedral group D5.
    const MULTIPLY: [[u8; 10]; 10] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
        [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
        [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
        [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
        [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
        [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
        [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
        [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
        [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    ];
    const PERMUTE: [[u8; 10]; 8] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
        [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
        [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
        [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
        [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
        [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
        [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
    ];
    let step = |check: u8, (place, &digit): (usize, &u8)| {
        MULTIPLY[usize::from(check)][usize::from(PERMUTE[place % 8][value(digit) as usize % 10])]
    };
    digits.iter().rev().enumerate().fold(0, step) == 0
}

const NO_VALUE: u8 = u8::MAX;

/// The place of each byte in an alphabet.
const fn values(alphabet: &[u8]) -> [u8; 256] {
    let mut values = [NO_VALUE; 256];
    let mut at = 0;
    while at < alphabet.len() {
        values[alphabet[at] as usize] = at as u8;
        at += 1;
    }
    values
}

/// Base58Check: version, payload, and four bytes of a double SHA-256.
pub(super) fn base58check(text: &[u8]) -> bool {
    static VALUES: [u8; 256] = values(b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz");
    // 25 bytes in seven words, the highest first: quick, since any long word may ask for it.
    let mut words = [0_u32; 7];
    for &letter in text {
        let mut carry = u64::from(VALUES[usize::from(letter)]);
        if carry == u64::from(NO_VALUE) {
            return false;
        }
        for word in words.iter_mut().rev() {
            carry += u64::from(*word) * 58;
            *word = carry as u32;
            carry >>= 32;
        }
        if carry != 0 {
            return false;
        }
    }
    let bytes = words.map(u32::to_be_bytes);
    let (head, bytes) = bytes.as_flattened().split_at(3);
    let (payload, check) = bytes.split_at(21);
    // Versions: to a key, to a script.
    let version = head == [0; 3] && matches!(payload[0], 0 | 5);
    version && Sha256::digest(Sha256::digest(payload))[..4] == *check
}

/// Bech32 and Bech32m (BIP 173, BIP 350) with the prefix of Bitcoin; `text` in lower case, prefix included.
pub(super) fn bech32(text: &[u8]) -> bool {
    static VALUES: [u8; 256] = values(b"qpzry9x8gf2tvdw0s3jn54khce6mua7l");
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let step = |check: u32, value: u32| {
        let top = check >> 25;
        let bits = GENERATOR.iter().enumerate().filter(|(bit, _)| top >> bit & 1 == 1);
        bits.fold((check & 0x1ff_ffff) << 5 ^ value, |check, (_, generator)| check ^ generator)
    };
    let Some(data) = text.strip_prefix(b"bc1") else { return false };
    // `bc`, spread as the standard has it.
    let mut check = [3, 3, 0, 2, 3].into_iter().fold(1, step);
    for letter in data {
        let value = VALUES[usize::from(*letter)];
        if value == NO_VALUE {
            return false;
        }
        check = step(check, value.into());
    }
    matches!(check, 1 | 0x2bc8_30a3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(luhn(b"79927398713") && !luhn(b"79927398710"));
        assert_eq!(mod97(b"WEST12345698765432GB82".iter().copied()), 1);
        assert!(mod11_10(b"86095742719") && !mod11_10(b"86095742718"));
        assert!(verhoeff(b"2363") && !verhoeff(b"2364"));
        assert!(base58check(b"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"));
        assert!(!base58check(b"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"));
        assert!(bech32(b"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"));
        assert!(bech32(b"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"));
        assert!(!bech32(b"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"));
    }
}
