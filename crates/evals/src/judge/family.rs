//! Who made a model, by its name: a judge is kinder to what its own family wrote (Panickssery et al. 2024, "LLM Evaluators
//! Recognize and Favor Their Own Generations", <https://arxiv.org/abs/2404.13076>).

/// Words that models of a family begin with, at the beginning or after a mark.
const FAMILIES: &[(&str, &[&str])] = &[
    ("OpenAI", &["gpt", "chatgpt", "o1", "o3", "o4", "davinci", "babbage"]),
    ("Anthropic", &["claude"]),
    ("Google", &["gemini", "gemma", "palm", "bison"]),
    ("Meta", &["llama"]),
    ("Mistral", &["mistral", "mixtral", "ministral", "magistral", "codestral", "devstral", "pixtral"]),
    ("Alibaba", &["qwen", "qwq", "qvq"]),
    ("DeepSeek", &["deepseek"]),
    ("xAI", &["grok"]),
    ("Cohere", &["command", "aya", "c4ai"]),
    ("Amazon", &["nova", "titan"]),
    ("Microsoft", &["phi"]),
    ("Zhipu", &["glm", "chatglm"]),
    ("Moonshot", &["kimi", "moonshot"]),
    ("MiniMax", &["minimax", "abab"]),
    ("AI21", &["jamba", "jurassic"]),
    ("IBM", &["granite"]),
    ("NVIDIA", &["nemotron"]),
    ("Perplexity", &["sonar"]),
];

/// The family of a model, if its name tells. What is distilled or tuned from another counts as what its name says first:
/// `deepseek-r1-distill-llama-70b` as DeepSeek's.
#[must_use]
pub fn family(model: &str) -> Option<&'static str> {
    let name = model.rsplit('/').next().unwrap_or(model).to_lowercase();
    let pieces = name.split(|one: char| !one.is_ascii_alphanumeric()).filter(|piece| !piece.is_empty());
    pieces.into_iter().find_map(|piece| {
        let fits = |word: &&str| {
            // A version may follow at once: `qwen2`, `phi3`; a word may not.
            let rest = piece.strip_prefix(*word);
            rest.is_some_and(|rest| !rest.starts_with(|one: char| one.is_ascii_alphabetic()))
        };
        FAMILIES.iter().find(|(_, words)| words.iter().any(&fits)).map(|(family, _)| *family)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_family() {
        let check = |model: &str, expected| assert_eq!(family(model), expected, "{model}");
        check("gpt-4o-mini", Some("OpenAI"));
        check("openai/o3-mini", Some("OpenAI"));
        check("us.anthropic.claude-sonnet-4-20250514-v1:0", Some("Anthropic"));
        check("openrouter/anthropic/claude-3.5-sonnet", Some("Anthropic"));
        check("ft:gpt-4o-2024-08-06:acme::abc", Some("OpenAI"));
        check("models/gemini-2.5-flash", Some("Google"));
        check("qwen2.5-72b-instruct", Some("Alibaba"));
        check("meta-llama/Llama-3.3-70B-Instruct", Some("Meta"));
        check("deepseek-r1-distill-llama-70b", Some("DeepSeek"));
        check("sim/small", None);
        check("optimist-1", None);
        check("chat", None);
    }
}
