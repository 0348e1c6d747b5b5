//! Finds the patterns that may cover a request without looking at all of them.
//!
//! Patterns without wildcards are found by the hash of method and path. The others are grouped by the literal text
//! before their first wildcard, and in a group by the literal text behind their last one; a request is looked up once
//! for every length such a text has. What stands between wildcards is pre-selected by the pairs of bytes it needs.
//! A hash only ever pre-selects: whatever is found is compared in full.

use super::plan::{Entry, Form, Plan, Shape, Target};

const EXACT: u64 = 0x9E37_79B9_7F4A_7C15;
const GROUP: u64 = 0xC2B2_AE3D_27D4_EB4F;
const ANY_METHOD: u64 = 0x1656_67B1_9E37_79F9;

/// Up to so many candidates are compared without being pre-selected.
const FEW: usize = 4;

#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// Open addressing; a power of two, at most half full.
    table: Vec<Slot>,
    /// Every length of a literal text before a first wildcard, shortest first.
    head_lengths: Vec<u32>,
    /// Every length of a literal text behind a last wildcard, by group and shortest first.
    tail_lengths: Vec<u32>,
    any_method: Span,
    whole: Span,
    /// Positions of entries, by bucket and in the order of their statements, and the pairs of bytes each needs.
    candidates: Vec<u32>,
    needs: Vec<u128>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    key: u64,
    span: Span,
}

/// A range of candidates, or of tail lengths.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn of<T>(self, items: &[T]) -> &[T] {
        items.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

impl Index {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut index = Self::default();
        let mut keyed = Vec::new();
        let mut whole = Vec::new();
        let mut groups = Vec::new();
        for (position, entry) in (0_u32..).zip(plan.entries()) {
            let method = hash(plan.method(entry), 0);
            if matches!(entry.form, Form::Whole(_)) {
                whole.push(position);
                continue;
            }
            if entry.shape == Shape::Exact {
                keyed.push((hash(plan.pattern(entry), method ^ EXACT), position));
                continue;
            }
            let (head, tail) = (plan.head(entry), plan.tail(entry));
            let group = match entry.form {
                Form::AnyMethod => ANY_METHOD,
                _ => hash(head, method ^ GROUP),
            };
            if entry.form == Form::Method {
                index.head_lengths.push(length(head));
            }
            groups.push((group, length(tail)));
            keyed.push((hash(tail, group), position));
        }
        sort_and_dedup(&mut index.head_lengths);
        sort_and_dedup(&mut groups);
        keyed.sort_unstable();

        let runs = keyed.chunk_by(|left, right| left.0 == right.0).count();
        let group_runs = groups.chunk_by(|left, right| left.0 == right.0).count();
        index.table = vec![Slot::default(); ((runs + group_runs) * 2).next_power_of_two()];
        for run in keyed.chunk_by(|left, right| left.0 == right.0) {
            let span = index.push_candidates(plan, run.iter().map(|(_, position)| *position));
            index.insert(run.first().map_or(0, |(key, _)| *key), span);
        }
        index.whole = index.push_candidates(plan, whole.into_iter());
        for run in groups.chunk_by(|left, right| left.0 == right.0) {
            let start = length(&index.tail_lengths);
            index.tail_lengths.extend(run.iter().map(|(_, tail)| *tail));
            let span = Span { start, end: length(&index.tail_lengths) };
            match run.first() {
                Some((ANY_METHOD, _)) => index.any_method = span,
                Some((key, _)) => index.insert(*key, span),
                None => {}
            }
        }
        index
    }

    fn push_candidates(&mut self, plan: &Plan, positions: impl Iterator<Item = u32>) -> Span {
        let start = length(&self.candidates);
        for position in positions {
            self.candidates.push(position);
            let entry = plan.entries().get(position as usize);
            self.needs.push(entry.map_or(0, |entry| pairs_needed(plan.pattern(entry))));
        }
        Span { start, end: length(&self.candidates) }
    }

    fn insert(&mut self, key: u64, span: Span) {
        let mask = self.table.len().wrapping_sub(1);
        let mut at = slot_of(key) & mask;
        // The table is at most half full: there is a free slot.
        for _ in 0..self.table.len() {
            match self.table.get_mut(at) {
                Some(slot) if slot.span.end == slot.span.start => {
                    *slot = Slot { key, span };
                    return;
                }
                _ => at = (at + 1) & mask,
            }
        }
    }

    fn find(&self, key: u64) -> Option<Span> {
        let mask = self.table.len().wrapping_sub(1);
        let mut at = slot_of(key) & mask;
        while let Some(slot) = self.table.get(at) {
            if slot.span.end == slot.span.start {
                return None;
            }
            if slot.key == key {
                return Some(slot.span);
            }
            at = (at + 1) & mask;
        }
        None
    }

    /// Calls `found` with the statement of every entry that covers the target, bucket by bucket.
    pub(super) fn search(&self, plan: &Plan, target: &Target<'_>, found: &mut impl FnMut(&Entry)) {
        let path = target.path.as_bytes();
        let method = hash(target.method.as_bytes(), 0);
        let mut lookup = Lookup { plan, target, pairs: None, found };
        if let Some(span) = self.find(hash(path, method ^ EXACT)) {
            lookup.scan(self, span, false);
        }
        for head_length in &self.head_lengths {
            let Some((head, rest)) = path.split_at_checked(*head_length as usize) else { break };
            let group = hash(head, method ^ GROUP);
            if let Some(span) = self.find(group) {
                self.search_group(group, span, rest, &mut lookup);
            }
        }
        self.search_group(ANY_METHOD, self.any_method, path, &mut lookup);
        lookup.pairs = None;
        lookup.scan(self, self.whole, true);
    }

    fn search_group<F: FnMut(&Entry)>(
        &self,
        group: u64,
        tail_lengths: Span,
        rest: &[u8],
        lookup: &mut Lookup<'_, F>,
    ) {
        for tail_length in tail_lengths.of(&self.tail_lengths) {
            let Some((_, tail)) =
                rest.len().checked_sub(*tail_length as usize).and_then(|at| rest.split_at_checked(at))
            else {
                break;
            };
            if let Some(span) = self.find(hash(tail, group)) {
                lookup.scan(self, span, false);
            }
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.table.capacity() * size_of::<Slot>()
            + (self.head_lengths.capacity() + self.tail_lengths.capacity() + self.candidates.capacity())
                * size_of::<u32>()
            + self.needs.capacity() * size_of::<u128>()
            + size_of::<Self>()
    }
}

/// One search, with what is worked out once for all its buckets.
struct Lookup<'l, F> {
    plan: &'l Plan,
    target: &'l Target<'l>,
    pairs: Option<u128>,
    found: &'l mut F,
}

impl<F: FnMut(&Entry)> Lookup<'_, F> {
    fn scan(&mut self, index: &Index, span: Span, whole: bool) {
        let candidates = span.of(&index.candidates);
        if candidates.len() <= FEW {
            for position in candidates {
                self.compare(*position);
            }
            return;
        }
        let target = self.target;
        let have = *self.pairs.get_or_insert_with(|| {
            if whole {
                pairs_of([target.prefix, target.method, target.path])
            } else {
                pairs_of(["", "", target.path])
            }
        });
        for (position, need) in candidates.iter().zip(span.of(&index.needs)) {
            if need & !have == 0 {
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

/// The pairs of bytes that stand beside each other in a pattern, as bits.
fn pairs_needed(pattern: &[u8]) -> u128 {
    let wild = |byte: u8| matches!(byte, b'*' | b'?');
    pattern.windows(2).fold(0, |bits, pair| match pair {
        [left, right] if !wild(*left) && !wild(*right) => bits | pair_bit(*left, *right),
        _ => bits,
    })
}

fn pairs_of(parts: [&str; 3]) -> u128 {
    let mut last = None;
    let mut bits = 0;
    for part in parts {
        for byte in part.bytes() {
            if let Some(last) = last {
                bits |= pair_bit(last, byte);
            }
            last = Some(byte);
        }
    }
    bits
}

fn pair_bit(left: u8, right: u8) -> u128 {
    let mixed = (u32::from(left) << 8 | u32::from(right)).wrapping_mul(0x9E37_79B1);
    1 << (mixed >> 25)
}

fn slot_of(key: u64) -> usize {
    usize::try_from(key >> 32 ^ key & 0xFFFF_FFFF).unwrap_or_default()
}

fn length<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}

fn sort_and_dedup<T: Ord>(items: &mut Vec<T>) {
    items.sort_unstable();
    items.dedup();
}

/// A hash by folded multiplication, eight bytes at a time. It need not withstand anybody: equal hashes cost a
/// comparison and decide nothing.
fn hash(bytes: &[u8], seed: u64) -> u64 {
    let mut state = seed ^ (bytes.len() as u64).wrapping_mul(EXACT);
    let (words, _) = bytes.as_chunks::<8>();
    for word in words {
        state = fold(state ^ u64::from_le_bytes(*word));
    }
    let last = match (bytes.last_chunk::<8>(), bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(last), ..) => u64::from_le_bytes(*last),
        (None, Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
        }
        _ => bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    };
    fold(state ^ last)
}

fn fold(value: u64) -> u64 {
    let product = u128::from(value ^ ANY_METHOD) * u128::from(GROUP);
    let [low, high] = [product & u128::from(u64::MAX), product >> 64];
    u64::try_from(low ^ high).unwrap_or_default()
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
