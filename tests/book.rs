//! The book: its pages are chapters of `guide`, its links lead somewhere in both places, its code is compiled.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// `docs/*.md`, and the pages beside the manifest.
fn pages() -> Vec<String> {
    let mut pages: Vec<String> =
        ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(String::from).into();
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") {
            pages.push(format!("docs/{name}"));
        }
    }
    assert!(pages.len() > 15, "the pages were not found");
    pages
}

/// Text without what is shown as code.
fn prose(page: &str) -> String {
    let mut inside = false;
    let lines = page.lines().filter(|line| {
        let is_fence = line.starts_with("```");
        inside ^= is_fence;
        !inside && !is_fence
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Where the links of a page lead: those in place, and those that are defined at its end, with their labels.
fn links(page: &str) -> Vec<(Option<String>, String)> {
    let text = prose(page);
    let mut found: Vec<_> = text
        .split("](")
        .skip(1)
        .filter_map(|rest| Some((None, rest.split_once(')')?.0.to_owned())))
        .collect();
    found.extend(text.lines().filter_map(|line| {
        let (label, target) = line.strip_prefix('[')?.split_once("]: ")?;
        Some((Some(label.to_owned()), target.to_owned()))
    }));
    found
}

#[test]
fn links_between_pages_lead_to_files() {
    let mut checked = 0;
    for page in pages() {
        let folder = PathBuf::from(&page).parent().unwrap().to_owned();
        for (_, target) in links(&read(&page)) {
            if target.contains("://") || target.starts_with('#') {
                continue;
            }
            let file = target.split('#').next().unwrap();
            assert!(
                root().join(&folder).join(file).exists(),
                "{page} links to `{target}`, which is not there"
            );
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked} links were found");
}

#[test]
fn labels_are_defined_where_they_are_used() {
    for page in pages() {
        let text = read(&page);
        let defined: BTreeSet<_> = links(&text).into_iter().filter_map(|(label, _)| label).collect();
        for rest in prose(&text).split("][").skip(1) {
            let label = rest.split(']').next().unwrap();
            assert!(defined.contains(label), "{page} does not say where [{label}] leads");
        }
    }
}

#[test]
fn every_page_is_a_chapter_and_its_links_lead_to_chapters() {
    let guide = read("src/guide.rs");
    // What it costs is measured by whoever builds it, and linked from the README.
    for page in pages().iter().filter(|page| page.starts_with("docs/") && *page != "docs/BENCHMARKS.md") {
        assert!(guide.contains(&format!(": \"{page}\";")), "src/guide.rs has no chapter for {page}");
        for (label, target) in links(&read(page)) {
            if target.contains("://") || target.starts_with('#') {
                continue;
            }
            let label = label
                .unwrap_or_else(|| panic!("{page}: define `{target}` at the end, so that it has a label"));
            let is_known = guide.contains(&format!("\"[{label}]: ")) || label == "picture";
            assert!(is_known, "{page}: src/guide.rs does not know where [{label}] leads");
        }
    }
}

#[test]
fn rust_code_of_the_book_is_compiled() {
    for page in pages() {
        for line in read(&page).lines().filter(|line| line.starts_with("```rust")) {
            assert!(!line.contains("ignore"), "{page}: `{line}` is not compiled");
        }
    }
}

/// The picture is shown from an address in rustdoc, which knows no files beside its pages.
#[test]
fn the_picture_is_the_same_in_both_places() {
    let address = read("docs/contract.svg.uri");
    let encoded = address.trim_end().strip_prefix("data:image/svg+xml,").unwrap();
    let decoded = percent_encoding::percent_decode_str(encoded).decode_utf8().unwrap();
    assert_eq!(decoded.replace('\n', ""), read("docs/contract.svg").replace('\n', ""));
}
