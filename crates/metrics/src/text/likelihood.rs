//! How sure a model was of its own words.

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem};
use crate::score::Outcome;

pub(crate) static PERPLEXITY: About = About {
    name: "perplexity",
    aliases: &[],
    family: Family::Text,
    summary: "How many tokens the model wavered between, on average.",
    formula: "exp(−mean of the logprobs); 1 if there are none. 1 is certainty.",
    source: "Jelinek et al. 1977, https://doi.org/10.1121/1.2016299",
    inputs: &[Input::Logprobs],
    also: &[],
    range: Range::FROM_ZERO,
    direction: Direction::Lower,
    threshold: 10.0,
    options: &[],
    make: |_| Ok(Box::new(perplexity)),
};

pub(crate) static SEQUENCE_LOGPROB: About = About {
    name: "sequence_logprob",
    aliases: &["sequence_log_probability"],
    family: Family::Text,
    summary: "The logarithm of the probability of the whole answer.",
    formula: "Sum of the logprobs, to the base e.",
    source: "The chain rule of probability",
    inputs: &[Input::Logprobs],
    also: &[],
    range: Range { low: f64::NEG_INFINITY, high: Some(0.0) },
    direction: Direction::Higher,
    threshold: -100.0,
    options: &[],
    make: |_| Ok(Box::new(sequence)),
};

/// Numbers that are logarithms of probabilities. Providers round, so a hair over 0 is 0.
fn logprobs(case: &Case) -> Result<Vec<f64>, Problem> {
    let mut numbers = case.numbers(Input::Logprobs)?;
    for (at, number) in numbers.iter_mut().enumerate() {
        if *number > 1e-6 {
            let field = format!("logprobs[{at}]");
            return Err(Problem::new(field, "a logarithm of a probability, 0 or less", number.to_string()));
        }
        *number = number.min(0.0);
    }
    Ok(numbers)
}

fn perplexity(case: &Case) -> Result<Outcome, Problem> {
    let logprobs = logprobs(case)?;
    let mean = logprobs.iter().sum::<f64>() / logprobs.len().max(1) as f64;
    Ok(Outcome::new((-mean).exp(), format!("mean of {} logprobs: {mean:.4}", logprobs.len())))
}

fn sequence(case: &Case) -> Result<Outcome, Problem> {
    let logprobs = logprobs(case)?;
    Ok(Outcome::new(logprobs.iter().sum::<f64>().min(0.0), format!("{} tokens", logprobs.len())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{near, value_with};
    use crate::options::Options;

    #[test]
    fn of_a_fair_coin() {
        let half = 0.5_f64.ln();
        let case = Case::new().with(Input::Logprobs, vec![half, half]);
        near(value_with(&PERPLEXITY, &Options::new(), &case), 2.0);
        near(value_with(&SEQUENCE_LOGPROB, &Options::new(), &case), 0.25_f64.ln());
        let wrong = Case::new().with(Input::Logprobs, vec![-1.0, 0.5]);
        assert_eq!(
            perplexity(&wrong).unwrap_err().to_string(),
            "`logprobs[1]`: expected a logarithm of a probability, 0 or less, found 0.5"
        );
    }
}
