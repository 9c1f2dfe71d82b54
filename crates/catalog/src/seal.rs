//! Encrypts what has to be kept readable: credentials of providers, which go out with each call. The key stands outside of the
//! catalog (an environment variable or a file), so that a stolen catalog or backup opens no account.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use signalbox_types::Secret;

/// Whoever has the catalog can try keys as fast as a machine can: a key must not be one that somebody can guess.
const MIN_KEY_CHARS: usize = 32;
/// What keys are derived for (BLAKE3 wants the sentence to be of nobody else).
const FOR_SEALING: &str = "signalbox catalog 2026-11 key for credentials";
const FOR_ID: &str = "signalbox catalog 2026-11 id of the key for credentials";

/// A key that seals and opens.
#[derive(Debug)]
pub(crate) struct Seal {
    /// Which key it is; says nothing about it.
    pub(crate) id: String,
    key: RandomizedNonceKey,
}

/// The keys that there are.
#[derive(Debug)]
pub(crate) struct Seals {
    /// Seals what is new.
    pub(crate) now: Seal,
    /// Opens what is old.
    pub(crate) before: Option<Seal>,
}

impl Seal {
    /// Of a text that somebody chose, at random.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn new(text: &Secret) -> Result<Self, String> {
        let text = text.expose().trim();
        let chars = text.chars().count();
        if chars < MIN_KEY_CHARS {
            return Err(format!(
                "it has {chars} characters; expected at least {MIN_KEY_CHARS} random ones, like `openssl rand -base64 32` gives"
            ));
        }
        let bytes = blake3::derive_key(FOR_SEALING, text.as_bytes());
        let id = blake3::derive_key(FOR_ID, text.as_bytes());
        let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| "it makes no key".to_owned())?;
        Ok(Self { id: id.iter().take(4).map(|byte| format!("{byte:02x}")).collect(), key })
    }

    /// What is sealed under one name doesn't open under another.
    pub(crate) fn seal(&self, name: &str, value: &Secret) -> Result<Vec<u8>, String> {
        let mut text = value.expose().as_bytes().to_vec();
        let nonce = self.key.seal_in_place_append_tag(bound_to(name), &mut text);
        let nonce = nonce.map_err(|_| "it could not be encrypted".to_owned())?;
        Ok(nonce.as_ref().iter().copied().chain(text).collect())
    }

    /// `None` if it was changed, or sealed with another key or under another name.
    pub(crate) fn open(&self, name: &str, sealed: &[u8]) -> Option<Secret> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let opened = self.key.open_in_place(nonce, bound_to(name), &mut text).ok()?;
        String::from_utf8(opened.to_vec()).ok().map(Secret::new)
    }
}

impl Seals {
    /// The key of this id.
    pub(crate) fn find(&self, id: &str) -> Option<&Seal> {
        [Some(&self.now), self.before.as_ref()].into_iter().flatten().find(|seal| seal.id == id)
    }
}

fn bound_to(name: &str) -> Aad<Vec<u8>> {
    Aad::from(format!("credential\0{name}").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(text: &str) -> Seal {
        Seal::new(&Secret::new(text.to_owned())).unwrap()
    }

    #[test]
    fn opens_what_it_sealed_and_nothing_else() {
        let (one, other) = (seal(&"a".repeat(32)), seal(&"b".repeat(40)));
        let value = Secret::new("sk-value".to_owned());
        let sealed = one.seal("openai", &value).unwrap();
        assert_eq!(one.open("openai", &sealed), Some(value.clone()));
        assert!(!sealed.windows(8).any(|window| window == b"sk-value"));
        assert_ne!(one.seal("openai", &value).unwrap(), sealed, "each time another nonce");
        assert_eq!(one.open("groq", &sealed), None);
        assert_eq!(other.open("openai", &sealed), None);
        let mut changed = sealed.clone();
        changed[NONCE_LEN] ^= 1;
        assert_eq!(one.open("openai", &changed), None);
        assert_eq!(one.open("openai", &sealed[..5]), None);
        assert_ne!(one.id, other.id);
    }

    #[test]
    fn a_key_that_can_be_guessed_is_refused() {
        let problem = Seal::new(&Secret::new(" password ".to_owned())).unwrap_err();
        assert!(problem.contains("8 characters") && !problem.contains("password"), "{problem}");
    }
}
