//! Asks a judge once, until its answer can be read: without a setting that the model doesn't take, and once more if the
//! answer can't be read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use signalbox_metrics::Evidence;
use signalbox_types::seam::{Completed, Completer, Completion, CompletionError};
use signalbox_types::{ErrorClass, Message, ProjectId, Role};

use super::answer::{self, Answered, Quote};
use super::opinion::{Flag, FlagKind, Tally};
use super::prompt::{Shown, schema};
use super::quote::Searched;
use super::rubric::Rubric;
use crate::ScorerError;

/// A bad answer is shown to the judge again up to this length.
const MOST_SHOWN_BYTES: usize = 8 << 10;

/// What a model turned out not to take. Kept, so that it is asked in vain once and not for every case.
#[derive(Debug, Default)]
pub(super) struct Refused {
    schema: AtomicBool,
    temperature: AtomicBool,
    seed: AtomicBool,
}

/// One call for one judge.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub(super) completer: &'a dyn Completer,
    pub(super) project: &'a ProjectId,
    pub(super) rubric: &'a Rubric,
    pub(super) model: &'a str,
    pub(super) temperature: f64,
    pub(super) seed: Option<i64>,
    pub(super) max_tokens: Option<u32>,
    pub(super) metadata: &'a BTreeMap<String, String>,
    pub(super) refused: &'a Refused,
}

/// An answer with what it took.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) answered: Answered,
    pub(super) answered_by: String,
    pub(super) flags: Vec<Flag>,
    pub(super) tally: Tally,
}

impl Ask<'_> {
    pub(super) async fn ask(&self, messages: Vec<Message>) -> Result<Asked, ScorerError> {
        let (mut tally, mut flags) = (Tally::default(), Vec::new());
        let first = self.complete(messages.clone(), &mut flags).await?;
        note(&mut tally, &first);
        let problem = match answer::read(&first.text, &self.rubric.scale) {
            Ok(answered) => return Ok(Asked { answered, answered_by: first.model, flags, tally }),
            Err(problem) => problem,
        };
        let mut again = messages;
        let cut = first.text.floor_char_boundary(MOST_SHOWN_BYTES);
        // Some providers take no empty message.
        let said = first.text.get(..cut).filter(|text| !text.trim().is_empty()).unwrap_or("(nothing)");
        again.push(Message::text(Role::Assistant, said));
        let wish = format!(
            "That answer can't be used: {problem}. Answer again with one JSON object and nothing else: `reasoning`, `evidence`, \
             `verdict`, as the first message says."
        );
        again.push(Message::text(Role::User, wish));
        let second = self.complete(again, &mut flags).await?;
        note(&mut tally, &second);
        match answer::read(&second.text, &self.rubric.scale) {
            Ok(answered) => {
                flags.push(Flag::new(FlagKind::Repaired, format!("the first answer couldn't be used: {problem}")));
                Ok(Asked { answered, answered_by: second.model, flags, tally })
            }
            Err(problem) => Err(ScorerError::Answer(format!(
                "`{}` gave no answer that can be read, asked twice: {problem}",
                self.model
            ))),
        }
    }

    /// Leaves out what the model says that it doesn't take.
    async fn complete(&self, messages: Vec<Message>, flags: &mut Vec<Flag>) -> Result<Completed, CompletionError> {
        let set = |refused: &AtomicBool| !refused.load(Ordering::Relaxed);
        loop {
            let (schema_set, temperature_set) = (set(&self.refused.schema), set(&self.refused.temperature));
            let seed = self.seed.filter(|_| set(&self.refused.seed));
            let ask = Completion {
                model: self.model.to_owned(),
                messages: messages.clone(),
                schema: schema_set.then(|| schema(&self.rubric.scale)),
                temperature: temperature_set.then_some(self.temperature),
                max_tokens: self.max_tokens,
                seed,
                metadata: self.metadata.clone(),
            };
            let error = match self.completer.complete(self.project, ask).await {
                Ok(completed) => {
                    self.flag(flags);
                    return Ok(completed);
                }
                Err(error) => error,
            };
            let settings = [
                (schema_set, &self.refused.schema, SCHEMA),
                (temperature_set, &self.refused.temperature, TEMPERATURE),
                (seed.is_some(), &self.refused.seed, SEED),
            ];
            let about = error.message.to_lowercase();
            let refused =
                settings.into_iter().find(|(sent, _, words)| *sent && words.iter().any(|w| about.contains(w)));
            match refused {
                Some((_, refused, _)) if error.class == ErrorClass::InvalidRequest => {
                    refused.store(true, Ordering::Relaxed);
                }
                _ => return Err(error),
            }
        }
    }

    fn flag(&self, flags: &mut Vec<Flag>) {
        let refused = [
            (&self.refused.schema, "structured output"),
            (&self.refused.temperature, "a temperature"),
            (&self.refused.seed, "a seed"),
        ];
        for (refused, what) in refused {
            let flag = || Flag::new(FlagKind::SettingRefused, format!("`{}` doesn't take {what}", self.model));
            if refused.load(Ordering::Relaxed) && !flags.contains(&flag()) {
                flags.push(flag());
            }
        }
    }
}

/// By which words a refusal is known to be one of the setting.
const SCHEMA: &[&str] = &[
    "response_format",
    "json_schema",
    "json schema",
    "structured output",
    "text.format",
    "output_config",
    "outputconfig",
    "responseschema",
    "response_schema",
    "responsejsonschema",
];
const TEMPERATURE: &[&str] = &["temperature"];
const SEED: &[&str] = &["seed"];

fn note(tally: &mut Tally, completed: &Completed) {
    let trace_ids = completed.trace_id.into_iter().collect();
    *tally += &Tally { calls: 1, cost: completed.cost, usage: completed.usage, trace_ids };
}

/// The places of what was quoted, and how many quotations no text has.
pub(super) fn verified(quotes: &[Quote], shown: &[Shown]) -> (Vec<Evidence>, usize) {
    let searched: Vec<(&Shown, Searched)> = shown.iter().map(|one| (one, Searched::new(&one.text))).collect();
    let (mut evidence, mut strange) = (Vec::new(), 0);
    for quote in quotes.iter().filter(|quote| !quote.quote.trim().is_empty()) {
        let named = quote.part.trim().trim_matches(['`', '<', '>']);
        let is_named = |one: &Shown| one.label == named || one.input.name() == named;
        // Where the judge says first, and then anywhere: that it is there counts.
        let in_order =
            searched.iter().filter(|(one, _)| is_named(one)).chain(searched.iter().filter(|(one, _)| !is_named(one)));
        let found = in_order.map(|(one, text)| (one, text.places(&quote.quote))).find(|(_, places)| !places.is_empty());
        let Some((one, places)) = found else {
            strange += 1;
            continue;
        };
        for (start, end) in places {
            let place = Evidence {
                input: one.input,
                start: one.offset + start,
                end: one.offset + end,
                note: quote.note.clone(),
            };
            if !evidence.contains(&place) {
                evidence.push(place);
            }
        }
    }
    (evidence, strange)
}
