//! Under what an answer is kept.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::contract::REDACTED;
use crate::policy::StageArn;
use crate::request::{Identity, IdentitySource, IdentityValue};

/// What all keys of one layer share: its stage and its identity sources. No two layers share one.
///
/// It is compared by its address, which is cheaper than comparing what it says and says more: a layer with the
/// same stage and sources is still another layer, with another authorizer.
#[derive(Debug)]
pub(crate) struct KeySpace {
    pub(crate) stage: StageArn,
    pub(crate) sources: Vec<IdentitySource>,
}

/// The key of one answer: the layer, its stage, and for each identity source its kind, name and value. Where answers may have
/// the simple form, also the method and the path.
///
/// Values are kept and compared whole, each on its own: nothing is concatenated, truncated or digested, so two
/// identities are equal only if every value is. `Debug` prints none of them.
#[derive(Clone)]
pub struct CacheKey {
    space: Arc<KeySpace>,
    values: Box<[Box<str>]>,
}

impl CacheKey {
    /// The stage of the layer that stored this.
    #[must_use]
    pub fn stage(&self) -> &StageArn {
        &self.space.stage
    }

    /// Each identity source and its value, which may be a secret. That is not all of a key: compare keys as wholes.
    pub fn identity(&self) -> impl Iterator<Item = (&IdentitySource, &str)> {
        self.space.sources.iter().zip(self.values.iter().map(|value| &**value))
    }

    /// The bytes this keeps on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let texts: usize = self.values.iter().map(|value| value.len()).sum();
        texts + self.values.len() * size_of::<Box<str>>()
    }

    /// This key, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> CacheKeyRef<'_> {
        CacheKeyRef { space: &self.space, values: Values::OfKey(&self.values) }
    }

    #[inline]
    pub(crate) fn is_of(&self, space: &Arc<KeySpace>) -> bool {
        Arc::ptr_eq(&self.space, space)
    }
}

impl PartialEq for CacheKey {
    fn eq(&self, other: &Self) -> bool {
        self.is_of(&other.space) && self.values == other.values
    }
}

impl Eq for CacheKey {}

impl Hash for CacheKey {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash(&self.space, bytes_of(&self.values), state);
    }
}

impl std::fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        debug(&self.space, f)
    }
}

/// A [`CacheKey`] that borrows its values, from a request or from a key. It hashes and compares as that key does.
#[derive(Clone, Copy)]
pub struct CacheKeyRef<'a> {
    space: &'a Arc<KeySpace>,
    values: Values<'a>,
}

#[derive(Clone, Copy)]
enum Values<'a> {
    OfRequest(&'a Identity<'a>),
    OfKey(&'a [Box<str>]),
}

impl<'a> CacheKeyRef<'a> {
    pub(crate) fn new(space: &'a Arc<KeySpace>, values: &'a Identity<'a>) -> Self {
        Self { space, values: Values::OfRequest(values) }
    }

    /// The same key, with values of its own.
    #[must_use]
    pub fn to_key(&self) -> CacheKey {
        let values = match self.values {
            Values::OfRequest(identity) => {
                identity.values().iter().map(|value| value.text().into()).collect()
            }
            Values::OfKey(values) => values.into(),
        };
        CacheKey { space: Arc::clone(self.space), values }
    }

    /// Whether this is that key.
    #[must_use]
    #[inline]
    pub fn equals(&self, key: &CacheKey) -> bool {
        key.is_of(self.space)
            && match self.values {
                Values::OfRequest(identity) => equal(identity.values(), &key.values),
                Values::OfKey(values) => *values == *key.values,
            }
    }
}

impl Hash for CacheKeyRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.values {
            Values::OfRequest(identity) => {
                hash(self.space, identity.values().iter().map(IdentityValue::as_bytes), state);
            }
            Values::OfKey(values) => hash(self.space, bytes_of(values), state),
        }
    }
}

impl std::fmt::Debug for CacheKeyRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        debug(self.space, f)
    }
}

#[inline]
fn equal(of_request: &[IdentityValue<'_>], of_key: &[Box<str>]) -> bool {
    of_request.len() == of_key.len()
        && of_request.iter().zip(of_key).all(|(value, other)| value.as_bytes() == other.as_bytes())
}

#[inline]
fn bytes_of(values: &[Box<str>]) -> impl Iterator<Item = &[u8]> {
    values.iter().map(|value| value.as_bytes())
}

/// A slice begins its own hash with its length, so that `ab`, `c` and `a`, `bc` differ.
fn hash<'a, H: Hasher>(space: &Arc<KeySpace>, values: impl Iterator<Item = &'a [u8]>, state: &mut H) {
    Arc::as_ptr(space).hash(state);
    for value in values {
        value.hash(state);
    }
}

fn debug(space: &KeySpace, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    f.debug_struct("CacheKey")
        .field("stage", &space.stage)
        .field("sources", &space.sources)
        .field("values", &REDACTED)
        .finish()
}
