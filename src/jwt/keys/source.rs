//! Where the keys of an issuer come from: the seam between what checks tokens and what fetches keys.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use super::{KeySet, Verifiers};

/// The keys of an issuer: a [`KeySet`] that stays as it is, or a source that fetches it and keeps it fresh.
#[derive(Clone)]
pub struct Keys(Origin);

#[derive(Clone)]
enum Origin {
    Fixed(Arc<KeySet>),
    Fetched(Arc<dyn KeySource>),
}

/// The pending answer of [`KeySource::refreshed`].
pub(crate) type Refresh<'a> = Pin<Box<dyn Future<Output = Option<Arc<KeySet>>> + Send + 'a>>;

/// A source of keys that change.
///
/// What it owes: [`current`](Self::current) takes no lock and does not wait, since each token asks it.
/// [`refreshed`](Self::refreshed) waits for one fetch at most, whether it begins that one or finds it under way, and
/// not longer than a fetch may take. While a cool-down lasts, which begins with an attempt and not with its end, it
/// answers at once. A name that a token made up leads nowhere: it is compared with the names of keys, and is never
/// part of an address.
pub(crate) trait KeySource: fmt::Debug + Send + Sync + 'static {
    /// The keys as they are known. `None` if none were ever fetched, or if they are too old to be used still.
    fn current(&self) -> Option<Arc<KeySet>>;

    /// The keys after a refresh, if one may begin now: there are none, or none of the name `kid`. (A token without a
    /// name is `None`.) The answer is what `current` says then.
    fn refreshed<'a>(&'a self, kid: Option<&'a str>) -> Refresh<'a>;
}

/// What was found for the name of a key.
pub(crate) enum Found {
    /// The key.
    Key(Verifiers),
    /// There are keys, but not that one.
    NoSuchKey,
    /// There are no keys.
    NoKeys,
}

impl Keys {
    /// Keys that are fetched.
    #[cfg_attr(not(any(test, feature = "jwks-http")), expect(dead_code, reason = "for sources that fetch"))]
    pub(crate) fn fetched(source: Arc<dyn KeySource>) -> Self {
        Self(Origin::Fetched(source))
    }

    /// The keys that do not change, if they are such.
    pub(crate) fn fixed(&self) -> Option<&KeySet> {
        match &self.0 {
            Origin::Fixed(keys) => Some(keys),
            Origin::Fetched(_) => None,
        }
    }

    /// The key of that name, after a refresh if there is none as yet.
    pub(crate) async fn find(&self, kid: Option<&str>) -> Found {
        let source = match &self.0 {
            Origin::Fixed(keys) => return Found::of(Some(keys), kid),
            Origin::Fetched(source) => source,
        };
        match Found::of(source.current().as_deref(), kid) {
            Found::Key(key) => Found::Key(key),
            Found::NoSuchKey | Found::NoKeys => Found::of(source.refreshed(kid).await.as_deref(), kid),
        }
    }
}

impl Found {
    fn of(keys: Option<&KeySet>, kid: Option<&str>) -> Self {
        match keys {
            Some(keys) if !keys.is_empty() => {
                keys.find(kid).map_or(Self::NoSuchKey, |key| Self::Key(key.clone()))
            }
            _ => Self::NoKeys,
        }
    }
}

impl From<KeySet> for Keys {
    fn from(keys: KeySet) -> Self {
        Self(Origin::Fixed(Arc::new(keys)))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Origin::Fixed(keys) => keys.fmt(f),
            Origin::Fetched(source) => source.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A source with other keys after each refresh.
    #[derive(Debug)]
    struct Changing {
        current: Mutex<Option<Arc<KeySet>>>,
        next: Mutex<Vec<KeySet>>,
        asked: Mutex<Vec<Option<String>>>,
    }

    impl KeySource for Changing {
        fn current(&self) -> Option<Arc<KeySet>> {
            self.current.lock().unwrap().clone()
        }

        fn refreshed<'a>(&'a self, kid: Option<&'a str>) -> Refresh<'a> {
            self.asked.lock().unwrap().push(kid.map(str::to_owned));
            if let Some(next) = self.next.lock().unwrap().pop() {
                *self.current.lock().unwrap() = Some(Arc::new(next));
            }
            Box::pin(std::future::ready(self.current()))
        }
    }

    #[tokio::test]
    async fn a_source_is_refreshed_for_keys_that_are_not_there() {
        let named = |kid: &str| KeySet::from_hmac_secret(&[7; 32]).unwrap().with_kid(kid).unwrap();
        let source = Arc::new(Changing {
            current: Mutex::new(None),
            next: Mutex::new(vec![named("b"), named("a"), KeySet::default()]),
            asked: Mutex::default(),
        });
        let keys = Keys::fetched(Arc::<Changing>::clone(&source));
        let asked = || source.asked.lock().unwrap().len();
        // Nothing was ever fetched, then there is nothing of use, then there is the key.
        assert!(matches!(keys.find(Some("a")).await, Found::NoKeys));
        assert!(matches!(keys.find(Some("a")).await, Found::Key(_)));
        assert!(matches!(keys.find(Some("a")).await, Found::Key(_)));
        assert_eq!(asked(), 2);
        assert!(matches!(keys.find(Some("b")).await, Found::Key(_)));
        assert!(matches!(keys.find(Some("a")).await, Found::NoSuchKey));
        assert!(matches!(keys.find(None).await, Found::Key(_)));
        assert_eq!(asked(), 4);
    }
}
