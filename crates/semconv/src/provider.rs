//! The many spellings of a provider to one: OpenTelemetry's `gen_ai.provider.name` where it has one.

/// The one name of a provider; a name that nobody knows stays, in lower case.
pub(crate) fn canonical(text: &str) -> String {
    let text = text.trim().to_ascii_lowercase();
    // The Vercel SDK names the API as well: `openai.responses`, `anthropic.messages`.
    let name = [".chat", ".responses", ".messages", ".completion", ".embedding", ".generative-ai"]
        .iter()
        .find_map(|suffix| text.strip_suffix(suffix))
        .unwrap_or(&text);
    let canonical = match name {
        "azure" | "azure_openai" | "azure-openai" | "azureopenai" | "azure.openai" | "az.ai.openai" => {
            "azure.ai.openai"
        }
        "az.ai.inference" | "azure_ai" | "azure_ai_inference" => "azure.ai.inference",
        "aws" | "bedrock" | "aws_bedrock" | "aws-bedrock" | "amazon-bedrock" | "amazon_bedrock"
        | "bedrock_converse" => "aws.bedrock",
        "gemini"
        | "google"
        | "google_genai"
        | "google-genai"
        | "google_generative_ai"
        | "google.generative-ai"
        | "google_ai_studio"
        | "google-gla"
        | "gcp_gemini" => "gcp.gemini",
        "vertex" | "vertexai" | "vertex_ai" | "vertex-ai" | "google_vertexai" | "google.vertex" | "google-vertex" => {
            "gcp.vertex_ai"
        }
        "ibm" | "watsonx" | "ibm_watsonx" => "ibm.watsonx.ai",
        "mistral" | "mistralai" | "mistral-ai" => "mistral_ai",
        "moonshot" | "moonshotai" => "moonshot_ai",
        "xai" | "x-ai" | "grok" => "x_ai",
        "together" | "together_ai" | "together-ai" | "togetherai" => "together_ai",
        "fireworks" | "fireworks_ai" | "fireworks-ai" => "fireworks_ai",
        "hugging_face" | "hugging-face" | "huggingface_hub" => "huggingface",
        "open_router" | "open-router" => "openrouter",
        other => other,
    };
    canonical.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_each() {
        let check = |text: &str, expected: &str| assert_eq!(canonical(text), expected, "{text}");
        check("OpenAI", "openai");
        check("openai.responses", "openai");
        check("az.ai.openai", "azure.ai.openai");
        check("AWS", "aws.bedrock");
        check("google.generative-ai", "gcp.gemini");
        check("vertexai", "gcp.vertex_ai");
        check("Our-Own", "our-own");
    }

    #[test]
    fn well_known_names_stay() {
        for name in [
            "openai",
            "anthropic",
            "aws.bedrock",
            "azure.ai.openai",
            "azure.ai.inference",
            "gcp.gen_ai",
            "gcp.vertex_ai",
            "gcp.gemini",
            "cohere",
            "deepseek",
            "groq",
            "ibm.watsonx.ai",
            "mistral_ai",
            "moonshot_ai",
            "perplexity",
            "x_ai",
        ] {
            assert_eq!(canonical(name), name);
        }
    }
}
