//! How many hostile requests there are, so that the number in the documentation is one that was counted.

use std::collections::BTreeSet;
use std::fmt::Display;

use super::harness::World;

/// The hostile requests of one class. A test makes one, says how many there are, and is held to it at the end.
pub struct Tally {
    class: &'static str,
    expected: usize,
    counted: BTreeSet<String>,
    sent: usize,
}

impl Tally {
    pub fn of(class: &'static str, expected: usize) -> Self {
        Self { class, expected, counted: BTreeSet::new(), sent: 0 }
    }

    /// Counts a request that was refused, and sees that it was: nothing ran. The same request in another home, or
    /// against another policy, is not counted again.
    #[track_caller]
    pub fn refused(&mut self, world: &World, request: impl Display) {
        let request = request.to_string();
        assert_eq!(world.take_calls(), [""; 0], "{}: {request}", self.class);
        self.counted.insert(request);
        self.sent += 1;
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            println!("{}: {} requests, sent {} times", self.class, self.counted.len(), self.sent);
            assert_eq!(self.counted.len(), self.expected, "{}: {:#?}", self.class, self.counted);
        }
    }
}

/// What all tallies of this program promise, read from their text: each is held to its number when it runs.
#[test]
fn the_classes_add_up() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostile");
    let mut classes = std::collections::BTreeMap::<String, usize>::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let opening = ["Tally::of", "(\""].concat();
        for call in source.split(&opening).skip(1) {
            let (class, rest) = call.split_once("\", ").unwrap();
            let (number, _) = rest.split_once(')').unwrap();
            *classes.entry(class.to_owned()).or_default() += number.parse::<usize>().unwrap();
        }
    }
    let documented = include_str!("../../docs/SECURITY.md");
    for (class, number) in &classes {
        assert!(documented.contains(&format!("| {class} | {number} |")), "{class}: {number} requests");
    }
    let total = classes.values().sum::<usize>();
    assert!(documented.contains(&format!("| in all | {total} |")), "{total} requests in all");
    assert!(classes.len() >= 15 && total >= 300, "{} classes, {total} requests", classes.len());
}
