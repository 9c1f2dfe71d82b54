//! Text made of templates: attacks and harmless look-alikes.

use std::collections::{BTreeMap, HashMap};

use signalbox_guard::model::HEADS;

use crate::random::Random;
use crate::rows::{Labels, Row};

/// Texts made of each template, times its weight.
const EACH: usize = 9;
/// The same of one without slots, whose texts differ in style only.
const ALIKE: usize = 4;
/// Texts of the data into which an order is planted.
const PLANTED: usize = 6000;
/// Documents with somebody's ordinary request in their midst, where no user would put their own; and as many with one
/// before or after them, where users do.
const AMIDST: usize = 3000;
/// What a request is that may stand there, by length.
const REQUEST: std::ops::Range<usize> = 15..140;
/// Sources of requests and of prose, by the beginning of their name.
const ASKING: [&str; 3] = ["self-instruct", "OASST1", "BFCL"];
const READING: [&str; 5] = ["SummEdits", "GPTeacher", "presidio", "WildGuard", "deepset"];
/// What no order was planted into is at least this long: a sentence or two.
const DOCUMENT: std::ops::Range<usize> = 80..1200;

/// The files, by name: each is a source of its own.
const FILES: &[(&str, &str)] = &[
    ("agents", include_str!("templates/agents.txt")),
    ("basic", include_str!("templates/basic.txt")),
    ("direct", include_str!("templates/direct.txt")),
    ("everyday", include_str!("templates/everyday.txt")),
    ("extraction", include_str!("templates/extraction.txt")),
    ("field", include_str!("templates/field.txt")),
    ("guess", include_str!("templates/guess.txt")),
    ("harm", include_str!("templates/harm.txt")),
    ("hijack", include_str!("templates/hijack.txt")),
    ("jailbreak", include_str!("templates/jailbreak.txt")),
    ("languages", include_str!("templates/languages.txt")),
    ("lookalikes", include_str!("templates/lookalikes.txt")),
    ("long", include_str!("templates/long.txt")),
    ("manner", include_str!("templates/manner.txt")),
    ("mention", include_str!("templates/mention.txt")),
    ("natural", include_str!("templates/natural.txt")),
    ("plain", include_str!("templates/plain.txt")),
    ("planted", include_str!("templates/planted.txt")),
    ("roles", include_str!("templates/roles.txt")),
    ("technical", include_str!("templates/technical.txt")),
    ("tongues", include_str!("templates/tongues.txt")),
    ("toxic", include_str!("templates/toxic.txt")),
    ("world", include_str!("templates/world.txt")),
];

/// Pieces of this project's own code and documents, as they were once, with a line between them.
const HOUSE: &str = include_str!("templates/house.txt");

/// Harmless texts put together, so that length alone says nothing, and how many each is made of.
const JOINED: usize = 4000;
const PARTS: std::ops::RangeInclusive<usize> = 1..=9;

const INJECTION: Labels = Labels([Some(true), None, None, None]);

/// A line of a file: of what a text is made and what it says.
struct Template {
    source: String,
    kind: &'static str,
    labels: Labels,
    weight: usize,
    text: &'static str,
}

/// All texts that the templates make, and those made by planting some into `documents`.
pub(crate) fn rows(random: &mut Random, documents: &[Row]) -> Vec<Row> {
    let mut slots: HashMap<&str, Vec<&str>> = HashMap::new();
    for line in FILES.iter().flat_map(|(_, file)| file.lines()) {
        if let Some(slot) = line.strip_prefix("= ") {
            let mut parts = slot.split('|').map(str::trim);
            slots.insert(parts.next().unwrap_or_default(), parts.collect());
        }
    }
    let templates: Vec<Template> = FILES.iter().flat_map(|&(name, file)| templates(name, file)).collect();
    let mut rows = Vec::new();
    for (group, template) in templates.iter().enumerate().filter(|(_, template)| template.kind != "within") {
        let copies = if template.text.contains('{') { EACH * template.weight } else { ALIKE };
        for _ in 0..copies {
            let text = fill(random, &slots, template.text);
            // A page keeps its lines and its case, which are those of its format.
            let text = if template.kind == "page" { text.replace("\\n", "\n") } else { random.restyle(&text) };
            rows.push(Row { text, source: template.source.clone(), labels: template.labels, group });
        }
    }
    for (number, text) in HOUSE.split("\n%%\n").enumerate() {
        let (text, group) = (text.to_owned(), 3_000_000 + number);
        rows.push(Row { text, source: "house".to_owned(), labels: Labels([Some(false); HEADS]), group });
    }
    let calm = |row: &&Row| row.labels.0 == [Some(false); HEADS];
    let long: Vec<&Row> = documents.iter().filter(calm).filter(|row| DOCUMENT.contains(&row.text.len())).collect();
    let orders: Vec<usize> =
        (0..templates.len()).filter(|&i| matches!(templates[i].kind, "plant" | "within")).collect();
    for _ in 0..PLANTED.min(long.len() * orders.len()) {
        let group = orders[random.below(orders.len())];
        let order = fill(random, &slots, templates[group].text);
        let document = random.below(long.len());
        let text = plant(random, &long[document].text, &order);
        let source = format!("{} in data", templates[group].source);
        rows.push(Row { text, source, labels: INJECTION, group });
    }
    rows.extend(amidst(random, documents, &long));
    let mut of_source: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in documents.iter().chain(&rows).filter(calm) {
        of_source.entry(&row.source).or_default().push(row);
    }
    let sources: Vec<&Vec<&Row>> = of_source.values().collect();
    let mut joined = Vec::new();
    for number in 0..JOINED {
        let source = random.below(sources.len());
        joined.push(join(random, sources[source], 2_000_000 + number));
    }
    rows.extend(joined);
    rows
}

/// Requests in the midst of documents, which are attacks, and before or after them, which are none.
fn amidst(random: &mut Random, documents: &[Row], long: &[&Row]) -> Vec<Row> {
    let is_of = |row: &Row, names: &[&str]| names.iter().any(|name| row.source.starts_with(name));
    let asks = |row: &&Row| is_of(row, &ASKING) && REQUEST.contains(&row.text.len());
    let requests: Vec<&Row> = documents.iter().filter(asks).collect();
    let long: Vec<&&Row> = long.iter().filter(|row| is_of(row, &READING)).collect();
    let mut rows = Vec::new();
    if requests.is_empty() || long.is_empty() {
        return rows;
    }
    for number in 0..AMIDST {
        let request = requests[random.below(requests.len())].text.trim();
        let document = &long[random.below(long.len())].text;
        if let [_, between @ .., _] = &*ends(document)
            && !between.is_empty()
        {
            let at = between[random.below(between.len())];
            let text = put(document, at, random.choose(&[" ", "\n"]), request);
            let source = "templates/amidst in data".to_owned();
            rows.push(Row { text, source, labels: INJECTION, group: 4_000_000 + number });
        }
        let other = &long[random.below(long.len())].text;
        let text = match random.below(2) {
            0 => format!("{request}\n\n{other}"),
            _ => format!("{other}\n\n{request}"),
        };
        let (source, labels) = ("templates/amidst, harmless".to_owned(), Labels([Some(false); HEADS]));
        rows.push(Row { text, source, labels, group: 5_000_000 + number });
    }
    rows
}

/// Some harmless texts of one source as one.
fn join(random: &mut Random, calm: &[&Row], group: usize) -> Row {
    let mut row = calm[random.below(calm.len())].clone();
    let gap = random.choose(&[" ", "\n", "\n\n", " ", "\n- ", "\nB: ", ". "]);
    for _ in 0..PARTS.start() + random.below(PARTS.end() - PARTS.start()) {
        let part = calm[random.below(calm.len())].text.trim();
        if row.text.len() + part.len() < DOCUMENT.end {
            row.text.push_str(gap);
            row.text.push_str(part);
        }
    }
    Row { group, ..row }
}

fn templates(name: &str, file: &'static str) -> Vec<Template> {
    let lines = file.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '=']));
    let template = |line: &'static str| {
        let (head, text) = line.split_once(": ")?;
        let (kind, weight) = head.split_once('*').unwrap_or((head, "1"));
        let labels = match kind {
            // `plant` also stands in documents, `within` nowhere else.
            "inject" | "plant" | "within" => INJECTION,
            "dan" => Labels([Some(true), Some(true), None, None]),
            "jail" => Labels([None, Some(true), None, None]),
            "harm" => Labels([Some(false), Some(false), Some(true), None]),
            "toxic" => Labels([Some(false), Some(false), None, Some(true)]),
            // `benign`, and `page`: one of several lines.
            _ => Labels([Some(false); HEADS]),
        };
        let source = format!("templates/{name}{}", if matches!(kind, "benign" | "page") { ", harmless" } else { "" });
        Some(Template { source, kind, labels, weight: weight.parse().unwrap_or(1), text })
    };
    lines.filter_map(template).collect()
}

/// Slots may hold slots: the names are filled in until none is left.
fn fill(random: &mut Random, slots: &HashMap<&str, Vec<&str>>, template: &str) -> String {
    let (mut done, mut rest) = (String::new(), template.to_owned());
    while let Some((before, after)) = rest.split_once('{') {
        done.push_str(before);
        let slot = after.split_once('}').and_then(|(name, after)| Some((slots.get(name)?, after)));
        rest = match slot {
            Some((choices, after)) => format!("{}{after}", random.choose(choices)),
            // A bracket of the text itself.
            None => {
                done.push('{');
                after.to_owned()
            }
        };
    }
    done + &rest
}

/// Puts an order at the beginning, in the middle or at the end of a document.
fn plant(random: &mut Random, document: &str, order: &str) -> String {
    let ends = ends(document);
    let at = match random.below(3) {
        0 => 0,
        1 if !ends.is_empty() => ends[random.below(ends.len())],
        _ => document.len(),
    };
    put(document, at, random.choose(&[" ", "\n", "\n\n", " ", "\n"]), order)
}

/// Where sentences and lines end.
fn ends(document: &str) -> Vec<usize> {
    document.match_indices(['.', '\n']).map(|(at, end)| at + end.len()).collect()
}

fn put(document: &str, at: usize, gap: &str, order: &str) -> String {
    let (before, after) = document.split_at(at);
    format!("{before}{gap}{order}{gap}{after}").trim().to_owned()
}
