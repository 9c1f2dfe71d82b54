//! Reads what is sound of a file that is not, so that the owners of the parts can look at the rest in the same run.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::document::Document;
use super::problem::Problem;
use super::{Finding, check};

/// Where things stand in the file that stand elsewhere once unsound items of lists are left out.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// By the pointer of a list in the file: which of its items are left.
    kept: BTreeMap<String, Vec<usize>>,
}

impl Places {
    /// The pointer in the file of what has this pointer now.
    fn in_file(&self, pointer: &str) -> String {
        pointer.split('/').skip(1).fold(String::new(), |path, step| {
            let kept = self.kept.get(&path);
            let index = kept.and_then(|kept| kept.get(step.parse::<usize>().ok()?));
            index.map_or_else(|| format!("{path}/{step}"), |index| format!("{path}/{index}"))
        })
    }

    /// Whether it is a list of which items were left out.
    pub(super) fn lost_items(&self, pointer: &str) -> bool {
        self.kept.contains_key(&self.in_file(pointer))
    }

    pub(super) fn problem(&self, document: &Document, pointer: &str, finding: Finding) -> Problem {
        let pointer = self.in_file(pointer);
        let problem = Problem::new(document.place(&pointer), format!("{}: {}", check::path(&pointer), finding.message));
        match finding.hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }

    /// Takes a value away. `None` if all would be gone.
    fn remove(&mut self, root: &mut Value, pointer: &str) -> Option<()> {
        let (parent, step) = pointer.rsplit_once('/')?;
        match root.pointer_mut(parent)? {
            Value::Object(fields) => {
                fields.remove(&step.replace("~1", "/").replace("~0", "~"))?;
            }
            Value::Array(items) => {
                let index: usize = step.parse().ok().filter(|index| *index < items.len())?;
                let length = items.len();
                let list = self.in_file(parent);
                self.kept.entry(list).or_insert_with(|| (0..length).collect()).remove(index);
                items.remove(index);
            }
            _ => return None,
        }
        Some(())
    }
}

/// What is left without the values at these pointers and those that can't be read, and what is wrong with the latter.
pub(super) fn read<T: DeserializeOwned>(
    document: &Document,
    faulty: &BTreeSet<String>,
) -> (Option<(T, Places)>, Vec<Problem>) {
    let mut value = document.value.clone();
    let mut places = Places::default();
    // What lost a field may lack it: no news.
    let mut damaged = BTreeSet::new();
    // From behind, so that the items of a list keep their places until their turn.
    let mut faulty: Vec<&String> = faulty.iter().collect();
    faulty.sort_by_key(|pointer| std::cmp::Reverse(steps(pointer)));
    for pointer in faulty {
        damaged.extend(pointer.rsplit_once('/').map(|(parent, _)| parent.to_owned()));
        if pointer.is_empty() {
            return (None, Vec::new());
        }
        // It may have gone with something around it.
        let _ = places.remove(&mut value, pointer);
    }
    let mut problems = Vec::new();
    loop {
        let error = match serde_path_to_error::deserialize::<_, T>(&value) {
            Ok(read) => return (Some((read, places)), problems),
            Err(error) => error,
        };
        let pointer = pointer_of(error.path());
        let in_file = places.in_file(&pointer);
        if !damaged.contains(&in_file) {
            let finding = Finding { message: error.inner().to_string(), hint: None };
            problems.push(places.problem(document, &pointer, finding));
        }
        damaged.extend(in_file.rsplit_once('/').map(|(parent, _)| parent.to_owned()));
        if places.remove(&mut value, &pointer).is_none() {
            return (None, problems);
        }
    }
}

/// The steps of a pointer in an order in which `10` comes after `9`.
fn steps(pointer: &str) -> Vec<(usize, &str)> {
    pointer.split('/').map(|step| (step.parse().unwrap_or(0), step)).collect()
}

fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => pointer,
    })
}
