//! Which fields are read at all.

/// Every name that is looked up in an object of a body, sorted; a lookup that is missing here fails the tests. Two
/// fields of one of these names in an object are refused: the provider might read the one that no scanner saw. What
/// nobody here reads may stand as often as the caller likes.
#[rustfmt::skip]
const READ: &[&str] = &[
    "Message", "additionalModelRequestFields", "allowedFunctionNames", "allowed_function_names", "annotation",
    "annotations", "any", "args", "arguments", "audio", "audio_tokens", "auto", "base64", "billed_units", "blockReason",
    "blockReasonMessage", "block_reason", "block_reason_message", "budget_tokens", "bytes", "cachePoint",
    "cacheReadInputTokens", "cacheWriteInputTokens", "cache_control", "cache_creation", "cache_creation_input_tokens",
    "cache_read_input_tokens", "cache_write_tokens", "cachedContentTokenCount", "cached_content_token_count",
    "cached_tokens", "call_id", "candidateCount", "candidate_count", "candidates", "candidatesTokenCount",
    "candidatesTokensDetails", "candidates_token_count", "candidates_tokens_details", "choices", "citation",
    "citationMetadata", "citation_metadata", "citations", "citationsContent", "code", "codeExecutionResult",
    "code_execution_result", "completion_tokens", "completion_tokens_details", "content", "contentBlockIndex",
    "content_block", "content_index", "contents", "context", "conversation", "created", "created_at", "custom", "data",
    "delta", "description", "detail", "details", "dimensions", "disable_parallel_tool_use", "displayName",
    "display_name", "document", "documents", "duration", "edits", "embedContentConfig", "embed_content_config",
    "embedding", "embedding_types", "embeddings", "enabled", "encoding_format", "encrypted_content",
    "ephemeral_1h_input_tokens", "error", "executableCode", "executable_code", "extra_content", "file", "fileData",
    "fileUri", "file_data", "file_id", "file_uri", "file_url", "filename", "finishReason", "finish_reason", "float",
    "format", "frequencyPenalty", "frequency_penalty", "function", "functionCall", "functionCallingConfig",
    "functionDeclarations", "functionResponse", "function_call", "function_calling_config", "function_declarations",
    "function_response", "functions", "generateContentRequest", "generate_content_request", "generationConfig",
    "generation_config", "google", "groundingMetadata", "grounding_metadata", "guardContent", "id", "image",
    "image_tokens", "image_url", "includeThoughts", "include_thoughts", "include_usage", "incomplete_details", "index",
    "inferenceConfig", "inlineData", "inline_data", "input", "inputSchema", "inputTokens", "input_audio",
    "input_schema", "input_tokens", "input_tokens_details", "input_type", "inputs", "instructions", "is_error", "item",
    "item_id", "json", "jsonSchema", "json_schema", "k", "labels", "latencyMs", "logprobs", "logprobsResult",
    "logprobs_result", "maxOutputTokens", "maxTokens", "max_completion_tokens", "max_output_tokens", "max_tokens",
    "media_type", "message", "messages", "meta", "metadata", "metrics", "mimeType", "mime_type", "modality", "mode",
    "model", "modelVersion", "model_version", "n", "name", "output", "outputConfig", "outputDimensionality",
    "outputTokens", "output_config", "output_dimension", "output_dimensionality", "output_format", "output_index",
    "output_tokens", "output_tokens_details", "p", "parallel_tool_calls", "param", "parameters", "parametersJsonSchema",
    "parameters_json_schema", "part", "partial_json", "parts", "prediction", "presencePenalty", "presence_penalty",
    "previous_response_id", "prompt", "promptFeedback", "promptTokenCount", "promptTokensDetails", "promptVariables",
    "prompt_cache_hit_tokens", "prompt_feedback", "prompt_token_count", "prompt_tokens", "prompt_tokens_details",
    "query", "reason", "reasoning", "reasoningContent", "reasoningText", "reasoning_content", "reasoning_effort",
    "reasoning_tokens", "redactedContent", "refusal", "relevance_score", "requestMetadata", "requests", "response",
    "responseId", "responseJsonSchema", "responseLogprobs", "responseMimeType", "responseSchema", "response_format",
    "response_id", "response_json_schema", "response_logprobs", "response_mime_type", "response_schema", "results",
    "return_documents", "role", "s3Location", "safety_identifier", "schema", "searchResult", "search_results",
    "search_units", "seconds", "seed", "segments", "sequence_number", "serviceTier", "service_tier", "signature",
    "source", "start", "status", "stop", "stopReason", "stopSequences", "stop_reason", "stop_sequence",
    "stop_sequences", "stream", "stream_format", "stream_options", "strict", "strict_tools", "structure", "suffix",
    "summary", "summary_index", "system", "systemInstruction", "system_instruction", "temperature", "text",
    "textFormat", "texts", "thinking", "thinkingBudget", "thinkingConfig", "thinkingLevel", "thinking_blocks",
    "thinking_budget", "thinking_config", "thinking_level", "thinking_tokens", "thought", "thoughtSignature",
    "thought_signature", "thoughtsTokenCount", "thoughts_token_count", "title", "tokenCount", "token_budget",
    "token_count", "tokens", "tool", "toolChoice", "toolConfig", "toolResult", "toolSpec", "toolUse", "toolUseId",
    "toolUsePromptTokenCount", "tool_call_id", "tool_calls", "tool_choice", "tool_config", "tool_plan", "tool_use_id",
    "tool_use_prompt_token_count", "tools", "topK", "topP", "top_k", "top_logprobs", "top_n", "top_p", "totalTokens",
    "total_tokens", "trafficType", "traffic_type", "ttl", "type", "uri", "url", "usage", "usageMetadata",
    "usage_metadata", "user", "user_id", "values", "variables", "video", "word", "words",
];

/// Whether anybody looks up this name.
pub(crate) fn is_read(name: &str) -> bool {
    READ.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_can_be_searched() {
        assert!(super::READ.is_sorted());
    }
}
