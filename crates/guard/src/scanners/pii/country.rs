//! What each country checks in its numbers. The characters come without separators, in the shape that `ids` gives
//! them, digits where the shape has digits.

use super::checksum::{luhn, mod11_10, number, weighted};
use super::ids::{mod11, mod97_complement};

fn digit(byte: u8) -> u32 {
    u32::from(byte.wrapping_sub(b'0'))
}

/// Whether `YYMMDD` is a date; `sixties` allows 60 more on the day, as Sweden does for people without a number.
pub(super) fn date(n: &[u8], sixties: bool) -> bool {
    let day = number(&n[4..6]);
    let day = if sixties && day > 60 { day - 60 } else { day };
    (1..=12).contains(&number(&n[2..4])) && (1..=31).contains(&day)
}

/// Whether `DDMMYY` is a date.
pub(super) fn date_backwards(n: &[u8]) -> bool {
    (1..=12).contains(&number(&n[2..4])) && (1..=31).contains(&number(&n[..2]))
}

pub(super) fn itin(n: &[u8]) -> bool {
    n[0] == b'9' && matches!(number(&n[3..5]), 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

/// <https://www.cms.gov/medicare/new-medicare-card/understanding-the-mbi>: letters but S, L, O, I, B, Z.
pub(super) fn mbi(n: &[u8]) -> bool {
    let letter = |at: usize| n[at].is_ascii_alphabetic() && !b"SLOIBZ".contains(&n[at]);
    let figure = |at: usize| n[at].is_ascii_digit();
    let either = |at: usize| letter(at) || figure(at);
    n[0] != b'0' && letter(1) && either(2) && figure(3) && letter(4) && either(5) && figure(6) && letter(7) && letter(8)
}

pub(super) fn npi(n: &[u8]) -> bool {
    matches!(n[0], b'1' | b'2') && luhn(&[b"80840", n].concat())
}

pub(super) fn aba(n: &[u8]) -> bool {
    matches!(number(&n[..2]), 1..=12 | 21..=32 | 61..=72 | 80)
        && weighted(n, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
}

pub(super) fn dea(n: &[u8]) -> bool {
    let sum = weighted(&n[2..], &[1, 2, 1, 2, 1, 2]);
    b"ABCDEFGHJKLMPRSTUX".contains(&n[0]) && sum % 10 == digit(n[8]) && n[2..].iter().any(|figure| *figure != b'0')
}

pub(super) fn nhs(n: &[u8]) -> bool {
    let check = 11 - weighted(n, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    check % 11 == digit(n[9]) && check != 10
}

/// <https://www.gov.uk/hmrc-internal-manuals/national-insurance-manual/nim39110>.
pub(super) fn nino(n: &[u8]) -> bool {
    !b"DFIQUV".contains(&n[0])
        && !b"DFIOQUV".contains(&n[1])
        && ![b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"].contains(&&[n[0], n[1]])
        && b"ABCD".contains(&n[8])
}

pub(super) fn tfn(n: &[u8]) -> bool {
    weighted(n, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11)
}

pub(super) fn abn(n: &[u8]) -> bool {
    const WEIGHTS: [u32; 11] = [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19];
    n[0] != b'0' && (weighted(n, &WEIGHTS) - 10).is_multiple_of(89)
}

pub(super) fn acn(n: &[u8]) -> bool {
    (10 - weighted(n, &[8, 7, 6, 5, 4, 3, 2, 1]) % 10) % 10 == digit(n[8])
}

pub(super) fn medicare(n: &[u8]) -> bool {
    matches!(n[0], b'2'..=b'6') && weighted(n, &[1, 3, 7, 9, 1, 3, 7, 9]) % 10 == digit(n[8])
}

const NIF: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

pub(super) fn nif(n: &[u8]) -> bool {
    NIF[(number(&n[..8]) % 23) as usize] == n[8]
}

pub(super) fn nie(n: &[u8]) -> bool {
    let Some(first) = b"XYZ".iter().position(|letter| *letter == n[0]) else { return false };
    NIF[((first as u64 * 10_000_000 + number(&n[1..8])) % 23) as usize] == n[8]
}

/// The odd places count by a table of their own.
pub(super) fn fiscal_code(n: &[u8]) -> bool {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let place = |byte: u8| if byte.is_ascii_digit() { digit(byte) } else { u32::from(byte - b'A') };
    let sum: u32 = n[..15]
        .iter()
        .enumerate()
        .map(|(at, &byte)| if at % 2 == 0 { ODD[place(byte) as usize] } else { place(byte) })
        .sum();
    sum % 26 == u32::from(n[15].wrapping_sub(b'A')) && b"ABCDEHLMPRST".contains(&n[8])
}

pub(super) fn norway(n: &[u8]) -> bool {
    (date_backwards(n) || (n[0] >= b'4' && (1..=12).contains(&number(&n[2..4]))))
        && weighted(n, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]).is_multiple_of(11)
        && weighted(n, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

/// The century is added to the month.
pub(super) fn pesel(n: &[u8]) -> bool {
    matches!(number(&n[2..4]) % 20, 1..=12)
        && matches!(number(&n[4..6]), 1..=31)
        && weighted(n, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
}

pub(super) fn singapore(n: &[u8]) -> bool {
    let (table, extra) = match n[0] {
        b'S' => (b"JZIHGFEDCBA", 0),
        b'T' => (b"JZIHGFEDCBA", 4),
        b'F' => (b"XWUTRQPNMLK", 0),
        b'G' => (b"XWUTRQPNMLK", 4),
        b'M' => (b"KLJNPQRTUWX", 3),
        _ => return false,
    };
    let rest = (weighted(&n[1..8], &[2, 7, 6, 5, 4, 3, 2]) + extra) % 11;
    let place = if n[0] == b'M' { 10 - rest } else { rest };
    table[place as usize] == n[8]
}

/// The fourth letter says what kind of holder it is.
pub(super) fn pan(n: &[u8]) -> bool {
    b"ABCFGHJLPT".contains(&n[3]) && n[5..9] != *b"0000"
}

pub(super) fn gstin(n: &[u8]) -> bool {
    let place = |byte: u8| if byte.is_ascii_digit() { digit(byte) } else { u32::from(byte - b'A') + 10 };
    let sum: u32 = n[..14]
        .iter()
        .enumerate()
        .map(|(at, &byte)| {
            let product = place(byte) * (1 + at as u32 % 2);
            product / 36 + product % 36
        })
        .sum();
    matches!(number(&n[..2]), 1..=38 | 97 | 99) && (36 - sum % 36) % 36 == place(n[14])
}

/// Those given out since October 2020 have no check digit; the others must have the right one.
pub(super) fn korea(n: &[u8]) -> bool {
    let right = (11 - weighted(n, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11) % 10 == digit(n[12]);
    let recent = matches!(n[6], b'3' | b'4' | b'7' | b'8') && number(&n[..2]) >= 20;
    date(n, false) && matches!(n[6], b'1'..=b'8') && (right || recent)
}

pub(super) fn brn(n: &[u8]) -> bool {
    let sum = weighted(n, &[1, 3, 7, 1, 3, 7, 1, 3, 5]) + digit(n[8]) * 5 / 10;
    n[0] != b'0' && (10 - sum % 10) % 10 == digit(n[9])
}

pub(super) fn thailand(n: &[u8]) -> bool {
    let sum = weighted(n, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    matches!(n[0], b'1'..=b'8') && (11 - sum % 11) % 10 == digit(n[12])
}

pub(super) fn turkey(n: &[u8]) -> bool {
    let odd: u32 = [0, 2, 4, 6, 8].iter().map(|&at| digit(n[at])).sum();
    let even: u32 = [1, 3, 5, 7].iter().map(|&at| digit(n[at])).sum();
    let all = odd + even + digit(n[9]);
    n[0] != b'0' && (odd * 7 + 90 - even) % 10 == digit(n[9]) && all % 10 == digit(n[10])
}

pub(super) fn south_africa(n: &[u8]) -> bool {
    date(n, false) && matches!(n[10], b'0'..=b'2') && luhn(n)
}

/// Of the first ten digits one comes twice or three times, so that at most nine and at least eight differ.
pub(super) fn steuer_id(n: &[u8]) -> bool {
    let mut seen = [0; 10];
    n[..10].iter().for_each(|&figure| seen[digit(figure) as usize] += 1);
    let most = seen.iter().max().copied().unwrap_or(0);
    let repeated = seen.iter().filter(|&&count| count > 1).count();
    n[0] != b'0' && (2..=3).contains(&most) && repeated == 1 && mod11_10(n)
}

/// Letters count as two digits, all digits of the products are added up.
pub(super) fn rentenversicherung(n: &[u8]) -> bool {
    let letter = u32::from(n[8] - b'A') + 1;
    let figures: Vec<u32> =
        n[..8].iter().map(|&byte| digit(byte)).chain([letter / 10, letter % 10, digit(n[9]), digit(n[10])]).collect();
    let sum: u32 = figures
        .iter()
        .zip([2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1])
        .map(|(figure, weight)| figure * weight)
        .map(|product| product / 10 + product % 10)
        .sum();
    let day = number(&n[2..4]) % 50;
    (1..=31).contains(&day) && (1..=12).contains(&number(&n[4..6])) && sum % 10 == digit(n[11])
}

pub(super) fn krankenkasse(n: &[u8]) -> bool {
    let letter = u32::from(n[0] - b'A') + 1;
    let figures = [letter / 10, letter % 10].into_iter().chain(n[1..9].iter().map(|&byte| digit(byte)));
    let sum: u32 = figures
        .zip([1, 2].into_iter().cycle())
        .map(|(figure, weight)| figure * weight)
        .map(|product| product / 10 + product % 10)
        .sum();
    sum % 10 == digit(n[9])
}

/// ICAO 9303: weights 7, 3, 1.
pub(super) fn ausweis(n: &[u8]) -> bool {
    b"CFGHJKLMNPRTVWXYZ".contains(&n[0]) && weighted(n, &[7, 3, 1, 7, 3, 1, 7, 3, 1]) % 10 == digit(n[9])
}

pub(super) fn cpf(n: &[u8]) -> bool {
    !n.iter().all(|figure| *figure == n[0])
        && mod11(n, &[10, 9, 8, 7, 6, 5, 4, 3, 2], 9)
        && mod11(n, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2], 10)
}

pub(super) fn cnpj(n: &[u8]) -> bool {
    mod11(n, &[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2], 12) && mod11(n, &[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2], 13)
}

/// Corsica's departments are 2A and 2B.
pub(super) fn nir(n: &[u8]) -> bool {
    let mut body = n[..13].to_vec();
    match n[6] {
        b'A' if n[5] == b'2' => body[5..7].copy_from_slice(b"19"),
        b'B' if n[5] == b'2' => body[5..7].copy_from_slice(b"18"),
        _ => {}
    }
    let month = matches!(number(&n[3..5]), 1..=12 | 20..=42 | 50..=99);
    matches!(n[0], b'1'..=b'4' | b'7' | b'8')
        && month
        && body.iter().all(u8::is_ascii_digit)
        && mod97_complement(&body, &n[13..])
}

pub(super) fn bsn(n: &[u8]) -> bool {
    weighted(n, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 == digit(n[8]) && n != b"000000000"
}

/// For people born since 2000 a 2 is put before.
pub(super) fn belgium(n: &[u8]) -> bool {
    let month = number(&n[2..4]) % 20 <= 12;
    month && (mod97_complement(&n[..9], &n[9..]) || mod97_complement(&[b"2", &n[..9]].concat(), &n[9..]))
}

pub(super) fn ean13(n: &[u8]) -> bool {
    weighted(n, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10)
}

/// GB 11643: ISO 7064 MOD 11-2 over a region, a date and a serial number.
pub(super) fn china(n: &[u8]) -> bool {
    let sum = weighted(n, &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    let dated = matches!(&n[6..8], b"19" | b"20") && date(&n[8..14], false);
    matches!(n[0], b'1'..=b'8') && dated && b"10X98765432"[(sum % 11) as usize] == n[17]
}

pub(super) fn curp(n: &[u8]) -> bool {
    // Between N and O stands Ñ, with a value of its own.
    let place = |byte: u8| match byte {
        b'0'..=b'9' => digit(byte),
        b'A'..=b'N' => u32::from(byte - b'A') + 10,
        _ => u32::from(byte - b'A') + 11,
    };
    let sum: u32 = n[..17].iter().zip((2..=18).rev()).map(|(&byte, weight)| place(byte) * weight).sum();
    date(&n[4..10], false) && matches!(n[10], b'H' | b'M' | b'X') && (10 - sum % 10) % 10 == digit(n[17])
}

pub(super) fn rut(n: &[u8]) -> bool {
    let Some((&check, body)) = n.split_last() else { return false };
    let sum: u32 =
        body.iter().rev().zip([2, 3, 4, 5, 6, 7].into_iter().cycle()).map(|(&byte, weight)| digit(byte) * weight).sum();
    b"0K987654321".get((sum % 11) as usize).is_some_and(|&expected| expected == check)
}

pub(super) fn cuit(n: &[u8]) -> bool {
    let check = 11 - weighted(n, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    matches!(number(&n[..2]), 20 | 23 | 24 | 25 | 26 | 27 | 30 | 33 | 34) && check % 11 == digit(n[10])
}

pub(super) fn portugal(n: &[u8]) -> bool {
    matches!(n[0], b'1'..=b'3' | b'5' | b'6' | b'8' | b'9') && mod11(n, &[9, 8, 7, 6, 5, 4, 3, 2], 8)
}
