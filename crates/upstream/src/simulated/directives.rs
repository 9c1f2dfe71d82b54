//! What one request may ask of the simulator, by headers. All are optional:
//!
//! | header | value | effect |
//! |---|---|---|
//! | `x-sim-seed` | number | another answer to the same question |
//! | `x-sim-latency-ms` | number | wait before the answer's head |
//! | `x-sim-ttft-ms` | number | wait before the first token |
//! | `x-sim-chunk-delay-ms` | number | wait between two tokens |
//! | `x-sim-tokens` | number | about how long the answer is |
//! | `x-sim-error-rate`, `x-sim-rate-limit-rate` | 0 to 1 | chance of status 500, 429 |
//! | `x-sim-status` | 400–599 | answer with this status |
//! | `x-sim-drop` | `1` | close the connection without an answer |
//! | `x-sim-cut-after` | number | break the connection after so many pieces of content |
//! | `x-sim-stall-after` | number | send so many pieces of content, then nothing more |
//! | `x-sim-garbage` | `1` | status 200, and a body (or one event) that is no JSON |
//! | `x-sim-error-event` | `1` | status 200, and a stream whose first event is an error |
//! | `x-sim-split` | bytes | transfer chunks of this size, so that events and characters are cut anywhere |
//! | `x-sim-echo` | text, `%xx` decoded | answer exactly this text |
//! | `x-sim-tool-calls` | number | call so many tools at once; 0 = call none |
//! | `x-sim-tool-steps` | number | rounds of tool calls before the final answer (default 1) |
//! | `x-sim-cached-tokens` | number | report so many input tokens as read from the prompt cache |
//! | `x-sim-no-usage` | `1` | report no usage |

use std::str::FromStr;
use std::time::Duration;

use http::{HeaderMap, HeaderName};

use super::options::SimOptions;

/// [`SimOptions`] with what the request's headers say.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Directives {
    pub(crate) options: SimOptions,
    pub(crate) status: Option<u16>,
    pub(crate) drop: bool,
    pub(crate) cut_after: Option<u32>,
    pub(crate) stall_after: Option<u32>,
    pub(crate) garbage: bool,
    pub(crate) error_event: bool,
    pub(crate) split: Option<usize>,
    pub(crate) echo: Option<String>,
    pub(crate) tool_calls: Option<usize>,
    pub(crate) tool_steps: Option<usize>,
    pub(crate) cached_tokens: Option<u64>,
    pub(crate) no_usage: bool,
}

impl Directives {
    pub(crate) fn read(headers: &HeaderMap, options: &SimOptions) -> Result<Self, String> {
        let mut directives = Self { options: *options, ..Self::default() };
        for (name, value) in headers {
            if let Some(directive) = name.as_str().strip_prefix(super::HEADER_PREFIX) {
                let text = std::str::from_utf8(value.as_bytes())
                    .map_err(|_| format!("header `{name}` is not UTF-8; write other bytes as %xx"))?;
                directives.set(name, directive, text)?;
            }
        }
        Ok(directives)
    }

    fn set(&mut self, name: &HeaderName, directive: &str, text: &str) -> Result<(), String> {
        let options = &mut self.options;
        match directive {
            "seed" => options.seed = number(name, text)?,
            "latency-ms" => options.latency = Duration::from_millis(number(name, text)?),
            "ttft-ms" => options.ttft = Duration::from_millis(number(name, text)?),
            "chunk-delay-ms" => options.chunk_delay = Duration::from_millis(number(name, text)?),
            "tokens" => options.tokens = Some(number(name, text)?),
            "error-rate" => options.error_rate = rate(name, text)?,
            "rate-limit-rate" => options.rate_limit_rate = rate(name, text)?,
            "status" => {
                let status = number(name, text)?;
                if !(400..600).contains(&status) {
                    return Err(format!("header `{name}`: `{text}` is not a status from 400 to 599"));
                }
                self.status = Some(status);
            }
            "drop" => self.drop = switch(name, text)?,
            "cut-after" => self.cut_after = Some(number(name, text)?),
            "stall-after" => self.stall_after = Some(number(name, text)?),
            "garbage" => self.garbage = switch(name, text)?,
            "error-event" => self.error_event = switch(name, text)?,
            "split" => self.split = Some(number::<usize>(name, text)?.max(1)),
            "echo" => self.echo = Some(percent_decoded(text)),
            "tool-calls" => self.tool_calls = Some(number(name, text)?),
            "tool-steps" => self.tool_steps = Some(number(name, text)?),
            "cached-tokens" => self.cached_tokens = Some(number(name, text)?),
            "no-usage" => self.no_usage = switch(name, text)?,
            _ => return Err(format!("header `{name}` is not known to the simulated provider")),
        }
        Ok(())
    }
}

fn number<N: FromStr>(name: &HeaderName, text: &str) -> Result<N, String> {
    text.trim().parse().map_err(|_| format!("header `{name}`: `{text}` is not a whole number that fits"))
}

fn rate(name: &HeaderName, text: &str) -> Result<f64, String> {
    let rate = text.trim().parse().ok().filter(|rate| (0.0..=1.0).contains(rate));
    rate.ok_or_else(|| format!("header `{name}`: `{text}` is not a number from 0 to 1"))
}

fn switch(name: &HeaderName, text: &str) -> Result<bool, String> {
    match text.trim() {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(format!("header `{name}`: expected `1` or `0`, found `{text}`")),
    }
}

/// `%E2%82%AC` as `€`; what is no escape stays as it is.
pub(crate) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escape = match after {
            [high, low, ..] if first == b'%' => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                digit(high).zip(digit(low)).and_then(|(high, low)| u8::try_from(high * 16 + low).ok())
            }
            _ => None,
        };
        bytes.push(escape.unwrap_or(first));
        rest = if escape.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &'static str)]) -> Result<Directives, String> {
        let headers = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), http::HeaderValue::from_static(value)))
            .collect();
        Directives::read(&headers, &SimOptions::default())
    }

    #[test]
    fn reads_and_refuses() {
        let read_ok = read(&[("x-sim-echo", "a%20%E2%82%AC 100%"), ("x-sim-ttft-ms", "30"), ("accept", "x")]).unwrap();
        assert_eq!(read_ok.echo.as_deref(), Some("a € 100%"));
        assert_eq!(read_ok.options.ttft, Duration::from_millis(30));
        for (name, value) in [
            ("x-sim-status", "200"),
            ("x-sim-latency-ms", "-1"),
            ("x-sim-error-rate", "2"),
            ("x-sim-drop", "yes"),
            ("x-sim-ech", "x"),
        ] {
            assert!(read(&[(name, value)]).unwrap_err().contains(name), "{name}");
        }
    }
}
