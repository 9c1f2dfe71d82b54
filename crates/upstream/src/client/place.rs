//! Where an operation is, below the base URL: the same for every call, or with the model in the path.

use std::borrow::Cow;

use http::Uri;
use http::uri::InvalidUri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Operation;

/// What a model's name may hold as it is. A `/` would lead elsewhere.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'@');
const MODEL: &str = "{model}";

#[derive(Debug, Clone)]
pub(crate) enum Place {
    Fixed(Uri),
    /// What stands before and behind the model.
    Model(String, String),
}

impl Place {
    pub(crate) fn parse(path: &str) -> Result<Self, InvalidUri> {
        let Some((before, behind)) = path.split_once(MODEL) else { return path.parse().map(Self::Fixed) };
        let place = Self::Model(before.to_owned(), behind.to_owned());
        place.uri("m").map(|_| ()).and(Ok(place))
    }

    pub(crate) fn uri(&self, model: &str) -> Result<Cow<'_, Uri>, InvalidUri> {
        match self {
            Self::Fixed(uri) => Ok(Cow::Borrowed(uri)),
            Self::Model(before, behind) => {
                format!("{before}{}{behind}", utf8_percent_encode(model, PLAIN)).parse().map(Cow::Owned)
            }
        }
    }
}

/// Where the operations of a provider are.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) chat: Place,
    pub(crate) chat_stream: Option<Place>,
    pub(crate) others: Vec<(Operation, Place)>,
}

impl Places {
    pub(crate) fn find(&self, operation: Operation, stream: bool) -> Option<&Place> {
        match operation {
            Operation::Chat if stream => self.chat_stream.as_ref().or(Some(&self.chat)),
            Operation::Chat => Some(&self.chat),
            other => self.others.iter().find(|(operation, _)| *operation == other).map(|(_, place)| place),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_stays_within_its_segment() {
        let place = Place::parse("/v1beta/models/{model}:generateContent").unwrap();
        let check = |model: &str, expected: &str| assert_eq!(place.uri(model).unwrap().to_string(), expected);
        check("gemini-2.5-pro", "/v1beta/models/gemini-2.5-pro:generateContent");
        check("../files?x=1#y", "/v1beta/models/..%2Ffiles%3Fx%3D1%23y:generateContent");
        check("mödel 1%", "/v1beta/models/m%C3%B6del%201%25:generateContent");
        assert_eq!(Place::parse("/v1/x").unwrap().uri("m").unwrap().to_string(), "/v1/x");
    }
}
