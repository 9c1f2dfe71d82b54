//! Names of providers and models, as many people write them, to the one that the book lists.

/// The book's name of a provider: OpenTelemetry's `gen_ai.provider.name` where there is one.
/// Platforms that resell a vendor's models at the vendor's list price go by the vendor's name.
pub(crate) fn provider(text: &str) -> String {
    let text = text.trim().to_ascii_lowercase();
    let name = match text.as_str() {
        "azure.ai.openai" | "az.ai.openai" | "azure.ai.inference" | "azure_openai" | "azure-openai" | "azure" => {
            "openai"
        }
        "google" | "gemini" | "vertex" | "vertexai" | "vertex_ai" | "google_ai_studio" | "google_genai"
        | "gcp.gen_ai" | "gcp.vertex_ai" | "google-vertex" | "google_vertexai" => "gcp.gemini",
        "mistral" | "mistralai" | "mistral-ai" => "mistral_ai",
        "xai" | "x-ai" | "grok" => "x_ai",
        "cohere_chat" => "cohere",
        "simulated" => "sim",
        _ => return text,
    };
    name.to_owned()
}

/// Model names are compared in lower case, with `.` and `-` alike: `claude-3.5-sonnet`,
/// `claude-3-5-sonnet`.
pub(crate) fn model(text: &str) -> String {
    text.trim().to_ascii_lowercase().replace('.', "-")
}

/// The same model, less and less precisely: first as it is, then without what only says *which
/// build* of it. Every step must keep the model's identity: `-mini` or `:free` never go.
pub(crate) fn candidates(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| without_build(name))
}

/// `…@20240620`, `…-2024-08-06`, `…-20241022`, `…-001`, `…-latest`, Bedrock's `…-v2:0`.
fn without_build(name: &str) -> Option<&str> {
    if let Some((base, version)) = name.rsplit_once('@') {
        return (!version.is_empty() && !base.is_empty()).then_some(base);
    }
    if let Some((base, version)) = name.rsplit_once("-v")
        && let Some((major, minor)) = version.split_once(':')
        && [major, minor].iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    {
        return Some(base);
    }
    if let Some(base) = name.strip_suffix("-latest") {
        return Some(base);
    }
    let (base, last) = name.rsplit_once('-')?;
    if !last.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    match last.len() {
        8 if is_date(last.get(..4)?, last.get(4..6)?, last.get(6..)?) => Some(base),
        3 if last.starts_with("00") => Some(base),
        2 => {
            let (base, month) = base.rsplit_once('-')?;
            let (base, year) = base.rsplit_once('-')?;
            is_date(year, month, last).then_some(base)
        }
        _ => None,
    }
}

fn is_date(year: &str, month: &str, day: &str) -> bool {
    let number = |text: &str, digits: usize| (text.len() == digits).then(|| text.parse::<u32>().ok()).flatten();
    matches!(number(year, 4), Some(2020..=2049))
        && matches!(number(month, 2), Some(1..=12))
        && matches!(number(day, 2), Some(1..=31))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_build_goes() {
        let check = |name: &str, expected: &[&str]| assert_eq!(candidates(name).collect::<Vec<_>>(), expected);
        check("gpt-4o-mini-2024-07-18", &["gpt-4o-mini-2024-07-18", "gpt-4o-mini"]);
        check("claude-3-5-sonnet@20240620", &["claude-3-5-sonnet@20240620", "claude-3-5-sonnet"]);
        check(
            "claude-sonnet-4-5-20250929-v1:0",
            &["claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5"],
        );
        check("gemini-2-0-flash-001", &["gemini-2-0-flash-001", "gemini-2-0-flash"]);
        check("gpt-4o-mini", &["gpt-4o-mini"]);
        check("mistral-large-2407", &["mistral-large-2407"]);
        check("gpt-4-0613", &["gpt-4-0613"]);
        check("claude-opus-4-1", &["claude-opus-4-1"]);
        check("deepseek-v3", &["deepseek-v3"]);
        check("x-9999-99-99", &["x-9999-99-99"]);
        check("é-2024-01-0é", &["é-2024-01-0é"]);
    }
}
