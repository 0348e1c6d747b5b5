//! The resource patterns of one effect, ready to be compared.

use super::glob;

/// What a pattern is compared with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scope {
    /// `{method}{path}`.
    Resource,
    /// `{api}/{stage}/{method}{path}`: a wildcard stands in front.
    Stage,
}

/// The patterns, and the statements that cannot be decided by a pattern alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    text: Vec<u8>,
    entries: Vec<Entry>,
    complex: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    start: u32,
    end: u32,
    /// Where the path begins, unless method and path cannot be told apart.
    path: u32,
    first_wildcard: u32,
    behind_last_wildcard: u32,
    statement: u32,
    form: Form,
    shape: Shape,
    canonical_only: bool,
}

/// How method and path are told apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    /// `*` and then a path: any method.
    AnyMethod,
    /// The method is literal.
    Method,
    /// They are compared as one text, with the stage in front or without it.
    Whole(Scope),
}

/// What the path part looks like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Shape {
    /// One `*`, no `?`: only the ends count.
    Ends,
    Exact,
    General,
}

/// One spelling of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    pub(super) prefix: &'a str,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) is_canonical: bool,
}

impl Target<'_> {
    /// Whether method and path can be told apart in the text they make together.
    fn is_plain(&self) -> bool {
        self.path.starts_with('/') && !self.method.contains('/')
    }
}

impl Plan {
    pub(super) fn push_complex(&mut self, statement: u32) {
        self.complex.push(statement);
    }

    pub(super) fn complex(&self) -> &[u32] {
        &self.complex
    }

    pub(super) fn push(&mut self, statement: u32, pattern: &str, scope: Scope, canonical_only: bool) {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let bytes = pattern.as_bytes();
        let wildcard = |byte: &u8| matches!(byte, b'*' | b'?');
        let first = bytes.iter().position(wildcard).unwrap_or(bytes.len());
        let behind = bytes.iter().rposition(wildcard).map_or(bytes.len(), |at| at + 1);
        let slash = bytes.iter().position(|byte| *byte == b'/');
        let behind_stars = bytes.iter().find(|byte| **byte != b'*');
        let form = match (scope, slash) {
            (Scope::Stage, _) => Form::Whole(scope),
            (Scope::Resource, Some(slash)) if slash < first => Form::Method,
            (Scope::Resource, _)
                if first == 0 && matches!(behind_stars, None | Some(b'/')) && !bytes.is_empty() =>
            {
                Form::AnyMethod
            }
            (Scope::Resource, _) => Form::Whole(scope),
        };
        let path = if form == Form::Method { slash.unwrap_or_default() } else { 0 };
        let shape = if first == bytes.len() {
            Shape::Exact
        } else if behind == first + 1 && bytes.get(first) == Some(&b'*') {
            Shape::Ends
        } else {
            Shape::General
        };
        let start = self.text.len();
        self.text.extend_from_slice(bytes);
        self.entries.push(Entry {
            start: offset(start),
            end: offset(self.text.len()),
            path: offset(start + path),
            first_wildcard: offset(start + first),
            behind_last_wildcard: offset(start + behind),
            statement,
            form,
            shape,
            canonical_only,
        });
    }

    pub(super) fn finish(&mut self) {
        self.text.shrink_to_fit();
        self.entries.shrink_to_fit();
    }

    /// Calls `found` with every statement of which a pattern covers the target, in order, until it says to stop.
    pub(super) fn search(&self, target: &Target<'_>, mut found: impl FnMut(u32) -> bool) {
        for entry in &self.entries {
            if self.covers(entry, target) && found(entry.statement) {
                return;
            }
        }
    }

    fn covers(&self, entry: &Entry, target: &Target<'_>) -> bool {
        if entry.canonical_only && !target.is_canonical {
            return false;
        }
        if !target.is_plain() {
            return self.covers_whole(entry, target);
        }
        match entry.form {
            Form::Method => {
                self.slice(entry.start, entry.path) == target.method.as_bytes()
                    && self.covers_path(entry, target)
            }
            Form::AnyMethod => self.covers_path(entry, target),
            Form::Whole(_) => self.covers_whole(entry, target),
        }
    }

    fn covers_path(&self, entry: &Entry, target: &Target<'_>) -> bool {
        let path = target.path.as_bytes();
        match entry.shape {
            Shape::Exact => self.slice(entry.path, entry.end) == path,
            Shape::Ends => {
                let head = self.slice(entry.path, entry.first_wildcard);
                let tail = self.slice(entry.behind_last_wildcard, entry.end);
                head.len() + tail.len() <= path.len() && path.starts_with(head) && path.ends_with(tail)
            }
            Shape::General => glob::matches(self.slice(entry.path, entry.end), path),
        }
    }

    fn covers_whole(&self, entry: &Entry, target: &Target<'_>) -> bool {
        let prefix = match entry.form {
            Form::Whole(Scope::Stage) => target.prefix,
            _ => "",
        };
        glob::matches_parts(self.slice(entry.start, entry.end), [prefix, target.method, target.path])
    }

    fn slice(&self, start: u32, end: u32) -> &[u8] {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.text.capacity()
            + self.entries.capacity() * size_of::<Entry>()
            + self.complex.capacity() * size_of::<u32>()
    }
}
