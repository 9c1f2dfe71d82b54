//! Likeness of meaning: how near the vectors are that an embedding model makes of two items.

use std::sync::Arc;

use signalbox_types::seam::CompletionError;
use tokio::sync::OnceCell;

use super::examples::{Correction, text};
use crate::embedding::EmbeddingModel;
use crate::judge::Tally;

/// The model, and what it made of the corrections.
#[derive(Debug, Clone)]
pub(super) struct Meaning {
    model: EmbeddingModel,
    /// Asked for with the first case. A failure isn't kept: the next case tries again.
    kept: Arc<OnceCell<Kept>>,
}

#[derive(Debug)]
struct Kept {
    /// Of each correction, of length 1; none of what says nothing.
    vectors: Vec<Option<Vec<f64>>>,
    model: String,
}

impl Meaning {
    pub(super) fn new(model: EmbeddingModel) -> Self {
        Self { model, kept: Arc::default() }
    }

    /// How near each correction is to a text, from -1 to 1; `None` of one that says nothing. What asking took is added to `tally`. The
    /// corrections are always the same.
    pub(super) async fn likeness(
        &self,
        said: String,
        corrections: &[Correction],
        tally: &mut Tally,
    ) -> Result<Vec<Option<f64>>, CompletionError> {
        let own = self.model.vectors(&[said]).await?;
        *tally += &own.tally;
        let kept = self.kept.get_or_try_init(|| self.of(corrections, tally)).await?;
        let is_comparable = kept.model == own.model || kept.vectors.iter().all(Option::is_none);
        if !is_comparable {
            return Err(CompletionError::of_two_embedding_models(self.model.name(), &kept.model, &own.model));
        }
        let Some(own) = own.vectors.into_iter().next().map(normed) else { return Ok(Vec::new()) };
        let near = |vector: &Vec<f64>| -> f64 { own.iter().zip(vector).map(|(one, other)| one * other).sum() };
        Ok(kept.vectors.iter().map(|vector| vector.as_ref().map(near)).collect())
    }

    async fn of(&self, corrections: &[Correction], tally: &mut Tally) -> Result<Kept, CompletionError> {
        let said = |one: &Correction| Some(text(&one.case)).filter(|text| !text.trim().is_empty());
        let texts: Vec<Option<String>> = corrections.iter().map(said).collect();
        let said: Vec<String> = texts.iter().flatten().cloned().collect();
        let made = self.model.vectors(&said).await?;
        *tally += &made.tally;
        let mut vectors = made.vectors.into_iter().map(normed);
        let vectors = texts.iter().map(|text| text.as_ref().and_then(|_| vectors.next())).collect();
        Ok(Kept { vectors, model: made.model })
    }
}

/// Of length 1, unless it is all zeros.
fn normed(mut vector: Vec<f64>) -> Vec<f64> {
    let length = vector.iter().map(|number| number * number).sum::<f64>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|number| *number /= length);
    }
    vector
}
