//! How many hostile requests there are, so that the number in the documentation is one that was counted.

use std::collections::{BTreeMap, BTreeSet};
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

/// What all tallies of this program promise, read from their text: each is held to its number when it runs. The
/// documentation has all of them, whatever features this program was built with.
#[test]
fn the_classes_add_up() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostile");
    let modules = include_str!("main.rs");
    let mut classes = BTreeMap::<String, usize>::new();
    let mut by_default = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let needs_features = modules.contains(&format!(")]\nmod {name};"));
        let source = std::fs::read_to_string(&path).unwrap();
        // Not to be taken for one itself.
        let opening = concat!("Tally::of", "(\"");
        // As long calls are formatted.
        let source = source.replace("Tally::of(\n        \"", opening);
        for call in source.split(opening).skip(1) {
            let (class, rest) = call.split_once("\", ").unwrap();
            let (number, _) = rest.split_once(')').unwrap();
            let number = number.parse::<usize>().unwrap();
            *classes.entry(class.to_owned()).or_default() += number;
            by_default += if needs_features { 0 } else { number };
        }
    }
    let total = classes.values().sum::<usize>();
    assert!(classes.len() >= 15 && by_default >= 300, "{} classes, {total} requests", classes.len());
    classes.insert("in all".to_owned(), total);
    classes.insert("of these, with the default features".to_owned(), by_default);

    let (_, table) = include_str!("../../docs/SECURITY.md").split_once("| class | requests |\n").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let rows = table.lines().skip(1).map(|row| {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        (cells.next().unwrap().to_owned(), cells.next().unwrap().parse::<usize>().unwrap())
    });
    let documented: Vec<(String, usize)> = rows.collect();
    assert_eq!(documented.len(), classes.len(), "a class is there twice, or is none any more");
    assert_eq!(documented.into_iter().collect::<BTreeMap<_, _>>(), classes);
}
