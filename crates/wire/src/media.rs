//! Inline content: data URLs ⇄ media type and base64.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use signalbox_types::{Modality, Part};

/// The part that a URL stands for: inline bytes for a base64 data URL, else a link.
pub(crate) fn part_of_url(url: Cow<'_, str>, modality: Modality) -> Part {
    if let Some(rest) = url.strip_prefix("data:")
        && let Some((head, content)) = rest.split_once(',')
        && let Some(mime_type) = head.strip_suffix(";base64")
    {
        // Parameters such as `;charset=utf-8` are no part of the media type.
        let mime_type = mime_type.split(';').next().filter(|mime_type| !mime_type.is_empty());
        return Part::Blob { mime_type: mime_type.map(str::to_owned), modality, content: content.to_owned() };
    }
    Part::Uri { mime_type: None, modality, uri: url.into_owned() }
}

pub(crate) fn data_url(mime_type: &str, content: &str) -> String {
    format!("data:{mime_type};base64,{content}")
}

/// The text of an inline plain-text document.
pub(crate) fn plain_text(mime_type: Option<&str>, content: &str) -> Option<String> {
    if mime_type != Some("text/plain") {
        return None;
    }
    String::from_utf8(STANDARD.decode(content).ok()?).ok()
}

pub(crate) fn plain_text_blob(text: &str) -> Part {
    Part::Blob { mime_type: Some("text/plain".into()), modality: Modality::Document, content: STANDARD.encode(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_data_urls_and_leaves_others_alone() {
        let check = |url: &str, expect: Option<(Option<&str>, &str)>| {
            let found = match part_of_url(url.into(), Modality::Image) {
                Part::Blob { mime_type, content, .. } => Some((mime_type, content)),
                _ => None,
            };
            assert_eq!(found, expect.map(|(mime, content)| (mime.map(str::to_owned), content.to_owned())), "{url}");
        };
        check("data:image/png;base64,AAAA", Some((Some("image/png"), "AAAA")));
        check("data:text/plain;charset=utf-8;base64,AAAA", Some((Some("text/plain"), "AAAA")));
        check("data:;base64,AAAA", Some((None, "AAAA")));
        check("https://example.com/a.png", None);
        check("data:image/svg+xml,%3Csvg%3E", None);
    }
}
