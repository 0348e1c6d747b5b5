//! The floors of the house, checked against the code: see `docs/ARCHITECTURE.md`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// One room: which rooms it may use, and which foreign crates it must not know.
struct Room {
    name: &'static str,
    floor: u8,
    may_use: &'static [&'static str],
    must_not_mention: &'static [&'static str],
}

const ROOMS: &[Room] = &[
    Room {
        name: "policy",
        floor: 0,
        may_use: &[],
        must_not_mention: &["axum", "tokio", "tower_layer", "tower_service", "quick_cache"],
    },
    Room {
        name: "clock",
        floor: 0,
        may_use: &[],
        must_not_mention: &["axum", "http", "serde", "serde_json", "tokio", "tower_layer", "tower_service"],
    },
    Room {
        name: "telemetry",
        floor: 0,
        may_use: &[],
        must_not_mention: &["axum", "http", "serde", "serde_json", "tokio", "tower_layer", "tower_service"],
    },
    Room {
        name: "contract",
        floor: 1,
        may_use: &["clock", "policy", "telemetry"],
        must_not_mention: &["axum", "tokio", "tower_layer", "tower_service", "quick_cache"],
    },
    Room {
        name: "authorizer",
        floor: 2,
        may_use: &["contract", "policy"],
        must_not_mention: &["axum", "http", "tokio", "tower_layer", "tower_service"],
    },
    Room {
        name: "request",
        floor: 2,
        may_use: &["contract", "policy"],
        must_not_mention: &["tokio", "tower_layer", "tower_service", "quick_cache"],
    },
    Room {
        name: "cache",
        floor: 3,
        may_use: &["contract", "policy", "request", "telemetry"],
        must_not_mention: &["axum", "tokio", "tower_layer", "tower_service"],
    },
    Room {
        name: "mapping",
        floor: 3,
        may_use: &["contract", "policy", "request"],
        must_not_mention: &["axum", "tokio", "tower_layer", "tower_service", "quick_cache"],
    },
    Room {
        name: "middleware",
        floor: 4,
        may_use: &["authorizer", "cache", "clock", "contract", "mapping", "policy", "request", "telemetry"],
        must_not_mention: &["axum", "quick_cache"],
    },
    Room {
        name: "jwt",
        floor: 5,
        may_use: &["authorizer", "clock", "contract", "policy", "request", "telemetry"],
        must_not_mention: &[
            "axum",
            "lambda_http",
            "lambda_runtime",
            "quick_cache",
            "tower_layer",
            "tower_service",
        ],
    },
    Room {
        name: "lambda",
        floor: 5,
        may_use: &["authorizer", "clock", "contract", "middleware", "policy", "request", "telemetry"],
        must_not_mention: &["axum", "jsonwebtoken", "quick_cache", "reqwest"],
    },
    Room {
        name: "remote",
        floor: 5,
        may_use: &["authorizer", "clock", "contract", "telemetry"],
        must_not_mention: &["axum", "jsonwebtoken", "lambda_http", "lambda_runtime", "quick_cache"],
    },
    Room {
        name: "testing",
        floor: 6,
        may_use: &["authorizer", "clock", "contract", "jwt", "middleware", "policy", "request"],
        must_not_mention: &["axum", "quick_cache"],
    },
    Room { name: "guide", floor: 7, may_use: &[], must_not_mention: &[] },
    Room { name: "axum", floor: 5, may_use: &["contract", "middleware"], must_not_mention: &["quick_cache"] },
];

/// A file past this is split by verb.
const MAX_LINES: usize = 450;

#[test]
fn rooms_use_only_the_rooms_below_them() {
    let mut wrong = Vec::new();
    for (room, file, code) in sources() {
        for used in mentioned(&code, "crate::") {
            let is_room = ROOMS.iter().any(|other| other.name == used);
            if !is_room {
                wrong.push(format!("{file}: `crate::{used}` is no room: name things by their rooms"));
            } else if used != room.name && !room.may_use.contains(&&*used) {
                wrong.push(format!("{file}: `{}` may not use `{used}`", room.name));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn rooms_do_not_know_what_is_not_their_business() {
    let mut wrong = Vec::new();
    for (room, file, code) in sources() {
        for foreign in room.must_not_mention {
            if words(&code).any(|(word, next)| word == *foreign && next.starts_with("::")) {
                wrong.push(format!("{file}: `{}` may not know `{foreign}`", room.name));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_table_only_points_down() {
    for room in ROOMS {
        for used in room.may_use {
            let below = ROOMS.iter().find(|other| other.name == *used).unwrap();
            assert!(below.floor < room.floor, "{} -> {used}", room.name);
        }
    }
}

#[test]
fn every_room_is_in_the_table_and_in_the_drawing() {
    let drawing = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let rooms: BTreeSet<_> = fs::read_dir(root().join("src"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "lib")
        .collect();
    assert_eq!(rooms, ROOMS.iter().map(|room| room.name.to_owned()).collect());
    for room in ROOMS {
        let row = format!("| {} | `{}` |", room.floor, room.name);
        assert!(drawing.contains(&row), "docs/ARCHITECTURE.md has no row `{row}`");
    }
}

#[test]
fn files_that_the_drawing_names_are_there() {
    let drawing = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let mut wrong = Vec::new();
    for row in drawing.lines().skip_while(|line| !line.contains("| to change | open |")).skip(2) {
        let Some((_, files)) = row.trim_matches('|').split_once('|') else { break };
        // A file that is named alone lies where the one before it does.
        let mut folder = PathBuf::new();
        for file in files.split('`').skip(1).step_by(2) {
            let file = Path::new(file);
            if file.components().count() > 1 {
                folder = file.parent().unwrap_or(file).to_owned();
            }
            let whole = folder.join(file.file_name().unwrap_or_default());
            if !(root().join("src").join(&whole).exists() || root().join("src").join(file).exists()) {
                wrong.push(whole.display().to_string());
            }
        }
    }
    assert!(wrong.is_empty(), "docs/ARCHITECTURE.md names files that are not there: {wrong:?}");
}

#[test]
fn files_are_short() {
    for (_, file, code) in sources() {
        let lines = code.lines().count();
        assert!(lines <= MAX_LINES, "{file} has {lines} lines: split it by verb");
    }
}

#[test]
fn examples_are_shorter() {
    let mut files = Vec::new();
    collect(&root().join("examples"), &mut files);
    assert!(files.len() > 10, "the examples were not found");
    for file in files {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines < 120, "{} has {lines} lines: an example is read in one go", file.display());
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file with its room, without comments.
fn sources() -> Vec<(&'static Room, String, String)> {
    let mut files = Vec::new();
    collect(&root().join("src"), &mut files);
    assert!(files.len() > 20, "the sources were not found");
    let mut sources = Vec::new();
    for path in files {
        let inside = path.strip_prefix(root().join("src")).unwrap();
        let room = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        let Some(room) = ROOMS.iter().find(|known| known.name == room) else { continue };
        let text = fs::read_to_string(&path).unwrap();
        let code: Vec<_> =
            text.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line }).collect();
        sources.push((room, inside.display().to_string(), code.join("\n")));
    }
    sources
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The words that follow `prefix` somewhere in the code, those in braces included.
fn mentioned(code: &str, prefix: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
        if rest.starts_with('{') {
            let mut depth = 0;
            let end = rest.char_indices().find_map(|(i, c)| {
                depth += i32::from(c == '{') - i32::from(c == '}');
                (depth == 0).then_some(i)
            });
            panic!("write one `use crate::room` a line, not {}", &rest[..=end.unwrap()]);
        }
        found.insert(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
    }
    found
}

/// The identifiers of the code, each with what follows it.
fn words(code: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = code;
    std::iter::from_fn(move || {
        let start = rest.find(|c: char| c.is_alphabetic() || c == '_')?;
        let tail = &rest[start..];
        let end = tail.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(tail.len());
        rest = &tail[end..];
        Some((&tail[..end], rest))
    })
}
