//! The resource patterns of one effect, ready to be compared.

use super::glob;
use super::hash::{Pairs, first_bytes, last_bytes};
use super::index::Index;
use super::target::{Spellings, Target};

/// What a pattern is compared with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scope {
    /// `{method}{path}`.
    Resource,
    /// `{api}/{stage}/{method}{path}`: a wildcard stands in front.
    Stage,
}

/// More entries than this are found through an index.
const LINEAR: usize = 24;

/// Fewer than so many literal bytes at an end say little.
const WEAK: usize = 4;

/// Up to so many candidates are compared without being pre-selected.
pub(super) const FEW: usize = 4;

/// The patterns, and the statements that cannot be decided by comparing patterns one by one.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    text: Vec<u8>,
    entries: Vec<Entry>,
    index: Option<Box<Index>>,
    complex: Vec<Complex>,
}

/// What needs more than a list of patterns.
#[derive(Clone, Debug)]
pub(super) enum Complex {
    /// `NotResource`: what none of these patterns covers.
    Complement { statement: u32, conditional: bool, excepted: Plan },
    /// `NotResource` with variables: what neither these patterns cover nor those with variables.
    DynamicComplement { statement: u32, excepted: Plan },
    /// One resource with variables.
    DynamicResource { statement: u32, resource: u32 },
}

impl Complex {
    pub(super) const fn statement(&self) -> u32 {
        match self {
            Self::Complement { statement, .. }
            | Self::DynamicComplement { statement, .. }
            | Self::DynamicResource { statement, .. } => *statement,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    gate: Gate,
    start: u32,
    end: u32,
    /// Where the path begins, unless method and path cannot be told apart.
    path: u32,
    first_wildcard: u32,
    behind_last_wildcard: u32,
    pub(super) statement: u32,
    pub(super) form: Form,
    pub(super) shape: Shape,
    spellings: Spellings,
    /// Whether the statement has conditions.
    pub(super) conditional: bool,
    /// Pairs of bytes that the path must have, where its ends say little.
    needs: Pairs,
}

/// How method and path are told apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// `*` and then a path: any method.
    AnyMethod,
    /// The method is literal.
    Method,
    /// They are compared as one text, with the stage in front or without it.
    Whole(Scope),
}

/// What the path part looks like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    /// One `*`, no `?`: only the ends count.
    Ends,
    Exact,
    /// With `?`.
    General,
    /// More than two `*`, no `?`.
    Stars,
    /// Two `*` with literal text between them, no `?`.
    Two,
}

/// Where a pattern comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) statement: u32,
    /// Whether the statement has conditions.
    pub(super) conditional: bool,
}

/// The outer bytes of a pattern: whatever they do not fit cannot be covered. A zero mask fits everything.
#[derive(Clone, Copy, Debug, Default)]
struct Gate {
    method: u64,
    head: u64,
    head_mask: u64,
    tail: u64,
    tail_mask: u64,
}

impl Gate {
    fn new(method: &[u8], head: &[u8], tail: &[u8]) -> Self {
        let unused = |part: &[u8]| u32::try_from(8_usize.saturating_sub(part.len()) * 8).unwrap_or_default();
        Self {
            method: first_bytes(method),
            head: first_bytes(head),
            head_mask: u64::MAX.checked_shr(unused(head)).unwrap_or_default(),
            tail: last_bytes(tail),
            tail_mask: u64::MAX.checked_shl(unused(tail)).unwrap_or_default(),
        }
    }

    #[inline]
    fn admits(&self, target: &Target<'_>) -> bool {
        (self.method == 0 || self.method == target.method_start)
            && self.head == target.path_start & self.head_mask
            && self.tail == target.path_end & self.tail_mask
    }
}

impl Plan {
    pub(super) fn push_complex(&mut self, complex: Complex) {
        self.complex.push(complex);
    }

    pub(super) fn complex(&self) -> &[Complex] {
        &self.complex
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.complex.is_empty()
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn reserve(&mut self, entries: usize) {
        // Most patterns are no longer than this behind the stage.
        const TEXT: usize = 32;
        self.entries.reserve_exact(entries);
        self.text.reserve_exact(entries * TEXT);
    }

    pub(super) fn push(&mut self, origin: Origin, pattern: &str, scope: Scope, spellings: Spellings) {
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
        } else if bytes.contains(&b'?') {
            Shape::General
        } else if behind == first + 1 {
            Shape::Ends
        } else if bytes
            .get(first + 1..behind - 1)
            .is_some_and(|between| !between.is_empty() && !between.contains(&b'*'))
        {
            Shape::Two
        } else {
            Shape::Stars
        };
        let gate = match form {
            Form::Whole(_) => Gate::default(),
            _ => Gate::new(
                bytes.get(..path).unwrap_or_default(),
                bytes.get(path..first).unwrap_or_default(),
                bytes.get(if shape == Shape::Exact { path } else { behind }..).unwrap_or_default(),
            ),
        };
        let is_weak = first < path + WEAK && bytes.len() < behind + WEAK;
        let needs = match (form, shape) {
            (Form::Method | Form::AnyMethod, Shape::Two | Shape::Stars | Shape::General) if is_weak => {
                Pairs::needed(bytes.get(path..).unwrap_or_default())
            }
            _ => Pairs::default(),
        };
        let start = self.text.len();
        self.text.extend_from_slice(bytes);
        self.entries.push(Entry {
            gate,
            start: offset(start),
            end: offset(self.text.len()),
            path: offset(start + path),
            first_wildcard: offset(start + first),
            behind_last_wildcard: offset(start + behind),
            statement: origin.statement,
            form,
            shape,
            spellings,
            conditional: origin.conditional,
            needs,
        });
    }

    pub(super) fn finish(&mut self) {
        if self.text.capacity() > self.text.len() + self.text.len() / 4 + 64 {
            self.text.shrink_to_fit();
        }
        if self.entries.capacity() > self.entries.len() + self.entries.len() / 4 {
            self.entries.shrink_to_fit();
        }
        if self.entries.len() > LINEAR {
            self.index = Some(Box::new(Index::new(self)));
        }
    }

    /// Calls `found` with every entry that covers the target. When it returns true, entries of later statements are of
    /// no interest any more.
    #[inline]
    pub(super) fn search(&self, target: &Target<'_>, mut found: impl FnMut(&Entry) -> bool) {
        if let Some(index) = &self.index
            && !target.is_odd
        {
            return self.search_index(index, target, found);
        }
        let mut pairs = None;
        for entry in &self.entries {
            // First, and here: most entries end at the gate.
            if !target.is_odd && !entry.gate.admits(target) {
                continue;
            }
            if !entry.needs.is_empty() && self.entries.len() > FEW && !target.is_odd {
                let have = *pairs.get_or_insert_with(|| Pairs::of(["", "", target.path]));
                if !entry.needs.are_among(have) {
                    continue;
                }
            }
            if self.covers_admitted(entry, target) && found(entry) {
                return;
            }
        }
    }

    /// Apart from the loop above, so that short policies do not pay for the registers it takes.
    #[inline(never)]
    fn search_index(&self, index: &Index, target: &Target<'_>, mut found: impl FnMut(&Entry) -> bool) {
        index.search(self, target, &mut |entry| {
            found(entry);
        });
    }

    /// Whether any entry covers the target.
    pub(super) fn covers_any(&self, target: &Target<'_>) -> bool {
        let mut any = false;
        self.search(target, |_| {
            any = true;
            true
        });
        any
    }

    #[inline]
    pub(super) fn covers(&self, entry: &Entry, target: &Target<'_>) -> bool {
        (target.is_odd || entry.gate.admits(target)) && self.covers_admitted(entry, target)
    }

    /// The same for a target that the gate admits, or that is too odd for gates.
    #[inline]
    fn covers_admitted(&self, entry: &Entry, target: &Target<'_>) -> bool {
        if !entry.spellings.include(target.spelling) {
            return false;
        }
        match entry.form {
            _ if target.is_odd => self.covers_whole(entry, target),
            Form::Method => {
                let length = (entry.path - entry.start) as usize;
                // The gate compared the first eight bytes.
                length == target.method.len()
                    && (length <= 8 || self.method(entry) == target.method.as_bytes())
                    && self.covers_path(entry, target)
            }
            Form::AnyMethod => self.covers_path(entry, target),
            Form::Whole(_) => self.covers_whole(entry, target),
        }
    }

    #[inline]
    fn covers_path(&self, entry: &Entry, target: &Target<'_>) -> bool {
        let path = target.path.as_bytes();
        if entry.shape == Shape::Exact {
            return self.pattern(entry) == path;
        }
        let (head, tail) = (self.head(entry), self.tail(entry));
        let Some((start, rest)) = path.split_at_checked(head.len()) else { return false };
        let Some(at) = rest.len().checked_sub(tail.len()) else { return false };
        let Some((between, end)) = rest.split_at_checked(at) else { return false };
        // The gate compared the first eight bytes and the last.
        if (head.len() > 8 && head != start) || (tail.len() > 8 && tail != end) {
            return false;
        }
        match entry.shape {
            Shape::Ends => true,
            Shape::Two => {
                glob::contains(self.slice(entry.first_wildcard + 1, entry.behind_last_wildcard - 1), between)
            }
            Shape::Stars => {
                glob::matches_stars(self.slice(entry.first_wildcard, entry.behind_last_wildcard), between)
            }
            _ => glob::matches(self.slice(entry.first_wildcard, entry.behind_last_wildcard), between),
        }
    }

    fn covers_whole(&self, entry: &Entry, target: &Target<'_>) -> bool {
        let prefix = match entry.form {
            Form::Whole(Scope::Stage) => target.prefix,
            _ => "",
        };
        glob::matches_parts(self.slice(entry.start, entry.end), [prefix, target.method, target.path])
    }

    /// The literal method of an entry, if it has one.
    pub(super) fn method(&self, entry: &Entry) -> &[u8] {
        self.slice(entry.start, entry.path)
    }

    /// What the path of an entry looks like, or the whole of it when the path cannot be told apart.
    pub(super) fn pattern(&self, entry: &Entry) -> &[u8] {
        self.slice(entry.path, entry.end)
    }

    /// The literal text before the first wildcard of the path.
    #[inline]
    pub(super) fn head(&self, entry: &Entry) -> &[u8] {
        self.slice(entry.path, entry.first_wildcard)
    }

    /// The literal text behind the last wildcard of the path.
    #[inline]
    pub(super) fn tail(&self, entry: &Entry) -> &[u8] {
        self.slice(entry.behind_last_wildcard, entry.end)
    }

    #[inline]
    fn slice(&self, start: u32, end: u32) -> &[u8] {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let complex = |complex: &Complex| match complex {
            Complex::Complement { excepted, .. } | Complex::DynamicComplement { excepted, .. } => {
                excepted.heap_bytes()
            }
            Complex::DynamicResource { .. } => 0,
        };
        self.text.capacity()
            + self.entries.capacity() * size_of::<Entry>()
            + self.index.as_ref().map_or(0, |index| index.heap_bytes())
            + self.complex.capacity() * size_of::<Complex>()
            + self.complex.iter().map(complex).sum::<usize>()
    }
}
