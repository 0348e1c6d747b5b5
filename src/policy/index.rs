//! Finds the patterns that may cover a request without looking at all of them.
//!
//! Patterns without wildcards are found by the hash of method and path. The others are grouped by the literal text
//! before their first wildcard, and in a group by the literal text behind their last one; a request is looked up once
//! for every length such a text has. What stands between wildcards is pre-selected by the pairs of bytes it needs.
//! A hash only ever pre-selects: whatever is found is compared in full.

use super::hash::{Pairs, first_bytes, hash};
use super::plan::{Entry, FEW, Form, Plan, Shape};
use super::target::Target;

const EXACT: u64 = 0x9E37_79B9_7F4A_7C15;
const GROUP: u64 = 0xC2B2_AE3D_27D4_EB4F;
const ANY_METHOD: u64 = 0x1656_67B1_9E37_79F9;

#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// Open addressing; a power of two, at most half full.
    table: Vec<Slot>,
    /// Every length of a literal text before a first wildcard, shortest first.
    head_lengths: Vec<u32>,
    /// Every length of a literal text behind a last wildcard, by group and shortest first.
    tail_lengths: Vec<u32>,
    has_exact: bool,
    any_method: Option<Span>,
    whole: Span,
    /// Positions of entries, by bucket.
    candidates: Vec<u32>,
    /// The pairs of bytes that the candidates of large buckets need, in the same order.
    needs: Vec<Pairs>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    key: u64,
    span: Span,
}

/// A range of candidates, or of the tail lengths of a group.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    end: u32,
    /// Where the needs of the candidates begin, or what says that there are none.
    needs: u32,
}

const NO_NEEDS: u32 = u32::MAX;
const TAIL_LENGTHS: u32 = u32::MAX - 1;

impl Span {
    fn of<T>(self, items: &[T]) -> &[T] {
        items.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    const fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// An entry with the hashes it is found by.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Keyed {
    group: u64,
    tail_length: u32,
    tail: u64,
    position: u32,
}

impl Index {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut index = Self::default();
        let mut keyed = Vec::with_capacity(plan.entries().len());
        let mut whole = Vec::new();
        for (position, entry) in (0_u32..).zip(plan.entries()) {
            let method = first_bytes(plan.method(entry));
            let (group, tail) = match (entry.form, entry.shape) {
                (Form::Whole(_), _) => {
                    whole.push(position);
                    continue;
                }
                (_, Shape::Exact) => {
                    index.has_exact = true;
                    (hash(plan.pattern(entry), method ^ EXACT), &[][..])
                }
                (Form::AnyMethod, _) => (ANY_METHOD, plan.tail(entry)),
                (Form::Method, _) => {
                    let head = plan.head(entry);
                    index.head_lengths.push(length(head));
                    (hash(head, method ^ GROUP), plan.tail(entry))
                }
            };
            keyed.push(Keyed { group, tail_length: length(tail), tail: hash(tail, group), position });
        }
        index.head_lengths.sort_unstable();
        index.head_lengths.dedup();
        keyed.sort_unstable();
        index.candidates.reserve(plan.entries().len());
        let keys: usize = keyed
            .chunk_by(|left, right| left.group == right.group)
            .map(|group| if group.len() <= FEW { 1 } else { 1 + tails(group).count() })
            .sum();
        index.table = vec![Slot::default(); (keys * 2).next_power_of_two()];
        for group in keyed.chunk_by(|left, right| left.group == right.group) {
            index.push_group(plan, group);
        }
        index.whole = index.push_candidates(plan, whole.into_iter());
        index
    }

    fn push_group(&mut self, plan: &Plan, group: &[Keyed]) {
        let Some(first) = group.first() else { return };
        let span = if group.len() <= FEW {
            self.push_candidates(plan, group.iter().map(|keyed| keyed.position))
        } else {
            let start = length(&self.tail_lengths);
            for tail in tails(group) {
                let span = self.push_candidates(plan, tail.iter().map(|keyed| keyed.position));
                if let Some(first) = tail.first() {
                    self.insert(first.tail, span);
                    self.tail_lengths.push(first.tail_length);
                }
            }
            // The lengths of one group came sorted.
            let mut own = self.tail_lengths.split_off(start as usize);
            own.dedup();
            self.tail_lengths.extend(own);
            Span { start, end: length(&self.tail_lengths), needs: TAIL_LENGTHS }
        };
        if first.group == ANY_METHOD {
            self.any_method = Some(span);
        } else {
            self.insert(first.group, span);
        }
    }

    fn push_candidates(&mut self, plan: &Plan, positions: impl ExactSizeIterator<Item = u32>) -> Span {
        let start = length(&self.candidates);
        let needs = if positions.len() <= FEW { NO_NEEDS } else { length(&self.needs) };
        for position in positions {
            self.candidates.push(position);
            if needs != NO_NEEDS {
                let entry = plan.entries().get(position as usize);
                self.needs
                    .push(entry.map_or_else(Pairs::default, |entry| Pairs::needed(plan.pattern(entry))));
            }
        }
        Span { start, end: length(&self.candidates), needs }
    }

    fn insert(&mut self, key: u64, span: Span) {
        let mask = self.table.len().wrapping_sub(1);
        let mut at = slot_of(key) & mask;
        // The table is at most half full: there is a free slot.
        for _ in 0..self.table.len() {
            match self.table.get_mut(at) {
                Some(slot) if slot.span.is_empty() => {
                    *slot = Slot { key, span };
                    return;
                }
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// Everything that was inserted under a key.
    #[inline]
    fn find(&self, key: u64) -> impl Iterator<Item = Span> {
        let mask = self.table.len().wrapping_sub(1);
        let mut at = slot_of(key) & mask;
        std::iter::from_fn(move || {
            while let Some(slot) = self.table.get(at).filter(|slot| !slot.span.is_empty()) {
                at = (at + 1) & mask;
                if slot.key == key {
                    return Some(slot.span);
                }
            }
            None
        })
    }

    /// Calls `found` with every entry that covers the target, bucket by bucket.
    pub(super) fn search(&self, plan: &Plan, target: &Target<'_>, found: &mut impl FnMut(&Entry)) {
        let path = target.path.as_bytes();
        let method = target.method_start;
        let mut lookup = Lookup { plan, target, pairs: None, found };
        if self.has_exact {
            let key = hash(path, method ^ EXACT);
            for span in self.find(key) {
                self.search_group(key, span, path, &mut lookup);
            }
        }
        for head_length in &self.head_lengths {
            let Some((head, rest)) = path.split_at_checked(*head_length as usize) else { break };
            let key = hash(head, method ^ GROUP);
            for span in self.find(key) {
                self.search_group(key, span, rest, &mut lookup);
            }
        }
        if let Some(span) = self.any_method {
            self.search_group(ANY_METHOD, span, path, &mut lookup);
        }
        if !self.whole.is_empty() {
            lookup.pairs = None;
            lookup.scan(self, self.whole, true);
        }
    }

    fn search_group<F: FnMut(&Entry)>(
        &self,
        group: u64,
        span: Span,
        rest: &[u8],
        lookup: &mut Lookup<'_, F>,
    ) {
        if span.needs != TAIL_LENGTHS {
            lookup.scan(self, span, false);
            return;
        }
        for tail_length in span.of(&self.tail_lengths) {
            let Some((_, tail)) =
                rest.len().checked_sub(*tail_length as usize).and_then(|at| rest.split_at_checked(at))
            else {
                break;
            };
            for span in self.find(hash(tail, group)).filter(|span| span.needs != TAIL_LENGTHS) {
                lookup.scan(self, span, false);
            }
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.table.capacity() * size_of::<Slot>()
            + (self.head_lengths.capacity() + self.tail_lengths.capacity() + self.candidates.capacity())
                * size_of::<u32>()
            + self.needs.capacity() * size_of::<Pairs>()
            + size_of::<Self>()
    }
}

/// The entries of a group by what stands behind their last wildcard. The length is what is looked for first, so two that have
/// the same hash do not share one.
fn tails(group: &[Keyed]) -> impl Iterator<Item = &[Keyed]> {
    group.chunk_by(|left, right| (left.tail_length, left.tail) == (right.tail_length, right.tail))
}

/// One search, with what is worked out once for all its buckets.
struct Lookup<'l, F> {
    plan: &'l Plan,
    target: &'l Target<'l>,
    pairs: Option<Pairs>,
    found: &'l mut F,
}

impl<F: FnMut(&Entry)> Lookup<'_, F> {
    fn scan(&mut self, index: &Index, span: Span, whole: bool) {
        let candidates = span.of(&index.candidates);
        let Some(needs) = index.needs.get(span.needs as usize..) else {
            for position in candidates {
                self.compare(*position);
            }
            return;
        };
        let target = self.target;
        let have = *self.pairs.get_or_insert_with(|| {
            if whole {
                Pairs::of([target.prefix, target.method, target.path])
            } else {
                Pairs::of(["", "", target.path])
            }
        });
        let mut positions = candidates.iter();
        let (fours, others) = needs.get(..candidates.len()).unwrap_or(needs).as_chunks::<4>();
        for four in fours {
            // Of most fours none is left, and then that is all there is to find out.
            if four.iter().any(|need| need.may_be_among(have)) {
                self.compare_chosen(positions.as_slice(), four, have);
            }
            positions.nth(3);
        }
        self.compare_chosen(positions.as_slice(), others, have);
    }

    fn compare_chosen(&mut self, positions: &[u32], needs: &[Pairs], have: Pairs) {
        for (position, need) in positions.iter().zip(needs) {
            if need.are_among(have) {
                self.compare(*position);
            }
        }
    }

    fn compare(&mut self, position: u32) {
        if let Some(entry) = self.plan.entries().get(position as usize)
            && self.plan.covers(entry, self.target)
        {
            (self.found)(entry);
        }
    }
}

fn slot_of(key: u64) -> usize {
    usize::try_from(key & 0xFFFF_FFFF).unwrap_or_default()
}

fn length<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use crate::policy::{AccessRequest, Decision, PolicyDocument, ResourcePattern, StageArn, Statement};

    /// Numbers that look random and are the same every time.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, limit: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap() % limit
        }

        fn text(&mut self, words: &[&str], most: usize) -> String {
            (0..self.below(most + 1)).map(|_| words[self.below(words.len())]).collect()
        }
    }

    #[test]
    fn the_index_finds_what_a_look_at_every_statement_finds() {
        let stage = StageArn::new("aws", "us-east-1", "123456789012", "abc", "prod").unwrap();
        let pieces = ["a", "b", "/", "*", "?", "ab", "/users/", "/item-7", "x%40", "@"];
        let plain = ["a", "b", "/", "ab", "/users/", "/item-7", "x", "@", "%40"];
        let methods = ["GET", "POST", "*", "G*", "?ET", "HEAD"];
        let mut numbers = Numbers(7);
        for _ in 0..60 {
            let statements: Vec<_> = (0..40)
                .map(|_| {
                    let method = methods[numbers.below(methods.len())];
                    let path = numbers.text(&pieces, 5);
                    let front = ["*/", "abc/prod/", "abc/prod/"][numbers.below(3)];
                    let pattern =
                        format!("arn:aws:execute-api:us-east-1:123456789012:{front}{method}/{path}");
                    let pattern = ResourcePattern::raw(pattern).unwrap();
                    if numbers.below(3) == 0 { Statement::deny(pattern) } else { Statement::allow(pattern) }
                })
                .collect();
            let document =
                statements.iter().cloned().fold(PolicyDocument::new(), PolicyDocument::with_statement);
            let bound = document.bind(&stage);
            for _ in 0..60 {
                let path = format!("/{}", numbers.text(&plain, 5));
                let method = ["GET", "POST", "HEAD", "FOO"][numbers.below(4)];
                let request = AccessRequest::new(method, &path);
                let decisions: Vec<_> = statements
                    .iter()
                    .map(|statement| {
                        let alone = PolicyDocument::new().with_statement(statement.clone());
                        alone.bind(&stage).evaluate(&request).decision()
                    })
                    .collect();
                let first = |decision| decisions.iter().position(|found| *found == decision);
                let expected = first(Decision::ExplicitDeny).or_else(|| first(Decision::Allow));
                let evaluation = bound.evaluate(&request);
                assert_eq!(evaluation.statement(), expected, "{method} {path} {document}");
            }
        }
    }
}
