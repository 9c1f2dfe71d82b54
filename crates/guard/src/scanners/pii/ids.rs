//! National ids and other numbers with a shape: one line each, with its checksum and the words that must be near.

use std::sync::LazyLock;

use super::checksum::{luhn, mod11_10, mod97, number, verhoeff, weighted};
use super::context::{Context, Topic};
use super::rules::Id;
use super::shape::{LONGEST, Plain};
use super::{country, found};
use crate::scanners::nearby::{Found, Near};

/// One kind of number.
struct Kind {
    id: Id,
    shape: &'static str,
    /// Whether the characters can be such a number.
    holds: fn(&[u8]) -> bool,
    /// How sure it is without a word near it, written in one piece.
    bare: f32,
    /// The same, written with its separators.
    parted: f32,
    /// Words that say what it is.
    words: &'static [Topic],
}

const fn kind(
    id: Id,
    shape: &'static str,
    holds: fn(&[u8]) -> bool,
    (bare, parted): (f32, f32),
    words: &'static [Topic],
) -> Kind {
    Kind { id, shape, holds, bare, parted, words }
}

/// With a word near it.
const NAMED: f32 = 0.9;
/// Not without a word.
const NEVER: (f32, f32) = (0.0, 0.0);
/// A checksum and a structure that chance does not make.
const STRONG: (f32, f32) = (0.85, 0.85);
/// Only its own separators make it sure enough.
const PARTED: (f32, f32) = (0.0, 0.7);
/// A structure that chance makes once in a thousand numbers.
const FAIR: (f32, f32) = (0.55, 0.6);

use Topic::{
    Aadhaar, Aba, Abn, Acn, Bsn, Business, Cpr, Cuit, Fodselsnummer, Health, Itin, National, Npi, Pan, Pesel, Sin, Ssn,
    Tax,
};

static KINDS: &[Kind] = &[
    kind(Id::us_ssn, "999~99~9999", ssn, (0.0, 0.75), &[Ssn]),
    kind(Id::us_ssn, "999~999999", ssn, NEVER, &[Ssn]),
    kind(Id::us_ssn, "99999~9999", ssn, NEVER, &[Ssn]),
    kind(Id::us_itin, "999 99 9999", country::itin, PARTED, &[Itin, Ssn]),
    kind(Id::us_mbi, "9XXX XXX XX99", country::mbi, (0.6, 0.7), &[Health]),
    kind(Id::us_npi, "9999999999", country::npi, NEVER, &[Npi]),
    kind(Id::aba_routing_number, "999999999", country::aba, NEVER, &[Aba]),
    kind(Id::medical_license, "AA9999999", country::dea, (0.7, 0.7), &[]),
    kind(Id::ca_sin, "999 999 999", |n| n[0] != b'0' && n[0] != b'8' && luhn(n), NEVER, &[Sin]),
    kind(Id::uk_nhs, "999 999 9999", country::nhs, NEVER, &[Health]),
    kind(Id::uk_nino, "AA 99 99 99 A", country::nino, (0.75, 0.75), &[]),
    kind(Id::au_tfn, "999 999 999", country::tfn, NEVER, &[Tax]),
    kind(Id::au_abn, "99 999 999 999", country::abn, (0.0, 0.6), &[Abn, Tax]),
    kind(Id::au_acn, "999 999 999", country::acn, NEVER, &[Acn]),
    kind(Id::au_medicare, "9999 99999 9", country::medicare, (0.0, 0.6), &[Health]),
    kind(Id::es_nif, "99999999 A", country::nif, STRONG, &[]),
    kind(Id::es_nie, "A 9999999 A", country::nie, STRONG, &[]),
    kind(Id::it_fiscal_code, "AAA AAA XXAXX AXXXA", country::fiscal_code, STRONG, &[]),
    kind(Id::it_vat_code, "IT99999999999", |n| luhn(&n[2..]), STRONG, &[]),
    kind(Id::it_vat_code, "99999999999", luhn, NEVER, &[Business]),
    kind(Id::se_personnummer, "999999-9999", |n| country::date(n, true) && luhn(n), STRONG, &[National]),
    kind(Id::se_personnummer, "99999999-9999", |n| country::date(&n[2..], true) && luhn(&n[2..]), STRONG, &[National]),
    kind(Id::se_personnummer, "999999999999", |n| country::date(&n[2..], true) && luhn(&n[2..]), NEVER, &[Cpr]),
    kind(Id::se_personnummer, "9999999999", |n| country::date(n, true) && luhn(n), NEVER, &[Cpr]),
    kind(Id::se_organisationsnummer, "999999-9999", |n| n[2] >= b'2' && luhn(n), NEVER, &[Business]),
    kind(Id::dk_cpr, "999999-9999", country::date_backwards, NEVER, &[Cpr]),
    kind(Id::no_fodselsnummer, "999999 99999", country::norway, FAIR, &[Fodselsnummer, National]),
    kind(Id::pl_pesel, "99999999999", country::pesel, NEVER, &[Pesel, National]),
    kind(Id::sg_nric_fin, "A9999999A", country::singapore, STRONG, &[]),
    kind(Id::in_aadhaar, "9999 9999 9999", |n| n[0] >= b'2' && verhoeff(n), (0.0, 0.7), &[Aadhaar]),
    kind(Id::in_pan, "AAAAA9999A", country::pan, (0.55, 0.55), &[Pan]),
    kind(Id::in_gstin, "99AAAAA9999AXAX", country::gstin, STRONG, &[]),
    kind(Id::kr_rrn, "999999-9999999", country::korea, (0.7, 0.7), &[National]),
    kind(Id::kr_brn, "999-99-99999", country::brn, (0.6, 0.6), &[Business]),
    kind(Id::th_tnin, "9 9999 99999 99 9", country::thailand, PARTED, &[National]),
    kind(Id::tr_national_id, "99999999999", country::turkey, (0.55, 0.55), &[National]),
    kind(Id::za_id_number, "999999 9999 99 9", country::south_africa, PARTED, &[National]),
    kind(Id::de_tax_id, "99 999 999 999", country::steuer_id, (0.0, 0.6), &[Tax]),
    kind(Id::de_social_security, "99 999999 A 999", country::rentenversicherung, STRONG, &[]),
    kind(Id::de_health_insurance, "A999999999", country::krankenkasse, (0.55, 0.55), &[Health]),
    kind(Id::de_vat_id, "DE 999999999", |n| mod11_10(&n[2..]), (0.8, 0.8), &[]),
    kind(Id::de_id_card, "XXXXXXXXX9", country::ausweis, NEVER, &[National]),
    kind(Id::br_cpf, "999.999.999-99", country::cpf, STRONG, &[]),
    kind(Id::br_cpf, "99999999999", country::cpf, (0.0, 0.0), &[Tax]),
    kind(Id::br_cnpj, "99.999.999/9999-99", country::cnpj, STRONG, &[]),
    kind(Id::fr_nir, "9 99 99 XX 999 999 99", country::nir, (0.5, 0.85), &[]),
    kind(Id::nl_bsn, "9999 99 999", country::bsn, NEVER, &[Bsn]),
    kind(Id::be_national_number, "99.99.99-999.99", country::belgium, STRONG, &[]),
    kind(Id::be_national_number, "99999999999", country::belgium, NEVER, &[National]),
    kind(Id::ch_ahv, "756~9999~9999~99", country::ean13, STRONG, &[]),
    kind(Id::cn_resident_id, "99999999999999999X", country::china, STRONG, &[]),
    kind(Id::mx_curp, "AAAA999999AAAAAAX9", country::curp, STRONG, &[]),
    kind(Id::cl_rut, "99.999.999-X", country::rut, STRONG, &[]),
    kind(Id::cl_rut, "9.999.999-X", country::rut, STRONG, &[]),
    kind(Id::ar_cuit, "99-99999999-9", country::cuit, (0.7, 0.7), &[Cuit]),
    kind(Id::pt_nif, "999 999 999", country::portugal, NEVER, &[Tax]),
];

/// By the first byte (a digit, or a letter) and the length of the word that starts there: the kinds that fit.
/// Most words of a text fit none.
static FITTING: LazyLock<[[Vec<&'static Kind>; LONGEST + 1]; 2]> = LazyLock::new(|| {
    let kinds = |digit: bool, length: usize| KINDS.iter().filter(move |kind| fits(kind.shape, digit, length)).collect();
    [true, false].map(|digit| std::array::from_fn(|length| kinds(digit, length)))
});

/// Whether something of this shape can start with a digit, or else a letter, in a word of this length.
fn fits(shape: &str, digit: bool, length: usize) -> bool {
    let first = shape.as_bytes()[0];
    let begins = match first {
        b'9' => digit,
        b'A' => !digit,
        b'X' => true,
        _ => first.is_ascii_digit() == digit,
    };
    // The word ends where the shape ends, at what is no letter nor digit, and where a separator may stand.
    let mut word = 0;
    for byte in shape.bytes() {
        match byte {
            b' ' | b'~' if word == length => return begins,
            b' ' | b'~' => {}
            _ if byte.is_ascii_alphanumeric() => word += 1,
            _ => break,
        }
    }
    begins && word == length
}

/// The surest kind of number that starts at the anchor.
pub(super) fn look(near: Near<'_>, context: &mut impl FnMut(usize) -> Context) -> Option<Found> {
    if !near.starts_alone(near.at) {
        return None;
    }
    let length = near.slice(near.at, near.at + LONGEST + 1).iter().position(|byte| !byte.is_ascii_alphanumeric());
    let length = length.unwrap_or(near.bytes.len() - near.at);
    let digit = near.get(near.at).is_some_and(|byte| byte.is_ascii_digit());
    let mut best: Option<Found> = None;
    for kind in FITTING[usize::from(!digit)].get(length).into_iter().flatten() {
        let Some(plain) = near.shape(kind.shape.as_bytes()) else { continue };
        if !near.ends_alone(plain.end) || !(kind.holds)(plain.text()) {
            continue;
        }
        let confidence = sure(kind, near, &plain, context(plain.end));
        if confidence >= 0.5 && best.is_none_or(|best| confidence > best.confidence) {
            best = found(kind.id, near.at, plain.end, confidence);
        }
    }
    best.or_else(|| finland(near).filter(|_| length >= 6))
}

fn sure(kind: &Kind, near: Near<'_>, plain: &Plain, context: Context) -> f32 {
    let parts = kind.shape.bytes().filter(|&byte| byte == b' ' || byte == b'~').count();
    let whole = plain.separators == 0 || plain.separators == parts;
    if whole && context.any(kind.words) {
        return NAMED;
    }
    let confidence = if parts > 0 && plain.separators == parts { kind.parted } else { kind.bare };
    // Half of the separators, or different ones, are the format of something else.
    let mut marks = near.slice(near.at, plain.end).iter().filter(|byte| b" -./".contains(byte));
    let first = marks.next();
    let even = marks.all(|mark| Some(mark) == first) || parts == 0;
    let doubtful = !even || !whole || context.is_thing();
    if doubtful && confidence < 0.85 { 0.0 } else { confidence }
}

/// The sign for the century is a part of it: `131052-308T`.
fn finland(near: Near<'_>) -> Option<Found> {
    let end = near.at + 11;
    let text = near.slice(near.at, end);
    let century = |byte: u8| matches!(byte, b'+' | b'-' | b'A'..=b'F' | b'U'..=b'Y');
    let fits = text.len() == 11
        && text[..6].iter().chain(&text[7..10]).all(u8::is_ascii_digit)
        && century(text[6])
        && country::date_backwards(text)
        && near.ends_alone(end);
    let check = fits.then(|| number(&text[..6]) * 1000 + number(&text[7..10]))? % 31;
    let letter = b"0123456789ABCDEFHJKLMNPRSTUVWXY".get(check as usize)?;
    (*letter == text[10]).then(|| found(Id::fi_personal_identity_code, near.at, end, 0.85)).flatten()
}

/// Numbers that were never given out: <https://www.ssa.gov/employer/randomization.html>.
fn ssn(n: &[u8]) -> bool {
    let (area, group, serial) = (&n[..3], &n[3..5], &n[5..]);
    let published = [&b"078051120"[..], b"219099999", b"000000000"];
    let never_given = area == b"000" || area == b"666" || area[0] == b'9' || group == b"00" || serial == b"0000";
    let alike = n.iter().all(|digit| *digit == n[0]);
    !(never_given || alike || published.contains(&n))
}

/// For the tables in `country`: a sum modulo 11 that must be the check digit.
pub(super) fn mod11(n: &[u8], weights: &[u32], check: usize) -> bool {
    let rest = weighted(n, weights) % 11;
    let expected = if rest < 2 { 0 } else { 11 - rest };
    n.get(check).is_some_and(|&digit| u32::from(digit.wrapping_sub(b'0')) == expected)
}

/// For the tables in `country`: a number of 97 minus the rest.
pub(super) fn mod97_complement(body: &[u8], check: &[u8]) -> bool {
    97 - u64::from(mod97(body.iter().copied())) == number(check)
}
