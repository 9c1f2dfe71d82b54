//! What Bedrock calls the formats of pictures, documents and films.

use signalbox_types::Modality;

const FORMATS: &[(Modality, &str, &str)] = &[
    (Modality::Image, "png", "image/png"),
    (Modality::Image, "jpeg", "image/jpeg"),
    (Modality::Image, "gif", "image/gif"),
    (Modality::Image, "webp", "image/webp"),
    (Modality::Document, "pdf", "application/pdf"),
    (Modality::Document, "csv", "text/csv"),
    (Modality::Document, "doc", "application/msword"),
    (Modality::Document, "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (Modality::Document, "xls", "application/vnd.ms-excel"),
    (Modality::Document, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (Modality::Document, "html", "text/html"),
    (Modality::Document, "txt", "text/plain"),
    (Modality::Document, "md", "text/markdown"),
    (Modality::Video, "mp4", "video/mp4"),
    (Modality::Video, "mov", "video/quicktime"),
    (Modality::Video, "mkv", "video/x-matroska"),
    (Modality::Video, "webm", "video/webm"),
    (Modality::Video, "flv", "video/x-flv"),
    (Modality::Video, "mpeg", "video/mpeg"),
    (Modality::Video, "mpg", "video/mpeg"),
    (Modality::Video, "wmv", "video/x-ms-wmv"),
    (Modality::Video, "three_gp", "video/3gpp"),
];

/// The key of such a block.
pub(super) fn key(modality: Modality) -> Option<&'static str> {
    Some(match modality {
        Modality::Image => "image",
        Modality::Document => "document",
        Modality::Video => "video",
        Modality::Audio => return None,
    })
}

pub(super) fn mime_type(modality: Modality, format: &str) -> Option<&'static str> {
    let found = FORMATS.iter().find(|(of, name, _)| *of == modality && *name == format);
    found.map(|(_, _, mime_type)| *mime_type)
}

pub(super) fn format(modality: Modality, mime_type: &str) -> Option<&'static str> {
    let mime_type = if mime_type == "image/jpg" { "image/jpeg" } else { mime_type };
    let found = FORMATS.iter().find(|(of, _, known)| *of == modality && *known == mime_type);
    found.map(|(_, name, _)| *name)
}

/// The format that a file's name or address ends in.
pub(super) fn format_of_name(modality: Modality, name: &str) -> Option<&'static str> {
    let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
    let ending = if ending == "jpg" { "jpeg" } else { &ending };
    let found = FORMATS.iter().find(|(of, name, _)| *of == modality && *name == ending);
    found.map(|(_, name, _)| *name)
}

/// The formats of a kind, for messages.
pub(super) fn known(modality: Modality) -> String {
    let names: Vec<&str> = FORMATS.iter().filter(|(of, ..)| *of == modality).map(|(_, name, _)| *name).collect();
    names.join(", ")
}
