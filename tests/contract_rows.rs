//! Every row of `docs/CONTRACT.md` names a test, and the test exists.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

#[test]
fn every_row_names_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/CONTRACT.md")).unwrap();
    let mut files: HashMap<String, String> = HashMap::new();
    let mut wrong = Vec::new();
    let mut rows = 0;
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let cells = cells(line);
        let [_, here, source] = &cells[..] else {
            wrong.push(format!("not three columns: {line}"));
            continue;
        };
        if *here == "here" || here.starts_with("---") {
            continue;
        }
        rows += 1;
        let tests = here.split_once("<br>").map_or("", |(_, tests)| tests);
        if source.trim().is_empty() {
            wrong.push(format!("no source: {line}"));
        }
        let named: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        if named.is_empty() {
            wrong.push(format!("no test: {line}"));
        }
        for name in named {
            let Some((file, test)) = name.split_once("::") else {
                wrong.push(format!("`{name}` is not `file::test`"));
                continue;
            };
            let code = files
                .entry(file.to_owned())
                .or_insert_with(|| fs::read_to_string(root.join(file)).unwrap_or_default());
            // A vector file is data: the row names a vector by its name.
            let found = match file.ends_with(".json") {
                true => has_vector(code, test),
                false => has_test(code, test),
            };
            if !found {
                wrong.push(format!("there is no `{name}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(rows > 30, "{rows} rows");
}

/// Whether one of the vectors in a file has that name.
fn has_vector(file: &str, name: &str) -> bool {
    let file: serde_json::Value = serde_json::from_str(file).unwrap_or_default();
    file["vectors"].as_array().is_some_and(|vectors| vectors.iter().any(|vector| vector["name"] == *name))
}

/// Whether there is a function of that name, with an attribute in front of it that makes it a test.
fn has_test(code: &str, name: &str) -> bool {
    let Some(at) = code.find(&format!("fn {name}(")) else { return false };
    let before = code[..at].trim_end().trim_end_matches("async").trim_end();
    before.lines().rev().take_while(|line| line.trim_start().starts_with("#[")).any(|line| {
        let attribute = line.trim_start();
        attribute.starts_with("#[test]") || attribute.starts_with("#[tokio::test")
    })
}

/// The columns of a row; a `\|` does not end one.
fn cells(line: &str) -> Vec<String> {
    let row = line.trim().trim_start_matches('|').trim_end_matches('|');
    row.replace("\\|", "\u{0}").split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect()
}
