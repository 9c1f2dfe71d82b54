//! Words near a number that say what it is. A number without a format of its own is nothing without them.

use std::sync::LazyLock;

use crate::literals::Literals;
use crate::scanners::nearby::Near;

/// What a word speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    Aba,
    Abn,
    Acn,
    Aadhaar,
    Birth,
    Bsn,
    Business,
    Card,
    Cpr,
    Cuit,
    Driver,
    Fodselsnummer,
    /// Health insurance of Australia and Germany, patients of the NHS.
    Health,
    Ip,
    Itin,
    /// An identity card or a national id, of whatever country.
    National,
    Npi,
    Pan,
    Passport,
    Pesel,
    Phone,
    Record,
    Sin,
    Ssn,
    /// A tax number, of whatever country.
    Tax,
    Wallet,
    /// Numbers that are no personal data: orders, versions, products.
    Thing,
}

const TOPICS: usize = Topic::Thing as usize + 1;

/// How far before a number a word counts, and after it.
const BEFORE: usize = 56;
const AFTER: usize = 20;
/// A word for things speaks of the very next number.
const THING: usize = 28;

/// Lower case; ASCII words count only as whole words, an `s` more is allowed.
#[rustfmt::skip]
static WORDS: &[(Topic, &[&str])] = &[
    (Topic::Aba, &["routing", "aba", "rtn", "bankrouting"]),
    (Topic::Abn, &["abn", "australian business number"]),
    (Topic::Acn, &["acn", "australian company number"]),
    (Topic::Aadhaar, &["aadhaar", "aadhar", "uidai", "आधार"]),
    (Topic::Birth, &["born", "birth", "dob", "d.o.b", "birthday", "birthdate", "date_of_birth", "dateofbirth", "birth_date",
        "geboren", "geburtsdatum", "né le", "née le", "naissance", "nacimiento", "nacido", "nacida", "nascimento", "nato il",
        "nata il", "nascita", "geboortedatum", "född", "urodzenia", "дата рождения", "родился", "родилась", "出生", "生年月日",
        "생년월일"]),
    (Topic::Bsn, &["bsn", "burgerservicenummer", "sofinummer"]),
    (Topic::Business, &["brn", "business registration", "사업자등록번호", "사업자", "organisationsnummer", "org.nr", "orgnr",
        "org nr", "cnpj", "partita iva", "vat", "vat id", "p.iva", "ust-idnr", "ustid", "umsatzsteuer", "gstin"]),
    (Topic::Card, &["card", "credit", "debit", "cc", "visa", "mastercard", "amex", "maestro", "discover", "creditcard",
        "card_number", "cardnumber", "ccn", "tarjeta", "karte", "kreditkarte", "carte", "carta", "cartão", "kaart", "kort",
        "карта", "карты", "信用卡", "银行卡", "カード", "카드"]),
    (Topic::Cpr, &["cpr", "cpr-nummer", "personnummer"]),
    (Topic::Cuit, &["cuit", "cuil"]),
    (Topic::Driver, &["driver", "driver's license", "drivers license", "driver license", "driver's licence", "driving licence",
        "driving license", "drivers_license", "driver_license", "dl number", "dl#", "permit"]),
    (Topic::Fodselsnummer, &["fødselsnummer", "fodselsnummer", "personnummer", "f.nr", "fnr"]),
    (Topic::Health, &["nhs", "medicare", "krankenversichertennummer", "versichertennummer", "krankenkasse", "kvnr",
        "health insurance", "health number"]),
    (Topic::Ip, &["ip", "ipv4", "ipv6", "address", "host", "server", "ping", "subnet", "gateway", "client", "client_ip",
        "ip_address", "remote_addr", "dns", "router", "loopback", "localhost", "src", "dst", "listen", "login", "logged in", "visitor",
        "connection", "connected", "firewall", "proxy", "vpn", "peer", "banned", "blocked", "adresse", "adresse ip", "dirección"]),
    (Topic::Itin, &["itin", "individual taxpayer", "taxpayer", "tax id"]),
    (Topic::National, &["national id", "id number", "id card", "id no", "identity", "identification", "identity number",
        "personal number", "personal id", "citizen", "ausweis", "personalausweis", "ausweisnummer", "id-nummer", "dni", "cédula",
        "cedula", "身份证", "身分證", "주민등록번호", "주민번호", "kimlik", "บัตรประชาชน", "identity document", "id", "rijksregister",
        "numéro national", "ssn", "national_id", "id_number", "government id", "citizen id"]),
    (Topic::Npi, &["npi", "national provider", "provider"]),
    (Topic::Pan, &["pan", "permanent account"]),
    (Topic::Passport, &["passport", "passport number", "passport_number", "passeport", "pasaporte", "reisepass", "passaporto",
        "paspoort", "паспорт", "护照"]),
    (Topic::Pesel, &["pesel"]),
    (Topic::Phone, &["phone", "telephone", "tel", "tél", "mobile", "cell", "cellphone", "cellular", "fax", "call", "called",
        "calling", "dial", "desk", "whatsapp", "sms", "text me", "text us", "reach", "reached", "contact", "hotline", "landline",
        "ring", "answering", "messages to", "message me", "telefon", "telefono", "teléfono",
        "telefone", "telefoon", "téléphone", "telephone", "handy", "mobil", "móvil", "movil", "celular", "portable",
        "cellulare", "rufnummer", "puhelin", "phone_number", "phonenumber", "ph", "phone no", "telefonnummer", "gsm",
        "текст", "телефон", "тел", "моб", "电话", "手机", "電話", "携帯", "전화", "휴대폰", "هاتف", "फ़ोन", "फोन", "phone number"]),
    (Topic::Record, &["mrn", "medical record", "patient id", "patient_id", "patient number", "chart number", "chart no",
        "medical_record_number", "health record", "hospital number", "patient no"]),
    (Topic::Sin, &["sin", "social insurance"]),
    (Topic::Ssn, &["ssn", "ssns", "social security", "socialsecurity", "social_security", "ss#", "soc sec"]),
    (Topic::Tax, &["tax", "tax id", "tax file", "tfn", "tin", "steuer-id", "steuerid", "steueridentifikationsnummer", "steuer",
        "steuer-identifikationsnummer", "idnr", "nif", "contribuinte", "cpf", "codice fiscale", "fiscal", "inn", "vergi"]),
    (Topic::Wallet, &["wallet", "eth", "ethereum", "ether", "erc20", "usdt", "crypto", "metamask", "donate", "btc", "bitcoin"]),
    (Topic::Thing, &["order", "invoice", "tracking", "version", "build", "sku", "serial", "ticket", "isbn", "issn", "model",
        "product", "part", "item", "ref", "reference", "transaction", "batch", "lot", "barcode", "upc", "ean", "asin", "port",
        "timestamp", "commit", "hash", "checksum", "uuid", "guid", "sha", "release", "revision", "seed", "row", "page", "issue",
        "case", "figure", "table", "section", "chapter", "rfc", "cve", "step", "iteration", "epoch", "dataset", "pi", "population",
        "doi", "arxiv", "pmid", "firmware", "chromium", "chrome", "kernel", "driver version"]),
];

struct Engine {
    words: Literals,
    topics: Vec<Topic>,
}

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let flat = || WORDS.iter().flat_map(|(topic, words)| words.iter().map(move |word| (*topic, *word)));
    Engine { words: Literals::new(flat().map(|(_, word)| word)), topics: flat().map(|(topic, _)| topic).collect() }
});

/// What the words around a number speak of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    /// How near the nearest word before the number is, by topic: 0 is none, higher is nearer.
    before: [u16; TOPICS],
    /// Topics of words after the number.
    after: u64,
}

impl Context {
    /// Reads the words before `start` and after `end`.
    pub(super) fn read(near: Near<'_>, start: usize, end: usize) -> Self {
        let mut context = Self { before: [0; TOPICS], after: 0 };
        let low = start.saturating_sub(BEFORE);
        let shift = BEFORE - (start - low);
        each(&near.bytes[low..start], |topic, end| context.before[topic as usize] = (shift + end) as u16);
        let high = near.bytes.len().min(end + AFTER);
        let after = &near.bytes[end.min(high)..high];
        // What stands on the next line is the name of the next value.
        let line = after.iter().position(|&byte| byte == b'\n' || byte == b':').unwrap_or(after.len());
        each(&after[..line], |topic, _| context.after |= 1 << topic as u32);
        context
    }

    /// Whether a word of the topic is near.
    pub(super) fn has(&self, topic: Topic) -> bool {
        self.leads(topic) || self.after >> topic as u32 & 1 == 1
    }

    /// Whether a word of the topic stands before the number.
    pub(super) fn leads(&self, topic: Topic) -> bool {
        self.before[topic as usize] > 0
    }

    pub(super) fn any(&self, topics: &[Topic]) -> bool {
        topics.iter().any(|&topic| self.has(topic))
    }

    /// Whether the nearest word before the number says that it is no personal data.
    pub(super) fn is_thing(&self) -> bool {
        let thing = self.before[Topic::Thing as usize];
        usize::from(thing) > BEFORE - THING && self.before[..Topic::Thing as usize].iter().all(|&other| other <= thing)
    }
}

/// Calls `with` for every word with its end.
fn each(text: &[u8], mut with: impl FnMut(Topic, usize)) {
    for found in ENGINE.words.find(text) {
        let (start, mut end) = (found.start(), found.end());
        if text.get(end).is_some_and(|&byte| byte | 32 == b's') {
            end += 1;
        }
        let ascii = text[start].is_ascii();
        let inside = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphabetic);
        let camel = text[start].is_ascii_uppercase() && start > 0 && text[start - 1].is_ascii_lowercase();
        if ascii && ((inside(text[..start].last()) && !camel) || inside(text.get(end))) {
            continue;
        }
        with(ENGINE.topics[found.pattern().as_usize()], end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, number: &str) -> Context {
        let at = text.find(number).unwrap();
        Context::read(Near { bytes: text.as_bytes(), at }, at, at + number.len())
    }

    #[test]
    fn words_count_whole_and_on_either_side() {
        assert!(ENGINE.words.is_built());
        assert!(of("my phone: 123", "123").leads(Topic::Phone));
        assert!(of("userPhone=123", "123").has(Topic::Phone));
        assert!(of("123 is my phone", "123").has(Topic::Phone));
        assert!(!of("the hotel 123", "123").has(Topic::Phone));
        assert!(!of("123\nphone: 456", "123").has(Topic::Phone));
        assert!(of("order 123", "123").is_thing());
        assert!(!of("order by phone 123", "123").is_thing());
    }
}
