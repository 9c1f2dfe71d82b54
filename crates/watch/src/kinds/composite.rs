//! A and not B: what other monitors say, taken together.

use super::{Judgement, Outcome};
use crate::config::Composite;

/// `fires` says whether a monitor fires; `None` if there is none of that name.
pub(crate) fn judge(composite: &Composite, fires: impl Fn(&str) -> Option<bool>) -> Judgement {
    let mut unknown = composite.all.iter().chain(&composite.none).filter(|name| fires(name).is_none());
    if let Some(name) = unknown.next() {
        return Judgement::new(Outcome::Hold, format!("there is no monitor `{name}`"));
    }
    let quiet = composite.all.iter().find(|name| fires(name) != Some(true));
    let loud = composite.none.iter().find(|name| fires(name) == Some(true));
    match (quiet, loud) {
        (Some(name), _) => Judgement::new(Outcome::Clear, format!("`{name}` doesn't fire")),
        (None, Some(name)) => Judgement::new(Outcome::Clear, format!("`{name}` fires")),
        (None, None) => {
            let all = composite.all.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
            let none = composite.none.iter().map(|name| format!(", and not `{name}`")).collect::<String>();
            Judgement::new(
                Outcome::Breach,
                format!("{all} fire{}{none}", if composite.all.len() == 1 { "s" } else { "" }),
            )
        }
    }
}
