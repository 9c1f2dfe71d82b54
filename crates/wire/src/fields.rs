//! Which fields are read at all.

/// Every name that is looked up in an object of a body, sorted; a lookup that is missing here fails the tests. Two
/// fields of one of these names in an object are refused: the provider might read the one that no scanner saw. What
/// nobody here reads may stand as often as the caller likes.
#[rustfmt::skip]
const READ: &[&str] = &[
    "arguments", "budget_tokens", "cache_control", "cache_creation_input_tokens", "cache_read_input_tokens",
    "cache_write_tokens", "cached_tokens", "choices", "code", "completion_tokens", "completion_tokens_details",
    "content", "content_block", "context", "created", "custom", "data", "delta", "description", "detail",
    "disable_parallel_tool_use", "edits", "enabled", "error", "file", "file_data", "file_id", "filename",
    "finish_reason", "format", "function", "function_call", "id", "image_url", "include_usage", "index",
    "input", "input_audio", "input_schema", "input_tokens", "is_error", "json_schema", "max_completion_tokens",
    "max_tokens", "media_type", "message", "messages", "metadata", "model", "name", "output_config",
    "output_format", "output_tokens", "output_tokens_details", "parallel_tool_calls", "param", "parameters",
    "partial_json", "prediction", "prompt_cache_hit_tokens", "prompt_tokens", "prompt_tokens_details",
    "reasoning", "reasoning_content", "reasoning_effort", "reasoning_tokens", "refusal", "response_format",
    "role", "safety_identifier", "schema", "signature", "source", "stop", "stop_reason", "stop_sequence",
    "stop_sequences", "stream", "stream_options", "strict", "system", "temperature", "text", "thinking",
    "thinking_blocks", "thinking_tokens", "title", "tool_call_id", "tool_calls", "tool_choice", "tool_use_id",
    "tools", "top_k", "top_p", "type", "url", "usage", "user", "user_id",
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
