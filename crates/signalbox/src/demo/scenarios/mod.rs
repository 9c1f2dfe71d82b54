//! What the demo's applications do: one file each.

pub(super) mod agent;
pub(super) mod summariser;
pub(super) mod support;

use serde_json::Value;

use super::Release;
use super::random::Random;

/// Headers of a gateway call: who, where, which prompt, and how the simulated model shall behave.
struct Headers(Vec<(&'static str, String)>);

impl Headers {
    fn new(user: &str, session: &str, agent: &str, release: Release) -> Self {
        Self(vec![
            ("x-signalbox-user-id", user.to_owned()),
            ("x-signalbox-session-id", session.to_owned()),
            ("x-signalbox-environment", "demo".to_owned()),
            ("x-signalbox-agent-name", agent.to_owned()),
            ("x-signalbox-prompt-name", agent.to_owned()),
            ("x-signalbox-prompt-version", release.prompt_version.to_owned()),
            ("x-signalbox-tags", format!("demo,{}", release.name)),
        ])
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// The model takes its time, and fails as often as this release makes it fail.
    fn mood(self, release: Release, random: &mut Random) -> Self {
        let slow = if random.chance(0.05) { 900 } else { 0 };
        let ttft = 60 + random.below(180) + release.extra_ms + slow;
        let mut headers = self
            .with("x-sim-ttft-ms", ttft.to_string())
            .with("x-sim-chunk-delay-ms", (2 + random.below(10)).to_string());
        if random.chance(release.failures) {
            let status = *random.pick(&["429", "500", "503", "529"]);
            headers = headers.with("x-sim-status", status);
        }
        headers
    }

    fn as_slice(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
}

/// The text of a chat completion, streamed or not.
fn answer_text(body: &[u8]) -> String {
    if let Ok(whole) = serde_json::from_slice::<Value>(body) {
        return whole["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned();
    }
    let text = String::from_utf8_lossy(body);
    let chunks = text.lines().filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok());
    chunks.filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str().map(str::to_owned)).collect()
}
