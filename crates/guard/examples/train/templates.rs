//! Text made of templates: attacks and harmless look-alikes.

use std::collections::HashMap;

use crate::random::Random;
use crate::rows::{Labels, Row};

/// Texts made of each template, times its weight.
const EACH: usize = 24;

/// All texts that the templates make.
pub(crate) fn rows(random: &mut Random) -> Vec<Row> {
    let mut slots: HashMap<&str, Vec<&str>> = HashMap::new();
    let lines = include_str!("templates.txt").lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    for line in lines.clone() {
        if let Some(slot) = line.strip_prefix("= ") {
            let mut parts = slot.split('|').map(str::trim);
            slots.insert(parts.next().unwrap_or_default(), parts.collect());
        }
    }
    let mut rows = Vec::new();
    for (number, line) in lines.enumerate().filter(|(_, line)| !line.starts_with("= ")) {
        let Some((head, template)) = line.split_once(": ") else { continue };
        let (head, weight) = head.split_once('*').unwrap_or((head, "1"));
        let weight: usize = weight.parse().unwrap_or(1);
        let labels = match head {
            "inject" => Labels([Some(true), None, None, None]),
            "jail" => Labels([None, Some(true), None, None]),
            "harm" => Labels([Some(false), Some(false), Some(true), None]),
            "toxic" => Labels([Some(false), Some(false), None, Some(true)]),
            _ => Labels([Some(false); 4]),
        };
        for _ in 0..EACH * weight {
            // Slots may hold slots: the names are filled in until none is left.
            let mut text = template.to_owned();
            while let Some((before, rest)) = text.split_once('{')
                && let Some((name, after)) = rest.split_once('}')
                && let Some(choices) = slots.get(name)
            {
                text = format!("{before}{}{after}", random.choose(choices));
            }
            let text = random.restyle(&text);
            rows.push(Row { text, source: format!("templates/{head}"), labels, group: number });
        }
    }
    rows
}
